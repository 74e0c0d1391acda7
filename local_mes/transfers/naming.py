"""The numbers of a piece that comes: the receiver's own, and those printed on it, which stay its names for ever."""

from __future__ import annotations

from local_mes.model.numbers import next_number, pass_number
from local_mes.plant import Plant
from local_mes.transfers import errors
from shared.journal.journal import Work
from shared.material.facts import NewAlias
from shared.material.queries import find_by_number


def own_number(plant: Plant, tx: Work, wanted: str, printed: str, kind: str) -> str:
    """The receiver's own number: the one that a person gave, else the next of the plant's scheme. Refused when taken."""
    scheme = plant.model.find_scheme(f"{plant.code}.{kind}")
    if wanted:
        if any(row.state == "live" for row in find_by_number(tx.conn, wanted, plant.code)):
            raise errors.number_taken(wanted)
        if scheme is not None:
            pass_number(tx, scheme, wanted)
        return wanted
    # a plant that numbers nothing of this kind itself goes on with the number on the piece
    return next_number(tx, scheme) if scheme is not None else printed


def make_aliases(here: str, sender: str, kind: str, own: str, *printed: str) -> tuple[NewAlias, ...]:
    """Our number first, then those that were read on the piece, as its sender's."""
    given = [NewAlias(f"{here}.{kind}", own)]
    given += [NewAlias(f"{sender or 'unknown'}.{kind}", value) for value in dict.fromkeys(printed) if value != own]
    return tuple(given)
