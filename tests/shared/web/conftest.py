"""A small face over a real node: its own database file, a fixed clock, one feature made of a page, a list and an API."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Blueprint, Response, flash, redirect, render_template_string
from flask.testing import FlaskClient
from flask_openapi import APIBlueprint, OpenAPI
from pydantic import BaseModel

from shared.clock import FixedClock
from shared.db.engine import write
from shared.errors import Refused
from shared.node import Node, build_node, create_tables, make_folder
from shared.settings import NodeSettings
from shared.settings import check as settings_of
from shared.web import accounts, forms
from shared.web.app import create_app
from shared.web.context import actor, requires
from shared.web.features import Face, Feature, MenuItem, StatusLine
from shared.web.listing import Column, Filter, answer_list
from shared.web.paging import Page, Paging, cut

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

ROLES = {"operator": "books what was made", "quality": "decides on holds"}
PASSWORD = "long enough to type"
NOON_MS = 1_773_226_800_000  # 2026-03-11T11:00Z, noon in Warsaw


class BookBody(BaseModel):
    mass_g: int


BOOK = (
    "{% extends 'base.html' %}{% from 'macros.html' import form_start, number_field with context %}{% block main %}"
    "<form method='post'>{{ form_start() }}{{ number_field('kg', 'Mass', 'kg', 1, 40000) }}</form>{% endblock %}"
)
COLUMNS = (
    Column("number", "Heat", show="code", sort=True),
    Column("mass_g", "Mass", unit="kg", show="kg"),
    Column("state", "State", show="badge"),
    Column("note", "Note"),
)


def home() -> str:
    return render_template_string("{% extends 'base.html' %}{% block main %}<h1>Home</h1>{% endblock %}")


@requires("quality")
def quality_only() -> str:
    return "for quality"


def read_heats(paging: Paging) -> Page[dict[str, object]]:
    rows: list[dict[str, object]] = [
        {"number": f"{n:06d}", "mass_g": n * 1000, "state": "held" if n % 2 else "normal", "note": "=1+1"}
        for n in range(1, 121)
        if paging.wants("q") in f"{n:06d}"
    ]
    return cut([row for row in rows if str(row["number"]) > paging.after][: paging.limit + 1], paging, "number")


def heats() -> str | Response:
    return answer_list("heats.html", COLUMNS, read_heats, filters=(Filter("q", "Number"),))


def book_form() -> str:
    return render_template_string(BOOK)


@forms.keeps_input(book_form)
def book() -> object:
    mass_g = forms.read_number("kg", "Mass", least=1, most=40_000, unit="kg", scale=1000)
    if mass_g == 13_000:
        raise Refused("works.thirteen", "13 kg is refused here.", todo="Take another figure.")
    flash(f"Booked {mass_g} g under {forms.command_id()[:4]}.")
    return redirect("/")


def api_book(body: BookBody) -> dict[str, object]:
    return {"mass_g": body.mass_g, "by": actor()}


def fault() -> dict[str, object]:
    raise RuntimeError("a secret of the inside")


def feature() -> Feature:
    """A feature as a builder would write it: pages, an API, a machine door, a menu."""
    pages = Blueprint("works", __name__, template_folder="templates")
    api = APIBlueprint("works_api", __name__, url_prefix="/api/v1")
    machine = Blueprint("machine", __name__)
    for path, view in (("/", home), ("/quality-only", quality_only), ("/heats", heats), ("/book", book_form)):
        pages.get(path)(view)
    pages.post("/book")(book)
    api.post("/book")(api_book)
    api.get("/fault")(fault)
    machine.add_url_rule("/sync/v1/hello", "hello", lambda: {"hello": "peer"}, methods=["POST"])
    return Feature(
        pages=(pages,),
        apis=(api,),
        machine=(machine,),
        menu=(
            MenuItem("Production", "Heats", "works.heats"),
            MenuItem("Quality", "Decide", "works.quality_only", ("quality",)),
        ),
    )


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON_MS)


@pytest.fixture(scope="session")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a node with two people: made once, because hashing their passwords is slow on purpose."""
    settings = node_settings(tmp_path_factory.mktemp("peopled") / "ald")
    make_folder(settings)
    clock = FixedClock(NOON_MS)
    built = build_node(settings, (), clock)
    create_tables(built.engine)
    with write(built.engine) as conn:
        for login, roles in (("operator.cc1", ("operator",)), ("quality.ald", ("quality", "operator"))):
            accounts.add_person(conn, clock, login, login.title(), roles, PASSWORD, ROLES)
    built.engine.dispose()
    return settings.folder


@pytest.fixture
def node(peopled: Path, tmp_path: Path, clock: FixedClock) -> Iterator[Node]:
    shutil.copytree(peopled, tmp_path / "ald")
    built = build_node(node_settings(tmp_path / "ald"), (), clock)
    yield built
    built.engine.dispose()


def node_settings(folder: Path) -> NodeSettings:
    return settings_of(NodeSettings, {"code": "ALD", "name": "Aldermoor", "folder": folder}, "test")


@pytest.fixture
def app(node: Node) -> OpenAPI:
    face = Face(
        "plant",
        "ALD",
        "Aldermoor melt shop",
        "Europe/Warsaw",
        "works.home",
        ROLES,
        demo=True,
        shift=lambda now_ms: "Early, crew B",
        status=(lambda: (StatusLine("normal", "Hub: up to date"),),),
    )
    return create_app(node, face, (feature(),))


@pytest.fixture
def client(app: OpenAPI) -> FlaskClient:
    return app.test_client()


def token_of(html: str) -> str:
    """The CSRF token a page carries."""
    found = re.search(r'name="csrf-token" content="([^"]+)"', html)
    assert found
    return found[1]


@pytest.fixture
def sign_in(client: FlaskClient) -> Callable[..., str]:
    """Sign a person in; gives the CSRF token to post with."""

    def enter(login: str = "operator.cc1", password: str = PASSWORD) -> str:
        token = token_of(client.get("/sign-in").text)
        client.post("/sign-in", data={"login": login, "password": password, "csrf_token": token})
        return token_of(client.get("/").text)

    return enter
