"""Plays a casting sequence of Aldermoor as its Level 2 tells it: furnace, ladle furnace, laboratory, caster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from production_bench import Bench

MINUTE = 60_000
START_MS = 1_773_206_400_000
"""2026-03-11T05:20Z, the first ladle of 4417."""
KG_PER_MM = 2 * 220 * 1280 * 7850 / 1e9
SPEED_MM_MIN, TORCH_MM, SLAB_MM, HEAD_MM, TAIL_MM, KERF_MM = 1140, 30_000, 9_300, 600, 1_200, 8
HEATS_4417 = ("161842", "261838", "161843", "261839", "161844", "261840")
L06 = {"C": 0.045, "Si": 0.015, "Mn": 0.22, "P": 0.012, "S": 0.006, "Al": 0.040, "Cu": 0.15, "Sn": 0.012, "N": 0.0070}
FINALS = {
    "261838": {"C": 0.046, "Al": 0.039, "N": 0.0071},
    "161843": {"C": 0.043, "Mn": 0.23, "P": 0.013, "S": 0.007, "Al": 0.042, "Cu": 0.27, "Sn": 0.022, "N": 0.0076},
    "261839": {"C": 0.047, "S": 0.005, "Cu": 0.16, "N": 0.0069},
}

Event = tuple[int, str, str, dict[str, Any]]


@dataclass(frozen=True)
class Sequence:
    """A sequence: heats in order, their grades, order items; tundish mass (kg) where the grade changes."""

    number: str
    heats: tuple[str, ...]
    grades: tuple[str, ...] = ()
    start_ms: int = START_MS
    change_kg: int = 12_000
    order: str = "710047/10"
    finals: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: FINALS)

    def grade(self, i: int) -> str:
        return self.grades[i] if self.grades else "L06"

    def opens(self, i: int) -> int:
        return self.start_ms + i * 25 * MINUTE

    def tundish_kg(self, i: int) -> int:
        if i == 0:
            return 0
        return self.change_kg if self.grade(i) != self.grade(i - 1) else 28_000

    def mark_mm(self, i: int) -> int:
        return 0 if i == 0 else round((126_000 * i - self.tundish_kg(i)) / KG_PER_MM)


def laboratory(values: Mapping[str, float]) -> list[dict[str, Any]]:
    return [{"element": e, "op": "", "value_e5": round(v * 100_000)} for e, v in values.items()]


def heat_events(s: Sequence, i: int) -> Iterator[Event]:
    """Furnace to ladle, with its final sample."""
    heat, opens = s.heats[i], s.opens(i)
    tap, eaf, lf = opens - 70 * MINUTE, f"EAF{heat[0]}", f"LF{heat[0]}"
    yield tap - 48 * MINUTE, "ALD-MELT", f"{eaf}.HeatStart", {"heat": heat, "grade": s.grade(i), "ladle": 7}
    for minutes, kg in ((47, 82_000), (30, 61_000)):
        basket = [{"type": "E3", "kg": kg - 30_000}, {"type": "E8", "kg": 30_000}]
        yield tap - minutes * MINUTE, "ALD-MELT", f"{eaf}.Charge", {"heat": heat, "basket": basket}
    yield tap - 45 * MINUTE, "ALD-MELT", f"{eaf}.PowerOn", {"heat": heat}
    yield tap - 6 * MINUTE, "ALD-MELT", f"{eaf}.PowerOff", {"heat": heat, "kwh": 49_000}
    yield tap - 5 * MINUTE, "ALD-MELT", f"{eaf}.Temp", {"heat": heat, "temp_c": 1640, "o2_ppm": 500}
    yield tap, "ALD-MELT", f"{eaf}.Tap", {"heat": heat, "tap_kg": 127_500, "temp_c": 1625}
    yield opens - 58 * MINUTE, "ALD-MELT", f"{lf}.Arrive", {"heat": heat, "ladle": 7}
    yield opens - 50 * MINUTE, "ALD-MELT", f"{lf}.Addition", {"heat": heat, "material": "FeMn", "kg": 300}
    yield opens - 28 * MINUTE, "ALD-MELT", f"{lf}.Temp", {"heat": heat, "temp_c": 1585, "o2_ppm": 4}
    yield opens - 20 * MINUTE, "ALD-MELT", f"{lf}.Sample", {"heat": heat, "sample": f"{heat}LFF1", "place": "LFF"}
    yield opens - 18 * MINUTE, "ALD-MELT", f"{lf}.Depart", {"heat": heat, "kg": 127_500, "temp_c": 1580}
    results = laboratory(L06 | dict(s.finals.get(heat, {})))
    yield (
        opens - 14 * MINUTE,
        "ALD-LAB",
        "LB1010",
        {"sample": f"{heat}LFF1", "heat": heat, "place": "LFF", "count": len(results), "results": results},
    )


def ladle_events(s: Sequence, i: int) -> Iterator[Event]:
    """On the turret, open, closed, tundish temperatures."""
    base = {"heat": s.heats[i], "ladle": 7, "sequence": s.number, "position": i + 1, "tundish": 7}

    def at(mm: int, tundish_kg: int, cast_kg: int) -> dict[str, Any]:
        return base | {"strand1_mm": mm, "strand2_mm": mm, "tundish_kg": tundish_kg, "cast_kg": cast_kg}

    closes = round((126_000 * (i + 1) - 28_000) / KG_PER_MM)
    yield s.opens(i) - 8 * MINUTE, "ALD-CC1", "CC1010", at(max(0, s.mark_mm(i) - 9_000), 0, 0)
    yield s.opens(i), "ALD-CC1", "CC1020", at(s.mark_mm(i), s.tundish_kg(i), 0)
    for minutes, superheat in ((4, 30), (12, 26), (20, 22)):
        yield (
            s.opens(i) + minutes * MINUTE,
            "ALD-CC1",
            "CC1040",
            {"heat": s.heats[i], "temperature_c": 1527.0 + superheat, "superheat_c": superheat},
        )
    yield s.opens(i) + 25 * MINUTE - 1000, "ALD-CC1", "CC1030", at(closes, 28_000, 126_000)


def cut_fields(
    s: Sequence, heat: str, strand: int, cut: int, head: int, length: int, kind: str = "N"
) -> dict[str, Any]:
    return {
        "heat": heat,
        "strand": strand,
        "cut": cut,
        "head_mm": head,
        "tail_mm": head + length,
        "hot_length_mm": round(length * 1.013),
        "thickness_mm": 223,
        "width_head_mm": 1297,
        "width_tail_mm": 1297,
        "kerf_mm": KERF_MM,
        "kind": kind,
        "order": s.order if kind == "N" else "",
    }


def torch(s: Sequence, metre_mm: int) -> int:
    return s.start_ms + round((TORCH_MM + metre_mm) / SPEED_MM_MIN * MINUTE)


def cut_events(s: Sequence) -> Iterator[Event]:
    """Head crop, three slabs a heat and strand, tail crop."""
    for strand in (1, 2):
        yield torch(s, HEAD_MM), "ALD-CC1", "CC1060", cut_fields(s, s.heats[0], strand, 0, 0, HEAD_MM, "C")
        head = HEAD_MM
        for k in range(3 * len(s.heats)):
            when = torch(s, head + SLAB_MM + KERF_MM) + strand  # strand 2 a moment later
            yield when, "ALD-CC1", "CC1060", cut_fields(s, s.heats[k // 3], strand, k % 3 + 1, head, SLAB_MM)
            head += SLAB_MM + KERF_MM
        yield torch(s, head + TAIL_MM), "ALD-CC1", "CC1060", cut_fields(s, s.heats[-1], strand, 0, head, TAIL_MM, "C")


def end_event(s: Sequence) -> Event:
    last = HEAD_MM + 3 * len(s.heats) * (SLAB_MM + KERF_MM) + TAIL_MM
    return (
        torch(s, last) + 2 * MINUTE,
        "ALD-CC1",
        "CC1080",
        {"sequence": s.number, "crops_kg": round(2 * (HEAD_MM + TAIL_MM) * KG_PER_MM / 2), "tundish_rest_kg": 7_000},
    )


def summary_events(s: Sequence) -> Iterator[Event]:
    """Instead of cuts: a heat at a time, 40 min after its ladle closed."""
    for i, heat in enumerate(s.heats):
        rows = [
            {"strand": x, "cut": c, "cold_length_mm": SLAB_MM, "width_mm": 1280, "mass_kg": 20_558}
            for c in (1, 2, 3)
            for x in (1, 2)
        ]
        yield s.opens(i) + 65 * MINUTE, "ALD-CC1", "CC1110", {"heat": heat, "count": len(rows), "slabs": rows}


def sequence_events(s: Sequence, summary: bool = False) -> list[Event]:
    """Everything of a sequence, in time order."""
    events: list[Event] = []
    for i in range(len(s.heats)):
        events += [*heat_events(s, i), *ladle_events(s, i)]
    events += summary_events(s) if summary else cut_events(s)
    return sorted([*events, end_event(s)], key=lambda e: e[0])


def play(bench: Bench, events: list[Event]) -> None:
    """Tell the plant, each message at its time."""
    for at_ms, link, message, fields in events:
        bench.clock.set(at_ms)
        bench.tell(link, message, 0, **fields)
