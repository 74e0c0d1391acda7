"""The words of the protocol: what nodes sign and send. Times are ms UTC; ids, hashes and epochs lowercase hex.

Fields may be added within a protocol version; readers keep going past fields they do not know. Each message has a
DSSE payload type of its own, so that a signature over one can never pass for another.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Seq = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
Hex32 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9._>-]+$")]
Millis = Annotated[int, msgspec.Meta(ge=-(1 << 53), le=1 << 53)]
Counters = dict[Annotated[str, msgspec.Meta(min_length=1, max_length=64)], Seq]
"""The highest business numbers given out, by the name of their counter."""

ZERO_HASH = "0" * 64
"""The hash before the first entry of an epoch."""

TYPE_PREFIX = "application/vnd.strandline."
HELLO = TYPE_PREFIX + "hello+json"
WELCOME = TYPE_PREFIX + "welcome+json"
SEAL = TYPE_PREFIX + "seal+json"
RECEIPT = TYPE_PREFIX + "receipt+json"
PULL = TYPE_PREFIX + "pull+json"
PROBE = TYPE_PREFIX + "probe+json"
HASHES = TYPE_PREFIX + "hashes+json"
HISTORY = TYPE_PREFIX + "history+json"
GIVEN = TYPE_PREFIX + "given+json"
ENROL = TYPE_PREFIX + "enrol+json"
ENROLLED = TYPE_PREFIX + "enrolled+json"


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every message says of itself."""

    proto: Annotated[int, msgspec.Meta(ge=1, le=1_000)]
    node: Name
    audience: Name
    sent_ms: Millis


class Branch(msgspec.Struct, frozen=True):
    """Where an epoch grew from: the last entry of its parent that it still stands on."""

    epoch: Hex32
    seq: Seq
    hash: Hash


class EpochState(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far an epoch of a stream goes: at its author its head, at a reader what it holds durably.

    meets   in a welcome, where the reader holds more than the author named: the reader's hash at the author's head
    """

    stream: Name
    epoch: Hex32
    seq: Seq
    hash: Hash
    parent: Branch | None = None
    meets: Hash | None = None


class Hello(Message, frozen=True, kw_only=True, omit_defaults=True):
    """A node opens a session and shows its whole epoch tree, in its order, and what it holds of the peer's streams.

    boot   this process: minted at its start and kept nowhere, so that two installations of one node can be told apart
    """

    oldest_proto: int
    instance: Hex32
    nonce: Hex32
    epochs: tuple[EpochState, ...]
    copies: tuple[EpochState, ...]
    facts: dict[str, int]
    backlog: Seq = 0
    standards: str = ""
    boot: Hex32 | None = None
    counters: Counters = {}


class Welcome(Message, frozen=True, kw_only=True, omit_defaults=True):
    """The hub's answer: the session, what it holds of the caller, and its own epochs towards the caller.

    can       what else it answers; "history": it gives the caller's own entries back
    counters  the highest numbers that it heard of the caller
    through   up to when the caller promised its own stream to be complete
    """

    nonce: Hex32
    incarnation: Hex32
    session: Hex32
    holds: tuple[EpochState, ...]
    epochs: tuple[EpochState, ...]
    entries_max: int
    raw_bytes_max: int
    facts: dict[str, int]
    can: tuple[str, ...] = ()
    counters: Counters = {}
    through: Millis = 0


class Seal(Message, frozen=True, kw_only=True, omit_defaults=True):
    """One author's word for a run of entries; `last == first - 1` is a heartbeat, which carries none.

    prev and head are the chain's hashes before the first and at the last entry; `bytes` is the SHA-256 of the packed
    entries; complete_through = T: every fact the author recorded at or before T is at or before `last`.
    """

    kind: Literal["batch", "heartbeat"]
    stream: Name
    epoch: Hex32
    parent: Branch | None
    first: Seq = msgspec.field(name="from")
    last: Seq = msgspec.field(name="to")
    prev: Hash
    head: Hash
    bytes: Hash
    complete_through: Millis
    incarnation: Hex32
    session: Hex32
    key: str
    counters: Counters = {}


class Receipt(Message, frozen=True, kw_only=True, omit_defaults=True):
    """The receiver's word for what it holds durably of one epoch, as of one seal."""

    answer: Literal["stored", "gap", "fork", "superseded"]
    incarnation: Hex32
    session: Hex32
    stream: Name
    epoch: Hex32
    durable: Seq
    hash: Hash
    seal: Hash
    credit: int = 0


class Pull(Message, frozen=True, kw_only=True, omit_defaults=True):
    """A reader asks for what follows its position in one stream; the positions are its receipt for what came before."""

    incarnation: Hex32
    session: Hex32
    stream: Name
    copies: tuple[EpochState, ...]
    wait_ms: Annotated[int, msgspec.Meta(ge=0, le=25_000)]
    entries_max: Annotated[int, msgspec.Meta(ge=1, le=2_000)]
    nonce: Hex32


class Probe(Message, frozen=True, kw_only=True, omit_defaults=True):
    """An author looks for the place where its chain and the reader's copy part."""

    incarnation: Hex32
    session: Hex32
    stream: Name
    epoch: Hex32
    places: Annotated[tuple[Seq, ...], msgspec.Meta(min_length=1, max_length=64)]
    nonce: Hex32


class Hashes(Message, frozen=True, kw_only=True, omit_defaults=True):
    """The reader's chain at the probed places, '' where it holds none."""

    stream: Name
    epoch: Hex32
    hashes: tuple[str, ...]
    nonce: Hex32


class History(Message, frozen=True, kw_only=True, omit_defaults=True):
    """A caller asks for the batch that follows this place of its own stream, or of the stream to it."""

    incarnation: Hex32
    session: Hex32
    stream: Name
    epoch: Hex32
    after: Seq
    nonce: Hex32


class Given(Message, frozen=True, kw_only=True, omit_defaults=True):
    """The called side gives a batch again, as its author once sealed it; the batch follows, `batch` is its SHA-256."""

    batch: Hash
    nonce: Hex32


ANY_HUB = "hub"
"""The audience of an enrolment: the plant does not know the hub's code yet."""


class Enrol(Message, frozen=True, kw_only=True, omit_defaults=True):
    """A plant shows its one-time token and the key it will sign with (signed by that key: proof of possession)."""

    token: Annotated[str, msgspec.Meta(min_length=8, max_length=200)]
    public_key: Hash
    name: Annotated[str, msgspec.Meta(max_length=200)]
    nonce: Hex32


class Enrolled(Message, frozen=True, kw_only=True, omit_defaults=True):
    """The hub's answer: who it is, by which key it signs, and which root its standards descend from.

    earlier_keys   keys that this plant was enrolled with before: what they signed is its own history
    """

    public_key: Hash
    nonce: Hex32
    standards_root: str
    plant_fingerprint: str
    earlier_keys: tuple[Hash, ...] = ()
