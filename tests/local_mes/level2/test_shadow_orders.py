"""The old MES's orders are held against ours: by message and piece, nearest in time; what differs is named."""

from __future__ import annotations

from typing import Any

from local_mes.level2.down import Down
from local_mes.level2.shadow.orders import APART_MS, Field, _order, find_match

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
    same = _order(heard("CC2010", PLAN | {"order": "710047/10  "}), sends, mine)
    assert (same.verdict, same.ours_ms) == ("same", NOON)
    other = _order(heard("CC2010", PLAN | {"aim_mm": 9250, "grade": ""}), sends, mine)
    assert other.verdict == "differs"
    assert [f for f in other.fields if f.ours is not None] == [Field("grade", "", "L06"), Field("aim_mm", 9250, 9300)]
    assert _order(heard("CC2010", PLAN | {"heat": "999999"}), sends, mine).verdict == "none"
    assert _order(heard("CC2030", {"slab": "161842-1-1", "flag": "H"}), sends, mine).verdict == "none"
    assert _order(heard("AK9000", {"ack_sequence": 2, "code": 20}), sends, mine).verdict == "answer"
    assert _order(heard("CC2010", {}, problem="too short"), sends, mine).verdict == "unread"


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
