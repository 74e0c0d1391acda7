"""A piece's custody over time: owner, custodian, place, the sender's and the receiver's word on its quality; five facts.

Pure: made from what the piece page has read. At any time one party has custody; its number rises with every change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from shared.material.history import Event
from shared.transfers.lines import TransferLine
from shared.transfers.moves import Arrival

NOBODY = "nobody"
BAND_WIDTH = 960.0
LABEL_LEAST = 70.0
"""A stretch narrower than this (units of the picture) bears no label; the table has it."""


@dataclass(frozen=True)
class Stand:
    """How a piece stood from at_ms on, and what made it so. The receiver is the one of its last departure."""

    at_ms: int
    what: str
    by: str
    custody_no: int
    owner: str
    custodian: str
    place: str = ""
    sender: str = ""
    receiver: str = ""
    quality: Mapping[str, str] = field(default_factory=dict)

    @property
    def sender_quality(self) -> str:
        """What the sender says of its quality; before it ever left, its holder."""
        return self.quality.get(self.sender or self.owner, "free")

    @property
    def receiver_quality(self) -> str:
        """What the receiver says; empty while nobody received it."""
        return self.quality.get(self.receiver, "") if self.receiver else ""


@dataclass(frozen=True)
class Happening:
    """One fact that changes how the piece stands. rank orders what happens in one moment."""

    at_ms: int
    rank: int
    by: str
    what: str
    changes: Mapping[str, Any]
    quality: str = ""
    """The word of `by` on the quality from now on, where it says one."""


@dataclass(frozen=True)
class Stretch:
    """A time in one party's custody, in units of the picture."""

    x: float
    width: float
    custodian: str
    label: str
    from_ms: int


def tell_custody(
    born: Event,
    lines: Sequence[TransferLine],
    *,
    history: Iterable[Event] = (),
    holds: Iterable[Any] = (),
    amended: Iterable[tuple[int, str, str, str]] = (),
    arrivals: Iterable[Arrival] = (),
) -> list[Stand]:
    """How the piece stood, oldest first. born: its first author and when; amended: (ms, author, quality, why)."""
    known = {(line.receiver, line.shipment_id) for line in lines}
    found = [h for line in lines for h in _of_line(line)]
    found += [_unlisted(a) for a in arrivals if (a.plant, a.shipment_id) not in known]
    holds = list(holds)
    found += [h for hold in holds for h in _of_hold(hold, holds)]
    found += [Happening(ms, 3, by, f"quality amended: {why}", {}, quality) for ms, by, quality, why in amended]
    found += [_moved(event) for event in history if event.what == "place" and event.at_ms > born.at_ms]
    first = min((line.custody_no for line in lines), default=1) - 1
    stands = [Stand(born.at_ms, born.text, born.author, first, born.author, born.author)]
    for happening in sorted(found, key=lambda h: (h.at_ms, h.rank)):
        _follow(stands, happening)
    return stands


def draw_custody(stands: Sequence[Stand], now_ms: int) -> list[Stretch]:
    """The stretches of custody side by side, as wide as they were long."""
    changes = [stand for n, stand in enumerate(stands) if n == 0 or stand.custodian != stands[n - 1].custodian]
    ends = [*(stand.at_ms for stand in changes[1:]), max(now_ms, changes[-1].at_ms + 1)]
    scale = BAND_WIDTH / max(ends[-1] - changes[0].at_ms, 1)
    stretches = []
    for stand, end in zip(changes, ends, strict=True):
        x, width = (stand.at_ms - changes[0].at_ms) * scale, (end - stand.at_ms) * scale
        label = stand.custodian if width >= LABEL_LEAST else ""
        stretches.append(Stretch(round(x, 1), round(width, 1), stand.custodian, label, stand.at_ms))
    return stretches


