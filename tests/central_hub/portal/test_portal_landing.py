"""The group on one page: plants with what can be believed of them, what is on the way, cases; and its honest lines."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from central_hub.app import create_portal
from central_hub.plants.tables import plant
from central_hub.portal.status import plants_status
from shared.clock import FixedClock
from shared.db.engine import write
from shared.db.upsert import upsert
from sync.lease import get_db_now_ms
from sync.tables import session

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import sign_in
from steel_group import SteelGroup


@pytest.fixture
def group(tmp_path: Path, clock: FixedClock) -> Iterator[SteelGroup]:
    made = SteelGroup(tmp_path, clock)
    with write(made.hub.node.engine) as conn:
        upsert(
            conn,
            plant,
            [
                {"code": code, "name": name, "fingerprint": "ab", "enrolled_at_ms": clock.now_ms()}
                for code, name in (("ALD", "Aldermoor"), ("BRK", "Brackwell"))
            ],
        )
    yield made
    made.close()


def heard(group: SteelGroup, code: str, silent_s: int = 0) -> None:
    """The plant called the hub that long ago."""
    with write(group.hub.node.engine) as conn:
        now = group.clock.now_ms()
        row = {
            "peer": code,
            "session": "s",
            "instance": "i",
            "opened_ms": now,
            "last_contact_ms": now,
            "offset_ms": 0,
            "contact_db_ms": get_db_now_ms(conn) - silent_s * 1000,
            "backlog": 0,
        }
        upsert(conn, session, [row], update=["last_contact_ms", "contact_db_ms"])


def test_the_lines_say_who_is_away_and_what_can_be_believed(group: SteelGroup) -> None:
    assert [line.text for line in plants_status(group.hub)] == [
        "Aldermoor: never heard yet.",
        "Brackwell: never heard yet.",
    ]
    group.sync("ALD", "BRK")
    for code in ("ALD", "BRK"):
        heard(group, code)
    assert [line.text for line in plants_status(group.hub)] == ["Plants: 2 of 2 up to date"]
    with write(group.hub.node.engine) as conn:
        conn.execute(
            update(session).where(session.c.peer == "ALD").values(contact_db_ms=get_db_now_ms(conn) - 3_600_000)
        )
    (line,) = plants_status(group.hub)
    assert line.text == "Aldermoor away since 05:00. Its figures are complete to 05:00. Nothing is lost."
    assert line.state == "attention"


def test_the_group_on_one_page(group: SteelGroup) -> None:
    pieces = [f"16173{n}-1-1" for n in range(5)]
    for number in pieces:
        group.stock("ALD", number, 20_550)
    group.ship("ALD", "BRK", "RT-1", pieces, vehicle="Train 1", lane="ALD-BRK", mode="rail")
    group.sync()
    group.pass_time(3_600_000)
    group.receive("BRK", pieces[0], 19_000, "RT-1")
    group.sync()
    person = sign_in(create_portal(group.hub), group.hub.node, "owner.group", "owner")
    page = person.page("/")
    for expected in ("Aldermoor", "Brackwell", "ALD to BRK", "82.2", "1 h 00", "mass", "ALD says 20,550 kg"):
        assert expected in page, expected
    live = person.client.get("/", headers={"HX-Request": "true"}).text
    assert "<html" not in live
    assert "ALD to BRK" in live


def test_an_empty_group_says_how_to_begin(group: SteelGroup) -> None:
    with write(group.hub.node.engine) as conn:
        conn.execute(plant.delete())
    page = sign_in(create_portal(group.hub), group.hub.node, "owner.group", "owner").page("/")
    assert "No plant has joined yet" in page
    assert "Nothing is published yet" in page
