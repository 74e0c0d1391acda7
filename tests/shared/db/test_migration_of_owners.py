"""A node of the release before keeps its orders, and holds what the centre decides from then on."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text

import local_mes.wiring
from shared.centre.facts import OrdersSentDown, OwnersTold, SentDownAnswered, SentOrder
from shared.centre.projection import register
from shared.centre.queries import list_sent, owners_of, unanswered
from shared.clock import FixedClock
from shared.db import migrate
from shared.db.engine import open_engine, read, write
from shared.ids import new_id
from shared.journal.apply import Appliers
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Journal


@pytest.mark.parametrize("on", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_what_the_centre_decides_is_held_after_the_upgrade(
    on: str, tmp_path: Path, clock: FixedClock, request: pytest.FixtureRequest
) -> None:
    sqlite = f"sqlite:///{tmp_path / 'old.sqlite'}"
    engine = open_engine(sqlite if on == "sqlite" else request.getfixturevalue("postgres_url"))
    order = {
        "item": "1/1",
        "customer": "c",
        "product": "p",
        "grade": "g",
        "thickness_um": 1,
        "width_um": 1,
        "mass_g": 1,
    }
    with write(engine) as conn:
        command.upgrade(migrate.configuration(local_mes.wiring.MIGRATIONS, conn), "shared_0033")
        names = "author, item, customer, product, grade, thickness_um, width_um, mass_g, route, due, released_at_ms"
        conn.execute(text(f"INSERT INTO order_item ({names}) VALUES ('ALD', '1/1', 'c', 'p', 'g', 1, 1, 1, '', '', 1)"))
        command.upgrade(migrate.configuration(local_mes.wiring.MIGRATIONS, conn), "heads")
    appliers = Appliers()
    register(appliers)
    sent_id = new_id(clock)
    for payload in (
        OwnersTold(owners={"order_release": "plant"}),
        OwnersTold(owners={"order_release": "hub", "later": "hub"}),
        OrdersSentDown(sent_id=sent_id, plant="ALD", items=(SentOrder(**order),)),
    ):
        record(Journal("ALD", engine, clock, appliers), payload)
    with read(engine) as conn:
        assert owners_of(conn, "ALD") == {"order_release": "hub", "later": "hub"}
        assert [row.sent_id for row in unanswered(conn, "ALD")] == [sent_id]
    record(Journal("ALD", engine, clock, appliers), SentDownAnswered(sent_id=sent_id, outcome="done"))
    with read(engine) as conn:
        assert unanswered(conn, "ALD") == []
        assert [row.outcome for row in list_sent(conn, "ALD")] == ["done"]
        assert conn.execute(text("SELECT count(*) FROM order_item")).scalar() == 1
    engine.dispose()


def record(journal: Journal, payload: OwnersTold | OrdersSentDown | SentDownAnswered) -> None:
    with journal.work() as tx:
        tx.record(Draft(payload=payload, subjects=("s",), actor="p", occurred=Occurred(9, "manual")))
