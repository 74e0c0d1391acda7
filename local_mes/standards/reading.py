"""What the plant's page and API show of its standards, read in one picture."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection

from local_mes.plant import Plant
from local_mes.standards.service import TrustState, trust_state
from shared.standards.documents import AnyStandard
from shared.standards.edit_rows import Edits, find_edits
from shared.standards.queries import (
    Adopted,
    Deviation,
    find_adoption,
    find_document,
    find_rejection,
    list_deviations,
    list_in_force,
)


@dataclass(frozen=True)
class Running:
    """A version in force with its document (None only if its body was lost, which a rebuild would mend)."""

    adopted: Adopted
    document: AnyStandard | None

    @property
    def title(self) -> str:
        """The document's title."""
        return self.document.title if self.document else ""


@dataclass(frozen=True)
class Refusal:
    """Why the latest assignment was not adopted."""

    code: str
    reason: str
    missing: tuple[str, ...]
    at_ms: int


@dataclass(frozen=True)
class Standing:
    """How the plant stands to the group's standards."""

    running: tuple[Running, ...]
    effective_hash: str
    catalogue_version: int
    adopted_ms: int | None
    trust: TrustState | None
    refusal: Refusal | None
    deviations: tuple[Deviation, ...]
    edits: Edits


def read_standing(conn: Connection, plant: Plant) -> Standing:
    """Everything at once."""
    adoption, rejected = find_adoption(conn, plant.code), find_rejection(conn, plant.code)
    running = tuple(
        Running(adopted, find_document(conn, adopted.standard_id, adopted.version, adopted.sha256))
        for adopted in list_in_force(conn, plant.code)
    )
    refusal = None
    if rejected:
        missing = tuple(json.loads(rejected.missing))
        refusal = Refusal(rejected.code, rejected.reason, missing, rejected.rejected_ms)
    return Standing(
        running,
        adoption.effective_hash if adoption else "",
        adoption.catalogue_version if adoption else 0,
        adoption.adopted_ms if adoption else None,
        trust_state(conn, plant),
        refusal,
        tuple(list_deviations(conn, plant.code, plant.clock.now_ms())),
        find_edits(conn, plant.code),
    )
