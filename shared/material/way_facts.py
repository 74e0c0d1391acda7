"""The way of a piece that leaves: how it was made of what, as its sender knows it, for plants that see none of its facts."""

from __future__ import annotations

import msgspec

from shared.material.facts import Edge, Mixture, Size


class WayPiece(msgspec.Struct, frozen=True, kw_only=True):
    """A piece on the way: what it is called, and as it was born."""

    material_id: str
    kind: str
    numbers: tuple[str, ...]
    plant: str
    """In whose books it was."""
    grade: str = ""
    size: Size = Size()
    mass_g: int = 0
    born_at_ms: int = 0


class WayStep(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of the way: who did it, and its edges as far as they led to the piece."""

    plant: str
    operation_id: str
    operation: str
    unit: str
    ended_at_ms: int
    edges: tuple[Edge, ...]


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """Everything above a piece up to its heats, and the heats of transition slabs by interval."""

    pieces: tuple[WayPiece, ...]
    """Without the piece itself."""
    steps: tuple[WayStep, ...]
    mixtures: tuple[Mixture, ...] = ()
