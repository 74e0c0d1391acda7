"""How far everything is, counted from the tables alone: recorded, received, applied, set aside, still to be sent."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, insert

from shared.db.engine import write
from shared.journal.quarantine import quarantine
from shared.journal.tables import applied, entry, epoch, fact, head
from sync.figures import Figures, figures
from sync.seal import digest
from sync.tables import position

E1, E2, H = "1" * 32, "2" * 32, "a" * 64


def grow(conn: Connection, stream: str, seq: int, *left_at: int) -> None:
    """A stream written here: its head at seq, and earlier epochs that end at these places (only the last entries)."""
    conn.execute(insert(head).values(stream=stream, epoch=E1, seq=seq, hash=H, recorded_at_ms=1))
    for ordinal, last in enumerate((*left_at, seq), start=1):
        life, fact_id = str(ordinal) * 32, digest(f"{stream} {ordinal}".encode())[:32]
        row: dict[str, Any] = {"stream": stream, "epoch": life, "ordinal": ordinal, "opened_at_ms": 0}
        conn.execute(insert(epoch).values(**row, reason="first"))
        of_fact = {"fact_id": fact_id, "type": "T", "version": 1, "author": stream, "recorded_at_ms": 1, "body": b"{}"}
        conn.execute(insert(fact).values(**of_fact))
        conn.execute(insert(entry).values(stream=stream, epoch=life, seq=last, hash=H, fact_id=fact_id))


def hold(conn: Connection, peer: str, stream: str, durable: int, through: int = 0, life: str = E1) -> None:
    """A position: what we hold of a peer's stream, or a peer of ours."""
    row = {"peer": peer, "stream": stream, "epoch": life, "durable": durable, "hash": H, "complete_through": through}
    conn.execute(insert(position).values(**row, updated_ms=1))


def aside(conn: Connection, author: str, seq: int, state: str) -> None:
    row = {"stream": author, "epoch": E1, "seq": seq, "fact_id": f"{seq:032x}", "author": author, "type": "T"}
    conn.execute(insert(quarantine).values(**row, version=1, state=state, reason="", since_ms=1))


def test_a_node_that_did_nothing_has_nothing(engine: Any) -> None:
    with write(engine) as conn:
        assert figures(conn, "ALD") == Figures(0, {}, {}, {}, 0, 0, {})


def test_a_plants_figures_name_what_the_hub_lacks_and_what_came_down(engine: Any) -> None:
    with write(engine) as conn:
        grow(conn, "ALD", 7, 10, 5)  # 10 and 5 entries in lives that ended, 7 in the present one
        hold(conn, "HUB", "ALD", 10, life=E1)
        hold(conn, "HUB", "ALD", 4, life=E2)
        hold(conn, "HUB", "HUB>ALD", 4, 500)
        hold(conn, "HUB", "HUB", 3, 700)
        for fact_id in "abc":
            conn.execute(insert(applied).values(author="BRK" if fact_id == "c" else "ALD", fact_id=fact_id))
        for seq, state in enumerate(("quarantined", "quarantined", "parked", "held", "held"), start=1):
            aside(conn, "BRK", seq, state)
        aside(conn, "CLD", 9, "quarantined")
        found = figures(conn, "ALD")
    assert found == Figures(
        recorded=22,
        received_from={"HUB": 7},
        applied_from={"ALD": 2, "BRK": 1},
        quarantined_from={"BRK": 2, "CLD": 1},
        parked=3,
        backlog=8,
        complete_through_ms={"HUB": 700},
    )


def test_a_hubs_backlog_is_what_its_plants_lack_of_their_ways_down(engine: Any) -> None:
    with write(engine) as conn:
        grow(conn, "HUB", 50)
        grow(conn, "HUB>ALD", 8)
        grow(conn, "HUB>BRK", 5)
        hold(conn, "ALD", "HUB>ALD", 6)
        hold(conn, "ALD", "ALD", 30, 90)
        hold(conn, "BRK", "BRK", 20, 80)
        found = figures(conn, "HUB")
    assert (found.recorded, found.backlog) == (50, 7)
    assert (found.received_from, found.complete_through_ms) == ({"ALD": 30, "BRK": 20}, {"ALD": 90, "BRK": 80})


@pytest.mark.parametrize("code", ["AL", "ALDER"])
def test_a_node_whose_code_begins_another_is_not_taken_for_it(engine: Any, code: str) -> None:
    with write(engine) as conn:
        grow(conn, code, 2)
        hold(conn, "ALD", "ALD", 4, 9)
        assert figures(conn, code).received_from == {"ALD": 4}
        assert figures(conn, code).backlog == 2
