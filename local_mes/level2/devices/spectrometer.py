"""Laboratory spectrometer: a sample's burns and their mean, as one message.

`astm` is ASTM E1381/E1394 (LIS1-A, LIS2-A2); `text` is a line a burn, `sample;heat;place;burn;C;0.045;%;Mn;…`, of which
the one whose burn is `AVG` is the last. An analyser that drops files needs no driver of its own: kind `file`, mapped to
the operation `spectrometer_row`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

from local_mes.level2.devices.astm import Sample, read_records, receive
from local_mes.level2.devices.burns import Burn, as_rows, average
from local_mes.level2.devices.tcp import DeviceDriver, DeviceSettings, Wire
from local_mes.level2.drivers.desk import number_of
from local_mes.level2.drivers.port import Driver, Heard, read_settings

if TYPE_CHECKING:
    from local_mes.level2.links import Link

HEAD = ("sample", "heat", "place", "burn")
MEAN = ("AVG", "MEAN", "0")
BURNS_MAX = 50


class SpectrometerSettings(DeviceSettings, frozen=True, kw_only=True):
    """`[link.settings]` of a spectrometer.

    place   where samples are from that do not say so themselves (EAF, LFA, LFF, TUN, product)
    answer  `text`: sent when a sample is on disk, `{sample}` filled in; empty: the analyser wants none
    """

    format: Literal["astm", "text"] = "astm"
    place: str = ""
    delimiter: Annotated[str, Meta(min_length=1, max_length=1)] = ";"
    answer: str = ""


class SpectrometerDriver(DeviceDriver):
    """One analyser."""

    Settings = SpectrometerSettings

    @classmethod
    def shadow(cls, link: Link) -> type[Driver] | None:
        """An analyser on ASTM is answered at every frame; one that sends lines and wants no answer is listened to."""
        settings = read_settings(link, SpectrometerSettings)
        return cls if settings.format == "text" and not settings.answer else None

    async def session(self) -> None:
        """Hear samples; silence between them is in order."""
        async with self.wire() as wire:
            self.desk.connected(wire.peer)
            while True:
                if self.settings.format == "astm":
                    await receive(wire, self._keep_message)
                else:
                    await self._lines(wire)

    async def _keep_message(self, raw: bytes) -> None:
        samples = read_records(raw.decode("latin-1"))
        if not samples:
            why = "The message has no order record, so no sample is named."
            return await self._keep([Heard(self.event("Result"), {}, raw, again=True, problem=why)])
        await self._keep([self._heard(one, raw) for one in samples])

    async def _keep(self, heard: list[Heard]) -> None:
        await self.desk.keep(*heard)

    async def _lines(self, wire: Wire) -> None:
        """Burns of one sample until its mean; a sample that ends in the middle is named, and is sent again."""
        lines: list[bytes] = []
        sample = Sample()
        try:
            while True:
                line = await wire.take()
                head, *values = self._split(line)
                if lines and head["sample"] != sample.sample:
                    self._cut_off(sample, len(lines))
                    lines, sample = [], Sample()
                lines.append(line)
                sample.sample, sample.heat, sample.place = head["sample"], head["heat"], head["place"]
                is_mean = head["burn"].upper() in MEAN
                self._add(sample, 0 if is_mean else len(lines), values)
                if is_mean or len(lines) > BURNS_MAX:
                    await self._keep([self._heard(sample, b"\r\n".join(lines))])
                    lines, done, sample = [], sample, Sample()
                    if self.settings.answer:
                        await wire.send(f"{self.settings.answer.format(sample=done.sample)}\r\n".encode())
        finally:
            if lines:
                self._cut_off(sample, len(lines))

    def _split(self, line: bytes) -> tuple[Any, ...]:
        parts = [part.strip() for part in line.decode("latin-1").split(self.settings.delimiter)]
        parts += [""] * (len(HEAD) - len(parts))
        return dict(zip(HEAD, parts, strict=False)), *parts[len(HEAD) :]

    def _add(self, sample: Sample, burn: int, values: list[str]) -> None:
        for at in range(0, len(values) - len(values) % 3, 3):
            sample.add(burn, *values[at : at + 3])
        if len(values) % 3:
            sample.wrong.append("the line does not end with element, value and unit")

    def _cut_off(self, sample: Sample, lines: int) -> None:
        self.desk.gap(f"Sample {sample.sample} was cut off after {lines} lines.")

    def _heard(self, sample: Sample, raw: bytes) -> Heard:
        taken = {number: burn for number, burn in sample.burns.items() if number and number not in sample.rejected}
        mean: Burn = sample.burns.get(0) or average(list(taken.values()))
        fields = {
            "sample": sample.sample,
            "heat": sample.heat,
            "place": sample.place or self.settings.place,
            "analyser": sample.analyser or self.desk.link.code,
            "count": len(mean),
            "results": as_rows(mean),
            "mean_of": "analyser" if sample.burns.get(0) else f"{len(taken)} burns",
            "burns": [
                {"burn": number, "rejected": number in sample.rejected, "results": as_rows(burn)}
                for number, burn in sorted(sample.burns.items())
                if number
            ],
        }
        wrong = [*sample.wrong, *([] if sample.sample else ["it names no sample"]), *([] if mean else ["no results"])]
        problem = f"The sample cannot be read: {'; '.join(wrong)}." if wrong else ""
        number = number_of("sample", sample.sample, sample.claimed)
        return Heard(self.event("Result"), fields, raw, sample.claimed, number, problem=problem)
