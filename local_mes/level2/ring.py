"""The arithmetic of an event ring: which sequences are to be read, which are lost, what a slot says. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

RING_SLOTS = 1_000
UNREADABLE = "unreadable"
"""Name of an event whose slot does not say what it is."""


@dataclass(frozen=True)
class Wanted:
    """Sequences to read from the ring, and those that are no longer in it."""

    read: range
    lost: range


@dataclass(frozen=True)
class Event:
    """One event. problem says why a slot's text could not be read; it is kept and mended like any other."""

    name: str
    claimed: str
    fields: dict[str, Any]
    raw: bytes
    problem: str = ""


class _Slot(msgspec.Struct):
    seq: int
    unit: str = ""
    event: str = ""
    time: str = ""
    fields: dict[str, Any] = {}


def missing_slots(newest: int, acknowledged: int) -> Wanted:
    """What lies between AckSeq and EventCounter.

    A counter below the acknowledged sequence is a server that began again: all its ring is read, and what was stored
    before is recognised.
    """
    first = acknowledged + 1 if acknowledged <= newest else 1
    oldest = max(1, newest - RING_SLOTS + 1)
    if first >= oldest:
        return Wanted(range(first, newest + 1), range(0))
    lost = range(first, oldest) if acknowledged <= newest else range(0)
    return Wanted(range(oldest, newest + 1), lost)


def read_event(sequence: int, value: object) -> Event | None:
    """The event of a slot; None when the slot holds another sequence or nothing."""
    raw = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else b""
    if not raw:
        return None
    try:
        slot = msgspec.json.decode(raw, type=_Slot)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Event(UNREADABLE, "", {}, raw, f"The event cannot be read: {error}.")
    if slot.seq != sequence:
        return None
    name = f"{slot.unit}.{slot.event}" if slot.unit and slot.event else UNREADABLE
    problem = "" if name != UNREADABLE else "The event names no unit or no event."
    return Event(name[:64], slot.time[:64], slot.fields, raw, problem)
