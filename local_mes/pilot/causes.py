"""Where to look first when the two systems have a piece differently. A hint is a hint: people decide."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from local_mes.level2.spoken import Said, Spoken
from local_mes.pilot.domain import DIFFERS, MISSING_HERE, Difference, OurPiece
from shared.clock import to_datetime

WORDS = {
    "in_repair": "in repair",
    "dismissed": "dismissed in repair",
    "waiting": "waits for other messages",
    "not_weighed": "not weighed here",
    "interpreted": "heard and interpreted",
    "gap": "gap in the copy",
    "unnamed": "no message named it",
}


@dataclass(frozen=True)
class Cause:
    """The first thing to look at: its code, in words, and the repair or the spooled message where it is one."""

    code: str
    hint: str
    repair_id: str | None = None
    spool_id: int | None = None


def explain(spoken: Spoken, difference: Difference, ours: OurPiece | None, zone: ZoneInfo) -> Cause:
    """The first cause that fits, the surest first."""
    found = spoken.find(difference.number)
    for one in found:
        if one.spool_id in spoken.repairs:
            row = spoken.repairs[one.spool_id]
            code = "in_repair" if row.state == "open" else "dismissed"
            return Cause(code, f"{_words(one, zone)}: {row.reason}", row.repair_id, one.spool_id)
        if one.spool_id in spoken.waits:
            return Cause("waiting", f"{_words(one, zone)}: {spoken.waits[one.spool_id]}", None, one.spool_id)
    if difference.kind == DIFFERS and difference.field == "mass" and ours is not None and ours.mass_basis != "weighed":
        return Cause("not_weighed", f"The mass here is {ours.mass_basis or 'unknown'}: no weight was taken over.")
    if found:
        return Cause("interpreted", f"Last named by {_words(found[-1], zone)}.", None, found[-1].spool_id)
    if difference.kind == MISSING_HERE and spoken.gaps:
        gap, count = spoken.gaps[-1], len(spoken.gaps)
        times = "a gap" if count == 1 else f"{count} gaps"
        return Cause("gap", f"The links had {times} then, last {gap.link}, {_at(gap.at_ms, zone)}: {gap.why}")
    return Cause("unnamed", "No message of that day names it: is there a link for it, and is it mapped?")


def _words(one: Said, zone: ZoneInfo) -> str:
    return f"{one.message} of {one.link}, {_at(one.received_ms, zone)}"


def _at(at_ms: int, zone: ZoneInfo) -> str:
    return f"{to_datetime(at_ms).astimezone(zone):%d %b %H:%M:%S}"
