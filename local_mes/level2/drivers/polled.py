"""What Modbus and S7 share: registers that do not speak up by themselves are read over and over, and changes are messages.

All signals of a round are read, then each message looks at its trigger. A message and the trigger's value that caused
it go into one commit, so a restart neither forgets a change nor tells it twice; only then the control is told, where
it has a place for that. What changes twice between two rounds was once: a control that must lose nothing counts its
events in the trigger and waits for the acknowledgement.
"""

from __future__ import annotations

import asyncio
import math
import struct
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta

from local_mes.level2.drivers.port import Answer, Driver, Heard, Settings, bad_link, read_settings
from local_mes.level2.drivers.signal_state import GOOD, REFUSED, SignalBoard

if TYPE_CHECKING:
    from local_mes.level2.down import Down
    from local_mes.level2.drivers.desk import Desk
    from local_mes.level2.links import Link

Name = Annotated[str, Meta(min_length=1, max_length=64)]
Type = Literal["bool", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64", "text", "string"]
FORMATS = {
    "int16": ">h",
    "uint16": ">H",
    "int32": ">i",
    "uint32": ">I",
    "int64": ">q",
    "uint64": ">Q",
    "float32": ">f",
    "float64": ">d",
}


class PolledSignal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One value. length: bytes of a text; `string` is S7's, with its length before it. The value is raw x scale."""

    name: Name
    source: Annotated[str, Meta(min_length=1, max_length=64)]
    type: Type
    length: Annotated[int, Meta(ge=0, le=250)] = 0
    scale: float = 1

    @property
    def size(self) -> int:
        """Bytes it takes."""
        if self.type == "bool":
            return 1
        return (
            struct.calcsize(FORMATS[self.type]) if self.type in FORMATS else self.length + 2 * (self.type == "string")
        )


class PolledMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message when its trigger changes (or becomes true), with the values of its fields; then ack is given its value."""

    message: Name
    trigger: Name
    when: Literal["change", "rise"] = "change"
    fields: tuple[Name, ...] = ()
    ack: str = ""


class PolledSettings(Settings, frozen=True, kw_only=True):
    """`[link.settings]`; orders: order -> field -> signal that is written and read back."""

    poll_ms: Annotated[int, Meta(ge=20, le=60_000)] = 500
    signals: tuple[PolledSignal, ...] = ()
    messages: tuple[PolledMessage, ...] = ()
    orders: dict[Name, dict[Name, Name]] = {}


@dataclass(frozen=True)
class Fault:
    """A value that could not be read; the others could."""

    why: str


class PolledDriver(Driver):
    """Reads in rounds. What differs is how a connection is made and bytes are moved."""

    Settings = PolledSettings
    _board: SignalBoard

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.settings: Any = read_settings(desk.link, self.Settings)
        self._signals: dict[str, PolledSignal] = {one.name: one for one in self.settings.signals}
        self._line = asyncio.Lock()

    @classmethod
    def shadow(cls, link: Link) -> type[Driver] | None:
        """Reading changes nothing; an acknowledgement is written."""
        settings: Any = read_settings(link, cls.Settings)
        return None if any(one.ack for one in settings.messages) else cls

    @classmethod
    def check(cls, link: Link, folder: Path) -> None:
        """Names that fit together, sources that are some."""
        settings: Any = read_settings(link, cls.Settings)
        if not link.address.rpartition(":")[2].isdigit():
            raise bad_link(link.code, f"its address {link.address!r} is not host:port")
        names = {one.name for one in settings.signals}
        used = [name for one in settings.messages for name in (one.trigger, *one.fields, *filter(None, (one.ack,)))]
        used += [name for fields in settings.orders.values() for name in fields.values()]
        for name in used:
            if name not in names:
                raise bad_link(link.code, f"it names the signal {name}, which it does not describe")
        for one in settings.signals:
            if one.type in ("text", "string") and not one.length:
                raise bad_link(link.code, f"the signal {one.name} needs a length")
            try:
                cls.parse(one)
            except ValueError as error:
                raise bad_link(link.code, f"the signal {one.name}: {error}") from error

    @classmethod
    @abstractmethod
    def parse(cls, signal: PolledSignal) -> object:
        """The place a source names; ValueError when it names none."""

    @abstractmethod
    async def connect(self) -> None:
        """Open the connection; OSError."""

    async def close(self) -> None:
        """End it."""

    @abstractmethod
    async def fetch(self, signal: PolledSignal) -> bytes:
        """Its bytes. ValueError: only this one cannot be read; OSError: the connection is gone."""

    @abstractmethod
    async def store(self, signal: PolledSignal, raw: bytes) -> None:
        """Write its bytes; errors as in fetch."""

    async def session(self) -> None:
        """Rounds until the connection fails."""
        sources = {one.message: self._signals[one.trigger].source for one in self.settings.messages}
        self._board = SignalBoard(self.desk, sources)  # as the disk has it: what was not committed did not happen
        await self.connect()
        try:
            await self._board.begin()
            self.desk.connected(self.desk.link.address)
            while True:
                await self._round()
                await asyncio.sleep(self.settings.poll_ms / 1000)
        finally:
            await self._board.all_lost("the connection is lost")
            await self.close()

    async def _round(self) -> None:
        async with self._line:
            values = {one.name: await self._read(one) for one in self.settings.signals}
        for message in self.settings.messages:
            await self._look(message, values)
        for message in self.settings.messages:
            # a control that cannot be told ends the session: by then the whole round is on disk
            await self._acknowledge(message, values)

    async def _read(self, signal: PolledSignal) -> Any:
        try:
            value = decode(signal, await self.fetch(signal))
        except (ValueError, struct.error) as error:
            return Fault(str(error))
        return Fault("not a number") if isinstance(value, float) and not math.isfinite(value) else value

    async def _look(self, message: PolledMessage, values: dict[str, Any]) -> None:
        """Whether the trigger says that something happened."""
        board, value = self._board, values[message.trigger]
        before = board.states[message.message]
        if isinstance(value, Fault):
            if (before.state, before.reason) != (REFUSED, value.why):
                await self.desk.write(board.told(message.message, REFUSED, value.why))
            return
        was, low = before.value, before.is_low
        told = board.told(message.message, GOOD, "", value)
        happened = before.value != was and (message.when == "change" or (low and bool(value)))
        if happened:
            await self._tell(message, values)
        elif before.value != was:
            await self.desk.write(told)

    async def _acknowledge(self, message: PolledMessage, values: dict[str, Any]) -> None:
        """Tell the control which value of its trigger is on disk; again also what it may not have heard."""
        value = values[message.trigger]
        if not message.ack or isinstance(value, Fault) or isinstance(values[message.ack], Fault):
            return
        if values[message.ack] != value:
            await self._put(self._signals[message.ack], value)

    async def _tell(self, message: PolledMessage, values: dict[str, Any]) -> None:
        fields = {name: values[name] for name in (message.trigger, *message.fields)}
        faults = [
            f"{name} ({self._signals[name].source}): {one.why}"
            for name, one in fields.items()
            if isinstance(one, Fault)
        ]
        fields = {name: None if isinstance(one, Fault) else one for name, one in fields.items()}
        problem = f"No data for {'; '.join(faults)}." if faults else ""
        heard = Heard(message.message, fields, msgspec.json.encode(fields), problem=problem)
        await self.desk.keep_beside([heard], self._board.stored(heard))

    async def _put(self, signal: PolledSignal, value: Any) -> None:
        async with self._line:
            await self.store(signal, encode(signal, value))

    async def send(self, order: Down) -> Answer:
        """Write each field, read all back: only what stands there is confirmed."""
        places = self.settings.orders.get(order.message)
        if places is None or set(order.fields) - set(places):
            return Answer(False, f"cannot be sent: the link does not say where {order.message} is written")
        for name, value in order.fields.items():
            signal = self._signals[places[name]]
            try:
                await self._put(signal, value)
                async with self._line:
                    found = decode(signal, await self.fetch(signal))
            except (ValueError, TypeError, struct.error) as error:
                return Answer(False, f"{name} ({signal.source}) was not taken: {error}")
            if not _same(found, value):
                return Answer(False, f"{name} ({signal.source}) reads {found!r} after {value!r} was written")
        return Answer(True, "written and read back")


def decode(signal: PolledSignal, raw: bytes) -> Any:
    """The value in a signal's bytes."""
    if signal.type == "bool":
        return bool(raw[0])
    if signal.type == "string":
        return raw[2 : 2 + min(raw[1], signal.length)].decode("latin-1").rstrip("\0 ")
    if signal.type == "text":
        return raw.decode("latin-1").rstrip("\0 ")
    value = struct.unpack(FORMATS[signal.type], raw)[0]
    return value if signal.scale == 1 else value * signal.scale


def encode(signal: PolledSignal, value: Any) -> bytes:
    """The bytes of a value. ValueError or struct.error when it does not fit."""
    if signal.type == "bool":
        return bytes([bool(value)])
    if signal.type in ("text", "string"):
        raw = str(value).encode("latin-1")
        if len(raw) > signal.length:
            raise ValueError(f"{value!r} has more than {signal.length} characters")
        head = bytes([signal.length, len(raw)]) if signal.type == "string" else b""
        return head + raw.ljust(signal.length, b"\0")
    number = value if signal.scale == 1 else value / signal.scale
    return struct.pack(FORMATS[signal.type], number if signal.type.startswith("float") else round(number))


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(found, float) and isinstance(wanted, int | float):
        return math.isclose(found, wanted, rel_tol=1e-6, abs_tol=1e-9)
    return bool(found == wanted)
