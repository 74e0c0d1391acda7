"""Whole telegrams: header and body together, as the rules of the line say, and back from a stream of bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from msgspec import Struct

from local_mes.level2.telegrams.codec import Fields, FormatError, compiled, decode_body, encode_body, fixed_size
from local_mes.level2.telegrams.layout import TEXTS, Field, LayoutSet
from local_mes.level2.telegrams.times import read_claimed, write_claimed

_KEPT = range(-(2**63), 2**63)
"""Sequence numbers that the spool can keep."""
_SHORT_YEARS = {("bcd", 1), ("N", 2), ("u8", 1)}


class Head(Struct, frozen=True, gc=False):
    """What the header says. claimed: `YYYYMMDDhhmmssmmm`, local time of the sender, or its own text if it is no time.

    length: of the whole telegram in bytes, what ends it not counted.
    """

    message: str
    length: int
    sequence: int
    claimed: str
    resent: bool


class Stamp(NamedTuple):
    """What a telegram to be sent says in its header. claimed: `YYYYMMDDhhmmssmmm`, local time."""

    message: str
    sequence: int
    claimed: str
    sender: str
    receiver: str
    resent: bool = False


class Frame(Struct, frozen=True, gc=False):
    """One telegram of a stream. head is None where it could not be read, why says why; raw is all of it."""

    head: Head | None
    raw: bytes
    body: bytes
    why: str = ""


@lru_cache(maxsize=64)
def header_size(layouts: LayoutSet) -> int:
    """Bytes of a header of fixed width."""
    return fixed_size(layouts.header.fields) + layouts.header.tail


def decode_head(layouts: LayoutSet, raw: bytes) -> Head:
    """Read a header; FormatError when it is none or its length cannot be."""
    values, rules = decode_body(layouts.header, raw), layouts.protocol
    length = 0
    if rules.border == "length":
        size = header_size(layouts)
        length = values["length"] + (size if rules.length_counts == "body" else 0)
        if not size <= length <= rules.bytes_max:
            raise FormatError(f"length: {length} bytes, possible are {size} to {rules.bytes_max}")
    message = str(values["id"]) if "id" in values else f"{values['prefix']}{values['number']:04d}"
    flags = values.get("flags", "")
    resent = bool(rules.resent) and rules.resent in flags if isinstance(flags, str) else bool(flags & rules.resent_bit)
    sequence = values.get("sequence") or 0
    if sequence not in _KEPT:
        raise FormatError(f"sequence: {sequence} is beyond what can be kept")
    return Head(message, length, sequence, read_claimed(values, rules.time_format), resent)


def encode_head(layouts: LayoutSet, stamp: Stamp, body_bytes: int) -> bytes:
    """The header's bytes; FormatError names what it cannot carry."""
    rules, known = layouts.protocol, _stamped(stamp)
    known |= write_claimed(stamp.claimed, rules.time_format)
    values: Fields = {f.name: known[f.name] if f.name in known else _own_value(f) for f in layouts.header.fields}
    for f in layouts.header.fields:
        if f.name == "id" and f.type not in TEXTS and not f.codes and stamp.message.isdigit():
            values["id"] = int(stamp.message)
        elif f.name == "year" and (f.type, f.width) in _SHORT_YEARS:
            values["year"] %= 100
    if "length" in values:
        values["length"] = body_bytes + (0 if rules.length_counts == "body" else header_size(layouts))
    if "flags" in values:
        is_text = isinstance(values["flags"], str)
        repeat: Any = rules.resent if is_text else rules.resent_bit
        values["flags"] = repeat if stamp.resent else values["flags"]
    return encode_body(layouts.header, values)


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
    """The bytes of a telegram, header and what ends it included. claimed as in Stamp."""
    return encode_stamped(layouts, Stamp(message, sequence, claimed, sender, receiver, resent), fields)


def encode_stamped(layouts: LayoutSet, stamp: Stamp, fields: Mapping[str, Any]) -> bytes:
    """The same of a stamp."""
    return Stamped(layouts, stamp).encode(fields)


