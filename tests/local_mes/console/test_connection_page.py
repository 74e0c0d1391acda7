"""The connection page of a plant: in plain words for a shift lead, with its routes, history, lives and incidents."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_mes.app import create_console
from local_mes.plant import Plant
from local_mes.wiring import init_plant
from shared.clock import FixedClock
from shared.db.engine import write
from shared.ids import new_id
from shared.journal.fact import Draft, Occurred
from shared.keys import new_key
from shared.material.facts import Mass, MaterialCreated, NewMaterial
from shared.settings import PlantSettings, check
from sync.alarms import Standing, keep
from sync.history import LINE, Figure, add
from sync.incidents import end, hold
from sync.link import note_away, note_contact
from sync.peers import open_incident, trust_peer

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import sign_in

MODEL = Path(__file__).parents[3] / "demo" / "plants" / "cld" / "model.toml"
MINUTE, HOUR = 60_000, 3_600_000


@pytest.fixture
def plant(tmp_path: Path, clock: FixedClock) -> Iterator[Plant]:
    routes = [{"name": "lte", "url": "http://127.0.0.1:8", "priority": 2}]
    values = {"code": "CLD", "name": "CLD", "folder": tmp_path / "cld", "hub_url": "http://127.0.0.1:9", "model": MODEL}
    made = init_plant(check(PlantSettings, {**values, "sync": {"routes": routes}}, "test"), clock)
    yield made
    made.node.engine.dispose()
    made.spool.dispose()


def join(plant: Plant) -> None:
    with write(plant.node.engine) as conn:
        trust_peer(conn, "HUB", new_key().public, plant.clock.now_ms())


def record(plant: Plant, count: int) -> None:
    for _ in range(count):
        piece = new_id(plant.clock)
        new = NewMaterial(material_id=piece, kind="coil", aliases=(), mass=Mass(1, "weighed"))
        with plant.journal.work() as tx:
            at = Occurred(plant.clock.now_ms(), "manual")
            tx.record(Draft(MaterialCreated(material=new, origin="made"), (piece,), "p1", at))


def plain(text: str) -> str:
    """The words of a page, in one line."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def test_a_plant_that_never_joined_says_what_to_do(plant: Plant) -> None:
    page = plain(sign_in(create_console(plant), plant.node, "lead", "lead").page("/connection/"))
    assert "Not joined to a hub yet" in page
    assert "lte: http://127.0.0.1:8" in page


def test_with_the_hub_there_and_away_the_page_says_so_in_words(plant: Plant, clock: FixedClock) -> None:
    join(plant)
    lead = sign_in(create_console(plant), plant.node, "lead", "lead")
    with write(plant.node.engine) as conn:
        note_contact(conn, "HUB", clock.now_ms(), 1_500)
    there = plain(lead.page("/connection/"))
    assert "HUB holds everything that was recorded here. Nothing waits." in there
    assert "+1.5 s" in there
    record(plant, 3)
    clock.advance(20 * MINUTE)
    with write(plant.node.engine) as conn:
        note_away(conn, "HUB", clock.now_ms(), "http://127.0.0.1:9 does not answer")
    away = plain(lead.page("/connection/"))
    assert re.search(r"HUB is away since just now ?\. 3 facts wait here and production goes on; nothing is lost", away)
    assert "Oldest of them 20 min" in away
    assert "http://127.0.0.1:9 does not answer" in away
    assert "1. first life: 3 entries, HUB holds 0" in away


def test_the_history_is_drawn_against_its_targets_with_the_table_behind_it(plant: Plant, clock: FixedClock) -> None:
    join(plant)
    good = Figure(
        watched_ms=MINUTE,
        up_ms=MINUTE,
        latency_sum_us=40_000,
        latency_count=2,
        latency_max_us=30_000,
        bulk_bytes=80_000,
        bulk_ms=1_000,
    )
    bad = Figure(watched_ms=MINUTE, backlog=900, oldest_age_ms=30 * MINUTE)
    with write(plant.node.engine) as conn:
        for minute in range(100):
            add(conn, "HUB", LINE, clock.now_ms() - minute * MINUTE - 1, bad if 10 <= minute < 20 else good)
    person = sign_in(create_console(plant), plant.node, "engineer", "engineer")
    page = person.page("/connection/")
    words = plain(page)
    assert "Up, 24 h 90.00 %" in words
    assert "Up, 30 days 90.00 % target 99 %" in words
    assert "Round trip 20 ms mean of 24 h, target 250" in words
    assert "Full batches 640 kbit/s" in words
    assert 'aria-label="Facts waiting, last 24 hours: at most 900."' in page
    assert "target 250" in page
    assert page.count('<svg class="chart timechart"') == 5
    assert "not watched" in words
    assert "Up 90.00 %, target 99 % over 30 days" in plain(person.page("/connection/?span=month"))


