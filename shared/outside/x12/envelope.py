"""The envelope of X12: interchange, functional group, transaction set, with the counts and control numbers that close them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.outside.x12.values import TEXT_MAX, Broken

Segment = tuple[str, ...]
BYTES_MAX = 1 << 20
"""An interchange of a processor's day is some kilobytes."""
TRANSACTIONS_MAX = 100
"""Transaction sets of an interchange: one for each load or step of a day."""
_ISA_LENGTH = 106
_ISA_ELEMENTS = 17
VERSION = "004010"


@dataclass(frozen=True)
class Transaction:
    """One transaction set: its message, whose it is, the segments between ST and SE, and what names it for ever."""

    message: str
    sender: str
    control: str
    segments: Sequence[Segment]


def wrap(message: str, group: str, sender: str, receiver: str, at_ms: int, segments: Sequence[Segment]) -> str:
    """An interchange with one transaction set. Its control number follows from the time in seconds."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    control = f"{at_ms // 1000 % 10**9:09d}"
    short = str(int(control))
    day, clock = at.strftime("%Y%m%d"), at.strftime("%H%M")
    isa = ("ISA", "00", " " * 10, "00", " " * 10, "ZZ", f"{sender:15.15}", "ZZ", f"{receiver:15.15}")
    lines: list[Segment] = [
        (*isa, day[2:], clock, "U", "00401", control, "0", "P", ":"),
        ("GS", group, sender, receiver, day, clock, short, "X", VERSION),
        ("ST", message, "0001"),
        *segments,
        ("SE", str(len(segments) + 2), "0001"),
        ("GE", "1", short),
        ("IEA", "1", control),
    ]
    return "".join("*".join(_trimmed(line)) + "~\n" for line in lines)


def unwrap(content: bytes) -> list[Transaction]:
    """The transaction sets of an interchange, its counts and control numbers checked. Broken names what does not fit."""
    if len(content) > BYTES_MAX:
        raise Broken(f"an interchange has at most {BYTES_MAX} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Broken("it is not UTF-8 text") from None
    if not text.startswith("ISA") or len(text) < _ISA_LENGTH:
        raise Broken("it does not begin with an ISA segment of 106 characters")
    element, end = text[3], text[105]
    segments = [tuple(part.strip("\r\n").split(element)) for part in text.split(end) if part.strip()]
    isa, last = segments[0], segments[-1]
    if len(isa) != _ISA_ELEMENTS:
        raise Broken("ISA has not 16 elements")
    if last[0] != "IEA" or len(last) < 3 or last[2] != isa[13]:
        raise Broken("IEA does not close the interchange: it is cut off, or its control number differs")
    return _groups(segments[1:-1], isa[6].strip(), isa[13])


def _groups(segments: Sequence[Segment], sender: str, interchange: str) -> list[Transaction]:
    found: list[Transaction] = []
    group, at = "", 0
    while at < len(segments):
        name = segments[at][0]
        if name == "GS":
            group = _element(segments[at], 6)
        elif name == "ST":
            end = next((i for i in range(at, len(segments)) if segments[i][0] == "SE"), None)
            if end is None:
                raise Broken("a transaction set has no SE")
            if len(found) >= TRANSACTIONS_MAX:
                raise Broken(f"an interchange has at most {TRANSACTIONS_MAX} transaction sets")
            found.append(_transaction(segments[at : end + 1], sender, f"{interchange}.{group}"))
            at = end
        elif name != "GE":
            raise Broken(f"{name[:10]} stands outside any transaction set")
        at += 1
    if not found:
        raise Broken("it holds no transaction set")
    return found


def _transaction(segments: Sequence[Segment], sender: str, prefix: str) -> Transaction:
    head, end = segments[0], segments[-1]
    if _element(end, 2) != _element(head, 2):
        raise Broken(f"SE closes {_element(end, 2)}, ST opened {_element(head, 2)}")
    if _element(end, 1) != str(len(segments)):
        raise Broken(f"SE counts {_element(end, 1)} segments, {len(segments)} are there")
    return Transaction(_element(head, 1), sender, f"{sender}.{prefix}.{_element(head, 2)}", segments[1:-1])


def _element(segment: Segment, at: int) -> str:
    text = segment[at] if at < len(segment) else ""
    if len(text) > TEXT_MAX:
        raise Broken(f"{segment[0]}{at:02d} has more than {TEXT_MAX} characters")
    return text


def _trimmed(segment: Segment) -> Segment:
    """Trailing empty elements are left out, as X12 has it; ISA is of fixed length."""
    if segment[0] == "ISA":
        return segment
    end = len(segment)
    while end > 1 and not segment[end - 1]:
        end -= 1
    return segment[:end]
