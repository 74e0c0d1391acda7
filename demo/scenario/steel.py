"""Internal grades, their limits and the chemistry of heats. Values in mass-% as the laboratory reports them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from demo.scenario.chance import Chance

ELEMENTS = ("C", "Si", "Mn", "P", "S", "Al", "Cu", "Sn", "N", "Nb")
DIGITS = {"N": 4, "C": 3, "P": 3, "S": 3, "Al": 3, "Sn": 3, "Si": 3, "Mn": 2, "Cu": 2, "Nb": 3}


@dataclass(frozen=True)
class Grade:
    """Aim and (low, high) limits by element; a missing low limit is 0."""

    name: str
    aim: Mapping[str, float]
    limits: Mapping[str, tuple[float, float]]


def _grade(name: str, rows: str) -> Grade:
    aim: dict[str, float] = {}
    limits: dict[str, tuple[float, float]] = {}
    for row in rows.split():
        element, target, low, high = row.split(",")
        aim[element] = float(target)
        limits[element] = (float(low), float(high))
    return Grade(name, aim, limits)


# scenario section 3; Nb of L06 and M15 is a trace with an upper limit only
GRADES = {
    "L06": _grade(
        "L06",
        "C,.045,.030,.065 Si,.015,0,.030 Mn,.22,.15,.30 P,.012,0,.020 S,.006,0,.012 Al,.040,.025,.060 "
        "Cu,.15,0,.22 Sn,.012,0,.020 N,.0070,0,.0095 Nb,.001,0,.005",
    ),
    "M15": _grade(
        "M15",
        "C,.150,.135,.168 Si,.020,0,.030 Mn,.60,.50,.75 P,.014,0,.025 S,.008,0,.015 Al,.035,.020,.055 "
        "Cu,.18,0,.30 Sn,.013,0,.025 N,.0080,0,.0110 Nb,.001,0,.005",
    ),
    "H35": _grade(
        "H35",
        "C,.072,.055,.085 Si,.020,0,.030 Mn,.85,.75,.95 P,.013,0,.020 S,.005,0,.010 Al,.038,.020,.055 "
        "Cu,.15,0,.25 Sn,.012,0,.020 N,.0070,0,.0095 Nb,.024,.018,.032",
    ),
}
RESIDUAL_LIMIT = 0.38
"""Cu + 8 Sn of L06, house practice (QR-RES-01)."""

FIXED: Mapping[str, Mapping[str, float]] = {
    "261604": {"C": 0.044, "Mn": 0.21, "P": 0.011, "S": 0.006, "Al": 0.041, "Cu": 0.14, "Sn": 0.011, "N": 0.0068},
    "261838": {"C": 0.046, "Mn": 0.22, "P": 0.012, "S": 0.006, "Al": 0.039, "Cu": 0.15, "Sn": 0.012, "N": 0.0071},
    "161843": {"C": 0.043, "Mn": 0.23, "P": 0.013, "S": 0.007, "Al": 0.042, "Cu": 0.27, "Sn": 0.022, "N": 0.0076},
    "261839": {"C": 0.047, "Mn": 0.22, "P": 0.012, "S": 0.005, "Al": 0.040, "Cu": 0.16, "Sn": 0.012, "N": 0.0069},
}


def _inside(value: float, low: float, high: float, digits: int) -> float:
    return round(min(max(value, low), high), digits)


def _draw(grade: Grade, element: str, chance: Chance) -> float:
    low, high = grade.limits[element]
    aim = grade.aim[element]
    # one-sided limits have their window from the aim mirrored down, so that a draw does not pile up at zero
    window = high - low if low > 0 else 2 * (high - aim)
    return _inside(chance.normal(aim, window / 6), low, high, DIGITS[element])


def ladle_final(heat: str, grade_name: str, chance: Chance) -> dict[str, float]:
    """The LF final analysis of a heat: fixed where the scenario says so, else normal around the aim and inside the
    limits.

    L06 heats are drawn again while Cu + 8 Sn is over its limit: only the fixed heat fails, whatever the seed.
    """
    grade = GRADES[grade_name]
    while True:
        values = {element: _draw(grade, element, chance) for element in grade.aim}
        values.update(FIXED.get(heat, {}))
        if heat in FIXED or grade_name != "L06" or residual(values) <= RESIDUAL_LIMIT:
            return values


def residual(values: Mapping[str, float]) -> float:
    """Cu + 8 Sn in mass-%."""
    return values["Cu"] + 8 * values["Sn"]


def earlier(place: str, final: Mapping[str, float], chance: Chance) -> dict[str, float]:
    """An analysis on the way to the final one (EAF, LFA) or after it (TUN): nothing decides on it."""
    if place == "TUN":
        return {e: round(v * chance.between(0.99, 1.01), DIGITS[e]) for e, v in final.items()}
    share = (
        {"C": 0.7, "Si": 0.3, "Mn": 0.35, "Al": 0.05, "Nb": 0.1}
        if place == "EAF"
        else {"Mn": 0.7, "Al": 0.6, "Nb": 0.2}
    )
    out = {e: v * share.get(e, 1.0) * chance.between(0.97, 1.03) for e, v in final.items()}
    out["S"] = final["S"] * (4.0 if place == "EAF" else 2.5)
    return {e: round(v, DIGITS[e]) for e, v in out.items()}


def as_e6(values: Mapping[str, float]) -> dict[str, int]:
    """Mass-% as 1e-6 mass fraction: 0.045 % = 450."""
    return {element: round(value * 10_000) for element, value in values.items()}


def as_lab(values: Mapping[str, float]) -> list[dict[str, object]]:
    """Results as the laboratory's telegram carries them: five decimals of a percent as a whole number."""
    return [{"element": e, "op": "", "value_e5": round(v * 100_000)} for e, v in values.items()]
