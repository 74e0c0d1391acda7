"""A hub and two plants on real sockets in this process, enrolled and syncing, and a real Chromium to look at them."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from central_hub.app import ROLES as GROUP_ROLES
from central_hub.hub import Hub
from central_hub.plants.service import issue_token
from central_hub.standards import trusting
from central_hub.wiring import init_hub
from central_hub.wsgi import start_hub
from local_mes.app import ROLES as PLANT_ROLES
from local_mes.plant import Plant
from local_mes.wiring import init_plant
from local_mes.wsgi import start_plant
from shared.db.engine import write
from shared.keys import SigningKey, new_key
from shared.node import Node
from shared.settings import HubSettings, PlantSettings, check
from shared.standards.messages import Key
from shared.standards.rooting import build_root, sign_root
from shared.web.accounts import add_person
from shared.web.server import Served
from sync.enrolment import enrol
from sync.station import http_transport

CHROMIUM = Path("/usr/bin/chromium")
MODELS = Path(__file__).parents[2] / "demo" / "plants"
PASSWORD = "long enough to type"
QUICK = {"heartbeat_s": 0.5, "retry_first_s": 0.2, "retry_max_s": 1, "poll_s": 2}
WAIT_S = 60.0
expect.set_options(timeout=WAIT_S * 1_000)  # a day of the demo may be played beside
PEOPLE = {
    "HUB": {
        "author.quality": ("author",),
        "approver.quality": ("approver",),
        "logistics.group": ("logistics",),
        "owner.group": ("owner", "engineer"),
        "auditor": ("auditor",),
        "visitor": tuple(GROUP_ROLES),
    },
    "BRK": {"yard.brk": ("yard",), "lead.brk": ("lead", "planner"), "quality.brk": ("quality",)},
    "CLD": {
        "operator.cg1": ("operator",),
        "quality.cld": ("quality",),
        "gate.cld": ("yard",),
        "engineer.cld": ("engineer",),
        "lead.cld": ("lead",),
        "visitor": tuple(PLANT_ROLES),
    },
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))


@dataclass
class Site:
    """One node with its web server."""

    served: Served
    server: BaseWSGIServer
    url: str = ""

    def __post_init__(self) -> None:
        self.url = f"http://127.0.0.1:{self.server.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.served.start()

    @property
    def node(self) -> Node:
        found: Node = self.served.app.extensions["strandline.node"]
        return found

    def close(self) -> None:
        self.served.stop()
        self.server.shutdown()


@dataclass
class SmallGroup:
    """The hub, the mill, the finishing plant, and the key holders outside of them."""

    hub_site: Site
    sites: dict[str, Site] = field(default_factory=dict)
    holders: list[SigningKey] = field(default_factory=lambda: [new_key(), new_key(), new_key()])

    @property
    def hub(self) -> Hub:
        found: Hub = self.hub_site.served.app.extensions["strandline.hub"]
        return found

    def plant(self, code: str) -> Plant:
        found: Plant = self.sites[code].served.app.extensions["strandline.plant"]
        return found

    def url(self, code: str) -> str:
        return self.hub_site.url if code == "HUB" else self.sites[code].url

    def trust_root(self) -> None:
        keys = [(key.id, Key(key.public.hex(), "holder")) for key in self.holders]
        root_keys = [new_key()]
        document = build_root(1, 0, root_keys, keys, self.hub.node.key.public.hex(), 1, 2)
        trusting.trust_root(self.hub, sign_root(document, root_keys).decode(), "auditor")

    def close(self) -> None:
        for site in (*self.sites.values(), self.hub_site):
            site.close()


@pytest.fixture(scope="session")
def wait_until() -> Callable[[Callable[[], Any]], Any]:
    return eventually


def eventually(holds: Callable[[], Any]) -> Any:
    """The first true answer; fails loudly when none comes."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"did not come true within {WAIT_S} s")


class Quiet(WSGIRequestHandler):
    """Hundreds of sync calls would bury what a failing test has to say."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return


def serve(served: Served) -> Site:
    return Site(served, make_server("127.0.0.1", 0, served.app, threaded=True, request_handler=Quiet))


def make_hub_site(folder: Path) -> Site:
    values = {"code": "HUB", "name": "Corvane Steel Group", "folder": folder / "hub", "sync": QUICK}
    settings = check(HubSettings, values, "test")
    init_hub(settings)
    return serve(start_hub(settings))


def join(group: SmallGroup, folder: Path, code: str) -> None:
    """Make a plant, start it, enrol it."""
    values = {
        "code": code,
        "name": code,
        "folder": folder / code.lower(),
        "hub_url": group.hub_site.url,
        "sync": QUICK,
        "model": MODELS / code.lower() / "model.toml",
    }
    settings = check(PlantSettings, values, "test")
    init_plant(settings)
    site = group.sites[code] = serve(start_plant(settings))
    enrol(site.node, issue_token(group.hub, code).token, http_transport(site.node, group.hub_site.url))


@pytest.fixture(scope="session")
def group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallGroup]:
    folder = tmp_path_factory.mktemp("group")
    made = SmallGroup(make_hub_site(folder))
    made.trust_root()
    for code in ("BRK", "CLD"):
        join(made, folder, code)
    for code, people in PEOPLE.items():
        node = made.hub_site.node if code == "HUB" else made.sites[code].node
        with write(node.engine) as conn:
            for login, roles in people.items():
                known = GROUP_ROLES if code == "HUB" else PLANT_ROLES
                add_person(conn, node.clock, login, login.replace(".", " ").title(), roles, PASSWORD, known)
    yield made
    made.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("no Chromium at /usr/bin/chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield opened
        opened.close()


@dataclass
class Visit:
    """A person at a browser: opens pages, and keeps what the browser complained about."""

    page: Page
    url: str
    complaints: list[str]

    def open(self, address: str) -> Page:
        answer = self.page.goto(self.url + address)
        assert answer is not None
        assert answer.status == 200, f"{address}: {answer.status}"
        return self.page


def is_complaint(message: ConsoleMessage) -> bool:
    """Errors and warnings, but not the browser's remark that a form was refused: that is what was tried."""
    refused = re.search(r"responded with a status of (409|422|503)", message.text)
    return message.type in ("error", "warning") and not refused


@pytest.fixture
def visit(group: SmallGroup, browser: Browser) -> Iterator[Callable[..., Visit]]:
    """visit("CLD", "operator.cg1") signs a person in at a node; at the end nobody's browser may have complained."""
    visits: list[Visit] = []

    def begin(code: str, login: str, width: int = 1280, height: int = 800) -> Visit:
        page = browser.new_context(viewport={"width": width, "height": height}).new_page()
        page.set_default_timeout(WAIT_S * 1_000)
        made = Visit(page, group.url(code), [])
        page.on("console", lambda m: made.complaints.append(m.text) if is_complaint(m) else None)
        page.on("pageerror", lambda error: made.complaints.append(str(error)))
        made.open("/sign-in")
        page.get_by_label("Login").fill(login)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.locator("nav.menu").wait_for(state="attached")
        visits.append(made)
        return made

    yield begin
    for made in visits:
        made.page.context.close()
    assert [c for made in visits for c in made.complaints] == []
