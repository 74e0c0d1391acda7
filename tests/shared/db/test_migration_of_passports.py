"""Keys of before the upgrade count on after it, and one can be revoked from an entry on; on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, text

import central_hub.wsgi
from shared.db import migrate
from shared.db.engine import open_engine, write
from sync.peers import KnownKey, list_keys, mark_revoked

OLD = (
    "INSERT INTO sync_key (node, key_id, public_key, since_ms) VALUES ('ALD', 'k1', '\\x01', 5), ('ALD', 'k2', '\\x02', 9)",
    "INSERT INTO sync_peer (peer, key_id, public_key, state, since_ms, standards_root) "
    "VALUES ('ALD', 'k2', '\\x02', 'active', 9, '')",
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    url = f"sqlite:///{tmp_path / 'older.sqlite'}"
    engine = open_engine(url if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    with write(engine) as conn:
        command.upgrade(migrate.configuration(central_hub.wsgi.MIGRATIONS, conn), "shared_0018")
        for statement in OLD:
            conn.execute(text(statement if request.param != "sqlite" else statement.replace("'\\x0", "x'0")))
    return engine


def test_keys_of_before_count_on_and_one_can_be_revoked(older: Engine) -> None:
    migrate.upgrade(older, central_hub.wsgi.MIGRATIONS)
    with write(older) as conn:
        first = KnownKey("ALD", b"\x01", 5, "", 0, 0)
        assert list_keys(conn) == [first, KnownKey("ALD", b"\x02", 9, "", 0, 0)]
        mark_revoked(conn, "ALD", "e" * 32, 600, 77)
        mark_revoked(conn, "ALD", "f" * 32, 1, 78)
        assert list_keys(conn) == [first, KnownKey("ALD", b"\x02", 9, "e" * 32, 600, 77)], "what was said first stands"
