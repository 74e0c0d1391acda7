"""Whole telegrams: header and body together, and the local time in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from local_mes.level2.telegrams.codec import Fields, FormatError, decode_body, encode_body, fixed_size
from local_mes.level2.telegrams.layout import LayoutSet
from shared.clock import to_datetime, to_ms

SEQUENCE_MAX = 9999
FRAME_BYTES_MAX = {"ascii": 9999, "binary": 4096}
"""More than this is a lost frame border, not a telegram."""
_CLOCK_PARTS = (("year", 4), ("month", 2), ("day", 2), ("hour", 2), ("minute", 2), ("second", 2), ("millisecond", 3))


@dataclass(frozen=True)
class Head:
    """What the header says. claimed: `YYYYMMDDhhmmssmmm`, local time of the sender."""

    message: str
    length: int
    sequence: int
    claimed: str
    resent: bool


def header_size(layouts: LayoutSet) -> int:
    """Bytes of the header."""
    return fixed_size(layouts.header.fields)


def decode_head(layouts: LayoutSet, raw: bytes) -> Head:
    """Read a header; FormatError when it is none or its length cannot be."""
    values = decode_body(layouts.header, raw)
    low, high = header_size(layouts), FRAME_BYTES_MAX[layouts.encoding]
    if not low <= values["length"] <= high:
        raise FormatError(f"length: {values['length']} bytes, possible are {low} to {high}")
    if layouts.encoding == "ascii":
        return Head(values["id"], values["length"], values["sequence"], values["time"], "R" in values["flags"])
    claimed = "".join(f"{values[name]:0{digits}d}" for name, digits in _CLOCK_PARTS)
    message = f"{values['prefix']}{values['number']:04d}"
    return Head(message, values["length"], values["sequence"], claimed, bool(values["flags"] & 1))


def encode_telegram(
    layouts: LayoutSet,
    message: str,
    fields: Mapping[str, Any],
    *,
    sequence: int,
    claimed: str,
    sender: str,
    receiver: str,
    resent: bool = False,
) -> bytes:
    """The bytes of a telegram, header included. claimed as in Head."""
    if message not in layouts.messages:
        raise FormatError(f"{message}: no layout")
    body = encode_body(layouts.messages[message], fields)
    head: Fields = {"length": header_size(layouts) + len(body), "sequence": sequence}
    if layouts.encoding == "ascii":
        head |= {"id": message, "time": claimed, "sender": sender, "receiver": receiver, "flags": "R" if resent else ""}
    else:
        head |= {"prefix": message[:2], "number": int(message[2:]), "version": 1, "flags": int(resent)}
        at = 0
        for name, digits in _CLOCK_PARTS:
            head[name] = int(claimed[at : at + digits])
            at += digits
    return encode_body(layouts.header, head) + body


def next_sequence(sequence: int) -> int:
    """1 to 9999 and then 1 again; 0 never comes back."""
    return sequence % SEQUENCE_MAX + 1


def local_text(at_ms: int, zone: ZoneInfo) -> str:
    """A moment as a header says it: local wall clock, milliseconds, no zone."""
    return to_datetime(at_ms).astimezone(zone).strftime("%Y%m%d%H%M%S%f")[:17]


def zone_offset_min(at_ms: int, zone: ZoneInfo) -> int:
    """Minutes the zone is ahead of UTC at a moment."""
    return round((to_datetime(at_ms).astimezone(zone).utcoffset() or timedelta()).total_seconds() / 60)


def claimed_ms(claimed: str, zone: ZoneInfo, received_ms: int) -> int | None:
    """The moment a local text means (header form or ISO); in the doubled hour of autumn the one nearer to receipt.

    None when the text is no time: the message counts all the same, at the time it was received.
    """
    try:
        moment = _parse(claimed)
        choices = [to_ms(moment.replace(tzinfo=moment.tzinfo or zone, fold=fold)) for fold in (0, 1)]
    except (ValueError, OverflowError):
        return None
    return min(choices, key=lambda ms: abs(ms - received_ms))


def _parse(claimed: str) -> datetime:
    if len(claimed) == 17 and claimed.isdigit():
        return datetime.strptime(claimed[:14], "%Y%m%d%H%M%S") + timedelta(milliseconds=int(claimed[14:]))
    return datetime.fromisoformat(claimed)
