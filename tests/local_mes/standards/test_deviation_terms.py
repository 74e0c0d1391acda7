"""A deviation is approved by somebody else at the plant or in the group, objected to, and renewed with its history kept."""

from __future__ import annotations

from typing import Any

import pytest
from browse import sign_in

from central_hub.app import create_portal
from central_hub.conformance import deviations
from central_hub.conformance.service import read_matrix
from local_mes.app import create_console
from local_mes.standards.service import declare, end, judge, renew
from shared.db.engine import read
from shared.errors import BadInput, Denied, NotFound, Refused
from shared.journal.fact import Draft, Occurred
from shared.journal.rederive import put_right
from shared.standards.deviation_facts import DeviationJudged
from shared.standards.queries import Deviation, list_deviations

DAY_MS = 86_400_000


@pytest.fixture
def deviating(group: Any) -> Any:
    group.release("R-GISLIT-v7")
    group.sync()
    group.until = group.clock.now_ms() + 10 * DAY_MS
    what = ("R-GISLIT", "CC1.slab_length_mm", "12500", "casting", "fewer crops", group.until)
    group.deviation = declare(group.plant, *what, "ewa", group.command())
    group.sync()
    return group


def at(node: Any) -> Deviation:
    with read(node.engine) as conn:
        (found,) = list_deviations(conn, "ALD")
    return found


def test_another_person_approves_and_a_renewal_asks_anew(deviating: Any) -> None:
    group, plant, ours = deviating, deviating.plant, deviating.deviation
    assert (at(plant.node).approval, at(plant.node).active(group.clock.now_ms())) == ("open", True)
    with pytest.raises(Denied, match="asked for"):
        judge(plant, ours, group.until, "approved", "", "ewa", "j0")
    for _ in range(2):  # the same command again
        judge(plant, ours, group.until, "approved", "measured", "quentin", "j1")
    assert at(plant.node).approval == "approved"
    for wrong in (group.until, group.clock.now_ms() + 400 * DAY_MS):
        with pytest.raises(BadInput, match="later"):
            renew(plant, ours, wrong, "the torch rail comes in May", "otto", "r0")
    later = group.until + 20 * DAY_MS
    for _ in range(2):
        renew(plant, ours, later, "the torch rail comes in May", "otto", "r1")
    assert (at(plant.node).approval, at(plant.node).expires_ms) == ("open", later)
    with pytest.raises(Refused, match="renewed after"):
        judge(plant, ours, group.until, "approved", "", "quentin", "j2")
    with pytest.raises(Denied):  # who renewed it asks for it now
        judge(plant, ours, later, "approved", "", "otto", "j3")
    judge(plant, ours, later, "approved", "", "ewa", "j4")
    group.clock.advance(15 * DAY_MS)  # past its first end: it goes on, with what it was bound to
    group.sync()
    seen = at(group.hub.node)
    assert seen == at(plant.node)
    assert (seen.approval, seen.active(group.clock.now_ms())) == ("approved", True)
    assert [(r.expires_ms, r.renewed_by) for r in seen.past.renewals] == [(later, "otto")]
    assert [(w.said_by, w.expires_ms) for w in seen.past.words] == [("quentin", group.until), ("ewa", later)]
    with read(group.hub.node.engine) as conn:
        (cell,) = (c for (name, _), c in read_matrix(conn, group.hub).cells.items() if name == "R-GISLIT")
    assert (cell.state, [d.approval for d in cell.deviations]) == ("deviates", ["approved"])
    node = plant.node  # nothing stands there that no fact says
    assert put_right(node.engine, plant.journal.appliers, "ALD", plant.settings.folder) == []
    end(plant, ours, "rail mended", "ewa", "e1")
    with pytest.raises(NotFound):
        renew(plant, ours, later + DAY_MS, "once more", "ewa", "r9")


