"""What a layout says, once it is read and checked: fields, messages, and the rules of the line they travel on. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

INTEGERS = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "i8": 1, "i16": 2, "i32": 4, "i64": 8}
FLOATS = {"f32": 4, "f64": 8}
TEXTS = ("A", "char")
SIZED = {**INTEGERS, **FLOATS}
"""Types whose width in bytes is their own; the others need a width."""

ACKNOWLEDGE = "AK9000"
HEARTBEAT = "HB0001"
HEADER = "HEADER"


@dataclass(frozen=True)
class Field:
    """One field. width in bytes; a group repeats `fields` as often as the field named `count` says, or `times` times.

    low, high, values, required  what is plausible, in the field's own unit
    codes                        number on the wire -> text in the fields
    offset                       where it begins in its telegram or row, None behind a group of changing size
    numerator, denominator       value = number on the wire x numerator / denominator (scale and decimals together)
    fill                         of N: "0" or " " on its left up to the width, nothing in delimited text
    point                        of N: the decimals stand behind a written point
    signed                       of packed: the last half byte is C or D; else F
    constant                     what is sent where nobody gives a value
    """

    name: str
    type: str
    width: int = 0
    offset: int | None = None
    gap: int = 0
    decimals: int = 0
    numerator: int = 1
    denominator: int = 1
    byte_order: Literal["big", "little"] = "big"
    code_page: str = "ascii"
    fill: str = "0"
    point: bool = False
    signed: bool = True
    unit: str = ""
    low: float | None = None
    high: float | None = None
    values: tuple[Any, ...] = ()
    codes: Mapping[int, str] = field(default_factory=dict)
    required: bool = False
    optional: bool = False
    description: str = ""
    example: Any = None
    constant: Any = None
    count: str = ""
    max_count: int = 0
    times: int = 0
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, eq=False)
class Layout:
    """The body of a message (or the header, id HEADER); several messages may share one layout.

    delimiter  between the fields of delimited text, else nothing; end ends the telegram and is in no field
    reply      the message that answers this one, where the line answers each request in kind
    """

    ids: tuple[str, ...]
    title: str
    direction: str
    encoding: str
    when: str
    fields: tuple[Field, ...]
    delimiter: bytes = b""
    end: bytes = b""
    reply: str = ""
    file: str = ""
    tail: int = 0
    """Bytes behind the last field that say nothing."""


@dataclass(frozen=True)
class Protocol:
    """The rules of the line, from the header's file.

    border          how a telegram ends: by the header's `length`, or by the bytes `end`
    length_counts   what `length` counts: the whole telegram, or what follows the header
    acknowledge     none; positive: stored or no answer; code: also why not; reply: each message by the one it names
    resent          what `flags` says of a repeat: a letter in it, or a bit of a number
    """

    border: Literal["length", "end"] = "length"
    end: bytes = b""
    length_counts: Literal["telegram", "body"] = "telegram"
    bytes_max: int = 9999
    acknowledge: Literal["none", "positive", "code", "reply"] = "code"
    acknowledge_id: str = ACKNOWLEDGE
    heartbeat_id: str = HEARTBEAT
    sequence_first: int = 1
    sequence_last: int = 9999
    time_format: str = "YYYYMMDDhhmmssmmm"
    resent: str = "R"
    resent_bit: int = 1

    def next_sequence(self, sequence: int) -> int:
        """The number after one, or the first again."""
        return sequence + 1 if self.sequence_first <= sequence < self.sequence_last else self.sequence_first


@dataclass(frozen=True, eq=False)
class LayoutSet:
    """All layouts of a link kind: one header, one encoding, one set of rules, messages by id."""

    header: Layout
    messages: Mapping[str, Layout]
    protocol: Protocol = Protocol()

    @property
    def encoding(self) -> str:
        """'ascii', 'ebcdic', 'binary' or 'delimited'."""
        return self.header.encoding

    def has_header_of(self, other: LayoutSet) -> bool:
        """Whether telegrams are cut, numbered and answered alike."""
        mine, theirs = (
            (one.protocol, one.encoding, one.header.fields, one.header.delimiter, one.header.end, one.header.tail)
            for one in (self, other)
        )
        return mine == theirs

    @property
    def service_ids(self) -> frozenset[str]:
        """Messages of the line itself, which mean nothing to the plant: acknowledgements, heartbeats, replies."""
        replies = {layout.reply for layout in self.messages.values() if layout.reply}
        return frozenset({self.protocol.acknowledge_id, self.protocol.heartbeat_id, *replies} - {""})
