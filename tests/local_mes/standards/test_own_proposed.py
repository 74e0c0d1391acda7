"""A standard of a plant's own that does better: proposed with one action, a draft of the group that names its author."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from browse import sign_in

from central_hub.app import create_portal
from central_hub.standards import proposals
from local_mes.app import create_console
from local_mes.standards import own
from local_mes.standards.service import propose_own
from shared.clock import to_datetime
from shared.db.engine import read
from shared.errors import Refused
from shared.journal.fact import Draft, Occurred
from shared.performance.facts import MeasureCounted
from shared.standards.queries import find_version

OWN = "ALD-KPI-POUR"
DAY_MS = 86_400_000


def document(version: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "kind": "instruction",
        "id": OWN,
        "version": version,
        "title": "How we empty the tundish",
        "owner": "casters of Aldermoor",
        "takes_hold": "at_once",
        "scope": {"plants": ["ALD"]},
        "at": "slab_caster",
        "role": "operator",
        "needs": ["slab_caster"],
        "steps": [{"text": "Close the stopper at six tonnes"}],
        **changes,
    }


def poured(group: Any, days_from_now: int, good_g: int) -> None:
    """A day's steel of the caster: of 1,000 g so many become slabs."""
    day = to_datetime(group.clock.now_ms()).date() + timedelta(days=days_from_now)
    payload = MeasureCounted(
        unit="CC1", production_day=date.isoformat(day), shift="early", measures={"good_g": good_g, "to_tundish_g": 1000}
    )
    with group.plant.journal.work() as tx:
        tx.record(Draft(payload=payload, subjects=("ALD.CC1",), actor="l2", occurred=Occurred(tx.now_ms(), "l2")))


@pytest.fixture
def running(group: Any) -> Any:
    """Our own runs; ten days before and ten since have their figures."""
    group.release("KPI-YLD-v2")
    group.sync()
    own.write(group.plant, document(), "ewa", group.command())
    with read(group.plant.node.engine) as conn:
        seen = str(find_version(conn, "ALD", OWN, 1).sha256)
    own.deploy(group.plant, OWN, 1, seen, "less steel stays behind", "ewa", group.command())
    for n in range(10):
        poured(group, -12 + n, 955 + n % 3)
        poured(group, 1 + n, 975 + n % 3)
    group.clock.advance(11 * DAY_MS)
    group.sync()
    return group


def test_with_its_figures_it_becomes_a_draft_of_the_group_that_names_its_author(running: Any) -> None:
    ewa = sign_in(create_console(running.plant), running.plant.node, "ewa.e", "engineer")
    address = f"/standards/own/{OWN}/1"
    assert all(text in ewa.page(address) for text in ("better than before", "10 days", "95.59", "97.59"))
    assert ewa.post(f"{address}/propose", address, reason="two tonnes a sequence").status_code == 302
    with pytest.raises(Refused, match="proposed already"):
        propose_own(running.plant, OWN, "again", ("ewa", "Ewa"), "p2")
    running.sync()
    with read(running.hub.node.engine) as conn:
        (found,) = proposals.read_proposals(conn, running.hub)
    (figure,) = found.figures
    assert (figure.kpi_id, figure.at, figure.since.days, figure.verdict) == (
        "KPI-YLD",
        "slab_caster",
        10,
        "better than before",
    )
    author = sign_in(create_portal(running.hub), running.hub.node, "anna.a", "author")
    assert all(text in author.page("/proposals") for text in ("a standard of its own", "better than before", "10 days"))
    (item,) = author.api("GET", "/api/v1/proposals").json["items"]
    assert item["figures"][0]["verdict"] == "better than before"
    made = author.post(f"/proposals/{found.proposal.proposal_id}/draft", "/proposals")
    assert made.status_code == 302
    with read(running.hub.node.engine) as conn:
        row = find_version(conn, "HUB", "KPI-POUR", 1)
    assert row.status == "draft"
    assert f"of ALD ({OWN}): two tonnes a sequence" in row.body
    assert '"plants":[]' in row.body
    running.sync()
    assert "became a draft of the group" in ewa.page(address)
    assert "KPI-POUR" in author.page("/proposals")


def test_only_what_is_in_force_is_proposed_and_by_who_writes(running: Any) -> None:
    operator = sign_in(create_console(running.plant), running.plant.node, "operator.cc1", "operator")
    body = {"command_id": "1", "reason": "two tonnes"}
    assert operator.api("POST", f"/api/v1/own-standards/{OWN}/propose", json=body).status_code == 403
    own.take_out(running.plant, OWN, "the group has one now", "ewa", running.command())
    with pytest.raises(Refused, match="Nothing of"):
        propose_own(running.plant, OWN, "two tonnes", ("ewa", "Ewa"), "p1")
    with pytest.raises(Refused, match="Nothing of"):
        propose_own(running.plant, "KPI-YLD", "the group's own", ("ewa", "Ewa"), "p2")
