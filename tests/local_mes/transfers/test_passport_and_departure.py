"""What is taken in by passport and the departure that comes later: keys revoked and renewed, nothing twice, amendments."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from passports_bench import send, under_a_root
from steel_group import SteelGroup

from central_hub.passports.service import publish_keys
from central_hub.transfers.service import reconcile
from local_mes.transfers.by_passport import PassportCommand, receive_by_passport
from local_mes.transfers.service import (
    AmendCommand,
    LineCommand,
    Part,
    ReceiveCommand,
    amend,
    match_pending,
    receive_parts,
    refuse,
    write_off,
)
from shared.db.engine import read, write
from shared.errors import StrandlineError
from shared.journal.fact import Draft, Occurred
from shared.keys import SigningKey
from shared.material.facts import MaterialScrapped
from shared.material.queries import get_material
from shared.passports.coding import from_text, to_text
from shared.passports.document import WIRE_BYTES_MAX, PieceBody, open_body, split
from shared.passports.issuing import Told, differences, make_piece, told_piece
from shared.quality.queries import open_holds
from shared.transfers.queries import find_receipt
from sync.peers import mark_revoked, trust_peer
from sync.recovery_commands import set_peer
from sync.rekeying import renew_key


@pytest.fixture
def rooted(group: SteelGroup) -> SteelGroup:
    return under_a_root(group)


def take_in(group: SteelGroup, text: str) -> dict[str, Any]:
    command = PassportCommand(group.command(), "p2", text, mass_g=20_670_000, scale="WS1", place="YB")
    return receive_by_passport(group.plants["BRK"], command)


def said(text: str) -> PieceBody:
    body = open_body(split(from_text(text, WIRE_BYTES_MAX)))
    assert isinstance(body, PieceBody)
    return body


def is_waiting(group: SteelGroup, receipt: dict[str, Any]) -> bool:
    with read(group.plants["BRK"].node.engine) as conn:
        row = find_receipt(conn, receipt["receipt_id"])
    assert row is not None
    return bool(row.provisional)


def renew(group: SteelGroup) -> SigningKey:
    """ALD makes itself a new key and is enrolled with it; the old one."""
    plant = group.plants["ALD"]
    stolen = plant.node.key
    renew_key(plant.node)
    plant = group.plants["ALD"] = replace(plant, node=group.make_node(plant.settings))
    with write(group.hub.node.engine) as conn:
        trust_peer(conn, "ALD", plant.node.key.public, group.clock.now_ms())
    assert publish_keys(group.hub) == 3
    return stolen


def test_after_a_key_was_revoked_and_renewed_what_the_plant_ships_is_believed_again(rooted: SteelGroup) -> None:
    old = said(send(rooted, "S1")["S1"]).shipped
    rooted.up("ALD")
    reconcile(rooted.hub)  # passed on before anybody knew of the theft
    with write(rooted.hub.node.engine) as conn:
        mark_revoked(conn, "ALD", old.epoch.hex(), old.seq, rooted.clock.now_ms())
    assert publish_keys(rooted.hub) == 3
    renew(rooted)
    texts = send(rooted, "S2", "S3", load="RT-2")
    assert said(texts["S2"]).shipped.epoch == old.epoch, "it goes on in the same epoch"
    rooted.down("BRK")
    forged, by_number, by_passport = (
        rooted.receive("BRK", "S1", 20_600),
        rooted.receive("BRK", "S2", 20_600),
        take_in(rooted, texts["S3"]),
    )
    assert by_passport["standing"] == "good"
    rooted.cut.clear()
    rooted.sync()
    assert not is_waiting(rooted, by_number)
    assert not is_waiting(rooted, by_passport)
    assert is_waiting(rooted, forged), "what stood before the revocation, behind its point, is not ALD's word"


def test_a_key_revoked_while_the_hub_held_nothing_of_its_plant_takes_nothing_from_the_next_one(
    rooted: SteelGroup,
) -> None:
    with write(rooted.hub.node.engine) as conn:
        mark_revoked(conn, "ALD", "", 0, rooted.clock.now_ms())  # as peer revoke says it then
    set_peer(rooted.hub.node, "ALD", "revoked")
    assert publish_keys(rooted.hub) == 3
    renew(rooted)
    send(rooted, "S1")
    waits = rooted.receive("BRK", "S1", 20_600)
    rooted.cut.clear()
    rooted.sync()
    assert not is_waiting(rooted, waits)


def test_a_departure_known_to_be_forged_takes_nothing_in(rooted: SteelGroup) -> None:
    body = said(send(rooted, "S1", "S2", "S3")["S1"])
    rooted.cut.clear()
    rooted.sync()
    place, thief = body.shipped, rooted.plants["ALD"].node.key
    with write(rooted.hub.node.engine) as conn:
        mark_revoked(conn, "ALD", place.epoch.hex(), place.seq, rooted.clock.now_ms())
    publish_keys(rooted.hub)
    rooted.down("BRK")
    claimed = msgspec.structs.replace(place, seq=place.seq - 1)
    got = take_in(rooted, to_text(make_piece(claimed, Told(told_piece(body), body.custody_no), thief)))
    assert (got["standing"], got["provisional"]) == ("revoked", True)
    assert got["material_id"] != body.material_id.hex()
    assert rooted.receive("BRK", "S2", 20_600)["provisional"]
    parts = (Part(10_000_000), Part(10_600_000))
    with pytest.raises(StrandlineError, match="S3"):
        receive_parts(rooted.plants["BRK"], ReceiveCommand("c-parts", "p2", "S3", 0), parts)
    rooted.sync()
    assert is_waiting(rooted, got)


def test_a_piece_that_is_here_by_its_passport_comes_in_once(rooted: SteelGroup) -> None:
    got, brk = take_in(rooted, send(rooted, "S1")["S1"]), rooted.plants["BRK"]
    scrapped = MaterialScrapped(material_id=got["material_id"], mass_g=20_670_000, reason="cracked")
    with brk.journal.work() as tx:
        tx.record(Draft(scrapped, (got["material_id"],), "p1", Occurred(rooted.clock.now_ms(), "manual")))
    rooted.up("ALD")
    reconcile(rooted.hub)
    rooted.down("BRK")  # its list is here, and the two are not tied yet
    for shipment in ("", "RT-1"):
        with pytest.raises(StrandlineError, match=f"taken in already; here it is called {got['own_number']}"):
            rooted.receive("BRK", "S1", 20_600, shipment)
    for say in (refuse, write_off):
        with pytest.raises(StrandlineError, match="taken in already"):
            say(brk, LineCommand(rooted.command(), "p2", "RT-1", "S1", "wet"))
    assert match_pending(brk) == 1
    with read(brk.node.engine) as conn:
        assert get_material(conn, "BRK", got["material_id"]).state == "scrapped"


def test_what_its_sender_amends_after_the_passport_holds_the_piece(rooted: SteelGroup) -> None:
    body = said(send(rooted, "S1")["S1"])
    got = take_in(rooted, to_text(make_piece(body.shipped, Told(told_piece(body), 1), rooted.plants["ALD"].node.key)))
    amended = AmendCommand(rooted.command(), "p1", "RT-1", "S1", "wrong sample", chemistry_e6={"C": 900})
    amend(rooted.plants["ALD"], amended)
    rooted.cut.clear()
    rooted.sync()
    with read(rooted.plants["BRK"].node.engine) as conn:
        held = {hold.rule_id for hold in open_holds(conn, got["material_id"])}
    assert held == {"T-AMENDED", "T-PASSPORT"}


def test_quality_order_item_and_attributes_count_as_differences() -> None:
    told = told_piece(said_of_nothing())
    for name, value in (("quality", "held"), ("order_item", "710045/20"), ("attributes", {"only_for": "rebar"})):
        assert [one.split(":")[0] for one in differences(told, msgspec.structs.replace(told, **{name: value}))] == [
            name
        ]


def said_of_nothing() -> PieceBody:
    return PieceBody(
        shipped=None, custody_no=1, material_id=bytes(16), kind="slab", number="S1", aliases=(), grade="L06",
        order_item="710045/10", size=(1, 1, 1), mass_g=1, mass_basis="weighed", scale="", weighed_ms=0, chemistry=(),
        heats=(), quality="free", holds=(), status_ms=0, attributes=(), genealogy=bytes(16), route=(),
    )  # fmt: skip
