"""Brackwell on day D: train T1 unloaded, 96 slabs planned, one cobbled, coils away by rail and truck."""

from __future__ import annotations

from demo.scenario.chance import Chance
from demo.scenario.mill import cobble, day_stops, play_stops, roll_slab, slots
from demo.scenario.mill import plan as plan_mill
from demo.scenario.moments import at, minutes
from demo.scenario.orders import DUCTING
from demo.scenario.prehistory import History
from demo.scenario.rolling import Slab
from demo.scenario.script import Script, say
from demo.scenario.takeover import Stocks
from demo.scenario.transfers import Item, Load, close, depart, every, receive

FIRST_OUT, PACE = at("03-11 05:04"), minutes(4.365)
PLANNED, FROM_T1, COBBLE_SLOT_MS = 96, 11, at("03-11 08:12")
# truck: coil, leaves, received kg, receipt
TRUCKS = (
    ("K1", 10377, "04:30", 20_060),
    ("K2", 10378, "05:15", 20_120),
    ("K3", 10379, "06:05", 19_660),
    ("K4", 10380, "07:00", 20_220),
    ("K5", 10381, "08:30", 20_210),
    ("K6", 10382, "09:30", 20_220),
    ("K7", 10383, "10:30", 20_130),
    ("K8", 10384, "17:40", None),
)
R1_ROWS = (
    ("W1", 10371, 20_310),
    ("W1", 10372, 20_300),
    ("W1", 10373, 20_340),
    ("W2", 10374, 20_330),
    ("W2", 10375, None),
    ("W2", 10376, 20_170),
)
FIRST_COIL = 10_655


def play(script: Script, chance: Chance, small: bool, history: History, stocks: Stocks) -> None:
    """T1 in, the rolling programme, R1 and the trucks out."""
    _unload_t1(script, history.t1)
    _roll(script, chance.purpose("mill day"), small, history, stocks)
    _loads(script, history)


def _unload_t1(script: Script, t1: Load) -> None:
    """A slab each 7 minutes from 06:43; the one on no list is the top slab of wagon 5, at 07:25."""
    before = [i for i in t1.items if not i.piece.startswith("161739")][:6]
    first = Load(t1.number, t1.name, t1.sender, t1.receiver, t1.mode, t1.leaves_ms, t1.hours, tuple(before), t1.extra)
    rest = Load(t1.number, t1.name, t1.sender, t1.receiver, t1.mode, t1.leaves_ms, t1.hours, t1.items[len(before) :])
    receive(script, first, [*every(at("03-11 06:43"), 7, len(before)), at("03-11 07:25")])
    receive(script, rest, every(at("03-11 07:32"), 7, len(rest.items)))
    script.note(
        at("03-11 07:25"),
        "BRK",
        {"what": "case", "kind": "unannounced", "piece": t1.extra[0].piece, "load": t1.number, "plant": "BRK"},
    )
    close(script, t1, at("03-11 08:30"))


def _t1_slabs(t1: Load) -> list[Slab]:
    return [Slab(i.piece, i.own, i.came_kg or 0, i.sent_kg / 20_558 * 9.3, "L06", DUCTING) for i in t1.items]


def _roll(script: Script, chance: Chance, small: bool, history: History, stocks: Stocks) -> None:
    stops = day_stops()
    play_stops(script, stops)
    times = slots(FIRST_OUT, PLANNED, PACE, stops)
    lost = next(i for i, moment in enumerate(times) if moment >= COBBLE_SLOT_MS)
    times[lost] = COBBLE_SLOT_MS
    work = _programme(small, history, stocks, lost)
    plan_mill(script, [(times[i], slab, f"B6-{FIRST_COIL + i}") for i, slab in work])
    for i, slab in work:
        if i == lost:
            cobble(script, times[i], slab, i, chance)
        else:
            made = roll_slab(script, times[i], slab, f"B6-{FIRST_COIL + i}", i, chance)
            place = f"CB{i % 4 + 1}-1-{i // 4 % 14 + 1}"
            moved = {"piece": made.coil, "from": "CW1", "to": place}
            script.opc(times[i] + minutes(30), "BRK", "CR2.Moved", moved, say("place", made.coil, "BRK", place=place))


def _programme(small: bool, history: History, stocks: Stocks, lost: int) -> list[tuple[int, Slab]]:
    """Slot and slab: the rest of the golden heat, then the yard, T1 last; the cobble takes its slot whatever the
    size."""
    t1 = _t1_slabs(history.t1)
    if small:
        return [
            (0, history.rest_of_golden_heat[0]),
            (8, history.rest_of_golden_heat[1]),
            (lost, stocks.slabs[0]),
            (60, stocks.slabs[1]),
            (95, t1[0]),
        ]
    slabs = [
        *history.rest_of_golden_heat,
        *stocks.slabs[: PLANNED - FROM_T1 - len(history.rest_of_golden_heat)],
        *t1[:FROM_T1],
    ]
    return list(enumerate(slabs))


def _loads(script: Script, history: History) -> None:
    items = tuple(
        Item(
            f"B6-{n}", f"B6-{n}", wagon, history.coils[n].coil_kg, came, f"C6-{4441 + i:05d}", on_board=came is not None
        )
        for i, (wagon, n, came) in enumerate(R1_ROWS)
        if n in history.coils
    )
    r1 = Load("RC-260310-4", "R1", "BRK", "CLD", "rail", at("03-10 19:00"), 11, items)
    depart(script, r1)
    receive(script, r1, every(at("03-11 06:30"), 12, sum(i.came_kg is not None for i in items)))
    close(script, r1, at("03-11 07:42"))
    script.note(
        at("03-11 07:42"),
        "CLD",
        {"what": "case", "kind": "short", "piece": "B6-10375", "load": r1.number, "plant": "CLD"},
    )
    script.note(r1.leaves_ms + 1, "BRK", say("place", "B6-10375", "BRK", place="CB3"))
    for i, (name, n, leaves, came) in enumerate(TRUCKS):
        if n in history.coils:
            _truck(script, name, i, n, at(f"03-11 {leaves}"), history.coils[n].coil_kg, came)


def _truck(script: Script, name: str, i: int, n: int, leaves_ms: int, sent: int, came: int | None) -> None:
    load = Load(
        f"KT-260311-{i + 1}",
        name,
        "BRK",
        "CLD",
        "truck",
        leaves_ms,
        5.5,
        (Item(f"B6-{n}", f"B6-{n}", "1", sent, came, f"C6-{4451 + i:05d}"),),
    )
    depart(script, load)
    if came is None:
        return
    arrives = leaves_ms + minutes(330)
    receive(script, load, [arrives])
    close(script, load, arrives + minutes(10))
    if abs(came - sent) > max(40, 0.003 * sent):
        script.note(
            arrives, "CLD", {"what": "case", "kind": "mass", "piece": f"B6-{n}", "load": load.number, "plant": "CLD"}
        )
