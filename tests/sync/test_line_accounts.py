"""What an account of lines counts: watched spans, minutes, a plant's word to its hub, and the routes of a plant."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from shared.db.engine import read, write
from shared.ids import random_key
from sync.accounting import UNWATCHED_MS, Account, HubLines, Look, PlantLines
from sync.alarms import Standing
from sync.errors import Unreachable
from sync.gauges import node_measures
from sync.history import DAY_MS, HOUR_S, LINE, MINUTE_S, Figure, add, spans, total
from sync.limits import PROTOCOL
from sync.line_reads import RouteRow
from sync.measuring import Measuring
from sync.peers import list_peers
from sync.routed import RoutedTransport
from sync.routes import Route, Rules
from sync.seal import sign
from sync.sight import SIGHT, RouteSight, Sight
from sync.sight_door import Sights
from sync.tables import session

MINUTE, WEEK = 60_000, 7 * DAY_MS
COUNTED = ("bytes_up", "bytes_down", "bulk_bytes", "bulk_ms")


class Lines:
    """A line that a test scripts: up or not, and what its one route counts at each look."""

    def __init__(self, node):
        self.node, self.up, self.route_up = node, 1, 1
        self.account = Account(node, self.look)

    def look(self):
        line = Figure(up_ms=self.up, bytes_up=10, backlog=4)
        return [Look(Standing("HUB", "online", 0, None, None, 0), line, {"wan": Figure(up_ms=self.route_up, calls=1)})]

    def step(self, ms=0):
        self.node.clock.advance(ms)
        self.account.step()

    def rows(self, route=LINE, grain_s=MINUTE_S, peer="HUB"):
        with read(self.node.engine) as conn:
            return spans(conn, peer, route, grain_s, 0, self.node.clock.now_ms() + 1)

    def sum(self, route=LINE):
        self.account.write(self.node.clock.now_ms())
        return total(self.rows(route, HOUR_S))


@pytest.fixture
def lines(kit):
    return Lines(kit.plant().node)


def test_a_span_at_the_bound_was_watched_and_one_over_it_was_not(lines):
    lines.step()
    lines.step(UNWATCHED_MS)
    assert lines.sum().watched_ms == 15 * MINUTE
    lines.step(UNWATCHED_MS + 1)
    lines.step(-MINUTE)
    lines.step(1)
    assert lines.sum().watched_ms == 15 * MINUTE + 1


def test_time_is_up_only_where_the_look_found_it_up(lines):
    lines.step()
    lines.up = 0
    lines.step(7_000)
    lines.up, lines.route_up = 1, 0
    lines.step(5_000)
    line, route = lines.sum(), lines.sum("wan")
    assert (line.watched_ms, line.up_ms, line.bytes_up, line.backlog) == (12_000, 5_000, 30, 4)
    assert (route.watched_ms, route.up_ms, route.calls) == (12_000, 7_000, 3)


def test_a_minute_is_written_once_it_is_over_and_belongs_to_itself(lines):
    began = lines.node.clock.now_ms()
    lines.step()
    written = lines.rows()
    lines.step(30_000)
    lines.step(29_999)
    assert lines.rows() == written
    lines.step(1)
    lines.step(MINUTE)
    assert [(row.from_ms - began, row.figure.watched_ms) for row in lines.rows()] == [
        (-MINUTE, 0),
        (0, MINUTE),
        (MINUTE, MINUTE),
    ]


def test_old_figures_are_dropped_once_a_day(lines):
    def put_old():
        with write(lines.node.engine) as conn:
            add(conn, "OLD", LINE, lines.node.clock.now_ms() - WEEK - MINUTE, Figure(calls=1))

    def has_old():
        return bool(lines.rows(peer="OLD"))

    put_old()
    lines.step()
    assert not has_old()
    lines.node.clock.advance(DAY_MS)
    put_old()
    lines.account.write(lines.node.clock.now_ms())
    assert has_old()
    lines.account.write(lines.node.clock.advance(1))
    assert not has_old()
    put_old()
    lines.account.write(lines.node.clock.now_ms())
    assert has_old()


class Heard:
    """A hub that hears what a plant says of its line."""

    def __init__(self, hub, plant):
        self.hub, self.plant, self.clock = hub, plant, hub.node.clock
        self.lines = HubLines(hub.node)
        self.sights = Sights("HUB", hub.node.engine, self.clock, hub.node.key)
        self.run = random_key()

    def look(self, **said):
        """The hub's next look, after the plant has said this (nothing when there is nothing to say)."""
        if said:
            words = {"run": self.run, "nonce": random_key(), "node": "ALD", "audience": "HUB", "proto": PROTOCOL}
            self.sights.answer(
                sign(self.plant.node.key, SIGHT, Sight(sent_ms=self.clock.advance(1_000), **{**words, **said}))
            )
        (found,) = self.lines.look()
        return found

    def counted(self, **said):
        figure = self.look(**said).line
        return tuple(getattr(figure, name) for name in COUNTED)


