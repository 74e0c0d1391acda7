"""Marking machine: paints or stamps a number on a piece, and reads it back where it can.

What its control says is data: a template for each command, a pattern for each answer. A job has a number that is the
same whenever it is sent, so a machine is asked for it before it is told twice: painting twice is harm. The outcome is on
disk before the machine hears that it is known.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta
from sqlalchemy import select

from local_mes.level2.devices.tcp import DeviceDriver, DeviceSettings, Wire, host_and_port, job_number
from local_mes.level2.down import QUEUED, SENT
from local_mes.level2.drivers.port import Answer, Heard, bad_link, read_settings
from local_mes.level2.spool_tables import down
from shared.db.engine import read

if TYPE_CHECKING:
    from local_mes.level2.down import Down
    from local_mes.level2.links import Link

ANSWER_S = 5.0
JOBS = 10_000_000_000
"""A job's number has at most ten digits: what controls of any age can hold."""
JOBS_KNOWN = 200
"""Orders among which a job that the machine tells of is looked for."""
OPEN = (QUEUED, SENT)
Words = tuple[str, str, str, bytes]
"""What became of a job (`taken`, `busy`, `none`, `done`, ...), its number, what else was said, the line as it came."""


class MarkerSettings(DeviceSettings, frozen=True, kw_only=True):
    """`[link.settings]` of a marking machine.

    means       what it leaves on the steel
    text        what is marked; `{number}` is the piece's number, others as for labels
    characters  what it can write, as in a pattern's brackets; length_max in one job
    read_back   whether `done` tells what a camera has read: what differs is a mismatch
    job, ask, seen   commands: a new job; how it stands; its outcome is known. `{job}`, `{text}` are filled in
    taken, refused, busy, none, done, failed   patterns of answers with the groups `job` and, where there is one, `text`
    work_s      how long a job may take
    """

    means: Literal["paint", "stamp"] = "paint"
    text: str = "{number}"
    characters: str = "A-Z0-9 ./-"
    length_max: Annotated[int, Meta(ge=1, le=64)] = 20
    read_back: bool = True
    job: str = "JOB;{job};{text}"
    ask: str = "ASK;{job}"
    seen: str = "OK;{job}"
    taken: str = r"ACK;(?P<job>\d+)"
    refused: str = r"NAK;(?P<job>\d+);(?P<text>.*)"
    busy: str = r"BUSY;(?P<job>\d+)"
    none: str = r"NONE;(?P<job>\d+)"
    done: str = r"DONE;(?P<job>\d+);(?P<text>.*)"
    failed: str = r"FAIL;(?P<job>\d+);(?P<text>.*)"
    work_s: Annotated[float, Meta(gt=0, le=3600)] = 120


ANSWERS = ("taken", "refused", "busy", "none", "done", "failed")


