"""The gate's tablet in a real browser while its line is cut and comes back: nothing is lost, nothing is booked twice."""

from __future__ import annotations

import re
import struct
import threading
import zlib
from collections.abc import Callable, Iterable
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from local_mes.transfers.service import (
    ListedPiece,
    PlanCommand,
    ShipCommand,
    plan_load,
    ship,
)
from shared.db.engine import read
from shared.ids import new_id
from shared.journal.fact import Draft, Occurred
from shared.material.facts import Mass, MaterialCreated, NewAlias, NewMaterial, Size
from shared.ports import free_port
from shared.transfers.lines import LineFilter, find_lines
from shared.transfers.plan_queries import open_plans
from shared.transfers.queries import find_receipts, find_shipment
from shared.transfers.words import find_words

PASSWORD = "long enough to type"
WAIT_MS = 40_000


class Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return


class Line:
    """The tablet's own way to its plant: cut, mended at the same address, led to a proxy alone, and once it loses an answer."""

    def __init__(self, app: Any) -> None:
        self.app, self.lose_next, self.lost, self.away = app, False, 0, ""
        self.port = free_port()  # one that no connection of another program takes while the line is cut
        self.server = self.open(self.port)

    def open(self, port: int) -> BaseWSGIServer:
        server = make_server("127.0.0.1", port, self.answer, threaded=True, request_handler=Quiet)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """What the plant answers; where an answer is to be lost, the deed is done and the browser hears of a gateway."""
        if self.away:
            start(self.away, [("Content-Type", "text/plain")])
            return [b"no server"]
        if self.lose_next and environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"].startswith("/api/"):
            self.lose_next, self.lost = False, self.lost + 1
            b"".join(self.app(environ, lambda *_: None))
            start("502 Bad Gateway", [("Content-Type", "text/plain")])
            return [b"gone"]
        answer: Iterable[bytes] = self.app(environ, start)
        return answer

    def cut(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def mend(self) -> None:
        self.server = self.open(self.port)


def make_coils(plant: Any, numbers: list[str]) -> None:
    """Coils in the mill's yard."""
    clock = plant.clock
    for number in numbers:
        coil = NewMaterial(
            material_id=new_id(clock), kind="coil", aliases=(NewAlias("BRK.coil", number),), place="CB",
            mass=Mass(20_000_000, "weighed"), size=Size(2_500, 1_270_000, 800_000_000), grade="L06",
        )  # fmt: skip
        with plant.journal.work() as tx:
            made = MaterialCreated(material=coil, origin="migrated")
            tx.record(Draft(made, (coil.material_id,), "p1", Occurred(clock.now_ms(), "manual")))


def send_coils(plant: Any, load: str, numbers: list[str]) -> None:
    """Coils that leave the mill with a truck."""
    make_coils(plant, numbers)
    clock, listed = plant.clock, tuple(ListedPiece(number, "bay 1") for number in numbers)
    ship(plant, ShipCommand(new_id(clock), "p1", load, "CLD", listed))


def picture() -> bytes:
    """A plain PNG of 40 by 30."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\x00" + b"\x90\x60\x30" * 40 for _ in range(30))
    head = struct.pack(">IIBBBBB", 40, 30, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


SCAN_AT_ONCE = """() => {
    const button = document.querySelector(".piece-tap:enabled");
    button.focus();
    button.disabled = true;
    button.dispatchEvent(new KeyboardEvent("keydown", { key: "B", bubbles: true }));
    button.disabled = false;
    return document.activeElement.id;
}"""
"""A scanner types right after a tap: the button that was tapped is off by then, and has the focus until the next frame."""


def book(page: Page, mass_kg: str, place: str) -> None:
    """Two touches after the piece: the mass, and take it in."""
    page.get_by_label("Our mass").fill(mass_kg)
    page.get_by_label("Place").fill(place)
    page.get_by_role("button", name="Take it in", exact=True).tap()


def sign_in(page: Page, address: str, login: str = "gate.cld") -> None:
    page.goto(address)
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def go_on_before_a_proxy_alone(line: Line, page: Page, address: str, status: str) -> None:
    """The proxy answers at once for a server that is away: the page opens, and what is being typed on it stays."""
    line.away = status
    page.goto(address)
    expect(page.locator("#gate-line")).to_contain_text("No contact with this server.", timeout=WAIT_MS)
    scan = page.get_by_label("Any number on the piece")
    scan.fill("B6-88")
    page.evaluate("window.stays = true")
    for _ in range(2):  # the answer to the first was looked at when the second comes
        with page.expect_response(lambda answer: answer.url.endswith("/api/v1/gate"), timeout=WAIT_MS) as heard:
            page.evaluate("window.dispatchEvent(new Event('online'))")
        assert heard.value.status == int(status[:3])
    assert page.evaluate("window.stays")
    expect(scan).to_have_value("B6-88")


def test_a_load_is_taken_in_while_the_line_is_cut(
    group: Any, browser: Browser, wait_until: Callable[[Callable[[], Any]], Any]
) -> None:
    mill, plant = group.plant("BRK"), group.plant("CLD")
    numbers = [f"B6-888{n:02d}" for n in (1, 2, 3, 4)]
    send_coils(mill, "T-GATE", numbers)

    def lines() -> dict[str, Any]:
        with read(plant.node.engine) as conn:
            load = find_shipment(conn, "T-GATE")
            found = find_lines(conn, LineFilter(shipment_id=load.shipment_id)) if load is not None else []
        return {line.number: line for line in found}

    wait_until(lambda: len(lines()) == 4)
    line = Line(group.sites["CLD"].served.app)
    context = browser.new_context(viewport={"width": 820, "height": 1180}, has_touch=True)
    page = context.new_page()
    address = f"http://127.0.0.1:{line.port}/transfers/gate/"
    sign_in(page, address)

    pieces = page.locator(".piece-tap")
    expect(pieces.first).to_be_visible(timeout=WAIT_MS)
    assert Axe().run(page).response["violations"] == []
    small = page.locator(".piece-tap, #gate-scan button, .gate-head button").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).filter(box => box.width < 48 || box.height < 48).length"
    )
    assert small == 0
    page.get_by_role("button", name="It is at the gate").first.tap()
    page.locator("body").press("B")  # a scanner is a keyboard: what it types anywhere goes to the number's field
    page.keyboard.type("6-88801")
    page.keyboard.press("Enter")
    book(page, "20010", "CC")
    expect(page.locator("#gate-done")).to_contain_text("B6-88801 is here as", timeout=WAIT_MS)
    assert page.evaluate(SCAN_AT_ONCE) == "f-scan"
    page.evaluate("navigator.serviceWorker.ready")

    line.cut()
    page.get_by_role("button", name="B6-88802").tap()
    page.get_by_text("Damage, picture, our number, route").tap()
    page.get_by_label("Damage").fill("edge bent at the eye")
    page.get_by_label("Picture").set_input_files([{"name": "a.png", "mimeType": "image/png", "buffer": picture()}])
    book(page, "20020", "CC")
    queue = page.locator("#gate-queue")
    expect(queue).to_contain_text("1 touch is done here and not yet sent: B6-88802.", timeout=WAIT_MS)
    page.get_by_role("button", name="B6-88803").tap()
    page.get_by_text("Refuse it").first.tap()
    page.get_by_label("Why it is refused").fill("wet, and no wrapping left")
    page.get_by_role("button", name="Refuse it").tap()
    expect(queue).to_contain_text("2 touches are done here and not yet sent: B6-88802, B6-88803.")
    expect(queue).to_contain_text("No contact since", timeout=WAIT_MS)

    page.goto(address)  # the page itself opens without a line, out of the tablet's own store
    expect(page.locator("#gate-line")).to_contain_text("No contact with this server.", timeout=WAIT_MS)
    expect(queue).to_contain_text("2 touches are done here and not yet sent")
    page.get_by_role("button", name="B6-88804").tap()
    page.get_by_label("Place").fill("CC")
    page.get_by_role("button", name="Take it in, not weighed").tap()
    page.get_by_label("Any number on the piece").fill("B6-STRAY")
    page.get_by_label("Any number on the piece").press("Enter")
    book(page, "19000", "CC")
    expect(queue).to_contain_text("4 touches are done here and not yet sent")
    kept = page.evaluate("caches.keys().then(names => caches.open(names[0])).then(kept => kept.match('/transfers/gate/shell'))"
                         ".then(answer => answer.text())")  # fmt: skip
    assert "Gate Cld" not in kept
    assert "B6-888" not in kept

    line.away = "502 Bad Gateway"
    line.mend()
    for status in (line.away, "503 Service Unavailable"):
        go_on_before_a_proxy_alone(line, page, address, status)
    line.lose_next, line.away = True, ""
    wait_until(lambda: line.lost)  # the page opens anew by itself, and until it has looked into its store says nothing
    expect(queue).to_be_hidden(timeout=WAIT_MS)
    assert line.lost == 1
    expect(page.locator("#gate-refused")).to_be_empty()
    states = {number: one.state for number, one in lines().items()}
    assert list(states.values()).count("received") == 2
    assert (states[numbers[1]], states[numbers[2]]) == ("received_with_exceptions", "refused")
    with read(plant.node.engine) as conn:
        rows = [row for row in find_receipts(conn, receiver="CLD") if row.printed_number.startswith("B6-")]
        refused = find_words(conn, "refused", shipment_id=lines()[numbers[2]].shipment_id)
    taken = [row.printed_number for row in reversed(rows) if row.printed_number[3:6] in ("888", "STR")]
    assert taken == ["B6-88801", "B6-88802", "B6-88804", "B6-STRAY"]  # in order, each once
    assert [word.note for word in refused] == ["wet, and no wrapping left"]
    bent = next(row for row in rows if row.printed_number == "B6-88802")

    page.goto(f"http://127.0.0.1:{line.port}/transfers/receipts/{bent.receipt_id}")
    shown = page.get_by_alt_text("Picture 1 of the damage")
    expect(shown).to_be_visible(timeout=WAIT_MS)
    assert shown.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [40, 30]
    page.locator("details.who summary").tap()
    page.get_by_role("button", name="Sign out").tap()
    expect(page.get_by_label("Password")).to_be_visible(timeout=WAIT_MS)
    assert page.evaluate("Object.keys(localStorage).filter(key => key.endsWith('.list'))") == []
    context.close()
    line.cut()


BEFORE = """() => {
    const list = here => JSON.stringify({ title: "Load", pieces: [], vehicles: [], here: here });
    const keep = (load, here) => localStorage.setItem("strandline.loading.BRK." + load + ".list", list(here));
    for (let n = 0; n < 25; n++) { keep("N" + n, Date.now() - 1000 * n - 1000); }
    keep("OLD", Date.now() - 8 * 86400000);
}"""
"""Lists of loads that were open on the tablet before: too many, and one too old."""


def leave(page: Page) -> None:
    page.get_by_text("It leaves", exact=True).tap()
    page.get_by_role("button", name="Book the departure").tap()


def test_a_load_is_loaded_and_leaves_while_the_line_is_cut_with_what_is_on_it_by_the_books_too(
    group: Any, browser: Browser
) -> None:
    mill = group.plant("BRK")
    make_coils(mill, ["B6-66601", "B6-66602"])
    plan_load(
        mill, PlanCommand(new_id(mill.clock), "p1", "CLD", "Truck 9", number="T-LOAD", vehicles=(("T9", 25_000),))
    )
    context = browser.new_context(viewport={"width": 820, "height": 1180}, has_touch=True)
    page = context.new_page()
    address = group.url("BRK") + "/transfers/loading/T-LOAD"
    sign_in(page, address, "yard.brk")
    expect(page.get_by_role("button", name="B6-66601")).to_be_visible(timeout=WAIT_MS)
    assert Axe().run(page).response["violations"] == []
    page.evaluate("navigator.serviceWorker.ready")
    signed_in = page.evaluate("localStorage.getItem('strandline.person')")
    context.set_offline(True)
    page.get_by_role("button", name="B6-66601").tap()
    page.goto(address)  # the page itself opens without a line, out of the tablet's own store
    expect(page.locator("#load-line")).to_contain_text("No contact with this server.", timeout=WAIT_MS)
    expect(page.get_by_role("button", name="B6-66601")).to_be_disabled(timeout=WAIT_MS)
    assert Axe().run(page).response["violations"] == []
    page.get_by_label("Scan a piece onto it").fill("B6-66602")
    page.get_by_label("Scan a piece onto it").press("Enter")
    page.evaluate(BEFORE)
    page.goto(address.removesuffix("T-LOAD"))
    expect(page.locator("#load-tiles li")).to_have_count(20, timeout=WAIT_MS)
    assert page.evaluate("localStorage.getItem('strandline.loading.BRK.OLD.list')") is None
    page.evaluate("localStorage.setItem('strandline.person', JSON.stringify({ id: 'b', name: 'Person B' }))")
    page.goto(address)  # somebody else has signed in since: what is done now is not done in the first one's name
    expect(page.locator("#load-line")).to_contain_text("Go on as Person B", timeout=WAIT_MS)
    page.evaluate("who => localStorage.setItem('strandline.person', who)", signed_in)
    page.goto(address)
    queue, refused = page.locator("#load-queue"), page.locator("#load-refused")
    expect(queue).to_contain_text("2 touches are done here and not yet sent: B6-66601, B6-66602.", timeout=WAIT_MS)
    expect(page.locator("#load-on li")).to_contain_text(["B6-66601", "B6-66602"])
    leave(page)
    expect(queue).to_contain_text("3 touches are done here and not yet sent")
    expect(page.get_by_role("button", name="Book the departure")).to_be_disabled()
    context.set_offline(False)
    expect(queue).to_be_hidden(timeout=WAIT_MS)
    expect(refused).to_contain_text("T9 carries 20,000 of at most 25,000 kg", timeout=WAIT_MS)
    expect(refused).to_contain_text("Departure of T-LOAD was not booked.")
    expect(refused).to_contain_text("Not booked on it: B6-66602.")
    expect(page.locator("#load-list")).to_contain_text("On it: 1 piece, 20.0 t", timeout=WAIT_MS)
    with read(mill.node.engine) as conn:
        assert [(row.number, row.loaded) for row in open_plans(conn, "BRK")] == [("T-LOAD", 1)]
    context.set_offline(True)  # the second coil was lifted off again
    leave(page)
    expect(queue).to_contain_text("1 touch is done here and not yet sent: Departure of T-LOAD.", timeout=WAIT_MS)
    left_ms = mill.clock.now_ms()
    context.set_offline(False)
    expect(page).to_have_url(re.compile("/transfers/loads/T-LOAD$"), timeout=WAIT_MS)
    with read(mill.node.engine) as conn:
        load = find_shipment(conn, "T-LOAD")
        assert [line.number for line in find_lines(conn, LineFilter(shipment_id=load.shipment_id))] == ["B6-66601"]
    assert load.departed_at_ms <= left_ms  # when it was done, not when it was sent
    page.goto(address)
    expect(page.get_by_text("It has left")).to_be_visible(timeout=WAIT_MS)
    assert page.evaluate("localStorage.getItem('strandline.loading.BRK.T-LOAD.list')") is None
    context.close()
