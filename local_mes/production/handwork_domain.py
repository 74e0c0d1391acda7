"""Parts of a piece by hand: their masses, sizes and edges. Micrometres from the head or from the left edge, grams. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.material.facts import Edge, NewMaterial, Size

OPERATIONS = ("cut", "slit", "crop", "sample", "weld")
LOSS_OF = {"cut": "kerf", "slit": "trim", "crop": "crop", "sample": "sample"}
"""What the part is that no product holds."""


@dataclass(frozen=True)
class Part:
    """One product of a piece: its interval along (cut, crop, sample) or across (slit). mass_g 0: by its part."""

    from_um: int
    to_um: int
    number: str = ""
    mass_g: int = 0


def masses_of(whole_g: int, whole_um: int, parts: Sequence[Part], scrap_g: int) -> tuple[list[int], int]:
    """The mass of each part and what is lost, grams. Parts without a mass weigh what their interval is of the piece;
    the loss is what was weighed, else the rest."""
    masses = [part.mass_g or whole_g * (part.to_um - part.from_um) // whole_um for part in parts]
    held_um = sum(part.to_um - part.from_um for part in parts)
    if scrap_g or held_um < whole_um:
        return masses, scrap_g or max(0, whole_g - sum(masses))
    if not any(part.mass_g for part in parts):
        masses[-1] += whole_g - sum(masses)  # grams lost by rounding down
    return masses, 0


def size_of(parent: Size, part: Part, along: bool) -> Size:
    """The size of a part."""
    span = part.to_um - part.from_um
    return Size(parent.thickness_um, parent.width_um if along else span, span if along else parent.length_um)


def edge_of(parent_id: str, child: NewMaterial, part: Part, parent: Size, along: bool) -> Edge:
    """The edge of a part: it keeps its coordinates in the parent."""
    span, sides = (part.from_um, part.to_um), (0, parent.width_um)
    if not along:
        span, sides = (0, parent.length_um), (part.from_um, part.to_um)
    return Edge(
        parent_id=parent_id,
        child_id=child.material_id,
        parent_from_um=span[0],
        parent_to_um=span[1],
        child_from_um=0,
        child_to_um=child.size.length_um,
        parent_left_um=sides[0],
        parent_right_um=sides[1],
        child_left_um=0,
        child_right_um=child.size.width_um,
        mass_g=child.mass.g,
    )
