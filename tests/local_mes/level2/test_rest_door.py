"""Posts to a link's own address: heard by the collector alone, on disk before the answer, bounded in all they may cost."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import http.client
import json
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from level2_line import Line
from level2_peers import Site, collecting, until

from local_mes.app import create_console
from local_mes.level2.drivers import rest_door
from local_mes.level2.link_state import real_ms
from local_mes.level2.links import load_links
from local_mes.level2.posted import sign
from shared.clock import FixedClock
from shared.errors import BadSetup
from shared.ports import free_port

MakeSite = Callable[..., Site]
SECRET = "a secret that nobody guesses"
ONE = {"id": "W-1", "message": "WB.Weighed", "time": "2026-03-11T06:00:00", "fields": {"mass_kg": 21450}}
LINK = """
[[link]]
code = "{code}"
kind = "rest"
address = "127.0.0.1:{port}"
  [link.settings]
  secret_file = "wms.secret"
  {more}
"""


def post(port: int, messages: list[Any], link: str = "WMS", **other: Any) -> tuple[int, Any]:
    """Status and answer; tls: a context; token: sent instead of a signature."""
    body = json.dumps({"messages": messages}).encode()
    moment = str(real_ms() // 1000)
    headers = {"X-Strandline-Time": moment, "X-Strandline-Signature": sign(SECRET.encode(), moment, link, body)}
    headers = {"Authorization": f"Bearer {other['token']}"} if "token" in other else headers
    to = ("127.0.0.1", port)
    line = http.client.HTTPSConnection(*to, context=other["tls"]) if "tls" in other else http.client.HTTPConnection(*to)
    line.request("POST", other.get("path", f"/push/v1/{link}"), body, headers | other.get("headers", {}))
    answer = line.getresponse()
    found = answer.status, json.loads(answer.read())
    line.close()
    return found


def raw_answer(port: int, said: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=40) as line:
        line.sendall(said)
        return line.recv(4096)


def with_certificate(folder: Path) -> ssl.SSLContext:
    """A certificate of this machine in the folder, and a caller's trust in it."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "edge")])
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + dt.timedelta(days=36_500))
    signed = made.sign(key, hashes.SHA256())
    (folder / "edge.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    secret = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "edge.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, *secret))
    trust = ssl.create_default_context(cafile=str(folder / "edge.pem"))
    trust.check_hostname = False
    return trust


