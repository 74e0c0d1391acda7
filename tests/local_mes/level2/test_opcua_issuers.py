"""Servers believed through their issuer: chain, time, right to issue, revocation; against a real server and on the page."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import level2_operations  # noqa: F401  registers the operations of the test model
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from level2_line import Line
from level2_peers import Site, collecting, until
from opcua_peers import POLICIES, AsyncuaServer
from test_opcua_security import LINK, says, values

from local_mes.app import create_console
from local_mes.level2.link_state import real_ms
from local_mes.level2.opcua.issuers import Issuers
from local_mes.level2.opcua.own import make_certificate
from local_mes.level2.opcua.trust import TrustStore, Untrusted
from shared.clock import FixedClock
from shared.errors import BadInput, NotFound
from shared.ports import free_port

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import sign_in

MakeSite = Callable[..., Site]
URI = "urn:test:eaf"
DAY = timedelta(days=1)
KEY = rsa.generate_private_key(65537, 2048)
"""One key for all: what is signed by whom is told by names and numbers, and keys are slow to make."""
OTHER_KEY = rsa.generate_private_key(65537, 2048)


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(subject: str, issuer: str, *, ca: bool = True, key: Any = KEY, days: int = 10, **more: Any) -> Any:
    """A certificate; key signs it. more: path_length, begun (days ago), issues, usage, holder (its own key)."""
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(more.get("holder", KEY).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - more.get("begun", 1) * DAY)
        .not_valid_after(now + days * DAY)
        .add_extension(x509.BasicConstraints(ca, more.get("path_length")), critical=True)
        .add_extension(usage(issues=more.get("issues", ca)), critical=True)
    )
    if not ca:
        names = [x509.UniformResourceIdentifier(URI), x509.DNSName("localhost")]
        made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
        ends = ExtendedKeyUsageOID.CLIENT_AUTH if more.get("usage") == "client" else ExtendedKeyUsageOID.SERVER_AUTH
        made = made.add_extension(x509.ExtendedKeyUsage([ends]), critical=False)
    return made.sign(key, SHA256())


def usage(issues: bool) -> x509.KeyUsage:
    return x509.KeyUsage(True, True, True, True, False, issues, issues, False, False)


def revoked(issuer: str, *certificates: Any, key: Any = KEY, age: int = 0, days: int = 5) -> bytes:
    """The issuer's list, made age days ago."""
    now = datetime.now(UTC) - age * DAY
    made = x509.CertificateRevocationListBuilder().issuer_name(name(issuer)).last_update(now)
    made = made.next_update(now + days * DAY)
    for one in certificates:
        entry = x509.RevokedCertificateBuilder().serial_number(one.serial_number).revocation_date(now).build()
        made = made.add_revoked_certificate(entry)
    return made.sign(key, SHA256()).public_bytes(Encoding.DER)


def der(one: Any) -> bytes:
    return bytes(one.public_bytes(Encoding.DER))


ROOT, SUB = certificate("Root", "Root"), certificate("Plant", "Root", path_length=0)
SERVER = certificate("eaf", "Plant", ca=False)


def store(home: Path, *issuers: Any) -> TrustStore:
    """With these issuers and an empty list of each."""
    for one in issuers:
        Issuers(home).take(der(one), actor="ines", now_ms=1)
        Issuers(home).take_list(revoked(one.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value))
    return TrustStore(home)


def judge(trust: TrustStore, *shown: Any, host: str = "localhost") -> None:
    trust.judge(b"".join(map(der, shown)), URI, real_ms(), host)


def test_an_issuer_vouches_directly_and_through_another(tmp_path: Path) -> None:
    judge(store(tmp_path / "a", SUB), SERVER)
    judge(store(tmp_path / "b", ROOT, SUB), SERVER, SUB)
    with pytest.raises(Untrusted, match="no list of revoked"):
        judge(store(tmp_path / "c", ROOT), SERVER, SUB)  # shown by the server, and nobody has its list
    with pytest.raises(Untrusted, match=r"is not trusted\. It is kept"):
        judge(store(tmp_path / "d"), SERVER)


@pytest.mark.parametrize(
    ("server", "issuer", "why"),
    [
        (SERVER, certificate("Plant", "Root", ca=True, issues=False), "may not issue"),
        (SERVER, certificate("Plant", "Root", days=-1, begun=9), "is not valid now"),
        (certificate("eaf", "Plant", ca=False, key=OTHER_KEY), SUB, r"is not trusted\. It is kept"),
        (certificate("eaf", "Plant", ca=False, days=-1, begun=9), SUB, "ran out on"),
    ],
    ids=["no right to issue", "issuer out of time", "signed by a stranger", "out of time itself"],
)
def test_what_must_not_be_believed(server: Any, issuer: Any, why: str, tmp_path: Path) -> None:
    folder = tmp_path / "pki" / "issuers"
    folder.mkdir(parents=True)
    (folder / f"{issuer.fingerprint(SHA256()).hex()}.der").write_bytes(der(issuer))
    (folder / f"{issuer.fingerprint(SHA256()).hex()}.crl").write_bytes(revoked("Plant"))
    with pytest.raises(Untrusted, match=why):
        judge(TrustStore(tmp_path), server)


