"""Uncertain identities: doubt, resolve; a piece found without a name, and what it is found to be; a further number.

A set holds its candidates: a hold blocks release, use and shipping by command, reaches what is made of them, and lets
Level 2 be recorded with a deviation. Resolving it lifts those holds from what was found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Row

from local_mes.plant import Plant
from local_mes.production import errors
from local_mes.production.identity_domain import lost, permutation
from local_mes.production.person import Command, carry_out, new_alias
from local_mes.quality.service import Deed, place
from local_mes.stock.domain import is_mass
from local_mes.stock.service import check_place
from shared.material.facts import (
    AliasGiven,
    Mass,
    MaterialCreated,
    MaterialIdentified,
    MaterialMoved,
    NewAlias,
    NewMaterial,
    Size,
)
from shared.material.identity_facts import Borne, Found, Heir, IdentityDoubted, IdentityResolved
from shared.material.identity_queries import candidates_of, find_set, made_since, numbers_of_set, open_set_of
from shared.material.queries import aliases_of, find_by_number, find_material, get_piece
from shared.quality.facts import HoldReleased
from shared.quality.queries import list_holds

RULE = "identity"
"""Of the holds that a set places."""
SET_MAX = 50
"""Candidates of one set: more cannot be told apart on one screen."""
HERE = ("live", "consumed", "scrapped")
"""States that may be exchanged: where a piece is told by no load and no packing list."""


@dataclass(frozen=True)
class Doubt:
    """Candidates by any number, the numbers that were booked (empty: those of the candidates), since when (ms)."""

    candidates: tuple[str, ...]
    place: str
    reason: str
    numbers: tuple[str, ...] = ()
    since_ms: int | None = None


def doubt(plant: Plant, command: Command, asked: Doubt) -> dict[str, Any]:
    """Put pieces into a set: since a time, each of the numbers may be any of them."""

    def decide(deed: Deed) -> dict[str, Any]:
        rows = [get_piece(deed.conn, number, plant.code) for number in asked.candidates]
        ids = [row.material_id for row in rows]
        numbers = asked.numbers or tuple(row.number for row in rows)
        _check(deed, asked, rows, numbers)
        set_id = deed.mint()
        since = deed.occurred.at_ms if asked.since_ms is None else asked.since_ms
        fact = IdentityDoubted(
            set_id=set_id,
            candidates=tuple(ids),
            numbers=numbers,
            place=asked.place,
            reason=asked.reason.strip(),
            since_ms=since,
        )
        deed.record(fact, (set_id, *ids))
        for material_id in ids:
            place(deed, material_id, f"identity in doubt: {asked.reason.strip()}", RULE)
        return {"set_id": set_id, "numbers": list(numbers), "material_ids": ids}

    return carry_out(plant, command, decide)


def _check(deed: Deed, asked: Doubt, rows: Sequence[Row[Any]], numbers: Sequence[str]) -> None:
    ids = {row.material_id for row in rows}
    if not 2 <= len(ids) <= SET_MAX or len(ids) < len(rows):
        raise errors.bad_identity(f"A set has 2 to {SET_MAX} pieces, each once.", "Name the pieces it may be.")
    if not asked.reason.strip():
        raise errors.bad_identity("The reason is missing.", "Say how they were mixed up.")
    for row in rows:
        if row.state not in HERE or open_set_of(deed.conn, deed.plant.code, row.material_id) is not None:
            raise errors.bad_identity(f"{row.number} has left, is packed or is in a set already.", "Leave it out.")
    _booked(deed, numbers, ids)


def _booked(deed: Deed, numbers: Sequence[str], ids: set[str]) -> dict[str, str]:
    """Number -> the candidate that bears it; refused where a number is none of theirs, or two are of one piece."""
    found: dict[str, str] = {}
    for number in numbers:
        own = [r for r in find_by_number(deed.conn, number, deed.plant.code) if r.material_id in ids]
        if not own or own[0].material_id in found.values():
            raise errors.bad_identity(f"{number} is no number of exactly one candidate.", "One number for each piece.")
        found[number] = own[0].material_id
    return found


def resolve(
    plant: Plant, command: Command, set_id: str, said: Mapping[str, str], evidence: str, *, labels: bool
) -> dict[str, Any]:
    """Say which is which: number -> the piece (any number or id) it is. labels: the labels are on the steel as told, so
    the numbers go with it; else only bookings were mixed up, and each piece keeps its number."""

    def decide(deed: Deed) -> dict[str, Any]:
        row = find_set(deed.conn, plant.code, set_id)
        if row is None or row.state != "open":
            raise errors.unknown_set(set_id)
        if not evidence.strip():
            raise errors.bad_identity("The evidence is missing.", "Say how it is known.")
        candidates = [c.material_id for c in candidates_of(deed.conn, plant.code, set_id)]
        booked = _booked(deed, numbers_of_set(row), set(candidates))
        true = {number: _named(deed, piece, candidates) for number, piece in said.items()}
        truly, missing = permutation(candidates, booked, true), lost(candidates, true)
        _check_here(deed, truly)
        fact = IdentityResolved(
            set_id=set_id,
            found=tuple(Found(was, now) for was, now in sorted(truly.items())),
            evidence=evidence.strip(),
            heirs=heirs_of(deed, truly, row.since_ms),
            borne=borne_of(deed, booked, truly) if labels else (),
            lost=missing,
        )
        deed.record(fact, (set_id, *candidates, *(heir.material_id for heir in fact.heirs)))
        _lift(deed, candidates, set(missing), evidence.strip())
        moved = [{"booked": was, "truly": now} for was, now in truly.items() if was != now]
        return {"set_id": set_id, "moved": moved, "lost": list(missing), "heirs": len(fact.heirs)}

    return carry_out(plant, command, decide)


def _check_here(deed: Deed, truly: Mapping[str, str]) -> None:
    """What is exchanged lies here: where a piece is, is exchanged with it, and must not be told by a load or a pack."""
    moved = [find_material(deed.conn, deed.plant.code, was) for was, now in truly.items() if was != now]
    away = sorted(row.number for row in moved if row is not None and row.state not in HERE)
    if away:
        raise errors.bad_identity(
            f"{', '.join(away)} left or was packed meanwhile.", "Open the pack, or correct the departure first."
        )


def _named(deed: Deed, piece: str, candidates: Sequence[str]) -> str:
    return piece if piece in candidates else str(get_piece(deed.conn, piece, deed.plant.code).material_id)


def heirs_of(deed: Deed, truly: Mapping[str, str], since_ms: int) -> tuple[Heir, ...]:
    """What was made meanwhile of a mistaken piece has the heat and the steel of the true one."""
    found: dict[str, Heir] = {}
    for was, now in sorted(truly.items()):
        before, after = (find_material(deed.conn, deed.plant.code, m) for m in (was, now))
        if was == now or before is None or after is None:
            continue
        chemistry = msgspec.json.decode(after.chemistry, type=dict[str, int])
        for child in made_since(deed.conn, deed.plant.code, was, since_ms):
            row = find_material(deed.conn, deed.plant.code, child)
            if row is not None and (row.heat_number, row.chemistry) == (before.heat_number, before.chemistry):
                found[child] = Heir(child, after.heat_number, chemistry)
    return tuple(found.values())


def borne_of(deed: Deed, booked: Mapping[str, str], truly: Mapping[str, str]) -> tuple[Borne, ...]:
    """Labels of mistaken pieces, each with the piece that its steel truly is."""
    found = []
    for number, was in sorted(booked.items()):
        given = next((a for a in aliases_of(deed.conn, was) if a.value == number), None)
        if truly[was] != was and given is not None:
            found.append(Borne(NewAlias(given.scheme, number), truly[was], was))
    return tuple(found)


def _lift(deed: Deed, candidates: Sequence[str], missing: set[str], evidence: str) -> None:
    """End the set's holds, and those that were inherited from them; what was not found stays held."""
    ends = {h.hold_id: h for h in list_holds(deed.conn, state="open", ids=list(candidates), rule_id=RULE, limit=500)}
    below = list_holds(deed.conn, author=deed.plant.code, state="open", rule_id=RULE, limit=1_000)
    above = {hold_id: h for hold_id, h in ends.items() if h.material_id not in missing}
    for hold in [*above.values(), *(h for h in below if h.inherited_from in ends)]:
        note = f"identity resolved: {evidence}"
        fact = HoldReleased(hold_id=hold.hold_id, material_id=hold.material_id, disposition="prime", note=note)
        deed.record(fact, (hold.material_id, hold.hold_id))


