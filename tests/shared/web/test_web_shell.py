"""The shell that every page stands in: sign-in, default deny, CSRF, errors in both forms, headers, lists, forms."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
import quick_passwords
from argon2 import Type, extract_parameters
from flask.testing import FlaskClient
from sqlalchemy import insert, select

from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.errors import BadInput, NotFound, Unavailable
from shared.node import Node
from shared.web import accounts, tables

PASSWORD = "long enough to type"
SignIn = Callable[..., str]


def test_nobody_sees_anything_without_signing_in(client: FlaskClient) -> None:
    page = client.get("/heats?q=1")
    assert page.status_code == 302
    assert page.headers["Location"] == "/sign-in?next=/heats?q%3D1"
    problem = client.post("/api/v1/book", json={"mass_g": 1})
    assert problem.status_code in (400, 401)
    assert client.get("/api/v1/fault").status_code == 401
    assert client.get("/api/v1/fault").mimetype == "application/problem+json"


def test_signing_in_leads_to_the_page_that_was_wanted(client: FlaskClient) -> None:
    form = client.get("/sign-in").text
    token = form.split('name="csrf_token" value="')[1].split('"')[0]
    answer = client.post(
        "/sign-in", data={"login": "operator.cc1", "password": PASSWORD, "csrf_token": token, "next": "/heats"}
    )
    assert answer.headers["Location"] == "/heats"
    page = client.get("/heats").text
    for expected in ("Aldermoor melt shop", "Early, crew B", "Operator.Cc1", "Hub: up to date", "Demonstration"):
        assert expected in page


@pytest.mark.parametrize(
    "wanted", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "/\t/elsewhere.example"]
)
def test_a_sign_in_link_never_leads_to_another_site(client: FlaskClient, sign_in: SignIn, wanted: str) -> None:
    token = sign_in()
    answer = client.post("/theme", data={"theme": "dark", "next": wanted, "csrf_token": token})
    assert answer.headers["Location"] == "/"


def test_wrong_passwords_lock_the_login_for_a_while(client: FlaskClient, node: Node, clock: FixedClock) -> None:
    token = client.get("/sign-in").text.split('name="csrf_token" value="')[1].split('"')[0]

    def attempt(password: str) -> int:
        return client.post(
            "/sign-in", data={"login": "operator.cc1", "password": password, "csrf_token": token}
        ).status_code

    tries = node.settings.web.login_tries_max
    assert [attempt("wrong") for _ in range(tries)] == [401] * tries
    locked = client.post("/sign-in", data={"login": "operator.cc1", "password": PASSWORD, "csrf_token": token})
    assert locked.status_code == 401
    assert "Too many wrong passwords" in locked.text
    clock.advance(node.settings.web.login_wait_s * 1000)
    assert attempt(PASSWORD) == 302
    with read(node.engine) as conn:
        assert conn.execute(select(tables.sign_in_failure)).all() == []


def test_wrong_passwords_tried_side_by_side_are_all_counted(node: Node, clock: FixedClock) -> None:
    def attempt(password: str) -> object:
        return accounts.sign_in(node.engine, clock, node.settings.web, "operator.cc1", password)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(attempt, ["wrong"] * 4)) == [None] * 4
    with read(node.engine) as conn:
        assert conn.execute(select(tables.sign_in_failure.c.failures)).scalar_one() == 4


def test_a_hash_is_dear_and_a_login_that_nobody_has_takes_as_long(
    node: Node, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "_hasher", quick_passwords.REAL)  # what every process of the product has
    with write(node.engine) as conn:
        accounts.add_person(conn, clock, "dear", "Dear", ("operator",), PASSWORD, ("operator",))
        kept = conn.execute(select(tables.person.c.password_hash).where(tables.person.c.login == "dear")).scalar_one()
    assert accounts.sign_in(node.engine, clock, node.settings.web, "dear", PASSWORD) is not None
    found = extract_parameters(kept)
    assert (found.type, found.memory_cost >= 64 * 1024, found.time_cost >= 3) == (Type.ID, True, True)
    assert extract_parameters(accounts._NOBODY) == found


def test_a_crowd_at_the_sign_in_page_does_not_hold_all_threads(
    node: Node, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "HASHING_WAIT_S", 0.01)
    with ExitStack() as crowd:
        for _ in range(accounts.HASHES_AT_ONCE):
            crowd.enter_context(accounts._hashing)
        with pytest.raises(Unavailable, match="Too many people"):
            accounts.sign_in(node.engine, clock, node.settings.web, "operator.cc1", PASSWORD)
    assert accounts.sign_in(node.engine, clock, node.settings.web, "operator.cc1", PASSWORD) is not None


def test_a_person_signed_out_everywhere_has_no_session_left(client: FlaskClient, sign_in: SignIn, node: Node) -> None:
    sign_in()
    with write(node.engine) as conn:
        person_id = conn.execute(select(tables.person.c.person_id).where(tables.person.c.login == "operator.cc1"))
        accounts.sign_out_everywhere(conn, person_id.scalar_one())
    assert client.get("/heats").status_code == 302


def test_a_token_acts_for_its_person_without_csrf(client: FlaskClient, node: Node, clock: FixedClock) -> None:
    with write(node.engine) as conn:
        token = accounts.issue_token(conn, clock, "operator.cc1", "simulator")
        stored = conn.execute(select(tables.api_token.c.secret_hash)).scalar_one()
    assert token.partition(".")[2] not in stored
    answer = client.post("/api/v1/book", json={"mass_g": 5}, headers={"Authorization": f"Bearer {token}"})
    with read(node.engine) as conn:
        person = accounts.find_by_token(conn, token)
    assert person is not None
    assert answer.get_json() == {"mass_g": 5, "by": person.person_id}
    for wrong in (token[:-1], token + "x", token.partition(".")[0], "", "." + token.partition(".")[2]):
        refused = client.post("/api/v1/book", json={"mass_g": 5}, headers={"Authorization": f"Bearer {wrong}"})
        assert refused.status_code == 401, wrong


def test_who_left_has_no_sign_in_no_session_and_no_token(
    client: FlaskClient, sign_in: SignIn, node: Node, clock: FixedClock
) -> None:
    sign_in()
    with write(node.engine) as conn:
        token = accounts.issue_token(conn, clock, "operator.cc1", "test")
        accounts.end_person(conn, clock, "operator.cc1")
    assert client.get("/").status_code == 302
    assert client.get("/api/v1/fault", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert accounts.sign_in(node.engine, clock, node.settings.web, "operator.cc1", PASSWORD) is None
    with pytest.raises(NotFound), write(node.engine) as conn:
        accounts.end_person(conn, clock, "operator.cc1")


def test_a_new_password_ends_sessions_and_the_wait_after_wrong_ones(
    client: FlaskClient, sign_in: SignIn, node: Node, clock: FixedClock
) -> None:
    sign_in()
    with write(node.engine) as conn:
        locked = {"login": "operator.cc1", "failures": 5, "locked_until_ms": clock.now_ms() + 60_000}
        conn.execute(insert(tables.sign_in_failure).values(locked))
        accounts.set_password(conn, "operator.cc1", "another long one")
    assert client.get("/").status_code == 302
    assert accounts.sign_in(node.engine, clock, node.settings.web, "operator.cc1", PASSWORD) is None
    assert accounts.sign_in(node.engine, clock, node.settings.web, "operator.cc1", "another long one") is not None


def test_a_session_needs_the_csrf_token_on_the_api_too(client: FlaskClient, sign_in: SignIn) -> None:
    token = sign_in()
    assert client.post("/api/v1/book", json={"mass_g": 5}).status_code == 400
    assert client.post("/api/v1/book", json={"mass_g": 5}, headers={"X-CSRFToken": token}).status_code == 200
    assert client.post("/book", data={"kg": "5"}).status_code == 400


def test_machines_prove_themselves_elsewhere(client: FlaskClient) -> None:
    assert client.post("/sync/v1/hello").get_json() == {"hello": "peer"}


def test_a_role_is_asked_for_by_name_and_the_menu_shows_only_mine(client: FlaskClient, sign_in: SignIn) -> None:
    sign_in()
    denied = client.get("/quality-only")
    assert denied.status_code == 403
    assert "quality" in denied.text
    assert "Decide" not in client.get("/").text
    client.post("/sign-out", data={"csrf_token": sign_in()})
    sign_in("quality.ald")
    assert client.get("/quality-only").text == "for quality"
    assert "Decide" in client.get("/").text


def test_signing_out_ends_a_copied_cookie_too(client: FlaskClient, sign_in: SignIn) -> None:
    token = sign_in()
    thief = client.application.test_client()
    name = client.application.config["SESSION_COOKIE_NAME"]
    copied = client.get_cookie(name)
    assert copied is not None
    thief.set_cookie(name, copied.value)
    assert thief.get("/heats").status_code == 200
    client.post("/sign-out", data={"csrf_token": token})
    assert client.get("/heats").status_code == 302
    assert thief.get("/heats").status_code == 302
    sign_in()
    assert client.get("/heats").status_code == 200
    assert thief.get("/heats").status_code == 302


def test_errors_are_problem_details_for_machines_and_words_for_people(client: FlaskClient, sign_in: SignIn) -> None:
    token = {"X-CSRFToken": sign_in()}
    invalid = client.post("/api/v1/book", json={"mass_g": "heavy"}, headers=token)
    assert (invalid.status_code, invalid.mimetype) == (422, "application/problem+json")
    assert invalid.get_json()["errors"][0]["loc"] == "mass_g"
    assert client.post("/api/v1/book", data="mass", headers={**token, "Content-Type": "text/plain"}).status_code == 415
    missing = client.get("/api/v1/nothing")
    assert missing.get_json()["status"] == 404
    fault = client.get("/api/v1/fault")
    assert fault.status_code == 500
    assert "secret of the inside" not in fault.text
    page = client.get("/nothing")
    assert page.status_code == 404
    assert "What to do" in page.text
    assert client.delete("/api/v1/book", headers=token).headers["Allow"]


def test_every_answer_carries_the_security_headers(client: FlaskClient, sign_in: SignIn) -> None:
    sign_in()
    for path in ("/", "/nothing", "/api/v1/openapi.json", "/static/strandline.css"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["Content-Security-Policy"], path
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
    assert client.get("/").headers["Cache-Control"] == "no-store"
    page = client.get("/").text
    assert "<style" not in page
    assert " style=" not in page
    assert "onclick" not in page


def test_the_openapi_document_comes_from_the_code(client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").get_json()
    assert "/api/v1/book" in document["paths"]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_a_list_pages_filters_and_gives_all_of_itself_as_csv(client: FlaskClient, sign_in: SignIn) -> None:
    sign_in()
    first = client.get("/heats").text
    assert "000050" in first
    assert "000051" not in first
    assert 'rel="next" href="/heats?after=000050"' in first
    assert "000051" in client.get("/heats?after=000050").text
    assert "Nothing matches" in client.get("/heats?q=zzz").text
    rows = list(csv.DictReader(io.StringIO(client.get("/heats?format=csv").text)))
    assert len(rows) == 120
    assert rows[0] == {"number": "000001", "mass_g": "1000", "state": "held", "note": "'=1+1"}
    assert client.get("/heats?limit=0").status_code == 422


@pytest.mark.parametrize(
    ("typed", "status", "words"),
    [
        ("13", 409, "13 kg is refused here."),
        ("40001", 422, "permitted range is 1 to 40,000 kg"),
        ("-5", 422, "permitted range"),
        ("heavy", 422, "is no number"),
        ("", 422, "Mass is missing"),
        ("1.00001", 422, "more digits"),
        ("NaN", 422, "outside"),
    ],
)
def test_a_refused_form_keeps_what_was_typed(
    client: FlaskClient, sign_in: SignIn, typed: str, status: int, words: str
) -> None:
    token = sign_in()
    answer = client.post("/book", data={"kg": typed, "command_id": "c" * 32, "csrf_token": token})
    assert answer.status_code == status
    assert words in answer.text
    assert f'value="{typed}"' in answer.text
    assert "c" * 32 in answer.text


def test_a_booked_form_says_what_was_kept(client: FlaskClient, sign_in: SignIn) -> None:
    token = sign_in()
    answer = client.post("/book", data={"kg": "1,250.5", "command_id": "abcdef", "csrf_token": token})
    assert answer.status_code == 302
    assert "Booked 1250500 g under abcd." in client.get("/").text


def test_people_need_a_known_role_and_a_long_password(node: Node, clock: FixedClock) -> None:
    with write(node.engine) as conn:
        for login, roles, password in (("a", ("king",), PASSWORD), ("b", (), PASSWORD), ("c", ("operator",), "short")):
            with pytest.raises(BadInput):
                accounts.add_person(conn, clock, login, login, roles, password, {"operator": ""})


@pytest.mark.fault(72, 73)
@pytest.mark.parametrize(
    ("at_ms", "shown", "flagged"),
    [
        (1_773_226_800_000, "just now", False),
        (1_000, "1 Jan 1970", True),
        (1_773_226_800_000 + 10 * 365 * 86_400_000, "2036", True),
        (1 << 53, "no possible time", False),
        (-(1 << 53), "no possible time", False),
    ],
)
def test_a_time_that_cannot_be_right_is_shown_and_flagged(
    client: FlaskClient, at_ms: int, shown: str, flagged: bool
) -> None:
    app = client.application
    with app.test_request_context("/"):
        for name in ("when", "clocktime"):
            text = app.jinja_env.filters[name](at_ms)
            assert shown in text or (name == "clocktime" and shown == "just now")
            assert ("wrong clock" in text) is flagged
