"""What people do, in a real browser on real nodes: sign in, book, resolve, release a standard and see it adopted."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from central_hub.standards import publishing
from central_hub.standards.queries import find_open_request
from local_mes.transfers.service import ListedPiece, ReceiveCommand, ShipCommand, receive, ship
from shared.db.engine import read
from shared.ids import new_id
from shared.journal.fact import Draft, Occurred
from shared.material.facts import Mass, MaterialCreated, NewAlias, NewMaterial, Size
from shared.standards.signing import sign_request
from shared.transfers.tables import shipment, transfer_case

DOCUMENTS = Path(__file__).parents[2] / "demo" / "standards"
PASSWORD = "long enough to type"
ENDED = select(transfer_case).where(transfer_case.c.state == "resolved")


def put_coil(group: Any, plant: str, number: str, kg: int) -> str:
    """A coil in a plant's stock, as an import brings it."""
    node = group.sites[plant].node
    material_id = new_id(node.clock)
    coil = NewMaterial(
        material_id=material_id,
        kind="coil",
        aliases=(NewAlias(f"{plant}.coil", number),),
        grade="L06",
        place="YC",
        mass=Mass(kg * 1000, "weighed", "CW1", node.clock.now_ms()),
        size=Size(2_500, 1_270_000, 814_500_000),
        order_item="stock",
    )
    with node.journal.work() as tx:
        tx.record(
            Draft(
                MaterialCreated(material=coil, origin="migrated"),
                (material_id,),
                "p1",
                Occurred(node.clock.now_ms(), "manual"),
            )
        )
    return material_id


