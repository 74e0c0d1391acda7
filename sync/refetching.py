"""Getting back the right bytes of an entry that the disk changed, from the other side, whichever that is.

Nothing needs to be believed: the chain says what the bytes must be. They are put into an archive file of their own, and
the damaged row gives up its bytes for it, as for any archived fact; the journal's guard lets nothing else happen.

A plant asks its hub for its own history and for what came down to it. The hub, which calls nobody, names what it wants
in its next answer to a comparison, and the plant sends it: of the plant's stream, and of the hub's own facts those that
it once sent to that plant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import Connection

from shared.db.engine import read, write
from shared.journal.archive import put_beside
from shared.journal.archive_again import Filed, find_filed, is_sound
from shared.journal.archived import Segment
from shared.journal.chain import next_hash
from shared.journal.reading import Stored, entry_at, hash_at
from shared.journal.segment_file import ArchiveDamaged
from shared.journal.verify import CHANGED, Finding
from shared.logs import get
from shared.node import Node
from sync.archive_back import fetched_streams, keep_piece, tell_back
from sync.compare_messages import Place
from sync.errors import SyncError
from sync.incoming import unpack
from sync.messages import Seal
from sync.pack import split
from sync.peers import list_peers, open_incident
from sync.seal import parse, payload_of, read_envelope
from sync.wanting import places_at_readers, want, want_no_more

log = get("refetch")

Fetch = Callable[[str, str, int], bytes]
"""(stream, epoch, place) -> the batch that follows the place of our own stream, or of the peer's to us, as the peer holds
it. SyncError."""


def fetch_damaged(node: Node, findings: Iterable[Finding], fetch: Fetch) -> int:
    """Mend what these findings name of our own stream and of what came down to us, as far as the peer has it; returns
    how many entries, each told."""
    with read(node.engine) as conn:
        streams = fetched_streams(conn, node.code)
    mended = 0
    for found in findings:
        if found.stream not in streams or found.what != CHANGED:
            continue
        try:
            mended += _fetch_one(node, found, fetch)
        except (SyncError, ArchiveDamaged) as error:
            log.warning("an entry could not be fetched back", entry=str(found), reason=str(error)[:300])
    return mended


def want_again(node: Node, findings: Iterable[Finding]) -> None:
    """Remember which entries are damaged here that others hold, to ask for them: of peers' own streams the authors, of
    our own the readers that we sent the same facts."""
    now = node.clock.now_ms()
    with write(node.engine) as conn:
        peers = {peer.code for peer in list_peers(conn)}
        for found in findings:
            if found.what != CHANGED:
                continue
            if found.stream in peers:
                want(conn, [(found.stream, found.epoch, found.seq)], now)
                continue
            item = entry_at(conn, found.stream, found.epoch, found.seq)
            want(conn, places_at_readers(conn, node.code, item.fact_id) if item else (), now)


def find_sound(conn: Connection, stream: str, places: Sequence[Place]) -> list[tuple[Place, bytes]]:
    """Those of our entries that are sound here, with their bytes."""
    found: list[tuple[Place, bytes]] = []
    for place in places:
        try:
            item, previous = _at(conn, stream, place.epoch, place.seq)
        except ArchiveDamaged:
            continue  # the night's proof names the file
        if item is not None and _is_sound(item, previous, item.body):
            found.append((place, item.body))
    return found


def take_bytes(node: Node, stream: str, epoch: str, seq: int, body: bytes) -> bool:
    """Put an entry's bytes right, if they are damaged here and these are the ones that were chained; tells people."""
    with read(node.engine) as conn:
        filed = find_filed(conn, stream, epoch, seq)
        in_lost_file = filed is not None and not is_sound(node.settings.archive_folder, filed[0])
    if in_lost_file and filed is not None:
        return _take_piece(node, *filed, body)
    with read(node.engine) as conn:
        item, previous = _at(conn, stream, epoch, seq)
    if item is None or not _is_sound(item, previous, body):
        return False
    damaged = item.body != body
    if damaged:
        put_beside(node.engine, node.settings.archive_folder, item, body, node.clock.now_ms())
    with write(node.engine) as conn:
        want_no_more(conn, item.fact_id)
        if damaged:
            what = f"Entry {seq} of epoch {epoch} of {stream} was damaged here; its bytes came back."
            open_incident(conn, node.clock, stream, "damaged", what)
    return damaged


def _take_piece(node: Node, segment: Segment, item: Filed, body: bytes) -> bool:
    """One fact of an archive file that is damaged here; with the last of them the file is written again."""
    if not item.proves(body):
        return False
    with write(node.engine) as conn:
        if keep_piece(conn, segment, item, body):
            tell_back(conn, node, segment)
        want_no_more(conn, item.fact_id)
    return True


def _fetch_one(node: Node, found: Finding, fetch: Fetch) -> bool:
    place = (found.stream, found.epoch, found.seq)
    envelope, frame = split(fetch(found.stream, found.epoch, found.seq - 1))
    batch = unpack(parse(payload_of(read_envelope(envelope)), Seal), envelope, frame)
    return any(take_bytes(node, *place, came.body) for came in batch.entries if came.seq == found.seq)


def _at(conn: Connection, stream: str, epoch: str, seq: int) -> tuple[Stored | None, str]:
    return entry_at(conn, stream, epoch, seq), hash_at(conn, stream, epoch, seq - 1) or ""


def _is_sound(item: Stored, previous: str, body: bytes) -> bool:
    return bool(previous) and item.hash == next_hash(item.epoch, item.stream, item.seq, previous, body)
