"""What contradicts between two plants, judged only behind watermarks: pure rules (transfers.md, 3 and 4).

Every judgement is made as of its own moment T, from facts recorded at or before T, once the hub sees both plants up to
T. So it is the same in whatever order the plants' facts arrive; a fact recorded after T may settle a case, never undo it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.transfers.domain import CLOCK_SLACK_MS, MassComparison, grace_ms

MINUTE_MS = 60_000
EPISODE_AFTER_MS = 60 * 60_000
"""A sender this far behind a receipt is away, not merely a few minutes late: an episode of waiting is shown."""


@dataclass(frozen=True)
class Sight:
    """How far the hub sees: plant -> complete through (ms, by the plant's own clock), and the margin between plants.

    offsets: plant -> its clock minus the hub's, where it was measured.
    """

    through: Mapping[str, int]
    margin_ms: int
    offsets: Mapping[str, int] = field(default_factory=dict)

    def margin(self, plant: str, *others: str) -> int:
        """What is added to a time of this plant before absence is judged among others': the margin, and how far their
        clocks lie apart, in whole minutes, so that a measurement's jitter changes no judgement."""
        mine = self.offsets.get(plant, 0)
        apart_ms = max((abs(self.offsets.get(other, 0) - mine) for other in others), default=0)
        return self.margin_ms + (-(-apart_ms // MINUTE_MS) * MINUTE_MS if apart_ms > MINUTE_MS else 0)

    def sees(self, plant: str, until_ms: int) -> bool:
        """Whether everything this plant recorded up to then is here."""
        return self.through.get(plant, 0) >= until_ms


@dataclass(frozen=True)
class KnownLine:
    """The sender's part: a piece on a load. withdrawn_at_ms 0: it stands."""

    sender: str
    receiver: str
    shipment_id: str
    shipment_number: str
    material_id: str
    number: str
    mode: str
    mass_g: int
    departed_at_ms: int
    eta_ms: int
    recorded_at_ms: int
    withdrawn_at_ms: int
    fact_id: str

    @property
    def ref(self) -> str:
        """What a judgement of it is remembered under: taken back and declared again, it is another departure."""
        return self.fact_id + self.material_id

    def stands_at(self, at_ms: int) -> bool:
        """Whether it was on the list at that time."""
        return self.recorded_at_ms <= at_ms and not 0 < self.withdrawn_at_ms <= at_ms


@dataclass(frozen=True)
class KnownReceipt:
    """The receiver's part. matched_at_ms 0: not, or never needed."""

    receiver: str
    receipt_id: str
    from_plant: str
    shipment_id: str
    shipment_number: str
    material_id: str
    taken_in_as: str
    custody_no: int
    provisional: bool
    came_unlisted: bool
    printed_number: str
    own_number: str
    mass_g: int
    received_at_ms: int
    recorded_at_ms: int
    matched_at_ms: int
    fact_id: str
    damage: str = ""


@dataclass(frozen=True)
class Close:
    """The receiver's word that a load is unloaded."""

    recorded_at_ms: int
    fact_id: str


@dataclass(frozen=True)
class Contradiction:
    """What people must look at; `key` and `at_ms` make its id, so that the same one is the same case."""

    kind: str
    at_ms: int
    key: tuple[str, ...]
    plants: tuple[str, ...]
    summary: str
    shipment_id: str = ""
    shipment_number: str = ""
    material_id: str = ""
    piece_number: str = ""
    receipt_id: str = ""
    evidence: tuple[str, ...] = ()
    values: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """pending: cannot be judged yet; else judged for ever, with or without a contradiction."""

    pending: bool
    found: Contradiction | None = None


PENDING = Verdict(True)
IN_ORDER = Verdict(False)


def judge_missing(line: KnownLine, close: Close | None, answered_at_ms: int | None, sight: Sight) -> Verdict:
    """Rows 1 and 13: a piece that left and did not come, once the receipt is closed or the load is overdue.

    answered_at_ms: when the receiver first recorded taking it in (under its own or its printed number), or None.
    """
    margin_ms = sight.margin(line.sender, line.receiver)
    overdue_ms = max(line.eta_ms + grace_ms(line.mode), line.recorded_at_ms) + margin_ms
    at_ms, by_close = overdue_ms, False
    if close is not None:
        closed_ms = max(close.recorded_at_ms, line.recorded_at_ms) + margin_ms
        at_ms, by_close = min((closed_ms, True), (overdue_ms, False))
    if answered_at_ms is not None and answered_at_ms <= at_ms:
        # a close still to come may put that moment before the sender's own word that the piece is back
        settled = close is not None or sight.sees(line.receiver, answered_at_ms - margin_ms)
        return IN_ORDER if settled else PENDING
    if not (sight.sees(line.sender, at_ms) and sight.sees(line.receiver, at_ms)):
        return PENDING
    if not line.stands_at(at_ms):
        return IN_ORDER
    how = "closed the receipt without it" if by_close else "has not taken it in although the load is overdue"
    evidence = (line.fact_id, close.fact_id) if by_close and close else (line.fact_id,)
    return Verdict(
        False,
        Contradiction(
            "short",
            at_ms,
            (line.sender, line.shipment_id, line.material_id),
            (line.sender, line.receiver),
            f"{line.number} left {line.sender} with {line.shipment_number} ({line.mass_g / 1000:,.0f} kg); "
            f"{line.receiver} {how}.",
            line.shipment_id,
            line.shipment_number,
            line.material_id,
            line.number,
            evidence=evidence,
            values={"sender_g": line.mass_g},
        ),
    )


def judge_unlisted(receipt: KnownReceipt, lines: Sequence[KnownLine], senders: Iterable[str], sight: Sight) -> Verdict:
    """Rows 2, 3 and 12: a piece that came and never left, as far as its sender says behind its watermark.

    lines: everything that bears the printed number, to any plant. senders: whose silence would have to be proved.
    """
    senders = tuple(senders)
    named = [line for line in lines if may_be(receipt, line)]
    at_ms = receipt.recorded_at_ms + sight.margin(receipt.receiver, *senders, *(line.sender for line in named))
    if not sight.sees(receipt.receiver, at_ms):
        return PENDING
    listed = [line for line in named if line.stands_at(at_ms)]
    all_seen = all(sight.sees(plant, at_ms) for plant in senders)
    # a sender may have said by then that it never left; of a line that stands, nobody else's word is awaited
    if any(line.receiver == receipt.receiver and (all_seen or sight.sees(line.sender, at_ms)) for line in listed):
        return IN_ORDER
    if not all_seen:
        return PENDING
    if listed:
        return Verdict(False, _wrong_plant(receipt, listed[-1], at_ms))
    sender = receipt.from_plant or "no plant"
    load = f" with {receipt.shipment_number}" if receipt.shipment_number else ""
    return Verdict(
        False,
        Contradiction(
            "unannounced",
            at_ms,
            (receipt.receiver, receipt.receipt_id),
            (receipt.from_plant, receipt.receiver),
            f"{receipt.printed_number} came to {receipt.receiver}{load} ({receipt.mass_g / 1000:,.0f} kg); "
            f"{sender} never said that it left.",
            "",
            receipt.shipment_number,
            receipt.taken_in_as,
            receipt.printed_number,
            receipt.receipt_id,
            (receipt.fact_id,),
            {"receiver_g": receipt.mass_g},
        ),
    )


def may_be(receipt: KnownReceipt, line: KnownLine) -> bool:
    """Whether a line with the printed number can mean this piece: of its sender, gone before it came."""
    in_time = line.departed_at_ms <= receipt.received_at_ms + CLOCK_SLACK_MS
    return in_time and receipt.from_plant in ("", line.sender)


def _wrong_plant(receipt: KnownReceipt, line: KnownLine, at_ms: int) -> Contradiction:
    return Contradiction(
        "wrong_plant",
        at_ms,
        (receipt.receiver, receipt.receipt_id),
        (line.sender, receipt.receiver),
        f"{receipt.printed_number} came to {receipt.receiver}; {line.sender} sent it to {line.receiver} "
        f"with {line.shipment_number}.",
        line.shipment_id,
        line.shipment_number,
        line.material_id,
        receipt.printed_number,
        receipt.receipt_id,
        (line.fact_id, receipt.fact_id),
        {"sender_g": line.mass_g, "receiver_g": receipt.mass_g},
    )


def judge_mass(line: KnownLine, receipt: KnownReceipt, mass: MassComparison) -> Contradiction | None:
    """Rows 4 to 6: two masses of one piece. Both facts are there, so nothing has to be waited for."""
    if mass.is_within:
        return None
    at_ms = max(line.recorded_at_ms, receipt.recorded_at_ms, receipt.matched_at_ms)
    percent = mass.difference_g * 100 / mass.sender_g if mass.sender_g else 0.0
    return Contradiction(
        "mass",
        at_ms,
        (receipt.receiver, receipt.receipt_id),
        (line.sender, receipt.receiver),
        f"{line.number}: {line.sender} says {mass.sender_g / 1000:,.0f} kg, {receipt.receiver} found "
        f"{mass.receiver_g / 1000:,.0f} kg ({mass.pair}): {mass.difference_g / 1000:+,.0f} kg, {percent:+.2f} %; "
        f"allowed are {mass.allowed_g / 1000:,.0f} kg.",
        line.shipment_id,
        line.shipment_number,
        line.material_id,
        line.number,
        receipt.receipt_id,
        (line.fact_id, receipt.fact_id),
        {
            "sender_g": mass.sender_g,
            "receiver_g": mass.receiver_g,
            "difference_g": mass.difference_g,
            "allowed_g": mass.allowed_g,
            "difference_ppm": mass.difference_ppm,
        },
    )


def judge_double(receipt: KnownReceipt, other: KnownReceipt) -> Contradiction | None:
    """Rows 10 and 11: two receipts citing one custody number, at one plant or at two."""
    same = receipt.material_id == other.material_id and receipt.custody_no == other.custody_no
    if not same or receipt.receipt_id == other.receipt_id or receipt.provisional or other.provisional:
        return None
    first, second = sorted((receipt, other), key=lambda r: (r.recorded_at_ms, r.receipt_id))
    at_ms = max(r.matched_at_ms or r.recorded_at_ms for r in (first, second))
    return Contradiction(
        "double_receipt",
        at_ms,
        (first.receipt_id, second.receipt_id),
        (first.receiver, second.receiver),
        f"{receipt.printed_number} was taken in twice under custody number {receipt.custody_no}: at {first.receiver} as "
        f"{first.own_number}, at {second.receiver} as {second.own_number}.",
        receipt.shipment_id,
        receipt.shipment_number,
        receipt.material_id,
        receipt.printed_number,
        second.receipt_id,
        (first.fact_id, second.fact_id),
        {"receiver_g": second.mass_g},
    )


def is_away(receipt: KnownReceipt, senders: Iterable[str], sight: Sight) -> bool:
    """Whether a sender is so far behind a receipt that people should be told what is being waited for."""
    return any(not sight.sees(plant, receipt.recorded_at_ms - EPISODE_AFTER_MS) for plant in senders)
