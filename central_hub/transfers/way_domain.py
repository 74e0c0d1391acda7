"""How a line on its way stands against its expected time, and how a group's lanes stand: pure rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.transfers.domain import grace_ms
from shared.transfers.lines import TransferLine

IN_TIME, LATE, OVERDUE, UNHEARD = "in time", "late", "overdue", "no word"
SIGN_OF_TIMING = {IN_TIME: "normal", LATE: "stale", OVERDUE: "alarm", UNHEARD: "stale", "": "normal"}


@dataclass
class LaneLoad:
    """What is on the way on one lane now; masses in grams by the sender, times in UTC ms."""

    sender: str
    receiver: str
    pieces: int = 0
    mass_g: int = 0
    oldest_ms: int = 0
    next_eta_ms: int = 0
    late: int = 0
    overdue: int = 0
    unheard: int = 0
    short: int = 0

    @property
    def lane(self) -> str:
        """Its name in addresses."""
        return f"{self.sender}-{self.receiver}"

    @property
    def sign(self) -> str:
        """Its worst: alarm, stale or normal."""
        return "alarm" if self.overdue or self.short else "stale" if self.late or self.unheard else "normal"


def timing(line: TransferLine, through: Mapping[str, int], now_ms: int) -> str:
    """How a line on its way stands against its expected time.

    Overdue only where the receiver is complete past it: a receiver that is away may have taken it in long ago.
    """
    if line.state != "in_transit" or not line.eta_ms or now_ms <= line.eta_ms:
        return IN_TIME if line.state == "in_transit" else ""
    due_ms = line.eta_ms + grace_ms(line.mode)
    if now_ms <= due_ms:
        return LATE
    return OVERDUE if through.get(line.receiver, now_ms) > due_ms else UNHEARD


def load_lanes(lines: Iterable[TransferLine], through: Mapping[str, int], now_ms: int) -> list[LaneLoad]:
    """Lines that stand, by lane."""
    lanes: dict[tuple[str, str], LaneLoad] = {}
    for line in lines:
        lane = lanes.setdefault((line.sender, line.receiver), LaneLoad(line.sender, line.receiver))
        if line.state == "short":
            lane.short += 1
            continue
        lane.pieces += 1
        lane.mass_g += line.sender_mass_g
        lane.oldest_ms = min(lane.oldest_ms or line.departed_at_ms, line.departed_at_ms)
        if line.state == "in_transit" and line.eta_ms:
            lane.next_eta_ms = min(lane.next_eta_ms or line.eta_ms, line.eta_ms)
        how = timing(line, through, now_ms)
        lane.late += how == LATE
        lane.overdue += how == OVERDUE
        lane.unheard += how == UNHEARD
    return [lanes[key] for key in sorted(lanes)]
