"""What is known of a piece's steel: its own analysis where it is a heat, the mixed one of its heats where it is a slab."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, Row

from shared.quality.domain import mixed_e6
from shared.quality.queries import find_final_analyses, find_final_analysis, get_heat_shares
from shared.rules.evaluate import Stored


def mixed_of(conn: Connection, shares_ppm: Mapping[str, int]) -> dict[str, int]:
    """Mixed final analysis (1e-6) of heats by share; empty while one of them awaits its result."""
    analyses = find_final_analyses(conn, shares_ppm)
    return mixed_e6(shares_ppm, {heat_id: analysis.e6 for heat_id, analysis in analyses.items()})


def steel_of(conn: Connection, row: Row[Any]) -> dict[str, int]:
    """The final analysis that counts for a piece, 1e-6: of the heat, mixed of the slab, else as it came with the piece."""
    if row.kind == "heat":
        final = find_final_analysis(conn, row.material_id)
        return final.e6 if final else {}
    shares = get_heat_shares(conn, row.material_id)
    if shares:
        return mixed_of(conn, shares)
    told: dict[str, int] = msgspec.json.decode(row.chemistry, type=dict[str, int])
    return told


def inputs_of(conn: Connection, row: Row[Any]) -> dict[str, Stored]:
    """What a rule may be asked with about a piece: grade, size, chemistry; see shared/rules/vocabulary.py."""
    return {
        "grade": row.grade,
        "thickness": row.thickness_um,
        "width": row.width_um,
        "length": row.length_um,
        **steel_of(conn, row),
    }
