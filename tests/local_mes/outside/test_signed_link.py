"""The web link to one load: what its holder can do, and what nobody can do with it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from browse import sign_in
from flask.testing import FlaskClient
from outside_bench import CUSTOMER, PROCESSOR, OutsideBench
from werkzeug.test import TestResponse

from local_mes.app import create_console
from local_mes.outside import links
from local_mes.outside.errors import TooManyTries
from local_mes.outside.limiting import KEYS_MAX, Limit
from shared.db.engine import read
from shared.errors import NotFound
from shared.outside.queries import find_words

HOUR_MS = 3_600_000


class Holder:
    """A browser at the other end, without an account."""

    def __init__(self, app: Any) -> None:
        self.client: FlaskClient = app.test_client()
        self.at = ""

    def open(self, secret: str) -> TestResponse:
        answer = self.client.get(f"/l/{secret}")
        self.at = answer.headers.get("Location", "")
        return answer

    def send(self, token: str | None = None, at: str = "", **values: str) -> TestResponse:
        page = self.client.get(self.at).text
        csrf = re.search(r'name="csrf_token" value="([^"]+)"', page)
        values["csrf_token"] = token if token is not None else (csrf[1] if csrf else "")
        return self.client.post(at or self.at, data=values)


@pytest.fixture
def app(bench: OutsideBench) -> Any:
    return create_console(bench.plant)


@pytest.fixture
def load(bench: OutsideBench) -> dict[str, Any]:
    bench.agree_processor()
    bench.agree()
    ids = {number: bench.coil(number) for number in ("C6-00001", "C6-00002", "C6-00003")}
    return {**bench.send(*ids, party=PROCESSOR), "ids": ids}


def give(bench: OutsideBench, load: dict[str, Any], hours: int = 72) -> str:
    return links.give_link(bench.plant, load["number"], hours, actor="p1")


def words(bench: OutsideBench) -> list[tuple[str, str]]:
    with read(bench.plant.node.engine) as conn:
        return sorted((word.kind, word.printed_number) for word in find_words(conn, "CLD"))


def test_a_load_is_received_on_a_phone(bench: OutsideBench, app: Any, load: dict[str, Any]) -> None:
    holder = Holder(app)
    secret = give(bench, load)
    opened = holder.open(secret)
    assert (opened.status_code, opened.headers["Referrer-Policy"]) == (303, "no-referrer")
    assert secret not in holder.at  # neither history nor a referrer gives it away
    page = holder.client.get(holder.at)
    assert page.headers["Cache-Control"] == "no-store"
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert "C6-00001" in page.text
    assert "<script" not in page.text
    assert not re.findall(r'href="(?!/static/)', page.text)  # it leads nowhere else
    one, two, three = (load["ids"][n] for n in ("C6-00001", "C6-00002", "C6-00003"))
    bad = holder.send(**{f"how-{one}": "damaged", f"kg-{one}": "10050.5"})
    assert bad.status_code == 422
    assert "C6-00001 is marked as damaged" in bad.text
    assert "10050.5" in bad.text
    done = holder.send(
        **{f"how-{one}": "damaged", f"damage-{one}": "edge bent", f"kg-{one}": "10050.5", f"how-{two}": "missing"},
        said_by="J. Smith",
    )
    assert done.status_code == 303
    lines = bench.lines(load["shipment_id"])
    assert (lines["C6-00001"].state, lines["C6-00001"].damage) == ("received_with_exceptions", "edge bent")
    assert lines["C6-00001"].receiver_mass_g == 10_050_500
    assert (lines["C6-00002"].state, lines["C6-00003"].state) == ("short", "in_transit")
    assert holder.send(all="1").status_code == 303
    assert bench.lines(load["shipment_id"])["C6-00003"].state == "received"
    assert "Everything of this load is confirmed" in holder.client.get(holder.at).text
    before = words(bench)
    holder.send(**{f"how-{two}": "came", f"how-{three}": "missing"})  # sent again, and otherwise
    assert words(bench) == before
    lead = sign_in(app, bench.plant.node, "lead", "lead")
    assert "J. Smith" in lead.page(f"/outside/loads/{load['number']}")
    with read(bench.plant.node.engine) as conn:
        assert {word.way for word in find_words(conn, "CLD")} == {"link"}


def test_guesses_open_nothing_and_are_slowed(bench: OutsideBench, app: Any, load: dict[str, Any]) -> None:
    secret = give(bench, load)
    flipped = ("A" if secret[-2] != "A" else "B").join((secret[:-2], secret[-1]))
    swapped = ("A" if secret[0] != "A" else "B") + secret[1:]
    guesses = ["x", "", "a" * 43, "%00", flipped, swapped, secret + "=", secret[:-1], secret.lower()]
    holder = Holder(app)
    for guess in guesses:
        answer = holder.client.get(f"/l/{guess}")
        assert answer.status_code == 404, guess
        assert "C6-0" not in answer.text
    last = [holder.client.get(f"/l/guess{n}").status_code for n in range(20)]
    assert last[-1] == 429
    assert holder.open(secret).status_code == 303  # who holds a link is not locked out by who guesses
    fresh = Holder(app)
    link_id = holder.at.rsplit("/", 1)[-1]
    assert fresh.client.get(f"/load/{link_id}").status_code in (404, 429)  # the id alone opens nothing
    assert words(bench) == []


def test_only_the_links_own_load_can_be_spoken_of(bench: OutsideBench, app: Any, load: dict[str, Any]) -> None:
    bench.order()
    other_piece = bench.coil("C6-00009")
    other = bench.send("C6-00009", party=CUSTOMER)
    other_holder, holder = Holder(app), Holder(app)
    other_holder.open(give(bench, other))
    holder.open(give(bench, load))
    page = holder.client.get(holder.at).text
    assert "C6-00009" not in page
    assert other["number"] not in page
    assert holder.client.get(other_holder.at).status_code == 404
    assert holder.send(at=other_holder.at, all="1").status_code == 404
    assert holder.send(**{f"how-{other_piece}": "missing"}).status_code == 303
    assert words(bench) == []
    # nothing of the plant is open to it either
    assert holder.client.get("/transfers/loads").status_code == 302
    assert holder.client.get("/api/v1/deliveries").status_code == 401
    with pytest.raises(NotFound, match="left here for an outside party"):
        links.give_link(bench.plant, "CL-999999", 1, actor="p1")


def test_an_expired_or_revoked_link_opens_nothing(bench: OutsideBench, app: Any, load: dict[str, Any]) -> None:
    holder = Holder(app)
    secret = give(bench, load, hours=1)
    holder.open(secret)
    bench.clock.advance(HOUR_MS - 1)
    assert holder.client.get(holder.at).status_code == 200
    bench.clock.advance(1)
    assert holder.client.get(holder.at).status_code == 404
    assert holder.send(all="1").status_code in (400, 404)
    assert holder.client.get(f"/l/{secret}").status_code == 404
    second = give(bench, load, hours=10**6)  # longer than a month is a month
    holder.open(second)
    link_id = holder.at.rsplit("/", 1)[-1]
    page = holder.client.get(holder.at).text
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert csrf
    links.revoke_link(bench.plant, link_id)
    late = holder.client.post(holder.at, data={"csrf_token": csrf[1], "all": "1"})
    assert late.status_code == 404
    assert holder.client.get(f"/l/{second}").status_code == 404
    bench.clock.advance(links.HOURS_MAX * HOUR_MS)
    third = give(bench, load)
    bench.agree_processor(ended=True)
    assert holder.client.get(f"/l/{third}").status_code == 404
    assert words(bench) == []


def test_a_form_from_elsewhere_is_not_accepted(bench: OutsideBench, app: Any, load: dict[str, Any]) -> None:
    holder, other = Holder(app), Holder(app)
    secret = give(bench, load)
    holder.open(secret)
    other.open(secret)
    stolen = re.search(r'name="csrf_token" value="([^"]+)"', other.client.get(other.at).text)
    assert stolen
    for token in ("", "x", stolen[1]):
        assert holder.send(token=token, all="1").status_code == 400
    assert holder.client.get(f"{holder.at}?all=1").status_code == 200
    assert words(bench) == []


def test_one_link_cannot_flood_the_plant(bench: OutsideBench, app: Any, load: dict[str, Any]) -> None:
    holder = Holder(app)
    holder.open(give(bench, load))
    page = holder.client.get(holder.at).text
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert csrf
    sent = [holder.client.post(holder.at, data={"csrf_token": csrf[1]}).status_code for _ in range(31)]
    assert (sent[0], sent[-1]) == (303, 429)


def test_a_limit_counts_a_minute_and_forgets_the_oldest() -> None:
    now = [0.0]
    limit = Limit(2, lambda: now[0])
    limit.count("a")
    limit.count("a")
    with pytest.raises(TooManyTries) as refused:
        limit.count("a")
    assert refused.value.after_s == 60
    limit.count("b")
    now[0] = 60
    limit.count("a")
    for n in range(KEYS_MAX):
        limit.count(f"k{n}")
    limit.count("a")
    limit.count("a")
    with pytest.raises(TooManyTries):
        limit.count("a")