@dataclass(frozen=True)
class Nameless:
    """A piece without a name that can be read; g, um."""

    kind: str
    place: str
    mass_g: int
    number: str = ""
    thickness_um: int = 0
    width_um: int = 0
    length_um: int = 0


def take_in_nameless(plant: Plant, command: Command, asked: Nameless) -> dict[str, Any]:
    """A piece lies here and nobody knows which: it lives under a provisional identity until it is identified."""

    def decide(deed: Deed) -> dict[str, Any]:
        check_place(plant.model, asked.place)
        if not is_mass(asked.mass_g):
            raise errors.bad_identity("It weighs something.", "Give its mass, as well as it is known.")
        material_id = deed.mint()
        number = asked.number or f"?{material_id[-6:]}"
        new = NewMaterial(
            material_id=material_id,
            kind=asked.kind,
            aliases=(
                NewAlias(f"{plant.code}.provisional", number)
                if not asked.number
                else new_alias(deed, number, asked.kind),
            ),
            mass=Mass(asked.mass_g, "theoretical", "", deed.occurred.at_ms),
            size=Size(asked.thickness_um, asked.width_um, asked.length_um),
            place=asked.place,
            attributes={"provisional": "yes"},
        )
        deed.record(MaterialCreated(material=new, origin="unknown"), (material_id,))
        place(deed, material_id, "identity not known", RULE)
        return {"number": number, "material_id": material_id}

    return carry_out(plant, command, decide)


