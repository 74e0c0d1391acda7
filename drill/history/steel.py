"""What a step makes of a piece: sizes by constant volume, masses that balance to the gram, losses by their usual shares.

The shares are rules of thumb of domain.md, 5; sizes in um, masses in g.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from drill.history.dice import Dice
from shared.material.domain import part_of, rolled_length_um
from shared.material.facts import Edge, Loss, Mass, NewAlias, NewMaterial, Size
from shared.units import share_out, theoretical_mass_g

SLAB_THICKNESS_UM = 250_000
GRADES = ("S235JR", "S355MC", "DX51D", "HC340LA", "DC04", "S700MC")


@dataclass(frozen=True, slots=True)
class Item:
    """A piece as the story knows it: who it is, what it measures, when it is next to hand (UTC ms)."""

    material_id: str
    kind: str
    number: str
    mass_g: int
    size: Size
    grade: str
    order_item: str
    heat: str
    at_ms: int
    custody_no: int = 0
    """Changes of custody so far."""

    def born(self, scheme: str, place: str, basis: str = "weighed") -> NewMaterial:
        """As the fact of its birth tells it."""
        return NewMaterial(
            material_id=self.material_id,
            kind=self.kind,
            aliases=(NewAlias(scheme, self.number),),
            mass=Mass(self.mass_g, basis, "W1", self.at_ms),
            size=self.size,
            grade=self.grade,
            order_item=self.order_item,
            place=place,
            heat_number=self.heat,
        )


def slab_size(dice: Dice) -> Size:
    """A slab of the caster: 9 to 11 m, 1,000 to 1,900 mm wide."""
    return Size(SLAB_THICKNESS_UM, dice.between(100, 190) * 10_000, dice.between(9_000_000, 11_000_000))


def slab_mass_g(size: Size) -> int:
    """Cold density times volume."""
    return theoretical_mass_g(size.thickness_um, size.width_um, size.length_um)


def lose(mass_g: int, *kinds: tuple[str, int]) -> tuple[int, tuple[Loss, ...]]:
    """What is left of a mass, and what was lost of it: kinds with their shares in ppm; an addition is negative."""
    losses = tuple(Loss(kind, part_of(mass_g, ppm)) for kind, ppm in kinds)
    return mass_g - sum(loss.g for loss in losses), losses


def rolled(size: Size, thickness_um: int, lost_ppm: int = 0) -> Size:
    """The size after rolling to a thickness, of what is left of the length."""
    full = rolled_length_um(size.length_um, (size.thickness_um, size.width_um), (thickness_um, size.width_um))
    return Size(thickness_um, size.width_um, full - part_of(full, lost_ppm))


def whole_edge(parent: Item, child: Item, crop_um: int = 0, *, flips: tuple[bool, bool, bool] = (False,) * 3) -> Edge:
    """All of a parent but its crops became all of a child."""
    return Edge(
        parent_id=parent.material_id,
        child_id=child.material_id,
        parent_from_um=crop_um,
        parent_to_um=parent.size.length_um - crop_um,
        child_from_um=0,
        child_to_um=child.size.length_um,
        parent_left_um=0,
        parent_right_um=parent.size.width_um,
        child_left_um=0,
        child_right_um=child.size.width_um,
        mass_g=child.mass_g,
        flip_length=flips[0],
        flip_width=flips[1],
        flip_face=flips[2],
    )


def slit(parent: Item, ids: list[str], width_um: int, mass_g: int) -> list[tuple[Item, int]]:
    """Strips that partition the width between two trims, each with its left edge on the parent; masses add up."""
    strips = share_out(width_um, [1] * len(ids))
    masses = share_out(mass_g, strips)
    left = (parent.size.width_um - width_um) // 2
    found = []
    for n, (piece, width, mass) in enumerate(zip(ids, strips, masses, strict=True)):
        size = replace_width(parent.size, width)
        found.append(
            (
                replace(
                    parent, material_id=piece, kind="slit", number=f"{parent.number}-{n + 1}", mass_g=mass, size=size
                ),
                left,
            )
        )
        left += width
    return found


def replace_width(size: Size, width_um: int) -> Size:
    """The same length and thickness in another width."""
    return Size(size.thickness_um, width_um, size.length_um)


def slit_edge(parent: Item, child: Item, left_um: int) -> Edge:
    """A strip of the width over the whole length, turned as every recoiling turns it."""
    return Edge(
        parent_id=parent.material_id,
        child_id=child.material_id,
        parent_from_um=0,
        parent_to_um=parent.size.length_um,
        child_from_um=0,
        child_to_um=child.size.length_um,
        parent_left_um=left_um,
        parent_right_um=left_um + child.size.width_um,
        child_left_um=0,
        child_right_um=child.size.width_um,
        mass_g=child.mass_g,
        flip_length=True,
        flip_width=True,
    )
