"""The morning after a day: what was on the way arrives, and people end the three cases as scenario section 9 says
they find them."""

from __future__ import annotations

from demo.scenario.day import Scenario
from demo.scenario.moments import at, minutes
from demo.scenario.script import Event, Line, Script, grams
from demo.scenario.transfers import Item, Load, close, every, receive

CAME_OVER_TOLD = 1.002
"""A weighed slab over its theoretical mass, as on day D."""
FIRST_SLAB, FIRST_COIL = 9_231, 4_459
HOURS = {"rail": 9.0, "truck": 5.5}


def morning(evening: Scenario) -> list[Event]:
    """Events in the numbers and dates of the first day; the caller moves them to the day they belong to."""
    script = Script()
    here = {line["piece"] for line in _lines(evening, "received")}
    loads: dict[str, list[Line]] = {}
    for line in _lines(evening, "shipped"):
        if line["on_board"] and line["piece"] not in here:
            loads.setdefault(line["load"], []).append(line)
    for number, lines in loads.items():
        _arrive(script, number, lines)
    _resolve(script)
    return script.sorted_events()


def _lines(scenario: Scenario, what: str) -> list[Line]:
    return [line for event in scenario.events for line in event.ledger if line["what"] == what]


def _arrive(script: Script, number: str, lines: list[Line]) -> None:
    slabs = lines[0]["from"] == "ALD"
    mode, leaves = ("rail", at("03-11 21:45")) if slabs else ("truck", at("03-11 17:40"))
    items = tuple(_item(line, i, slabs) for i, line in enumerate(lines))
    load = Load(number, lines[0]["name"], lines[0]["from"], lines[0]["to"], mode, leaves, HOURS[mode], items)
    first = leaves + minutes(HOURS[mode] * 60)
    receive(script, load, every(first, 6, len(items)))
    close(script, load, first + minutes(6 * len(items) + 10))


def _item(line: Line, i: int, slabs: bool) -> Item:
    told = line["mass_g"] // 1000
    came = round(told * CAME_OVER_TOLD / 10) * 10 if slabs else told
    own = f"BS6-{FIRST_SLAB + i:05d}" if slabs else f"C6-{FIRST_COIL + i:05d}"
    return Item(line["piece"], line["piece"], f"W{i // 3 + 1}", told, came, own)


RESOLVED = (
    ("unannounced", "161739-1-3", "late_departure", "Aldermoor posted the late departure; the receipt stands"),
    ("short", "B6-10375", "did_not_occur", "never loaded: the crane tablet had lost its radio"),
    ("mass", "B6-10379", "reweighed", "read before the coil car was down; weighed again 20,170 kg"),
)


def _resolve(script: Script) -> None:
    """Both old values stay; each side says what it found, then logistics ends the case."""
    start, correction = at("03-12 08:00"), "/api/v1/corrections/departure"
    late: Line = {"shipment": "RT-260310-2", "piece": "161739-1-3", "kind": "late", "position": "W5"}
    never: Line = {"shipment": "RC-260310-4", "piece": "B6-10375", "kind": "did_not_occur"}
    script.post(start, "ALD", "gate", correction, {**late, "note": "top slab of the same pile"})
    script.post(start + minutes(5), "BRK", "gate", correction, {**never, "note": "still in CB3 row 2"})
    again = {"mass_g": grams(20_170), "scale": "CW2"}
    script.post(start + minutes(10), "CLD", "gate", "/api/v1/pieces/C6-04453/weigh", again)
    for i, (kind, piece, how, note) in enumerate(RESOLVED):
        fields = {"kind": kind, "piece": piece, "resolution": how, "note": note}
        script.act(start + minutes(20 + 5 * i), "HUB", "resolve", piece, fields)
