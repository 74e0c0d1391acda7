"""What one side of a line tells the other of it: the smallest signed call, so it is also how a route is measured.

A plant sends a Sight over each of its routes now and then; the hub keeps the last one and answers with Seen. Nothing
depends on it: it moves no facts and no positions. A hub of an older release has no such door, and syncs all the same.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from sync.messages import TYPE_PREFIX, Hex32, Message, Seq

SIGHT = TYPE_PREFIX + "sight+json"
SEEN = TYPE_PREFIX + "seen+json"

ROUTES_MAX = 32
Count = Annotated[int, msgspec.Meta(ge=0, le=(1 << 62))]
Words = Annotated[str, msgspec.Meta(max_length=500)]


class RouteSight(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One route on one way (up, down), as its caller sees it."""

    name: Annotated[str, msgspec.Meta(max_length=64)]
    way: Annotated[str, msgspec.Meta(max_length=16)]
    url: Words = ""
    priority: Count = 1
    state: Annotated[str, msgspec.Meta(max_length=16)] = "untried"
    chosen: bool = False
    latency_us: Count | None = None
    reason: Words = ""


class Sight(Message, frozen=True, kw_only=True, omit_defaults=True):
    """How the line looks from the calling side.

    run         changes with each start of the sender; bytes_* and bulk_* count from there
    backlog     facts that the peer does not hold; oldest_ms when the first of them was recorded
    heard_ms    the highest time that the peer had signed when this was sent, by the peer's clock; 0: not said
    """

    nonce: Hex32
    run: Hex32
    routes: Annotated[tuple[RouteSight, ...], msgspec.Meta(max_length=2 * ROUTES_MAX)] = ()
    why: Words = ""
    backlog: Seq = 0
    backlog_bytes: Seq = 0
    oldest_ms: int | None = None
    bytes_up: Count = 0
    bytes_down: Count = 0
    bulk_bytes: Count = 0
    bulk_ms: Count = 0
    disk_free_bytes: Count = 0
    disk_full_days: Count | None = None
    quarantined: Count = 0
    standards: Words = ""
    heard_ms: Count = 0


class Seen(Message, frozen=True, kw_only=True, omit_defaults=True):
    """The called side answers: it is who it says, and what time it has."""

    nonce: Hex32
    incarnation: Hex32
