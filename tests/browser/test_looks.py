"""How the pages look and behave: axe has nothing serious to say, the browser nothing to complain about, and pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from shared.ids import new_id
from shared.journal.fact import Draft, Occurred
from shared.material.facts import (
    Consumed,
    Edge,
    MarkPlaced,
    Mass,
    MaterialCreated,
    MaterialTransformed,
    NewAlias,
    NewMaterial,
    Size,
)
from shared.quality.facts import HoldPlaced

PICTURES = Path(__file__).parents[2] / "screenshots"
SIZES = {"1280x800": (1280, 800), "820x1180": (820, 1180)}
WIDE = "1280x800"
TOUCHED = ("/", "/floor", "/yard", "/transfers/receive", "/transfers/gate/", "/production/book", "/stock/")
"""Pages that people use on a tablet; there axe looks at them again, at the tablet's size."""
M, MM = 1_000_000, 1_000
PLANT_PAGES = (
    "/floor",
    "/yard",
    "/quality-desk",
    "/shift",
    "/engineer",
    "/pieces",
    "/piece/B7-1",
    "/trace/B7-1-B?at_mm=500000&left_mm=100",
    "/search?q=B7",
    "/legend",
    "/production/book",
    "/transfers/expected",
    "/transfers/receive",
    "/transfers/gate/",
    "/transfers/loading/",
    "/transfers/receipts",
    "/transfers/loads",
    "/transfers/loads/new",
    "/cases",
    "/quality/holds",
    "/quality/hold",
    "/quality/decisions",
    "/quality/samples",
    "/standards",
    "/work/unit",
    "/work/piece/B7-1",
    "/qualifications/",
    "/tasks",
    "/forms",
    "/figures/",
    "/figures/stops",
    "/dashboards/",
    "/model/",
    "/model/text",
    "/stock/",
    "/yard/YC?find=B7-1",
    "/crane/CR1",
    "/counts/",
    "/counts/goods",
    "/take-over/",
    "/orders/",
    "/orders/sequence",
    "/devices/",
    "/level2/links",
    "/level2/setpoints/",
    "/level2/links/CLD-PL",
    "/level2/links/CLD-PL/interface",
    "/level2/links/CLD-PL/capture",
    "/level2/replay",
    "/level2/certificates",
    "/level2/repairs",
    "/level2/namespace",
    "/level2/mappings",
    "/level2/mappings/CLD-CG",
    "/level2/try?link=CLD-CG",
    "/pilot/",
    "/connection/",
    "/incidents/",
)
GROUP_PAGES = (
    "/",
    "/pieces",
    "/trace/B7-1",
    "/transfers/",
    "/transfers/cases",
    "/transfers/lanes",
    "/transfers/balance",
    "/standards",
    "/standards/draft",
    "/standards/write/quality_rule",
    "/standards/signing",
    "/calendar",
    "/proposals",
    "/mentions",
    "/conformance",
    "/deviations",
    "/comparison",
    "/dashboards/",
    "/plants/",
    "/plants/CLD",
    "/incidents/",
    "/legend",
)
ADDRESSES = [("CLD", page) for page in PLANT_PAGES] + [("HUB", page) for page in GROUP_PAGES]
KB = 1024
FIRST_LOAD_MAX = 300 * KB


@pytest.fixture(scope="module")
def thread(group: Any, wait_until: Callable[[Callable[[], Any]], Any]) -> None:
    """A coil slit in three at CLD, with a mark, a finding and a hold; known at the hub too."""
    node = group.sites["CLD"].node
    now = node.clock.now_ms()
    parent, slits = new_id(node.clock), [new_id(node.clock) for _ in "ABC"]
    coil = NewMaterial(
        material_id=parent,
        kind="coil",
        aliases=(NewAlias("CLD.coil", "B7-1"),),
        grade="L06",
        place="YC",
        mass=Mass(20_000_000, "weighed", "CW2", now),
        size=Size(800, 1_200 * MM, 2_600 * M),
    )
    width = 400 * MM
    children = tuple(
        NewMaterial(
            material_id=i,
            kind="slit",
            aliases=(NewAlias("CLD.slit", f"B7-1-{letter}"),),
            grade="L06",
            place="YF",
            mass=Mass(6_600_000, "weighed", "CW2", now),
            size=Size(800, width, 2_600 * M),
        )
        for letter, i in zip("ABC", slits, strict=True)
    )
    edges = tuple(
        Edge(
            parent_id=parent,
            child_id=i,
            parent_from_um=0,
            parent_to_um=2_600 * M,
            child_from_um=0,
            child_to_um=2_600 * M,
            parent_left_um=n * width,
            parent_right_um=(n + 1) * width,
            child_right_um=width,
            mass_g=6_600_000,
            flip_length=True,
            flip_face=True,
        )
        for n, i in enumerate(slits)
    )
    facts = (
        (MaterialCreated(material=coil, origin="made", chemistry_e6={"C": 450}), parent),
        (
            MarkPlaced(
                mark_id=new_id(node.clock),
                material_id=parent,
                kind="mould_level",
                from_um=1_900 * M,
                to_um=2_200 * M,
                text="+14 mm",
                rule="QR-CAST-01",
            ),
            parent,
        ),
        (
            MarkPlaced(
                mark_id=new_id(node.clock),
                material_id=parent,
                kind="sliver",
                from_um=2_100 * M,
                to_um=2_101 * M,
                left_um=490 * MM,
                right_um=510 * MM,
            ),
            parent,
        ),
        (
            MaterialTransformed(
                operation_id=new_id(node.clock),
                operation="slit",
                unit="SL1",
                started_at_ms=now - 900_000,
                ended_at_ms=now,
                parents=(Consumed(parent, 20_000_000),),
                children=children,
                edges=edges,
            ),
            slits[0],
        ),
        (
            HoldPlaced(hold_id=new_id(node.clock), material_id=slits[1], reason="Sliver, 1.0 m", rule_id="QR-SUR-01"),
            slits[1],
        ),
    )
    with node.journal.work() as tx:
        tx.record(*(Draft(payload, (subject,), "p1", Occurred(now, "manual")) for payload, subject in facts))
    wait_until(lambda: _known(group, slits[0]))


