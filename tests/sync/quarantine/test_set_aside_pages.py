"""The quarantine as people meet it: pages at the hub and at a plant, the API, the commands."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from central_hub.app import create_portal
from central_hub.cli import hub as hub_commands
from shared.db.engine import read, write
from shared.journal.quarantine import quarantine
from shared.journal.stopping import Window, find_stops, stop
from sync.commands import Door

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import PASSWORD, sign_in


@pytest.fixture
def bad(hub, arrivals, applying):
    """An unreadable one, one that breaks its schema with one behind it, one of a newer release."""
    made = arrivals.add(
        b"\x00\xff <b>no JSON</b>",
        arrivals.moved(2, "m2", place=5),
        arrivals.moved(3, "m2"),
        arrivals.moved(4, "m4", version=7),
    )
    applying.apply_all()
    return made


@pytest.fixture
def portal(hub, bad):
    return create_portal(hub)


def ids_set_aside(hub):
    with read(hub.node.engine) as conn:
        return set(conn.execute(select(quarantine.c.fact_id)).scalars())


def test_the_list_filters_pages_and_leads_to_each_fact(hub, portal, bad):
    anna = sign_in(portal, hub.node, "anna", "engineer")
    page = anna.page("/quarantine/")
    for words in ("Cannot be applied", "Newer than this node", "Unreadable", "MaterialMoved v7", "Expected `str`"):
        assert words in page, words
    assert "Try again all" in page
    only = anna.page("/quarantine/?state=parked&author=ALD")
    assert "MaterialMoved v7" in only
    assert "Unreadable" not in only
    first = anna.page("/quarantine/?limit=3")
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following
    rest = anna.page(following[1].replace("&amp;", "&"))
    assert rest.count(f"/quarantine/ALD/{bad[2]}") == 1  # what only waits comes last
    assert f"/quarantine/ALD/{bad[0]}" not in rest
    unreadable = anna.page(f"/quarantine/ALD/{bad[0]}")
    assert "\\x00\\xff &lt;b&gt;no JSON&lt;/b&gt;" in unreadable
    assert "it holds nothing up" in unreadable
    assert "Waits for" in anna.page(f"/quarantine/ALD/{bad[2]}")
    anna.page("/quarantine/ALD/" + "0" * 32, status=404)


def test_two_engineers_discard_on_the_pages_and_a_reader_cannot(hub, portal, bad):
    anna, ben = (sign_in(portal, hub.node, name, "engineer") for name in ("anna", "ben"))
    carl = sign_in(portal, hub.node, "carl", "auditor")
    address = f"/quarantine/ALD/{bad[1]}"
    assert "An engineer of" in carl.page(address)
    assert carl.post(f"{address}/propose", "/sign-in", reason="x").status_code in (400, 403)
    empty = anna.post(f"{address}/propose", address, reason="  ")
    assert empty.status_code == 422
    assert anna.post(f"{address}/propose", address, reason="wrong for ever").status_code == 302
    assert "A second engineer must confirm it." in anna.page(address)
    refused = anna.post(f"{address}/confirm", address)
    assert refused.status_code == 409
    assert "cannot confirm it" in refused.text
    shown = ben.page(address)
    assert "anna proposed to discard it" in shown
    assert "wrong for ever" in shown
    assert ben.post(f"{address}/confirm", address).status_code == 302
    after = ben.page("/quarantine/")
    assert "Discarded here" in after
    assert "What waited for it is applied: 1 fact." in after
    assert ids_set_aside(hub) == {bad[0], bad[3]}


def test_the_api_does_the_same(hub, portal, bad):
    anna, ben = (sign_in(portal, hub.node, name, "engineer") for name in ("anna", "ben"))
    carl = sign_in(portal, hub.node, "carl", "auditor")
    found = carl.api("GET", "/api/v1/quarantine?limit=2").json
    assert found["counts"] == {"ALD": {"quarantined": 2, "parked": 1, "held": 1}}
    more = carl.api("GET", f"/api/v1/quarantine?limit=2&after={found['next']}").json
    assert [row["fact_id"] for row in (*found["items"], *more["items"])] == [bad[0], bad[1], bad[3], bad[2]]
    assert more["next"] is None
    one = f"/api/v1/quarantine/ALD/{bad[1]}"
    assert carl.api("GET", one).json["holds_up"] == 1
    assert carl.api("POST", f"{one}/propose", json={"reason": "x"}).status_code == 403
    assert carl.api("GET", "/api/v1/quarantine?after=nonsense").status_code == 422
    assert anna.api("POST", f"{one}/propose", json={"reason": "x"}).json == {"state": "proposed"}
    assert anna.api("POST", f"{one}/confirm", json={}).status_code == 409
    assert ben.api("POST", f"{one}/withdraw", json={}).json == {"state": "withdrawn"}
    assert ben.api("POST", f"{one}/confirm", json={}).status_code == 404
    anna.api("POST", f"{one}/propose", json={"reason": "x"})
    assert ben.api("POST", f"{one}/confirm", json={}).json["applied"] == 1
    assert anna.api("POST", "/api/v1/quarantine/retry", json={}).json == {
        "applied": 0,
        "quarantined": 1,
        "parked": 1,
        "held": 0,
    }
    assert ids_set_aside(hub) == {bad[0], bad[3]}


def test_a_stopped_author_is_loud_on_every_page_until_somebody_says_go_on(hub, portal):
    with write(hub.node.engine) as conn:
        stop(conn, "ALD", Window(tried=300, quarantined=30), hub.clock.now_ms())
    anna = sign_in(portal, hub.node, "anna", "engineer")
    assert "ALD: applying is stopped" in anna.page("/transfers/")
    page = anna.page("/quarantine/")
    assert "30 of 300 facts of ALD" in page
    assert anna.post("/quarantine/resume", "/quarantine/", author="ALD").status_code == 302
    with read(hub.node.engine) as conn:
        assert find_stops(conn) == {}
    assert "applying is stopped" not in anna.page("/quarantine/")


def test_the_commands_list_try_again_and_discard_with_two_people(hub, portal, bad, tmp_path):
    for name in ("anna", "ben"):
        sign_in(portal, hub.node, name, "engineer")
    sign_in(portal, hub.node, "carl", "auditor")
    config = ["--config", str(tmp_path / "hub.toml")]

    def run(*words: str):
        door = Door(lambda _file: hub.node, dict)
        group = hub_commands.commands["quarantine"]
        return CliRunner().invoke(group, [words[0], *config, *words[1:]], obj=door)

    without = CliRunner().invoke(hub_commands.commands["quarantine"], ["list"], obj=Door(lambda _file: hub.node, dict))
    assert (without.exit_code, "Missing option '--config'" in without.output) == (2, True)
    listed = run("list", "--author", "ALD")
    assert listed.output.splitlines()[0] == "ALD: 2 quarantined, 1 parked, 1 held"
    assert f"ALD {bad[1]} quarantined ALD 2 MaterialMoved v1: cannot be read" in listed.output
    assert "0 applied, 2 quarantined, 1 parked, 1 held.\n" in run("retry").output
    assert run("resume", "--author", "ALD").output == "ALD was not stopped.\n"
    who = ("--password", PASSWORD, "--login")
    assert run("discard", "ALD", bad[1], "--reason", "x", *who, "carl").exception.code == "quarantine.who"
    assert "Proposed." in run("discard", "ALD", bad[1], "--reason", "x", *who, "anna").output
    assert run("discard", "ALD", bad[1], *who, "anna").exception.code == "quarantine.same_person"
    assert "Applied of what waited for it: 1." in run("discard", "ALD", bad[1], *who, "ben").output
    assert ids_set_aside(hub) == {bad[0], bad[3]}
