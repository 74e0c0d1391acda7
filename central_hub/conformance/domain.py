"""Who runs what, judged: pure. A plant that is away is not adrift; drift is what is neither published nor declared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

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
]


@dataclass(frozen=True)
class Reported:
    """What a plant reports of itself, and how the line to it stands. away_since_ms None: it is heard of.

    answers  what it said when it was asked for its consent: (id, version) -> its last word
    """

    plant: str
    away_since_ms: int | None
    effective_hash: str
    in_force: Mapping[str, Adopted]
    deviations: tuple[Deviation, ...]
    refusal: str = ""
    answers: Mapping[tuple[str, int], Answer] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """What a plant is assigned of a standard; answer_by_ms: until when it is asked for its consent, 0: it is not."""

    version: int
    sha256: str
    answer_by_ms: int = 0


@dataclass(frozen=True)
class Cell:
    """One standard at one plant.

    version      what runs there, None when nothing does; wanted: what is assigned, None when nothing is
    differences  fields that are neither published nor declared, in words
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


def judge(
    standard_id: str,
    wanted: Wanted | None,
    published: Mapping[tuple[int, str], AnyStandard],
    reported: Reported,
    now_ms: int,
) -> Cell:
    """One cell. wanted: what is assigned; published: every version ever published, by version and hash."""
    adopted = reported.in_force.get(standard_id)
    mine = tuple(d for d in reported.deviations if d.standard_id == standard_id)
    version, since = (adopted.version, adopted.adopted_ms) if adopted else (None, None)
    differences = _differences(adopted, published, mine) if adopted else ()
    said = reported.answers.get((standard_id, wanted.version)) if wanted else None
    state = _state(wanted, adopted, mine, differences, reported)
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


def _differences(
    adopted: Adopted, published: Mapping[tuple[int, str], AnyStandard], deviations: Sequence[Deviation]
) -> tuple[str, ...]:
    document = published.get((adopted.version, adopted.sha256))
    if document is None:
        return (f"v{adopted.version} with hash {adopted.sha256[:16]} was never published",)
    declared = {d.parameter: d.value for d in deviations}
    known = document.parameters_by_name
    return tuple(
        fault
        for name, value in adopted.values.items()
        if (fault := _value_fault(name, value, known.get(name.rpartition(".")[2]), declared))
    )


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
    installed = [
        InstalledStandard(a.standard_id, a.version, a.sha256, a.effective_from_ms, a.values)
        for a in reported.in_force.values()
    ]
    return effective_hash(installed, (d.deviation_id for d in reported.deviations)) != reported.effective_hash
