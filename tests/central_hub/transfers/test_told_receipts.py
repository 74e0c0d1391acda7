"""A sender learns who took its pieces in; from then on it does nothing with them that only their custodian may."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browse import sign_in
from sqlalchemy import select
from steel_group import HOUR, SteelGroup, rows

from central_hub.transfers.service import reconcile, resolve_case
from local_mes.app import create_console
from local_mes.stock.service import Command, scrap
from local_mes.transfers.service import (
    CorrectDeparture,
    DivertCommand,
    LineCommand,
    correct_departure,
    divert,
    take_back,
    write_off,
)
from shared.db.engine import read, write
from shared.errors import Refused
from shared.transfers.lines import LineFilter, find_lines
from shared.transfers.tables import told_receipt, transfer_case
from shared.transfers.told import with_told
from sync.understanding import keep

SLABS = ["161738-1-1", "161738-1-2", "161738-1-3", "161738-1-4"]


def _older_release(group: SteelGroup) -> None:
    """A sender that does not read such a fact is sent none; after its upgrade it is told."""
    with write(group.hub.node.engine) as conn:
        keep(conn, "ALD", (1, 1), {"CaseOpened": 1}, 1)
    group.sync("BRK")
    assert rows(group.hub.node.engine, told_receipt) == []
    with write(group.hub.node.engine) as conn:
        keep(conn, "ALD", (1, 1), {"CaseOpened": 1, "ReceiptsTold": 1}, 2)


def test_what_the_sender_was_told_is_refused_by_name_and_can_be_contradicted(group: SteelGroup) -> None:
    ald = group.plants["ALD"]
    for number in SLABS:
        group.stock("ALD", number, 20_500)
    group.ship("ALD", "BRK", "RT-1", SLABS)
    group.pass_time(HOUR)
    group.sync()
    for number in (*SLABS[:2], SLABS[3]):
        group.receive("BRK", number, 20_500, "RT-1")
    _older_release(group)
    group.sync("BRK")

    def line(number: str, *, contradicts: bool = False) -> LineCommand:
        return LineCommand(group.command(), "p", "RT-1", number, "seen here", "YA", contradicts=contradicts)

    def never(number: str, *, contradicts: bool = False) -> CorrectDeparture:
        return CorrectDeparture(group.command(), "p", "RT-1", number, "did_not_occur", contradicts=contradicts)

    correct_departure(ald, never(SLABS[0]))  # said before it was told
    group.pass_time(HOUR)
    group.sync()
    assert reconcile(group.hub).relayed == 0, "told once"
    with read(ald.node.engine) as conn:
        told = {x.number: x for x in with_told(conn, find_lines(conn, LineFilter(sender="ALD")))}
    assert [(told[n].state, bool(told[n].own_number)) for n in SLABS[1:3]] == [
        ("received", True),
        ("in_transit", False),
    ]
    assert rows(ald.node.engine, told_receipt) == rows(group.hub.node.engine, told_receipt)
    assert rows(group.plants["CLD"].node.engine, told_receipt) == []

    refused: tuple[Callable[[], object], ...] = (
        lambda: take_back(ald, line(SLABS[1])),
        lambda: write_off(ald, line(SLABS[1])),
        lambda: divert(ald, DivertCommand(group.command(), "p", "RT-1", "CLD", "more urgent", (SLABS[1],))),
        lambda: correct_departure(ald, never(SLABS[1])),
        lambda: group.ship("ALD", "BRK", "RT-2", SLABS[:1]),
        lambda: scrap(ald, Command(group.command(), "p"), SLABS[0], "cracked"),
    )
    for deed in refused:
        with pytest.raises(Refused, match=r"taken|took|received"):
            deed()
    take_back(ald, line(SLABS[2]))
    take_back(ald, line(SLABS[1], contradicts=True))
    yard, load = sign_in(create_console(ald), ald.node, "yard.ald", "yard"), "/transfers/loads/RT-1"
    refusal = yard.post(f"{load}/correct", load, piece=SLABS[3], kind="did_not_occur", note="never left")
    assert refusal.status_code == 409
    assert "though its addressee says" in refusal.text, "what to do is named, and on the form"
    assert yard.post(f"{load}/correct", load, piece=SLABS[3], kind="contradicted", note="never left").status_code == 302
    group.pass_time(HOUR)
    group.sync()
    with read(group.hub.node.engine) as conn:
        c = transfer_case.c
        found = conn.execute(select(c.case_id, c.kind, c.piece_number).where(c.state == "open")).all()
    assert {(row.kind, row.piece_number) for row in found} == {("contested", SLABS[n]) for n in (0, 1, 3)}
    with pytest.raises(Refused, match="taken"):  # its receiver has it live until the case says otherwise
        scrap(ald, Command(group.command(), "p"), SLABS[1], "cracked")
    with pytest.raises(Refused, match="taken"):
        group.ship("ALD", "BRK", "RT-2", SLABS[1:2])
    (first,) = (row.case_id for row in found if row.piece_number == SLABS[0])
    resolve_case(group.hub, first, "receiver_error", "another slab", actor="p", command_id="end")
    group.sync()
    assert group.ship("ALD", "BRK", "RT-2", SLABS[:1])["pieces"] == 1
