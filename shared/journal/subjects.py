"""Which fact last spoke of a subject, an author at a time, and where two facts of one author contradict about that.

The rule: a fact names the last fact of its own author about each subject. Facts of others that it rests on are its
causes. So the head of (author, subject) follows from one stream in (epoch order, seq) and is the same at the author,
at every reader and after a rebuild, in whatever order streams arrive.

Two facts of one author that name the same predecessor stem from two lives of it (a restored backup, a clone). Both
apply, in their order; the second is noted as contested, and people are told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select

from shared.db.prepared import Prepared, listed
from shared.db.upsert import upsert
from shared.journal.fact import AppliedFact
from shared.journal.tables import applied, contested, subject_head

Heads = dict[tuple[str, str], str]

_FIND_HEADS = Prepared(
    lambda database: select(subject_head.c.subject, subject_head.c.fact_id).where(
        subject_head.c.author == bindparam("of"), listed(database, subject_head.c.subject, "about")
    ),
    keeps_plan=False,
)


def lead_subjects(conn: Connection, facts: Sequence[AppliedFact[Any]]) -> None:
    """Move the heads past facts that were recorded here, in order: they named the heads as they stood, so nothing
    contests them."""
    heads = {(f.author, subject): f.fact_id for f in facts for subject in f.subjects}
    _move(conn, heads, heads)


def follow_subjects(conn: Connection, facts: Sequence[AppliedFact[Any]]) -> None:
    """Move the heads past these facts, in order, and note those that are contested."""
    keys = {(f.author, subject) for f in facts for subject in f.subjects}
    heads = find_heads(conn, keys)
    suspects: list[dict[str, Any]] = []
    for f in facts:
        suspects += _suspects(f, heads)
        heads |= {(f.author, subject): f.fact_id for subject in f.subjects}
    _move(conn, heads, keys)
    upsert(conn, contested, _proven(conn, suspects))


def find_heads(conn: Connection, keys: set[tuple[str, str]]) -> Heads:
    """The last facts about many subjects: (author, subject) -> fact; those without one are left out."""
    found: Heads = {}
    for author in {author for author, _ in keys}:
        subjects = sorted(subject for of, subject in keys if of == author)
        rows = _FIND_HEADS.rows(conn, of=author, about=subjects)
        found |= {(author, subject): fact_id for subject, fact_id in rows}
    return found


def _move(conn: Connection, heads: Heads, keys: Iterable[tuple[str, str]]) -> None:
    rows = [{"author": a, "subject": s, "fact_id": heads[a, s]} for a, s in sorted(keys)]
    upsert(conn, subject_head, rows, update=["fact_id"])


def _suspects(f: AppliedFact[Any], heads: Heads) -> list[dict[str, Any]]:
    """A fact that does not name the head as the one before it: one row, of its first such subject."""
    for subject, previous in zip(f.subjects, f.previous, strict=False):
        head = heads.get((f.author, subject))
        if head not in (None, previous, f.fact_id):
            row = {"author": f.author, "fact_id": f.fact_id, "subject": subject, "previous": previous, "head": head}
            return [row]
    return []


def _proven(conn: Connection, suspects: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those whose predecessor another fact has named before.

    A predecessor that has no effect here as its author's (set aside, discarded, another author's as older releases
    named them) was not followed by anything here, so nothing contests it.
    """
    c = applied.c
    return [
        row
        for row in suspects
        if row["previous"] is None
        or conn.execute(select(c.fact_id).where(c.author == row["author"], c.fact_id == row["previous"])).first()
    ]
