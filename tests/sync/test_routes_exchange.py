"""A plant with several addresses of its hub, on real sockets: what it does when one dies, lies, or carries one way only."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from flask import Flask, Response, request
from sqlalchemy import select

from shared.db.engine import read, write
from shared.journal.tables import applied, entry
from sync.errors import Unreachable
from sync.link import LinkReport, report_link
from sync.measuring import Measuring
from sync.peers import list_peers, trust_peer
from sync.routed import SIGNED_AS, RoutedTransport, RouteState
from sync.routes import Route, Rules
from sync.sight_door import find_sight
from sync.tables import position
from sync.transport import ANSWER_MAX, Door, HttpTransport

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from hub_doors import hub_app, serve_app

HOLD_S = 0.3
SWITCH_S = 15.0
"""Two failures and a back-off of at most 0.2 s between them; the rest is room for a busy machine."""


def until(condition: Callable[[], bool], seconds: float = 45) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come true"
        time.sleep(0.02)


def routed(kit, plant, **urls: str) -> RoutedTransport:
    """Routes in the order given, the first preferred."""
    routes = [Route(name, url, place) for place, (name, url) in enumerate(urls.items(), start=1)]

    def trusted() -> Mapping[str, bytes]:
        with read(plant.node.engine) as conn:
            return {key: public for peer in list_peers(conn) for key, public in peer.trusted.items()}

    lines = {route.name: HttpTransport(route.url, connect_s=1, read_s=3) for route in routes}
    return RoutedTransport(routes, Rules(2, HOLD_S), lines, trusted)


def state(transport: RoutedTransport, name: str, way: str = "up") -> RouteState:
    return next(s for s in transport.states() if (s.route.name, s.way) == (name, way))


@pytest.fixture
def pair(kit):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    return hub, plant


def line_of(plant) -> LinkReport:
    with read(plant.node.engine) as conn:
        return report_link(conn, "ALD", "HUB")


def portal_app() -> Flask:
    """A captive portal: whatever is asked, a friendly page with status 200."""
    app = Flask("portal")
    page = "<html><body>Welcome to the hotel. Please accept the terms.</body></html>"
    app.add_url_rule("/<path:any>", "all", lambda any: Response(page, mimetype="text/html"), methods=["GET", "POST"])
    return app


def test_when_an_address_dies_the_exchange_goes_on_over_the_other_and_returns_when_it_is_well(kit, pair) -> None:
    hub, plant = pair
    wan, lte = kit.serve(hub), kit.serve(hub)
    port = wan.server.server_port
    transport = routed(kit, plant, wan=wan.url, lte=lte.url)
    exchange = kit.exchange(plant, transport)
    exchange.start()
    plant.create(5)
    until(lambda: hub.entries_of("ALD") == 5)
    assert state(transport, "wan").chosen
    wan.stop()
    kit.closing.remove(wan.stop)
    began = time.monotonic()
    plant.create(5)
    until(lambda: hub.entries_of("ALD") == 10)
    assert time.monotonic() - began < SWITCH_S
    assert state(transport, "lte").chosen
    assert state(transport, "wan").state == "left"
    assert "wan left: 2 failures in a row" in transport.why()
    kit.serve(hub, port)
    measuring = Measuring(plant.node, transport, 0.1, 0.2, exchange.sync_now)

    def back() -> bool:
        measuring.step()
        return state(transport, "wan").chosen

    until(back)
    assert "preferred by priority" in transport.why()
    plant.create(1)
    until(lambda: hub.entries_of("ALD") == 11)


@pytest.mark.fault(11)
def test_a_captive_portal_that_answers_200_is_a_dead_route(kit, pair) -> None:
    hub, plant = pair
    portal = serve_app(kit, portal_app())
    good = serve_app(kit, hub_app(hub))
    transport = routed(kit, plant, hotel=portal, lte=good)
    exchange = kit.exchange(plant, transport)
    exchange.start()
    plant.create(3)
    until(lambda: hub.entries_of("ALD") == 3, SWITCH_S)
    assert state(transport, "lte").chosen
    assert "is not our hub" in state(transport, "hotel").reason
    until(lambda: line_of(plant).waiting == 0)


@pytest.mark.fault(11)
def test_with_a_portal_alone_nothing_counts_as_sent(kit, pair) -> None:
    _, plant = pair
    portal = serve_app(kit, portal_app())
    transport = routed(kit, plant, hotel=portal)
    plant.create(2)
    with pytest.raises(Unreachable, match="is not our hub"):
        kit.caller(plant, transport).hello()
    with read(plant.node.engine) as conn:
        assert conn.execute(select(position)).all() == []
        assert report_link(conn, "ALD", "HUB").waiting == 2


@pytest.mark.fault(18)
def test_a_foreign_hub_under_our_hubs_address_is_refused_and_learns_nothing(kit, pair, tmp_path) -> None:
    """The name leads elsewhere now: another hub answers there, with the same code and its own key."""
    hub, plant = pair
    foreign_kit = replace(kit, folder=tmp_path / "elsewhere")
    foreign_kit.folder.mkdir()
    foreign = foreign_kit.hub()
    with write(foreign.node.engine) as conn:
        trust_peer(conn, "ALD", plant.node.key.public, 1)
    wrong, right = kit.serve(foreign), kit.serve(hub)
    transport = routed(kit, plant, wan=wrong.url, lte=right.url)
    exchange = kit.exchange(plant, transport)
    plant.create(4)
    exchange.start()
    until(lambda: hub.entries_of("ALD") == 4, SWITCH_S)
    assert foreign.entries_of("ALD") == 0
    assert state(transport, "wan").state == "left"
    assert "is not our hub" in state(transport, "wan").reason


@pytest.mark.fault(17)
def test_with_the_way_down_dead_the_way_up_goes_on_and_the_way_down_takes_another_route(kit, pair) -> None:
    """The line lets short calls through and cuts long polls: up stays where it is, down moves."""
    hub, plant = pair
    one_way = hub_app(hub)

    @one_way.before_request
    def cut() -> Response | None:
        return Response("", 504) if request.path.endswith("/pull") else None

    wan = serve_app(kit, one_way)
    transport = routed(kit, plant, wan=wan)
    exchange = kit.exchange(plant, transport)
    exchange.start()
    for count in (3, 6):
        plant.create(3)
        until(lambda count=count: hub.entries_of("ALD") == count)
    until(lambda: state(transport, "wan", "down").state == "left")
    assert state(transport, "wan", "up").state == "well"
    assert line_of(plant).state == "online"
    exchange.stop()
    lte = serve_app(kit, hub_app(hub))
    both = routed(kit, plant, wan=wan, lte=lte)
    second = kit.exchange(plant, both)
    second.start()
    relay_one(hub)
    until(lambda: plant.entries_of("HUB>ALD") == 1)
    assert state(both, "wan", "up").chosen
    assert state(both, "lte", "down").chosen
    assert "Up over wan" in both.why()


def relay_one(hub) -> None:
    hub.create(1)
    with hub.node.journal.work() as tx:
        fact_id = tx.conn.execute(select(applied.c.fact_id).where(applied.c.author == "HUB")).scalars().first()
        tx.relay(fact_id, "HUB>ALD")


def test_a_sight_measures_a_route_and_tells_the_hub_how_the_line_looks(kit, pair) -> None:
    hub, plant = pair
    url = serve_app(kit, hub_app(hub))
    transport = routed(kit, plant, wan=url)
    kit.drain(kit.caller(plant, transport))
    plant.create(7)
    Measuring(plant.node, transport, 60, 60, lambda: None).step()
    measured = state(transport, "wan")
    assert measured.state == "well"
    assert measured.latency_s is not None
    with read(hub.node.engine) as conn:
        kept = find_sight(conn, "ALD")
    assert kept is not None
    assert (kept.sight.backlog, kept.sight.oldest_ms) == (7, kit.clock.now_ms())
    assert 2_000 < kept.sight.backlog_bytes < 10_000
    assert [(r.name, r.way, r.chosen) for r in kept.sight.routes] == [("wan", "up", True), ("wan", "down", True)]
    assert kept.sight.bytes_up > 0


def test_a_hub_of_an_older_release_has_no_door_for_sights_and_its_route_is_well(kit, pair) -> None:
    hub, plant = pair
    server = kit.serve(hub)
    transport = routed(kit, plant, wan=server.url)
    Measuring(plant.node, transport, 60, 60, lambda: None).step()
    assert state(transport, "wan").state == "well"
    kit.drain(kit.caller(plant, transport))


def test_an_answer_to_an_older_sight_is_no_measurement(kit, pair) -> None:
    """Somebody on the way plays an old answer back: signed by the hub, but not to this question."""
    hub, plant = pair
    app, kept = hub_app(hub), []

    @app.after_request
    def replay(answer: Response) -> Response:
        kept.append(answer.get_data())
        answer.set_data(kept[0])
        return answer

    url = serve_app(kit, app)
    transport = routed(kit, plant, dead="http://127.0.0.1:9", wan=url)
    for _ in range(3):
        Measuring(plant.node, transport, 60, 60, lambda: None).step()
    assert state(transport, "wan").state == "left"
    assert "repeats an older answer" in state(transport, "wan").reason


def test_every_door_has_a_signature_that_its_answer_must_bear() -> None:
    """But for enrolment: there is no key yet that an answer could be proved by."""
    assert SIGNED_AS.keys() == set(get_args(Door)) - {"enrol"}
    assert ANSWER_MAX.keys() == set(get_args(Door))


def test_a_hub_gets_its_own_facts_back_over_a_chosen_route(kit, pair) -> None:
    hub, plant = pair
    hub.create(3)
    with read(hub.node.engine) as conn:
        ids = conn.execute(select(entry.c.fact_id).where(entry.c.stream == "HUB").order_by(entry.c.seq)).scalars().all()
    with hub.node.journal.work() as tx:
        for fact_id in ids:
            tx.relay(fact_id, "HUB>ALD")
    caller = kit.caller(plant, kit.memory(hub))
    caller.pull(kit.meet(caller), 0)
    rows = hub.hash_of("HUB")
    hub.node.engine.dispose()
    for left in hub.node.settings.folder.glob("*.*"):
        left.unlink()
    hub = kit.installed_again("HUB")
    hub.node.engine.dispose()
    hub = kit.hub()
    kit.enrol(plant, hub)
    exchange = kit.exchange(plant, routed(kit, plant, near=kit.serve(hub).url))
    exchange.start()
    until(lambda: hub.entries_of("HUB") == 3)
    assert hub.hash_of("HUB") == rows
