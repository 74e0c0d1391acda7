"""Custody, matching and mass comparison of transfers, as pure rules on frozen values (transfers.md)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

PPM = 1_000_000
LINE_STATES = (
    "in_transit",
    "arrived",
    "received",
    "received_with_exceptions",
    "short",
    "did_not_occur",
    "refused",
    "returned",
    "written_off",
    "diverted",
    "delivered",
)
GRACE_MS = {"rail": 12 * 3_600_000, "truck": 6 * 3_600_000}
"""How long after its ETA a load may still come before it is overdue: a missed path, a driver's rest (rule of thumb)."""
GRACE_OTHER_MS = 12 * 3_600_000
CLOCK_SLACK_MS = 15 * 60_000
"""Two plants' clocks may differ: a receipt up to this much "before" its departure still belongs to it."""


AHEAD_MS = 5 * 60_000
"""A claimed time this far after its recording lies in the future (transfers.md, row 25)."""
BACKDATED_MS = 24 * 3_600_000
"""Entered later than a day after it happened: longer than any shift's paper waits for its clerk (rule of thumb)."""
ADVISED = "advised"
"""Basis of a mass that the receiver took over from the sender because it did not weigh (hot charging)."""


@dataclass(frozen=True)
class MassLimits:
    """How far two masses of one piece may differ by the pair of their bases (QR-RCV-01 v2)."""

    theoretical_ppm: int = 15_000
    weighed_ppm: int = 3_000
    weighed_least_g: int = 40_000

    def allowed_g(self, sender_g: int, sender_basis: str, receiver_basis: str) -> int:
        """Largest difference in grams that is no contradiction.

        Two weighings: 0.3 % and at least 40 kg; any pair with an unweighed side: 1.5 % of the sender's mass.
        """
        if sender_basis == receiver_basis == "weighed":
            return max(sender_g * self.weighed_ppm // PPM, self.weighed_least_g)
        return sender_g * self.theoretical_ppm // PPM


@dataclass(frozen=True)
class MassComparison:
    """Both masses of a piece in grams with their bases, and what the lane allows."""

    sender_g: int
    receiver_g: int
    pair: str
    allowed_g: int

    @property
    def difference_g(self) -> int:
        """Receiver's minus sender's."""
        return self.receiver_g - self.sender_g

    @property
    def difference_ppm(self) -> int:
        """The difference as a part of the sender's mass, towards zero."""
        if self.sender_g <= 0:
            return 0
        return abs(self.difference_g) * PPM // self.sender_g * (1 if self.difference_g >= 0 else -1)

    @property
    def is_within(self) -> bool:
        """Whether the lane's tolerance covers the difference."""
        return abs(self.difference_g) <= self.allowed_g


def compare_mass(
    sender_g: int, sender_basis: str, receiver_g: int, receiver_basis: str, limits: MassLimits = MassLimits()
) -> MassComparison:
    """Compare the two masses of one piece under the limits of the pair of bases; one weighing is compared with itself."""
    if sender_g == 0 or receiver_basis == ADVISED:
        only = receiver_g or sender_g
        return MassComparison(only, only, f"{sender_basis}-{receiver_basis}", 0)
    allowed = limits.allowed_g(sender_g, sender_basis, receiver_basis)
    return MassComparison(sender_g, receiver_g, f"{sender_basis}-{receiver_basis}", allowed)


def next_custody_no(known: Iterable[int]) -> int:
    """The number a departure carries: one above every number this piece ever had here, so that none is used twice."""
    return max(known, default=0) + 1


def fence(cited: int, lines_no: int) -> str:
    """What a receipt citing a custody number is against the line's: ok | stale (replayed) | ahead (unknown departure)."""
    if cited == lines_no:
        return "ok"
    return "stale" if cited < lines_no else "ahead"


def grace_ms(mode: str) -> int:
    """Time after the ETA before a load of this mode counts as overdue."""
    return GRACE_MS.get(mode, GRACE_OTHER_MS)


@dataclass(frozen=True)
class LineFacts:
    """What both authors have said about one line; the receiver's part is empty until it spoke."""

    withdrawn: bool
    arrived: bool
    closed: bool
    received: bool
    mass: MassComparison | None = None
    damage: str = ""
    refused: bool = False
    returned: bool = False
    lost: bool = False
    diverted: bool = False
    left_for_good: bool = False
    """It went to an outside party that tells nothing: delivered when it left, unless somebody says otherwise."""


def line_state(line: LineFacts) -> str:
    """The state of a shipment line, derived from the sender's and the receiver's facts (transfers.md, 2).

    A receipt is physical evidence and wins over the sender's declaration that the piece never left, and over a loss.
    """
    if line.received:
        exception = bool(line.damage) or (line.mass is not None and not line.mass.is_within)
        return "received_with_exceptions" if exception else "received"
    said = (
        (line.diverted, "diverted"),
        (line.withdrawn, "did_not_occur"),
        (line.returned, "returned"),
        (line.lost, "written_off"),
        (line.refused, "refused"),
        (line.closed, "short"),
        (line.left_for_good, "delivered"),
        (line.arrived, "arrived"),
    )
    return next((state for holds, state in said if holds), "in_transit")


@dataclass(frozen=True)
class LineTimes:
    """Claimed and recorded times (ms, by each side's own clock) of a departure and, where there is one, its receipt."""

    departed_ms: int
    departed_recorded_ms: int
    received_ms: int | None
    received_recorded_ms: int | None


def line_flags(times: LineTimes, sender_g: int, receiver_basis: str) -> tuple[str, ...]:
    """What a person should know of a line that is no contradiction: times that cannot be right, one weighing only."""
    flags = []
    if times.departed_ms > times.departed_recorded_ms + AHEAD_MS or _is_ahead(times):
        flags.append("time_ahead")
    if times.departed_recorded_ms - times.departed_ms > BACKDATED_MS or _is_backdated(times):
        flags.append("backdated")
    if receiver_basis == ADVISED or (receiver_basis and sender_g == 0):
        flags.append("one_weighing")
    return tuple(flags)


def _is_ahead(times: LineTimes) -> bool:
    if times.received_ms is None or times.received_recorded_ms is None:
        return False
    return times.received_ms > times.received_recorded_ms + AHEAD_MS


def _is_backdated(times: LineTimes) -> bool:
    """Taken in long before it was entered, or before it left as far as two clocks can tell."""
    if times.received_ms is None or times.received_recorded_ms is None:
        return False
    long_ago = times.received_recorded_ms - times.received_ms > BACKDATED_MS
    return long_ago or times.received_ms + CLOCK_SLACK_MS < times.departed_ms


@dataclass(frozen=True)
class Candidate:
    """A sender's line that may be the piece of a receipt taken in by its printed number."""

    sender: str
    shipment_id: str
    shipment_number: str
    material_id: str
    departed_at_ms: int
    taken: bool
    custody_no: int = 0


def find_line(
    candidates: Iterable[Candidate], *, shipment: str = "", from_plant: str = "", received_at_ms: int
) -> Candidate | None:
    """The one line a printed number means, or None: not taken, departed before, of the named load where it is listed.

    Printed numbers repeat (domain.md, 1), so the youngest departure counts; a load named at the gate goes first.
    """
    fit = [
        c
        for c in candidates
        if not c.taken and c.departed_at_ms <= received_at_ms + CLOCK_SLACK_MS and from_plant in ("", c.sender)
    ]
    fit.sort(key=lambda c: (shipment in (c.shipment_number, c.shipment_id), c.departed_at_ms, c.shipment_id))
    return fit[-1] if fit else None