@pytest.fixture
def heard(kit):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    return Heard(hub, plant)


def test_the_hub_counts_what_moved_between_two_words_of_one_run(heard):
    assert heard.counted() == (0, 0, 0, 0)
    assert heard.counted(bytes_up=100, bytes_down=50, bulk_bytes=70, bulk_ms=5) == (0, 0, 0, 0)
    assert heard.counted(bytes_up=140, bytes_down=57, bulk_bytes=90, bulk_ms=9) == (40, 7, 20, 4)
    assert heard.counted() == (0, 0, 0, 0), "the same word is not counted twice"
    assert heard.counted(bytes_up=141, bytes_down=57, bulk_bytes=80, bulk_ms=9) == (1, 0, 0, 0)
    heard.run = random_key()
    assert heard.counted(bytes_up=900, bytes_down=900, bulk_bytes=900, bulk_ms=900) == (0, 0, 0, 0)
    assert heard.counted(bytes_up=903, bytes_down=902, bulk_bytes=901, bulk_ms=900) == (3, 2, 1, 0)


def test_the_hub_takes_the_latency_of_the_route_that_carries_upwards(heard):
    routes = (
        RouteSight(name="lte", way="up", latency_us=7),
        RouteSight(name="wan", way="down", chosen=True, latency_us=8),
        RouteSight(name="wan", way="up", chosen=True, latency_us=900),
    )

    def latency(**said):
        figure = heard.look(**said).line
        return figure.latency_sum_us, figure.latency_count, figure.latency_max_us

    assert latency(routes=routes) == (0, 0, 0), "nothing to compare with yet"
    assert latency(routes=routes) == (900, 1, 900)
    assert latency(routes=routes[:2]) == (0, 0, 0)
    assert latency() == (0, 0, 0)


def test_what_waits_at_a_plant_grows_old_in_any_case_and_is_a_cause_for_alarm_only_while_it_is_heard(kit, heard):
    assert heard.look().line.oldest_age_ms == 0, "nothing waits"
    oldest = heard.clock.now_ms() - 90_000
    waits = {"backlog": 3, "backlog_bytes": 400, "oldest_ms": oldest}
    unheard = heard.look(**waits)
    assert (unheard.line.up_ms, unheard.line.backlog, unheard.line.oldest_age_ms) == (0, 3, 91_000)
    assert (unheard.standing.state, unheard.standing.oldest_ms) == ("never", None)
    kit.caller(heard.plant, kit.memory(heard.hub)).hello()
    online = heard.look(**waits)
    assert (online.line.up_ms, online.line.backlog_bytes, online.line.oldest_age_ms) == (1, 400, 92_000)
    assert (online.standing.waiting, online.standing.oldest_ms, online.standing.floor_ms) == (3, oldest, 0)
    assert heard.look(**{**waits, "oldest_ms": heard.clock.now_ms() + DAY_MS}).line.oldest_age_ms == 0
    with write(heard.hub.node.engine) as conn:
        conn.execute(update(session).values(contact_db_ms=session.c.contact_db_ms - 61_000))
    away = heard.look()
    assert (away.line.up_ms, away.standing.state, away.standing.oldest_ms) == (0, "away", None)


