"""Two pieces that were taken for each other, known as such at once: a doubt and its end in one deed, without holds."""

from __future__ import annotations

from dataclasses import dataclass

from local_mes.production import errors
from local_mes.production.identity import HERE, borne_of, heirs_of
from local_mes.quality.service import Deed
from shared.material.identity_facts import Found, IdentityDoubted, IdentityResolved
from shared.material.identity_queries import open_set_of
from shared.material.queries import get_material


@dataclass(frozen=True)
class Exchange:
    """The two pieces as they were booked, the labels that the steel bears here, since when (ms), where, and how it is known."""

    pieces: tuple[str, str]
    numbers: tuple[str, str]
    since_ms: int
    place: str
    evidence: str


def exchange(deed: Deed, pair: Exchange) -> str:
    """What was booked for either since then happened to the other; their labels go with the steel. Returns the set's id."""
    for material_id in pair.pieces:
        row = get_material(deed.conn, deed.plant.code, material_id)
        if row.state not in HERE or open_set_of(deed.conn, deed.plant.code, material_id) is not None:
            raise errors.bad_identity(
                f"{row.number} has left, is packed or is in doubt already.",
                "Open the pack or settle the doubt; what left is told to the plant that has it.",
            )
    set_id = deed.mint()
    one, other = pair.pieces
    truly, booked = {one: other, other: one}, dict(zip(pair.numbers, pair.pieces, strict=True))
    doubted = IdentityDoubted(
        set_id=set_id,
        candidates=pair.pieces,
        numbers=pair.numbers,
        place=pair.place,
        reason="labels swapped",
        since_ms=pair.since_ms,
    )
    deed.record(doubted, (set_id, *pair.pieces))
    heirs = heirs_of(deed, truly, pair.since_ms)
    resolved = IdentityResolved(
        set_id=set_id,
        found=tuple(Found(was, now) for was, now in sorted(truly.items())),
        evidence=pair.evidence,
        heirs=heirs,
        borne=borne_of(deed, booked, truly),
    )
    deed.record(resolved, (set_id, *pair.pieces, *(heir.material_id for heir in heirs)))
    return set_id
