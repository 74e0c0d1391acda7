"""How a server is reached: its certificate looked at before anything is believed, then signed, encrypted, signed in.

First the server is asked for its endpoints, which proves nothing; the certificate shown there is judged against what
a person has accepted. Only then a channel is opened with that certificate's key, which nobody else can answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from asyncua import ua
from asyncua.client.client import Client
from asyncua.crypto import security_policies
from asyncua.crypto.uacrypto import CertProperties, load_certificate, load_private_key
from asyncua.ua.uaerrors import UaError
from cryptography.hazmat.primitives.serialization import Encoding

from local_mes.level2.link_state import real_ms
from local_mes.level2.links import Link, LinkPlan
from local_mes.level2.opcua.issuers import split_chain
from local_mes.level2.opcua.settings import OWN_CERTIFICATE, OWN_KEY, OpcuaSettings
from local_mes.level2.opcua.trust import Certificate, TrustStore, Untrusted, check_time, read_certificate

APPLICATION_URI = "urn:strandline:level2:client"
"""Stands in the plant's certificate as its URI; servers compare the two."""
REQUEST_S = 4.0
WATCH_S = 3.0
"""A connection is looked at this often; a server that hangs is noticed in at most twice that."""
MODE = ua.MessageSecurityMode.SignAndEncrypt


Show = Callable[[str, Certificate], Awaitable[None]]
"""Told whose certificate (`own`, `server`) is used: people see until when it is good."""


async def show_nobody(_role: str, _shown: Certificate) -> None:
    """For a connection that only looks."""


async def connect(link: Link, plan: LinkPlan, settings: OpcuaSettings, show: Show) -> Client:
    """A client with an open session. Untrusted, OSError or the library's UaError say why there is none."""
    client = Client(link.address, timeout=REQUEST_S, watchdog_intervall=WATCH_S)
    client.application_uri = APPLICATION_URI
    if settings.secured:
        await _secure(client, plan, settings, show)
        await _sign_in(client, plan.folder, settings)
    await client.connect()
    return client


def own_files(plan: LinkPlan, settings: OpcuaSettings) -> tuple[Path, Path]:
    """The plant's certificate and key: those named, else those made for the node."""
    if settings.certificate:
        return plan.folder / settings.certificate, plan.folder / settings.private_key
    return plan.home / OWN_CERTIFICATE, plan.home / OWN_KEY


async def _secure(client: Client, plan: LinkPlan, settings: OpcuaSettings, show: Show) -> None:
    certificate, key = own_files(plan, settings)
    if not (certificate.is_file() and key.is_file()):
        raise Untrusted(
            f"There is no certificate of our own ({certificate}): run `strandline plant opcua-certificate`."
        )
    own = read_certificate(certificate.read_bytes())
    await show("own", own)
    check_time(own, real_ms(), "Our own certificate")
    if settings.server_certificate:
        theirs = (plan.folder / settings.server_certificate).read_bytes()
        shown = read_certificate(theirs)
    else:
        theirs, shown = await _judged(client, plan, settings)
    await show("server", shown)
    check_time(shown, real_ms(), "The server's certificate")
    policy = getattr(security_policies, f"SecurityPolicy{settings.security.replace('_', '')}")
    await client.set_security(
        policy, certificate, key, server_certificate=CertProperties(theirs, extension="der"), mode=MODE
    )


async def _judged(client: Client, plan: LinkPlan, settings: OpcuaSettings) -> tuple[bytes, Certificate]:
    """The certificate of the endpoint wanted, if it is trusted; Untrusted keeps it for a person to accept."""
    ending = f"#{settings.security}"
    endpoints = await client.connect_and_get_server_endpoints()
    wanted = [one for one in endpoints if one.SecurityMode == MODE and str(one.SecurityPolicyUri).endswith(ending)]
    if not wanted:
        offered = sorted({str(one.SecurityPolicyUri).rpartition("#")[2] for one in endpoints})
        raise UaError(f"the server offers no {settings.security} signed and encrypted, but {', '.join(offered)}")
    der = wanted[0].ServerCertificate or b""
    host = client.server_url.hostname or ""
    shown = TrustStore(plan.home).judge(der, str(wanted[0].Server.ApplicationUri), real_ms(), host)
    return split_chain(der)[0].public_bytes(Encoding.DER), shown


async def _sign_in(client: Client, folder: Path, settings: OpcuaSettings) -> None:
    if settings.user:
        client.set_user(settings.user)
        client.set_password((folder / settings.password_file).read_text("utf-8").strip())
    elif settings.user_certificate:
        client.user_certificate = await load_certificate(folder / settings.user_certificate, "der")
        client.user_private_key = await load_private_key(folder / settings.user_key)
