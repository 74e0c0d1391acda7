"""Aggregation and the other ends of a piece: packed with others and taken apart again, returned to the melt.

A pack is counted, moved, held and shipped as one; its members keep their identity and come out as they went in. The
packing list is an attribute of the pack, so that it travels with it and any plant can take it apart.
"""

from __future__ import annotations

import msgspec

from shared.journal.fact import Payload, fact
from shared.material.facts import Mass, NewAlias, NewMaterial, Size

PACK_KIND = "pack"
MEMBERS = "members"
"""The attribute of a pack that holds its packing list as JSON."""


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a packing list: what a plant that opens the pack must know of the piece."""

    material_id: str
    kind: str
    aliases: tuple[NewAlias, ...]
    mass: Mass
    size: Size = Size()
    grade: str = ""
    order_item: str = ""
    heat_number: str = ""
    chemistry_e6: dict[str, int] = {}
    attributes: dict[str, str] = {}


def packing_list(text: str) -> tuple[Packed, ...]:
    """A packing list as it was told; empty when it is none that this release reads."""
    try:
        return msgspec.json.decode(text, type=tuple[Packed, ...])
    except msgspec.DecodeError:
        return ()


@fact("PiecesPacked")
class PiecesPacked(Payload, frozen=True, kw_only=True):
    """Pieces became one pack, bundle or lift: an aggregation, not a transformation."""

    pack: NewMaterial
    members: tuple[str, ...]
    unit: str = ""


@fact("PackOpened")
class PackOpened(Payload, frozen=True, kw_only=True):
    """A pack was taken apart; its members are here as themselves again."""

    pack_id: str
    members: tuple[str, ...]
    place: str
    births: tuple[NewMaterial, ...] = ()
    """Members that this author had never had in its books: the pack came from another plant."""


@fact("MaterialRemelted")
class MaterialRemelted(Payload, frozen=True, kw_only=True):
    """A piece went back to the melt shop: its mass and the value of its alloys go on, its identity ends."""

    material_id: str
    mass_g: int
    bay: str
    """The scrap bay or box it lies in."""
    scrap_grade: str
    chemistry_e6: dict[str, int] = {}
    reason: str
