"""Two plants' numbers collide: the one's piece does not answer for the other's."""

from __future__ import annotations

from steel_group import HOUR, SteelGroup

from local_mes.transfers.service import close_receipt
from shared.db.engine import read
from shared.transfers.case_queries import find_cases


def test_a_missing_piece_is_not_answered_by_a_piece_of_another_plant_with_its_number(group: SteelGroup) -> None:
    for number in ("161738-1-1", "161738-1-2"):
        group.stock("ALD", number, 20_558)
    group.ship("ALD", "BRK", "RT-1", ["161738-1-1", "161738-1-2"])
    group.pass_time(9 * HOUR)
    group.sync()
    group.receive("BRK", "161738-1-1", 20_600, "RT-1")
    group.receive("BRK", "161738-1-2", 20_600, from_plant="CLD")
    close_receipt(group.plants["BRK"], "RT-1", actor="p2", command_id=group.command())
    group.pass_time(HOUR)
    group.sync()
    with read(group.hub.node.engine) as conn:
        found = sorted((row.kind, row.piece_number, row.from_plant) for row in find_cases(conn))
    assert found == [("short", "161738-1-2", "ALD"), ("unannounced", "161738-1-2", "CLD")]
