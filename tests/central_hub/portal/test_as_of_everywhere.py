"""No figure of the hub without up to when each plant's facts are in it: every page and every JSON answer is walked."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from central_hub.app import ROLES, create_portal
from central_hub.plants.tables import plant
from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.db.upsert import upsert
from shared.journal.position import move_to
from shared.journal.reading import lives
from sync.through import applied_through

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import Person, sign_in
from steel_group import SteelGroup

HOUR = 3_600_000
WITHOUT_FIGURES = {
    "signin.form",
    "signin.status",
    "signin.legend",
    "static",
}
"""Pages that show nothing of plants: who may enter, the header's own lines, the legend."""


@pytest.fixture
def group(tmp_path: Path, clock: FixedClock) -> Iterator[SteelGroup]:
    made = SteelGroup(tmp_path, clock)
    with write(made.hub.node.engine) as conn:
        names = (("ALD", "Aldermoor"), ("BRK", "Brackwell"), ("CLD", "Clyde"))
        rows = [{"code": c, "name": n, "fingerprint": "ab", "enrolled_at_ms": clock.now_ms()} for c, n in names]
        upsert(conn, plant, rows)
    made.stock("ALD", "16173-1-1", 20_550)
    made.ship("ALD", "BRK", "RT-1", ["16173-1-1"], vehicle="Train 1", lane="ALD-BRK", mode="rail")
    made.sync("ALD", "BRK")
    made.pass_time(HOUR)
    made.receive("BRK", "16173-1-1", 19_000, "RT-1")
    made.sync("BRK")
    yield made
    made.close()


@pytest.fixture
def portal(group: SteelGroup) -> Flask:
    return create_portal(group.hub)


@pytest.fixture
def owner(portal: Flask, group: SteelGroup) -> Person:
    return sign_in(portal, group.hub.node, "all", *ROLES)


def addresses(portal: Flask, api: bool) -> list[str]:
    """Every address that can be read without knowing a number."""
    rules = [r for r in portal.url_map.iter_rules() if "GET" in (r.methods or ()) and not r.arguments]
    return sorted(r.rule for r in rules if r.rule.startswith("/api/v1/") == api and r.endpoint not in WITHOUT_FIGURES)


def test_every_page_says_up_to_when_each_plant_is_in_it(portal, owner, group):
    with read(group.hub.node.engine) as conn:
        (case_id,) = conn.exec_driver_sql("SELECT case_id FROM transfer_case").scalars()
    known = ["/pieces/16173-1-1", "/pieces/16173-1-1/trace", f"/transfers/cases/{case_id}", "/recall?q=16173-1-1"]
    silent, walked = [], 0
    for address in [*addresses(portal, api=False), *known]:
        answer = owner.client.get(address)
        if answer.status_code != 200 or answer.mimetype != "text/html":
            continue
        walked += 1
        text = answer.text
        if not all(f"<b>{code}</b>" in text for code in ("ALD", "BRK", "CLD")):
            silent.append(address)
    assert walked > 12
    assert silent == []
    page = owner.page("/transfers/")
    assert "<b>CLD</b> never heard" in page
    assert page.count("upto-late") == 2  # one never heard, one an hour behind


def test_every_json_answer_with_a_moment_says_it_too(portal, owner):
    silent, walked = [], 0
    for address in addresses(portal, api=True):
        answer = owner.api("GET", address)
        body = answer.json if answer.status_code == 200 else None
        if isinstance(body, dict) and "as_of" in body:
            walked += 1
            if set(body.get("complete_through_ms") or ()) < {"ALD", "BRK"}:
                silent.append(address)
    for address in ("materials/16173-1-1", "traces/16173-1-1", "recalls/16173-1-1", "shipments/RT-1"):
        assert owner.api("GET", f"/api/v1/{address}").json["complete_through_ms"]["CLD"] is None, address
    assert walked > 10
    assert silent == []


def test_what_is_received_and_not_applied_is_not_promised(group):
    hub = group.hub.node.engine
    with read(hub) as conn:
        before = applied_through(conn)
        (life,) = lives(conn, "ALD")
    with write(hub) as conn:
        move_to(conn, "ALD", life.epoch, life.seq - 1)
        after = applied_through(conn)
    assert after["ALD"] < before["ALD"]
    assert after["BRK"] == before["BRK"]
    with write(hub) as conn:
        move_to(conn, "ALD", life.epoch, 0)
        assert applied_through(conn)["ALD"] <= after["ALD"]


def test_the_marks_are_read_before_what_they_speak_of(portal, owner, group, monkeypatch):
    """A fact that is applied while the page is made must not be promised by it."""
    import central_hub.plants.marks as module

    seen = []
    real = module.applied_through

    def late(conn):
        found = real(conn)
        seen.append(found["ALD"])
        group.pass_time(HOUR)
        group.stock("ALD", f"late-{len(seen)}", 10_000)
        group.up("ALD")
        return found

    monkeypatch.setattr(module, "applied_through", late)
    told = owner.api("GET", "/api/v1/materials").json
    assert told["complete_through_ms"]["ALD"] == seen[0] < told["as_of"]
    assert any("late-1" in item["numbers"] for item in told["items"])
