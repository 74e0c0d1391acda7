"""Which is which: what people say of the numbers of a set becomes a permutation of its candidates. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from local_mes.production import errors


def permutation(candidates: Sequence[str], booked: Mapping[str, str], said: Mapping[str, str]) -> dict[str, str]:
    """booked: number -> the candidate it was booked for; said: number -> the candidate it turned out to be.

    Every candidate is booked and true once: those that no number turned out to be take what is left, in order, so that
    nothing of either history is lost. Refused when a number is left out or a candidate named twice.
    """
    if set(said) != set(booked):
        raise errors.bad_identity("Every number of the set must be told.", "Say for each number which piece it is.")
    if len(set(said.values())) < len(said) or not set(said.values()) <= set(candidates):
        raise errors.bad_identity("Two numbers cannot be one piece of the set.", "Choose each candidate once.")
    found = {booked[number]: true for number, true in said.items()}
    open_slots = [c for c in candidates if c not in found]
    left = [c for c in candidates if c not in found.values()]
    # a slot keeps its own candidate where that one is left over
    for own in [c for c in open_slots if c in left]:
        found[own] = own
        open_slots.remove(own)
        left.remove(own)
    return found | dict(zip(open_slots, left, strict=True))


def lost(candidates: Sequence[str], said: Mapping[str, str]) -> tuple[str, ...]:
    """Candidates that none of the numbers is."""
    return tuple(c for c in candidates if c not in said.values())