def _known(group: Any, material_id: str) -> bool:
    from shared.db.engine import read
    from shared.material.queries import find_piece

    with read(group.hub.node.engine) as conn:
        return find_piece(conn, material_id) is not None


@pytest.mark.timeout(900)  # forty pages under axe, on a machine that may be busy with other tests
@pytest.mark.parametrize("size", SIZES)
def test_every_page_at_both_sizes(visit: Callable[..., Any], thread: None, size: str) -> None:
    folder = PICTURES / size
    folder.mkdir(parents=True, exist_ok=True)
    seen = {code: visit(code, "visitor", *SIZES[size]) for code in ("CLD", "HUB")}
    wrong: list[str] = []
    for code, address in ADDRESSES:
        page = seen[code].open(address)
        if "/trace/" in address:
            page.locator("#graph svg a").first.wait_for()
        name = f"{code}{address.split('?')[0].replace('/', '-').rstrip('-')}"
        page.screenshot(path=folder / f"{name}.png")
        if (size == WIDE) != (address in TOUCHED):
            wrong += [f"{code} {address}: {line}" for line in serious(page)]
        if is_wider_than_its_window(page):
            wrong.append(f"{code} {address}: scrolls sideways")
    assert wrong == []


def serious(page: Page) -> list[str]:
    """axe's findings of weight, with the first place of each."""
    found = Axe().run(page).response["violations"]
    return [
        f"{v['id']} at {v['nodes'][0]['target']}: {v['nodes'][0].get('failureSummary', '')}"
        for v in found
        if v["impact"] in ("serious", "critical")
    ]


def is_wider_than_its_window(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1"))


@pytest.mark.parametrize("theme", ["Dark", "Light"])
def test_both_displays_have_contrast(visit: Callable[..., Any], thread: None, theme: str) -> None:
    here = visit("CLD", "visitor")
    here.open("/quality-desk")
    here.page.locator("details.who summary").click()
    here.page.get_by_role("button", name=theme).click()
    expect(here.page.locator("html")).to_have_attribute("data-theme", theme.lower())
    for address in ("/quality-desk", "/piece/B7-1-B", "/trace/B7-1", "/floor", "/production/book"):
        assert serious(here.open(address)) == [], address


def test_a_click_on_the_strip_jumps_to_the_same_place_on_the_parent(visit: Callable[..., Any], thread: None) -> None:
    page = visit("CLD", "visitor").open("/trace/B7-1-B")
    parent = page.locator("g[data-number='B7-1'] rect.body")
    box = parent.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.1)
    expect(page.get_by_role("heading", level=1)).to_have_text("Trace of coil B7-1")
    assert "at_mm=6" in page.url
    expect(page.locator("svg.strip circle.chosen").first).to_be_visible()


def test_reading_works_without_javascript_and_without_the_vendor_folder(
    group: Any, browser: Browser, thread: None
) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.route("**/vendor/**", lambda route: route.abort())
    page = context.new_page()
    page.goto(group.url("CLD") + "/sign-in?next=/trace/B7-1-B?at_mm=500000")
    page.get_by_label("Login").fill("visitor")
    page.get_by_label("Password").fill("long enough to type")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Trace of slit coil B7-1-B")
    expect(page.get_by_role("cell", name="2,100.00", exact=True)).to_be_visible()
    page.get_by_role("link", name="Pieces").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pieces")
    context.close()


def test_the_status_line_says_when_its_server_is_gone(visit: Callable[..., Any]) -> None:
    here = visit("CLD", "visitor")
    page = here.open("/shift")
    page.route("**/status-lines", lambda route: route.fulfill(status=503, body=""))
    expect(page.locator("#status")).to_contain_text("No contact with this server since", timeout=15_000)
    here.complaints.clear()  # htmx tells the console too


def test_the_first_load_is_small(group: Any, browser: Browser) -> None:
    page = browser.new_page()
    sizes: list[int] = []
    page.on("response", lambda answer: sizes.append(len(answer.body())))
    page.goto(group.url("CLD") + "/sign-in", wait_until="networkidle")
    assert 0 < sum(sizes) < FIRST_LOAD_MAX
    page.context.close()
