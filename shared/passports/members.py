"""The packing list of a pack in its passport: as much of each piece as a plant must know that takes the pack apart. Pure."""

from __future__ import annotations

import msgspec

from shared.material.facts import Mass, NewAlias, Size
from shared.material.pack_facts import MEMBERS, Packed, packing_list
from shared.passports.document import Member

_encoder = msgspec.json.Encoder()


def as_members(attributes: dict[str, str]) -> tuple[Member, ...]:
    """The members that a pack's attributes list; none for any other piece."""
    return tuple(_member(packed) for packed in packing_list(attributes.get(MEMBERS, "[]")))


def as_attribute(members: tuple[Member, ...]) -> dict[str, str]:
    """The attribute of a pack with these members; nothing where the passport lists none."""
    return {MEMBERS: _encoder.encode([_packed(one) for one in members]).decode()} if members else {}


def described(attributes: dict[str, str]) -> list[tuple[str, int]]:
    """What must be the same in two packing lists: which pieces, and their masses in grams."""
    return [(packed.material_id, packed.mass.g) for packed in packing_list(attributes.get(MEMBERS, "[]"))]


def _member(packed: Packed) -> Member:
    name = packed.aliases[0] if packed.aliases else NewAlias("", packed.material_id)
    return Member(
        material_id=bytes.fromhex(packed.material_id),
        kind=packed.kind,
        scheme=name.scheme,
        number=name.value,
        mass_g=packed.mass.g,
        mass_basis=packed.mass.basis,
        scale=packed.mass.scale,
        weighed_ms=packed.mass.at_ms,
        size=(packed.size.thickness_um, packed.size.width_um, packed.size.length_um),
        grade=packed.grade,
        order_item=packed.order_item,
        heat=packed.heat_number,
        chemistry=tuple(sorted(packed.chemistry_e6.items())),
        attributes=tuple(sorted(packed.attributes.items())),
    )


def _packed(one: Member) -> Packed:
    return Packed(
        material_id=one.material_id.hex(),
        kind=one.kind,
        aliases=(NewAlias(one.scheme, one.number),),
        mass=Mass(one.mass_g, one.mass_basis, one.scale, one.weighed_ms),
        size=Size(*one.size),
        grade=one.grade,
        order_item=one.order_item,
        heat_number=one.heat,
        chemistry_e6=dict(one.chemistry),
        attributes=dict(one.attributes),
    )
