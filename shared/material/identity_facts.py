"""Pieces that are not certain of themselves: swapped or lost in a furnace or a yard, and what they turned out to be.

A set of candidates (identities, with all that is known of them) stands against a set of numbers (what was booked). It is
a legal state: the pieces are held by it, and so is what becomes of them, until people say which is which.
"""

from __future__ import annotations

import msgspec

from shared.journal.fact import Payload, fact
from shared.material.facts import NewAlias


@fact("IdentityDoubted")
class IdentityDoubted(Payload, frozen=True, kw_only=True):
    """Each of these numbers may be any of these candidates since a time."""

    set_id: str
    candidates: tuple[str, ...]
    numbers: tuple[str, ...]
    place: str
    reason: str
    since_ms: int
    """What was booked before is certain."""


class Found(msgspec.Struct, frozen=True):
    """What was booked for `booked` since the doubt began, happened to `truly`."""

    booked: str
    truly: str


class Heir(msgspec.Struct, frozen=True):
    """A piece made meanwhile, with the heat and the steel that it truly has."""

    material_id: str
    heat_number: str
    chemistry_e6: dict[str, int]


class Borne(msgspec.Struct, frozen=True):
    """A label that is on another piece than was booked: it is right on `material_id`, and was wrong on `was`."""

    alias: NewAlias
    material_id: str
    was: str


@fact("IdentityResolved")
class IdentityResolved(Payload, frozen=True, kw_only=True):
    """People know which is which again: a permutation of the candidates, with the evidence."""

    set_id: str
    found: tuple[Found, ...]
    evidence: str
    heirs: tuple[Heir, ...] = ()
    borne: tuple[Borne, ...] = ()
    """Labels that go with the steel; empty where only bookings were mixed up."""
    lost: tuple[str, ...] = ()
    """Candidates that none of the numbers turned out to be: not found yet."""
