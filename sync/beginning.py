"""A node's first deed in a process: look whether its database is the one that was left, before anything is recorded."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from shared.db.engine import write
from shared.errors import BadSetup
from shared.journal.anchor import Anchor, only_writer, read_anchor, write_anchor
from shared.journal.highest import NOTHING, Outside
from shared.journal.life import Beginning, begin_life, current_anchor, get_identity
from shared.journal.rederive import clear_scratch
from shared.logs import get
from shared.node import Node
from sync.losses import note_lost
from sync.peers import keep_key, open_incident

log = get("sync")


def anchor_file(node: Node) -> Path:
    """Where the anchor lies: in the node's folder, outside the database and its backups."""
    return node.settings.folder / "anchor.json"


def begin(node: Node, outside: Outside = NOTHING, *, first: bool = True) -> Beginning:
    """Open a new life of this node if its database was restored, and write the anchor. BadSetup for a broken database.

    What is done here is done before the first write and in one transaction; the anchor follows it. Of processes that start
    beside each other one finds it out. first: no other works in the node's folder, what lies there half done is nobody's.
    """
    if first:
        clear_scratch(node.settings.folder)
    file = anchor_file(node)
    with only_writer(file):
        return _begin(node, outside, file)


def _begin(node: Node, outside: Outside, file: Path) -> Beginning:
    before = read_anchor(file)
    try:
        with write(node.engine) as conn:
            found = begin_life(conn, before, node.clock.now_ms(), outside)
            keep_key(conn, node.code, node.key.public, node.clock.now_ms())
            if found.reason:
                _check_whole(conn)
                _tell(conn, node, found, before)
            anchor = current_anchor(conn, node.code, outside)
    except DatabaseError as error:
        if "malformed" not in str(error.orig):
            raise
        raise _broken(str(error.orig)) from error
    if found.reason:
        log.warning("the database counts as restored: new epochs opened", reason=found.reason, streams=found.streams)
    if found.reason or before is None:
        write_anchor(file, anchor)
    return found


def _check_whole(conn: Connection) -> None:
    """A file that was copied while it was open may be older and torn as well; read it whole before going on."""
    if conn.dialect.name == "sqlite":
        said = conn.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        if said != "ok":
            raise _broken(str(said))


def _broken(said: str) -> BadSetup:
    return BadSetup(
        "journal.broken_database",
        f"The database of this node was restored and is damaged: {said}",
        kept="Nothing was changed.",
        todo="Restore a good backup; without one move it away, make the node anew and enrol it again: "
        "its history comes back from its peer.",
    )


def _tell(conn: Connection, node: Node, found: Beginning, anchor: Anchor | None) -> None:
    note_lost(conn, found.lost, "", node.clock.now_ms())
    missing = sum(place.last - place.first + 1 for place in found.lost)
    heads = anchor.heads if anchor else {}
    places = "; ".join(f"{stream} {kept.epoch} {kept.seq} {kept.hash}" for stream, kept in sorted(heads.items()))
    open_incident(
        conn,
        node.clock,
        node.code,
        "restored",
        f"The database counts as restored ({found.reason}): life {get_identity(conn).incarnation[:8]} has begun with "
        f"new epochs of {', '.join(found.streams)}, and numbers jumped. {missing} entries are missing.",
        level="attention",
        evidence=f"The anchor named: {places or 'nothing'}",
    )
