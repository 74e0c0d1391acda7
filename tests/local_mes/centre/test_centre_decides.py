"""Order release and disposition of a plant moved to the hub and back by a setting; the plant stops for neither."""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy.exc import OperationalError

from central_hub.app import create_portal
from central_hub.centre import service as centre
from local_mes.centre.heeding import heed_centre
from local_mes.level2.spool import create_spool
from local_mes.orders.service import release_orders
from local_mes.quality.service import PlaceHold, ReleaseHold, place_hold, release_hold
from local_mes.stock.service import Command, scrap
from shared.centre.facts import SentOrder
from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.errors import BadInput, NotFound, Refused
from shared.journal.content_hash import content_hash
from shared.orders.facts import OrderReleased
from shared.orders.queries import find_order
from shared.quality.queries import open_holds
from shared.settings import OwnershipSettings
from sync.link import note_contact
from sync.peers import trust_peer

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import sign_in
from steel_group import HOUR, SteelGroup

ITEM = {
    "customer": "Weber",
    "product": "DD11 coil",
    "grade": "DD11",
    "thickness_um": 3_000,
    "width_um": 1_250_000,
    "mass_g": 20_000_000,
}


@pytest.fixture
def group(tmp_path: Path, clock: FixedClock) -> Iterator[SteelGroup]:
    made = SteelGroup(tmp_path, clock, codes=("ALD",))
    with write(made.plants["ALD"].node.engine) as conn:
        trust_peer(conn, "HUB", made.hub.node.key.public, clock.now_ms())
        note_contact(conn, "HUB", clock.now_ms(), 0)
    create_spool(made.plants["ALD"].spool, clock)
    yield made
    made.close()


def own(group: SteelGroup, owner: str) -> None:
    """The plant starts with another setting."""
    plant = group.plants["ALD"]
    ownership = OwnershipSettings.model_validate({"order_release": owner, "disposition": owner})
    group.plants["ALD"] = replace(plant, settings=plant.settings.model_copy(update={"ownership": ownership}))


def pass_on(group: SteelGroup) -> int:
    """What was sent goes down, is done and answered, and the answers go up."""
    group.down("ALD")
    done = heed_centre(group.plants["ALD"])
    group.up("ALD")
    return done


def release_here(group: SteelGroup, item: str) -> None:
    order = OrderReleased(item=item, route="", due="", **ITEM)
    release_orders(group.plants["ALD"], [order], actor="planner", command_id=group.command())


def send_order(group: SteelGroup, item: str, command: str = "") -> str:
    group.clock.advance(1_000)
    order = SentOrder(item=item, **ITEM)
    return centre.release_orders(group.hub, "ALD", [order], "central", command or group.command())


def decide(group: SteelGroup, hold_id: str, disposition: str, note: str = "") -> None:
    group.clock.advance(1_000)
    decision = centre.Decision(hold_id, disposition, note=note)
    centre.decide(group.hub, "ALD", decision, "central", group.command())


def answers(group: SteelGroup) -> list[tuple[str, str]]:
    with read(group.hub.node.engine) as conn:
        return [(row.outcome or "", row.reason or "") for row in centre.list_sent(conn, "ALD")]


def order_at(group: SteelGroup, item: str) -> Any:
    with read(group.plants["ALD"].node.engine) as conn:
        return find_order(conn, "ALD", item)


