"""A spool that cannot be opened for a while costs nothing but the answers of that while."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from local_mes.level2.spool import Incoming, SpoolWriter, create_spool
from shared.clock import FixedClock
from shared.db.engine import open_engine
from shared.errors import Unavailable


def test_a_spool_that_cannot_be_opened_is_told_to_each_link_and_the_writer_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    folder.mkdir()
    engine = open_engine(f"sqlite:///{folder / 'spool.sqlite'}")
    writer = SpoolWriter(engine)
    try:
        folder.rename(tmp_path / "away")
        with pytest.raises(Unavailable):
            writer.submit(lambda conn: conn.execute(text("SELECT 1")).scalar_one()).result(10)
        (tmp_path / "away").rename(folder)
        assert writer.submit(lambda conn: conn.execute(text("SELECT 1")).scalar_one()).result(10) == 1
    finally:
        writer.close()
        engine.dispose()


def test_a_fault_that_nobody_foresaw_reaches_whoever_waits_and_the_writer_goes_on(
    tmp_path: Path, clock: FixedClock
) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'spool.sqlite'}")
    create_spool(engine, clock)
    writer = SpoolWriter(engine)
    try:
        with pytest.raises(OverflowError):
            writer.append(Incoming("CC1", "CC1060", 2**63, "", None, 1, 0, 0, b"", b"")).result(10)
        with pytest.raises(ZeroDivisionError):
            writer.submit(lambda _conn: 1 // 0).result(10)
        stored = writer.append(Incoming("CC1", "CC1060", 2**63 - 1, "", None, 1, 0, 0, b"", b"")).result(10)
        assert not stored.repeated
    finally:
        writer.close()
        engine.dispose()
