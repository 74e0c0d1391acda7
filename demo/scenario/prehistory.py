"""The thin pre-history: seven heats of D-9 to D-4, their slabs to the mill, their coils, and the golden thread up to
the morning of D.

Each heat is a slice of a longer sequence whose other heats are left out, so none of these sequences ends with CC1080.
"""

from __future__ import annotations

from dataclasses import dataclass

from demo.scenario.caster import CastSequence, cast, plan_heats, sequence_of
from demo.scenario.chance import Chance
from demo.scenario.finishing import LineState, plan, run
from demo.scenario.meltshop import play_heat
from demo.scenario.mill import plan as plan_mill
from demo.scenario.mill import roll_slab
from demo.scenario.moments import at, minutes
from demo.scenario.orders import DUCTING, PROFILES
from demo.scenario.rolling import Rolled, Slab, slab_kg_for, slab_length_m
from demo.scenario.script import Script, say, um
from demo.scenario.strip import Coil, Pass, cold_roll, pickle
from demo.scenario.transfers import Item, Load, close, depart, every, receive

GOLDEN_SLAB, GOLDEN_COIL, GOLDEN_CLD, GOLDEN_GI = "261604-2-3", "B6-09962", "C6-04407", "G6-03128"
GOLDEN_MARK_M = (4.10, 4.60)
COILS = {
    10367: 20_240,
    10368: 20_260,
    10369: 20_280,
    10370: 20_300,
    10371: 20_320,
    10372: 20_290,
    10373: 20_350,
    10374: 20_320,
    10375: 20_180,
    10376: 20_180,
    10377: 20_090,
    10378: 20_130,
    10379: 20_180,
    10380: 20_200,
    10381: 20_230,
    10382: 20_220,
    10383: 20_150,
    10384: 20_350,
}
"""Named coils of 03-07/08 and their weighed mass (kg)."""
SMALL_COILS = (10374, 10375, 10376, 10377, 10379, 10384)

# wagon: slab, theoretical kg, weighed kg (scenario section 9)
T1_ROWS = """
W1 161738-1-1 20558 20670
W1 161738-1-2 20569 20650
W1 161738-1-3 20536 20640
W2 161738-2-1 20536 20580
W2 161738-2-2 20536 20650
W2 161738-2-3 20547 20550
W5 161739-1-1 20580 20650
W5 161739-1-2 20536 20660
W3 261734-1-1 20569 20620
W3 261734-1-2 20547 20560
W3 261734-1-3 20569 20580
W4 261734-2-1 20580 20600
W4 261734-2-2 20547 20620
W4 261734-2-3 20580 20700
"""
UNANNOUNCED = ("161739-1-3", 20_536, 20_600)


@dataclass(frozen=True)
class History:
    """What the day begins with: T1 on its way, slabs of 261604 in the mill's yard, coils by number, the golden
    strip."""

    t1: Load
    rest_of_golden_heat: list[Slab]
    coils: dict[int, Rolled]
    golden: Coil


def t1_items(small: bool) -> tuple[Item, ...]:
    """The 14 listed slabs of T1 in the order of unloading (small: those of 161739 only)."""
    rows = [row.split() for row in T1_ROWS.split("\n") if row]
    rows = [row for row in rows if not small or row[1].startswith("161739")]
    return tuple(
        Item(slab, slab, wagon, int(sent), int(came), f"BS6-{9201 + i:05d}")
        for i, (wagon, slab, sent, came) in enumerate(rows)
    )


def sequences(small: bool, summary: bool) -> list[CastSequence]:
    """The three slices of the pre-history."""
    lengths = {item.piece: slab_length_m(item.sent_kg) for item in t1_items(False)} | {
        UNANNOUNCED[0]: slab_length_m(UNANNOUNCED[1])
    }
    middle = ["261653", "161658"] if small else ["161657", "261653", "161658"]
    last = ["161739"] if small else ["161738", "261734", "161739"]
    return [
        sequence_of(
            "4369",
            at("03-02 08:22:40"),
            [("261604", "L06", PROFILES)],
            lengths={GOLDEN_SLAB: 9.31},
            whole=False,
            summary=summary,
        ),
        sequence_of(
            "4380", at("03-04 09:00"), [(heat, "L06", PROFILES) for heat in middle], whole=False, summary=summary
        ),
        sequence_of(
            "4396",
            at("03-07 10:00"),
            [(heat, "L06", DUCTING) for heat in last],
            lengths=lengths,
            whole=False,
            summary=summary,
        ),
    ]


def play(script: Script, chance: Chance, small: bool, summary: bool, lines: dict[str, LineState]) -> History:
    """Play it all; gives what the day begins with."""
    for sequence in sequences(small, summary):
        plan_heats(script, sequence)
        for ladle in sequence.ladles:
            play_heat(script, ladle, int(ladle.heat[2:]) % 18 + 1, sequence.orders[ladle.heat], chance)
        cast(script, sequence, chance)
    _golden_mark(script)
    golden_slabs = _golden_train(script, chance)
    golden = _golden_coil(script, chance, golden_slabs, lines)
    coils = _coils(script, chance, small)
    t1 = Load(
        "RT-260310-2",
        "T1",
        "ALD",
        "BRK",
        "rail",
        at("03-10 21:30"),
        9,
        t1_items(small),
        (Item(UNANNOUNCED[0], UNANNOUNCED[0], "W5", UNANNOUNCED[1], UNANNOUNCED[2], "BS6-09215"),),
    )
    depart(script, t1)
    script.note(t1.leaves_ms, "ALD", say("place", UNANNOUNCED[0], "ALD", place="on the way") | {"plant": None})
    return History(t1, golden_slabs[:-1], coils, golden)


