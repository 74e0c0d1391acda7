"""The judge finds what a faulty product would have done: each test leaves one defect in the databases of a played day,
starts the nodes again from them and lets the judge look. The day as it was played is the control."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from demo.group import Group
from demo.runfolder import RunFolder

pytestmark = [pytest.mark.xdist_group("day"), pytest.mark.timeout(1_800)]

Spoil = Callable[[sqlite3.Connection], None]
LOOK_S = 600


class Copy:
    """A copy of the played day's folder, to be spoiled and judged."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.group = Group(RunFolder(folder), RunFolder(folder).choices())

    def spoil(self, nodes: tuple[str, ...], defect: Spoil) -> None:
        """Leave the same defect in the databases of these nodes, as a product would that is wrong everywhere."""
        for node in nodes:
            with closing(sqlite3.connect(self.folder / node / "node.sqlite")) as conn, conn:
                defect(conn)

    def rows(self, node: str, question: str, *values: Any) -> list[tuple[Any, ...]]:
        """What stands in a node's database."""
        with closing(sqlite3.connect(self.folder / node / "node.sqlite")) as conn:
            return conn.execute(question, values).fetchall()

    def judged(self) -> tuple[int, dict[str, Any]]:
        """Exit code and summary of the judge on the nodes as they run from this folder."""
        try:
            self.group.start(level2=False)
            self.group.wait_up()
            command = [sys.executable, "-m", "demo.judge", "--dir", str(self.folder), "--json"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=LOOK_S, check=False)
        finally:
            self.group.processes.stop()
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)


@pytest.fixture
def copy(played_day: Any, tmp_path: Path) -> Iterator[Copy]:
    folder = tmp_path / "copy"
    shutil.copytree(played_day.folder, folder)
    made = Copy(folder)
    yield made
    made.group.processes.stop()


def said(summary: dict[str, Any]) -> set[tuple[str, str]]:
    """(check, subject) of every finding."""
    return {(f["check"], f["subject"]) for f in summary["findings"]}


def test_the_day_as_it_was_played_contents_the_judge(copy: Copy) -> None:
    code, summary = copy.judged()
    assert (code, said(summary)) == (0, set())
    assert summary["content"] is True
    assert min(summary["looked_at"].values()) > 0


def test_a_lost_fact_is_named(copy: Copy) -> None:
    """The fact that made a coil was never applied, neither at its plant nor at the hub: both agree, and are wrong."""
    piece, number = _weighed_coils(copy)[0][:2]

    def lose(conn: sqlite3.Connection) -> None:
        conn.execute("DELETE FROM material WHERE author = 'BRK' AND material_id = ?", (piece,))
        conn.execute("DELETE FROM alias WHERE author = 'BRK' AND material_id = ?", (piece,))

    copy.spoil(("brk", "hub"), lose)
    code, summary = copy.judged()
    assert code == 1
    assert summary["lost"] == 1
    assert ("lost", number) in said(summary)
    assert not {check for check, _ in said(summary)} & {"hub_equal", "received_all", "applied_all"}


def test_a_fact_that_the_hub_alone_lost_is_named(copy: Copy) -> None:
    """An entry is gone from the hub's journal and its rows with it, the append-only guard notwithstanding."""
    ((seq, fact_id),) = copy.rows(
        "hub",
        "SELECT seq, fact_id FROM entry JOIN fact USING (fact_id) WHERE stream = 'CLD'"
        " AND type = 'MaterialWeighed' ORDER BY seq LIMIT 1",
    )

    def lose(conn: sqlite3.Connection) -> None:
        conn.execute("PRAGMA foreign_keys = OFF")
        for table in ("entry", "fact"):
            conn.execute(f"DROP TRIGGER {table}_no_delete")
        conn.execute("DELETE FROM entry WHERE stream = 'CLD' AND seq = ?", (seq,))
        for table in ("fact", "applied", "mass_history"):
            conn.execute(f"DELETE FROM {table} WHERE fact_id = ?", (fact_id,))

    copy.spoil(("hub",), lose)
    code, summary = copy.judged()
    assert code == 1
    assert ("hub_equal", "CLD") in said(summary)
    assert {subject for _, subject in said(summary)} == {"CLD"}


def test_a_doubled_receipt_is_named(copy: Copy) -> None:
    """A receipt was booked twice, each time with an identity of its own for the piece."""
    ((receipt, piece, number),) = copy.rows(
        "brk",
        "SELECT receipt_id, material_id, printed_number FROM receipt"
        " WHERE author = 'BRK' AND provisional = 0 ORDER BY received_at_ms LIMIT 1",
    )
    other = f"{'0' * 31}2"

    def double(conn: sqlite3.Connection) -> None:
        _repeat(conn, "receipt", "receipt_id", receipt, {"receipt_id": other})
        _repeat(conn, "material", "material_id", piece, {"material_id": other})
        _repeat(conn, "alias", "material_id", piece, {"material_id": other})

    copy.spoil(("brk", "hub"), double)
    code, summary = copy.judged()
    assert code == 1
    assert summary["doubled"] == 1
    assert {("receipts", "BRK"), ("received", number), ("doubled", number)} <= said(summary)


def test_two_swapped_masses_are_named(copy: Copy) -> None:
    """Two weight telegrams went to each other's coil; every sum of the plant still closes."""
    (one, first, mass), (other, second, far) = _weighed_coils(copy)[:2]
    assert mass != far

    def swap(conn: sqlite3.Connection) -> None:
        for piece, grams in ((one, far), (other, mass)):
            conn.execute("UPDATE material SET mass_g = ? WHERE author = 'BRK' AND material_id = ?", (grams, piece))

    copy.spoil(("brk", "hub"), swap)
    code, summary = copy.judged()
    assert code == 1
    assert said(summary) == {("mass", first), ("mass", second)}


def _weighed_coils(copy: Copy) -> list[tuple[Any, ...]]:
    """(material_id, number, mass_g) of coils that Brackwell made and weighed, all of different mass."""
    return copy.rows(
        "brk",
        "SELECT material_id, number, mass_g FROM material WHERE author = 'BRK' AND kind = 'coil'"
        " AND mass_basis = 'weighed' GROUP BY mass_g HAVING count(*) = 1 ORDER BY number",
    )


def _repeat(conn: sqlite3.Connection, table: str, key: str, value: str, new: dict[str, str]) -> None:
    """Brackwell's rows of a table once more, with another identity."""
    columns = [row[1] for row in conn.execute(f"PRAGMA table_info({table})")]
    chosen = ", ".join("?" if name in new else name for name in columns)
    conn.execute(
        f"INSERT INTO {table} SELECT {chosen} FROM {table} WHERE author = 'BRK' AND {key} = ?",
        [*(new[name] for name in columns if name in new), value],
    )
