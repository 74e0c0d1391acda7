"""The honest line: what the header says about hub, Level 2 and time, and the sentences it is made of."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from shared.disk import look
from shared.errors import Unavailable
from shared.web.features import Face, StatusLine, StatusPort

log = logging.getLogger(__name__)

SEVERITY = ("alarm", "nodata", "attention", "stale", "held", "done", "normal")


def read_status(face: Face) -> tuple[StatusLine, ...]:
    """All lines of the registered ports, the worst first, so that a small screen shows what matters."""
    lines = [line for port in face.status for line in _ask(port)]
    return tuple(sorted(lines, key=lambda line: SEVERITY.index(line.state)))


def _ask(port: StatusPort) -> Sequence[StatusLine]:
    """A port whose database does not answer must not take the whole page with it; the line then says just that."""
    try:
        return port()
    except (SQLAlchemyError, Unavailable) as error:
        log.warning("a status port failed", exc_info=error)
        return (StatusLine("alarm", "The state of a connection cannot be read. What you see may be old."),)


def hub_line(away_since: str | None, waiting: int, full_since: str | None = None) -> StatusLine:
    """How the plant stands to its hub: the local clock time since when it is away, or has no room; None otherwise."""
    if full_since is not None:
        return StatusLine(
            "attention", f"The hub has no room since {full_since}. {_facts(waiting)} waiting. Nothing is lost."
        )
    if away_since is None and waiting == 0:
        return StatusLine("normal", "Hub: up to date")
    if away_since is None:
        return StatusLine("normal", f"Hub: connected, {_facts(waiting)} on the way")
    return StatusLine("attention", f"Hub away since {away_since}. {_facts(waiting)} waiting. Nothing is lost.")


def protocol_line(since: str, waiting: int) -> StatusLine:
    """Plant and hub share no protocol version since this local clock time."""
    return StatusLine(
        "alarm",
        f"Hub and plant speak no common protocol since {since}: one needs an upgrade. "
        f"{_facts(waiting)} waiting. Nothing is lost.",
    )


def disk_line(folder: Path) -> tuple[StatusLine, ...]:
    """Nothing while there is room; from 80 % on how full the disk is and what that means."""
    disk = look(folder)
    means = {
        "warn": ("attention", "Make room soon."),
        "spare": ("attention", "Only facts are written now: no archive, no captures."),
        "alarm": ("alarm", "Recording goes on until 98 %. Make room now."),
        "stop": ("alarm", "Nothing more is recorded until there is room."),
    }
    if disk.level not in means:
        return ()
    state, advice = means[disk.level]
    return (StatusLine(state, f"Disk: {disk}. {advice}"),)


def level2_line(link: str, silent_since: str | None) -> StatusLine:
    """How one Level 2 connection stands; silent_since is a local clock time or None when it talks."""
    if silent_since is None:
        return StatusLine("normal", f"Level 2 {link}: connected")
    return StatusLine("nodata", f"Level 2 {link}: no data since {silent_since}")


def _facts(count: int) -> str:
    return "1 fact" if count == 1 else f"{count:,} facts"