def test_programs_that_watch_a_hub_see_the_line_of_a_plant_and_what_waits_there(kit, heard):
    names = {
        "strandline_link_up": (0, 1),
        "strandline_backlog_facts": (3, 3),
        "strandline_backlog_bytes": (400, 400),
        "strandline_oldest_unsent_seconds": (91.0, 91.0),
    }

    def measured():
        return {m.name: m.value for m in node_measures(heard.hub.node) if m.labels == {"peer": "ALD"}}

    heard.look(backlog=3, backlog_bytes=400, oldest_ms=heard.clock.now_ms() - 90_000)
    never = measured()
    kit.caller(heard.plant, kit.memory(heard.hub)).hello()
    online = measured()
    assert {name: (never[name], online[name]) for name in names} == names
    assert online["strandline_last_contact_age_seconds"] == 0
    assert "strandline_last_contact_age_seconds" not in never


def test_a_route_is_as_near_as_its_better_way_and_of_unknown_distance_until_one_is_measured():
    up, down = (RouteSight(name="wan", way=way, latency_us=us) for way, us in (("up", 900), ("down", 40_500)))
    unknown = RouteSight(name="wan", way="up")
    for ways, latency_ms in (
        ((up, down), 0.9),
        ((unknown, down), 40.5),
        ((unknown, None), None),
        ((None, down), 40.5),
        ((None, None), None),
    ):
        assert RouteRow("wan", "http://wan", 1, *ways).latency_ms == latency_ms


def test_a_route_tells_the_reason_of_the_first_way_that_has_one():
    well, cut = RouteSight(name="wan", way="up"), RouteSight(name="wan", way="down", reason="cut")
    for ways, reason in (((well, cut), "cut"), ((None, cut), "cut"), ((well, None), ""), ((None, None), "")):
        assert RouteRow("wan", "http://wan", 1, *ways).reason == reason


class Wire:
    """A line to a hub in this process, which a test can cut."""

    def __init__(self, kit, hub):
        self.memory = kit.memory(hub)
        self.sights = Sights("HUB", hub.node.engine, hub.node.clock, hub.node.key)

    def send(self, door, body):
        if self.memory.connected and door == "sight":
            return self.sights.answer(body)
        return self.memory.send(door, body)


def test_a_plant_sees_its_line_over_the_chosen_route_and_every_route_by_itself(kit):
    hub, plant = kit.hub(), kit.plant()
    node = plant.node
    wires = {"wan": Wire(kit, hub), "lte": Wire(kit, hub)}

    def trusted():
        with read(node.engine) as conn:
            return {key: public for peer in list_peers(conn) for key, public in peer.trusted.items()}

    transport = RoutedTransport(
        [Route("wan", "http://wan", 1), Route("lte", "http://lte", 2)], Rules(2, 60), wires, trusted
    )
    lines = PlantLines(node, transport)
    assert lines.look() == [], "it is enrolled nowhere"
    kit.enrol(plant, hub)
    caller = kit.caller(plant, transport)
    kit.drain(caller)
    Measuring(node, transport, 60, 60, lambda: None).step()
    plant.create(2)
    (found,) = lines.look()
    wan, lte = found.routes["wan"], found.routes["lte"]
    assert (wan.up_ms, lte.up_ms, found.line.up_ms) == (1, 1, 1)
    assert (wan.latency_count, lte.latency_count, found.line.latency_count) == (1, 1, 1)
    assert (found.line.latency_sum_us, found.line.latency_max_us) == (wan.latency_sum_us, wan.latency_max_us)
    assert (found.line.bytes_up, found.line.calls) == (wan.bytes_up, wan.calls)
    assert (found.line.backlog, found.standing.waiting, found.standing.state) == (2, 2, "online")
    assert found.line.disk_free_bytes > 0
    wires["wan"].memory.connected = False
    with pytest.raises(Unreachable):
        caller.hello()
    kit.drain(caller, heartbeat=False)
    (cut,) = lines.look()
    assert (cut.routes["wan"].up_ms, cut.routes["lte"].up_ms, cut.line.up_ms) == (0, 1, 1)
    assert cut.line.calls == cut.routes["wan"].calls + cut.routes["lte"].calls > cut.routes["lte"].calls
    assert replace(cut.line, latency_count=0) == cut.line
