"""What a lane's journeys say: how long, what was lost, how two scales differ, and which one is off. Pure statistics.

Weighing differences are receiver minus sender in ppm of the sender's mass. The mean of n differences is known to
± t(n-1) · s / sqrt(n) with 95 % confidence (Student's t).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil, sqrt
from statistics import fmean, stdev

from shared.transfers.domain import ADVISED, PPM

PAIRS_LEAST = 20
"""Weighings of a pair before anything is said of it: below, one crooked coil moves the mean by more than a scale errs."""
BIAS_LEAST_PPM = 500
"""A mean difference that matters, in ppm: 10 kg on a coil of 20 t, the usual division of a 60 t vehicle scale is 20 kg."""
CALCULATED_LEAST_PPM = 3_000
"""The same where one side calculates, in ppm: a fifth of what such a pair may differ by (1.5 %); a rolled edge or a scarfed
face makes up that much without any scale being wrong."""
GROSS_PPM = 15_000
"""A difference above the widest tolerance (1.5 %) is a case of one piece and tells nothing of a scale: it is left out."""


@dataclass(frozen=True)
class Trip:
    """One piece's journey: times in UTC ms, masses in grams; the receiver's part is None until it came."""

    sender: str
    receiver: str
    departed_at_ms: int
    received_at_ms: int | None
    sender_g: int
    sender_basis: str
    sender_scale: str
    receiver_g: int | None
    receiver_basis: str
    receiver_scale: str
    lost: bool = False
    carrier: str = ""
    """Who drove it; empty where nobody said."""

    @property
    def lane(self) -> str:
        """Its name in addresses."""
        return f"{self.sender}-{self.receiver}"

    @property
    def transit_ms(self) -> int | None:
        """From departure to taking in; two clocks may make it negative, then it counts as none."""
        return None if self.received_at_ms is None else max(0, self.received_at_ms - self.departed_at_ms)

    @property
    def difference_ppm(self) -> float | None:
        """What the two sides' masses differ by; None where one side did not weigh or calculate for itself, or erred grossly."""
        if self.receiver_g is None or self.sender_g <= 0 or self.receiver_g <= 0 or self.receiver_basis == ADVISED:
            return None
        ppm = (self.receiver_g - self.sender_g) * PPM / self.sender_g
        return ppm if abs(ppm) <= GROSS_PPM else None

    @property
    def is_weighed(self) -> bool:
        """Whether both masses come off a scale."""
        return self.sender_basis == self.receiver_basis == "weighed"

    @property
    def sources(self) -> tuple[str, str]:
        """Where the two masses come from: a scale of a plant, or its calculation."""
        return (
            source_of(self.sender, self.sender_basis, self.sender_scale),
            source_of(self.receiver, self.receiver_basis, self.receiver_scale),
        )


@dataclass(frozen=True)
class LaneFigures:
    """A lane, or one carrier's part of it, over a stretch of time. Times in ms; loss in ppm of what was shipped."""

    lane: str
    shipped: int
    shipped_g: int
    received: int
    median_ms: int | None
    p90_ms: int | None
    lost: int
    lost_g: int
    difference_ppm: int | None = None
    """Mean of receiver's mass less sender's, over the pieces that both sides weighed or calculated; None of none."""
    carrier: str = ""
    """Whose part of the lane it is; empty for the whole lane, or for the loads of which nobody said."""

    @property
    def loss_ppm(self) -> int:
        """Lost as a part of the mass shipped."""
        return self.lost_g * PPM // self.shipped_g if self.shipped_g else 0


@dataclass(frozen=True)
class Pair:
    """Two sources of mass and how the second differs from the first, in ppm; low..high holds the mean with 95 %."""

    first: str
    second: str
    count: int
    mean_ppm: float
    low_ppm: float
    high_ppm: float
    least_ppm: int = BIAS_LEAST_PPM
    """From where on a difference of this pair matters."""

    @property
    def is_known(self) -> bool:
        """Whether there are weighings enough to speak of it."""
        return self.count >= PAIRS_LEAST

    @property
    def differs(self) -> bool:
        """A difference that matters and is no chance."""
        return self.is_known and abs(self.mean_ppm) >= self.least_ppm and self.low_ppm * self.high_ppm > 0

    @property
    def agrees(self) -> bool:
        """Known well enough to say that no difference that matters is between the two."""
        return self.is_known and max(abs(self.low_ppm), abs(self.high_ppm)) < self.least_ppm


