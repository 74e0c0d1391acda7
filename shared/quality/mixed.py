"""The steel of any part of any piece: which heats, and the analysis that follows from theirs. An estimate, and said so."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from shared.material.mixture import Shares
from shared.material.steel import steel_over
from shared.quality.domain import mixed_e6
from shared.quality.queries import find_final_analyses


@dataclass(frozen=True)
class Steel:
    """Heats by share of the mass in ppm; their final analyses mixed in 1e-6, empty while one of them is not known here."""

    shares: Shares
    chemistry_e6: dict[str, int]

    @property
    def is_mixed(self) -> bool:
        """Whether it is of more than one heat."""
        return len(self.shares) > 1


def read_steel(conn: Connection, material_id: str, from_um: int = 0, to_um: int | None = None) -> Steel:
    """Of a part of a piece, um from its head; of all of it without `to_um`; of a place where both are the same."""
    shares = steel_over(conn, material_id, from_um, to_um)
    finals = {heat: analysis.e6 for heat, analysis in find_final_analyses(conn, shares).items()}
    return Steel(shares, mixed_e6(shares, finals))
