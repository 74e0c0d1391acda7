"""Packs by hand: pieces become one that is counted, moved and shipped as one, and come out again as they went in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Row

from local_mes.orders.service import STOCK
from local_mes.plant import Plant
from local_mes.production import errors
from local_mes.production.person import Command, carry_out, get_all_usable, get_usable, new_alias
from local_mes.quality.service import Deed, pass_on_holds
from shared.material.facts import Mass, MaterialWeighed, NewAlias, NewMaterial, Size
from shared.material.pack_facts import (
    MEMBERS,
    PACK_KIND,
    MaterialRemelted,
    Packed,
    PackOpened,
    PiecesPacked,
    packing_list,
)
from shared.material.queries import aliases_of, find_material
from shared.quality.restriction import TOLD, find_restriction
from shared.transfers.queries import find_told_piece
from shared.units import share_out

MEMBERS_MAX = 200
"""Pieces in one pack: a lift of bars counts its bundles, not its bars."""


def pack(
    plant: Plant, command: Command, pieces: Sequence[str], *, number: str = "", mass_g: int = 0, unit: str = ""
) -> dict[str, Any]:
    """Make one pack of pieces that are here and free. mass_g: as weighed, 0 = the sum of its members."""

    def decide(deed: Deed) -> dict[str, Any]:
        if not 1 <= len(pieces) <= MEMBERS_MAX:
            raise errors.bad_pack(f"A pack has 1 to {MEMBERS_MAX} pieces, not {len(pieces)}.")
        members = get_all_usable(deed, pieces)
        if any(member.kind in ("heat", PACK_KIND) for member in members):
            raise errors.bad_pack("A heat or another pack cannot be packed.")
        new = _new_pack(deed, members, number, mass_g)
        deed.record(
            PiecesPacked(pack=new, members=tuple(m.material_id for m in members), unit=unit),
            (new.material_id, *(m.material_id for m in members)),
        )
        return {
            "number": new.aliases[0].value,
            "material_id": new.material_id,
            "pieces": len(members),
            "mass_g": new.mass.g,
        }

    return carry_out(plant, command, decide)


def _new_pack(deed: Deed, members: Sequence[Row[Any]], number: str, mass_g: int) -> NewMaterial:
    plant = deed.plant.code
    total = sum(member.mass_g for member in members)
    bases = {member.mass_basis for member in members}
    listed = tuple(_packed(deed, member) for member in members)
    pack_id = deed.mint()
    alias = new_alias(deed, number, PACK_KIND) if number else NewAlias(f"{plant}.{PACK_KIND}", f"P-{members[0].number}")
    return NewMaterial(
        material_id=pack_id,
        kind=PACK_KIND,
        aliases=(alias,),
        mass=Mass(
            mass_g or total, "weighed" if mass_g or bases == {"weighed"} else "theoretical", "", deed.occurred.at_ms
        ),
        grade=_common(members, "grade", ""),
        order_item=_common(members, "order_item", STOCK),
        place=members[0].place,
        heat_number=_common(members, "heat_number", ""),
        attributes={MEMBERS: msgspec.json.encode(listed).decode()},
    )


def _common(members: Sequence[Row[Any]], name: str, otherwise: str) -> str:
    """What all members say, where they say the same."""
    said = {str(getattr(member, name)) for member in members}
    return said.pop() if len(said) == 1 else otherwise


def _packed(deed: Deed, row: Row[Any]) -> Packed:
    own = [a for a in aliases_of(deed.conn, row.material_id) if a.author == row.author]
    first = sorted(own, key=lambda a: a.value != row.number)
    return Packed(
        material_id=row.material_id,
        kind=row.kind,
        aliases=tuple(NewAlias(a.scheme, a.value) for a in first),
        mass=Mass(row.mass_g, row.mass_basis, row.mass_scale, row.mass_at_ms),
        size=Size(row.thickness_um, row.width_um, row.length_um),
        grade=row.grade,
        order_item=row.order_item,
        heat_number=row.heat_number,
        chemistry_e6=msgspec.json.decode(row.chemistry, type=dict[str, int]),
        attributes=_attributes(deed, row),
    )


def _attributes(deed: Deed, row: Row[Any]) -> dict[str, str]:
    """A piece's own, and what it is limited to: a plant that opens the pack does not see the release that says so."""
    own = msgspec.json.decode(row.attributes, type=dict[str, str])
    only_for = find_restriction(deed.conn, row.material_id)
    return own | {TOLD: only_for} if only_for else own


