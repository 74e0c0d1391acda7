"""The old MES's orders are held against ours: by message and piece, nearest in time; what differs is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import insert

from local_mes.level2.down import Down, queue_setpoint, queue_telegram
from local_mes.level2.shadow.order_days import OrderDay, count_days
from local_mes.level2.shadow.orders import APART_MS, Field, find_match, judge
from local_mes.level2.spool import create_spool
from local_mes.level2.spool_tables import overheard
from shared.clock import FixedClock
from shared.db.engine import open_engine, write

NOON = 1_773_230_400_000
PLAN = {"heat": "161842", "grade": "L06", "order": "710047/10", "aim_mm": 9300, "min_mm": 8800, "pieces": 6}


def ours(down_id: int, message: str, fields: dict[str, Any], queued_ms: int = NOON) -> Down:
    return Down(down_id, f"k{down_id}", "CC1", "telegram", message, fields, "withheld", 0, 0, queued_ms, None, "")


def heard(message: str, fields: dict[str, Any], at_ms: int = NOON, problem: str = "") -> dict[str, Any]:
    head = {"ordinal": 1, "received_ms": at_ms, "message": message, "sequence": 7, "problem": problem}
    return head | {"fields": fields}


def test_an_order_is_the_same_differs_or_is_not_ours() -> None:
    sends = {"CC2010", "CC2030"}
    mine = [ours(1, "CC2010", PLAN), ours(2, "CC2010", PLAN | {"heat": "261838"})]
    same = judge(heard("CC2010", PLAN | {"order": "710047/10  "}), sends, mine)
    assert (same.verdict, same.ours_ms) == ("same", NOON)
    other = judge(heard("CC2010", PLAN | {"aim_mm": 9250, "grade": ""}), sends, mine)
    assert other.verdict == "differs"
    assert [f for f in other.fields if f.ours is not None] == [Field("grade", "", "L06"), Field("aim_mm", 9250, 9300)]
    assert judge(heard("CC2010", PLAN | {"heat": "999999"}), sends, mine).verdict == "none"
    assert judge(heard("CC2030", {"slab": "161842-1-1", "flag": "H"}), sends, mine).verdict == "none"
    assert judge(heard("AK9000", {"ack_sequence": 2, "code": 20}), sends, mine).verdict == "answer"
    assert judge(heard("CC2010", {}, problem="too short"), sends, mine).verdict == "unread"


def test_of_several_for_a_piece_the_nearest_in_time_counts() -> None:
    cut = {"strand": 1, "cut": 3, "length_mm": 9300}
    mine = [ours(n, "CC2020", cut | {"length_mm": 9000 + n}, NOON + n * 3_600_000) for n in (-20, -1, 2)]
    found = find_match(heard("CC2020", cut), mine)
    assert found is not None
    assert found.down_id == -1
    assert find_match(heard("CC2020", cut, NOON - 2 * APART_MS - 21 * 3_600_000), mine) is None


def test_a_name_gives_its_unit() -> None:
    named = [
        (f.label, f.unit) for f in (Field("aim_mm", 1), Field("coating_gm2", 1), Field("order", "x"), Field("c", 1))
    ]
    assert named == [("aim", "mm"), ("coating", "g/m²"), ("order", ""), ("c", "")]


def test_orders_are_counted_by_the_plants_day_with_those_that_the_old_mes_never_gave(tmp_path: Path) -> None:
    midnight, minute = NOON + 11 * 3_600_000, 60_000  # 23:00 UTC is midnight in Warsaw
    clock = FixedClock(midnight - minute)
    spool = open_engine(f"sqlite:///{tmp_path / 'spool.sqlite'}")
    create_spool(spool, clock)
    for n in range(4):
        queue_telegram(spool, clock, "CC1", "CC2010", PLAN | {"heat": f"16184{n}"}, key=f"k{n}")
    queue_setpoint(spool, clock, "CC1", "CC2040", {"strand": 1}, key="set:1", asked_by="p", piece="")
    said = [
        heard("CC2010", PLAN | {"heat": "161840"}, midnight - minute),
        heard("CC2010", PLAN | {"heat": "161841"}, midnight + minute),  # ours was due the day before
        heard("CC2010", PLAN | {"heat": "161842", "aim_mm": 1}, midnight + minute),
        heard("CC2010", PLAN | {"heat": "999999"}, midnight + minute),
        heard("CC2010", {}, midnight + minute, "too short"),
        heard("AK9000", {"ack_sequence": 1}, midnight + minute),
    ]
    with write(spool) as conn:
        for n, row in enumerate(said):
            fields = msgspec.json.encode(row["fields"]).decode()
            conn.execute(
                insert(overheard).values(row | {"ordinal": n + 1, "link": "CC1", "raw": b"", "fields": fields})
            )
    counted = count_days(spool, "CC1", {"CC2010", "CC2040"}, ZoneInfo("Europe/Warsaw"), midnight + 5 * minute)
    assert counted == [
        OrderDay("2026-03-12", same=1, differs=1, none=1, unread=1, alone=0),
        OrderDay("2026-03-11", same=1, differs=0, none=0, unread=0, alone=1),
    ]
    spool.dispose()
