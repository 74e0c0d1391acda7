"""Getting the facts of a damaged archive file back from the other side, and the file with them.

Our own stream, and a peer's stream to us: asked of the peer, batch by batch, and the file is written again at once. A
peer's own stream:
each entry is wanted again of its author, as any damaged one (sync/refetching.py), and where nobody can be called (the
hub's own streams) each fact of every reader that it was once sent to. What comes lies in a folder beside the files until
all of it is there. What nobody can give is an alarm that names the file, its entries, and what to do.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from shared.db.engine import picture, write
from shared.errors import StrandlineError
from shared.journal.archive_again import Filed, damaged_segments, filed_in, put_file_back
from shared.journal.archived import Segment, archive_folder
from shared.node import Node
from shared.storage import write_durably
from sync.errors import SyncError
from sync.incoming import unpack
from sync.messages import Seal
from sync.pack import split
from sync.peers import list_peers, open_incident
from sync.seal import parse, payload_of, read_envelope
from sync.wanting import places_at_readers, want

if TYPE_CHECKING:
    from sync.refetching import Fetch

COMING = "coming-back"


def mend_files(node: Node, fetch: Fetch | None) -> int:
    """Do what can be done for every damaged archive file; returns how many are whole again."""
    with picture(node.engine) as conn:
        broken = damaged_segments(conn)
        peers = {peer.code for peer in list_peers(conn)}
        fetched = fetched_streams(conn, node.code)
    return sum(_mend(node, s, fetch if s.stream in fetched else None, s.stream in peers) for s in broken)


def fetched_streams(conn: Connection, code: str) -> set[str]:
    """Streams of which a node that calls its peers may ask them: its own, and theirs to it."""
    return {code, *(f"{peer.code}>{code}" for peer in list_peers(conn))}


def keep_piece(conn: Connection, segment: Segment, item: Filed, body: bytes) -> bool:
    """Keep one fact of a damaged file until all are here; True when that made the file whole again."""
    folder = archive_folder(conn) / COMING / str(segment.segment)
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    write_durably(folder / item.fact_id, body)
    wanted = filed_in(conn, segment)
    if not all((folder / one.fact_id).exists() for one in wanted):  # asked first: quick, at each of thousands
        return False
    if not all(_has(folder, one) for one in wanted):
        return False
    put_file_back(conn, segment, {one.fact_id: (folder / one.fact_id).read_bytes() for one in wanted})
    shutil.rmtree(folder)
    return True


def tell_back(conn: Connection, node: Node, segment: Segment) -> None:
    """A file is whole again."""
    what = f"The archive file {segment.file} was damaged or missing; its {segment.facts} facts came back."
    open_incident(conn, node.clock, segment.stream, "archive", what)


def _mend(node: Node, segment: Segment, fetch: Fetch | None, is_peers: bool) -> bool:
    try:
        if not segment.facts:  # all its facts lie in another stream's files
            return _put_back(node, segment, {})
        if is_peers:
            return _want(node, segment)
        if fetch is None:
            return _want_of_readers(node, segment)
        return _fetch(node, segment, fetch)
    except (SyncError, StrandlineError) as error:
        return _tell_alone(node, segment, error.what)


def _fetch(node: Node, segment: Segment, fetch: Fetch) -> bool:
    """Entries that the peer holds too."""
    with picture(node.engine) as conn:
        wanted = {item.seq: item for item in filed_in(conn, segment)}
    bodies: dict[str, bytes] = {}
    after = segment.first - 1
    while after < segment.last:
        envelope, frame = split(fetch(segment.stream, segment.epoch, after))
        batch = unpack(parse(payload_of(read_envelope(envelope)), Seal), envelope, frame)
        for came in batch.entries:
            item = wanted.get(came.seq)
            if item is not None and item.proves(came.body):
                bodies[item.fact_id] = came.body
        if batch.seal.last <= after:
            break
        after = batch.seal.last
    return _put_back(node, segment, bodies)


def _put_back(node: Node, segment: Segment, bodies: Mapping[str, bytes]) -> bool:
    with write(node.engine) as conn:
        put_file_back(conn, segment, bodies)
        tell_back(conn, node, segment)
    return True


def _want(node: Node, segment: Segment) -> bool:
    """Entries of a peer's stream: its author sends them when it next compares."""
    with write(node.engine) as conn:
        want(conn, [(item.stream, item.epoch, item.seq) for item in _missing(conn, segment)], node.clock.now_ms())
        what = f"{_named(segment)} It is asked of {segment.stream}, which sends it with its nightly comparison."
        open_incident(conn, node.clock, segment.stream, "archive", what)
    return False


def _want_of_readers(node: Node, segment: Segment) -> bool:
    """Facts of a stream of our own: every reader that was sent one sends it when it next compares."""
    with write(node.engine) as conn:
        missing = _missing(conn, segment)
        held = {item.fact_id: places_at_readers(conn, node.code, item.fact_id) for item in missing}
        want(conn, [place for places in held.values() for place in places], node.clock.now_ms())
        readers = sorted({stream.partition(">")[2] for places in held.values() for stream, _, _ in places})
    alone = sum(not places for places in held.values())
    if alone:
        return _tell_alone(node, segment, f"{alone} of its {segment.facts} facts stand in no stream to another node.")
    with write(node.engine) as conn:
        what = f"{_named(segment)} It is asked of {', '.join(readers)}, with their nightly comparisons."
        open_incident(conn, node.clock, segment.stream, "archive", what)
    return False


def _missing(conn: Connection, segment: Segment) -> list[Filed]:
    """What of a damaged file has not come back yet."""
    folder = archive_folder(conn) / COMING / str(segment.segment)
    return [item for item in filed_in(conn, segment) if not _has(folder, item)]


def _has(folder: Path, item: Filed) -> bool:
    """Whether an entry's fact has come back and is still what was chained."""
    file = folder / item.fact_id
    return file.is_file() and item.proves(file.read_bytes())


def _tell_alone(node: Node, segment: Segment, why: str) -> bool:
    what = f"{_named(segment)} It did not come back: {why} Put the file back from a backup of the archive folder."
    with write(node.engine) as conn:
        open_incident(conn, node.clock, segment.stream, "archive", what)
    return False


def _named(segment: Segment) -> str:
    return (
        f"The archive file {segment.file} is damaged or missing: entries {segment.first} to {segment.last} of epoch "
        f"{segment.epoch} of {segment.stream} cannot be read here, everything else can."
    )
