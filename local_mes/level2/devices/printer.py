"""Label printer: ZPL II over TCP (port 9100), asked for its state before, while and after it prints.

A label counts as printed when the printer has nothing left to print and its own counter says so. Paper out, pause, an
open head are said loudly and waited for: the label stays in the queue until it is printed or somebody withdraws it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from local_mes.level2.devices.label import LabelLayout, faults_of
from local_mes.level2.devices.tcp import DeviceDriver, DeviceSettings, Silent, Wire, host_and_port, job_number
from local_mes.level2.devices.zpl import SILENT, PrinterStatus, kind_of, read_status
from local_mes.level2.drivers.port import Answer, Heard, bad_link, read_settings
from local_mes.level2.drivers.signal_state import SignalBoard

if TYPE_CHECKING:
    from local_mes.level2.down import Down
    from local_mes.level2.drivers.desk import Desk
    from local_mes.level2.links import Link

LOOK_S = 0.3
COUNT_TRIES = 2
"""A printer that stays silent so often when it is asked for its count has none: once may be a busy moment."""
COUNT_S = 3.0
"""How long the counter may lag behind the last label."""


class PrinterSettings(DeviceSettings, frozen=True, kw_only=True):
    """`[link.settings]` of a label printer.

    label     what a label looks like
    counter   the printer's own count of labels (a variable of `! U1 getvar`); empty: it has none
    poll_s    how often it is asked for its state; answer_s: how long it may take to answer
    """

    label: LabelLayout = LabelLayout()
    counter: str = "odometer.total_label_count"
    poll_s: Annotated[float, Meta(gt=0, le=60)] = 2
    answer_s: Annotated[float, Meta(gt=0, le=60)] = 3
    copies_max: Annotated[int, Meta(ge=1, le=1000)] = 20


class PrinterDriver(DeviceDriver):
    """One printer."""

    Settings = PrinterSettings

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._counts: bool | None = None
        """Whether it tells how many labels it has printed; None until it was asked."""
        self._uncounted = 0

    @classmethod
    def check(cls, link: Link, folder: Path) -> None:
        """Names on the label that exist."""
        s = read_settings(link, PrinterSettings)
        host_and_port(link)
        if faults := faults_of(s.label):
            raise bad_link(link.code, f"its label: {faults[0]}")
        if '"' in s.counter or not s.counter.isascii():
            raise bad_link(link.code, f"`counter` {s.counter!r} is no variable")

    async def session(self) -> None:
        """Ask for the state for ever. An answer that does not come ends the session: one that comes late would be
        taken for that of a later question, and a label for printed that is not.
        """
        self._line = asyncio.Lock()
        self._board = SignalBoard(self.desk, {"job": "the label it was last told to print"})
        async with self.wire() as wire:
            self._wire: Wire = wire
            await self._board.begin()
            if self._counts is None:
                await self._find_counter()
            while True:
                await self._status()
                await asyncio.sleep(self.settings.poll_s)

    async def _find_counter(self) -> None:
        """Whether it tells a count at all: asked once, before anything depends on it."""
        try:
            self._counts = bool(self.settings.counter) and await self._ask_count() is not None
        except Silent as error:
            self._uncounted += 1
            self._counts = False if self._uncounted == COUNT_TRIES else None
            raise ConnectionError("It tells no count of its labels; it is called again.") from error

    async def _status(self) -> PrinterStatus:
        """How it stands, on screen too."""
        async with self._line:
            try:
                found = await self._ask()
            except Silent as error:
                raise ConnectionError(SILENT) from error
        if not (found.stopped and self.desk.is_up.is_set()):
            self.desk.connected(self._wire.peer)
        if found.stopped:
            self.desk.no_data(found.stopped)
        return found

    async def _ask(self) -> PrinterStatus:
        await self._wire.send(b"~HS")
        said: dict[int, bytes] = {}
        while len(said) < 3:
            line = await self._wire.take(b"\x03", self.settings.answer_s)
            if (kind := kind_of(line)) is not None:
                said[kind] = line
        return read_status(said[0], said[1])

    async def _count(self) -> int | None:
        """Labels it has printed in its life; None where it does not tell."""
        if not self._counts:
            return None
        async with self._line:
            try:
                return await self._ask_count()
            except Silent as error:
                raise ConnectionError(SILENT) from error

    async def _ask_count(self) -> int | None:
        await self._wire.send(f'! U1 getvar "{self.settings.counter}"\r\n'.encode())
        text = b""
        while not text.strip():  # what stands before the opening quote is the end of the answer before
            text = await self._wire.take(b'"', self.settings.answer_s)
        return int(text) if text.isdigit() else None

    async def send(self, order: Down) -> Answer:
        """`Print` {piece, material_id, text, zpl, copies}: when the last copy is out."""
        if order.message != "Print":
            return Answer(False, f"this printer knows no {order.message}")
        if await self.told_before(order, "Printed") is not None:
            return Answer(True, "printed")
        copies = int(order.fields.get("copies", 1))
        if not 1 <= copies <= self.settings.copies_max:
            return Answer(False, f"{copies} copies; at most {self.settings.copies_max} are printed at once")
        before = self._begun(order)
        if not await self._is_out(before, copies):
            if (stopped := await self._until_ready(order)) is not None:
                return stopped
            before = await self._print(order)
        await self._until_out(before, copies)
        printed = await self._printed(before, copies)
        if printed < copies:
            return Answer(False, f"{printed} of {copies} labels were printed; its counter says no more")
        return await self._keep(order, copies)

    def _begun(self, order: Down) -> int | None:
        """The counter before this order was sent to the printer, where it was and the collector died since."""
        value = self._board.states["job"].value
        job: dict[str, Any] = msgspec.json.decode(value) if value else {}
        return job.get("before") if order.tries > 1 and job.get("job") == job_number(order.key) else None

    async def _is_out(self, before: int | None, copies: int) -> bool:
        """Whether an order that was sent already is being printed or was: else the printer was off and forgot it."""
        if before is None:
            return False
        if not (await self._status()).is_idle:
            return True
        count = await self._count()
        return count is not None and count >= before + copies

    async def _until_ready(self, order: Down) -> Answer | None:
        """Wait for paper and people; an answer when the order was withdrawn meanwhile."""
        while (status := await self._status()).stopped or not status.is_idle:
            if (stopped := await self.withdrawn(order)) is not None:
                return stopped
            await asyncio.sleep(LOOK_S)
        return await self.withdrawn(order)

    async def _print(self, order: Down) -> int | None:
        """What the counter says, on disk; then the label."""
        before = await self._count()
        job = msgspec.json.encode({"job": job_number(order.key), "before": before}).decode()
        self._board.states["job"].value = job
        await self.desk.write(self._board.saving(["job"]))
        async with self._line:
            await self._wire.send(str(order.fields["zpl"]).encode())
        return before

    async def _until_out(self, before: int | None, copies: int) -> None:
        """Wait until it prints no more; one that stopped behind the last label is done, its counter says so."""
        while (status := await self._status()).stopped or not status.is_idle:
            count = await self._count() if status.stopped else None
            if count is not None and before is not None and count >= before + copies:
                return
            await asyncio.sleep(LOOK_S)

    async def _printed(self, before: int | None, copies: int) -> int:
        """Labels that came out since; all of them where the printer does not count."""
        count = await self._count()
        if before is None or count is None:
            return copies
        end = asyncio.get_running_loop().time() + COUNT_S
        while count is not None and count < before + copies and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(LOOK_S)
            count = await self._count()
        return copies if count is None else min(copies, count - before)

    async def _keep(self, order: Down, copies: int) -> Answer:
        names = ("piece", "material_id", "text")
        fields: dict[str, Any] = {name: str(order.fields.get(name, "")) for name in names}
        fields |= {"copies": copies, "means": "label", "outcome": "done", "test": bool(order.fields.get("test"))}
        raw = str(order.fields["zpl"]).encode()
        await self.desk.keep(Heard(self.event("Printed"), fields, raw, sequence=job_number(order.key)))
        return Answer(True, "1 label printed" if copies == 1 else f"{copies} labels printed")
