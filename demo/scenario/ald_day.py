"""Aldermoor on day D: two sequences, the yard, quality's decisions, trains T2 and T3, and the cut line to the group."""

from __future__ import annotations

from collections.abc import Sequence

from demo.scenario.caster import CastSequence, cast, plan_heats, sequence_of
from demo.scenario.castplan import TUNDISH_AT_CHANGE_T, Cut
from demo.scenario.chance import Chance, spread
from demo.scenario.meltshop import play_heat
from demo.scenario.moments import at, minutes
from demo.scenario.orders import DD11, DUCTING, RACKING, S235, TRAILER
from demo.scenario.script import Script, say
from demo.scenario.transfers import Item, Load, close, depart, every, receive

HEATS_4417 = ("161842", "261838", "161843", "261839", "161844", "261840")
HEATS_4418 = (
    ("161845", "M15", S235),
    ("261841", "M15", S235),
    ("161846", "M15", S235),
    ("261842", "M15", S235),
    ("161847", "H35", RACKING),
    ("261843", "H35", TRAILER),
)
CLEARED = ("261838-1-3", "261838-2-3", "261839-1-1", "261839-2-1")
REAPPLIED = ("161843-1-1", "161843-2-1", "161843-1-3", "161843-2-3")
T2_SUM, T2_CAME, T3_SUM = 308_480, 309_330, 308_458
SMALL_T2_SUM, SMALL_T2_CAME, SMALL_T3_SUM = 61_696, 61_870, 41_127
CUT_AT, BACK_AT = at("03-11 08:50"), at("03-11 19:10")


def sequences(small: bool, summary: bool) -> list[CastSequence]:
    """4417 and 4418 (small: the first four heats of 4417)."""
    heats = [(heat, "L06", DUCTING) for heat in HEATS_4417[: 4 if small else 6]]
    out = [sequence_of("4417", at("03-11 05:20"), heats, summary=summary)]
    if not small:
        out.append(sequence_of("4418", at("03-11 08:45"), HEATS_4418, TUNDISH_AT_CHANGE_T, summary=summary))
    return out


def play(script: Script, chance: Chance, small: bool, summary: bool) -> None:
    """Casting, yard, quality and the line to the hub; the trains are played by `trains`."""
    for sequence in sequences(small, summary):
        plan_heats(script, sequence)
        for ladle in sequence.ladles:
            play_heat(script, ladle, int(ladle.heat[2:]) % 18 + 1, sequence.orders[ladle.heat], chance)
        _yard(script, cast(script, sequence, chance), summary)
    _stops(script, small)
    _quality(script)
    script.act(CUT_AT - 1, "HUB", "settle", "settle", {"plants": ["ALD", "BRK", "CLD"]})
    script.act(CUT_AT, "ALD", "wan", "cut", {}, {"what": "wan", "plant": "ALD", "state": "cut"})
    script.act(BACK_AT, "ALD", "wan", "back", {}, {"what": "wan", "plant": "ALD", "state": "back"})
    script.act(BACK_AT + minutes(2), "HUB", "settle", "settle", {"plants": ["ALD", "BRK", "CLD"]})


def _yard(script: Script, cuts: Sequence[Cut], summary: bool) -> None:
    """The crane lays each slab among the hot ones, held ones into row 6 as far as the crane driver knows."""
    for i, cut in enumerate(cuts):
        row = 6 if cut.number in CLEARED or cut.number.startswith("161843") else i % 2 + 4
        place = f"YA-{row}-{i // 2 % 12 + 1}"
        when = cut.at_ms + minutes(75 if summary else 15)
        told = say("place", cut.number, "ALD", place=place)
        script.opc(when, "ALD", "CR1.Moved", {"piece": cut.number, "from": "CC1", "to": place}, told)


def _stops(script: Script, small: bool) -> None:
    stops = [("EAF2", "03-11 07:05", "03-11 07:21", "DOWN", "EL-ELD", 16)]
    if not small:
        stops.append(("CC1", "03-11 11:39", "03-11 19:00", "IDLE", "PL-SEG", 441))
    for unit, begins, ends, state, reason, length in stops:
        script.opc(
            at(begins),
            "ALD",
            f"{unit}.State",
            {"state": state, "reason": reason},
            {"what": "stop", "plant": "ALD", "unit": unit, "reason": reason, "minutes": length},
        )
        script.opc(at(ends), "ALD", f"{unit}.State", {"state": "RUN", "reason": ""})


def _quality(script: Script) -> None:
    """08:20 four are cleared on the mixed analysis; 12:40 four are freed for DD11 only; two stay held."""
    for i, slab in enumerate(CLEARED):
        script.act(
            at("03-11 08:20") + i * 10_000,
            "ALD",
            "release",
            slab,
            {"piece": slab, "disposition": "prime", "order_item": "", "note": "mixed analysis Cu + 8 Sn within 0.38"},
            say("released", slab, "ALD", disposition="prime", order=DUCTING),
        )
    for i, slab in enumerate(REAPPLIED):
        script.act(
            at("03-11 12:40") + i * 10_000,
            "ALD",
            "release",
            slab,
            {
                "piece": slab,
                "disposition": "reapply",
                "order_item": DD11,
                "only_for": "DD11",
                "note": "residuals allow DD11 only",
            },
            say("released", slab, "ALD", disposition="reapply", order=DD11),
        )


def trains(script: Script, chance: Chance, small: bool, yard: Sequence[tuple[str, int]]) -> None:
    """T2 leaves and arrives while Aldermoor is cut off; T3 is on the way at the end."""
    mine = chance.purpose("T2")
    n2, n3 = (3, 2) if small else (15, 15)
    guess = [round(kg * 1.002 / 10) * 10 for _, kg in yard[:n2]]
    came = spread(SMALL_T2_CAME if small else T2_CAME, guess, 10, mine, -9, 9)
    t2 = Load(
        "RT-260311-1",
        "T2",
        "ALD",
        "BRK",
        "rail",
        at("03-11 09:40"),
        9,
        tuple(
            Item(slab, slab, f"W{i // 3 + 1}", kg, mass, f"BS6-{9216 + i:05d}")
            for i, ((slab, kg), mass) in enumerate(zip(yard, came, strict=False))
        ),
    )
    t3 = Load(
        "RT-260311-2",
        "T3",
        "ALD",
        "BRK",
        "rail",
        at("03-11 21:45"),
        9,
        tuple(Item(slab, slab, f"W{i // 3 + 1}", kg, None, "") for i, (slab, kg) in enumerate(yard[n2 : n2 + n3])),
    )
    depart(script, t2)
    receive(script, t2, every(at("03-11 18:22"), 3, n2), announced=False)
    script.note(
        at("03-11 18:22"), "BRK", {"what": "awaiting", "load": t2.number, "plant": "BRK", "of": "ALD", "lines": n2}
    )
    script.act(BACK_AT - minutes(1), "HUB", "wait_episode", t2.number, {"number": t2.number, "lines": n2})
    script.act(at("03-11 19:49"), "BRK", "wait_shipment", t2.number, {"number": t2.number})
    close(script, t2, at("03-11 19:50"))
    script.note(at("03-11 19:50"), "BRK", {"what": "awaiting_over", "load": t2.number, "plant": "BRK"})
    depart(script, t3)
