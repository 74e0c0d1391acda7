"""What the caster has told of its sequences: ladles with their marks, what was laid down, events of the strands.

Kept until the sequence is long over (see in_work.py); slabs are cut half an hour after their steel was in the mould, when
the next sequence may already be running.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from local_mes.level2.operations import BadMessage, NotYet, Work
from local_mes.model.domain import Unit
from local_mes.production.cast_domain import LadleMark, marks_rise
from local_mes.production.in_work import Told, all_told, find_told, forget, tell
from shared.units import UM_PER_MM

LADLE, SEQUENCE, EVENT = "ladle:", "sequence:", "event:"
KEPT_MS = 3 * 86_400_000
"""How long a sequence is remembered: the longest run a week's tundishes allow is about a day."""


@dataclass(frozen=True)
class Ladle:
    """A ladle that opened on the caster. marks_um: strand metres at its opening, by strand number from 1."""

    heat_id: str
    heat: str
    grade: str
    sequence: str
    position: int
    opened_ms: int
    tundish_g: int
    marks_um: tuple[int, ...]
    closed_ms: int | None = None
    cast_g: int = 0

    def mark(self, strand: int) -> LadleMark:
        """The ladle as one strand sees it."""
        return LadleMark(self.heat_id, self.grade, self.marks_um[strand - 1], self.tundish_g)


@dataclass(frozen=True)
class CastSequence:
    """Ladles cast one after another without a stop, in order."""

    unit: Unit
    ladles: tuple[Ladle, ...]

    @property
    def key(self) -> str:
        """Names the sequence for ever: casters count sequences anew each year."""
        return f"{SEQUENCE}{self.ladles[0].heat_id}"

    def marks(self, strand: int) -> list[LadleMark]:
        """All ladles as one strand sees them; BadMessage when the metres run backwards."""
        found = [ladle.mark(strand) for ladle in self.ladles]
        if not marks_rise([mark.mark_um for mark in found]):
            raise BadMessage(
                f"The ladles of sequence {self.ladles[0].sequence} opened at strand metres that run backwards."
            )
        return found

    def get_ladle(self, heat_id: str) -> Ladle:
        """The ladle of one of its heats."""
        return next(ladle for ladle in self.ladles if ladle.heat_id == heat_id)


def tell_ladle(work: Work, unit: Unit, of: str, **more: Any) -> None:
    """Add to what is known of a ladle on the caster."""
    tell(work.conn, unit.code, f"{LADLE}{of}", work.message.occurred.at_ms, **more)


def all_ladles(conn: Connection, unit: Unit) -> list[Ladle]:
    """Every remembered ladle that opened, oldest first."""
    opened = [told for told in all_told(conn, unit.code, LADLE).values() if "opened_ms" in told]
    return sorted((_ladle(told) for told in opened), key=lambda ladle: (ladle.opened_ms, ladle.position))


def _ladle(told: Told) -> Ladle:
    return Ladle(
        told["heat_id"],
        told["heat"],
        told["grade"],
        told["sequence"],
        told["position"],
        told["opened_ms"],
        told["tundish_g"],
        tuple(told["marks_um"]),
        told.get("closed_ms"),
        told.get("cast_g", 0),
    )


def get_sequence(work: Work, unit: Unit, heat_id: str, heat: str) -> CastSequence:
    """The sequence a heat is cast in, complete up to that heat; NotYet while a ladle before it is not told."""
    ladles = all_ladles(work.conn, unit)
    own = next((ladle for ladle in ladles if ladle.heat_id == heat_id), None)
    if own is None:
        raise NotYet(f"The ladle of heat {heat} has not opened on {unit.code}.")
    members = _members(ladles, own)
    positions = [ladle.position for ladle in members if ladle.position <= own.position]
    if positions != list(range(1, own.position + 1)):
        raise NotYet(f"Not every ladle before heat {heat} in sequence {own.sequence} was told: {positions}.")
    return CastSequence(unit, members)


def sequence_of(unit: Unit, ladles: Sequence[Ladle], own: Ladle) -> CastSequence:
    """The sequence that a ladle belongs to, of these ladles."""
    return CastSequence(unit, _members(ladles, own))


def _members(ladles: Sequence[Ladle], own: Ladle) -> tuple[Ladle, ...]:
    """The ladles of one sequence, each position once (the latest said), in order."""
    same = [
        ladle for ladle in ladles if ladle.sequence == own.sequence and abs(ladle.opened_ms - own.opened_ms) <= KEPT_MS
    ]
    by_position = {ladle.position: ladle for ladle in same} | {own.position: own}
    return tuple(by_position[position] for position in sorted(by_position))


def find_current(work: Work, unit: Unit, at_ms: int) -> CastSequence | None:
    """The sequence that was in the mould at a time: that of the ladle that opened last before it."""
    before = [ladle for ladle in all_ladles(work.conn, unit) if ladle.opened_ms <= at_ms]
    return CastSequence(unit, _members(all_ladles(work.conn, unit), before[-1])) if before else None


def find_named(work: Work, unit: Unit, name: str) -> CastSequence | None:
    """The latest sequence of this number."""
    named = [ladle for ladle in all_ladles(work.conn, unit) if ladle.sequence == name]
    return CastSequence(unit, _members(named, named[-1])) if named else None


def sequence_told(work: Work, sequence: CastSequence) -> Told:
    """What was told of the sequence as a whole: crops booked, metres laid down, its end."""
    return find_told(work.conn, sequence.unit.code, sequence.key) or {}


def tell_sequence(work: Work, sequence: CastSequence, **more: Any) -> Told:
    """Add to it."""
    return tell(work.conn, sequence.unit.code, sequence.key, work.message.occurred.at_ms, **more)


def forget_old(work: Work, unit: Unit) -> None:
    """Drop what is older than a sequence can last, when a new sequence begins."""
    least = work.message.occurred.at_ms - KEPT_MS
    for key, told in all_told(work.conn, unit.code).items():
        when = told.get("opened_ms", told.get("when_ms"))
        if key.startswith((LADLE, SEQUENCE, EVENT)) and when is not None and when < least:
            forget(work.conn, unit.code, key)


def metres_um(fields: dict[str, Any], strands: int) -> list[int]:
    """Strand counters of a ladle telegram, by strand number from 1."""
    return [int(fields[f"strand{strand}_mm"]) * UM_PER_MM for strand in range(1, strands + 1)]


def check_strand(unit: Unit, strand: int) -> None:
    """BadMessage for a strand that the caster does not have."""
    if not 1 <= strand <= unit.whole("strands"):
        raise BadMessage(f"{unit.code} has no strand {strand}.", "strand")