@dataclass(frozen=True)
class Finding:
    """A source of mass that is off, or two of which one is. bias_ppm: what it reads too much, with 95 % in low..high."""

    suspects: tuple[str, ...]
    pair: Pair
    against: tuple[str, ...]
    """Sources that agree among each other and not with it."""
    bias_ppm: float
    low_ppm: float
    high_ppm: float


def source_of(plant: str, basis: str, scale: str) -> str:
    """The name of where a mass comes from."""
    return f"{plant} {scale or 'scale'}" if basis == "weighed" else f"{plant} {basis}"


def figures_of(lane: str, trips: Sequence[Trip]) -> LaneFigures:
    """The lane's journeys in figures."""
    times = sorted(time for trip in trips if (time := trip.transit_ms) is not None)
    lost = [trip for trip in trips if trip.lost]
    differences = [d for trip in trips if (d := trip.difference_ppm) is not None]
    return LaneFigures(
        lane,
        len(trips),
        sum(trip.sender_g for trip in trips),
        len(times),
        quantile(times, 0.5),
        quantile(times, 0.9),
        len(lost),
        sum(trip.sender_g for trip in lost),
        round(fmean(differences)) if differences else None,
    )


def by_carrier(trips: Iterable[Trip]) -> list[LaneFigures]:
    """Each carrier's part of each lane, by lane and carrier; empty where no load ever said whose it was."""
    parts: dict[tuple[str, str], list[Trip]] = {}
    for trip in trips:
        parts.setdefault((trip.lane, trip.carrier), []).append(trip)
    if not any(carrier for _, carrier in parts):
        return []
    return [replace(figures_of(lane, parts[lane, carrier]), carrier=carrier) for lane, carrier in sorted(parts)]


def quantile(ordered: Sequence[int], part: float) -> int | None:
    """The smallest value that at least this part of all is not above (nearest rank); None of nothing."""
    return ordered[max(0, ceil(part * len(ordered)) - 1)] if ordered else None


def pairs_of(trips: Iterable[Trip]) -> list[Pair]:
    """Every pair of sources that weighed the same pieces, the best known first."""
    told: dict[tuple[str, str, bool], list[float]] = {}
    for trip in trips:
        difference = trip.difference_ppm
        if difference is not None:
            told.setdefault((*trip.sources, trip.is_weighed), []).append(difference)
    pairs = [_pair(*key, values) for key, values in told.items()]
    return sorted(pairs, key=lambda pair: (-pair.count, pair.first, pair.second))


def mean_with_confidence(values: Sequence[float]) -> tuple[float, float, float]:
    """(mean, low, high) with 95 % confidence; a single value is known to nothing."""
    mean = fmean(values)
    if len(values) < 2:
        return mean, float("-inf"), float("inf")
    reach = student_t(len(values) - 1) * stdev(values) / sqrt(len(values))
    return mean, mean - reach, mean + reach


def student_t(freedom: int) -> float:
    """The two-sided 95 % point of Student's t, by the expansion 1.96 + 2.372/f + 2.82/f² + 2.5/f³ (1 % off from f = 3 on)."""
    return 1.96 + 2.372 / freedom + 2.82 / freedom**2 + 2.5 / freedom**3


def find_biased(pairs: Sequence[Pair]) -> list[Finding]:
    """Which source is off: the one of a differing pair that agrees with nobody while its partner agrees with somebody.

    Where neither or both are vouched for by a third, both stay under suspicion: two weighings alone cannot tell.
    """
    friends: dict[str, set[str]] = {}
    for pair in pairs:
        if pair.agrees:
            friends.setdefault(pair.first, set()).add(pair.second)
            friends.setdefault(pair.second, set()).add(pair.first)
    return [_finding(pair, friends) for pair in pairs if pair.differs]


def _finding(pair: Pair, friends: dict[str, set[str]]) -> Finding:
    vouched_first, vouched_second = friends.get(pair.first, set()), friends.get(pair.second, set())
    if vouched_first and not vouched_second:
        against = (pair.first, *sorted(vouched_first))
        return Finding((pair.second,), pair, against, pair.mean_ppm, pair.low_ppm, pair.high_ppm)
    if vouched_second and not vouched_first:
        against = (pair.second, *sorted(vouched_second))
        return Finding((pair.first,), pair, against, -pair.mean_ppm, -pair.high_ppm, -pair.low_ppm)
    return Finding((pair.first, pair.second), pair, (), pair.mean_ppm, pair.low_ppm, pair.high_ppm)


def _pair(first: str, second: str, is_weighed: bool, values: Sequence[float]) -> Pair:
    least = BIAS_LEAST_PPM if is_weighed else CALCULATED_LEAST_PPM
    return Pair(first, second, len(values), *mean_with_confidence(values), least)
