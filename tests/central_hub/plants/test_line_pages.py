"""The lines to the plants as the hub shows them: one page for all, one for each, with what the plant says of its side."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from central_hub.app import create_portal
from central_hub.plants.tables import plant
from shared.clock import FixedClock
from shared.db.engine import write
from shared.db.upsert import upsert
from sync.history import LINE, Figure, add
from sync.lease import get_db_now_ms
from sync.sight import RouteSight, Sight
from sync.tables import session, sight

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import Person, sign_in
from steel_group import SteelGroup

MINUTE = 60_000
WAN = {"name": "wan", "url": "https://hub.example", "priority": 1}
LTE = {"name": "lte", "url": "https://hub-lte.example", "priority": 2}


@pytest.fixture
def group(tmp_path: Path, clock: FixedClock) -> Iterator[SteelGroup]:
    made = SteelGroup(tmp_path, clock)
    names = {"ALD": "Aldermoor", "BRK": "Brackwell", "CLD": "Coldharbour"}
    rows = [{"code": c, "name": n, "fingerprint": "54cf-72e0", "enrolled_at_ms": 1} for c, n in names.items()]
    with write(made.hub.node.engine) as conn:
        upsert(conn, plant, rows)
    yield made
    made.close()


def heard(group: SteelGroup, code: str, *, silent_s: int = 0, backlog: int = 0, offset_ms: int = 0) -> None:
    now = group.clock.now_ms()
    said = Sight(
        proto=1,
        node=code,
        audience="HUB",
        sent_ms=now,
        nonce="0" * 32,
        run="1" * 32,
        why="wan left: 2 failures in a row. It does not answer.",
        routes=(
            RouteSight(**WAN, way="up", state="left", reason="It does not answer."),
            RouteSight(**WAN, way="down", state="left", reason="It does not answer."),
            RouteSight(**LTE, way="up", state="well", chosen=True, latency_us=84_000),
            RouteSight(**LTE, way="down", state="well", chosen=True, latency_us=84_000),
        ),
        backlog=backlog,
        oldest_ms=now - 30 * MINUTE if backlog else None,
        disk_free_bytes=80 * 10**9,
    )
    with write(group.hub.node.engine) as conn:
        at = {"peer": code, "session": "s", "instance": "i", "opened_ms": now, "last_contact_ms": now}
        upsert(
            conn,
            session,
            [
                {
                    **at,
                    "contact_db_ms": get_db_now_ms(conn) - silent_s * 1000,
                    "offset_ms": offset_ms,
                    "backlog": backlog,
                }
            ],
        )
        body = msgspec.json.encode(said).decode()
        upsert(conn, sight, [{"peer": code, "sent_ms": now, "received_ms": now, "body": body}])
        for minute in range(10):
            up = MINUTE if minute else 0
            add(conn, code, LINE, now - minute * MINUTE - 1, Figure(watched_ms=MINUTE, up_ms=up))


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


@pytest.fixture
def engineer(group: SteelGroup) -> Person:
    return sign_in(create_portal(group.hub), group.hub.node, "engineer", "engineer")


def test_all_lines_on_one_page_with_their_day_against_the_target(group: SteelGroup, engineer: Person) -> None:
    heard(group, "ALD", offset_ms=-1_500)
    heard(group, "BRK", silent_s=600, backlog=120)
    page = plain(engineer.page("/plants/"))
    assert re.search(r"Aldermoor ALD Up to date .* 0 .*90\.00 90\.00 – -1\.5", page), page
    assert re.search(r"Brackwell BRK Away .* 120 ", page)
    assert "Coldharbour CLD Never heard" in page
    assert "Target: up 99 % over 30 days" in page


@pytest.mark.fault(75)
def test_one_line_says_what_the_plant_says_of_its_routes_and_what_waits_there(
    group: SteelGroup, engineer: Person
) -> None:
    heard(group, "ALD", backlog=3, offset_ms=20 * MINUTE)
    page = plain(engineer.page("/plants/ALD"))
    for words in (
        "ALD calls; 3 of its facts are on the way.",
        "Oldest of them 30 min",
        "wan https://hub.example It does not answer. 1 does not answer –",
        "lte https://hub-lte.example 2 in use 84",
        "In use because: wan left: 2 failures in a row. It does not answer.",
        "+1200.0 s far apart",
        "80 GB free",
        "Up, 30 days 90.00 % target 99 %",
    ):
        assert words in page, words
    assert engineer.client.get("/plants/XXX").status_code == 404


def test_a_plant_that_is_away_or_was_never_heard_is_said_in_words(group: SteelGroup, engineer: Person) -> None:
    heard(group, "BRK", silent_s=600, backlog=1)
    assert "It goes on by itself and sends what it recorded when it is back; nothing is lost." in plain(
        engineer.page("/plants/BRK")
    )
    never = plain(engineer.page("/plants/CLD?span=month"))
    assert "CLD has joined and has never called yet." in never
    assert "No word of its routes yet." in never