def test_domains_go_to_the_centre_and_come_back(group: SteelGroup) -> None:
    release_here(group, "1/1")
    with pytest.raises(Refused, match="Order release of ALD belongs to the plant"):
        send_order(group, "2/1")
    assert heed_centre(group.plants["ALD"]) == 0
    piece = group.stock("ALD", "161738-1-1", 20_000)

    own(group, "hub")
    pass_on(group)
    with pytest.raises(Refused, match="Order release of ALD belongs to HUB") as refused:
        release_here(group, "1/2")
    assert "Without a word of HUB for 8 h it is decided here again" in refused.value.todo
    hold_id = place_hold(group.plants["ALD"], PlaceHold(group.command(), "q", piece, "seen a crack"))["hold_id"]
    by_hand = ReleaseHold("x", "q", hold_id, "rework", note="ground")
    with pytest.raises(Refused, match="Disposition of held pieces of ALD belongs to HUB"):
        release_hold(group.plants["ALD"], by_hand)
    group.up("ALD")

    assert send_order(group, "2/1", "same") == send_order(group, "2/1", "same")
    with pytest.raises(NotFound):
        decide(group, "0" * 32, "rework")
    decide(group, hold_id, "prime")  # without a note
    assert pass_on(group) == 2
    assert order_at(group, "2/1").customer == "Weber"
    assert [outcome for outcome, _ in answers(group)] == ["refused", "done"]
    assert "rests on your judgement alone" in answers(group)[0][1]
    assert still_held(group, piece)  # what is held stays held until a decision stands
    decide(group, hold_id, "rework", "grind")
    assert pass_on(group) == 1
    assert heed_centre(group.plants["ALD"]) == 0
    assert not still_held(group, piece)
    assert answers(group)[0] == ("done", "")

    send_order(group, "2/2")  # on its way when the plant takes the domain back
    own(group, "plant")
    assert pass_on(group) == 1
    assert answers(group)[0] == ("refused", "Order release of ALD belongs to its own people.")
    assert order_at(group, "2/2") is None
    release_here(group, "1/2")
    with pytest.raises(Refused, match="belongs to the plant"):
        send_order(group, "2/3")
    group.up("ALD")
    with read(group.hub.node.engine) as there, read(group.plants["ALD"].node.engine) as here:
        assert content_hash(there, "ALD") == content_hash(here, "ALD")
        assert content_hash(there, "HUB") == content_hash(here, "HUB")


def still_held(group: SteelGroup, piece: str) -> bool:
    with read(group.plants["ALD"].node.engine) as conn:
        return bool(open_holds(conn, piece))


def test_a_plant_that_hears_nothing_of_the_centre_decides_itself_again(group: SteelGroup) -> None:
    own(group, "hub")
    pass_on(group)
    group.clock.advance(8 * HOUR)
    with pytest.raises(Refused):
        release_here(group, "1/1")
    group.clock.advance(1)
    release_here(group, "1/1")
    with write(group.plants["ALD"].node.engine) as conn:
        note_contact(conn, "HUB", group.clock.now_ms(), 0)
    with pytest.raises(Refused):
        release_here(group, "1/2")


def test_people_of_the_centre_decide_on_its_page(group: SteelGroup) -> None:
    own(group, "hub")
    piece = group.stock("ALD", "161738-1-1", 20_000)
    hold_id = place_hold(group.plants["ALD"], PlaceHold(group.command(), "q", piece, "seen a crack"))["hold_id"]
    pass_on(group)
    app = create_portal(group.hub)
    person = sign_in(app, group.hub.node, "central", "planner", "quality")
    page = person.page("/centre/")
    assert "161738-1-1" in page
    assert "seen a crack" in page
    form = {"plant": "ALD", "item": "3/1", "customer": "Weber", "product": "DD11 coil", "grade": "DD11"}
    sizes = {"thickness": "3.2", "width": "1250", "mass": "20.5"}
    assert person.post("/centre/orders", "/centre/", **form, **sizes).status_code == 302
    decided = {"disposition": "scrap", "note": "cracked"}
    assert person.post(f"/centre/holds/ALD/{hold_id}", "/centre/", **decided).status_code == 302
    assert pass_on(group) == 2
    order = order_at(group, "3/1")
    assert (order.thickness_um, order.width_um, order.mass_g) == (3_200, 1_250_000, 20_500_000)
    page = person.page("/centre/")
    assert "161738-1-1: scrap" in page
    assert "Nothing waits here." in page
    told = person.client.get("/api/v1/centre").json
    assert told["owners"] == {"ALD": {"order_release": "hub", "disposition": "hub"}}
    assert [item["outcome"] for item in told["items"]] == ["done", "done"]


