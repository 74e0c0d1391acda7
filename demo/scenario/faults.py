"""What goes wrong on the wires (scenario section 10), the same for a seed: repeats, disorder, a silence, an
impossible width, a
weight that comes before its cut. The clock of Coldharbour's lines, 95 s behind, belongs to the wire itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from demo.scenario.chance import Chance
from demo.scenario.moments import MINUTE, SECOND, at
from demo.scenario.script import Event

REPEATED, DISORDERED = 0.01, 0.002
SILENCE = 40 * SECOND
SILENT_FROM = at("03-11 06:27:30")
"""Covers the fifth cut of both strands of sequence 4417."""
WIDE_SLAB, WIDE_MM = ("261838", 2, 1), 12_800
MENDED_AFTER = 4 * MINUTE
SWAPPABLE = {"CC1040", "CC1060", "CC1070"}
NEAR = 3 * MINUTE
"""A telegram changes places only with one that comes soon after, well inside the reorder window of its link."""


def sprinkle(events: Sequence[Event], chance: Chance) -> list[Event]:
    """The same events with faults put in, in time order again."""
    mine = chance.purpose("faults")
    out = [_repeat(event, mine) for event in events]
    out = _silence(out)
    out = _wide(out)
    out = _early_weight(out)
    out = _disorder(out, mine)
    return sorted(out, key=lambda e: (e.at_ms, e.rank))


def _repeat(event: Event, chance: Chance) -> Event:
    if event.via == "telegram" and chance.happens(REPEATED):
        return replace(event, fault="repeat")
    return event


def _silence(events: list[Event]) -> list[Event]:
    """CC1 says nothing for 40 s and then all at once."""
    end = SILENT_FROM + SILENCE
    return [
        replace(e, at_ms=end, claimed_ms=e.at_ms) if e.link == "ALD-CC1" and SILENT_FROM <= e.at_ms < end else e
        for e in events
    ]


def _wide(events: list[Event]) -> list[Event]:
    """One cut with a width of 12,800 mm; four minutes later the engineer mends it."""
    out = []
    for event in events:
        key = (event.fields.get("heat"), event.fields.get("strand"), event.fields.get("cut"))
        if event.name == "CC1060" and key == WIDE_SLAB:
            # five digits on the wire carry it; the layout's limits do not
            broken = dict(event.fields) | {"width_head_mm": WIDE_MM}
            out.append(replace(event, fields=broken, fault="wide"))
            out.append(
                Event(
                    event.at_ms + MENDED_AFTER,
                    event.rank,
                    "ALD",
                    "mend",
                    "CC1060",
                    {"link": event.link, "message": event.name, "fields": dict(event.fields)},
                    who="engineer",
                )
            )
        elif event.name == "CC1070" and event.fields.get("slab") == "{}-{}-{}".format(*WIDE_SLAB):
            out.append(replace(event, at_ms=event.at_ms + MENDED_AFTER))
        else:
            out.append(event)
    return out


def _early_weight(events: list[Event]) -> list[Event]:
    """The first weight of PL1 on day D is told 20 s before the exit cut that it belongs to."""
    weight = next((e for e in events if e.name == "PL1040" and e.at_ms >= at("03-11 00:00")), None)
    if weight is None:
        return events
    cut = next(e for e in events if e.name == "PL1030" and e.fields["coil_out"] == weight.fields["coil_out"])
    early = replace(weight, at_ms=cut.at_ms - 20 * SECOND, ledger=(), fault="early")
    told = Event(weight.at_ms, weight.rank, weight.plant, "note", "note", {}, weight.ledger)
    return [early if e is weight else e for e in events] + [told]


def _disorder(events: list[Event], chance: Chance) -> list[Event]:
    """0.2 % of telegrams come just after the next one of their link."""
    ordered = sorted(events, key=lambda e: (e.at_ms, e.rank))
    out = list(ordered)
    for i, event in enumerate(ordered):
        if event.name not in SWAPPABLE or event.fault or not chance.happens(DISORDERED):
            continue
        later = next((e for e in ordered[i + 1 :] if e.link == event.link), None)
        if later is not None and later.at_ms - event.at_ms <= NEAR:
            out[i] = replace(event, at_ms=later.at_ms + 1, claimed_ms=event.at_ms, fault="late")
    return out
