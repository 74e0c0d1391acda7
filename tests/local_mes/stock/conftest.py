"""A mill with its pages and API, and people to use them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from shared.clock import FixedClock
from shared.db.engine import write
from shared.web import accounts

sys.path.insert(0, str(Path(__file__).parents[1] / "production"))

from production_bench import Bench, make_bench

from local_mes.performance import closing_views as balance
from local_mes.performance import views as performance
from local_mes.production import correction_views as corrections
from local_mes.production import identity_views as identity
from local_mes.production import views as production
from local_mes.production import work_views as work
from local_mes.stock import crane_views as crane_pages
from local_mes.stock import take_over_views as take_over_pages
from local_mes.stock import take_views as count_pages
from local_mes.stock import views as stock
from local_mes.stock import yard_views as yard_pages
from shared.material import api as material
from shared.performance import api as figures
from shared.web.app import create_app
from shared.web.features import Face
from shared.web.pieces import views as pieces

PASSWORD = "long enough to type"
ROLES = dict.fromkeys(("operator", "yard", "quality", "lead", "engineer", "planner"), "")


@pytest.fixture
def yard(tmp_path: Path, clock: FixedClock) -> Iterator[Bench]:
    bench = make_bench("BRK", tmp_path, clock)
    yield bench
    bench.plant.node.engine.dispose()
    bench.plant.spool.dispose()


@pytest.fixture
def client(yard: Bench) -> FlaskClient:
    face = Face(kind="plant", code="BRK", name="Brackwell", zone="Europe/Berlin", home="stock.pieces", roles=ROLES)
    features = (
        stock.FEATURE,
        yard_pages.FEATURE,
        crane_pages.FEATURE,
        count_pages.FEATURE,
        take_over_pages.FEATURE,
        production.FEATURE,
        corrections.FEATURE,
        work.FEATURE,
        identity.FEATURE,
        performance.FEATURE,
        balance.FEATURE,
        figures.FEATURE,
        material.FEATURE,
        pieces.FEATURE,
    )
    app = create_app(yard.plant.node, face, features)
    app.extensions["strandline.plant"] = yard.plant
    return app.test_client()


@pytest.fixture
def enrol(yard: Bench, clock: FixedClock) -> Callable[[str], None]:
    """enrol(login): a person whose only role has the same name; made when first needed, because hashing is slow."""
    known: set[str] = set()

    def add(login: str) -> None:
        if login not in known:
            with write(yard.plant.node.engine) as conn:
                accounts.add_person(conn, clock, login, login.title(), (login,), PASSWORD, ROLES)
            known.add(login)

    return add


@pytest.fixture
def token(yard: Bench, clock: FixedClock, enrol: Callable[[str], None]) -> Callable[[str], dict[str, str]]:
    """token(login) -> the headers of a request by this person."""

    def issue(login: str) -> dict[str, str]:
        enrol(login)
        with write(yard.plant.node.engine) as conn:
            return {"Authorization": f"Bearer {accounts.issue_token(conn, clock, login, 'test')}"}

    return issue


@pytest.fixture
def sign_in(client: FlaskClient, enrol: Callable[[str], None]) -> Callable[[str], str]:
    """sign_in(login) -> the CSRF token of the session."""

    def enter(login: str) -> str:
        enrol(login)
        form = client.get("/sign-in").text
        csrf = form.split('name="csrf_token" value="')[1].split('"')[0]
        client.post("/sign-in", data={"login": login, "password": PASSWORD, "csrf_token": csrf, "next": "/stock/"})
        return client.get("/stock/").text.split('name="csrf_token" value="')[1].split('"')[0]

    return enter
