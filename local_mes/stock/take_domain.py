"""A stock-take: what books and yard do not agree about. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Booked:
    """A piece as the books have it; since_ms: when it came to its place."""

    material_id: str
    number: str
    place: str
    since_ms: int
    state: str = "live"


@dataclass(frozen=True, slots=True)
class Counted:
    """A number that somebody saw at a place."""

    number: str
    place: str
    at_ms: int
    by: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """kind: missing | found | elsewhere; piece None: nobody knows the number."""

    kind: str
    number: str
    expected_place: str
    found_place: str
    piece: Booked | None = None


def differences(
    area: str, opened_ms: int, expected: Sequence[Booked], counted: Sequence[Counted], known: Mapping[str, Booked]
) -> list[Difference]:
    """By kind and number. expected: live pieces in the area; known: the piece of each counted number.

    Cranes go on working meanwhile: what came to its place after the count began is not missing, and what was moved after
    it was counted lies where the move says.
    """
    seen = {known[line.number].material_id for line in counted if line.number in known}
    found = [
        Difference("missing", piece.number, piece.place, "", piece)
        for piece in expected
        if piece.material_id not in seen and piece.since_ms < opened_ms
    ]
    for line in counted:
        piece = known.get(line.number)
        if piece is None or piece.state != "live":
            found.append(Difference("found", line.number, piece.place if piece else "", line.place, piece))
        elif piece.since_ms <= line.at_ms and not agrees(area, piece.place, line.place):
            found.append(Difference("elsewhere", line.number, piece.place, line.place, piece))
    return sorted(found, key=lambda one: (one.kind, one.number))


def agrees(area: str, booked: str, counted: str) -> bool:
    """Whether a place in the books fits one that was counted, which may say less (the row, or the area alone)."""
    said = counted or area
    return booked == said or (booked.startswith((f"{said}-", f"{said} ")) and booked != missing_place(area))


def missing_place(area: str) -> str:
    """Where the books have a piece that a count did not find."""
    return f"{area} missing"
