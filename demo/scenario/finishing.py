"""Coldharbour: pickling PL1, cold mill CM1, galvanising CG1 and slitter SL1, each with its own telegram link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from demo.scenario.chance import Chance
from demo.scenario.moments import SECOND, minutes
from demo.scenario.script import Line, Script, grams, piece_line, say, um
from demo.scenario.strip import COATED_MM, SLIT_MM, STRIP_MM, Coil, Pass

THROUGH = {"PL": 14, "CM": 12, "CG": 26, "SL": 20}
"""Minutes from entry to exit cut."""
ORIGIN = {"PL": "pickled", "CM": "cold_rolled", "CG": "galvanised", "SL": "slit"}
GOOD_SPOTS = (276, 296)


@dataclass
class LineState:
    """A line's running strip counters (m), and the coil before, for welds."""

    code: str
    entry_m: float = 40_000.0
    exit_m: float = 40_000.0
    before: str = ""
    planned: int = 0
    seen: set[str] = field(default_factory=set)

    @property
    def link(self) -> str:
        """Its telegram link."""
        return f"CLD-{self.code}"

    @property
    def unit(self) -> str:
        """Its unit in the plant model."""
        return f"{self.code}1"


def run(script: Script, line: LineState, out_ms: int, passes: Sequence[Pass]) -> None:
    """One coil through a line, exit cut at out_ms; several passes of the same coil are its slits."""
    parent = passes[0].parent
    _entry(script, line, out_ms - minutes(THROUGH[line.code]), parent)
    for i, made in enumerate(passes):
        _exit(script, line, out_ms + i * 5 * SECOND, made, i == 0, len(passes) > 1)
    for i, made in enumerate(passes):
        script.telegram(
            out_ms + minutes(4) + i * 30 * SECOND,
            "CLD",
            line.link,
            f"{line.code}1040",
            {"line": line.unit, "coil_out": made.made.number, "mass_kg": round(made.made.kg)},
            say("mass", made.made.piece, "CLD", basis="weighed", mass_g=grams(made.made.kg), scale=f"{line.unit}W"),
        )
    line.entry_m += parent.length_m
    line.exit_m += passes[0].made.length_m
    line.before = parent.number


def _entry(script: Script, line: LineState, when_ms: int, coil: Coil) -> None:
    script.telegram(
        when_ms,
        "CLD",
        line.link,
        f"{line.code}1010",
        {
            "line": line.unit,
            "coil_in": coil.number,
            "thickness_um": um(coil.thickness_mm),
            "width_um": um(coil.width_mm),
            "mass_kg": round(coil.kg),
            "entry_m": round(line.entry_m),
        },
        say("place", coil.piece, "CLD", place=line.unit),
    )
    if line.before and line.code in ("PL", "CG"):
        script.telegram(
            when_ms + 90 * SECOND,
            "CLD",
            line.link,
            f"{line.code}1020",
            {
                "line": line.unit,
                "coil_before": line.before,
                "coil_after": coil.number,
                "metre_in_mm": round(line.entry_m * 1000),
                "metre_out_mm": round(line.exit_m * 1000),
            },
        )


def _exit(script: Script, line: LineState, when_ms: int, made: Pass, first: bool, slits: bool) -> None:
    coil = made.made
    born = piece_line(
        coil.piece,
        "slit" if slits else "coil",
        "CLD",
        line.unit,
        grade=coil.grade,
        order=coil.order,
        origin=ORIGIN[line.code],
        true_g=grams(coil.kg),
        weighed_g=grams(coil.kg),
        thickness_um=um(coil.thickness_mm),
        width_um=um(coil.width_mm),
        length_um=um(coil.length_m * 1000),
        parents=[made.interval()],
    )
    lines = [say("consumed", made.parent.piece, "CLD"), born] if first else [born]
    script.telegram(
        when_ms,
        "CLD",
        line.link,
        f"{line.code}1030",
        {
            "line": line.unit,
            "coil_in": made.parent.number,
            "coil_out": coil.number,
            "slit": coil.number[-1] if slits else "",
            "metre_in_from_mm": round(made.from_m * 1000),
            "metre_in_to_mm": round(made.to_m * 1000),
            "metre_out_mm": round(coil.length_m * 1000),
            "thickness_um": um(coil.thickness_mm),
            "width_um": um(coil.width_mm),
        },
        *lines,
    )


def coating(script: Script, when_ms: int, coil: str, chance: Chance, bad: bool) -> None:
    """Three spots from the laboratory; the bad coil has one of 228 < 235 g/m2 though the triple is above 275."""
    spots = (301, 305, 228) if bad else tuple(chance.whole(*GOOD_SPOTS) for _ in range(3))
    lines: tuple[Line, ...] = (say("hold", coil, "CLD", rule="QR-CGL-01"),) if bad else ()
    script.telegram(
        when_ms,
        "CLD",
        "CLD-CG",
        "CG1070",
        {"line": "CG1", "coil": coil, "spot1": spots[0], "spot2": spots[1], "spot3": spots[2], "side": "T"},
        *lines,
    )


def finding(
    script: Script, when_ms: int, coil: str, code: str, from_m: float, to_m: float, left_mm: float, right_mm: float
) -> None:
    """The surface camera of CG1 saw something."""
    script.telegram(
        when_ms,
        "CLD",
        "CLD-CG",
        "CG1050",
        {
            "line": "CG1",
            "coil": coil,
            "code": code,
            "from_mm": round(from_m * 1000),
            "to_mm": round(to_m * 1000),
            "left_um": um(left_mm),
            "right_um": um(right_mm),
            "severity": 3,
        },
        say(
            "finding",
            coil,
            "CLD",
            code=code,
            from_um=um(from_m * 1000),
            to_um=um(to_m * 1000),
            left_um=um(left_mm),
            right_um=um(right_mm),
        ),
    )


def plan(script: Script, line: LineState, when_ms: int, rows: Sequence[tuple[Coil, str]]) -> None:
    """Schedule lines of a line: (coil, number of what it becomes); slits get their letters from the plan."""
    aims: dict[str, int | str] = {"width_um": um(STRIP_MM)}
    if line.code in ("CG", "SL"):
        aims |= {"thickness_um": um(COATED_MM)}
    if line.code == "CG":
        aims |= {"coating_gm2": 285}
    if line.code == "SL":
        aims |= {"slits": ",".join(f"{letter}:{SLIT_MM}" for letter in "ABCD")}
    if line.code == "CM":
        aims |= {"thickness_um": 760}
    lines = []
    for coil, number in rows:
        line.planned += 1
        more = {"thickness_um": um(coil.thickness_mm)} if line.code == "PL" else {}
        lines.append(
            {
                "position": line.planned,
                "piece": coil.number,
                "order_item": coil.order,
                "number": number,
                "aims": aims | more,
            }
        )
    script.post(when_ms, "CLD", "planner", "/api/v1/schedules", {"unit": line.unit, "lines": lines})


def state(script: Script, line: LineState, when_ms: int, name: str, reason: str = "") -> None:
    """The line runs, stands or waits."""
    script.telegram(when_ms, "CLD", line.link, f"{line.code}1060", {"line": line.unit, "state": name, "reason": reason})
