"""What plant and hub say to each other in the memory world: the protocol's messages without signatures."""

from __future__ import annotations

from dataclasses import dataclass

from campaign.store import Stated
from sync import verdict
from sync.messages import Branch, EpochState


@dataclass(frozen=True)
class Hello:
    """A plant shows its epochs, its process and what it holds of the hub's way down."""

    node: str
    boot: str
    instance: str
    epochs: tuple[EpochState, ...]
    copies: tuple[EpochState, ...]


@dataclass(frozen=True)
class Welcome:
    """What the hub holds of the plant."""

    ticket: verdict.Ticket
    holds: tuple[EpochState, ...]
    counter: int
    through: int


@dataclass(frozen=True)
class Fetch:
    """A plant asks for its own entries after `keep`, or only for hashes at `places`."""

    node: str
    ticket: verdict.Ticket
    epoch: str
    keep: int = 0
    take: int = 0
    places: tuple[int, ...] = ()


@dataclass(frozen=True)
class Push:
    """Entries first.. of an epoch; none is a heartbeat."""

    node: str
    ticket: verdict.Ticket
    epoch: str
    parent: Branch | None
    first: int
    prev: str
    facts: tuple[Stated, ...]
    hashes: tuple[str, ...]
    through: int
    counter: int


@dataclass(frozen=True)
class Pull:
    """A plant asks for what follows its positions in its way down."""

    node: str
    ticket: verdict.Ticket
    copies: tuple[EpochState, ...]
