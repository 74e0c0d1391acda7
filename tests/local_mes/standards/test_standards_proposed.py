"""From a deviation that does well at one plant to a draft of the group that names its author, and its answer back."""

from __future__ import annotations

from typing import Any

import pytest

from central_hub.standards import comments, proposals, service
from central_hub.standards.aftermath import list_made_after
from central_hub.standards.evidence import Share, evidence_at
from local_mes.standards.service import declare, propose
from shared.db.engine import read, write
from shared.errors import BadInput, NotFound, Refused
from shared.journal.fact import Draft, Occurred
from shared.quality.facts import CheckDecided
from shared.standards.queries import find_version
from shared.standards.talk_facts import ImprovementProposed
from shared.standards.talk_queries import list_comments, list_mentions, list_proposals
from shared.web.accounts import add_person

DAY_MS = 86_400_000
PARAMETER = "CC1.slab_length_mm"


@pytest.fixture
def deviating(group: Any) -> Any:
    group.release("R-GISLIT-v7")
    group.sync()
    group.deviation = declare(
        group.plant,
        "R-GISLIT",
        PARAMETER,
        "12500",
        "lead",
        "fewer crops",
        group.clock.now_ms() + 30 * DAY_MS,
        "ewa",
        group.command(),
    )
    group.sync()
    return group


def at_plant(group: Any) -> Any:
    with read(group.plant.node.engine) as conn:
        return list_proposals(conn, "ALD")


def test_a_proposal_becomes_a_draft_that_names_its_author(deviating: Any) -> None:
    proposal_id = propose(deviating.plant, deviating.deviation, "2 % less crop", ("ewa", "Ewa Nowak"), "p1")
    assert propose(deviating.plant, deviating.deviation, "2 % less crop", ("ewa", "Ewa Nowak"), "p1") == proposal_id
    with pytest.raises(Refused, match="proposed already"):
        propose(deviating.plant, deviating.deviation, "again", ("ewa", "Ewa Nowak"), "p2")
    deviating.sync()
    with read(deviating.hub.node.engine) as conn:
        (found,) = proposals.read_proposals(conn, deviating.hub)
        proposal, evidence = found.proposal, found.evidence
    assert (proposal.plant, proposal.value, evidence.verdict) == ("ALD", "12500", "no difference shown yet")
    for _ in range(2):  # the same command again
        assert proposals.make_draft(deviating.hub, proposal_id, "anna", "d1") == ("R-GISLIT", 8)
    with read(deviating.hub.node.engine) as conn:
        row = find_version(conn, "HUB", "R-GISLIT", 8)
    assert (row.status, "Proposed by Ewa Nowak of ALD" in row.body, '"default":12500' in row.body) == (
        "draft",
        True,
        True,
    )
    with pytest.raises(Refused, match="drafted already"):
        proposals.decline(deviating.hub, proposal_id, "too late", "anna", "d2")
    deviating.sync()
    assert [(p.answer, p.drafted) for p in at_plant(deviating)] == [("drafted", 8)]


def test_a_declined_proposal_says_why_at_the_plant(deviating: Any) -> None:
    proposal_id = propose(deviating.plant, deviating.deviation, "2 % less crop", ("ewa", "Ewa"), "p1")
    deviating.sync()
    proposals.decline(deviating.hub, proposal_id, "the furnace at BRK is shorter", "anna", "d1")
    deviating.sync()
    assert [(p.answer, p.why) for p in at_plant(deviating)] == [("declined", "the furnace at BRK is shorter")]
    propose(deviating.plant, deviating.deviation, "now with figures", ("ewa", "Ewa"), "p2")  # it may be said again


@pytest.mark.parametrize(("since_ms", "value"), [(-(1 << 63), "12500"), ((1 << 63) - 1, "12500"), (0, "long")])
def test_a_plants_strange_word_takes_the_page_down_for_nobody(deviating: Any, since_ms: int, value: str) -> None:
    fact = ImprovementProposed(
        proposal_id="p1",
        standard_id="R-GISLIT",
        version=7,
        parameter=PARAMETER,
        value=value,
        since_ms=since_ms,
        reason="x",
        proposed_by="x",
    )
    with deviating.plant.journal.work() as tx:
        tx.record(Draft(payload=fact, subjects=("p1",), actor="x", occurred=Occurred(tx.now_ms(), "manual")))
    deviating.sync()
    with read(deviating.hub.node.engine) as conn:
        assert len(proposals.read_proposals(conn, deviating.hub)) == 1
    if value == "long":
        with pytest.raises(BadInput, match="whole number"):
            proposals.make_draft(deviating.hub, "p1", "anna", "d1")


