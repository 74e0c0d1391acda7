"""Who is believed over OPC UA: certificates a person accepted, three policies, three ways to sign in, two makes of server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from level2_peers import Site, collecting, until
from opcua_peers import MAKES, POLICIES, AsyncuaServer, certify

from local_mes.level2.link_state import real_ms
from local_mes.level2.links import load_links
from local_mes.level2.opcua.own import make_certificate
from local_mes.level2.opcua.trust import REJECTED_MAX, TrustStore, Untrusted, read_certificate
from shared.clock import FixedClock
from shared.errors import BadInput, BadSetup, NotFound
from shared.ports import free_port

MakeSite = Callable[..., Site]
LINK = """
[[link]]
code = "{code}"
kind = "opcua"
address = "opc.tcp://localhost:{port}"
  [link.settings]
  security = "{policy}"
  publish_ms = 20
  {sign_in}
  [[link.settings.signals]]
  message = "EAF1.Speed"
  node = "nsu=urn:strandline:level2;s=Speed"
"""
BY_NAME = 'user = "mes"\n  password_file = "password"'
BY_CERTIFICATE = 'user_certificate = "person.der"\n  user_key = "person.pem"'
DAY_MS = 86_400_000


def values(site: Site, link: str) -> list[Any]:
    return [json.loads(row.fields)["value"] for row in site.spooled() if row.link == link]


def says(site: Site, link: str, text: str) -> bool:
    return bool(site.state_name(link)) and text in str(site.state(link).detail)


@pytest.mark.parametrize("make", MAKES, ids=["asyncua", "node-opcua"])
def test_a_server_is_believed_when_a_person_has_accepted_it(
    make: Any, make_site: MakeSite, clock: FixedClock, tmp_path: Path
) -> None:
    port = free_port()
    (tmp_path / "password").write_text("for the melt shop\n")
    certify(tmp_path, "person", "urn:strandline:level2:client")
    links = [LINK.format(code=name, port=port, policy=name, sign_in=BY_NAME) for name in POLICIES]
    links.append(LINK.format(code="CARD", port=port, policy=POLICIES[0], sign_in=BY_CERTIFICATE))
    site, trust = make_site(more="".join(links)), TrustStore(tmp_path)
    server = make(port, tmp_path, POLICIES, "mes", "for the melt shop")
    if isinstance(server, AsyncuaServer):
        server.users.person = (tmp_path / "person.der").read_bytes()
    make_certificate(tmp_path, "ALD", 30)

    async def play() -> None:
        async with server.running(), collecting(site, clock):
            await until(lambda: all(says(site, name, "is not trusted") for name in POLICIES))
            assert site.spooled() == []
            (rejected,) = trust.find()
            assert rejected.state == "rejected"
            trust.accept(rejected.fingerprint, actor="ines", now_ms=real_ms())
            await until(lambda: all(values(site, name) == [0] for name in (*POLICIES, "CARD")))

    asyncio.run(play())
    (accepted,) = trust.find()
    assert (accepted.state, accepted.accepted_by) == ("trusted", "ines")


def test_a_server_without_security_is_not_talked_to_unless_the_link_says_so(
    make_site: MakeSite, clock: FixedClock, tmp_path: Path
) -> None:
    port = free_port()
    open_one = LINK.format(code="OPEN", port=port, policy="None", sign_in="")
    unsaid = LINK.format(code="UNSAID", port=port, policy="None", sign_in="").replace('  security = "None"\n', "")
    site = make_site(more=open_one + unsaid)
    make_certificate(tmp_path, "ALD", 30)

    async def play() -> None:
        async with AsyncuaServer(port, tmp_path).running(), collecting(site, clock):
            await until(lambda: values(site, "OPEN") == [0])
            await until(lambda: says(site, "UNSAID", "offers no Basic256Sha256 signed and encrypted, but None"))

    asyncio.run(play())
    assert values(site, "UNSAID") == []


def test_signing_in_by_certificate_by_name_and_with_a_wrong_password(
    make_site: MakeSite, clock: FixedClock, tmp_path: Path
) -> None:
    port = free_port()
    (tmp_path / "password").write_text("right")
    (tmp_path / "wrong").write_text("guess")
    certify(tmp_path, "person", "urn:strandline:level2:client")
    ways = {"NAME": BY_NAME, "CARD": BY_CERTIFICATE, "WRONG": BY_NAME.replace('"password"', '"wrong"'), "NOBODY": ""}
    links = [LINK.format(code=code, port=port, policy=POLICIES[0], sign_in=way) for code, way in ways.items()]
    site = make_site(more="".join(links))
    make_certificate(tmp_path, "ALD", 30)
    server = AsyncuaServer(port, tmp_path, POLICIES[:1], "mes", "right")
    server.users.person = (tmp_path / "person.der").read_bytes()

    async def play() -> None:
        async with server.running():
            trust = TrustStore(tmp_path)
            with pytest.raises(Untrusted):
                trust.judge((tmp_path / "server.der").read_bytes(), "urn:test:eaf", real_ms())
            trust.accept(trust.find()[0].fingerprint, actor="ines", now_ms=real_ms())
            async with collecting(site, clock):
                await until(lambda: values(site, "NAME") == [0] and values(site, "CARD") == [0])
                await until(lambda: says(site, "WRONG", "Bad") and says(site, "NOBODY", "Bad"))

    asyncio.run(play())
    assert {"name", "certificate", "refused name", "refused nobody"} <= set(server.users.seen)
    assert values(site, "WRONG") == values(site, "NOBODY") == []


@pytest.fixture
def der(tmp_path: Path) -> bytes:
    certify(tmp_path, "mill", "urn:test:mill")
    return (tmp_path / "mill.der").read_bytes()


def test_a_trusted_certificate_is_refused_before_and_after_its_time_and_for_another_application(
    der: bytes, tmp_path: Path
) -> None:
    trust, now = TrustStore(tmp_path), real_ms()
    shown = read_certificate(der)
    with pytest.raises(Untrusted, match="not trusted"):
        trust.judge(der, "urn:test:mill", now)
    trust.accept(shown.fingerprint, actor="ines", now_ms=now)
    assert trust.judge(der, "urn:test:mill", now) == shown
    with pytest.raises(Untrusted, match="ran out on"):
        trust.judge(der, "urn:test:mill", now + 3 * DAY_MS)
    with pytest.raises(Untrusted, match="valid only from"):
        trust.judge(der, "urn:test:mill", now - 3 * DAY_MS)
    with pytest.raises(Untrusted, match="urn:test:other"):
        trust.judge(der, "urn:test:other", now)
    with pytest.raises(Untrusted, match="cannot be read"):
        trust.judge(der[:-10], "urn:test:mill", now)


def test_trust_is_withdrawn_and_only_what_is_kept_can_be_accepted(der: bytes, tmp_path: Path) -> None:
    trust, now = TrustStore(tmp_path), real_ms()
    shown = read_certificate(der)
    with pytest.raises(NotFound):
        trust.accept(shown.fingerprint, actor="ines", now_ms=now)
    with pytest.raises(BadInput):
        trust.accept("../../etc/passwd", actor="ines", now_ms=now)
    with pytest.raises(Untrusted):
        trust.judge(der, "urn:test:mill", now)
    trust.accept(shown.fingerprint, actor="ines", now_ms=now)
    trust.withdraw(shown.fingerprint)
    assert [one.state for one in trust.find()] == ["rejected"]
    with pytest.raises(Untrusted, match="not trusted"):
        trust.judge(der, "urn:test:mill", now)


def test_many_unknown_certificates_do_not_fill_the_disk(der: bytes, tmp_path: Path) -> None:
    trust = TrustStore(tmp_path)
    with pytest.raises(Untrusted):
        trust.judge(der, "urn:test:mill", real_ms())
    kept = next((tmp_path / "pki" / "rejected").glob("*.der"))
    for n in range(REJECTED_MAX + 5):
        (kept.parent / f"{n:064x}.der").write_bytes(der)
    kept.unlink()
    with pytest.raises(Untrusted):
        trust.judge(der, "urn:test:mill", real_ms())
    assert len(list(kept.parent.glob("*.der"))) == REJECTED_MAX


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ('security = "None"\n  user = "mes"\n  password_file = "model.toml"', "signing in needs security"),
        ('user = "mes"', "go together"),
        ('password_file = "nowhere"\n  user = "mes"', "nowhere"),
        ('user_certificate = "model.toml"', "user_key"),
        ('security = "Basic128"', "Basic128"),
        ('securty = "None"', "securty"),
        ("publish_ms = 1", "publish_ms"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(settings: str, why: str, make_site: MakeSite) -> None:
    more = (
        f'[[link]]\ncode = "EAF"\nkind = "opcua"\naddress = "opc.tcp://localhost:1"\n  [link.settings]\n  {settings}\n'
    )
    with pytest.raises(BadSetup, match=why):
        load_links(make_site(more=more).settings)
