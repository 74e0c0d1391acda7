"""A person's command on pieces, checked against the domain: what is used must be here, free, and certain of itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from local_mes.model.numbers import next_number, pass_number
from local_mes.plant import Plant
from local_mes.production import errors
from local_mes.quality.service import Deed, by_person
from shared.material.correction_queries import find_bearer
from shared.material.facts import NewAlias
from shared.material.queries import get_piece
from shared.quality.queries import open_holds
from shared.transfers.told import check_not_elsewhere


@dataclass(frozen=True)
class Command:
    """Who, under which id, and when it happened (ms; None: now)."""

    command_id: str
    actor: str
    at_ms: int | None = None


def carry_out(plant: Plant, command: Command, decide: Callable[[Deed], dict[str, Any]]) -> dict[str, Any]:
    """Do it in one transaction, once for its command id; what it came to is remembered."""
    with plant.journal.work() as tx:
        if (earlier := tx.once(command.command_id)) is not None:
            return dict(earlier)
        result = decide(by_person(plant, tx, command.actor, command.at_ms))
        tx.done(command.command_id, result)
    return result


def get_usable(deed: Deed, number: str, *, held_too: bool = False) -> Row[Any]:
    """A piece that a command may use: in this plant, not used up, packed or gone; not held, unless holds don't matter."""
    piece = get_piece(deed.conn, number, deed.plant.code)
    if piece.state != "live":
        raise errors.not_here(piece.number, piece.state)
    check_not_elsewhere(deed.conn, piece.number, piece.material_id, deed.plant.code)
    holds = [] if held_too else open_holds(deed.conn, piece.material_id)
    if holds:
        raise errors.held(piece.number, holds[0].reason)
    return piece


def get_all_usable(deed: Deed, numbers: Sequence[str]) -> list[Row[Any]]:
    """Several pieces, each once."""
    pieces = [get_usable(deed, number) for number in numbers]
    if len({piece.material_id for piece in pieces}) < len(pieces):
        raise errors.named_twice()
    return pieces


def new_alias(deed: Deed, number: str, kind: str, parents: Sequence[str] = ()) -> NewAlias:
    """The number given, unless another piece here bears it; empty: the next of the plant's scheme for the kind."""
    schemes = deed.plant.model.numbering
    if not number:
        scheme = next((s for s in schemes if s.code == f"{deed.plant.code}.{kind}"), None)
        if scheme is None:
            raise errors.no_number(kind)
        return NewAlias(scheme.code, next_number(deed.tx, scheme))
    taken = find_bearer(deed.conn, deed.plant.code, number)
    if taken is not None and taken.material_id not in parents:
        raise errors.number_taken(number)
    for scheme in schemes:
        if scheme.find_counter(number) is not None:
            pass_number(deed.tx, scheme, number)
            return NewAlias(scheme.code, number)
    return NewAlias(f"{deed.plant.code}.{kind}", number)
