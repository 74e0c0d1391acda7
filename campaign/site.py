"""What a history asks of its sites: one installation of a node, and the group they make. Two worlds answer it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

from campaign.disk import Image, Mode
from campaign.network import Line

START_MS = 1_773_205_200_000
"""2026-03-11T05:00Z."""

PLANTS = ("ALD", "BRK")
HUB = "HUB"


@dataclass(frozen=True)
class Written:
    """A fact as it was committed, and the label that went onto steel with it, if any."""

    fact_id: str
    label: str | None = None


@dataclass(frozen=True)
class Tip:
    """How far an epoch goes at a site."""

    epoch: str
    seq: int
    hash: str
    parent: tuple[str, int, str] | None = None


class Site(Protocol):
    """One installation of a node: a machine with a disk and a clock."""

    code: str
    old: bool
    met: bool

    def boot(self) -> None:
        """Start (again) from the disk."""

    def tick(self, now_ms: int) -> None:
        """Time passes."""

    def set_clock(self, ahead_ms: int) -> None:
        """Put the site's clock this far ahead of the world's."""

    def record(self, dice: Random, foreign: Sequence[str]) -> Written:
        """Commit one fact; foreign are pieces of other plants that it may name."""

    def record_poison(self, dice: Random) -> Written:
        """Commit a fact that nobody can read."""

    def record_newer(self, dice: Random) -> Written:
        """Commit a fact of a version that old releases do not know."""

    def pieces(self) -> list[str]:
        """The pieces it knows of as its own."""

    def anchor(self) -> None:
        """Bring the anchor level with the database."""

    def save(self) -> Image:
        """A copy of the disk."""

    def load(self, image: Image, mode: Mode) -> None:
        """Put a copy in place of the disk; nothing runs until it is booted."""

    def wipe(self) -> None:
        """A new empty disk, and a new installation on it."""

    def apply(self) -> None:
        """Apply what has arrived."""

    def upgrade(self) -> None:
        """From now on the new release runs here."""

    def exchange(self, line: Line[Any, Any], dice: Random) -> None:
        """Hello, push, heartbeat, pull, until the peer and this site have nothing for each other. SyncError."""

    def facts(self, stream: str) -> set[str]:
        """Ids of all facts in a stream that is held here."""

    def applied(self, author: str) -> set[str]:
        """Ids of the author's facts that have had their effect here."""

    def set_aside(self, author: str) -> dict[str, str]:
        """Ids of the author's facts that are kept out, with their state."""

    def tips(self, stream: str) -> list[Tip]:
        """The epochs of a stream, in order."""

    def hash_at(self, stream: str, epoch: str, seq: int) -> str | None:
        """The chain at one place."""

    def held(self) -> dict[tuple[str, str], tuple[int, str]]:
        """What is held of peers' own streams: (stream, epoch) -> durable and hash."""

    def through(self, author: str) -> int:
        """Up to when the author's stream is promised to be complete here."""

    def times(self, stream: str) -> dict[str, int]:
        """recorded_at of each fact of a stream."""

    def remade(self, author: str) -> int:
        """How often the author's rows were made again because something came before what was applied."""

    def repeated(self, author: str) -> list[str]:
        """Facts of the author that had their effect more than once."""

    def incidents(self) -> int:
        """How many incidents were opened."""

    def findings(self) -> list[str]:
        """What reading the whole journal and its seals finds wrong."""

    def content(self, author: str) -> str:
        """A hash over the rows that the author's facts became."""

    def rebuilt(self, authors: tuple[str, ...]) -> dict[str, str]:
        """The hashes of these authors after all rows were made again from the journal; nothing is changed by it."""


class Group(Protocol):
    """The sites of one history and what only this kind of world can do.

    gives_back  whether plants give the hub its own facts back that it has lost
    """

    gives_back: bool

    @property
    def hub(self) -> Site:
        """The hub."""

    @property
    def plants(self) -> Mapping[str, Site]:
        """The first installation of each plant."""

    def twin(self, code: str) -> Site:
        """A second machine for a clone of a plant."""

    def line(self, plant: Site) -> Line[Any, Any]:
        """A line from this installation to the hub."""

    def relay(self, fact_id: str, plant: str) -> None:
        """Have the hub send a fact down to a plant."""

    def enrol(self, plant: Site) -> None:
        """Two people let a plant's installation in (again)."""

    def knows(self, plant: Site) -> bool:
        """Whether the hub still trusts the key of this installation."""

    def release(self, code: str) -> None:
        """An operator decides that a plant that is held may speak again."""