class MarkerDriver(DeviceDriver):
    """One machine."""

    Settings = MarkerSettings

    @classmethod
    def check(cls, link: Link, folder: Path) -> None:
        """Commands that name the job, patterns that are some."""
        s = read_settings(link, MarkerSettings)
        host_and_port(link)
        for name, needed in (("job", ("{job}", "{text}")), ("ask", ("{job}",)), ("seen", ("{job}",))):
            if not all(word in getattr(s, name) for word in needed):
                raise bad_link(link.code, f"`{name}` must have {' and '.join(needed)}")
        for name in ANSWERS:
            try:
                if "job" not in re.compile(getattr(s, name)).groupindex:
                    raise bad_link(link.code, f"the pattern `{name}` has no group `job`")
            except re.error as error:
                raise bad_link(link.code, f"the pattern `{name}` is none: {error}") from error
        try:
            re.compile(f"[{s.characters}]+")
        except re.error as error:
            raise bad_link(link.code, f"`characters` is no list of characters: {error}") from error

    async def session(self) -> None:
        """Hear answers; orders wait for theirs."""
        self._patterns = [(name, re.compile(getattr(self.settings, name))) for name in ANSWERS]
        self._answers: asyncio.Queue[Words] = asyncio.Queue()
        async with self.wire() as wire:
            self._wire: Wire = wire
            self.desk.connected(wire.peer)
            while True:
                await self._hear(await wire.take())

    async def _hear(self, line: bytes) -> None:
        text = line.decode("latin-1").strip()
        for name, pattern in self._patterns:
            if (hit := pattern.fullmatch(text)) is not None:
                words = (name, hit["job"], (hit.groupdict().get("text") or "").strip(), line)
                if name in ("done", "failed") and await asyncio.to_thread(self._state_of, words[1]) not in OPEN:
                    return await self._nobody_waits(words)
                return self._answers.put_nowait(words)
        self.desk.state.refuse(f"The machine says {text[:100]!r}, which no pattern fits.")

    def _state_of(self, job: str) -> str:
        """How the order of a job stands; empty where there is none among the last ones."""
        query = select(down.c.key, down.c.state).where(down.c.link == self.desk.link.code)
        with read(self.desk.spool) as conn:
            rows = conn.execute(query.order_by(down.c.down_id.desc()).limit(JOBS_KNOWN)).all()
        return next((str(row.state) for row in rows if _job(row.key) == job), "")

    async def _nobody_waits(self, words: Words) -> None:
        """An outcome said again, because the machine did not hear that it is known; or of a job typed in at it."""
        if not await asyncio.to_thread(self._state_of, words[1]):
            why = f"The machine tells of job {words[1]} ({words[0]}: {words[2]}), which was not sent to it."
            await self.desk.keep(Heard(self.event("Marked"), {"job": words[1]}, words[3], again=True, problem=why))
        await self._wire.send(self._command("seen", words[1]))

    def _command(self, name: str, job: str, text: str = "") -> bytes:
        said: str = getattr(self.settings, name).replace("{job}", job).replace("{text}", text)
        return f"{said}\r\n".encode("latin-1")

    async def send(self, order: Down) -> Answer:
        """`Mark` {piece, material_id, text}: its outcome, when it is on disk."""
        if order.message != "Mark":
            return Answer(False, f"this machine knows no {order.message}")
        if (told := await self.told_before(order, "Marked")) is not None:
            return _answer(told)
        text = str(order.fields["text"])
        if not re.fullmatch(f"[{self.settings.characters}]{{1,{self.settings.length_max}}}", text):
            return Answer(False, f"{text!r} has characters that the machine cannot write, or is too long")
        job = _job(order.key)
        outcome = await self._outcome(order, job, text)
        return outcome if isinstance(outcome, Answer) else await self._keep(order, outcome, text)

    async def _outcome(self, order: Down, job: str, text: str) -> Words | Answer:
        """Send the job unless the machine has it, then wait for its end."""
        if order.tries > 1:
            await self._wire.send(self._command("ask", job))
            words = await self._wait(job, ANSWER_S)
            if words[0] in ("done", "failed"):
                return words
            if words[0] != "none":
                return await self._wait_for_end(job)
        if (stopped := await self.withdrawn(order)) is not None:
            return stopped
        await self._wire.send(self._command("job", job, text))
        words = await self._wait(job, ANSWER_S)
        if words[0] == "refused":
            return Answer(False, f"the machine refused it: {words[2]}")
        return words if words[0] in ("done", "failed") else await self._wait_for_end(job)

    async def _wait_for_end(self, job: str) -> Words:
        while True:
            words = await self._wait(job, self.settings.work_s)
            if words[0] in ("done", "failed"):
                return words

    async def _wait(self, job: str, within_s: float) -> Words:
        """The machine's next word on a job. OSError when it stays silent: the order stays open and is asked for again."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    words = await self._answers.get()
                    if words[1] == job:
                        return words
        except TimeoutError as error:
            raise ConnectionError(f"The machine said nothing of job {job} for {within_s:g} s.") from error

    async def _keep(self, order: Down, words: Words, text: str) -> Answer:
        read = words[2] if words[0] == "done" and self.settings.read_back else ""
        outcome = words[0] if words[0] == "failed" or not self.settings.read_back or read == text else "mismatch"
        fields: dict[str, Any] = {
            "piece": str(order.fields.get("piece", "")),
            "material_id": str(order.fields.get("material_id", "")),
            "job": words[1],
            "means": self.settings.means,
            "text": text,
            "outcome": outcome,
            "read": read,
            "reason": words[2] if words[0] == "failed" else "",
            "test": bool(order.fields.get("test")),
        }
        await self.desk.keep(Heard(self.event("Marked"), fields, words[3], sequence=job_number(order.key)))
        await self._wire.send(self._command("seen", words[1]))
        return _answer(fields)


def _job(key: str) -> str:
    return str(job_number(key) % JOBS)


def _answer(fields: dict[str, Any]) -> Answer:
    if fields["outcome"] == "failed":
        return Answer(False, f"failed: {fields['reason']}")
    if fields["outcome"] == "mismatch":
        return Answer(False, f"it reads {fields['read']!r} and should read {fields['text']!r}")
    return Answer(True, f"reads {fields['read']}" if fields["read"] else "done, not read back")