def _follow(stands: list[Stand], h: Happening) -> None:
    before = stands[-1]
    quality = before.quality if not h.quality else {**before.quality, h.by: h.quality}
    changes = dict(h.changes)
    if changes.get("place") and before.custodian != h.by and "custodian" not in changes:
        return  # a move told by somebody who does not have the piece (any more) moves nothing
    stands.append(replace(before, at_ms=h.at_ms, what=h.what, by=h.by, quality=quality, **changes))


def _of_line(line: TransferLine) -> Iterator[Happening]:
    """What a departure and everything said of it since do to custody."""
    carrier = f"carrier for {line.sender}"
    way = {"sender": line.sender, "receiver": line.receiver, "custody_no": line.custody_no}
    left = f"left with {line.shipment_number} for {line.receiver}"
    gone = line.state == "delivered"
    owner = line.receiver if gone else line.sender
    on_way = {"custodian": line.receiver if gone else carrier, "owner": owner, "place": line.vehicle or line.mode}
    yield Happening(line.departed_at_ms, 2, line.sender, left, way | on_way, line.quality)
    if line.arrived_at_ms is not None:
        yield Happening(line.arrived_at_ms, 3, line.receiver, "at the gate", {"custodian": carrier, "place": "gate"})
    if line.received_at_ms is not None:
        what = f"taken in as {line.own_number}" + (f", damaged: {line.damage}" if line.damage else "")
        mine = {"owner": line.receiver, "custodian": line.receiver, "place": ""}
        quality = "free" if line.received_fact else ""  # a sender is told that it came, not in what state
        yield Happening(max(line.received_at_ms, line.departed_at_ms), 4, line.receiver, what, way | mine, quality)
    if line.refused_at_ms is not None:
        back = {"custodian": f"{carrier}, returning", "place": line.vehicle or line.mode}
        yield Happening(line.refused_at_ms, 5, line.receiver, "refused at the gate", back, "refused")
    yield from _ends(line)


def _ends(line: TransferLine) -> Iterator[Happening]:
    mine = {"owner": line.sender, "custodian": line.sender, "place": ""}
    if line.returned_at_ms is not None:
        back = mine | {"custody_no": line.custody_no + 1}
        yield Happening(line.returned_at_ms, 6, line.sender, "back at its sender", back)
    elif line.lost_at_ms is not None and line.received_at_ms is None:
        lost = {"owner": NOBODY, "custodian": NOBODY, "place": "", "custody_no": line.custody_no + 1}
        yield Happening(line.lost_at_ms, 6, line.sender, "written off by both sides", lost)
    elif line.state == "did_not_occur":
        what = f"declared never to have left with {line.shipment_number}"
        yield Happening(line.withdrawn_at_ms, 6, line.sender, what, mine | {"custody_no": line.custody_no + 1})


def _unlisted(arrival: Arrival) -> Happening:
    what = f"taken in on no list{f', as from {arrival.sender}' if arrival.sender else ''}"
    return Happening(arrival.at_ms, 4, arrival.plant, what, {"custodian": arrival.plant, "place": ""}, "claimed")


def _of_hold(hold: Any, every: Sequence[Any]) -> Iterator[Happening]:
    """A hold and its release; the piece is free at its plant only when no other hold of that plant is open."""
    if hold.placed_at_ms is not None:
        yield Happening(hold.placed_at_ms, 7, hold.author, f"held: {hold.reason}", {}, "held")
    at_ms = hold.released_at_ms
    if at_ms is None:
        return
    others = [
        other
        for other in every
        if other.author == hold.author and other.hold_id != hold.hold_id and (other.placed_at_ms or at_ms + 1) <= at_ms
    ]
    held = any(other.released_at_ms is None or other.released_at_ms > at_ms for other in others)
    quality = "held" if held else f"only for {hold.only_for}" if hold.only_for else "free"
    yield Happening(at_ms, 8, hold.author, f"released: {hold.disposition}", {}, quality)


def _moved(event: Event) -> Happening:
    return Happening(event.at_ms, 9, event.author, f"moved to {event.text}", {"place": event.text})
