"""The figures of a line over time: what is added up, what is kept how long, what counts as not watched."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Engine

from shared.db.engine import read, write
from shared.settings import SyncSettings
from sync.accounting import Account, HubLines, Look, PlantLines
from sync.alarms import Standing
from sync.history import HOUR_S, LINE, MINUTE_S, Figure, Span, add, prune, spans, total
from sync.line_charts import cut, days_until_full, read_charts, words_of
from sync.measuring import Measuring
from sync.peers import list_peers
from sync.routed import RoutedTransport
from sync.routes import Route, Rules
from sync.transport import HttpTransport

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from hub_doors import hub_app, serve_app

AT_MS = 1_773_205_200_000
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def test_sums_are_summed_the_highest_is_kept_and_the_least_free_disk() -> None:
    one = Figure(watched_ms=10, up_ms=5, backlog=3, latency_max_us=9, disk_free_bytes=100)
    other = Figure(watched_ms=10, up_ms=10, backlog=8, latency_max_us=4, disk_free_bytes=70)
    both = one.plus(other)
    assert (both.watched_ms, both.up_ms, both.backlog, both.latency_max_us) == (20, 15, 8, 9)
    assert both.disk_free_bytes == 70
    assert one.plus(Figure()).disk_free_bytes == 100
    assert both.uptime_ppm == 750_000


def test_what_was_never_watched_or_measured_is_not_zero() -> None:
    nothing = Figure()
    assert (nothing.uptime_ppm, nothing.latency_ms, nothing.kbit_s) == (None, None, None)
    assert Figure(bulk_bytes=64_000, bulk_ms=1_000).kbit_s == 512


def test_minutes_and_hours_are_written_at_once_and_kept_for_their_time(engine: Engine) -> None:
    with write(engine) as conn:
        for minute in range(61):
            add(conn, "HUB", LINE, AT_MS + minute * MINUTE, Figure(watched_ms=MINUTE, up_ms=MINUTE, calls=1))
        assert len(spans(conn, "HUB", LINE, MINUTE_S, AT_MS, AT_MS + DAY)) == 61
        hours = spans(conn, "HUB", LINE, HOUR_S, AT_MS, AT_MS + DAY)
        assert [row.figure.calls for row in hours] == [60, 1]
        prune(conn, AT_MS + 8 * DAY, 7, 400)
        assert spans(conn, "HUB", LINE, MINUTE_S, AT_MS, AT_MS + DAY) == []
        assert len(spans(conn, "HUB", LINE, HOUR_S, AT_MS, AT_MS + DAY)) == 2
        prune(conn, AT_MS + 401 * DAY, 7, 400)
        assert spans(conn, "HUB", LINE, HOUR_S, AT_MS, AT_MS + DAY) == []


def test_bins_end_now_and_are_empty_where_nothing_was_watched() -> None:
    rows = [Span(AT_MS - i * 600_000, Figure(watched_ms=1, calls=1)) for i in range(3)]
    binned = cut(rows, AT_MS + 1, HOUR, 600_000)
    assert [figure.calls if figure else None for _, figure in binned] == [None, None, None, 1, 1, 1]
    assert binned[-1][0] == AT_MS


def test_a_disk_is_full_when_it_goes_on_as_it_did_and_never_when_it_does_not_fill() -> None:
    def row(hours: int, free_gb: int) -> Span:
        return Span(AT_MS + hours * HOUR, Figure(watched_ms=1, disk_free_bytes=free_gb * 10**9))

    assert days_until_full([row(0, 100), row(24, 90)]) == 9
    assert days_until_full([row(0, 100), row(24, 100)]) is None
    assert days_until_full([row(0, 100), row(2, 50)]) is None, "two hours tell nothing"


def test_a_jump_of_the_clock_or_a_time_off_is_not_counted(kit) -> None:
    node = kit.plant().node
    looked = Look(Standing("HUB", "online", 0, None, kit.clock.now_ms(), 0), Figure(up_ms=1), {"wan": Figure(calls=2)})
    account = Account(node, lambda: [replace(looked, standing=replace(looked.standing, last_contact_ms=None))])
    account.step()
    for ms in (5_000, 55_000, 2 * HOUR, 5_000):
        kit.clock.advance(ms)
        account.step()
    kit.clock.advance(MINUTE)
    account.step()
    with read(node.engine) as conn:
        line = total(spans(conn, "HUB", LINE, HOUR_S, 0, kit.clock.now_ms() + 1))
        route = total(spans(conn, "HUB", "wan", HOUR_S, 0, kit.clock.now_ms() + 1))
    assert line.watched_ms == line.up_ms == 2 * 5_000 + 55_000 + MINUTE
    assert (route.calls, route.up_ms) == (12, 0)


def test_both_ends_keep_the_figures_of_one_line(kit) -> None:
    """A plant and a hub on a real socket: bytes, backlog, latency and availability are the same story at both."""
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    url = serve_app(kit, hub_app(hub))

    def trusted() -> dict[str, bytes]:
        with read(plant.node.engine) as conn:
            return {key: public for peer in list_peers(conn) for key, public in peer.trusted.items()}

    lines = {"wan": HttpTransport(url, connect_s=2, read_s=20)}
    transport = RoutedTransport([Route("wan", url)], Rules(2, 1), lines, trusted)
    measuring = Measuring(plant.node, transport, 0.0001, 1, lambda: None)
    ends = (Account(plant.node, PlantLines(plant.node, transport).look), Account(hub.node, HubLines(hub.node).look))
    kit.drain(kit.caller(plant, transport))
    for _ in range(3):
        plant.create(4)
        measuring.step()
        for end in ends:
            end.step()
        kit.drain(kit.caller(plant, transport))
        kit.clock.advance(30_000)
    measuring.step()
    for end in ends:
        end.step()
        end.write(kit.clock.now_ms())
    now = kit.clock.now_ms()
    for node, peer in ((plant.node, "HUB"), (hub.node, "ALD")):
        with read(node.engine) as conn:
            kept = total(spans(conn, peer, LINE, HOUR_S, 0, now + 1))
            charts = read_charts(conn, peer, now, "day", "UTC", SyncSettings.model_validate({}))
        assert kept.watched_ms == kept.up_ms == 90_000, peer
        assert kept.backlog == 4
        assert kept.backlog_bytes > 1_000
        assert kept.bytes_up > 1_000
        assert kept.latency_count >= 3
        assert charts.day.uptime_ppm == 1_000_000
        assert "100.00 %" in words_of(charts.drawn, "day")["up"]
