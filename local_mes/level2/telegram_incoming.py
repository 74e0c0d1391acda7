"""A telegram that was taken, as the spool keeps it; the peer's clock is learned on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_mes.level2.spool import Incoming
from local_mes.level2.telegram_rules import Taken
from local_mes.level2.telegrams.times import claimed_ms, zone_offset_min

if TYPE_CHECKING:
    from local_mes.level2.telegram_server import TelegramLink


def incoming_of(link: TelegramLink, taken: Taken, received: int) -> Incoming:
    """What is stored of a telegram received at `received`, ms UTC."""
    head, zone = taken.head, link.zone
    moment = claimed_ms(head.claimed, zone, received)
    if not head.resent:
        # a repeat says when it first was sent; heartbeats often carry no true time at all
        link.state.offset.learn(received, moment)
    return Incoming(
        link=link.link.code,
        message=taken.message[:64],
        sequence=head.sequence,
        claimed=head.claimed,
        claimed_ms=moment,
        received_ms=received,
        offset_ms=link.state.offset.ms,
        zone_offset_min=zone_offset_min(received if moment is None else moment, zone),
        raw=taken.frame.raw,
        body=taken.frame.body if taken.frame.head else taken.frame.raw,
        fields=taken.fields,
        problem=taken.problem,
        always_new=not link.rules.tells_repeats,
        window=link.rules.window,
    )