def _golden_mark(script: Script) -> None:
    """Mould level +14 mm while metres 4.10 to 4.60 of the golden slab were in the mould of strand 2."""
    head = 0.6 + 2 * 9.308
    low, high = (round((head + metre) * 1000) for metre in GOLDEN_MARK_M)
    script.telegram(
        at("03-02 08:44:30"),
        "ALD",
        "ALD-CC1",
        "CC1050",
        {"strand": 2, "code": "ML", "from_mm": low, "to_mm": high, "value": 14},
    )
    script.note(
        at("03-02 09:15"),
        "ALD",
        say(
            "mark",
            GOLDEN_SLAB,
            "ALD",
            code="ML",
            from_um=um(GOLDEN_MARK_M[0] * 1000),
            to_um=um(GOLDEN_MARK_M[1] * 1000),
        ),
    )


def _golden_train(script: Script, chance: Chance) -> list[Slab]:
    """The six slabs of 261604 to the mill; the golden one is the last of the list."""
    mine = chance.purpose("golden train")
    items = []
    for i, name in enumerate([f"261604-{s}-{c}" for s in (1, 2) for c in (1, 2, 3)]):
        golden = name == GOLDEN_SLAB
        items.append(
            Item(
                name,
                name,
                f"W{i // 3 + 1}",
                20_580 if golden else 20_558,
                20_640 if golden else mine.whole(2056, 2068) * 10,
                f"BS6-{8812 + i:05d}",
            )
        )
    load = Load("RT-260303-1", "golden train", "ALD", "BRK", "rail", at("03-03 23:05"), 9, tuple(reversed(items)))
    depart(script, load)
    receive(script, load, every(at("03-04 08:05"), 6, 6))
    close(script, load, at("03-04 08:45"))
    return [
        Slab(item.piece, item.own, item.came_kg or 0, 9.31 if item.piece == GOLDEN_SLAB else 9.3, "L06", PROFILES)
        for item in items
    ]


def _golden_coil(script: Script, chance: Chance, slabs: list[Slab], lines: dict[str, LineState]) -> Coil:
    mine, slab = chance.purpose("golden coil"), slabs[-1]
    out = at("03-05 13:38:18")  # 0.7 min before the coil is done at 13:39, on the scale at 13:41
    plan_mill(script, [(out, slab, GOLDEN_COIL)])
    roll_slab(script, out, slab, GOLDEN_COIL, 0, mine, {"kg": 20_300, "length_m": 814.5})
    load = Load(
        "RC-260308-1",
        "golden coil",
        "BRK",
        "CLD",
        "rail",
        at("03-08 19:40"),
        11,
        (Item(GOLDEN_COIL, GOLDEN_COIL, "W1", 20_300, 20_290, GOLDEN_CLD),),
    )
    depart(script, load)
    receive(script, load, [at("03-09 06:40")])
    close(script, load, at("03-09 06:50"))
    coil = Coil(GOLDEN_COIL, GOLDEN_CLD, 20_290, 814.5, 2.50, 1270, "L06", PROFILES)
    pickled, rolled = golden_passes(coil)
    plan(script, lines["PL"], at("03-09 22:00"), [(coil, pickled.made.number)])
    run(script, lines["PL"], at("03-10 02:10"), [pickled])
    plan(script, lines["CM"], at("03-10 04:30"), [(pickled.made, rolled.made.number)])
    run(script, lines["CM"], at("03-10 05:25"), [rolled])
    return rolled.made


def golden_passes(coil: Coil) -> tuple[Pass, Pass]:
    """Pickled to 19,744 kg and 808.5 m; rolled to 19,625 kg and 2,631.5 m."""
    pickled = pickle(coil, f"{GOLDEN_CLD}-P", 19_744)
    return pickled, cold_roll(pickled.made, f"{GOLDEN_CLD}-R", (19_625, 2_631.5))


def _coils(script: Script, chance: Chance, small: bool) -> dict[int, Rolled]:
    """The 18 slabs of 03-04 by train to the mill and rolled to B6-10367 to -10384 in the night of 03-07."""
    mine = chance.purpose("coils of 03-07")
    names = [f"{heat}-{s}-{c}" for heat in ("161657", "261653", "161658") for s in (1, 2) for c in (1, 2, 3)]
    numbers = [n for n in COILS if not small or n in SMALL_COILS]
    items = tuple(
        Item(
            names[n - 10367],
            names[n - 10367],
            f"W{i // 3 + 1}",
            20_558,
            slab_kg_for(COILS[n]),
            f"BS6-{8901 + n - 10367:05d}",
        )
        for i, n in enumerate(numbers)
    )
    load = Load("RT-260305-1", "slabs of 03-04", "ALD", "BRK", "rail", at("03-05 20:00"), 9, items)
    depart(script, load)
    receive(script, load, every(at("03-06 05:10"), 6, len(items)))
    close(script, load, at("03-06 07:30"))
    slabs = [Slab(item.piece, item.own, item.came_kg or 0, 9.3, "L06", PROFILES) for item in items]
    work = [
        (at("03-07 14:00") + minutes(57 * i), slab, f"B6-{n}")
        for i, (n, slab) in enumerate(zip(numbers, slabs, strict=True))
    ]
    plan_mill(script, work)
    out = {}
    for i, (n, (when, slab, coil)) in enumerate(zip(numbers, work, strict=True)):
        fixed = {"kg": COILS[n]} | ({"length_m": 808.9} if n == 10379 else {})
        out[n] = roll_slab(script, when, slab, coil, i, mine, fixed)
    return out
