"""What a sender tells of a piece, as a passport's body: within its bounds, the least needed left out first. Pure."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import msgspec

from shared.keys import SigningKey
from shared.material.facts import Mass, Size
from shared.material.pack_facts import MEMBERS
from shared.passports.document import PIECE, PieceBody, Shipped, seal
from shared.passports.members import as_attribute, as_members, described
from shared.transfers.facts import PieceData

ROUTE_MAX, ALIASES_MAX, HEATS_MAX, ELEMENTS_MAX, HOLDS_MAX = 12, 12, 12, 40, 20


@dataclass(frozen=True)
class Told:
    """One piece of a load: what its sender's data says, and what only the passport carries.

    aliases: (issuer and scheme, value); edges: the piece's making as lines of text, for the genealogy digest; route:
    operations, the latest first; status_ms: as of when quality is told; lists_members: of a pack, its packing list too.
    """

    piece: PieceData
    custody_no: int
    aliases: tuple[tuple[str, str], ...] = ()
    edges: tuple[str, ...] = ()
    route: tuple[str, ...] = ()
    status_ms: int = 0
    lists_members: bool = True


def make_piece(shipped: Shipped, told: Told, key: SigningKey) -> bytes:
    """The passport of a piece. ValueError says what of it does not fit."""
    for shorter in _shorter(told):
        try:
            return seal(PIECE, _checked(_body(shipped, shorter)), key)
        except ValueError as error:
            why = error
    raise ValueError(str(why))


def genealogy_digest(edges: Iterable[str]) -> bytes:
    """SHA-256 over the sorted lines of a piece's making, the first 16 bytes."""
    return hashlib.sha256("\n".join(sorted(edges)).encode()).digest()[:16]


def stored(wire: bytes) -> str:
    """A passport's bytes as facts carry them."""
    return base64.b64encode(wire).decode()


def _shorter(told: Told) -> Iterable[Told]:
    """What may be left out when it is too long for a code: the route, then all numbers but the one printed on it,
    then a pack's list."""
    yield told
    yield replace(told, route=told.route[:3])
    printed = replace(told, route=(), aliases=tuple(a for a in told.aliases if a[1] == told.piece.number))
    yield printed
    if MEMBERS in told.piece.attributes:
        yield replace(printed, lists_members=False)


def _body(shipped: Shipped, told: Told) -> PieceBody:
    p = told.piece
    return PieceBody(
        shipped=shipped,
        custody_no=told.custody_no,
        material_id=bytes.fromhex(p.material_id),
        kind=p.kind,
        number=p.number,
        aliases=told.aliases[:ALIASES_MAX],
        grade=p.grade,
        order_item=p.order_item,
        size=(p.size.thickness_um, p.size.width_um, p.size.length_um),
        mass_g=p.mass.g,
        mass_basis=p.mass.basis,
        scale=p.mass.scale,
        weighed_ms=p.mass.at_ms,
        chemistry=tuple(sorted(p.chemistry_e6.items())),
        heats=_largest(p.heats, HEATS_MAX),
        quality="held" if p.quality == "held" else "restricted" if p.quality == "restricted" else "free",
        holds=tuple(bytes.fromhex(hold) for hold in p.holds[:HOLDS_MAX]),
        status_ms=told.status_ms,
        attributes=tuple(sorted((name, value) for name, value in p.attributes.items() if name != MEMBERS)),
        genealogy=genealogy_digest(told.edges),
        route=told.route[:ROUTE_MAX],
        members=as_members(p.attributes) if told.lists_members else (),
    )


def _largest(shares: dict[str, int], most: int) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(shares.items(), key=lambda one: (-one[1], one[0]))[:most])


def _checked(body: PieceBody) -> PieceBody:
    """As its reader will read it: what is out of bounds is found by the sender. ValueError."""
    try:
        return msgspec.msgpack.decode(msgspec.msgpack.encode(body), type=PieceBody)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error


def told_piece(body: PieceBody) -> PieceData:
    """A passport's piece in the words of a departure."""
    return PieceData(
        material_id=body.material_id.hex(),
        kind=body.kind,
        number=body.number,
        aliases=tuple(dict.fromkeys(value for _, value in body.aliases)),
        grade=body.grade,
        order_item=body.order_item,
        size=Size(*body.size),
        mass=Mass(body.mass_g, body.mass_basis, body.scale, body.weighed_ms),
        chemistry_e6=dict(body.chemistry),
        heats=dict(body.heats),
        quality=body.quality,
        holds=tuple(hold.hex() for hold in body.holds),
        attributes=dict(body.attributes) | as_attribute(body.members),
    )


def differences(said: PieceData, told: PieceData) -> list[str]:
    """What a passport says otherwise than the departure that it belongs to, as words."""
    names: Sequence[str] = (
        "kind", "number", "grade", "order_item", "size", "mass", "chemistry_e6", "heats", "quality"
    )  # fmt: skip
    found = [
        f"{name.removesuffix('_e6')}: {getattr(said, name)}, told {getattr(told, name)}"
        for name in names
        if getattr(said, name) != getattr(told, name)
    ]
    one, other = ({n: v for n, v in piece.attributes.items() if n != MEMBERS} for piece in (said, told))
    if one != other:
        found.append(f"attributes: {one}, told {other}")
    if MEMBERS in said.attributes and described(said.attributes) != described(told.attributes):
        found.append(f"members: {len(described(said.attributes))}, told {len(described(told.attributes))}")
    return found
