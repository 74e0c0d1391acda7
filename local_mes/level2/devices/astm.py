"""ASTM E1381 / LIS1-A: how an analyser hands over a message, frame by frame; ASTM E1394 / LIS2-A2: what is in it.

The sender asks (ENQ), sends frames that each must be acknowledged, and ends (EOT). The frame with the terminator record
`L` is acknowledged only when the whole message is on disk: an analyser that hears nothing sends it all again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from local_mes.level2.devices.burns import Value, read_element, read_value
from local_mes.level2.devices.tcp import MESSAGE_MAX, Wire

STX, ETX, EOT, ENQ, ACK, NAK, ETB = b"\x02", b"\x03", b"\x04", b"\x05", b"\x06", b"\x15", b"\x17"
FRAME_MAX = 64_000
"""Text of a frame: 63,993 in LIS1-A, 240 in its elder."""
FRAME_S = 30.0
"""The sender's own patience within a message: after it, it begins again."""
Keep = Callable[[bytes], Awaitable[None]]


async def receive(wire: Wire, keep: Keep) -> None:
    """One message from ENQ to EOT. keep: puts the text of a whole message (up to `L`) on disk."""
    while await wire.byte() != ENQ:
        continue  # the rest of what another connection began
    await wire.send(ACK)
    message = _Message(keep)
    while (sign := await wire.byte(FRAME_S)) != EOT:
        if sign == ENQ:  # it begins again
            message = _Message(keep)
            await wire.send(ACK)
        elif sign == STX:
            frame = await _frame(wire)
            await wire.send(ACK if frame is not None and await message.takes(frame) else NAK)


class _Message:
    """The frames so far: numbered from 1, modulo 8."""

    def __init__(self, keep: Keep) -> None:
        self._keep, self._text, self._number = keep, b"", 1

    async def takes(self, frame: bytes) -> bool:
        """Whether the frame is the one that is due, or the one before it again: then our answer was not heard."""
        number, text = frame[:1], frame[1:]
        if number == b"%d" % ((self._number - 1) % 8):
            return True
        if number != b"%d" % self._number:
            return False
        self._text, self._number = self._text + text, (self._number + 1) % 8
        if len(self._text) > MESSAGE_MAX:
            raise ConnectionError(f"It sent {len(self._text)} bytes without an end of a message.")
        if any(record.startswith(b"L|") for record in self._text.split(b"\r")):
            whole, self._text = self._text, b""
            await self._keep(whole)
        return True


async def _frame(wire: Wire) -> bytes | None:
    """Frame number and text behind STX; None when the checksum is wrong."""
    body = b""
    while (one := await wire.byte(FRAME_S)) not in (ETX, ETB):
        body += one
        if len(body) > FRAME_MAX:
            return None
    said = await wire.byte(FRAME_S) + await wire.byte(FRAME_S)
    return body if said.upper() == checksum(body + one) else None


def checksum(content: bytes) -> bytes:
    """Of a frame from its number through ETX or ETB: the sum modulo 256 in two hexadecimal digits."""
    return b"%02X" % (sum(content) & 0xFF)


@dataclass
class Sample:
    """A sample as its records say; burn 0 is the analyser's own mean. wrong: what cannot be read."""

    sample: str = ""
    heat: str = ""
    place: str = ""
    analyser: str = ""
    claimed: str = ""
    burns: dict[int, dict[str, Value]] = field(default_factory=dict)
    rejected: set[int] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def add(self, burn: int, element: str, value: str, unit: str) -> None:
        """One value, or why it is none."""
        try:
            self.burns.setdefault(burn, {})[read_element(element)] = read_value(value, unit)
        except ValueError as error:
            self.wrong.append(f"{element or 'A result'}: {error}")


def read_records(text: str) -> list[Sample]:
    """The samples of a message, one an order record.

    O|1|<sample>||^^^<heat>^<place>|…   R|1|^^^<element>^<burn>|<value>|<unit>||<flag>|…   burn 0 or none is the mean,
    the flag X marks a burn that the analyst rejected.
    """
    samples: list[Sample] = []
    analyser = claimed = ""
    for record in filter(None, text.replace("\n", "").split("\r")):
        parts = record.split("|")
        if parts[0] == "H":
            analyser, claimed = _part(parts, 4).split("^")[0], _time(_part(parts, 13))
        elif parts[0] == "O":
            heat, place = (_part(parts, 4).split("^") + [""] * 5)[3:5]
            samples.append(Sample(_part(parts, 2), heat, place, analyser, claimed))
        elif parts[0] == "R" and samples:
            _result(samples[-1], parts)
    return samples


def _result(sample: Sample, parts: Sequence[str]) -> None:
    test = _part(parts, 2).split("^")
    element, number = _part(test, 3), _part(test, 4)
    if number and not number.isdigit():
        sample.wrong.append(f"{number!r} is no number of a burn")
        return
    burn = int(number or 0)
    sample.add(burn, element, _part(parts, 3), _part(parts, 4))
    if "X" in _part(parts, 6):
        sample.rejected.add(burn)


def _part(parts: Sequence[str], at: int) -> str:
    return parts[at].strip() if at < len(parts) else ""


def _time(text: str) -> str:
    """`20260311061500` as local ISO time; nothing when it is none."""
    if len(text) < 14 or not text[:14].isdigit():
        return ""
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:14]}"
