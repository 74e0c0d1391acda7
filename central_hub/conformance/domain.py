"""Who runs what, judged: pure. A plant that is away is not adrift; drift is what is neither published nor declared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import msgspec

from shared.standards.binding import effective_hash
from shared.standards.documents import AnyStandard, Parameter
from shared.standards.facts import InstalledStandard
from shared.standards.queries import Adopted, Deviation
from shared.standards.rollout_queries import Answer

State = Literal[
    "runs_it",
    "deviates",
    "asked",
    "overdue",
    "agreed",
    "declined",
    "on_its_way",
    "away",
    "refused",
    "drift",
    "not_for_it",
    "extra",
    "own",
]


@dataclass(frozen=True)
class Reported:
    """What a plant reports of itself, and how the line to it stands. away_since_ms None: it is heard of.

    answers  what it said when it was asked for its consent: (id, version) -> its last word
    edits    what it found in its own database that no fact put there: standard -> fields in words
    """

    plant: str
    away_since_ms: int | None
    effective_hash: str
    in_force: Mapping[str, Adopted]
    deviations: tuple[Deviation, ...]
    refusal: str = ""
    answers: Mapping[tuple[str, int], Answer] = field(default_factory=dict)
    edits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Wanted(msgspec.Struct, frozen=True, gc=False):
    """What a plant is assigned of a standard; answer_by_ms: until when it is asked for its consent, 0: it is not."""

    version: int
    sha256: str
    answer_by_ms: int = 0


class Cell(msgspec.Struct, frozen=True, gc=False):
    """One standard at one plant.

    version      what runs there, None when nothing does; wanted: what is assigned, None when nothing is
    differences  fields that are neither published nor declared, or that somebody wrote into the plant's database
    """

    standard_id: str
    plant: str
    state: State
    version: int | None
    wanted: int | None
    adopted_ms: int | None
    away_since_ms: int | None = None
    deviations: tuple[Deviation, ...] = ()
    differences: tuple[str, ...] = ()
    note: str = ""


class Published:
    """Every version ever published of one standard, by version and hash.

    Plants of a group bind alike, so what is neither published nor declared is looked for once for all that have the
    same values and no deviation.
    """

    def __init__(self, documents: Mapping[tuple[int, str], AnyStandard]) -> None:
        self._documents = documents
        self._seen: dict[tuple[Any, ...], tuple[str, ...]] = {}

    def differences(self, adopted: Adopted, deviations: Sequence[Deviation]) -> tuple[str, ...]:
        """The fields of what a plant runs that are neither published nor declared, in words."""
        if deviations:
            return self._compare(adopted, {d.parameter: d.value for d in deviations})
        alike = (adopted.version, adopted.sha256, *adopted.values.items())
        found = self._seen.get(alike)
        if found is None:
            found = self._seen[alike] = self._compare(adopted, {})
        return found

    def _compare(self, adopted: Adopted, declared: Mapping[str, str]) -> tuple[str, ...]:
        document = self._documents.get((adopted.version, adopted.sha256))
        if document is None:
            return (f"v{adopted.version} with hash {adopted.sha256[:16]} was never published",)
        known = document.parameters_by_name
        return tuple(
            fault
            for name, value in adopted.values.items()
            if (fault := _value_fault(name, value, known.get(name.rpartition(".")[2]), declared))
        )


def judge(
    standard_id: str,
    wanted: Wanted | None,
    published: Published,
    reported: Reported,
    now_ms: int,
) -> Cell:
    """One cell. wanted: what is assigned."""
    adopted = reported.in_force.get(standard_id)
    mine = tuple(d for d in reported.deviations if d.standard_id == standard_id) if reported.deviations else ()
    version, since = (adopted.version, adopted.adopted_ms) if adopted else (None, None)
    differences = published.differences(adopted, mine) if adopted else ()
    if reported.edits:
        differences += reported.edits.get(standard_id, ())
    said = reported.answers.get((standard_id, wanted.version)) if wanted else None
    state = _state(wanted, adopted, mine, differences, reported)
    if state == "extra" and standard_id.startswith(f"{reported.plant}-"):
        state = "own"
    if wanted is not None and wanted.answer_by_ms and state in ("on_its_way", "away", "refused"):
        state = _asked(wanted, said, now_ms)
    return Cell(
        standard_id,
        reported.plant,
        state,
        version,
        wanted.version if wanted else None,
        since,
        reported.away_since_ms,
        mine,
        differences,
        _note(state, reported, said),
    )


def _note(state: State, reported: Reported, said: Answer | None) -> str:
    if state == "refused":
        return reported.refusal
    return said.reason if state == "declined" and said else ""


def _asked(wanted: Wanted, said: Answer | None, now_ms: int) -> State:
    """A plant that is asked and does not run it yet."""
    if said is None:
        return "overdue" if now_ms > wanted.answer_by_ms else "asked"
    return "agreed" if said.answer == "accepted" else "declined"


def _state(
    wanted: Wanted | None,
    adopted: Adopted | None,
    deviations: Sequence[Deviation],
    differences: Sequence[str],
    reported: Reported,
) -> State:
    if differences:
        return "drift"
    if wanted is None:
        return "extra" if adopted else "not_for_it"
    if adopted and (adopted.version, adopted.sha256) == (wanted.version, wanted.sha256):
        return "deviates" if deviations else "runs_it"
    if reported.away_since_ms is not None:
        return "away"
    return "refused" if reported.refusal else "on_its_way"


def _value_fault(name: str, value: int | str, parameter: Parameter | None, declared: Mapping[str, str]) -> str:
    if parameter is None:
        return f"{name} = {value} is no parameter of the published version"
    if declared.get(name) == str(value) or parameter.allows(value):
        return ""
    return f"{name} = {value}, published is {parameter.range_text()} and no deviation is declared"


def hash_differs(reported: Reported) -> bool:
    """Whether the hash a plant reports is not that of the set it reports: one of the two is not the truth."""
    if not reported.effective_hash:
        return False
    return (
        _hash_of(
            tuple((a.standard_id, a.version, a.sha256, tuple(a.values.items())) for a in reported.in_force.values()),
            tuple(d.deviation_id for d in reported.deviations),
        )
        != reported.effective_hash
    )


@lru_cache(maxsize=100)  # a set a plant; of 500 standards it takes 2 ms, and changes a few times a year
def _hash_of(
    in_force: tuple[tuple[str, int, str, tuple[tuple[str, int | str], ...]], ...], deviations: tuple[str, ...]
) -> str:
    """The hash of a set; its days do not count in it."""
    installed = [
        InstalledStandard(name, version, sha256, 0, dict(values)) for name, version, sha256, values in in_force
    ]
    return effective_hash(installed, deviations)
