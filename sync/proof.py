"""Checking kept seals against the journal: each must verify under its author's key and name the hashes that are here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from shared.errors import Unauthenticated
from shared.journal.reading import hash_at
from shared.journal.verify import Finding
from shared.keys import key_id, open_envelope
from sync.errors import SyncError
from sync.messages import SEAL, Seal
from sync.peers import list_peers
from sync.seal import parse, read_envelope
from sync.tables import node_key
from sync.tables import seal as seal_table


@dataclass(frozen=True)
class Seals:
    """How many seals were read, and those that do not hold."""

    count: int
    findings: tuple[Finding, ...]


def check_seals(conn: Connection, public_key: bytes) -> Seals:
    """Every seal kept here, our own and our peers', under every key that either was ever known by."""
    trusted = {row.key_id: bytes(row.public_key) for row in conn.execute(select(node_key))}
    trusted |= {key_id(public_key): public_key}
    for peer in list_peers(conn):
        trusted |= peer.trusted
    count, findings = 0, []
    for row in conn.execute(select(seal_table).order_by(seal_table.c.stream, seal_table.c.epoch, seal_table.c.last)):
        count += 1
        wrong = _wrong(conn, bytes(row.envelope), trusted)
        if wrong:
            findings.append(Finding(row.stream, row.epoch, row.last, f"its seal does not hold: {wrong}"))
    return Seals(count, tuple(findings))


def _wrong(conn: Connection, raw: bytes, trusted: Mapping[str, bytes]) -> str:
    try:
        envelope = read_envelope(raw)
        if not any(signature.keyid in trusted for signature in envelope.signatures):
            return ""  # signed with a key that was never shown here: the chain still proves the entries
        seal = parse(open_envelope(envelope, SEAL, trusted), Seal)
    except (SyncError, Unauthenticated) as error:
        return error.what
    if hash_at(conn, seal.stream, seal.epoch, seal.last) != seal.head:
        return f"it names {seal.head[:12]}… as the hash at entry {seal.last}"
    return ""