def test_a_wrong_password_is_said_and_the_login_is_kept(group: Any, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(group.url("CLD") + "/pieces")
    expect(page).to_have_url(re.compile(r"/sign-in\?next=/pieces"))
    page.get_by_label("Login").fill("operator.cg1")
    page.get_by_label("Password").fill("something else")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("Nobody was signed in")
    expect(page.get_by_label("Login")).to_have_value("operator.cg1")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/pieces$"))
    page.context.close()


def test_an_operator_books_good_scrap_and_reason_in_one_action(group: Any, visit: Callable[..., Any]) -> None:
    put_coil(group, "CLD", "C6-90001", 20_290)
    page = visit("CLD", "operator.cg1").open("/floor?unit=PL1")
    page.get_by_role("link", name="Book by hand").first.click()
    page.get_by_label("Piece").fill("C6-90001")
    page.get_by_label("Good mass").fill("99000")
    expect(page.get_by_label("Good mass")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Good mass").fill("19800")
    page.get_by_label("Scrap", exact=False).first.fill("230")
    page.get_by_role("button", name="Book").click()
    expect(page.get_by_role("alert")).to_contain_text("Reason")
    expect(page.get_by_label("Good mass")).to_have_value("19800")
    page.get_by_label("Reason of the scrap").select_option("surface")
    page.get_by_role("button", name="Book").click()
    expect(page.get_by_role("status").first).to_contain_text("Booked at PL1: C6-90001 is now")
    page.goto(group.url("CLD") + "/floor?unit=PL1")
    expect(page.get_by_text("19,800").first).to_be_visible()


def test_a_scanner_finds_a_piece_from_anywhere(group: Any, visit: Callable[..., Any]) -> None:
    put_coil(group, "CLD", "C6-90002", 20_000)
    page = visit("CLD", "quality.cld").open("/shift")
    page.keyboard.press("/")
    page.keyboard.type("C6-90002")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Coil C6-90002")


def test_quality_holds_a_piece_and_decides(group: Any, visit: Callable[..., Any]) -> None:
    put_coil(group, "CLD", "C6-90003", 20_000)
    page = visit("CLD", "quality.cld").open("/quality-desk")
    page.get_by_role("link", name="Hold a piece").click()
    page.get_by_label("Piece").fill("C6-90003")
    page.get_by_label("Reason").fill("Edge crack, operator side, 12 m from head")
    page.get_by_role("button", name="Hold it").click()
    expect(page.get_by_role("status").first).to_contain_text("C6-90003 is held")
    page.get_by_label("Decision").select_option("rework")
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_role("status").first).to_contain_text("It is free now")


@pytest.fixture
def mass_case(group: Any, wait_until: Callable[[Callable[[], Any]], Any]) -> Any:
    """BRK ships a coil to CLD, whose scale finds 520 kg less; the hub judges."""
    put_coil(group, "BRK", "B6-90379", 20_180)
    brk, cld, command = group.plant("BRK"), group.plant("CLD"), new_id(group.hub.clock)
    ship(
        brk,
        ShipCommand(
            command_id=command,
            actor="p1",
            number="K3",
            to="CLD",
            vehicle="Truck 3",
            lines=(ListedPiece("B6-90379", "1"),),
        ),
    )
    wait_until(lambda: find_rows(cld.node, select(shipment).where(shipment.c.number == "K3")))
    receive(
        cld,
        ReceiveCommand(
            command_id=f"{command}r",
            actor="p2",
            piece="B6-90379",
            mass_g=19_660_000,
            mass_basis="weighed",
            scale="CW2",
            place="YC",
            shipment="K3",
        ),
    )
    return wait_until(lambda: find_rows(group.hub.node, select(transfer_case).where(transfer_case.c.state == "open")))[
        0
    ]


def find_rows(node: Any, query: Any) -> list[Any]:
    with read(node.engine) as conn:
        return list(conn.execute(query).all())


def test_logistics_resolves_the_case_of_the_wrong_mass_and_both_plants_confirm_it(
    group: Any, visit: Callable[..., Any], mass_case: Any, wait_until: Callable[[Callable[[], Any]], Any]
) -> None:
    page = visit("HUB", "logistics.group").open("/")
    expect(page.get_by_text("B6-90379").first).to_be_visible()
    page.get_by_role("link", name=re.compile("B6-90379: BRK says")).click()
    expect(page.get_by_text("20,180 kg").first).to_be_visible()
    expect(page.get_by_text("19,660 kg").first).to_be_visible()
    page.get_by_label("How it ends").select_option(index=1)
    page.get_by_label("Note").fill("Scale CW2 read before the coil car was down; weighed again: 20,170 kg.")
    page.get_by_role("button", name="Resolve the case").click()
    expect(page.get_by_role("status").first).to_contain_text("The case is resolved")
    page.goto(f"{group.url('HUB')}/transfers/cases/{mass_case.case_id}")
    expect(page.get_by_text("weighed again: 20,170 kg").first).to_be_visible()
    page.goto(group.url("HUB") + "/")
    expect(page.get_by_text("No case is open")).to_be_visible()
    for plant, login in (("CLD", "gate.cld"), ("BRK", "lead.brk")):
        wait_until(lambda plant=plant: find_rows(group.sites[plant].node, ENDED))
        there = visit(plant, login).open("/cases?state=to_confirm")
        there.get_by_role("link", name="B6-90379", exact=True).click()
        expect(there.get_by_text("weighed again: 20,170 kg").first).to_be_visible()
        there.get_by_role("button", name="Confirm").click()
        expect(there.get_by_text(f"{plant} confirmed it").first).to_be_visible()

    def confirmed() -> bool:
        page.goto(f"{group.url('HUB')}/transfers/cases/{mass_case.case_id}")
        return page.get_by_text("confirmed it").count() == 2

    wait_until(confirmed)


def test_two_people_release_a_standard_and_the_plants_adopt_it(
    group: Any, visit: Callable[..., Any], wait_until: Callable[[Callable[[], Any]], Any]
) -> None:
    author = visit("HUB", "author.quality").open("/standards/draft")
    document = json.loads((DOCUMENTS / "QR-RCV-01-v2.json").read_text())
    author.get_by_label("Document").fill(json.dumps(document | {"kind": "no such kind"}))
    author.get_by_role("button", name="Save draft").click()
    expect(author.get_by_role("alert")).to_be_visible()
    author.get_by_label("Document").fill(json.dumps(document, indent=1))
    author.get_by_role("button", name="Save draft").click()
    expect(author.get_by_role("status").first).to_contain_text("saved as a draft")
    author.get_by_role("button", name="Submit for review").click()
    expect(author.get_by_text("Waiting for a second person")).to_be_visible()
    approver = visit("HUB", "approver.quality").open("/standards/QR-RCV-01/2")
    approver.get_by_role("button", name="Approve").click()
    expect(approver.get_by_role("status").first).to_contain_text("key holders are asked to sign")
    hand_in_signatures(group, visit("HUB", "owner.group").open("/standards/signing"))
    here = visit("CLD", "engineer.cld")

    def adopted() -> bool:
        here.open("/engineer")
        return bool(here.page.get_by_role("row", name=re.compile("QR-RCV-01.*2")).count())

    wait_until(adopted)
    portal = visit("HUB", "owner.group")

    def shown() -> bool:
        portal.open("/conformance")
        return bool(portal.page.get_by_role("row", name=re.compile("QR-RCV-01")).get_by_text("v2").count() == 2)

    wait_until(shown)


def hand_in_signatures(group: Any, page: Page) -> None:
    """Two key holders sign elsewhere; their answers come in through the page."""
    with read(group.hub.node.engine) as conn:
        row = find_open_request(conn, "HUB")
        assert row is not None
        asked = publishing.request_file(conn, group.hub, row.request_id)
    for holder, said in zip(group.holders[:2], ("The signature counts", "Published"), strict=True):
        page.get_by_label("Answer").fill(msgspec.json.encode(sign_request(asked, holder)).decode())
        page.get_by_role("button", name="Hand in", exact=True).first.click()
        expect(page.get_by_role("status").first).to_contain_text(said)
