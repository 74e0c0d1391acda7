"""REST push: a program posts messages to the plant's web address, and hears yes when they are on disk.

The plant's own process takes them (`level2/push.py`); this driver keeps the link's state beside the others: when the
last one came, and "no data" when nothing has come for longer than it should.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta
from sqlalchemy import select

from local_mes.level2.drivers.port import Driver, Settings, bad_link, read_settings
from local_mes.level2.hosts import check_hosts, lets_in
from local_mes.level2.spool_tables import message
from shared.db.engine import read

if TYPE_CHECKING:
    from local_mes.level2.links import Link

LOOK_S = 1.0
SECRET_MIN = 24


class RestSettings(Settings, frozen=True, kw_only=True):
    """`[link.settings]` of a REST link.

    secret_file  shared with the sender, from the model file; proof says what is done with it
    proof        `signature`: the body is signed with it (never sent itself); `token`: it is sent as a bearer token
    silent_s     after so long without a message the link has no data; left out: silence is in order
    hosts        addresses or networks that may post; left out: any that has the proof, as this door has one
    """

    secret_file: str
    proof: Literal["signature", "token"] = "signature"
    silent_s: Annotated[float, Meta(gt=0)] | None = None
    hosts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_hosts(self.hosts)

    def may_post(self, host: str) -> bool:
        """Whether a sender with this address is let in."""
        return not self.hosts or lets_in(self.hosts, host)


class RestDriver(Driver):
    """The state of one sender."""

    Settings = RestSettings

    @classmethod
    def check(cls, link: Link, folder: Path) -> None:
        """A secret long enough that nobody guesses it."""
        file = folder / read_settings(link, RestSettings).secret_file
        if not file.is_file() or len(read_secret(file)) < SECRET_MIN:
            raise bad_link(link.code, f"its `secret_file` ({file}) must hold at least {SECRET_MIN} characters")

    @classmethod
    def shadow(cls, link: Link) -> type[Driver]:
        """Whoever posts here does so beside the old MES."""
        return cls

    async def session(self) -> None:
        """Look at what has come; until cancelled."""
        silent_s = read_settings(self.desk.link, RestSettings).silent_s
        self.desk.connected("posts to the plant's web address")
        while True:
            last = await asyncio.to_thread(self._last)
            state, now = self.desk.state, self.desk.clock.now_ms()
            if last is not None:
                state.received, state.last_message, state.last_message_ms = last.ordinal, last.message, last.received_ms
            heard_ms = max(last.received_ms if last else 0, state.since_ms if state.state != "no_data" else 0)
            if silent_s is not None and now - heard_ms > 1000 * silent_s:
                self.desk.no_data(f"Nothing came for {silent_s:g} s.")
            else:
                self.desk.connected("posts to the plant's web address")
            await asyncio.sleep(LOOK_S)

    def _last(self) -> Any:
        query = select(message.c.ordinal, message.c.message, message.c.received_ms)
        mine = query.where(message.c.link == self.desk.link.code).order_by(message.c.ordinal.desc()).limit(1)
        with read(self.desk.spool) as conn:
            return conn.execute(mine).first()


def read_secret(file: Path) -> bytes:
    """The secret without the line's end."""
    return file.read_bytes().strip()
