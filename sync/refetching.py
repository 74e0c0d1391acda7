"""Getting back the right bytes of an entry of ours that the disk changed, from the peer that holds a copy.

Nothing needs to be believed: the chain says what the bytes must be. They are put into an archive file of their own, and
the damaged row gives up its bytes for it, as for any archived fact; the journal's guard lets nothing else happen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from shared.db.engine import read, write
from shared.journal.archive import put_beside
from shared.journal.chain import next_hash
from shared.journal.reading import Stored, entry_at, hash_at
from shared.journal.segment_file import ArchiveDamaged
from shared.journal.verify import Finding
from shared.logs import get
from shared.node import Node
from sync.errors import SyncError
from sync.incoming import unpack
from sync.messages import Seal
from sync.pack import split
from sync.peers import open_incident
from sync.seal import parse, payload_of, read_envelope

log = get("refetch")

Fetch = Callable[[str, int], bytes]
"""(epoch, place) -> the batch of our own stream that follows the place, as the peer holds it. SyncError."""


def fetch_damaged(node: Node, findings: Iterable[Finding], fetch: Fetch) -> int:
    """Mend our own entries that these findings name, as far as the peer has them; returns how many, each told."""
    mended = 0
    for found in findings:
        if found.stream != node.code or found.seq < 1:
            continue
        try:
            mended += _mend(node, found.epoch, found.seq, fetch)
        except (SyncError, ArchiveDamaged) as error:
            log.warning("an entry could not be fetched back", entry=str(found), reason=str(error)[:300])
    return mended


def _mend(node: Node, epoch: str, seq: int, fetch: Fetch) -> bool:
    with read(node.engine) as conn:
        item = entry_at(conn, node.code, epoch, seq)
        previous = hash_at(conn, node.code, epoch, seq - 1)
    if item is None or previous is None or _is_sound(item, previous, item.body):
        return False
    envelope, frame = split(fetch(epoch, seq - 1))
    batch = unpack(parse(payload_of(read_envelope(envelope)), Seal), envelope, frame)
    for came in batch.entries:
        if came.seq == seq and _is_sound(item, previous, came.body):
            put_beside(node.engine, node.settings.archive_folder, item, came.body, node.clock.now_ms())
            what = f"Entry {seq} of epoch {epoch} of {node.code} was damaged here; its bytes came back from its reader."
            with write(node.engine) as conn:
                open_incident(conn, node.clock, node.code, "damaged", what)
            return True
    return False


def _is_sound(item: Stored, previous: str, body: bytes) -> bool:
    return item.hash == next_hash(item.epoch, item.stream, item.seq, previous, body)
