"""How a server is reached: its certificate looked at before anything is believed, then signed, encrypted, signed in.

First the server is asked for its endpoints, which proves nothing; the certificate shown there is judged against what
a person has accepted. Only then a channel is opened with that certificate's key, which nobody else can answer.
"""

from __future__ import annotations

from pathlib import Path

from asyncua import ua
from asyncua.client.client import Client
from asyncua.crypto import security_policies
from asyncua.crypto.uacrypto import CertProperties, load_certificate, load_private_key
from asyncua.ua.uaerrors import UaError
from sqlalchemy import Connection

from local_mes.level2.drivers.desk import Desk
from local_mes.level2.link_state import real_ms
from local_mes.level2.opcua.settings import OWN_CERTIFICATE, OWN_KEY, OpcuaSettings
from local_mes.level2.opcua.trust import Certificate, TrustStore, Untrusted, check_time, read_certificate
from local_mes.level2.spool_tables import peer_certificate
from shared.db.upsert import upsert

APPLICATION_URI = "urn:strandline:level2:client"
"""Stands in the plant's certificate as its URI; servers compare the two."""
REQUEST_S = 4.0
WATCH_S = 3.0
"""A connection is looked at this often; a server that hangs is noticed in at most twice that."""
MODE = ua.MessageSecurityMode.SignAndEncrypt


async def connect(desk: Desk, settings: OpcuaSettings) -> Client:
    """A client with an open session. Untrusted, OSError or the library's UaError say why there is none."""
    client = Client(desk.link.address, timeout=REQUEST_S, watchdog_intervall=WATCH_S)
    client.application_uri = APPLICATION_URI
    if settings.secured:
        await _secure(client, desk, settings)
        await _sign_in(client, desk.plan.folder, settings)
    await client.connect()
    return client


def own_files(desk: Desk, settings: OpcuaSettings) -> tuple[Path, Path]:
    """The plant's certificate and key: those named, else those made for the node."""
    if settings.certificate:
        return desk.plan.folder / settings.certificate, desk.plan.folder / settings.private_key
    return desk.plan.home / OWN_CERTIFICATE, desk.plan.home / OWN_KEY


async def _secure(client: Client, desk: Desk, settings: OpcuaSettings) -> None:
    certificate, key = own_files(desk, settings)
    if not (certificate.is_file() and key.is_file()):
        raise Untrusted(
            f"There is no certificate of our own ({certificate}): run `strandline plant opcua-certificate`."
        )
    own = read_certificate(certificate.read_bytes())
    await _show(desk, "own", own)
    check_time(own, real_ms(), "Our own certificate")
    if settings.server_certificate:
        theirs = (desk.plan.folder / settings.server_certificate).read_bytes()
        shown = read_certificate(theirs)
        check_time(shown, real_ms(), "The server's certificate")
    else:
        theirs, shown = await _judged(client, desk, settings)
    await _show(desk, "server", shown)
    policy = getattr(security_policies, f"SecurityPolicy{settings.security.replace('_', '')}")
    await client.set_security(
        policy, certificate, key, server_certificate=CertProperties(theirs, extension="der"), mode=MODE
    )


async def _judged(client: Client, desk: Desk, settings: OpcuaSettings) -> tuple[bytes, Certificate]:
    """The certificate of the endpoint wanted, if it is trusted; Untrusted keeps it for a person to accept."""
    ending = f"#{settings.security}"
    endpoints = await client.connect_and_get_server_endpoints()
    wanted = [one for one in endpoints if one.SecurityMode == MODE and str(one.SecurityPolicyUri).endswith(ending)]
    if not wanted:
        offered = sorted({str(one.SecurityPolicyUri).rpartition("#")[2] for one in endpoints})
        raise UaError(f"the server offers no {settings.security} signed and encrypted, but {', '.join(offered)}")
    der = wanted[0].ServerCertificate or b""
    return der, TrustStore(desk.plan.home).judge(der, str(wanted[0].Server.ApplicationUri), real_ms())


async def _sign_in(client: Client, folder: Path, settings: OpcuaSettings) -> None:
    if settings.user:
        client.set_user(settings.user)
        client.set_password((folder / settings.password_file).read_text("utf-8").strip())
    elif settings.user_certificate:
        client.user_certificate = await load_certificate(folder / settings.user_certificate, "der")
        client.user_private_key = await load_private_key(folder / settings.user_key)


async def _show(desk: Desk, role: str, shown: Certificate) -> None:
    """Let people see until when it is good."""
    row = {
        "link": desk.link.code,
        "role": role,
        "fingerprint": shown.fingerprint,
        "subject": shown.subject,
        "not_after_ms": shown.not_after_ms,
    }

    def write(conn: Connection) -> None:
        upsert(conn, peer_certificate, [row], update=["fingerprint", "subject", "not_after_ms"])

    await desk.write(write)
