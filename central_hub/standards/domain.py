"""Decisions of the standards office: the life of a version and what the next catalogue says. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from central_hub.standards.shelf import Shelf
from shared.standards.canonical import body_of, sha256
from shared.standards.documents import AnyStandard, schema_of
from shared.standards.facts import Release
from shared.standards.group_rule import GROUP_RULE
from shared.standards.messages import Assigned, Assignment, Catalogue, CatalogueEntry

STEPS: Mapping[str, frozenset[str]] = {
    "rewritten": frozenset({"draft"}),
    "submitted": frozenset({"draft"}),
    "returned": frozenset({"in_review"}),
    "approved": frozenset({"in_review"}),
    "withdrawn": frozenset({"published"}),
}
"""Which step may be taken from which status; publication follows from signatures, not from a person's step."""


def may(step: str, status: str) -> bool:
    """Whether a step may be taken from a status."""
    return status in STEPS[step]


@dataclass(frozen=True)
class Candidate:
    """An approved version on its way into a catalogue; in_waves: beside the current one, until its waves are over."""

    document: AnyStandard
    author: str
    approver: str
    effective_from_ms: int
    in_waves: bool = False


@dataclass(frozen=True)
class Choice:
    """What a plant gets of a standard instead of the current version; version 0: nothing of it."""

    version: int
    answer_by_ms: int = 0


@dataclass(frozen=True)
class Ended:
    """Versions whose life in the catalogue ends with the next one.

    withdrawn  (id, version) that is used no more
    back       (id, version) -> the earlier version that takes its place again
    completed  (id, version) whose waves are over: it becomes the current one
    """

    withdrawn: frozenset[tuple[str, int]] = frozenset()
    back: Mapping[tuple[str, int], int] = field(default_factory=dict)
    completed: frozenset[tuple[str, int]] = frozenset()


def next_catalogue(
    hub: str,
    version: int,
    now_ms: int,
    previous: Catalogue | None,
    candidates: Sequence[Candidate],
    ended: Ended = Ended(),
) -> tuple[Catalogue, tuple[Release, ...]]:
    """The next catalogue: everything of the one before, with newer versions in place of older ones, and what is new.

    Of two approved versions of one id the higher counts; nothing ever vanishes, what is withdrawn says so.
    """
    shelf = Shelf(previous)
    for key in sorted(ended.withdrawn):
        shelf.withdraw(*key, ended.back.get(key, 0))
    for key in sorted(ended.completed):
        shelf.complete(*key)
    releases = []
    for candidate in sorted(candidates, key=lambda c: (c.document.id, c.document.version)):
        entry = _entry(candidate, shelf.next_release(candidate.document.id, previous))
        shelf.put(entry, beside=candidate.in_waves)
        releases.append(Release(entry.id, entry.version, entry.release))
    return shelf.catalogue(hub, version, now_ms), tuple(releases)


def _entry(candidate: Candidate, release: int) -> CatalogueEntry:
    document = candidate.document
    body = body_of(document)
    return CatalogueEntry(
        id=document.id,
        version=document.version,
        release=release,
        kind=document.kind,
        title=document.title,
        sha256=sha256(body),
        length=len(body),
        schema=schema_of(document),
        takes_hold=document.takes_hold,
        effective_from_ms=candidate.effective_from_ms,
        status="active",
        plants=document.scope.plants,
        depends=document.depends,
        author=candidate.author,
        approver=candidate.approver,
    )


def assignment_for(
    catalogue: Catalogue, plant: str, version: int, now_ms: int, choices: Mapping[str, Choice] | None = None
) -> Assignment:
    """Everything active in the catalogue that is for this plant, with the versions chosen for it; rules of the hub are
    for none."""
    listed = {entry.id: (entry, 0) for entry in catalogue.entries}
    for standard_id, choice in (choices or {}).items():
        found = catalogue.find_version(standard_id, choice.version)
        listed.pop(standard_id, None)
        if found is not None:
            listed[standard_id] = (found, choice.answer_by_ms)
    standards = tuple(
        Assigned(entry.id, entry.version, entry.sha256, entry.effective_from_ms, answer_by_ms)
        for entry, answer_by_ms in (listed[standard_id] for standard_id in sorted(listed))
        if entry.status == "active" and entry.kind != GROUP_RULE and (not entry.plants or plant in entry.plants)
    )
    return Assignment(
        version=version,
        hub=catalogue.hub,
        plant=plant,
        catalogue_version=catalogue.version,
        issued_at_ms=now_ms,
        standards=standards,
    )
