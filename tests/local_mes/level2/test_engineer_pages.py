"""Pages of the engineer: certificates to accept, signals, a server's nodes; and the door for posted messages."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from level2_line import Line
from level2_peers import Site, collecting, until
from opcua_peers import POLICIES, NodeServer, certify

from local_mes.app import ROLES, create_console
from local_mes.level2 import looks
from local_mes.level2.certificates import save_certificate
from local_mes.level2.link_state import real_ms
from local_mes.level2.links import load_links
from local_mes.level2.opcua import browse as opcua_browse
from local_mes.level2.opcua.own import make_certificate
from local_mes.level2.opcua.trust import TrustStore, Untrusted, read_certificate
from local_mes.level2.posted import sign
from shared.clock import FixedClock
from shared.db.engine import write
from shared.errors import BadSetup
from shared.ports import free_port
from shared.web.accounts import add_person

MakeSite = Callable[..., Site]
OPCUA = """
[[link]]
code = "EAF"
kind = "opcua"
address = "opc.tcp://localhost:{port}"
unit = "EAF1"
  [link.settings]
  security = "Basic256Sha256"
"""
REST = """
[[link]]
code = "WMS"
kind = "rest"
address = ""
  [link.settings]
  secret_file = "wms.secret"
  silent_s = 600
[[link]]
code = "TOK"
kind = "rest"
address = ""
  [link.settings]
  secret_file = "wms.secret"
  proof = "token"
[[link]]
code = "FAR"
kind = "rest"
address = ""
  [link.settings]
  secret_file = "wms.secret"
  hosts = ["10.1.0.0/16"]
