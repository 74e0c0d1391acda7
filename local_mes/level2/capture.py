"""A capture: what links said in a stretch of time, as the spool keeps it, in a file that can be played again.

One JSON object a line: first what the capture is, then the messages in the order they came, with their bytes, last how
many they are, so that a file whose download was cut is not taken for a whole one. The spool is durable before a peer is
answered, so a capture lacks nothing that was acknowledged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Engine, func, select

from local_mes.level2.errors import bad_capture, bad_moment, given_up
from local_mes.level2.spool_tables import message, pruned
from shared.clock import to_ms
from shared.db.engine import read

VERSION = 1
PAGE = 500
"""Messages read at a time: a MB or so in memory, some ms of reading."""


class Title(msgspec.Struct, kw_only=True, frozen=True):
    """The first line. Times in ms since 1970 UTC; no links: all; counted: a last line says how many messages there are."""

    strandline_capture: int = VERSION
    plant: str
    links: tuple[str, ...] = ()
    from_ms: int
    to_ms: int
    counted: bool = False


class End(msgspec.Struct, kw_only=True, frozen=True):
    """The last line; captures of earlier releases have none."""

    strandline_capture_end: int


END = b'{"strandline_capture_end"'


class Captured(msgspec.Struct, kw_only=True, frozen=True):
    """One message as it was received; raw is base64 in the file."""

    link: str
    message: str
    sequence: int
    claimed: str
    claimed_ms: int | None
    received_ms: int
    offset_ms: int
    zone_offset_min: int
    raw: bytes
    fields: dict[str, Any]
    problem: str = ""


def capture(spool: Engine, plant: str, links: Collection[str], from_ms: int, to_ms: int) -> Iterator[bytes]:
    """The lines of a capture: messages received from from_ms on and before to_ms. Refused where some are gone or go."""
    _refuse_pruned(spool, links, from_ms)
    return _lines(spool, plant, links, from_ms, to_ms)


def _refuse_pruned(spool: Engine, links: Collection[str], from_ms: int) -> None:
    gone_to = find_pruned_to(spool, links)
    if from_ms <= gone_to:
        raise given_up(gone_to)


def find_pruned_to(spool: Engine, links: Collection[str]) -> int:
    """Up to when messages of these links (none named: of any) were given up, ms; 0 while all are there."""
    query = select(func.max(pruned.c.received_ms))
    if links:
        query = query.where(pruned.c.link.in_(links))
    with read(spool) as conn:
        return conn.execute(query).scalar() or 0


def _lines(spool: Engine, plant: str, links: Collection[str], from_ms: int, to_ms: int) -> Iterator[bytes]:
    title = Title(plant=plant, links=tuple(sorted(links)), from_ms=from_ms, to_ms=to_ms, counted=True)
    yield msgspec.json.encode(title) + b"\n"
    count = 0
    for row in _rows(spool, links, from_ms, to_ms):
        yield msgspec.json.encode(_captured(row)) + b"\n"
        count += 1
    yield msgspec.json.encode(End(strandline_capture_end=count)) + b"\n"


def _rows(spool: Engine, links: Collection[str], from_ms: int, to_ms: int) -> Iterator[Any]:
    c = message.c
    wanted = [c.received_ms >= from_ms, c.received_ms < to_ms, *([c.link.in_(links)] if links else [])]
    with read(spool) as conn:
        last, end = conn.execute(select(func.min(c.spool_id) - 1, func.max(c.spool_id)).where(*wanted)).one()
    if end is None:
        return
    # along the primary key: any other index would be read and sorted anew for each page
    query = select(message).with_hint(message, "NOT INDEXED", "sqlite").where(c.spool_id <= end, *wanted)
    while last < end:
        # a page a transaction: a slow reader would else keep the spool's log growing for as long as it takes
        with read(spool) as conn:
            rows = conn.execute(query.where(c.spool_id > last).order_by(c.spool_id).limit(PAGE)).all()
        _refuse_pruned(spool, links, from_ms)
        yield from rows
        last = rows[-1].spool_id if rows else end


def _captured(row: Any) -> Captured:
    values = {name: getattr(row, name) for name in Captured.__struct_fields__ if name not in ("raw", "fields")}
    return Captured(raw=bytes(row.raw), fields=msgspec.json.decode(row.fields), **values)


def read_capture(lines: Iterable[bytes]) -> tuple[Title, list[Captured]]:
    """What a file holds; BadInput names the line that is none of a capture, or says that the end is missing."""
    rows = iter(enumerate(lines, 1))
    number, what = 1, "the first line is missing"
    try:
        number, line = next(rows)
        title = msgspec.json.decode(line, type=Title)
        if title.strandline_capture != VERSION:
            raise bad_capture(1, f"its version is {title.strandline_capture}, this release reads {VERSION}")
        found: list[Captured] = []
        for number, line in rows:
            if line.startswith(END):
                return title, _whole(number, found, msgspec.json.decode(line, type=End), rows)
            found.append(msgspec.json.decode(line, type=Captured))
    except StopIteration:
        raise bad_capture(number, what) from None
    except msgspec.DecodeError as error:
        raise bad_capture(number, str(error)) from error
    if title.counted:
        raise bad_capture(number + 1, "the line that ends a capture is missing, so the file is not whole")
    return title, found


def _whole(number: int, found: list[Captured], end: End, rest: Iterable[object]) -> list[Captured]:
    """The messages, when they are as many as the last line says and nothing follows it."""
    if end.strandline_capture_end != len(found):
        raise bad_capture(number, f"it counts {end.strandline_capture_end} messages, the file holds {len(found)}")
    if any(True for _ in rest):
        raise bad_capture(number + 1, "something follows the line that ends a capture")
    return found


def parse_moment(text: str, zone: ZoneInfo) -> int:
    """ISO date and time as ms; without an offset it is the plant's local time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise bad_moment(text) from error
    return to_ms(moment if moment.tzinfo else moment.replace(tzinfo=zone))
