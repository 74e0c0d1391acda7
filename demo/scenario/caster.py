"""Aldermoor, caster CC1: what its process computer tells of a sequence, by cut or by heat summary, and the slabs that
are born."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from demo.scenario.castplan import (
    CUTS_A_HEAT,
    HEAD_CROP_M,
    HEAT_T,
    HOT_OVER_COLD,
    STRANDS,
    T_PER_M,
    TAIL_CROP_M,
    THICKNESS_MM,
    TUNDISH_T,
    WIDTH_MM,
    Cut,
    Ladle,
    as_ppm,
    cuts_of,
    foreign_metres,
    shares,
)
from demo.scenario.chance import Chance
from demo.scenario.moments import minutes
from demo.scenario.script import Line, Script, grams, piece_line, um
from demo.scenario.steel import FIXED

CC1 = "ALD-CC1"
HEAT_MINUTES = 25
HELD_SHARE = 0.10
"""QR-RES-01: share of a heat over the limit from which a slab is held."""
SHOWN_SHARE = 0.00005
TRANSITION_M = 1.0
TUNDISH_REST_KG = 7_000
KERF_M = 0.008


@dataclass(frozen=True)
class CastSequence:
    """Heats cast one after another. orders by heat; lengths of single slabs in m; whole = ends with CC1080."""

    number: str
    ladles: tuple[Ladle, ...]
    orders: Mapping[str, str]
    lengths: Mapping[str, float] = field(default_factory=dict)
    whole: bool = True
    summary: bool = False
    yard: str = "YA-1"


def sequence_of(
    number: str,
    start_ms: int,
    heats: Sequence[tuple[str, str, str]],
    change_t: float = TUNDISH_T,
    lengths: Mapping[str, float] | None = None,
    whole: bool = True,
    summary: bool = False,
) -> CastSequence:
    """A sequence from (heat, grade, order) rows, a ladle every 25 min; the tundish is drained to change_t at a grade
    change."""
    ladles = []
    for i, (heat, grade, _) in enumerate(heats):
        changed = i > 0 and grade != heats[i - 1][1]
        ladles.append(
            Ladle(
                heat,
                grade,
                i + 1,
                start_ms + minutes(HEAT_MINUTES * i),
                0.0 if i == 0 else change_t if changed else TUNDISH_T,
            )
        )
    return CastSequence(number, tuple(ladles), {heat: order for heat, _, order in heats}, lengths or {}, whole, summary)


def cast(script: Script, sequence: CastSequence, chance: Chance) -> list[Cut]:
    """Play a sequence; gives its slabs in the order they were cut."""
    mine = chance.purpose(f"sequence {sequence.number}")
    cuts = sorted(
        (c for s in range(1, STRANDS + 1) for c in cuts_of(sequence.ladles, s, dict(sequence.lengths))),
        key=lambda c: (c.at_ms, c.strand),
    )
    for ladle in sequence.ladles:
        _ladle(script, sequence, ladle, mine)
    _crops(script, sequence, cuts)
    for cut in cuts:
        _cut(script, sequence, cut)
    if sequence.summary:
        for ladle in sequence.ladles:
            _summary(script, sequence, ladle, cuts)
    if sequence.whole:
        crops = round(STRANDS * (HEAD_CROP_M + TAIL_CROP_M) * T_PER_M * 1000)
        script.telegram(
            cuts[-1].at_ms + minutes(3),
            "ALD",
            CC1,
            "CC1080",
            {"sequence": sequence.number, "crops_kg": crops, "tundish_rest_kg": _rest_kg(sequence, cuts, crops)},
        )
    return cuts


def _rest_kg(sequence: CastSequence, cuts: Sequence[Cut], crops_kg: int) -> int:
    """What stays in the tundish: its usual rest, or less where a short sequence was cast to the last slab it gave."""
    kerf_kg = round(len(cuts) * KERF_M * T_PER_M * 1000)
    left = round(HEAT_T * 1000) * len(sequence.ladles) - sum(c.theoretical_kg for c in cuts) - crops_kg - kerf_kg
    return max(0, min(TUNDISH_REST_KG, left))


def _ladle(script: Script, sequence: CastSequence, ladle: Ladle, chance: Chance) -> None:
    base = {
        "heat": ladle.heat,
        "ladle": ladle_number(ladle.heat),
        "sequence": sequence.number,
        "position": ladle.position,
        "tundish": 7,
    }
    closes = ladle.opens_ms + minutes(HEAT_MINUTES)
    after = round((HEAT_T * ladle.position - TUNDISH_T) / (STRANDS * T_PER_M) * 1000)
    mark = round(ladle.mark_m * 1000)
    waiting = max(0, mark - 9_000)
    for when, name, metres, tundish_kg, cast_kg in (
        (ladle.opens_ms - minutes(8), "CC1010", waiting, TUNDISH_T * 1000 if ladle.position > 1 else 0, 0),
        (ladle.opens_ms, "CC1020", mark, ladle.tundish_t * 1000, 0),
        (closes - 1_000, "CC1030", after, TUNDISH_T * 1000, HEAT_T * 1000),
    ):
        script.telegram(
            when,
            "ALD",
            CC1,
            name,
            {
                **base,
                "tundish_kg": round(tundish_kg),
                "strand1_mm": metres,
                "strand2_mm": metres,
                "cast_kg": round(cast_kg),
            },
        )
    for after_min in (4, 12, 20):
        superheat = chance.whole(20, 31)
        script.telegram(
            ladle.opens_ms + minutes(after_min),
            "ALD",
            CC1,
            "CC1040",
            {"heat": ladle.heat, "temperature_c": float(1527 + superheat), "superheat_c": superheat},
        )


def _crops(script: Script, sequence: CastSequence, cuts: Sequence[Cut]) -> None:
    if sequence.summary:
        return
    for strand in range(1, STRANDS + 1):
        mine = [c for c in cuts if c.strand == strand]
        head = round((30.0 + HEAD_CROP_M) / 1.14 * 60_000)
        script.telegram(
            sequence.ladles[0].opens_ms + head,
            "ALD",
            CC1,
            "CC1060",
            _cut_fields(mine[0].heat, strand, 0, 0.0, HEAD_CROP_M, "C", ""),
        )
        if sequence.whole:
            tail = mine[-1].tail_m + 0.008
            script.telegram(
                mine[-1].at_ms + minutes(1.2),
                "ALD",
                CC1,
                "CC1060",
                _cut_fields(mine[-1].heat, strand, 0, tail, tail + TAIL_CROP_M, "C", ""),
            )


def _cut_fields(heat: str, strand: int, cut: int, head_m: float, tail_m: float, kind: str, order: str) -> Line:
    width = round(WIDTH_MM * HOT_OVER_COLD)
    return {
        "heat": heat,
        "strand": strand,
        "cut": cut,
        "head_mm": round(head_m * 1000),
        "tail_mm": round(tail_m * 1000),
        "hot_length_mm": round((tail_m - head_m) * 1000 * HOT_OVER_COLD),
        "thickness_mm": round(THICKNESS_MM * HOT_OVER_COLD),
        "width_head_mm": width,
        "width_tail_mm": width,
        "kerf_mm": 8,
        "kind": kind,
        "order": order,
    }


def _cut(script: Script, sequence: CastSequence, cut: Cut) -> None:
    order = sequence.orders[cut.heat]
    lines = (_slab_line(sequence, cut), *_born_held(sequence, cut))
    if sequence.summary:
        script.note(cut.at_ms, "ALD", *lines)
        return
    fields = _cut_fields(cut.heat, cut.strand, cut.cut, cut.head_m, cut.tail_m, "N", order)
    script.telegram(cut.at_ms, "ALD", CC1, "CC1060", fields, *lines)
    script.telegram(cut.at_ms + minutes(2), "ALD", CC1, "CC1070", {"slab": cut.number, "ok": "Y"})


def _slab_line(sequence: CastSequence, cut: Cut) -> Line:
    parts = {heat: share for heat, share in shares(sequence.ladles, cut).items() if share > SHOWN_SHARE}
    total = sum(parts.values())
    ppm = as_ppm({heat: share / total for heat, share in parts.items()})
    mass = grams(cut.theoretical_kg)
    grade = next(ladle.grade for ladle in sequence.ladles if ladle.heat == cut.heat)
    return piece_line(
        cut.number,
        "slab",
        "ALD",
        "CC1",
        grade=grade,
        order=sequence.orders[cut.heat],
        origin="cast",
        true_g=mass,
        theoretical_g=mass,
        thickness_um=um(THICKNESS_MM),
        width_um=um(WIDTH_MM),
        length_um=um(cut.length_m * 1000),
        parents=[{"piece": heat, "share_ppm": part, "mass_g": mass * part // 1_000_000} for heat, part in ppm.items()],
    )


def _born_held(sequence: CastSequence, cut: Cut) -> list[Line]:
    parts = shares(sequence.ladles, cut)
    # the analysis counts, not the name: any fixed L06 heat over the copper limit
    bad = {heat for heat in parts if FIXED.get(heat, {}).get("Cu", 0.0) > 0.22}
    held = any(parts[heat] >= HELD_SHARE for heat in bad)
    rules = ["QR-RES-01"] if held else []
    if foreign_metres(sequence.ladles, cut) > TRANSITION_M:
        rules.append("QR-TRN-01")
    return [{"what": "hold", "piece": cut.number, "plant": "ALD", "rule": rule} for rule in rules]


def _summary(script: Script, sequence: CastSequence, ladle: Ladle, cuts: Sequence[Cut]) -> None:
    rows = [
        {
            "strand": c.strand,
            "cut": c.cut,
            "cold_length_mm": round(c.length_m * 1000),
            "width_mm": WIDTH_MM,
            "mass_kg": c.theoretical_kg,
        }
        for c in cuts
        if c.heat == ladle.heat
    ]
    script.telegram(
        ladle.opens_ms + minutes(HEAT_MINUTES + 40),
        "ALD",
        CC1,
        "CC1110",
        {"heat": ladle.heat, "count": len(rows), "slabs": rows},
    )


def plan_heats(script: Script, sequence: CastSequence) -> None:
    """The planner puts the sequence on CC1's schedule two hours before it starts; heat plans go down from that."""
    lines = [
        {
            "position": ladle.position,
            "piece": ladle.heat,
            "order_item": sequence.orders[ladle.heat],
            "aims": {
                "grade": ladle.grade,
                "sequence": sequence.number,
                "aim_mm": 9300,
                "min_mm": 8800,
                "max_mm": 9800,
                "pieces": STRANDS * CUTS_A_HEAT,
            },
        }
        for ladle in sequence.ladles
    ]
    script.post(
        sequence.ladles[0].opens_ms - minutes(120),
        "ALD",
        "planner",
        "/api/v1/schedules",
        {"unit": "CC1", "lines": lines},
    )


def ladle_number(heat: str) -> int:
    """Ladles 1 to 18 in turn."""
    return int(heat[2:]) % 18 + 1
