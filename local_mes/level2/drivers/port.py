"""The driver port: one small class between the collector and whatever a plant's floor speaks.

A driver hears and sends; everything else is done for it. It is given a Desk, which spools what it heard (durable when
`keep` returns, so only then may it acknowledge), learns the peer's clock, counts, and hands it what is to go down.
The collector calls `session` again after every error a peer can cause, so a driver needs no loop of its own.
Drivers are found by entry points of the group `strandline.level2_drivers`; docs/recipes/add-a-driver.md has one whole.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import msgspec

from shared.errors import BadSetup

if TYPE_CHECKING:
    from local_mes.level2.down import Down
    from local_mes.level2.drivers.desk import Desk
    from local_mes.level2.links import Link, LinkPlan

S = TypeVar("S", bound=msgspec.Struct)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a link's `[link.settings]` may say; a driver with settings of its own derives from it."""


@dataclass(frozen=True)
class Heard:
    """One message as it came.

    fields      its content; what is plausible a layout says, not the driver
    raw         the bytes as they came, for people
    claimed     the peer's own time: ISO, or local time without zone; empty where it told none
    sequence    the peer's own number; with message, claimed and body it recognises a message that comes again
    again       for a peer that numbers nothing: it says this may be a repeat, so the same content counts once
    late        read from a store long after it happened: nothing is learned of the peer's clock
    problem     why the content cannot be read; it goes to repair
    """

    message: str
    fields: Mapping[str, Any]
    raw: bytes
    claimed: str = ""
    sequence: int | None = None
    again: bool = False
    late: bool = False
    problem: str = ""


@dataclass(frozen=True)
class Answer:
    """What became of an order to Level 2; text is kept with it and shown."""

    accepted: bool
    text: str


class Driver(ABC):
    """One link. Errors of a peer are OSError, ValueError, TypeError, LookupError: translate a library's own."""

    Settings: ClassVar[type[msgspec.Struct]] = Settings

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    @classmethod
    def check(cls, link: Link, folder: Path) -> None:
        """Whether the model's entry can be used at all: BadSetup says what is wrong. Touches no network.

        folder is that of the model file; files in the settings are named from it.
        """
        read_settings(link, cls.Settings)

    @classmethod
    def shadow(cls, link: Link) -> type[Driver] | None:
        """The driver that hears this link without taking, answering or asking for anything; None: there is none.

        Orders are kept from it (local_mes/level2/shadow/seat.py), so only what `session` does counts.
        """
        return None

    @classmethod
    def calls(cls, link: Link) -> bool:
        """Whether the plant goes to the link's address (or takes from it), not the peer to the plant.

        Counts in a plant that is played (local_mes/level2/played_plant.py): there only what is named for it is called.
        """
        return True

    def take_up(self, link: Link, plan: LinkPlan) -> None:
        """Its layouts, or what it hears and sends, have changed in the files; the same link in all else."""
        self.desk.link, self.desk.plan = link, plan

    async def open(self) -> None:  # noqa: B027 - most drivers take nothing of the kind
        """Take what only one can have, such as a port to listen on; BadSetup when it is taken. Once, before all else."""

    @abstractmethod
    async def session(self) -> None:
        """Connect, say `desk.connected`, hear until the connection ends (return or raise) or the task is cancelled."""

    async def send(self, order: Down) -> Answer:
        """Send one order down and wait for the answer; called one at a time while connected.

        OSError leaves the order open: it is sent again after the next connect, so twice must do no harm. ValueError,
        TypeError and LookupError say that it cannot be sent at all: it is refused with their text.
        """
        return Answer(False, f"{self.desk.link.kind} cannot send {order.message}")


def read_settings(link: Link, kind: type[S]) -> S:
    """The link's `[link.settings]`; BadSetup names what is wrong."""
    try:
        return msgspec.convert(dict(link.settings), kind)
    except msgspec.ValidationError as error:
        raise bad_link(link.code, f"its settings: {error}") from error


def bad_link(code: str, why: str) -> BadSetup:
    """The model's entry of a link is wrong."""
    return BadSetup(
        "level2.bad_link",
        f"The link {code} of the plant model cannot be used: {why}.",
        todo="Correct the model or the settings; docs/level2-interfaces.md, section 6 describes them.",
    )