def test_only_a_deviation_in_force_is_proposed(deviating: Any) -> None:
    with pytest.raises(NotFound):
        propose(deviating.plant, "no such", "x", ("ewa", "Ewa"), "p1")
    deviating.clock.advance(31 * DAY_MS)
    with pytest.raises(NotFound):
        propose(deviating.plant, deviating.deviation, "x", ("ewa", "Ewa"), "p2")


def test_a_comment_reaches_whom_it_names(group: Any) -> None:
    group.release("KPI-YLD-v2")
    with write(group.hub.node.engine) as conn:
        bert = add_person(conn, group.clock, "bert.b", "Bert", ("approver",), "long enough to type", {"approver": ""})
    with pytest.raises(BadInput, match="@nobody"):
        comments.comment(group.hub, "KPI-YLD", 2, "@nobody look", "anna", "say-0")
    comments.comment(group.hub, "KPI-YLD", 2, "See mail a@bert.b; @bert.b, is the crop counted?", "anna", "say-1")
    comments.comment(group.hub, "KPI-YLD", 2, "See mail a@bert.b; @bert.b, is the crop counted?", "anna", "say-1")
    with read(group.hub.node.engine) as conn:
        assert [row.said_by for row in list_comments(conn, "HUB", "KPI-YLD", 2)] == ["anna"]
        assert len(list_mentions(conn, "HUB", bert)) == 1
        assert len(list_mentions(conn, "HUB", "anna")) == 0


def test_what_was_judged_under_a_version_after_its_withdrawal_is_found(group: Any) -> None:
    group.release("QR-CHE-01-v5")
    group.sync()
    judge(group, "before")
    group.clock.advance(60_000)
    service.withdraw(group.hub, "QR-CHE-01", 5, "wrong limit of Cu", "bert", group.command())
    group.clock.advance(60_000)
    judge(group, "after")
    caller = group.caller()
    session = caller.hello()
    while (run := caller.next_run(2_000)) is not None:
        caller.push(session, run)
    caller.push(session, None)
    group.station.ground.applying.apply_all()
    with read(group.hub.node.engine) as conn:
        row = find_version(conn, "HUB", "QR-CHE-01", 5)
        found = list_made_after(conn, "QR-CHE-01", 5, row.withdrawn_ms)
    assert [(piece.plant, piece.material_id, piece.how) for piece in found] == [("ALD", "after", "judged: hold")]


def test_evidence_claims_a_difference_only_where_the_intervals_do_not_meet(deviating: Any) -> None:
    deviating.clock.advance(-3_600_000)
    for n in range(40):
        judge(deviating, f"b{n}", "hold" if n % 2 else "pass")
    deviating.clock.advance(2 * 3_600_000)
    for n in range(40):
        judge(deviating, f"a{n}", "case" if n == 0 else "pass")
    judge(deviating, "unsure", "pending")
    deviating.sync()
    since = deviating.clock.now_ms() - 3_600_000
    with read(deviating.hub.node.engine) as conn:
        found = evidence_at(conn, "ALD", since, "QR-CHE-01", deviating.clock.now_ms())
        other = evidence_at(conn, "ALD", since, "QR-RES-01", deviating.clock.now_ms())
    assert (found.before, found.after, found.verdict) == (Share(20, 40), Share(1, 40), "better than before")
    assert (other.after.checks, other.verdict) == (0, "no difference shown yet")
    low, high = Share(20, 40).interval_ppm
    assert (round(low / 1e6, 3), round(high / 1e6, 3)) == (0.352, 0.648)  # Wilson, 20 of 40, as published in tables


def judge(group: Any, piece: str, outcome: str = "hold") -> None:
    now = group.clock.now_ms()
    fact = CheckDecided(
        decision_id=f"d-{piece}",
        rule_id="QR-CHE-01",
        rule_version=5,
        rule_hash="h",
        material_id=piece,
        outcome=outcome,
        inputs={},
        explanation="",
    )
    with group.plant.journal.work() as tx:
        tx.record(Draft(payload=fact, subjects=(piece,), actor="rule", occurred=Occurred(now, "system")))