"""
SECRET = "a secret that nobody guesses"


def signed_in(line: Line, login: str = "engineer") -> FlaskClient:
    with write(line.plant.node.engine) as conn:
        add_person(conn, line.clock, login, "Ines Engel", (login,), "long enough to type", ROLES)
    client = create_console(line.plant).test_client()
    token = token_in(client.get("/sign-in").text)
    client.post("/sign-in", data={"csrf_token": token, "login": login, "password": "long enough to type"})
    return client


def token_in(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found[1]


def test_a_certificate_is_accepted_and_withdrawn_on_the_page(
    make_site: MakeSite, clock: FixedClock, tmp_path: Path
) -> None:
    line = Line(make_site(), clock)
    certify(tmp_path, "mill", "urn:test:mill", days=20)
    der = (tmp_path / "mill.der").read_bytes()
    shown = read_certificate(der)
    with write(line.plant.spool) as conn:
        save_certificate(conn, link="EAF", role="server", shown=shown)
    with pytest.raises(Untrusted):
        TrustStore(tmp_path).judge(der, "urn:test:mill", real_ms())
    client = signed_in(line)
    page = client.get("/level2/certificates").text
    assert "Accept" in page
    assert "renew soon" in page
    assert "renew soon" in client.get("/level2/links").text
    form = {"csrf_token": token_in(page), "fingerprint": shown.fingerprint}
    assert client.post("/level2/certificates", data=form | {"accept": "1"}).status_code == 302
    assert TrustStore(tmp_path).judge(der, "urn:test:mill", real_ms()).fingerprint == shown.fingerprint
    page = client.get("/level2/certificates").text
    assert "by Ines Engel" in page
    assert client.post("/level2/certificates", data=form | {"withdraw": "1"}).status_code == 302
    assert client.post("/level2/certificates", data=form | {"withdraw": "1"}).status_code == 404
    assert client.post("/level2/certificates", data=form | {"fingerprint": "../x", "accept": "1"}).status_code == 422
    operator = signed_in(line, "operator")
    assert operator.get("/level2/certificates").status_code == 403
    assert operator.get("/level2/signals").status_code == 200


@contextmanager
def elsewhere(*parts: AbstractAsyncContextManager[Any]) -> Iterator[None]:
    """A server or a collector in a loop of its own: the page waits in the thread of its request."""
    ready, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            for part in parts:
                await stack.enter_async_context(part)
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert ready.wait(40)
        yield
    finally:
        stop.set()
        thread.join()


def wait_until(condition: Callable[[], bool]) -> None:
    asyncio.run(until(condition))


def test_a_server_is_looked_into_where_its_link_is_and_nodes_become_lines_of_the_model(
    make_site: MakeSite, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a busy machine is none of the test's matter: neither a slow answer nor a collector that has no turn
    monkeypatch.setattr(looks, "WAIT_S", 60.0)
    monkeypatch.setattr(looks, "FRESH_MS", 90_000)
    monkeypatch.setattr(looks, "COLLECTOR_AWAY_MS", 90_000)
    monkeypatch.setattr(opcua_browse, "WAIT_S", 50.0)
    port = free_port()
    line, server = Line(make_site(more=OPCUA.format(port=port)), clock), NodeServer(port, tmp_path, POLICIES[:1])
    make_certificate(tmp_path, "ALD", 30)
    client = signed_in(line)
    away = client.get("/level2/browse/EAF")
    assert (away.status_code, "collector of this plant does not run" in away.text) == (503, True)
    with elsewhere(collecting(line.site, clock)):
        wait_until(lambda: line.site.state_name("EAF") == "away")
        assert "The server of EAF cannot be looked into" in client.get("/level2/browse/EAF").text
    with elsewhere(server.running(), collecting(line.site, clock)):
        wait_until(lambda: "is not trusted" in str(line.site.state("EAF").detail))
        assert "is not trusted" in client.get("/level2/browse/EAF").text
        trust = TrustStore(tmp_path)
        trust.accept(trust.find()[0].fingerprint, actor="ines", now_ms=real_ms())
        top = client.get("/level2/browse/EAF").text
        (node,) = re.findall(r'href="[^"]*node=([^"&]*)[^"]*">Line</a>', top)
        below = client.get(f"/level2/browse/EAF?node={node}").text
        assert "variable, can be written" in below
        pick = re.findall(r'name="pick" value="(Speed\t[^"]+)"', below)
        assert [one.split("\t")[1] for one in pick] == ["nsu=urn:strandline:level2;s=Speed"]
        lines = client.get("/level2/browse/EAF", query_string={"node": "i=85", "pick": pick}).text
    assert "message = &#34;EAF1.Speed&#34;" in lines
    assert client.get("/level2/browse/NONE").status_code == 404
    assert "EAF" in client.get("/level2/browse").text


def posted(client: FlaskClient, messages: list[dict[str, Any]], link: str = "WMS", **other: Any) -> Any:
    body = json.dumps({"messages": messages}).encode()
    moment = str(other.get("moment", real_ms() // 1000))
    signature = other.get("signature", sign(SECRET.encode(), moment, link, body))
    headers = {"X-Strandline-Time": moment, "X-Strandline-Signature": signature} | other.get("headers", {})
    more = other.get("more", {})
    return client.post(f"/push/v1/{link}", data=body, headers=headers, content_type="application/json", **more)


ONE = {"id": "W-1", "message": "WB.Weighed", "time": "2026-03-11T06:00:00", "fields": {"mass_kg": 21450}}


@pytest.fixture
def rest(make_site: MakeSite, clock: FixedClock, tmp_path: Path) -> Line:
    (tmp_path / "wms.secret").write_text(f"{SECRET}\n")
    return Line(make_site(more=REST), clock)


def test_posted_messages_are_on_disk_when_it_says_so_and_count_once(rest: Line) -> None:
    client, site = create_console(rest.plant).test_client(), rest.site
    answer = posted(client, [ONE, ONE | {"id": "W-2"}])
    assert (answer.status_code, answer.json) == (200, {"stored": 2, "repeated": 0})
    assert [(row.link, row.message, row.claimed_ms) for row in site.spooled()] == [
        ("WMS", "WB.Weighed", 1773205200000)
    ] * 2
    assert posted(client, [ONE, ONE | {"id": "W-3"}]).json == {"stored": 1, "repeated": 1}

    async def play() -> None:
        async with collecting(site, rest.clock):
            await until(lambda: site.state_name("WMS") == "connected" and site.state("WMS").received == 3)
            rest.clock.advance(601_000)
            await until(lambda: site.state_name("WMS") == "no_data")
            posted(client, [ONE | {"id": "W-4"}])
            await until(lambda: site.state_name("WMS") == "connected")

    asyncio.run(play())


def test_a_post_without_proof_stores_nothing(rest: Line) -> None:
    client = create_console(rest.plant).test_client()
    now = real_ms() // 1000
    for other in (
        {"signature": "0" * 64},
        {"moment": now - 400},
        {"moment": "soon"},
        {"signature": sign(SECRET.encode(), str(now), "TOK", b"{}"), "moment": now},
        {"headers": {"X-Strandline-Signature": "é"}},
    ):
        assert posted(client, [ONE], **other).status_code == 401
    assert posted(client, [ONE], "FAR").status_code == 401
    assert rest.site.spooled() == []
    near = {"environ_base": {"REMOTE_ADDR": "10.1.7.9"}}
    assert posted(client, [ONE], "FAR", more=near).json == {"stored": 1, "repeated": 0}
    assert posted(client, [ONE], "NONE").status_code == 404
    assert posted(client, [ONE], "CC1").status_code == 404
    assert posted(client, [ONE], "TOK").status_code == 401
    assert posted(client, [ONE], "TOK", headers={"Authorization": f"Bearer {SECRET}"}).status_code == 200
    assert len(rest.site.spooled()) == 2


@pytest.mark.parametrize(
    "messages", [[], [{}], [ONE | {"id": ""}], [ONE | {"feilds": {}}], [ONE | {"fields": 7}], [ONE] * 501]
)
def test_a_body_that_is_not_what_is_asked_for_stores_nothing(messages: list[Any], rest: Line) -> None:
    answer = posted(create_console(rest.plant).test_client(), messages)
    assert answer.status_code == 422
    assert rest.site.spooled() == []


def test_a_short_secret_is_refused_at_the_start(make_site: MakeSite, tmp_path: Path) -> None:
    (tmp_path / "wms.secret").write_text("short")
    with pytest.raises(BadSetup, match="at least 24"):
        load_links(make_site(more=REST).settings)