def test_sync_now_needs_a_running_exchange_and_a_form_of_ours(plant: Plant) -> None:
    join(plant)
    person = sign_in(create_console(plant), plant.node, "lead", "lead")
    assert person.client.post("/connection/sync-now").status_code == 400
    answer = person.post("/connection/sync-now", "/connection/")
    assert answer.status_code == 503
    assert "does not exchange" in answer.text


def test_an_incident_is_read_acknowledged_with_a_note_and_leaves_the_header(plant: Plant, clock: FixedClock) -> None:
    join(plant)
    with write(plant.node.engine) as conn:
        open_incident(conn, clock, "HUB", "fork", "CLD at 7", evidence="prev 9f31, held 4c02")
    app = create_console(plant)
    engineer, operator = sign_in(app, plant.node, "engineer", "engineer"), sign_in(app, plant.node, "op", "operator")
    assert "Two histories: CLD at 7" in plain(operator.page("/status-lines"))
    listed = engineer.page("/incidents/?state=open")
    (incident_id,) = re.findall(r'href="/incidents/([0-9a-f]{32})"', listed)
    assert "prev 9f31, held 4c02" in engineer.page(f"/incidents/{incident_id}")
    assert "Waits for somebody with one of these roles" in operator.page(f"/incidents/{incident_id}")
    assert operator.post(f"/incidents/{incident_id}", "/connection/", note="no").status_code == 403
    empty = engineer.post(f"/incidents/{incident_id}", f"/incidents/{incident_id}", note=" ")
    assert empty.status_code == 422
    done = engineer.post(f"/incidents/{incident_id}", f"/incidents/{incident_id}", note="Restored on Friday.")
    assert done.status_code == 302
    page = plain(engineer.page(f"/incidents/{incident_id}"))
    assert "engineer" in page
    assert "Restored on Friday." in page
    assert "CLD at 7" not in engineer.page("/status-lines")
    assert "acknowledged" in engineer.page("/incidents/")
    assert engineer.client.get("/incidents/nothing").status_code == 404


def test_the_list_of_incidents_names_kind_weight_node_and_end_and_filters_by_who_is_still_asked(
    plant: Plant, clock: FixedClock
) -> None:
    join(plant)
    with write(plant.node.engine) as conn:
        open_incident(conn, clock, "HUB", "unheard_of", "first")
        clock.advance(1)
        hold(conn, clock, "HUB", "silent", "info", "second", "")
        clock.advance(MINUTE)
        end(conn, "HUB", "silent", clock.now_ms())
        open_incident(conn, clock, "BRK", "same_id", "third")
    lead = sign_in(create_console(plant), plant.node, "lead", "lead")
    whole = lead.page("/incidents/")
    assert "badge badge-alarm" in whole
    assert "badge badge-normal" in whole
    assert '<span class="code">BRK</span>' in whole
    headings = [re.sub("<[^>]+>", "", cell).strip() for cell in re.findall(r'<th scope="col"[^>]*>(.*?)</th>', whole)]
    assert headings == ["Weight", "Kind", "What", "Node", "Since", "End"]
    assert re.findall(r">(Waits for somebody|Acknowledged or passed)</option>", whole) == [
        "Waits for somebody",
        "Acknowledged or passed",
    ]
    assert re.findall(r"One id, two contents|No contact|unheard of", plain(whole)) == [
        "One id, two contents",
        "No contact",
        "unheard of",
    ]
    waits, passed = (plain(lead.page(f"/incidents/?state={state}")) for state in ("open", "seen"))
    assert ("One id, two contents" in waits, "unheard of" in waits, "No contact" in waits) == (True, True, False)
    assert ("No contact" in passed, "passed by itself" in passed, "unheard of" in passed) == (True, True, False)
    (unheard,) = re.findall(r'href="/incidents/([0-9a-f]{32})"[^>]*>unheard of<', whole)
    one = lead.page(f"/incidents/{unheard}")
    assert "<h1>unheard of" in one
    assert "What is said above is all that was noted." in one


@pytest.mark.fault(74)
def test_a_clock_below_the_time_that_the_hub_signed_is_said_on_every_page(plant: Plant, clock: FixedClock) -> None:
    join(plant)
    with write(plant.node.engine) as conn:
        note_contact(conn, "HUB", clock.now_ms(), HOUR)
    at = Standing("HUB", "online", 0, None, clock.now_ms(), HOUR, clock.now_ms() + HOUR)
    keep(plant.node.engine, clock, at, plant.settings.sync)
    person = sign_in(create_console(plant), plant.node, "lead", "lead")
    assert "The clock here is behind a time that HUB has signed." in person.page("/shift")
    assert "the clock here is behind it" in person.page("/connection/")