class Stamped:
    """Telegrams of one stamp that leave together: what they share is made once."""

    def __init__(self, layouts: LayoutSet, stamp: Stamp) -> None:
        layout = layouts.messages.get(stamp.message)
        if layout is None:
            raise FormatError(f"{stamp.message}: no layout")
        self._layouts, self._stamp = layouts, stamp
        self._body = compiled(layout).encode
        self._between = layouts.header.delimiter if layout.fields else b""
        self._heads: dict[int, bytes] = {}

    def encode(self, fields: Mapping[str, Any]) -> bytes:
        """One of them; FormatError names what it cannot carry."""
        body = self._body(fields)
        head = self._heads.get(len(body))
        if head is None:
            head = self._heads[len(body)] = encode_head(self._layouts, self._stamp, len(body)) + self._between
        return head + body + self._layouts.protocol.end


class Framer:
    """Cuts a stream into telegrams. Pure: bytes in, telegrams out.

    Where a length says how long a telegram is, a header that cannot be read loses the border for good: FormatError.
    Where bytes end it, only that telegram is lost: a Frame without a head.
    """

    def __init__(self, layouts: LayoutSet) -> None:
        self.layouts = layouts
        self._size = header_size(layouts)
        self._bytes = bytearray()
        self._head: Head | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the stream stands at a border."""
        return not self._bytes

    @property
    def rest(self) -> bytes:
        """What was fed and is no telegram yet, or never will be one."""
        return bytes(self._bytes)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The telegrams that are whole now."""
        self._bytes += data
        return self._by_length() if self.layouts.protocol.border == "length" else self._by_end()

    def _by_length(self) -> Iterator[Frame]:
        whole, at = bytes(self._bytes), 0
        try:
            while True:
                head = self._head
                if head is None:
                    if len(whole) - at < self._size:
                        return
                    head = self._head = decode_head(self.layouts, whole[at : at + self._size])
                end = at + head.length
                if len(whole) < end:
                    return
                raw, at, self._head = whole[at:end], end, None
                yield Frame(head, raw, raw[self._size :])
        finally:
            del self._bytes[:at]

    def _by_end(self) -> Iterator[Frame]:
        end, most = self.layouts.protocol.end, self.layouts.protocol.bytes_max
        *lines, rest = bytes(self._bytes).split(end)
        self._bytes[:] = rest
        for line in lines:
            yield self._line(line, line + end)
        if len(rest) > most:
            raise FormatError(f"no end within {most} bytes")

    def _line(self, line: bytes, raw: bytes) -> Frame:
        try:
            first, body, has_body = self._split(line)
            head = decode_head(self.layouts, first)
            layout = self.layouts.messages.get(head.message)
            if layout and layout.fields and not has_body:
                return Frame(head, raw, body, f"{layout.fields[0].name}: the telegram ends before it")
            return Frame(Head(head.message, len(line), head.sequence, head.claimed, head.resent), raw, body)
        except FormatError as error:
            return Frame(None, raw, b"", f"A header that cannot be read: {error}")

    def _split(self, line: bytes) -> tuple[bytes, bytes, bool]:
        delimiter = self.layouts.header.delimiter
        if not delimiter:
            return line[: self._size], line[self._size :], True
        parts = line.split(delimiter, len(self.layouts.header.fields))
        many = len(parts) > len(self.layouts.header.fields)
        return delimiter.join(parts[:-1] if many else parts), parts[-1] if many else b"", many


def _stamped(stamp: Stamp) -> Fields:
    number = stamp.message[2:]
    known: Fields = {
        "id": stamp.message,
        "prefix": stamp.message[:2],
        "sequence": stamp.sequence,
        "sender": stamp.sender,
        "receiver": stamp.receiver,
    }
    return known | ({"number": int(number)} if number.isdigit() else {})


def _own_value(f: Field) -> Any:
    """What a header field says that no telegram gives a value: its constant, or the only one it allows."""
    if f.constant is not None:
        return f.constant
    if len(f.values) == 1:
        return f.values[0]
    if f.low is not None and f.low == f.high:
        return f.low
    return "" if f.type in TEXTS else 0