def test_the_group_objects_and_the_plant_goes_on(deviating: Any) -> None:
    group, plant, ours = deviating, deviating.plant, deviating.deviation
    judge(plant, ours, group.until, "approved", "", "quentin", "j1")
    group.sync()
    with pytest.raises(NotFound):
        deviations.judge(group.hub, "ALD", "no such", group.until, "approved", "", "bert", "h0")
    with pytest.raises(Refused, match="renewed after"):
        deviations.judge(group.hub, "ALD", ours, group.until - 1, "approved", "", "bert", "h0")
    for _ in range(2):
        word = ("objected", "the furnace at BRK is shorter")
        deviations.judge(group.hub, "ALD", ours, group.until, *word, "bert", "h1")
    group.sync()
    here = at(plant.node)
    assert (here.approval, here.active(group.clock.now_ms())) == ("objected", True)
    assert [(w.author, w.verdict, w.reason) for w in here.past.words] == [
        ("ALD", "approved", ""),
        ("HUB", "objected", "the furnace at BRK is shorter"),
    ]
    with read(group.hub.node.engine) as conn:
        assert [d.approval for d in deviations.list_active(conn, group.hub)] == ["objected"]
    deviations.judge(group.hub, "ALD", ours, group.until, "approved", "slabs are cut at BRK now", "bert", "h2")
    group.sync()
    assert at(plant.node).approval == "approved"


def test_another_plants_word_counts_nothing(deviating: Any, tmp_path: Any) -> None:
    other = deviating.one_more("OTH", tmp_path / "other")
    other.sync()
    fact = DeviationJudged(
        plant="ALD", deviation_id=deviating.deviation, expires_ms=deviating.until, verdict="objected", reason="x"
    )
    with other.plant.journal.work() as tx:
        draft = Draft(payload=fact, subjects=(fact.deviation_id,), actor="x", occurred=Occurred(tx.now_ms(), "manual"))
        tx.record(draft)
    other.sync()
    assert (at(deviating.hub.node).approval, at(deviating.hub.node).past.words) == ("open", ())


def test_pages_of_plant_and_group(deviating: Any) -> None:
    group, ours = deviating, deviating.deviation
    console = create_console(group.plant)
    quality = sign_in(console, group.plant.node, "quality.ald", "quality")
    page = "/standards/R-GISLIT"
    assert all(text in quality.page(page) for text in ("not approved yet", "Approve it, or object"))
    assert "Renew it" not in quality.page(page)
    shown = {"expires_ms": str(group.until)}
    refused = quality.post(f"{page}/deviations/{ours}/judge", page, **shown, verdict="objected")
    assert (refused.status_code, "Reason is missing" in refused.text) == (422, True)
    assert quality.post(f"{page}/deviations/{ours}/judge", page, **shown, verdict="approved").status_code == 302
    assert "approved" in quality.page("/standards")
    engineer = sign_in(console, group.plant.node, "engineer.ald", "engineer")
    body = {"until": "2026-05-01", "reason": "rail in May"}
    assert engineer.post(f"{page}/deviations/{ours}/renew", page, **body).status_code == 302
    assert all(text in engineer.page(page) for text in ("rail in May", "for the term before", "not approved yet"))
    group.sync()
    owner = sign_in(create_portal(group.hub), group.hub.node, "owner.group", "owner")
    auditor = sign_in(owner.client.application, group.hub.node, "auditor.group", "auditor")
    assert all(text in auditor.page("/conformance") for text in ("not approved yet", "(casting)"))
    assert all(text in auditor.page("/deviations") for text in ("rail in May", "for the term before"))
    assert "Approve it, or object" not in auditor.page("/deviations")
    (item,) = owner.api("GET", "/api/v1/deviations").json["items"]
    assert (item["approval"], len(item["past"]["renewals"])) == ("open", 1)
    shown = {"expires_ms": str(item["expires_ms"])}
    assert auditor.post(f"/deviations/ALD/{ours}", "/deviations", **shown, verdict="approved").status_code == 403
    assert owner.post(f"/deviations/ALD/{ours}", "/deviations", **shown, verdict="approved").status_code == 302
    word = {"command_id": "a1", "expires_ms": item["expires_ms"], "verdict": "objected"}
    address = f"/api/v1/deviations/ALD/{ours}/judge"
    assert owner.api("POST", address, json=word).status_code == 422
    assert owner.api("POST", address, json={**word, "reason": "ask BRK first"}).status_code == 200
    group.sync()
    assert all(text in engineer.page(page) for text in ("objected to", "ask BRK first", "somebody of HUB"))
    address = f"/api/v1/standards/deviations/{ours}"
    later = {"command_id": "a2", "expires_ms": item["expires_ms"] + DAY_MS, "reason": "BRK asked"}
    assert engineer.api("POST", f"{address}/judge", json=word | {"reason": "mine"}).status_code == 403
    assert engineer.api("POST", f"{address}/renew", json=later).status_code == 200
    body = {**word, "command_id": "a3", "expires_ms": later["expires_ms"], "verdict": "approved"}
    assert quality.api("POST", f"{address}/judge", json=body).status_code == 200
    assert at(group.plant.node).approval == "approved"
