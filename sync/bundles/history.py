"""A restored node's own history for the stick: what its peer holds of it, in the batches that it once sealed itself.

The question is an ordinary bundle of the restored node: its head names every life and how far that goes. The answer
holds what follows on that, of a life that parted all, with what the peer holds of each. It is read by recover.py.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO

from sqlalchemy import Connection

from shared.db.engine import read
from shared.ids import random_key
from shared.journal.life import get_identity
from shared.journal.reading import hash_at
from shared.node import Node
from sync.bundles.file import BUNDLE, HISTORY, PARTS_MAX, Head, Part, make_part, write_file
from sync.bundles.take import open_head
from sync.limits import PROTOCOL
from sync.meeting import list_marks
from sync.messages import Counters, EpochState, Seal
from sync.pack import split
from sync.peers import Peer
from sync.returning import copies_of, find_batch
from sync.seal import parse, payload_of, read_envelope
from sync.understanding import fact_versions


@dataclass(frozen=True)
class Answer:
    """What a node holds of its peer's stream, and after which entry of each life that is carried."""

    peer: Peer
    incarnation: str
    instance: str
    copies: tuple[EpochState, ...]
    counters: Counters
    after: dict[str, int]


def write_history(node: Node, question: IO[bytes], target: Path, *, whole: bool = False) -> list[tuple[Path, Head]]:
    """Answer a peer's bundle with its own history: target, target-2, ... each within sync.bundle_bytes_max.

    whole  carry all that is held, also of lives that go further there than here. Any SyncError, BadSetup.
    """
    peer, head = open_head(node, question, BUNDLE)
    with read(node.engine) as conn:
        answer = _answer(conn, peer, head, whole)
    batches, files, session = _batches(node, answer), list[tuple[Path, Head]](), random_key()
    following = next(batches, None)
    while not files or following is not None:
        name = target.with_stem(f"{target.stem}-{len(files) + 1}") if files else target
        with tempfile.TemporaryFile() as room:
            parts = list[Part]()
            while following is not None and _fits(node, parts, room):
                parts.append(following[0])
                room.write(following[1])
                following = next(batches, None)
            written = _head(node, answer, session, tuple(parts), len(files) + 1, more=following is not None)
            write_file(name, node.key, written, room, HISTORY)
        files.append((name, written))
    return files


def _fits(node: Node, parts: list[Part], room: IO[bytes]) -> bool:
    return not parts or (len(parts) < PARTS_MAX and room.tell() < node.settings.sync.bundle_bytes_max)


def _answer(conn: Connection, peer: Peer, head: Head, whole: bool) -> Answer:
    named = {state.epoch: state for state in head.epochs if state.stream == peer.code}
    copies = copies_of(conn, peer.code, {state.epoch: state.seq for state in named.values()})
    after = {copy.epoch: 0 if whole else _after(conn, copy, named.get(copy.epoch)) for copy in copies}
    identity = get_identity(conn)
    return Answer(peer, identity.incarnation, identity.instance, copies, list_marks(conn, peer.code), after)


def _after(conn: Connection, copy: EpochState, named: EpochState | None) -> int:
    """From where its author needs a life: from its own end, or from the beginning where the two have parted."""
    if named is None or named.seq == 0:
        return 0
    if named.seq > copy.seq:
        return copy.seq
    return named.seq if hash_at(conn, copy.stream, copy.epoch, named.seq) == named.hash else 0


def _batches(node: Node, answer: Answer) -> Iterator[tuple[Part, bytes]]:
    return chain.from_iterable(_life(node, copy, answer.after[copy.epoch]) for copy in answer.copies)


def _life(node: Node, copy: EpochState, after: int) -> Iterator[tuple[Part, bytes]]:
    place = after
    while place < copy.seq:
        with read(node.engine) as conn:
            body = find_batch(conn, copy.stream, copy.epoch, place)
        seal = parse(payload_of(read_envelope(split(body)[0])), Seal)
        yield make_part(copy.stream, copy.epoch, seal.first, seal.last, body), body
        place = seal.last


def _head(node: Node, answer: Answer, session: str, parts: tuple[Part, ...], number: int, *, more: bool) -> Head:
    return Head(
        proto=PROTOCOL,
        node=node.code,
        audience=answer.peer.code,
        sent_ms=node.clock.now_ms(),
        bundle=session,
        instance=answer.instance,
        incarnation=answer.incarnation,
        epochs=(),
        copies=answer.copies,
        facts=fact_versions(),
        counters=answer.counters,
        parts=parts,
        number=number,
        more=more,
    )
