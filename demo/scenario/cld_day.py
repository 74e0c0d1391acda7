"""Coldharbour on day D: 16 coils pickled and cold rolled, 28 galvanised (one held for its coating), 14 slit; the
golden thread ends here."""

from __future__ import annotations

from demo.scenario.chance import Chance
from demo.scenario.finishing import LineState, coating, finding, plan, run, state
from demo.scenario.moments import MINUTE, at, minutes
from demo.scenario.prehistory import GOLDEN_GI, GOLDEN_SLAB
from demo.scenario.script import Script, um
from demo.scenario.strip import Coil, Pass, cold_roll, galvanise, pickle, slit
from demo.scenario.takeover import Stocks

FIRST_GI = 3127
GI_OUT, GI_STEP = at("03-11 07:46"), 24
GOLDEN_SLOT, BAD_SLOT, GOLDEN_SLIT_SLOT = 1, 13, 10
GOLDEN_SLITS = (5_024, 5_019, 5_023, 5_020)
SLIVER_M, SLIVER_MM = 1_352.0, 870.0


def play(
    script: Script, chance: Chance, small: bool, golden: Coil, stocks: Stocks, lines: dict[str, LineState]
) -> None:
    """The four lines; what is galvanised before it is slit."""
    for code, when in (("PL", "05:50"), ("CM", "06:30"), ("CG", "06:40"), ("SL", "09:30")):
        state(script, lines[code], at(f"03-11 {when}"), "RUN")
    _pickle_and_roll(script, 2 if small else 16, stocks, lines)
    made = _galvanise(script, chance, small, golden, stocks, lines["CG"])
    _slit(script, small, made, lines["SL"])
    _golden_position(script)


def _pickle_and_roll(script: Script, count: int, stocks: Stocks, lines: dict[str, LineState]) -> None:
    coils = stocks.hot[:count]
    plan(script, lines["PL"], at("03-11 05:10"), [(coil, f"{coil.number}-P") for coil in coils])
    pickled = []
    for i, coil in enumerate(coils):
        made = pickle(coil, f"{coil.number}-P")
        run(script, lines["PL"], at("03-11 06:15") + minutes(25 * i), [made])
        pickled.append(made.made)
    plan(script, lines["CM"], at("03-11 05:15"), [(coil, coil.number.replace("-P", "-R")) for coil in pickled])
    for i, coil in enumerate(pickled):
        run(
            script, lines["CM"], at("03-11 07:20") + minutes(25 * i), [cold_roll(coil, coil.number.replace("-P", "-R"))]
        )


def _galvanise(
    script: Script, chance: Chance, small: bool, golden: Coil, stocks: Stocks, line: LineState
) -> dict[int, Pass]:
    """By slot: the golden coil has the second, the bad coating the fourteenth."""
    used = [0, GOLDEN_SLOT, BAD_SLOT] if small else list(range(28))
    rest = iter(stocks.full_hard)
    coils = [(slot, golden if slot == GOLDEN_SLOT else next(rest)) for slot in used]
    numbers = {slot: f"G6-{FIRST_GI + slot:05d}" for slot in used}
    for start in range(0, len(coils), 7):
        lot = coils[start : start + 7]
        ahead = GI_OUT + minutes(GI_STEP * lot[0][0]) - minutes(70)
        plan(script, line, ahead, [(coil, numbers[slot]) for slot, coil in lot])
    made = {}
    mine = chance.purpose("coating")
    for slot, coil in coils:
        out = GI_OUT + minutes(GI_STEP * slot)
        made[slot] = galvanise(coil, numbers[slot], (20_429, 2_634.5) if slot == GOLDEN_SLOT else None)
        run(script, line, out, [made[slot]])
        coating(script, out + 22 * MINUTE, numbers[slot], mine, slot == BAD_SLOT)
    finding(
        script,
        GI_OUT + minutes(GI_STEP * GOLDEN_SLOT) + MINUTE,
        GOLDEN_GI,
        "SLIV",
        SLIVER_M - 0.1,
        SLIVER_M + 0.1,
        SLIVER_MM - 1,
        SLIVER_MM + 1,
    )
    return made


def _slit(script: Script, small: bool, made: dict[int, Pass], line: LineState) -> None:
    """Fourteen coils, one each half hour from 10:30; the golden one is the eleventh, at 15:30."""
    order = [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, GOLDEN_SLOT, 11, 12, 14]
    work = [(i, made[slot].made) for i, slot in enumerate(order) if slot in made]
    first = at("03-11 10:30")
    for start in range(0, len(work), 5):
        lot = work[start : start + 5]
        plan(script, line, first + minutes(30 * lot[0][0]) - minutes(26), [(coil, coil.number) for _, coil in lot])
    for i, coil in work:
        run(script, line, first + minutes(30 * i), slit(coil, GOLDEN_SLITS if coil.number == GOLDEN_GI else None))


def _golden_position(script: Script) -> None:
    """The sliver's place on slit C and on each ancestor back to the slab (scenario section 7)."""
    places = (
        (GOLDEN_GI, 1_352.0, 870.0),
        ("C6-04407-R", 2_631.5 - 1_352.0 / 1.008 - 4.0, 380.0),
        (GOLDEN_SLAB, 4.55, 393.0),
    )
    script.note(
        at("03-11 15:31"),
        "CLD",
        {
            "what": "position",
            "piece": f"{GOLDEN_GI}-C",
            "plant": "CLD",
            "at_um": um(1_279_500),
            "left_um": um(245),
            "maps": [{"piece": piece, "at_um": um(metre * 1000), "left_um": um(left)} for piece, metre, left in places],
        },
    )
