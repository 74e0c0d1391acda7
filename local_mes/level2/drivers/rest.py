"""REST push: a program posts messages, and hears yes when they are on disk.

Without an address of its own the link is posted to at the plant's web address (`level2/push.py`); with one the collector
listens there, which may be an edge on site. Either way this driver keeps the link's state beside the others: when the last
one came, and "no data" when nothing has come for longer than it should.
"""

from __future__ import annotations

import asyncio
import ssl
from concurrent.futures import CancelledError
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from local_mes.level2.drivers.port import Driver, Settings, bad_link, read_settings
from local_mes.level2.drivers.rest_door import Header, RestDoor
from local_mes.level2.errors import port_taken
from local_mes.level2.hosts import check_hosts, lets_in
from local_mes.level2.links import split_address
from local_mes.level2.spool_tables import message
from shared.db.engine import read
from shared.errors import Unavailable

if TYPE_CHECKING:
    from local_mes.level2.drivers.desk import Desk
    from local_mes.level2.links import Link

LOOK_S = 1.0
STORE_S = 30.0
"""A disk that takes longer is in trouble; the sender hears so, and posts again."""
SECRET_MIN = 24


class RestSettings(Settings, frozen=True, kw_only=True):
    """`[link.settings]` of a REST link.

    secret_file  shared with the sender, from the model file; proof says what is done with it
    proof        `signature`: the body is signed with it (never sent itself); `token`: it is sent as a bearer token
    silent_s     after so long without a message the link has no data; left out: silence is in order
    hosts        addresses or networks that may post; left out: any that has the proof, as this door has one
    certificate  of the link's own address, with private_key, from the model file: posts come over TLS
    """

    secret_file: str
    certificate: str = ""
    private_key: str = ""
    proof: Literal["signature", "token"] = "signature"
    silent_s: Annotated[float, Meta(gt=0)] | None = None
    hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_hosts(self.hosts)
        if bool(self.certificate) != bool(self.private_key):
            raise ValueError("`certificate` and `private_key` go together")

    def may_post(self, host: str) -> bool:
        """Whether a sender with this address is let in."""
        return not self.hosts or lets_in(self.hosts, host)


class RestDriver(Driver):
    """The state of one sender, and the port it posts to where the link has an address."""

    Settings = RestSettings

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._door: RestDoor | None = None

    @classmethod
    def check(cls, link: Link, folder: Path) -> None:
        """A secret long enough that nobody guesses it, and that never travels in the clear."""
        settings = read_settings(link, RestSettings)
        file = folder / settings.secret_file
        if not file.is_file() or len(read_secret(file)) < SECRET_MIN:
            raise bad_link(link.code, f"its `secret_file` ({file}) must hold at least {SECRET_MIN} characters")
        if settings.proof == "token" and not read_secret(file).isascii():
            raise bad_link(link.code, f"the token in its `secret_file` ({file}) must be of ASCII characters")
        if not link.address:
            if settings.certificate:
                raise bad_link(link.code, "a certificate is that of an address of its own, and it has none")
            return
        split_address(link)
        if settings.proof == "token" and not settings.certificate:
            raise bad_link(link.code, "a token at an address of its own needs TLS (certificate, private_key)")
        _tls(link, settings, folder)

    @classmethod
    def shadow(cls, link: Link) -> type[Driver]:
        """Whoever posts here does so beside the old MES."""
        return cls

    @classmethod
    def calls(cls, link: Link) -> bool:
        """It is posted to."""
        return False

    async def open(self) -> None:
        """Open the link's own port, where it has one."""
        link = self.desk.link
        if link.address:
            settings = read_settings(link, RestSettings)
            take = partial(self._take, asyncio.get_running_loop())
            try:
                self._door = RestDoor(
                    split_address(link), settings.may_post, _tls(link, settings, self.desk.plan.folder), take
                )
            except OSError as error:
                raise port_taken(link.code, link.address, error.strerror or str(error)) from error

    async def session(self) -> None:
        """Let posts in, and look at what has come; until cancelled."""
        if self.desk.link.address and self._door is None:
            await self.open()
        door = self._door
        if door is None:
            return await self._watch("posts to the plant's web address")
        door.serve()
        try:
            await self._watch(f"posts to {self.desk.link.address}")
        finally:
            self._door = None
            await asyncio.shield(asyncio.to_thread(door.end))

    def _take(
        self, loop: asyncio.AbstractEventLoop, path: str, host: str, header: Header, raw: bytes
    ) -> dict[str, Any]:
        """Store a post; in the thread of its connection. StrandlineError says why not."""
        from local_mes.level2.posted import no_push, prove, read_posted

        link, plan = self.desk.link, self.desk.plan
        if path != f"/push/v1/{link.code}":
            raise no_push(path)
        prove(read_settings(link, RestSettings), plan.folder, link.code, host, header, raw)
        messages = read_posted(raw)
        try:
            stored = asyncio.run_coroutine_threadsafe(self.desk.keep(*messages), loop).result(STORE_S)
        except (TimeoutError, SQLAlchemyError, CancelledError) as error:
            raise Unavailable(
                "level2.push_not_stored", "The post could not be stored.", todo="Post it again."
            ) from error
        repeated = sum(one.repeated for one in stored)
        return {"stored": len(stored) - repeated, "repeated": repeated}

    async def _watch(self, how: str) -> None:
        silent_s = read_settings(self.desk.link, RestSettings).silent_s
        self.desk.connected(how)
        while True:
            last = await asyncio.to_thread(self._last)
            state, now = self.desk.state, self.desk.clock.now_ms()
            if last is not None:
                state.received, state.last_message, state.last_message_ms = last.ordinal, last.message, last.received_ms
            heard_ms = max(last.received_ms if last else 0, state.since_ms if state.state != "no_data" else 0)
            if silent_s is not None and now - heard_ms > 1000 * silent_s:
                self.desk.no_data(f"Nothing came for {silent_s:g} s.")
            else:
                self.desk.connected(how)
            await asyncio.sleep(LOOK_S)

    def _last(self) -> Any:
        query = select(message.c.ordinal, message.c.message, message.c.received_ms)
        mine = query.where(message.c.link == self.desk.link.code).order_by(message.c.ordinal.desc()).limit(1)
        with read(self.desk.spool) as conn:
            return conn.execute(mine).first()


def _tls(link: Link, settings: RestSettings, folder: Path) -> ssl.SSLContext | None:
    """How posts are encrypted; None: they are signed, and not secret. BadSetup for files that cannot be used."""
    if not settings.certificate:
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        made.load_cert_chain(folder / settings.certificate, folder / settings.private_key)
    except OSError as error:  # ssl's own errors are of this family
        raise bad_link(link.code, f"its certificate and private_key cannot be used: {error}") from error
    return made


def read_secret(file: Path) -> bytes:
    """The secret without the line's end."""
    return file.read_bytes().strip()