def test_a_server_cannot_issue_for_another_and_an_issuer_not_deeper_than_it_may(tmp_path: Path) -> None:
    below = certificate("other", "eaf", ca=False)
    with pytest.raises(Untrusted, match="may not issue"):
        judge(store(tmp_path / "a", SUB), below, SERVER)
    deep = certificate("Deep", "Plant")
    trust = store(tmp_path / "b", SUB, deep)
    Issuers(tmp_path / "b")  # the plant's issuer allows no issuer below it
    folder = tmp_path / "b" / "pki" / "issuers"
    (folder / f"{deep.fingerprint(SHA256()).hex()}.der").unlink()
    with pytest.raises(Untrusted, match=r"no list|more issuers"):
        judge(trust, certificate("eaf", "Deep", ca=False), deep)


def test_another_machine_of_the_same_issuer_cannot_stand_in_for_the_server(tmp_path: Path) -> None:
    trust = store(tmp_path, SUB)
    with pytest.raises(Untrusted, match=r"it is for localhost, and this link's address is 10\.1\.4\.10"):
        judge(trust, SERVER, host="10.1.4.10")
    with pytest.raises(Untrusted, match="did not give it for a server"):
        judge(trust, certificate("scada", "Plant", ca=False, usage="client"))
    shown = SERVER.fingerprint(SHA256()).hex()
    trust.accept(shown, actor="ines", now_ms=1)  # a person who has compared it may
    judge(trust, SERVER, host="10.1.4.10")


def test_lists_of_revoked_ones(tmp_path: Path) -> None:
    issuers, trust = Issuers(tmp_path), TrustStore(tmp_path)
    issuers.take(SUB.public_bytes(Encoding.PEM), actor="ines", now_ms=1)
    with pytest.raises(Untrusted, match="no list of revoked certificates: take one first"):
        judge(trust, SERVER)
    with pytest.raises(BadInput, match="none of the issuers"):
        issuers.take_list(revoked("Plant", key=OTHER_KEY))
    with pytest.raises(BadInput, match="none of the issuers"):
        issuers.take_list(revoked("Root"))
    with pytest.raises(BadInput, match="no list"):
        issuers.take_list(b"x")
    issuers.take_list(revoked("Plant", age=9))  # past its time: it holds and is shown
    judge(trust, SERVER)
    issuers.take_list(revoked("Plant", SERVER))
    with pytest.raises(Untrusted, match="has revoked it on"):
        judge(trust, SERVER)
    with pytest.raises(BadInput, match="older than the one"):
        issuers.take_list(revoked("Plant", age=1))
    (one,) = issuers.find()
    assert (one.revoked, one.taken_by) == (1, "ines")
    with pytest.raises(BadInput, match="no certificate of an issuer"):
        issuers.take(der(SERVER), actor="ines", now_ms=1)
    with pytest.raises(NotFound):
        issuers.withdraw("../trusted/x")
    issuers.withdraw(one.fingerprint)
    assert list((tmp_path / "pki" / "issuers").iterdir()) == []


def test_what_a_person_withdrew_no_issuer_brings_back(tmp_path: Path) -> None:
    trust = TrustStore(tmp_path)
    with pytest.raises(Untrusted):
        judge(trust, SERVER)
    shown = SERVER.fingerprint(SHA256()).hex()
    trust.accept(shown, actor="ines", now_ms=1)
    trust.withdraw(shown)
    store(tmp_path, SUB)
    with pytest.raises(Untrusted):
        judge(trust, SERVER)
    trust.accept(shown, actor="ines", now_ms=1)
    judge(trust, SERVER)


def test_a_real_server_is_believed_by_its_issuer_until_it_is_revoked(
    make_site: MakeSite, clock: FixedClock, tmp_path: Path
) -> None:
    port = free_port()
    (tmp_path / "server.der").write_bytes(der(SERVER))
    key = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "server.pem").write_bytes(key)
    site = make_site(more=LINK.format(code="EAF", port=port, policy=POLICIES[0], sign_in=""))
    make_certificate(tmp_path, "ALD", 30)
    server = AsyncuaServer(port, tmp_path, POLICIES[:1])

    async def play() -> None:
        async with collecting(site, clock):
            async with server.running():
                await until(lambda: says(site, "EAF", "is not trusted"))
                store(tmp_path, SUB)
                await until(lambda: values(site, "EAF") == [0])
            await until(lambda: site.state_name("EAF") == "away")
            Issuers(tmp_path).take_list(revoked("Plant", SERVER))
            async with server.running():
                await until(lambda: says(site, "EAF", "has revoked it on"))

    asyncio.run(play())
    assert values(site, "EAF") == [0]


def test_issuers_are_taken_and_withdrawn_on_the_page(make_site: MakeSite, clock: FixedClock) -> None:
    line = Line(make_site(), clock)
    person = sign_in(create_console(line.plant), line.plant.node, "engineer", "engineer")

    def send(content: bytes, **form: str) -> int:
        token = person.page("/level2/certificates").partition('name="csrf_token" value="')[2].partition('"')[0]
        file = {"file": (io.BytesIO(content), "x.der")} if content else {}
        address = "/level2/certificates/issuers"
        kind = "multipart/form-data"
        return person.client.post(address, data={"csrf_token": token} | form | file, content_type=kind).status_code

    assert send(der(SUB), issuer="1") == 302
    assert "nothing is believed by it" in person.page("/level2/certificates")
    assert send(revoked("Plant", SERVER, age=9), revoked="1") == 302
    page = person.page("/level2/certificates")
    assert "1 revoked, of" in page
    assert "was due " in page
    assert send(der(SERVER), issuer="1") == 422
    assert send(b"", fingerprint=SUB.fingerprint(SHA256()).hex(), withdraw="1") == 302
    assert "None: each server is accepted by itself." in person.page("/level2/certificates")
    line.plant.node.engine.dispose()
    line.plant.spool.dispose()
