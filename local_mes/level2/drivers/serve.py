"""One link served for ever: its session begun again after every error that a peer can cause, its state kept honest."""

from __future__ import annotations

import asyncio
import struct

from sqlalchemy.exc import SQLAlchemyError

from local_mes.level2.drivers.desk import Desk
from local_mes.level2.drivers.port import Driver
from local_mes.level2.drivers.together import until_one_ends
from local_mes.level2.link_state import AWAY, CONNECTED
from shared import logs
from shared.errors import Unavailable

CONNECT_WAIT_S = (0.5, 1, 2, 3)
"""Pauses between tries: a peer that restarts is heard again within some seconds of being back."""
PEER_ERRORS = (
    OSError,
    TimeoutError,
    SQLAlchemyError,
    Unavailable,
    struct.error,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RuntimeError,
)
"""All that a peer can make a driver's library raise: the session ends and begins again, the other links go on."""

log = logs.get("level2")


async def serve(driver: Driver) -> None:
    """Run sessions until cancelled."""
    desk, failures = driver.desk, 0
    while True:
        try:
            await until_one_ends(driver.session(), desk.send_orders(driver.send))
            why = "The connection ended."
        except PEER_ERRORS as error:
            # what a driver says in a sentence stands as it is; other errors are named
            text = str(error)
            why = text if text.endswith(".") else f"{desk.link.address} cannot be used: {type(error).__name__}: {text}"
        failures = 0 if desk.is_up.is_set() else failures + 1
        desk.is_up.clear()
        _away(desk, why.rstrip(": ")[:400])
        await asyncio.sleep(CONNECT_WAIT_S[min(failures, len(CONNECT_WAIT_S) - 1)])


def _away(desk: Desk, why: str) -> None:
    if desk.state.state == CONNECTED or why != desk.state.detail:  # said once, not at every try
        log.warning("link away", link=desk.link.code, why=why)
    desk.state.become(AWAY, detail=why)
