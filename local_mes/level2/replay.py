"""A capture played into a plant made for it: over the real ports, in the captured order, at any speed.

The plant lives by a clock file, which this sets: it shows each message's time of receipt as the message is sent, and
runs on from there at the speed of the replay, never past the next message. The next is sent when the last one is on the
plant's disk and read, so what the plant makes of the day does not depend on the speed.
Telegrams and the events of a ring go over the link's port, byte for byte; what came over other kinds of link is put into
the spool directly.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import msgspec
from sqlalchemy import Engine, func, select

from local_mes.level2.capture import Captured
from local_mes.level2.drivers.port import read_settings
from local_mes.level2.errors import not_taken
from local_mes.level2.interpret import get_position
from local_mes.level2.links import Link, LinkPlan, split_address
from local_mes.level2.spool import Incoming, append, get_key
from local_mes.level2.spool_tables import message
from local_mes.level2.telegram_rules import TelegramRules
from local_mes.level2.telegram_server import TelegramSettings
from local_mes.level2.telegrams.frame import Framer, encode_telegram
from local_mes.level2.telegrams.layout import LayoutSet
from shared.clock import ClockSignal, SystemClock
from shared.db.engine import read, write

TAKEN_WITHIN_S = 30.0
LOOK_S = 0.004
REST_S = 0.2
NO_LIMIT_MS = 10**15


class Hands(Protocol):
    """What moves the replayed plant's clock: it shows at_ms and runs on at speed, never past limit_ms."""

    def show(self, at_ms: int, speed: float, limit_ms: int) -> None: ...


class OtherEnd(Protocol):
    """Level 2 at the far end of one link's port. OSError: the connection is not what it was."""

    def say(self, row: Captured) -> None: ...

    def live(self) -> None: ...

    def listen(self) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class ClockFile:
    """Hands of a plant that follows a clock file."""

    file: Path

    def show(self, at_ms: int, speed: float, limit_ms: int) -> None:
        """Write the signal, as a whole."""
        signal = ClockSignal(real_ms=SystemClock().now_ms(), virtual_ms=at_ms, speed=speed, not_after_ms=limit_ms)
        new = self.file.with_suffix(".new")
        new.write_bytes(msgspec.json.encode(signal))
        new.replace(self.file)


@dataclass
class Target:
    """The plant that is replayed into. reads: its node's database, to see how far it has read; None: not waited for."""

    plan: LinkPlan
    spool: Engine
    hands: Hands
    reads: Engine | None = None
    peers: dict[str, OtherEnd] = field(default_factory=dict)


def replay(
    target: Target, messages: Iterable[Captured], speed: float, told: Callable[[int], None] = lambda _done: None
) -> int:
    """Play the messages; returns how many. told hears after each how many are done. Unavailable: one was not taken."""
    rows = list(messages)
    begin, count = time.monotonic(), 0
    with _peers(target, rows):
        for row, following in zip(rows, [*rows[1:], None], strict=True):
            due = begin + (row.received_ms - rows[0].received_ms) / 1000 / speed
            _rest(target, due)
            target.hands.show(row.received_ms, speed, row.received_ms)
            _deliver(target, row)
            target.hands.show(row.received_ms, speed, following.received_ms if following else NO_LIMIT_MS)
            count += 1
            told(count)
    return count


def _rest(target: Target, until: float) -> None:
    """Wait, and meanwhile be a peer that lives."""
    while (left := until - time.monotonic()) > 0:
        for peer in target.peers.values():
            peer.live()
        time.sleep(min(left, REST_S))


def _deliver(target: Target, row: Captured) -> None:
    before = _newest(target.spool, row.link)
    peer = target.peers.get(row.link)
    if peer is None:
        with write(target.spool) as conn:
            append(conn, _incoming(row))
    else:
        try:
            peer.say(row)
        except OSError as error:
            raise not_taken(row.link, row.message, f"the connection ended ({error.strerror or error})") from error
    end = time.monotonic() + TAKEN_WITHIN_S
    while (at := _newest(target.spool, row.link)) == before:
        if peer is not None:
            peer.listen()
        if time.monotonic() > end:
            raise not_taken(row.link, row.message, "it is not in the spool; the link refused it, or has it already")
        time.sleep(LOOK_S)
    while target.reads is not None and not _has_read(target.spool, target.reads, at):
        if time.monotonic() > end:
            raise not_taken(row.link, row.message, "it is in the spool and nobody reads it")
        time.sleep(LOOK_S)


