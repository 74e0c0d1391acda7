"""Decisions of the standards office: the life of a version and what the next catalogue says. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from shared.standards.canonical import body_of, sha256
from shared.standards.documents import SCHEMA, AnyStandard
from shared.standards.facts import Release
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
    """An approved version on its way into a catalogue."""

    document: AnyStandard
    author: str
    approver: str
    effective_from_ms: int


def next_catalogue(
    hub: str,
    version: int,
    now_ms: int,
    previous: Catalogue | None,
    candidates: Sequence[Candidate],
    withdrawn: Iterable[tuple[str, int]] = (),
) -> tuple[Catalogue, tuple[Release, ...]]:
    """The next catalogue: everything of the one before, with newer versions in place of older ones, and what is new.

    Of two approved versions of one id the higher counts; nothing ever vanishes, what is withdrawn says so.
    """
    entries = {entry.id: entry for entry in previous.entries} if previous else {}
    for standard_id, number in withdrawn:
        entry = entries.get(standard_id)
        if entry and entry.version == number and entry.status == "active":
            entries[standard_id] = msgspec.structs.replace(entry, status="withdrawn", release=entry.release + 1)
    releases = []
    for candidate in sorted(candidates, key=lambda c: (c.document.id, c.document.version)):
        before = previous.find(candidate.document.id) if previous else None
        entry = _entry(candidate, before.release + 1 if before else 1)
        entries[entry.id] = entry
        releases.append(Release(entry.id, entry.version, entry.release))
    listed = tuple(entries[key] for key in sorted(entries))
    return Catalogue(version=version, hub=hub, issued_at_ms=now_ms, entries=listed), tuple(releases)


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
        schema=SCHEMA,
        takes_hold=document.takes_hold,
        effective_from_ms=candidate.effective_from_ms,
        status="active",
        plants=document.scope.plants,
        depends=document.depends,
        author=candidate.author,
        approver=candidate.approver,
    )


def assignment_for(catalogue: Catalogue, plant: str, version: int, now_ms: int) -> Assignment:
    """Everything active in the catalogue that is for this plant."""
    standards = tuple(
        Assigned(entry.id, entry.version, entry.sha256, entry.effective_from_ms)
        for entry in catalogue.entries
        if entry.status == "active" and (not entry.plants or plant in entry.plants)
    )
    return Assignment(
        version=version,
        hub=catalogue.hub,
        plant=plant,
        catalogue_version=catalogue.version,
        issued_at_ms=now_ms,
        standards=standards,
    )
