"""The gate's tablet takes pieces in by a file of passports while the plant has no network; later all matches by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from local_mes.passports.keys import find_keys
from local_mes.passports.papers import read_documents
from local_mes.transfers.service import ListedPiece, ShipCommand, ship
from shared.db.engine import read
from shared.ids import new_id
from shared.journal.fact import Draft, Occurred
from shared.material.facts import Mass, MaterialCreated, NewAlias, NewMaterial, Size
from shared.material.queries import get_piece
from shared.transfers.queries import find_receipts, find_shipment
from sync.tables import link

PASSWORD = "long enough to type"
Eventually = Callable[[Callable[[], Any]], Any]
NUMBERS = ("B6-99901", "B6-99902")


def gone(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """What stands in the hub's place: some gateway that reaches nobody."""
    start("502 Bad Gateway", [("Content-Type", "text/plain")])
    return [b"nobody there"]


@contextmanager
def hub_away(group: Any, wait_until: Eventually) -> Iterator[None]:
    """Nobody answers for the hub, and both plants know it."""
    server = group.hub_site.server
    hub, server.app = server.app, gone
    try:
        wait_until(lambda: all(is_away(group.plant(code)) for code in ("BRK", "CLD")))
        yield
    finally:
        server.app = hub


def is_away(plant: Any) -> bool:
    with read(plant.node.engine) as conn:
        return conn.execute(select(link.c.state)).scalar() == "away"


def knows_the_mill(plant: Any, mill: Any) -> bool:
    with read(plant.node.engine) as conn:
        keys = find_keys(conn, plant)
    return keys is not None and keys.find(mill.node.key.id) is not None


def send_coils(plant: Any) -> str:
    """Two coils leave the mill; the file with their passports."""
    clock = plant.clock
    for number in NUMBERS:
        coil = NewMaterial(
            material_id=new_id(clock), kind="coil", aliases=(NewAlias("BRK.coil", number),), place="CB", grade="L06",
            mass=Mass(20_000_000, "weighed"), size=Size(2_500, 1_270_000, 800_000_000), heat_number="161738",
            chemistry_e6={"C": 450, "Mn": 2_100}, order_item="710045/10",
        )  # fmt: skip
        with plant.journal.work() as tx:
            made = MaterialCreated(material=coil, origin="migrated")
            tx.record(Draft(made, (coil.material_id,), "p1", Occurred(clock.now_ms(), "manual")))
    ship(plant, ShipCommand(new_id(clock), "p1", "T-PASS", "CLD", tuple(ListedPiece(n, "bay 1") for n in NUMBERS)))
    with read(plant.node.engine) as conn:
        return read_documents(conn, plant, "T-PASS").file


def sign_in(page: Page, url: str, login: str, address: str) -> None:
    page.context.clear_cookies()
    page.goto(url + address)
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def look(page: Page) -> None:
    """Nothing for axe, and everything that is tapped is large enough for a glove."""
    assert Axe().run(page).response["violations"] == []
    small = page.locator("main button, main .button, main input:not([type=hidden])").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).filter(box => box.height > 0 && box.height < 48).length"
    )
    assert small == 0


def take(page: Page, mass_kg: str) -> None:
    page.get_by_label("Mass", exact=False).first.fill(mass_kg)
    page.get_by_label("Place").fill("CC")
    page.get_by_role("button", name="Take it in").tap()


def test_a_load_is_taken_in_by_its_file_while_the_plant_has_no_network(
    group: Any, browser: Browser, wait_until: Eventually
) -> None:
    mill, plant = group.plant("BRK"), group.plant("CLD")
    wait_until(lambda: knows_the_mill(plant, mill))
    context = browser.new_context(viewport={"width": 820, "height": 1180}, has_touch=True)
    page = context.new_page()
    with hub_away(group, wait_until):
        file = send_coils(mill)
        sign_in(page, group.url("BRK"), "yard.brk", "/transfers/loads/T-PASS/passports")
        expect(page.get_by_role("img", name="QR code of load T-PASS")).to_be_visible()
        assert Axe().run(page).response["violations"] == []
        sign_in(page, group.url("CLD"), "gate.cld", "/transfers/passport")
        expect(page.get_by_role("heading", name="Receive by passport")).to_be_visible()
        look(page)
        given = {"name": "T-PASS.slp", "mimeType": "text/plain", "buffer": file.encode()}
        page.get_by_label("Or the file that came with the load").set_input_files(given)  # type: ignore[arg-type]
        page.get_by_role("button", name="Read it").tap()
        expect(page.get_by_role("heading", name="Load T-PASS from BRK")).to_be_visible()
        look(page)
        page.get_by_role("button", name=f"Take in {NUMBERS[0]}").tap()
        expect(page.get_by_text("C 0.045, Mn 0.21")).to_be_visible()
        look(page)
        take(page, "20010")
        expect(page.get_by_text("Here already")).to_be_visible()

        page.goto(group.url("CLD") + "/transfers/passport")
        page.keyboard.type(file.splitlines()[2])  # a hand scanner is a keyboard that ends with Enter
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name=NUMBERS[1])).to_be_visible()
        take(page, "19990")
        expect(page.get_by_role("heading", name=f"Receipt of {NUMBERS[1]}")).to_be_visible()
        with read(plant.node.engine) as conn:
            assert find_shipment(conn, "T-PASS") is None, "nothing of the load came over a network"
            assert get_piece(conn, NUMBERS[0], "CLD").chemistry == '{"C": 450, "Mn": 2100}'
            assert len(find_receipts(conn, receiver="CLD", q="T-PASS", provisional=True)) == 2
    context.close()

    def matched() -> bool:
        with read(plant.node.engine) as conn:
            return len(find_receipts(conn, receiver="CLD", q="T-PASS", provisional=False)) == 2

    wait_until(matched)
