"""What an OPC UA link may say in the plant model, checked without a network and without the OPC UA library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from local_mes.level2.drivers.port import Settings, bad_link
from local_mes.level2.links import Link

Text = Annotated[str, Meta(min_length=1, max_length=400)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
OWN_CERTIFICATE, OWN_KEY = "pki/own/certificate.der", "pki/own/key.pem"
"""In the node's folder; made by `strandline plant opcua-certificate`."""
OLDER_PLACE = ("security", "certificate", "private_key", "server_certificate")
"""Settings that may also stand in the link itself."""


class Signal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One node whose changes are messages.

    message    what a change is called, such as `EAF1.Tap`
    node       node id as servers write it: `ns=2;s=EAF1.Tap`, or `nsu=urn:maker:eaf;s=EAF1.Tap`, which outlives a restart
    fields     further nodes read with each change, by the name of the field they give
    when       `change`: every change; `rise`: only when it becomes true or more than zero
    history    after a gap, what the server has stored meanwhile is read
    """

    message: Name
    node: Text
    fields: dict[Name, Text] = {}
    when: Literal["change", "rise"] = "change"
    history: bool = False


class EventSource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Events of one node (the server itself if none is named) and of one event type with all types below it."""

    message: Name
    node: Text = "i=2253"
    type: Text = "i=2041"
    history: bool = False


class JobsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """ISA-95 Job Control (OPC 10031-4): node ids of the job order receiver and of the response provider.

    message  what a change of a job's state is called
    """

    receiver: Text
    provider: str = ""
    message: Name = "JOB.Status"


class OpcuaSettings(Settings, frozen=True, kw_only=True):
    """`[link.settings]` of an OPC UA link. Files are named from the model file.

    ring        the numbered ring of events (section 3); left out: yes where no signals and no events are named
    user        sign in by name, the password alone in password_file; or by user_certificate and user_key; or as nobody
    publish_ms  how often the server tells changes
    writes      order -> field -> node: an order of that name writes its fields and reads them back
    jobs        orders `Job.Store`, `Job.Start` and so on, and what becomes of them
    """

    security: Literal["Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss", "None"] = "Basic256Sha256"
    certificate: str = ""
    private_key: str = ""
    server_certificate: str = ""
    user: str = ""
    password_file: str = ""
    user_certificate: str = ""
    user_key: str = ""
    ring: bool | None = None
    publish_ms: Annotated[int, Meta(ge=10, le=60_000)] = 100
    signals: tuple[Signal, ...] = ()
    events: tuple[EventSource, ...] = ()
    writes: dict[Name, dict[Name, Text]] = {}
    jobs: JobsSettings | None = None

    @property
    def sources(self) -> tuple[Signal | EventSource, ...]:
        """All that is heard beside the ring."""
        return (*self.signals, *self.events)

    @property
    def has_ring(self) -> bool:
        """Whether the link reads a ring of events."""
        return self.ring if self.ring is not None else not (self.sources or self.jobs)

    @property
    def secured(self) -> bool:
        """Signed and encrypted."""
        return self.security != "None"


def opcua_settings(link: Link) -> OpcuaSettings:
    """The settings of a link; BadSetup names what is wrong."""
    older = {key: getattr(link, key) for key in OLDER_PLACE if getattr(link, key)}
    try:
        return msgspec.convert(older | link.settings, OpcuaSettings)
    except msgspec.ValidationError as error:
        raise bad_link(link.code, f"its settings: {error}") from error


def check_settings(link: Link, folder: Path) -> None:
    """BadSetup for files that are missing, names that come twice, a password that would travel in the clear."""
    settings = opcua_settings(link)
    names = [one.message for one in settings.sources]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise bad_link(link.code, f"{doubled[0]} is named by two signals or events")
    if not settings.secured and (settings.user or settings.user_certificate):
        raise bad_link(link.code, 'signing in needs security: with "None" whoever listens has the password')
    if bool(settings.user) != bool(settings.password_file):
        raise bad_link(link.code, "`user` and `password_file` go together")
    for key, name in _needed(settings):
        if not name or not (folder / name).is_file():
            raise bad_link(
                link.code,
                f"security {settings.security} needs the file `{key}` ({name or 'not named'}); "
                'a link without security says security = "None"',
            )


def _needed(settings: OpcuaSettings) -> Iterator[tuple[str, str]]:
    """Files by key: pairs that go together, and whatever is named."""
    if not settings.secured:
        return
    for pair in (("certificate", "private_key"), ("user_certificate", "user_key")):
        if any(getattr(settings, key) for key in pair):
            yield from ((key, getattr(settings, key)) for key in pair)
    yield from (
        (key, getattr(settings, key)) for key in ("server_certificate", "password_file") if getattr(settings, key)
    )
