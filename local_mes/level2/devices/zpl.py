"""What a ZPL II printer says of itself: the three strings of `~HS`. Pure."""

from __future__ import annotations

from dataclasses import dataclass

FIELDS = (12, 11, 2)
"""Of the three strings; by their number they are told apart, so an answer that came late does no harm."""
SILENT = "It does not answer its status: paper or ribbon out, or the head open."
"""Several models say nothing at all in these conditions (ZPL II Programming Guide, ~HS)."""


@dataclass(frozen=True)
class PrinterStatus:
    """formats: labels not begun in the buffer; remaining: copies of the one that prints. stopped: why it cannot print."""

    formats: int
    remaining: int
    stopped: str

    @property
    def is_idle(self) -> bool:
        """Everything it was sent is printed."""
        return self.formats == 0 and self.remaining == 0


def kind_of(line: bytes) -> int | None:
    """Which of the three strings this is; None for something else."""
    fields = line.strip(b"\r\n\x02").count(b",") + 1
    return FIELDS.index(fields) if fields in FIELDS else None


def read_status(first: bytes, second: bytes) -> PrinterStatus:
    """The first two strings; the third (password, memory) says nothing that we need. ValueError when they are none."""
    a, b = ([part.strip() for part in line.strip(b"\r\n\x02").decode("ascii").split(",")] for line in (first, second))
    flags = (
        (a[1], "Paper is out"),
        (b[2], "The head is open"),
        (b[3], "The ribbon is out"),
        (a[2], "It is paused"),
        (a[9], "Its configuration is lost"),
        (a[10], "It is too cold"),
        (a[11], "It is too hot"),
    )
    stopped = "; ".join(text for flag, text in flags if int(flag))
    return PrinterStatus(int(a[4]), int(b[8]), f"{stopped}." if stopped else "")
