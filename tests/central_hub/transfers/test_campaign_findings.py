"""What histories of transfers found at the hub's desk (campaign/custody), each told by hand."""

from __future__ import annotations

import pytest
from steel_group import HOUR, MINUTE, SteelGroup

from local_mes.transfers.heeding import RELABEL
from local_mes.transfers.service import close_receipt, heed_cases, match_by_hand, match_pending
from shared.db.engine import read, write
from shared.journal.tables import command, epoch, head
from shared.material.queries import aliases_of
from shared.transfers.case_queries import find_cases
from shared.transfers.tables import shipment, shipment_line

SLAB, KG = "161738-1-1", 20_558


def cases(group):
    with read(group.hub.node.engine) as conn:
        return {row.kind: row for row in find_cases(conn)}


@pytest.mark.parametrize("away", [True, False])
def test_a_renamed_piece_is_short_whenever_the_hub_looks(group: SteelGroup, away: bool) -> None:
    """Who it was is found after it was overdue: the judgement is of that time, also when all facts come at once."""
    group.stock("ALD", SLAB, KG)
    group.ship("ALD", "BRK", "RT-1", [SLAB])
    group.sync()
    group.cut = {"ALD", "BRK"} if away else set()
    came = group.receive("BRK", "X-4711", KG, "RT-1", kind="slab")
    close_receipt(group.plants["BRK"], "RT-1", actor="p2", command_id=group.command())
    group.pass_time(30 * HOUR)
    group.sync()
    told = {"note": "rubbed", "actor": "p2", "command_id": group.command()}
    match_by_hand(group.plants["BRK"], came["receipt_id"], "RT-1", SLAB, **told)
    group.cut = set()
    group.pass_time(HOUR)
    group.sync()
    assert set(cases(group)) == {"short", "unannounced"}


def test_a_receipt_whose_departure_nobody_has_any_more_is_a_case_behind_its_senders_watermark(
    group: SteelGroup,
) -> None:
    slab = group.stock("ALD", SLAB, KG)
    group.ship("ALD", "BRK", "RT-1", [SLAB])
    group.sync()
    group.cut = {"ALD"}
    group.receive("BRK", SLAB, KG, "RT-1")
    with write(group.hub.node.engine) as conn:  # hub and sender were both put back to before the departure
        for table in (shipment_line, shipment):
            conn.execute(table.delete().where(table.c.author == "ALD"))
    group.pass_time(HOUR)
    group.sync()
    assert cases(group) == {}, "its sender may still have it"
    group.cut = set()
    group.pass_time(MINUTE)
    group.sync()
    found = cases(group)["unannounced"]
    assert (found.material_id, found.from_plant, found.to_plant) == (slab, "ALD", "BRK")
    assert "ALD does not have that departure any more" in found.summary
    group.sync()
    assert len(cases(group)) == 1


def test_a_piece_of_a_number_given_twice_is_renamed_under_the_identity_that_it_has_by_then(group: SteelGroup) -> None:
    """Its sender's data came down together with the case: the other number was given to the identity that was over, and
    the piece went on under the doubled one. A restore that took the memory of it gave it one number more."""
    before = group.receive("BRK", "X-1", KG, from_plant="ALD", kind="slab")["own_number"]
    doubled = before[:-1] + str(int(before[-1]) + 1)
    group.stock("BRK", doubled, KG)
    slab = group.stock("ALD", SLAB, KG)
    group.ship("ALD", "BRK", "RT-1", [SLAB])
    group.pass_time(HOUR)
    came = group.receive("BRK", SLAB, KG, from_plant="ALD", kind="slab")
    assert came["own_number"] == doubled
    hear_of_a_restore(group, "BRK")
    group.sync()
    with read(group.hub.node.engine) as conn:
        doubts = [one.material_id for one in find_cases(conn) if one.kind == "number_reuse"]
    assert doubts == [came["material_id"]], "once, also where the hub hears later what it was"
    brk = group.plants["BRK"].node.engine

    def names() -> list[str]:
        with read(brk) as conn:
            return [one.value for one in aliases_of(conn, slab) if one.author == "BRK" and one.scheme == "BRK.slab"]

    renamed = names()
    assert len(renamed) == 2
    assert doubled in renamed
    with write(brk) as conn:
        conn.execute(command.delete().where(command.c.command_id.startswith(RELABEL)))
    heed_cases(group.plants["BRK"])
    assert names() == renamed


def test_a_number_given_twice_is_found_where_the_plant_tied_the_piece_before_the_hub_heard_of_it(
    group: SteelGroup,
) -> None:
    before = group.receive("BRK", "X-1", KG, from_plant="ALD", kind="slab")["own_number"]
    group.stock("BRK", before[:-1] + str(int(before[-1]) + 1), KG)
    group.pass_time(HOUR)
    hear_of_a_restore(group, "BRK")
    group.sync()
    slab = group.stock("ALD", SLAB, KG)
    group.ship("ALD", "BRK", "RT-1", [SLAB])
    group.receive("BRK", SLAB, KG, from_plant="ALD", kind="slab")
    group.sync("ALD")
    group.down("BRK")
    match_pending(group.plants["BRK"])
    group.sync()
    assert cases(group)["number_reuse"].material_id == slab


def test_a_number_given_twice_is_found_where_the_older_fact_comes_last(group: SteelGroup) -> None:
    """A restored plant carries over what its backup had and the hub had not: it comes after younger facts."""
    hear_of_a_restore(group, "BRK")
    young = group.stock("BRK", "B6-100", KG, "coil")
    group.receive("BRK", "X-1", KG, kind="slab")  # something to judge, so that it is remembered how far it was looked
    group.pass_time(HOUR)
    group.sync()
    assert "unannounced" in cases(group)
    with write(group.plants["BRK"].node.engine) as conn:
        conn.execute(head.update().values(recorded_at_ms=0))
    group.pass_time(-2 * HOUR)
    group.stock("BRK", "B6-100", KG, "coil")
    group.pass_time(3 * HOUR)
    assert "number_reuse" not in cases(group)
    group.sync()
    found = cases(group)["number_reuse"]
    assert (found.material_id, found.piece_number) == (young, "B6-100")


def hear_of_a_restore(group: SteelGroup, plant: str) -> None:
    row = {"stream": plant, "epoch": "e" * 32, "ordinal": 100, "parent_epoch": "0" * 32, "parent_seq": 1}
    more = {"parent_hash": "0" * 64, "reason": "behind", "opened_at_ms": group.clock.now_ms()}
    with write(group.hub.node.engine) as conn:
        conn.execute(epoch.insert().values(row | more))
