"""What a Level-2 message means: operations registered by name, and what they are handed.

An operation is a function `(work, message) -> None`, registered with `@operation("slab_cut")`; the plant model maps
messages to operation names. It reads on `work.conn`, decides, and records through `work`. Ids derive from the spooled
message, so interpreting it again (a crash, a restored database) records nothing new. It ends in one of three ways:

- it returns: done, committed together with the spool position;
- NotYet: what the message builds on has not come; it is tried again after later messages, within the link's reorder
  window, then it goes to repair;
- BadMessage: it contradicts what is known; it goes to repair with the reason, for a person.
Whatever it did before raising is rolled back, and the link goes on either way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from local_mes.level2.mapping.inputs import Input, read_takes
from local_mes.model.domain import Unit
from local_mes.plant import Plant
from shared.errors import BadSetup
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred, Payload, StandardRef
from shared.journal.journal import Work as JournalWork
from shared.rules.measures import Measure

CORRECT_FROM_MS = 30_000
"""A Level-2 clock off by more than this is corrected: less is within what people's watches differ."""


@dataclass(frozen=True)
class Message:
    """One spooled message, decoded.

    name        "CC1060", or unit and event of OPC UA: "DC1.CoilDone"
    spool       the spool's own key; (spool, spool_id) names the message for ever
    claimed     Level 2's local time as sent; claimed_ms the moment it means, None when it is no time
    offset_ms   received minus claimed as learned for the link when this message came
    problem     why its content cannot be read; mended_by the person who corrected its fields
    at_unit     the unit that a mapping says it is about, where the name does not
    waited_out  its reorder window is over: what would have been good to know is not waited for any longer
    """

    spool: str
    spool_id: int
    link: str
    name: str
    fields: dict[str, Any]
    sequence: int
    claimed: str
    claimed_ms: int | None
    received_ms: int
    offset_ms: int = 0
    zone_offset_min: int = 0
    problem: str = ""
    mended_by: str = ""
    at_unit: str = ""
    waited_out: bool = False

    @property
    def unit(self) -> str:
        """The unit it is about: as the mapping says, that of an OPC UA event, or nothing."""
        return self.at_unit or self.name.rpartition(".")[0]

    @property
    def event(self) -> str:
        """The event of an OPC UA message, or the telegram's name."""
        return self.name.rpartition(".")[2]

    @property
    def source(self) -> str:
        """Who says so, for `occurred.source`."""
        return f"l2:{self.link} mended" if self.mended_by else f"l2:{self.link}"

    @property
    def actor(self) -> str:
        """Who is answerable for the facts: the link, or the person who mended the message."""
        return self.mended_by or f"l2:{self.link}"

    @property
    def occurred(self) -> Occurred:
        """When it happened: as claimed, corrected by the link's offset where that is large, else as received."""
        if self.claimed_ms is None:
            return Occurred(self.received_ms, f"{self.source} received", self.zone_offset_min)
        if abs(self.offset_ms) > CORRECT_FROM_MS:
            at_ms = self.claimed_ms + self.offset_ms
            return Occurred(at_ms, f"{self.source} corrected {self.offset_ms / 1000:+.0f} s", self.zone_offset_min)
        return Occurred(self.claimed_ms, self.source, self.zone_offset_min)


class NotYet(Exception):
    """The message is in order, but what it builds on is not known yet; the text says what is missing."""


class BadMessage(Exception):
    """The message contradicts what is known; the text says how, `field` which field to look at."""

    def __init__(self, reason: str, field: str = "") -> None:
        super().__init__(reason)
        self.field = field


class MessageTx(JournalWork):
    """The journal's transaction, with fact ids from the message: services called with it stay repeatable."""

    def __init__(self, tx: JournalWork, message: Message) -> None:
        super().__init__(tx.journal, tx.conn)
        self.recorded, self.read_once = tx.recorded, tx.read_once
        self._message = message
        self._facts = 0

    def named(self, drafts: Sequence[Draft[Any]]) -> Sequence[Draft[Any]]:
        """Ids derived from (plant, spooled message, ordinal) where none is given."""
        return [self._named(draft) for draft in drafts]

    def _named(self, draft: Draft[Any]) -> Draft[Any]:
        ordinal, self._facts = self._facts, self._facts + 1
        if draft.fact_id is not None:
            return draft
        m = self._message
        return replace(draft, fact_id=derived_id(m.received_ms, self.journal.code, m.spool, m.spool_id, ordinal))


