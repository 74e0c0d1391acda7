"""The journal at the command line: prove it, and make the rows again."""

from __future__ import annotations

from sqlalchemy import Connection

from shared.db.engine import picture, write
from shared.errors import Refused
from shared.journal.content_hash import authors, content_hash
from shared.journal.rebuild import rebuild
from shared.journal.verify import Finding, verify
from shared.node import Node
from sync.proof import check_seals

SHOWN_MAX = 10
"""Findings named in the message; the first is where to begin."""


class JournalBroken(Refused):
    """The journal is not what was written and signed."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        shown = "; ".join(map(str, findings[:SHOWN_MAX]))
        more = f"; and {len(findings) - SHOWN_MAX} more" if len(findings) > SHOWN_MAX else ""
        super().__init__(
            "journal.broken",
            f"{len(findings)} place(s) of the journal do not hold: {shown}{more}.",
            kept="Nothing was changed.",
            todo="Keep this database as evidence and restore the last good backup: the peers send the rest again.",
        )


def verify_journal(node: Node) -> str:
    """One sentence about a sound journal; JournalBroken names stream, epoch and entry otherwise."""
    with picture(node.engine) as conn:  # others record meanwhile
        result = verify(conn)
        seals = check_seals(conn, node.key.public)
    findings = (*result.findings, *seals.findings)
    if findings:
        raise JournalBroken(findings)
    return f"The journal of {node.code} holds: {result.entries} entries chained, {seals.count} seals signed."


def rebuild_journal(node: Node) -> str:
    """Rebuild in one transaction and say, an author a line, whether the rows came out the same."""
    with write(node.engine) as conn:
        before = _hashes(conn)
        done = rebuild(conn, node.journal.appliers, node.clock.now_ms())
        after = _hashes(conn)
    lines = [f"{done.applied} facts applied, {done.quarantined} quarantined, {done.parked} parked, {done.held} held."]
    for author in sorted({*before, *after}):
        same = "the same" if before.get(author) == after.get(author) else "different from before: mended"
        lines.append(f"{author}: {after.get(author, 'no rows')} ({same})")
    return "\n".join(lines)


def _hashes(conn: Connection) -> dict[str, str]:
    return {author: content_hash(conn, author) for author in authors(conn)}