def open_pack(plant: Plant, command: Command, number: str) -> dict[str, Any]:
    """Take a pack apart: its members are here again, held by what holds the pack. A hold does not keep it shut."""

    def decide(deed: Deed) -> dict[str, Any]:
        piece = get_usable(deed, number, held_too=True)
        listed = _packing_list(deed, piece)
        if piece.kind != PACK_KIND or not listed:
            raise errors.bad_pack(f"{piece.number} is no pack with a packing list that can be read here.")
        births = [_birth(deed, packed, piece) for packed in listed]
        fact = PackOpened(
            pack_id=piece.material_id,
            members=tuple(packed.material_id for packed in listed),
            place=piece.place,
            births=tuple(new for new in births if new is not None),
        )
        deed.record(fact, (piece.material_id, *fact.members))
        for material_id, mass_g in weighed_parts(piece.mass_g if piece.mass_basis == "weighed" else 0, listed).items():
            mass = Mass(mass_g, "weighed", piece.mass_scale, piece.mass_at_ms)
            part = MaterialWeighed(
                material_id=material_id, mass=mass, reason=f"its part of {piece.number}, weighed as one"
            )
            deed.record(part, (material_id,))
        for member in fact.members:
            pass_on_holds(deed, [piece.material_id], member)
        return {"number": piece.number, "pieces": [packed.aliases[0].value for packed in listed]}

    return carry_out(plant, command, decide)


def _packing_list(deed: Deed, piece: Row[Any]) -> tuple[Packed, ...]:
    """As our own books have it; of a pack whose passport was too small for its list, as its sender told since."""
    own = msgspec.json.decode(piece.attributes, type=dict[str, str]).get(MEMBERS, "")
    told = None if own else find_told_piece(deed.conn, piece.material_id)
    return packing_list(own or (told.attributes.get(MEMBERS, "[]") if told is not None else "[]"))


def weighed_parts(pack_g: int, listed: Sequence[Packed]) -> dict[str, int]:
    """What the pieces of a pack weigh that was on a scale as one (0: it was not), grams: those that had been weighed
    themselves keep their mass, the others share the rest by theirs. Nothing where the scale leaves them nothing."""
    unweighed = [packed for packed in listed if packed.mass.basis != "weighed"]
    rest_g = pack_g - sum(packed.mass.g for packed in listed if packed.mass.basis == "weighed")
    if not unweighed or rest_g < len(unweighed):
        return {}
    parts = share_out(rest_g, [max(1, packed.mass.g) for packed in unweighed])
    return {packed.material_id: part for packed, part in zip(unweighed, parts, strict=True) if part}


def _birth(deed: Deed, packed: Packed, piece: Row[Any]) -> NewMaterial | None:
    """A member that came in its pack enters the books; one that was packed here, and never left them, does not."""
    known = find_material(deed.conn, deed.plant.code, packed.material_id)
    if known is not None and known.state == "packed":
        return None
    return NewMaterial(
        material_id=packed.material_id,
        kind=packed.kind,
        aliases=packed.aliases,
        mass=packed.mass,
        size=packed.size,
        grade=packed.grade,
        order_item=packed.order_item,
        place=piece.place,
        heat_number=packed.heat_number,
        chemistry_e6=packed.chemistry_e6,
        attributes=packed.attributes,
    )


def remelt(plant: Plant, command: Command, number: str, bay: str, scrap_grade: str, reason: str) -> dict[str, Any]:
    """Return a piece to the melt shop: mass and alloys go on in a scrap bay, its identity ends. A hold does not keep it:
    remelting is one of the ways out of a hold."""

    def decide(deed: Deed) -> dict[str, Any]:
        if not (bay.strip() and scrap_grade.strip() and reason.strip()):
            raise errors.bad_remelt()
        piece = get_usable(deed, number, held_too=True)
        if piece.kind == PACK_KIND:
            raise errors.bad_pack(f"{piece.number} is a pack; take it apart first.")
        fact = MaterialRemelted(
            material_id=piece.material_id,
            mass_g=piece.mass_g,
            bay=bay.strip(),
            scrap_grade=scrap_grade.strip(),
            chemistry_e6=msgspec.json.decode(piece.chemistry, type=dict[str, int]),
            reason=reason.strip(),
        )
        deed.record(fact, (piece.material_id,))
        return {"number": piece.number, "material_id": piece.material_id, "mass_g": piece.mass_g, "bay": bay.strip()}

    return carry_out(plant, command, decide)
