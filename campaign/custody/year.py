"""A year of transfers among plants that are away for days: the hub's own rules over what it can see, hour by hour.

Only the rules (central_hub/transfers/domain.py) are the product's; lines, receipts and watermarks are values. What a plant
recorded is seen when the plant has called since; so is its watermark. Times in ms.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

from central_hub.transfers.domain import Close, KnownLine, KnownReceipt, Sight, Verdict, judge_missing, judge_unlisted

PLANTS = ("ALD", "BRK", "CLD", "DRN", "ERL")
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
YEAR_MS = 365 * 24 * HOUR_MS
AWAY_MS = 72 * HOUR_MS
THERE_MS = 240 * HOUR_MS
"""Mean times of a plant without and with its line; both end at any moment with the same chance."""
TRANSFERS = 20_000
SKEW_MAX_MS = 10 * MINUTE_MS
LOST, UNLISTED, LATE, DENIED = 0.005, 0.005, 0.01, 0.01
STEP_MS = 2 * HOUR_MS


@dataclass
class Line:
    """A plant's line to the hub: away from an odd edge to the next."""

    edges: list[int]

    def seen(self, at_ms: int) -> int:
        """Up to when the hub has heard of it at a time."""
        place = bisect_right(self.edges, at_ms)
        return at_ms if place % 2 == 0 else self.edges[place - 1]


@dataclass(frozen=True)
class Truth:
    """A piece: what was said of it and when, by each plant's own clock; None: never."""

    line: KnownLine
    receipt: KnownReceipt | None
    close: Close
    listed: bool
    is_lost: bool


@dataclass
class Findings:
    """What a year came to. delays: ms from the moment of which a case is judged to the hour in which it was opened."""

    transfers: int
    lost: int = 0
    lost_found: int = 0
    unlisted: int = 0
    unlisted_found: int = 0
    late_found: int = 0
    false: int = 0
    delays: list[int] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        """No case without a cause, and every cause found."""
        return not self.false and self.lost_found == self.lost and self.unlisted_found == self.unlisted

    @property
    def mean_delay_h(self) -> float:
        """Hours."""
        return sum(self.delays) / max(1, len(self.delays)) / HOUR_MS

    def text(self) -> str:
        """In one line."""
        return (
            f"{self.transfers} transfers, plants away {AWAY_MS // HOUR_MS} h on average: {self.false} false cases, "
            f"{self.lost_found} of {self.lost} lost pieces found, {self.unlisted_found} of {self.unlisted} unlisted, "
            f"{self.late_found} days late; detection {self.mean_delay_h:.1f} h after its moment on average"
        )


def play_year(seed: int, transfers: int = TRANSFERS) -> Findings:
    """So many transfers, a year's worth of them in a year."""
    dice = Random(f"{seed} year")
    span_ms = YEAR_MS * transfers // TRANSFERS
    ways = {plant: Line(list(_edges(dice, span_ms * 2 + 60 * AWAY_MS))) for plant in PLANTS}
    skews = {plant: dice.randrange(-SKEW_MAX_MS, SKEW_MAX_MS + 1) for plant in PLANTS}
    waiting = sorted((_truth(dice, n, span_ms, skews) for n in range(transfers)), key=lambda t: t.line.departed_at_ms)
    findings = Findings(transfers, sum(t.is_lost for t in waiting), unlisted=sum(not t.listed for t in waiting))
    under_way: list[Truth] = []
    now_ms = 0
    while waiting or under_way:
        now_ms += STEP_MS
        through = {plant: way.seen(now_ms) + skews[plant] for plant, way in ways.items()}
        sight = Sight(through, 15 * MINUTE_MS, skews)
        while waiting and waiting[0].line.departed_at_ms <= now_ms:
            under_way.append(waiting.pop(0))
        under_way = [truth for truth in under_way if not _settled(findings, truth, sight, now_ms)]
    return findings


def _edges(dice: Random, until_ms: int) -> Iterator[int]:
    at_ms, away = 0.0, False
    while at_ms < until_ms:
        at_ms += dice.expovariate(1 / (AWAY_MS if away else THERE_MS))
        away = not away
        yield int(at_ms)


def _truth(dice: Random, number: int, span_ms: int, skews: dict[str, int]) -> Truth:
    sender, receiver = dice.sample(PLANTS, 2)
    left_ms = dice.randrange(span_ms)
    lot = dice.random()
    is_lost = lot < LOST
    listed = is_lost or lot >= LOST + UNLISTED
    late = LOST + UNLISTED <= lot < LOST + UNLISTED + LATE
    denied = LOST + UNLISTED + LATE <= lot < LOST + UNLISTED + LATE + DENIED
    came_ms = left_ms + (dice.randrange(48, 96) if late else dice.randrange(4, 9)) * HOUR_MS
    recorded_ms = left_ms + skews[sender]
    line = KnownLine(
        sender, receiver, f"s{number}", f"L{number}", f"m{number}", f"n{number}", "rail", 20_000_000, recorded_ms,
        recorded_ms + 8 * HOUR_MS, recorded_ms, recorded_ms + HOUR_MS if denied else 0, f"f{number}",
    )  # fmt: skip
    taken_ms = came_ms + skews[receiver]
    receipt = KnownReceipt(
        receiver, f"r{number}", sender, "", line.shipment_number, line.material_id, f"p{number}", 0, True, True,
        line.number, f"o{number}", 20_000_000, taken_ms, taken_ms, 0, f"g{number}",
    )  # fmt: skip
    close = Close(left_ms + 12 * HOUR_MS + skews[receiver], f"c{number}")
    return Truth(line, None if is_lost or denied else receipt, close, listed, is_lost)


def _settled(findings: Findings, truth: Truth, sight: Sight, now_ms: int) -> bool:
    """Judge what the hub sees of a piece now; whether it is judged for ever."""
    verdict = _judge(truth, sight)
    if verdict is None or verdict.pending:
        return False
    if verdict.found is not None:
        _count(findings, truth, verdict.found.at_ms)
        findings.delays.append(max(0, now_ms - verdict.found.at_ms))
    return True


def _judge(truth: Truth, sight: Sight) -> Verdict | None:
    """None while there is nothing to judge yet."""
    receipt, line = truth.receipt, truth.line
    heard = receipt is not None and _heard(sight, receipt.receiver, receipt.recorded_at_ms)
    if not truth.listed:
        return judge_unlisted(receipt, [], (line.sender,), sight) if heard and receipt is not None else None
    if not _heard(sight, line.sender, line.recorded_at_ms):
        return None
    if not _heard(sight, line.sender, line.withdrawn_at_ms):
        line = replace(line, withdrawn_at_ms=0)
    close = truth.close if _heard(sight, line.receiver, truth.close.recorded_at_ms) else None
    answered_ms = receipt.recorded_at_ms if heard and receipt is not None else None
    return judge_missing(line, close, answered_ms, sight)


def _heard(sight: Sight, plant: str, recorded_ms: int) -> bool:
    """Whether what a plant recorded then is at the hub: a fact of this world, and no rule."""
    return sight.through[plant] >= recorded_ms


def _count(findings: Findings, truth: Truth, at_ms: int) -> None:
    if truth.is_lost:
        findings.lost_found += 1
    elif not truth.listed:
        findings.unlisted_found += 1
    elif truth.receipt is not None and truth.receipt.recorded_at_ms > at_ms:
        findings.late_found += 1
    else:
        findings.false += 1