class Work:
    """What an operation is handed: the transaction, the plant, and facts that need no more than a payload.

    tx    the journal's transaction, to hand on to other features' services
    conn  its connection, for named reads
    """

    def __init__(self, plant: Plant, tx: JournalWork, message: Message) -> None:
        self.plant = plant
        self.message = message
        self.tx = MessageTx(tx, message)
        self.conn: Connection = tx.conn
        self._ids = 0

    def record(
        self,
        payload: Payload,
        subjects: Sequence[str],
        *,
        occurred: Occurred | None = None,
        actor: str | None = None,
        causes: tuple[str, ...] = (),
        standard: StandardRef | None = None,
    ) -> str:
        """Record one fact (subjects: the main one first) and return its id; time and actor are the message's."""
        return self.tx.record(
            Draft(
                payload=payload,
                subjects=tuple(subjects),
                actor=actor or self.message.actor,
                occurred=occurred or self.message.occurred,
                causes=causes,
                standard=standard,
            )
        )[0]

    def new_id(self) -> str:
        """An id for something this message brings into being; the same when it is interpreted again."""
        ordinal, self._ids = self._ids, self._ids + 1
        m = self.message
        return derived_id(m.received_ms, self.plant.code, m.spool, m.spool_id, "id", ordinal)

    @property
    def unit(self) -> Unit:
        """The machine the message is about: as the mapping says, else the one that speaks over its link."""
        model, message = self.plant.model, self.message
        return model.get_unit(message.at_unit) if message.at_unit else model.unit_of_link(message.link)

    def now_ms(self) -> int:
        """The time, for deciding."""
        return self.plant.clock.now_ms()


@dataclass(frozen=True)
class Signalled:
    """A value under the plant's own name for it (the last word of the signal's), in the unit it is told in."""

    value: bool | float | str
    measure: Measure


@dataclass(frozen=True)
class Told:
    """A message that had its effect: as received, and its fields by signal name where its link has a mapping."""

    received: Message
    signals: Mapping[str, Signalled]


Handler = Callable[[Work, Message], None]
Follower = Callable[[Work, Told], None]
FOLLOWERS: list[Follower] = []
"""Called after every operation, in its transaction, for what is kept of a message whatever it meant. What one of them
raises undoes its own part alone."""
_HANDLERS: dict[str, Handler] = {}
_TAKES: dict[str, tuple[Input, ...]] = {}


def operation(name: str, takes: str = "") -> Callable[[Handler], Handler]:
    """Register a function under the name the plant models use; takes: its fields, as mapping/inputs.py reads them."""
    inputs = read_takes(takes)

    def register(handler: Handler) -> Handler:
        if _HANDLERS.setdefault(name, handler) is not handler:
            raise TypeError(f"operation {name!r} is registered twice")
        if inputs:
            _TAKES[name] = inputs
        return handler

    return register


def follower(follow: Follower) -> Follower:
    """Register a function that hears of every message that had its effect."""
    FOLLOWERS.append(follow)
    return follow


@operation("ignore")
def ignore(_work: Work, _message: Message) -> None:
    """For messages a plant receives and has no use for: spooled, and no more."""


def get_operation(name: str) -> Handler:
    """The function of an operation; BadSetup when the plant model names one that does not exist."""
    if name not in _HANDLERS:
        raise BadSetup(
            "level2.unknown_operation",
            f"The plant model maps a message to {name!r}, which is no operation.",
            todo=f"Use one of: {', '.join(sorted(_HANDLERS))}.",
        )
    return _HANDLERS[name]


def describe_operations() -> dict[str, tuple[Input, ...]]:
    """Every operation by name with what it takes, nothing where it does not say."""
    return {name: _TAKES.get(name, ()) for name in sorted(_HANDLERS)}


def get_inputs(name: str) -> tuple[Input, ...] | None:
    """What an operation takes, None where it does not say; BadSetup when there is no such operation."""
    get_operation(name)
    return _TAKES.get(name)
