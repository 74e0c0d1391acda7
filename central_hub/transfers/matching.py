"""One pass over what is not judged yet: what was found, what is settled, what has to wait for a plant's data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from central_hub.transfers.blocked import JUDGED as BLOCKED
from central_hub.transfers.blocked import MISTAKEN, find_blocked, find_mistaken
from central_hub.transfers.contested import find_contested
from central_hub.transfers.denial_domain import judge_denied
from central_hub.transfers.denials import find_denied
from central_hub.transfers.domain import (
    PENDING,
    Contradiction,
    KnownReceipt,
    Sight,
    judge_double,
    judge_mass,
    judge_missing,
    judge_unlisted,
)
from central_hub.transfers.episodes import Waiting, episodes, has_line
from central_hub.transfers.floors import raised
from central_hub.transfers.outside import JUDGED as PARTY
from central_hub.transfers.outside import judge_outside_lines, judge_party_words, read_parties
from central_hub.transfers.reading import OpenMatters, find_line, find_others, find_twins, read_open_matters
from central_hub.transfers.refusals import JUDGED as REFUSAL
from central_hub.transfers.refusals import find_refused, judge_refused
from central_hub.transfers.replay_domain import judge_replayed
from central_hub.transfers.restored import look_for_reuse, name_cause
from central_hub.transfers.said import (
    ORIGIN_UNKNOWN,
    find_denied_by_receipt,
    find_unknown,
    find_without_origin,
    judge_words,
)
from central_hub.transfers.watermarks import clock_offsets, speaking, watermarks
from central_hub.transfers.word_domain import judge_damage, judge_gap, judge_undeparted
from shared.journal.fact import Draft
from shared.transfers.facts import AwaitingData
from shared.transfers.limits import mass_limits
from shared.transfers.lines import LineFilter, find_lines


@dataclass
class Findings:
    """What a pass came to: contradictions, judged (kind, ref) pairs, what waits, episodes to open or close."""

    contradictions: list[Contradiction] = field(default_factory=list)
    judged: list[tuple[str, str]] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    episodes: list[Draft[AwaitingData]] = field(default_factory=list)
    floors: dict[str, int] = field(default_factory=dict)
    more: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.contradictions or self.judged or self.episodes or self.more)

    def settle(self, kind: str, ref: str, found: Contradiction | None) -> None:
        """Remember a judgement that stands for ever."""
        self.judged.append((kind, ref))
        if found is not None:
            self.contradictions.append(found)


def judge_all(conn: Connection, hub: str, margin_ms: int) -> Findings:
    """Judge everything unjudged as far as the watermarks allow."""
    sight = Sight(watermarks(conn), margin_ms, clock_offsets(conn))
    matters = read_open_matters(conn)
    findings = Findings()
    _judge_lines(conn, findings, matters, sight)
    _judge_unlisted(findings, matters, sight, speaking(conn))
    for receipt in matters.receipts:
        _judge_receipt(conn, findings, receipt, sight)
    _judge_origins(conn, findings, sight)
    _judge_denials(conn, findings, sight)
    _judge_refusals(conn, findings, sight)
    for word, found in judge_words(conn):
        findings.settle("word", word.fact_id, found)
    looked = look_for_reuse(conn, sight.through)
    findings.more = looked.more
    findings.contradictions += looked.found
    for fact_id, contradiction in find_contested(conn):
        findings.settle("contested", fact_id, contradiction)
    for fact_id, blocked in find_blocked(conn):
        findings.settle(BLOCKED, fact_id, blocked)
    for set_id, mistaken in find_mistaken(conn):
        findings.settle(MISTAKEN, set_id, mistaken)
    findings.contradictions = [name_cause(conn, found) for found in findings.contradictions]
    findings.episodes = episodes(conn, hub, findings.waiting, matters.lines_by_number, sight)
    findings.floors = {
        **raised(conn, sight.through, _unjudged(findings, matters), matters.floors),
        **looked.cursors,
    }
    return findings


def _unjudged(findings: Findings, matters: OpenMatters) -> list[tuple[str, int]]:
    """(author, recorded) of what this pass left open."""
    done = set(findings.judged)
    left = [(x.sender, x.recorded_at_ms) for x in matters.lines if ("line", x.ref) not in done]
    left += [(x.receiver, x.recorded_at_ms) for x in matters.unlisted if ("unlisted", x.receipt_id) not in done]
    return left + [(x.receiver, x.recorded_at_ms) for x in matters.receipts if ("receipt", x.receipt_id) not in done]


def _judge_lines(conn: Connection, findings: Findings, matters: OpenMatters, sight: Sight) -> None:
    parties = read_parties(conn)
    for line, verdict in judge_outside_lines(conn, matters.lines, parties, sight):
        if not verdict.pending:
            findings.settle("line", line.ref, verdict.found)
    for fact_id, said in judge_party_words(conn):
        findings.judged.append((PARTY, fact_id))
        findings.contradictions += said
    for line in matters.lines:
        if parties.has(line):
            continue
        verdict = judge_missing(
            line,
            matters.closes.get((line.receiver, line.shipment_id)),
            matters.answered.get((line.shipment_id, line.material_id)),
            sight,
        )
        if not verdict.pending:
            findings.settle("line", line.ref, verdict.found)


def _judge_unlisted(findings: Findings, matters: OpenMatters, sight: Sight, plants: Sequence[str]) -> None:
    for receipt in matters.unlisted:
        lines = matters.lines_by_number.get(receipt.printed_number, [])
        senders = possible_senders(receipt, plants)
        verdict = judge_unlisted(receipt, lines, senders, sight)
        if not verdict.pending:
            findings.settle("unlisted", receipt.receipt_id, verdict.found)
        elif not has_line(receipt, lines):
            findings.waiting.append(Waiting(receipt, senders))


def _judge_receipt(conn: Connection, findings: Findings, receipt: KnownReceipt, sight: Sight) -> None:
    line = find_line(conn, receipt.shipment_id, receipt.material_id)
    if line is None:
        verdict = judge_undeparted(receipt, sight)
        if not verdict.pending:
            findings.settle("receipt", receipt.receipt_id, verdict.found)
        return
    found = [judge_double(receipt, twin) for twin in find_twins(conn, receipt)]
    for other in find_others(conn, receipt):  # whichever of the two came here first
        found += [judge_replayed(receipt, other), judge_replayed(other, receipt)]
    found += [judge_damage(line, receipt), find_denied_by_receipt(conn, line, receipt)]
    limits = mass_limits(conn, receipt.receiver, f"{line.sender}-{line.receiver}", receipt.recorded_at_ms)
    wanted = LineFilter(shipment_id=line.shipment_id, material_id=line.material_id)
    for both in find_lines(conn, wanted, limits=limits):
        if both.receipt_id == receipt.receipt_id and both.mass is not None:
            found.append(judge_mass(line, receipt, both.mass))
    findings.judged.append(("receipt", receipt.receipt_id))
    if find_unknown(conn, line):
        findings.judged.append((ORIGIN_UNKNOWN, receipt.receipt_id))
    findings.contradictions += [contradiction for contradiction in found if contradiction is not None]


def _judge_origins(conn: Connection, findings: Findings, sight: Sight) -> None:
    """Receipts whose piece's origin was not known when they were first judged: until it is, or nobody is awaited."""
    for receipt in find_without_origin(conn):
        line = find_line(conn, receipt.shipment_id, receipt.material_id)
        verdict = judge_gap(line, receipt, find_unknown(conn, line), sight) if line is not None else PENDING
        if not verdict.pending:
            findings.settle("origin", receipt.receipt_id, verdict.found)


def _judge_denials(conn: Connection, findings: Findings, sight: Sight) -> None:
    for denial, receipt in find_denied(conn):
        line = find_line(conn, receipt.shipment_id, receipt.material_id)
        verdict = judge_denied(line, denial, receipt, sight) if line is not None else PENDING
        if not verdict.pending:
            findings.settle("denial", denial.fact_id, verdict.found)


def _judge_refusals(conn: Connection, findings: Findings, sight: Sight) -> None:
    for line, refusal in find_refused(conn):
        verdict = judge_refused(line, refusal, sight)
        if not verdict.pending:
            findings.settle(REFUSAL, refusal.fact_id, verdict.found)


def possible_senders(receipt: KnownReceipt, plants: Sequence[str]) -> tuple[str, ...]:
    """Whose silence counts: the plant named at the gate, else every other plant that may speak to the hub."""
    if receipt.from_plant:
        return (receipt.from_plant,)
    return tuple(sorted(plant for plant in plants if plant != receipt.receiver))