def test_what_the_plant_released_meanwhile_is_not_overwritten_by_what_was_on_its_way(group: SteelGroup) -> None:
    own(group, "hub")
    pass_on(group)
    send_order(group, "5/1")
    bad = SentOrder(item="9/9", **{**ITEM, "mass_g": 10**19})
    centre.release_orders(group.hub, "ALD", [bad], "central", group.command())  # stands before the next one
    group.clock.advance(9 * HOUR)
    release_orders(
        group.plants["ALD"],
        [OrderReleased(item="5/1", route="", due="", **{**ITEM, "mass_g": 1_000_000})],
        actor="planner",
        command_id=group.command(),
    )
    send_order(group, "5/2")
    send_order(group, "5/2")  # what the centre sent before is no release of the plant's
    assert pass_on(group) == 4
    told = sorted(answers(group))
    assert [outcome for outcome, _ in told] == ["done", "done", "refused", "refused"]
    assert order_at(group, "5/1").mass_g == 1_000_000
    assert order_at(group, "5/2") is not None
    assert any("released at ALD after the centre had sent it" in reason for _, reason in told)


def test_a_held_piece_is_not_scrapped_past_the_centre(group: SteelGroup) -> None:
    own(group, "hub")
    pass_on(group)
    plant, piece = group.plants["ALD"], group.stock("ALD", "161738-1-1", 20_000)
    hold_id = place_hold(plant, PlaceHold(group.command(), "q", piece, "seen a crack"))["hold_id"]
    group.up("ALD")
    with pytest.raises(Refused, match="Disposition of held pieces of ALD belongs to HUB"):
        scrap(plant, Command(group.command(), "q"), "161738-1-1", "cracked")
    group.clock.advance(9 * HOUR)
    scrap(plant, Command(group.command(), "q"), "161738-1-1", "cracked")
    decide(group, hold_id, "rework", "grind")
    assert pass_on(group) == 1
    assert answers(group)[0] == (
        "refused",
        "161738-1-1 is scrap already. Decide scrap, or correct the scrapping first.",
    )


def test_every_held_piece_can_be_reached_on_the_page_and_no_order_is_of_nothing(
    group: SteelGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    own(group, "hub")
    monkeypatch.setattr("central_hub.centre.views.WAITING_SHOWN", 2)
    for number in range(3):
        piece = group.stock("ALD", f"161738-1-{number}", 20_000)
        group.clock.advance(1_000)
        place_hold(group.plants["ALD"], PlaceHold(group.command(), "q", piece, "seen a crack"))
    pass_on(group)
    person = sign_in(create_portal(group.hub), group.hub.node, "central", "planner", "quality")
    page = person.page("/centre/")
    assert [f"161738-1-{n}" in page for n in range(3)] == [False, True, True]
    older = re.search(r'href="([^"]+)">Older ones of ALD', page)
    assert older is not None
    assert "161738-1-0" in person.page(unescape(older[1]))
    with pytest.raises(BadInput, match="has no thickness, width or mass"):
        centre.release_orders(group.hub, "ALD", [SentOrder(item="3/1", **{**ITEM, "mass_g": 0})], "c", group.command())


def test_a_busy_database_is_no_refusal_of_what_the_centre_decided(
    group: SteelGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    own(group, "hub")
    pass_on(group)
    send_order(group, "6/1")
    group.down("ALD")
    busy = OperationalError("COMMIT", None, sqlite3.OperationalError("database is locked"))
    with monkeypatch.context() as patch:
        patch.setattr("local_mes.centre.heeding.release_orders", Mock(side_effect=busy))
        with pytest.raises(OperationalError):
            heed_centre(group.plants["ALD"])
    assert pass_on(group) == 1
    assert answers(group) == [("done", "")]
