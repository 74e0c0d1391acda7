"""Rows of a deviation's renewals and of what people said to it, and their reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import msgspec
from sqlalchemy import Column, Connection, or_, select

from shared.db.types import Code, Id, Int, Words, projection_table
from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact
from shared.standards.deviation_facts import DeviationJudged, DeviationRenewed
from shared.standards.rows import change
from shared.standards.tables import catalogue, deviation

Verdict = Literal["approved", "objected"]
Approval = Literal["open", "approved", "objected"]
VERDICTS = get_args(Verdict)

renewal = projection_table(
    "standard_deviation_renewal",
    Column("deviation_id", Id, primary_key=True),
    Column("expires_ms", Int, primary_key=True, autoincrement=False),
    Column("reason", Words, nullable=False),
    Column("renewed_by", Code, nullable=False),
    Column("renewed_ms", Int, nullable=False),
)

word = projection_table(
    # the last word of each node on each term of a deviation
    "standard_deviation_word",
    Column("plant", Code, primary_key=True),
    Column("deviation_id", Id, primary_key=True),
    Column("expires_ms", Int, primary_key=True, autoincrement=False),
    # approved | objected
    Column("verdict", Code, nullable=False),
    Column("reason", Words, nullable=False),
    Column("said_by", Code, nullable=False),
    Column("said_ms", Int, nullable=False),
)


@dataclass(frozen=True)
class Renewal:
    """A deviation was to go on until expires_ms."""

    expires_ms: int
    reason: str
    renewed_by: str
    renewed_ms: int


@dataclass(frozen=True)
class Word:
    """What somebody of a node (author) said of a deviation as long as it ends at expires_ms."""

    author: str
    expires_ms: int
    verdict: str
    reason: str
    said_by: str
    said_ms: int


@dataclass(frozen=True)
class Past:
    """What became of one deviation, in order."""

    renewals: tuple[Renewal, ...] = ()
    words: tuple[Word, ...] = ()

    def approval(self, expires_ms: int) -> Approval:
        """How it stands as long as it ends then: an objection, the plant's or the group's, counts more than an approval."""
        said = {word.verdict for word in self.words if word.expires_ms == expires_ms}
        return "objected" if "objected" in said else "approved" if "approved" in said else "open"


NO_PAST = Past()


def register(appliers: Appliers) -> None:
    """Hand the journal the appliers of these."""
    appliers.add(DeviationRenewed, apply_renewed)
    appliers.add(DeviationJudged, apply_judged)


def apply_renewed(conn: Connection, group: Sequence[AppliedFact[DeviationRenewed]]) -> None:
    """The deviation ends later, and it stays readable who wanted it and why."""
    for f in group:
        change(conn, deviation, f, {"deviation_id": f.payload.deviation_id}, expires_ms=f.payload.expires_ms)
    rows = [{**_plain(f), "renewed_by": f.actor, "renewed_ms": f.recorded_at_ms} for f in group]
    upsert(conn, renewal, rows)


def apply_judged(conn: Connection, group: Sequence[AppliedFact[DeviationJudged]]) -> None:
    """A node's last word on a term replaces the one before."""
    rows = {
        (f.author, f.payload.plant, f.payload.deviation_id, f.payload.expires_ms): {
            **_plain(f),
            "said_by": f.actor,
            "said_ms": f.recorded_at_ms,
        }
        for f in group
    }
    upsert(conn, word, list(rows.values()), update=("verdict", "reason", "said_by", "said_ms"))


def list_pasts(conn: Connection, plant: str | None = None) -> dict[tuple[str, str], Past]:
    """(plant, deviation) -> its past. Its plant's words count and those of who publishes, another plant's do not."""
    r, w = renewal.c, word.c
    renewals: dict[tuple[str, str], list[Renewal]] = {}
    words: dict[tuple[str, str], list[Word]] = {}
    renewed = select(renewal).where(r.author == plant) if plant else select(renewal)
    for row in conn.execute(renewed.order_by(r.renewed_ms, r.expires_ms)):
        made = Renewal(row.expires_ms, row.reason, row.renewed_by, row.renewed_ms)
        renewals.setdefault((row.author, row.deviation_id), []).append(made)
    said = select(word).where(or_(w.author == w.plant, w.author.in_(select(catalogue.c.author))))
    for row in conn.execute((said.where(w.plant == plant) if plant else said).order_by(w.said_ms, w.author)):
        spoken = Word(row.author, row.expires_ms, row.verdict, row.reason, row.said_by, row.said_ms)
        words.setdefault((row.plant, row.deviation_id), []).append(spoken)
    return {key: Past(tuple(renewals.get(key, ())), tuple(words.get(key, ()))) for key in {*renewals, *words}}


def _plain(f: AppliedFact[Any]) -> dict[str, Any]:
    return {"author": f.author, **msgspec.structs.asdict(f.payload)}
