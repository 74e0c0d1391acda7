"""A plant without any network takes pieces in by their passports; what a passport may not do, and what comes later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from passports_bench import passports, send, under_a_root
from sqlalchemy import select
from steel_group import HOUR, SteelGroup, rows

from central_hub.passports.service import publish_keys
from central_hub.transfers.service import reconcile
from local_mes.passports.keys import find_keys
from local_mes.transfers.by_passport import PassportCommand, check_passport, receive_by_passport
from local_mes.transfers.service import CorrectDeparture, correct_departure, match_by_hand, match_pending, ship
from local_mes.transfers.shipping import ListedPiece, ShipCommand
from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.errors import StrandlineError
from shared.ids import new_id
from shared.journal.content_hash import authors, content_hash
from shared.journal.fact import Draft, Occurred
from shared.journal.rebuild import rebuild
from shared.keys import new_key
from shared.material.facts import Consumed, Edge, Mass, MaterialTransformed, NewAlias, NewMaterial, Size
from shared.material.queries import get_material, get_piece
from shared.material.tables import alias, edge, material
from shared.passports.coding import from_text, to_text
from shared.passports.document import WIRE_BYTES_MAX, PieceBody, open_body, split
from shared.passports.issuing import Told, make_piece
from shared.passports.queries import find_taken
from shared.quality.facts import HoldPlaced
from shared.quality.queries import open_holds
from shared.transfers.facts import PieceData
from shared.transfers.lines import LineFilter, find_lines
from shared.transfers.queries import custody_numbers, find_receipt, find_receipts
from shared.transfers.tables import shipment_line, transfer_case
from sync.peers import mark_revoked
from sync.recovery_commands import set_peer

CHEMISTRY = '{"C": 450, "Cu": 1500}'


@pytest.fixture
def rooted(group: SteelGroup) -> SteelGroup:
    return under_a_root(group)


def take_in(group: SteelGroup, text: str, plant: str = "BRK", **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"mass_g": 20_670_000, "scale": "WS1", "place": "YB"} | more
    return receive_by_passport(group.plants[plant], PassportCommand(group.command(), "p2", text, **given))


def refusal(group: SteelGroup, text: str, plant: str = "BRK") -> str:
    with pytest.raises(StrandlineError) as refused:
        take_in(group, text, plant)
    assert refused.value.todo
    return refused.value.code


def roll(group: SteelGroup, slab: dict[str, Any], number: str) -> str:
    """The slab becomes a coil at BRK."""
    plant, now = group.plants["BRK"], group.clock.now_ms()
    coil = NewMaterial(
        material_id=new_id(group.clock), kind="coil", aliases=(NewAlias("BRK.coil", number),), grade="L06",
        mass=Mass(20_100_000, "weighed"), size=Size(2_500, 1_270_000, 800_000_000), order_item="710045/10",
    )  # fmt: skip
    done = MaterialTransformed(
        operation_id=new_id(group.clock), operation="roll", unit="FM", started_at_ms=now, ended_at_ms=now,
        parents=(Consumed(slab["material_id"], 20_670_000),), children=(coil,),
        edges=(
            Edge(
                parent_id=slab["material_id"], child_id=coil.material_id, parent_from_um=0, parent_to_um=9_300_000,
                child_from_um=0, child_to_um=800_000_000, mass_g=20_100_000,
            ),
        ),
    )  # fmt: skip
    with plant.journal.work() as tx:
        tx.record(Draft(done, (slab["material_id"], coil.material_id), "p1", Occurred(now, "manual")))
    return coil.material_id


def test_a_piece_is_taken_in_worked_and_shipped_on_without_a_network_and_all_matches_by_itself(
    rooted: SteelGroup,
) -> None:
    texts = send(rooted, "S1", "S2", "S3")
    rooted.pass_time(9 * HOUR)
    brk = rooted.plants["BRK"]
    with read(brk.node.engine) as conn:
        checked = check_passport(conn, brk, texts["S1"])
        assert (checked.standing, checked.piece.number, checked.piece.shipped.number) == ("good", "S1", "RT-1")
        assert conn.execute(select(shipment_line)).first() is None, "nothing of the load has reached BRK"
    got, on = take_in(rooted, texts["S1"]), take_in(rooted, texts["S2"], mass_g=0)
    assert (got["provisional"], got["standing"], got["from_plant"], got["flagged"]) == (True, "good", "ALD", False)
    assert got["own_number"].startswith("BS6-")
    with read(brk.node.engine) as conn:
        row = get_material(conn, "BRK", checked.piece.material_id.hex())
        assert (row.number, row.chemistry, row.heat_number, row.grade) == (
            got["own_number"], CHEMISTRY, "161738", "L06",
        )  # fmt: skip
        assert not open_holds(conn, row.material_id)
        assert get_piece(conn, "S2", "BRK").mass_basis == "advised"
    coil = roll(rooted, got, "C6-1")
    onward = ship(brk, ShipCommand("c1", "p1", "BT-1", "CLD", (ListedPiece("C6-1"), ListedPiece(on["own_number"]))))
    with read(brk.node.engine) as conn:
        sent = {line.material_id: line.custody_no for line in find_lines(conn, LineFilter(sender="BRK"))}
        body = check_of_sender(rooted, "BRK", onward, coil)
    assert sent == {coil: 1, on["material_id"]: 2}
    assert dict(body.heats) == {"161738": 1_000_000}
    assert body.route == ("roll",)

    rooted.cut.clear()
    done = rooted.sync()
    assert (done.cases, done.episodes) == (0, 0)
    with read(brk.node.engine) as conn:
        for receipt_id in (got["receipt_id"], on["receipt_id"]):
            receipt = find_receipt(conn, receipt_id)
            assert receipt is not None
            assert (receipt.provisional, receipt.custody_no) == (False, 1)
            assert receipt.matched_at_ms
        states = {
            row.material_id: row.state for row in conn.execute(select(material).where(material.c.author == "BRK"))
        }
        before = {one: content_hash(conn, one) for one in authors(conn)}
    assert states == {got["material_id"]: "consumed", on["material_id"]: "shipped", coil: "shipped"}
    with read(rooted.hub.node.engine) as conn:
        lines = {line.number: line.state for line in find_lines(conn, LineFilter(sender="ALD"))}
        assert not conn.execute(select(transfer_case)).all()
        assert content_hash(conn, "BRK") == before["BRK"]
    assert lines == {"S1": "received", "S2": "received", "S3": "in_transit"}
    assert match_pending(brk) == 0
    with write(brk.node.engine) as conn:
        rebuild(conn, brk.journal.appliers, 0)
    with read(brk.node.engine) as conn:
        assert {one: content_hash(conn, one) for one in authors(conn)} == before


def check_of_sender(group: SteelGroup, sender: str, load: dict[str, Any], piece: str) -> Any:
    """What a passport of a load says, read at its addressee."""
    text = passports(group, sender, load)[piece]
    cld = group.plants["CLD"]
    with read(cld.node.engine) as conn:
        return check_passport(conn, cld, text).piece


def test_held_stays_held_and_a_late_piece_has_its_passport(rooted: SteelGroup) -> None:
    send(rooted, "S1")
    ald = rooted.plants["ALD"]
    late, hold_id = rooted.stock("ALD", "S9", 20_000), "ab" * 16
    with ald.journal.work() as tx:
        hold = HoldPlaced(hold_id=hold_id, material_id=late, reason="surface", rule_id="QR-1")
        tx.record(Draft(hold, (late, hold_id), "p1", Occurred(rooted.clock.now_ms(), "manual")))
    done = correct_departure(ald, CorrectDeparture("c9", "p1", "RT-1", "S9", "late"))
    texts = passports(rooted, "ALD", done)
    assert len(texts) == 3
    got = take_in(rooted, texts[late])
    with read(rooted.plants["BRK"].node.engine) as conn:
        held = open_holds(conn, late)
        assert [one.reason for one in held] == ["held by the sender"]
    rooted.cut.clear()
    rooted.sync()
    with read(rooted.plants["BRK"].node.engine) as conn:
        assert [one.hold_id for one in open_holds(conn, late) if one.author == "BRK"] == [held[0].hold_id]
        assert find_receipt(conn, got["receipt_id"]).provisional is False  # type: ignore[union-attr]


def test_each_refusal_at_the_gate(rooted: SteelGroup) -> None:
    texts = send(rooted, "S1", "S2")
    elsewhere = send(rooted, "S5", load="RT-2", to="CLD")["S5"] if has_lane(rooted, "CLD") else ""
    wire = texts["S1"]
    middle = len(wire) // 2
    altered = wire[:middle] + ("A" if wire[middle] != "A" else "B") + wire[middle + 1 :]
    assert refusal(rooted, altered) in ("passport.altered", "passport.unreadable")
    assert refusal(rooted, texts["S1"], "CLD") == "passport.addressed_elsewhere"
    if elsewhere:
        assert refusal(rooted, elsewhere) == "passport.addressed_elsewhere"
    assert refusal(rooted, texts[""]) == "passport.of_a_load"
    got = take_in(rooted, texts["S1"])
    assert refusal(rooted, texts["S1"]) == "passport.replayed"
    again = receive_by_passport(
        rooted.plants["BRK"], PassportCommand(f"command-{rooted.commands - 1}", "p2", texts["S1"])
    )
    assert again["receipt_id"] == got["receipt_id"], "the same command is done once"
    by_number = rooted.receive("BRK", "S2", 20_600)
    assert by_number["provisional"]
    _known_later(rooted, by_number, texts["S2"])
    with pytest.raises(StrandlineError, match="taken in already"):
        rooted.receive("BRK", "S1", 20_600)
    late = send(rooted, "S7", load="RT-3")["S7"]
    forger = new_key()
    with read(rooted.plants["BRK"].node.engine) as conn:
        keys = find_keys(conn, rooted.plants["BRK"])
    assert keys is not None
    assert keys.find(forger.id) is None
    rooted.pass_time(61 * 24 * HOUR)
    assert refusal(rooted, late) == "passport.expired"
    rooted.pass_time(120 * 24 * HOUR)
    young = send(rooted, "S8", load="RT-4")["S8"]
    assert refusal(rooted, young) == "passport.keys_old", "half a year without a word of whose keys count"
    assert publish_keys(rooted.hub) == 3
    assert publish_keys(rooted.hub) == 0
    rooted.cut.clear()
    rooted.sync()
    assert take_in(rooted, young)["standing"] == "listed"
    assert not find_waiting_receipts(rooted)


def find_waiting_receipts(group: SteelGroup) -> list[Any]:
    with read(group.plants["BRK"].node.engine) as conn:
        return list(find_receipts(conn, receiver="BRK", provisional=True))


def _known_later(group: SteelGroup, waits: dict[str, Any], text: str) -> None:
    """A piece that waits under its painted number gets its identity by the passport that turns up: one receipt, still."""
    known = take_in(group, text, mass_g=0)
    assert (known["receipt_id"], known["standing"], known["provisional"]) == (waits["receipt_id"], "good", True)
    assert known["material_id"] == said(text).material_id.hex()
    with read(group.plants["BRK"].node.engine) as conn:
        row = get_material(conn, "BRK", known["material_id"])
        assert (row.number, row.mass_g, row.chemistry) == (waits["own_number"], 20_600_000, CHEMISTRY)
        assert not open_holds(conn, known["material_id"])
        assert not open_holds(conn, waits["material_id"])
    assert refusal(group, text) == "passport.replayed", "one piece of steel is one receipt"


def has_lane(group: SteelGroup, to: str) -> bool:
    return any(lane.to == to for lane in group.plants["ALD"].model.lane)


def test_a_key_revoked_without_a_number_counts_for_nothing_that_the_hub_did_not_hold(rooted: SteelGroup) -> None:
    known = send(rooted, "S1")["S1"]
    rooted.up("ALD")
    later = send(rooted, "S2", load="RT-2")["S2"]
    assert set_peer(rooted.hub.node, "ALD", "revoked") == "ALD is revoked at HUB."
    assert publish_keys(rooted.hub) == 3, "on every stream, before anything that comes under its next key"
    rooted.down("BRK")
    assert refusal(rooted, later) == "passport.revoked"
    assert take_in(rooted, known)["standing"] == "revoked"


def test_steel_that_our_books_have_comes_from_nowhere_else(rooted: SteelGroup) -> None:
    ald, brk = rooted.plants["ALD"], rooted.plants["BRK"]
    piece = rooted.stock("BRK", "B6-1", 20_000, kind="coil")
    claimed = PieceData(material_id=piece, kind="coil", number="B6-1", mass=Mass(1_000, "weighed"))
    shipped = said(send(rooted, "S1")["S1"]).shipped
    text = to_text(make_piece(shipped, Told(claimed, 4), ald.node.key))
    assert refusal(rooted, text) == "passport.here"
    with read(brk.node.engine) as conn:
        assert get_material(conn, "BRK", piece).mass_g == 20_000_000


def test_a_passport_that_the_steel_has_outlived_is_replayed_or_stale(rooted: SteelGroup) -> None:
    first = send(rooted, "S1")["S1"]
    rooted.cut.clear()
    rooted.sync()
    listed = take_in(rooted, first)
    assert (listed["standing"], listed["provisional"]) == ("listed", False), "its sender's data was here"
    assert refusal(rooted, first) == "passport.replayed"
    with read(rooted.plants["BRK"].node.engine) as conn:
        assert find_taken(conn, listed["receipt_id"]).standing == "listed"  # type: ignore[union-attr]
        assert custody_numbers(conn, listed["material_id"]) == [1, 1]


def test_under_a_revoked_key_a_piece_waits_until_its_departure_is_found_below_the_point(rooted: SteelGroup) -> None:
    old, brk = send(rooted, "S1")["S1"], rooted.plants["BRK"]
    place = said(old).shipped
    late = send(rooted, "S2", load="RT-2")["S2"]
    with write(rooted.hub.node.engine) as conn:
        mark_revoked(conn, "ALD", place.epoch.hex(), place.seq + 1, rooted.clock.now_ms())
    assert publish_keys(rooted.hub) == 3
    rooted.down("BRK")  # the last thing that reaches it
    assert refusal(rooted, late) == "passport.revoked"
    waits = take_in(rooted, old, mass_g=0)
    with read(brk.node.engine) as conn:
        assert (waits["standing"], waits["provisional"]) == ("revoked", True)
        assert waits["material_id"] != said(old).material_id.hex()
        assert [hold.reason for hold in open_holds(conn, waits["material_id"])] == ["awaiting the sender's data"]
        assert get_material(conn, "BRK", waits["material_id"]).chemistry == "{}", "nothing of it is believed"
    assert refusal(rooted, old) == "passport.replayed"
    rooted.cut.clear()
    rooted.sync()
    with read(brk.node.engine) as conn:
        assert find_receipt(conn, waits["receipt_id"]).provisional is False  # type: ignore[union-attr]
        assert get_piece(conn, "S1", "BRK").chemistry == CHEMISTRY
        assert not open_holds(conn, get_piece(conn, "S1", "BRK").material_id)


def said(text: str) -> PieceBody:
    """What a passport says, believed or not."""
    body = open_body(split(from_text(text, WIRE_BYTES_MAX)))
    assert isinstance(body, PieceBody)
    return body


def test_online_and_offline_end_in_the_same_material_graph(tmp_path: Path, clock: FixedClock) -> None:
    graphs = []
    for offline in (False, True):
        made = under_a_root(SteelGroup(tmp_path / str(offline), clock))
        if not offline:
            made.cut.clear()
        texts = send(made, "S1", "S2")
        made.sync()
        got = take_in(made, texts["S1"])
        assert got["standing"] == ("good" if offline else "listed")
        roll(made, got, "C6-1")
        take_in(made, texts["S2"])
        made.cut.clear()
        made.sync()
        graphs.append(graph(made))
        made.close()
    assert graphs[0] == graphs[1]
    assert len(graphs[0]["material"]) == 5


def graph(group: SteelGroup) -> dict[str, Any]:
    """Pieces, numbers and edges of all authors at the hub, ids replaced by what is printed."""
    engine = group.hub.node.engine
    with read(engine) as conn:
        names = {row.material_id: row.number for row in conn.execute(select(material).order_by(material.c.author))}
    without = {"material": ("last_fact",), "alias": (), "edge": ("operation_id",)}
    return {
        table.name: sorted(
            tuple(names.get(value, value) for value in row) for row in rows(engine, table, without=without[table.name])
        )
        for table in (material, alias, edge)
    }


def test_a_passport_is_not_laid_onto_another_piece_that_waits_under_the_same_number(rooted: SteelGroup) -> None:
    coil = rooted.receive("BRK", "1001", 20_558, kind="coil")
    early = rooted.receive("BRK", "1002", 20_558)
    rooted.pass_time(48 * HOUR)
    texts = send(rooted, "1001", "1002", "1003")
    rooted.pass_time(5 * HOUR)
    light = rooted.receive("BRK", "1003", 8_000)
    for number in ("1001", "1002", "1003"):
        assert refusal(rooted, texts[number]) == "passport.waits", "another kind, here before it left, another mass"
    with read(rooted.plants["BRK"].node.engine) as conn:
        for waits in (coil, early, light):
            assert open_holds(conn, waits["material_id"])


def test_what_a_passport_named_is_not_tied_by_hand_to_another_piece(rooted: SteelGroup) -> None:
    brk = rooted.plants["BRK"]
    waits = rooted.receive("BRK", "S2", 20_600)
    known = take_in(rooted, send(rooted, "S2")["S2"])
    send(rooted, "S9", load="RT-9")
    rooted.up("ALD")
    reconcile(rooted.hub)
    rooted.down("BRK")  # nothing is matched by itself yet
    told = {"note": "found so", "actor": "p"}
    with pytest.raises(StrandlineError, match="by its passport"):
        match_by_hand(brk, waits["receipt_id"], "RT-9", "S9", command_id="m1", **told)
    done = match_by_hand(brk, waits["receipt_id"], "RT-1", "S2", command_id="m2", **told)
    assert done["material_id"] == known["material_id"]
    assert not find_waiting_receipts(rooted)
    with read(brk.node.engine) as conn:
        assert get_material(conn, "BRK", known["material_id"]).state == "live"
        assert get_material(conn, "BRK", waits["material_id"]).state == "identified"
