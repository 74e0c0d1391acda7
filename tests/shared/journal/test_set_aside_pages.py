"""What is set aside is listed in order of place, page by page, each entry once."""

from __future__ import annotations

from itertools import product

from sqlalchemy import Engine, insert

from shared.db.engine import read, write
from shared.journal.quarantine import find_set_aside, quarantine


def test_pages_go_through_all_places_once_in_order(engine: Engine) -> None:
    places = list(product(("ALD", "BRK"), ("a" * 32, "b" * 32), (1, 2, 11)))
    with write(engine) as conn:
        conn.execute(insert(quarantine), [_row(*place) for place in reversed(places)])
    for limit in (1, 4, 12):
        found: list[tuple[str, str, int]] = []
        with read(engine) as conn:
            while page := find_set_aside(conn, found[-1] if found else None, limit):
                assert len(page) <= limit
                found += [(str(r["stream"]), str(r["epoch"]), int(str(r["seq"]))) for r in page]
                assert len(found) <= len(places)
        assert found == places


def _row(stream: str, epoch: str, seq: int) -> dict[str, object]:
    return {
        "stream": stream,
        "epoch": epoch,
        "seq": seq,
        "fact_id": f"{seq:032x}",
        "author": stream,
        "type": "MaterialMoved",
        "version": 1,
        "state": "quarantined",
        "reason": "its bytes cannot be read",
        "since_ms": 1,
    }