def identify(plant: Plant, command: Command, number: str, known_as: str, evidence: str) -> dict[str, Any]:
    """A provisional piece is found to be a known one: two identities merge, both histories stay."""

    def decide(deed: Deed) -> dict[str, Any]:
        piece, known = get_piece(deed.conn, number, plant.code), get_piece(deed.conn, known_as, plant.code)
        attributes = msgspec.json.decode(piece.attributes, type=dict[str, str])
        if attributes.get("provisional") != "yes" or piece.state == "identified" or not evidence.strip():
            raise errors.bad_identity(
                f"{piece.number} is no provisional piece, or the evidence is missing.",
                "Name a piece that was taken in nameless.",
            )
        if known.material_id == piece.material_id or known.state != "live":
            raise errors.bad_identity(
                f"{known.number} is {known.state}: this piece cannot be it.", "Name the piece it is."
            )
        fact = MaterialIdentified(
            provisional_id=piece.material_id, material_id=known.material_id, evidence=evidence.strip()
        )
        deed.record(fact, (piece.material_id, known.material_id))
        if known.place != piece.place:
            deed.record(MaterialMoved(material_id=known.material_id, place=piece.place), (known.material_id,))
        _lift(deed, [piece.material_id], set(), evidence.strip())
        return {"number": known.number, "material_id": known.material_id, "was": piece.number}

    return carry_out(plant, command, decide)


def give_number(plant: Plant, command: Command, number: str, further: str) -> dict[str, Any]:
    """A further number for a piece, from now on on its label; refused when another piece here bears it."""

    def decide(deed: Deed) -> dict[str, Any]:
        piece = get_piece(deed.conn, number, plant.code)
        if piece.state != "live":
            raise errors.not_here(piece.number, piece.state)
        alias = new_alias(deed, further.strip(), piece.kind)
        deed.record(AliasGiven(material_id=piece.material_id, alias=alias), (piece.material_id,))
        return {"number": alias.value, "material_id": piece.material_id}

    return carry_out(plant, command, decide)
