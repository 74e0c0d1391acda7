"""Base measures, states and stops of units. Production day and shift are said by the author (its calendar)."""

from __future__ import annotations

from shared.journal.fact import Payload, fact


@fact("UnitStateChanged")
class UnitStateChanged(Payload, frozen=True, kw_only=True):
    """A unit runs, stands, is set up, or gives no data."""

    unit: str
    state: str
    """run | stop | setup | planned | no_data"""
    reason: str
    production_day: str
    shift: str


@fact("StopRecorded")
class StopRecorded(Payload, frozen=True, kw_only=True):
    """A stop with its reason from the tree EL, ME, OP, EX, PL; a later one with the same stop_id corrects it."""

    stop_id: str
    unit: str
    from_ms: int
    to_ms: int
    reason: str
    note: str
    production_day: str
    shift: str


@fact("MeasureCounted")
class MeasureCounted(Payload, frozen=True, kw_only=True):
    """Additive base measures of one event, e.g. charged_g, good_g, scrap_g, tapped_g, to_tundish_g, apt_ms, pieces."""

    unit: str
    production_day: str
    shift: str
    measures: dict[str, int]
    collected: str = "automatic"
    """automatic | manual; weighed | theoretical is in the measure's name"""


@fact("HandoverNoted")
class HandoverNoted(Payload, frozen=True, kw_only=True):
    """A shift lead's note for the next shift."""

    production_day: str
    shift: str
    text: str