def test_posts_to_a_links_own_address_are_on_disk_when_it_says_so(
    make_site: MakeSite, clock: FixedClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wms.secret").write_text(SECRET)
    trust = with_certificate(tmp_path)
    plain, secret = free_port(), free_port()
    tls = 'proof = "token"\n  certificate = "edge.pem"\n  private_key = "edge.key"'
    site = make_site(more=LINK.format(code="WMS", port=plain, more="") + LINK.format(code="TLS", port=secret, more=tls))

    async def play() -> None:
        async with collecting(site, clock):
            await until(lambda: {site.state_name("WMS"), site.state_name("TLS")} == {"connected"})
            await asyncio.to_thread(posts)
            await until(lambda: site.state("WMS").received == 3)

    def posts() -> None:
        assert post(plain, [ONE, ONE | {"id": "W-2"}]) == (200, {"stored": 2, "repeated": 0})
        assert post(plain, [ONE, ONE | {"id": "W-3"}]) == (200, {"stored": 1, "repeated": 1})
        assert post(secret, [ONE], "TLS", tls=trust, token=SECRET) == (200, {"stored": 1, "repeated": 0})
        assert post(secret, [ONE], "TLS", tls=trust, token="another")[0] == 401
        assert post(plain, [ONE], headers={"X-Strandline-Signature": "0" * 64})[0] == 401
        assert post(plain, [ONE], path="/push/v1/TLS")[0] == 404
        status, problem = post(plain, [ONE | {"id": ""}])
        assert (status, problem["type"]) == (422, "urn:strandline:problem:level2.push_unreadable")
        assert b" 411 " in raw_answer(plain, b"POST /push/v1/WMS HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        assert b" 413 " in raw_answer(plain, b"POST /push/v1/WMS HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n")
        assert b" 501 " in raw_answer(plain, b"GET /push/v1/WMS HTTP/1.1\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert raw_answer(secret, b"no TLS at all\r\n\r\n")[:4] != b"HTTP"
        monkeypatch.setattr(rest_door._Handler, "timeout", 2)
        with socket.create_connection(("127.0.0.1", plain), timeout=40) as slow:
            slow.sendall(b"POST /push/v1/WMS HTTP/1.1\r\nContent-Length: 50\r\n\r\nhalf")
            assert slow.recv(10) == b"", "who says nothing more is let go"

    asyncio.run(play())
    assert sorted(row.link for row in site.spooled()) == ["TLS", "WMS", "WMS", "WMS"]
    web = create_console(Line(site, clock).plant).test_client()
    assert web.post("/push/v1/WMS", data=b"{}").status_code == 404, "one door a link"


def test_a_port_is_opened_without_asking_a_name_service(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[str]()
    monkeypatch.setattr(socket, "getfqdn", lambda name="": asked.append(name) or name)
    with rest_door.RestDoor(("127.0.0.1", 0), lambda _: True, None, lambda *_: {}):
        assert asked == [], "every link of the collector would wait for its answer"


def test_a_crowd_and_strangers_are_not_served() -> None:
    def nothing(*_: Any) -> dict[str, Any]:
        raise AssertionError("nobody posts here")

    with rest_door.RestDoor(("127.0.0.1", 0), lambda host: host.startswith("10.1."), None, nothing) as door:
        assert not door.verify_request(None, ("192.168.7.10", 1))
        of_one = [door.verify_request(None, ("10.1.7.9", n)) for n in range(rest_door.AT_ONCE_OF_ONE_MAX + 1)]
        rest = rest_door.AT_ONCE_MAX - rest_door.AT_ONCE_OF_ONE_MAX
        served = [door.verify_request(None, (f"10.1.8.{n}", n)) for n in range(rest + 1)]
    assert of_one == [True] * rest_door.AT_ONCE_OF_ONE_MAX + [False], "one address leaves places to the others"
    assert served == [True] * rest + [False]


@pytest.mark.parametrize("tls", [False, True])
def test_a_sender_that_drips_is_cut_and_one_that_meets_a_fault_hears_of_it(
    tls: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust = with_certificate(tmp_path)
    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(tmp_path / "edge.pem", tmp_path / "edge.key")

    def faulty(*_: Any) -> dict[str, Any]:
        raise FileNotFoundError("the secret is gone")

    door = rest_door.RestDoor(("127.0.0.1", 0), lambda _: True, own if tls else None, faulty)
    door.serve()
    to = door.server_address[:2]

    def call() -> socket.socket:
        plain = socket.create_connection(to, timeout=40)
        return trust.wrap_socket(plain) if tls else plain

    try:
        with call() as honest:
            honest.sendall(b"POST /push/v1/WMS HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
            assert b" 500 " in honest.recv(4096)
        monkeypatch.setattr(rest_door, "REQUEST_S", 1)
        end = monotonic() + 40
        with call() as slow, contextlib.suppress(OSError):
            while monotonic() < end:
                slow.sendall(b"X")
                sleep(0.05)
        assert monotonic() < end, "a byte now and then keeps no place"
    finally:
        door.end()


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ('proof = "token"', "needs TLS"),
        ('certificate = "edge.pem"', "go together"),
        ('certificate = "no.pem"\n  private_key = "no.key"', "cannot be used"),
    ],
)
def test_an_own_address_that_would_tell_the_secret_is_refused_at_the_start(
    make_site: MakeSite, tmp_path: Path, more: str, why: str
) -> None:
    (tmp_path / "wms.secret").write_text(SECRET)
    with pytest.raises(BadSetup, match=why):
        load_links(make_site(more=LINK.format(code="WMS", port=1, more=more)).settings)
