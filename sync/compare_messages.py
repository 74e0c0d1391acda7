"""The words with which two nodes compare an author's rows; signed like all others, read-only, so without a session."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from sync.messages import TYPE_PREFIX, EpochState, Hash, Hex32, Message, Name, Seq

COMPARE = TYPE_PREFIX + "compare+json"
COMPARED = TYPE_PREFIX + "compared+json"
MEND = TYPE_PREFIX + "mend+json"

BUCKETS_WANTED_MAX = 16
DAMAGED_MAX = 100
ROWS_MAX = 4_000
"""Rows named in one answer: about 180 bytes each, below the limit of an answer."""

Bucket = Annotated[int, msgspec.Meta(ge=0, le=255)]
Answer = Literal["same", "different", "not_level", "other_shape", "set_aside", "taken", "not_needed"]


class RowSaid(msgspec.Struct, frozen=True):
    """A row of a bucket as the answering side has it: the SHA-256 of all its columns."""

    table: Annotated[str, msgspec.Meta(max_length=64)]
    key: Annotated[str, msgspec.Meta(max_length=2_000)]
    digest: Hash


class Compare(Message, frozen=True, kw_only=True, omit_defaults=True):
    """An author shows the digests of its rows at one place of its stream.

    want     buckets of which it wants to hear every row
    wait_ms  how long the other may wait to come level
    """

    stream: Name
    epochs: tuple[EpochState, ...]
    shape: Hash
    buckets: Annotated[tuple[Hash, ...], msgspec.Meta(min_length=256, max_length=256)]
    want: Annotated[tuple[Bucket, ...], msgspec.Meta(max_length=BUCKETS_WANTED_MAX)] = ()
    wait_ms: Annotated[int, msgspec.Meta(ge=0, le=25_000)] = 0
    nonce: Hex32


class Place(msgspec.Struct, frozen=True):
    """An entry of the author's stream."""

    epoch: Hex32
    seq: Seq


class Mend(Message, frozen=True, kw_only=True, omit_defaults=True):
    """A reader or an author sends the bytes of one entry again, because the other's disk changed them; the chain proves
    them.

    stream  the answering side's own to the sender, '' for the sender's own
    """

    place: Place
    stream: Annotated[str, msgspec.Meta(max_length=64)] = ""
    fact: bytes
    nonce: Hex32


class Compared(Message, frozen=True, kw_only=True, omit_defaults=True):
    """What came of it. differing: the buckets; rows: those of the wanted buckets, or as many as fit (then cut).

    damaged  entries of the author's stream whose bytes are wanted again
    down     entries of the answering side's stream to the author that the author holds and whose bytes are wanted again
    """

    nonce: Hex32
    answer: Answer
    damaged: Annotated[tuple[Place, ...], msgspec.Meta(max_length=DAMAGED_MAX)] = ()
    down: Annotated[tuple[Place, ...], msgspec.Meta(max_length=DAMAGED_MAX)] = ()
    differing: tuple[Bucket, ...] = ()
    rows: tuple[RowSaid, ...] = ()
    cut: bool = False