def _newest(spool: Engine, link: str) -> int:
    with read(spool) as conn:
        return conn.execute(select(func.max(message.c.spool_id)).where(message.c.link == link)).scalar() or 0


def _has_read(spool: Engine, node: Engine, spool_id: int) -> bool:
    with read(node) as conn:
        return get_position(conn, get_key(spool)) >= spool_id


def _incoming(row: Captured) -> Incoming:
    return Incoming(
        link=row.link,
        message=row.message,
        sequence=row.sequence,
        claimed=row.claimed,
        claimed_ms=row.claimed_ms,
        received_ms=row.received_ms,
        offset_ms=row.offset_ms,
        zone_offset_min=row.zone_offset_min,
        raw=row.raw,
        body=row.raw,
        fields=row.fields,
        problem=row.problem,
    )


class Peer:
    """Level 2 at the other end of one telegram link: says what it is told to, and accepts what comes down."""

    def __init__(self, link: Link, layouts: LayoutSet) -> None:
        down = [name for name, layout in layouts.messages.items() if layout.direction != "up"]
        self._link, self._layouts, self._rules = link, layouts, TelegramRules(layouts, down)
        self._framer = Framer(layouts)
        self._socket = _connect(link)
        self._sent = time.monotonic()

    def say(self, row: Captured) -> None:
        """Send a telegram as it was."""
        self.send(row.raw)

    def send(self, raw: bytes) -> None:
        """Send a telegram."""
        self._socket.settimeout(TAKEN_WITHIN_S)
        self._socket.sendall(raw)
        self._sent = time.monotonic()

    def live(self) -> None:
        """Take what has come, and tell that it lives where it was quiet for half a heartbeat."""
        self.listen()
        beat = self._layouts.protocol.heartbeat_id
        if beat and time.monotonic() - self._sent > self._link.heartbeat_s / 2:
            self.send(self._encode(beat, {}))

    def listen(self) -> None:
        """Take what has come, without waiting, and accept what is an order."""
        self._socket.settimeout(0)
        try:
            data = self._socket.recv(65_536)
        except BlockingIOError:
            return
        for frame in self._framer.feed(data):
            taken = self._rules.take(frame)
            answer = self._rules.answer(taken) if taken.kind == "data" else None
            if answer is not None:
                self.send(self._encode(*answer))

    def _encode(self, name: str, fields: Mapping[str, object]) -> bytes:
        return encode_telegram(
            self._layouts,
            name,
            fields,
            sequence=0,
            claimed="19700101000000000",  # nobody reads the time of an acknowledgement
            sender=self._link.peer,
            receiver=self._link.name,
        )

    def close(self) -> None:
        """End the connection."""
        self._socket.close()


def _connect(link: Link) -> socket.socket:
    end = time.monotonic() + TAKEN_WITHIN_S
    while True:
        try:
            return socket.create_connection(split_address(link), timeout=TAKEN_WITHIN_S)
        except OSError as error:
            if time.monotonic() > end:
                raise not_taken(link.code, "The connection", f"{link.address}: {error.strerror or error}") from error
            time.sleep(0.2)


@contextmanager
def _peers(target: Target, rows: list[Captured]) -> Iterator[None]:
    """The other end of each link that has one to be played."""
    first = {row.link: row for row in reversed(rows)}
    with ExitStack() as stack:
        for code in sorted(first.keys() & target.plan.links.keys()):
            peer = _other_end(target.plan, first[code])
            if peer is not None:
                target.peers[code] = peer
                stack.callback(peer.close)
        yield
        target.peers.clear()


def _other_end(plan: LinkPlan, first: Captured) -> OtherEnd | None:
    """Where the plant listens, or calls a ring on this machine; first: the first message of the link."""
    link, layouts = plan.links[first.link], plan.layouts.get(first.link)
    if link.kind == "telegram" and layouts is not None:
        return Peer(link, layouts) if read_settings(link, TelegramSettings).side == "server" else None
    if link.kind != "opcua":
        return None
    from local_mes.level2.opcua.replayed import RingPeer, can_play

    try:
        return RingPeer(link, first.sequence) if can_play(link) else None
    except OSError as error:
        why = error.strerror or str(error) or type(error).__name__
        raise not_taken(link.code, "The server's place", f"{link.address}: {why}") from error
