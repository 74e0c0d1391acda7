"""What this room tests is how the tables are made: none of them comes by copy."""

from __future__ import annotations

import pytest
import ready_tables

from shared.db import migrate
from shared.db.types import metadata


@pytest.fixture(autouse=True)
def _tables_statement_by_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "create_all", ready_tables.create_all)
    monkeypatch.setattr(migrate, "upgrade", ready_tables.upgrade)
