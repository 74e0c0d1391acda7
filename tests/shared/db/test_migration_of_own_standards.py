"""After the upgrade the hub writes what its rules said and how far it asked; plants deploy their own; on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, select, text

import central_hub.wiring
from central_hub.rules.queries import Window, counted_later, window_of
from central_hub.rules.tables import asked_to, hit
from shared.clock import FixedClock
from shared.db import migrate
from shared.db.engine import open_engine, read, write
from shared.journal.apply import Appliers
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Journal
from shared.standards.facts import StandardDrafted
from shared.standards.own_facts import GroupRuleFired, OwnStandardDeployed, ProductLaunched
from shared.standards.own_tables import group_decision, own_deployment, product_launch
from shared.standards.tables import standard_version
from shared.subjects import REGISTERS

OLD = "INSERT INTO plant VALUES ('ALD', 'Aldermoor', 'ab', 1)"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    url = f"sqlite:///{tmp_path / 'older.sqlite'}"
    engine = open_engine(url if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    with write(engine) as conn:
        for revision in ("shared_0026", "hub_0001"):
            command.upgrade(migrate.configuration(central_hub.wiring.MIGRATIONS, conn), revision)
        conn.execute(text(OLD))
    return engine


def test_rules_own_standards_and_launches_are_written_after_the_upgrade(older: Engine, clock: FixedClock) -> None:
    migrate.upgrade(older, central_hub.wiring.MIGRATIONS)
    appliers = Appliers()
    for register in REGISTERS:
        register(appliers)
    own = {"standard_id": "ALD-QR", "version": 1, "sha256": "a" * 64}
    facts = [
        GroupRuleFired(
            decision_id="d", rule_id="GR", rule_version=1, rule_hash="h", plant="ALD", fact_id="f", key="",
            outcome="violated", inputs={"count": 5}, explanation="too many", counted=("f",), at_ms=7,
        ),
        StandardDrafted(**own, kind="quality_rule", title="Own", body="{}"),
        OwnStandardDeployed(**own, reason="tried"),
        ProductLaunched(
            launch_id="l", product_id="P", title="P", template="T", grade="G", source="plm", reference="1",
            standards=("P v1",),
        ),
    ]  # fmt: skip
    with Journal("HUB", older, clock, appliers).work() as tx:
        for fact in facts:
            tx.record(Draft(payload=fact, subjects=("s",), actor="p", occurred=Occurred(9, "manual")))
        tx.conn.execute(asked_to.insert(), [{"stream": "ALD", "epoch": "e", "seq": 4, "joined": 0}])
        counted = dict(rule="GR:1", fact_id="f", key="", at_ms=7, plant="ALD", piece="m", inputs="{}")
        tx.conn.execute(hit.insert(), [counted])
    with read(older) as conn:
        assert window_of(conn, "GR:1", "", 0, 7) == Window(1, 1, 1, ("f",))
        assert [row.fact_id for row in counted_later(conn, "GR:1", "", 6, 8)] == ["f"]
        assert conn.execute(select(group_decision.c.inputs)).scalar() == '{"count": 5}'
        assert conn.execute(select(own_deployment.c.version, own_deployment.c.deployed_by)).one() == (1, "p")
        assert conn.execute(select(standard_version.c.status)).scalar() == "published"
        assert conn.execute(select(product_launch.c.standards)).scalar() == '["P v1"]'
        assert conn.execute(text("SELECT name FROM plant")).scalar() == "Aldermoor"
    older.dispose()
