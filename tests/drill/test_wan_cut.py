"""The drill in its short form, and that its reckoning would see what it looks for."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from drill.cli import drill
from drill.reckoning import Reckoning, reckon
from drill.wan_cut import Outcome
from drill.work import Work
from shared.clock import FixedClock
from shared.db.engine import open_engine, read, write
from shared.db.types import metadata
from shared.journal.apply import Appliers
from shared.journal.bulk import record_many
from shared.journal.content_hash import table_hashes
from shared.journal.fact import type_of
from shared.journal.journal import Journal
from shared.subjects import REGISTERS


@pytest.mark.fault(13)
@pytest.mark.timeout(400)
def test_a_day_without_a_line_in_small() -> None:
    done = CliRunner().invoke(drill, ["wan-cut", "--days", "1", "--facts-per-day", "400", "--seed", "3"])
    assert done.exit_code == 0, done.output
    assert "lost                 0" in done.output
    assert "duplicated           0" in done.output
    assert "the same on both sides" in done.output
    assert done.output.endswith("PASSED\n")


@pytest.mark.slow
@pytest.mark.fault(13)
@pytest.mark.timeout(3_600)
def test_two_weeks_without_a_line_at_full_volume() -> None:
    done = CliRunner().invoke(drill, ["wan-cut", "--days", "14"])
    assert done.exit_code == 0, done.output


@pytest.fixture
def twins(tmp_path):
    """Two databases with the same heat, recorded from the same drafts."""
    engines = []
    for name in ("plant", "hub"):
        clock = FixedClock(1_773_205_200_000)
        engine = open_engine(f"sqlite:///{tmp_path / name}.sqlite")
        metadata.create_all(engine)
        appliers = Appliers()
        for register in REGISTERS:
            register(appliers)
        drafts = [
            replace(draft, fact_id=f"{number:032x}")
            for number, draft in enumerate(islice(Work(1, clock).drafts(), 980))
        ]
        with Journal("DRL", engine, clock, appliers).work() as tx:
            record_many(tx, drafts)
        engines.append(engine)
    yield engines
    for engine in engines:
        engine.dispose()


def test_equal_databases_are_sound(twins) -> None:
    assert reckon(*twins, "DRL") == Reckoning(0, 0, True, 0)


def spoil(engine, *statements: str) -> None:
    with write(engine) as conn:
        for (name,) in conn.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            conn.execute(text(f"DROP TRIGGER {name}"))
        for statement in statements:
            conn.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "lost", "duplicated", "same"),
    [
        ("DELETE FROM applied WHERE fact_id LIKE '%0000007'", 1, 0, True),
        ("DELETE FROM entry WHERE seq = 980", 1, 0, True),
        (
            "INSERT INTO entry SELECT stream, epoch, seq + 1, hash, fact_id, NULL, NULL, NULL FROM entry WHERE seq = 980",
            0,
            1,
            True,
        ),
        ("UPDATE material SET mass_g = mass_g + 1 WHERE kind = 'heat'", 0, 0, False),
    ],
)
def test_what_is_wrong_at_the_hub_is_counted(twins, statement, lost, duplicated, same) -> None:
    plant, hub = twins
    spoil(hub, statement)
    found = reckon(plant, hub, "DRL")
    assert (found.lost, found.duplicated, found.same_rows) == (lost, duplicated, same)
    assert not found.sound


def test_a_drill_that_failed_says_so() -> None:
    good = Outcome(7, 700, 3, 1.0, 2.0, 4.0, 70_000, 100, Reckoning(0, 0, True, 0))
    assert good.passed
    assert "175 facts a second" in "\n".join(good.lines())
    assert "(100 a fact)" in "\n".join(good.lines())
    bad = replace(good, reckoning=Reckoning(1, 2, False, 3))
    assert not bad.passed
    assert bad.lines()[-1] == "FAILED"
    assert "DIFFERENT" in "\n".join(bad.lines())


def test_the_work_is_that_of_a_real_site_and_follows_from_the_seed() -> None:
    clock = FixedClock(1_773_205_200_000)
    heat = list(islice(Work(1, clock).drafts(), 970))
    types = {type_of(draft.payload)[0] for draft in heat}
    assert len(types) >= 9
    assert heat == list(islice(Work(1, clock).drafts(), 970))
    assert heat != list(islice(Work(2, clock).drafts(), 970))


def test_every_fact_of_the_work_changes_rows(twins) -> None:
    with read(twins[0]) as conn:
        filled = {
            name
            for name in table_hashes(conn, "DRL")
            if conn.execute(text(f"SELECT count(*) FROM {name} WHERE author = 'DRL'")).scalar_one()
        }
    assert {"material", "alias", "edge", "place_history", "mass_history", "mark"} <= filled
