"""Revisions shared_0012 and 0031 on a node that lives already, on both databases: its numbers stay and are found."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, inspect, text

import central_hub.wsgi
from shared.db.engine import open_engine, read, write
from shared.db.migrate import configuration, upgrade
from shared.material.queries import numbers_of
from shared.material.search import find_by_part

NUMBER = "INSERT INTO alias (author, value, scheme, material_id, given_at_ms) VALUES ('BRK', 'B6-09962', 's', 'm1', 1)"
MARK = (
    "INSERT INTO mark (author, mark_id, material_id, kind, from_um, to_um, left_um, right_um, value, text, rule,"
    " placed_at_ms) VALUES ('BRK', 'k1', 'm1', 'sliver', 0, 1, 0, 0, 0, '', '', 1)"
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    if request.param == "sqlite":
        return open_engine(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    return open_engine(request.getfixturevalue("postgres_url"))


def test_numbers_told_before_are_found_by_their_beginning(empty: Engine) -> None:
    with write(empty) as conn:
        command.upgrade(configuration(central_hub.wsgi.MIGRATIONS, conn), "shared_0011")
        conn.execute(text(NUMBER))
        conn.execute(text(MARK))
    upgrade(empty, central_hub.wsgi.MIGRATIONS)
    with read(empty) as conn:
        assert find_by_part(conn, "b6-0").ids == ("m1",)
        assert conn.execute(text("SELECT kind FROM mark WHERE mark_id = 'k1'")).scalar() == "sliver"
        names = {index["name"] for index in inspect(conn).get_indexes("mark")}
        assert {"ix_mark_mark_id", "ix_mark_kind"} <= names
        assert numbers_of(conn, ["m1"]) == {"m1": ["B6-09962"]}
        names = {index["name"] for index in inspect(conn).get_indexes("alias")}
        assert "ix_alias_of_piece" in names
        assert "ix_alias_material_id" not in names
