"""Pieces refused at a gate that never come back to their sender: on its account, and nobody sees them (transfers.md, 16)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, Select, and_, select

from central_hub.transfers.domain import IN_ORDER, PENDING, Contradiction, KnownLine, Sight, Verdict
from central_hub.transfers.reading import find_line, not_judged
from shared.transfers.tables import receipt, shipment, transfer_word
from shared.transfers.words import load_of_word

JUDGED = "refusal"
BACK_MS = 48 * 3_600_000
"""On top of the way it came: a carrier takes a refused piece along with its next empty run (rule of thumb)."""
ENDS = ("returned", "diverted")


@dataclass(frozen=True)
class Refusal:
    """The addressee's word that it does not take the piece, and when it was first said where it is instead (ms)."""

    fact_id: str
    note: str
    recorded_at_ms: int
    ended_at_ms: int | None = None


def judge_refused(line: KnownLine, refusal: Refusal, sight: Sight) -> Verdict:
    """As of the time it should be back: neither had back, sent elsewhere, given up nor taken in after all."""
    way_ms = max(line.eta_ms - line.departed_at_ms, 0)
    margin_ms = sight.margin(line.receiver, line.sender)
    at_ms = refusal.recorded_at_ms + way_ms + BACK_MS + margin_ms
    if refusal.ended_at_ms is not None and refusal.ended_at_ms <= at_ms:
        return IN_ORDER
    if not (sight.sees(line.sender, at_ms) and sight.sees(line.receiver, at_ms)):
        return PENDING
    if not line.stands_at(at_ms):
        return IN_ORDER
    return Verdict(
        False,
        Contradiction(
            "short",
            at_ms,
            (line.sender, line.shipment_id, line.material_id),
            (line.sender, line.receiver),
            f"{line.number} of {line.shipment_number} ({line.mass_g / 1000:,.0f} kg) was refused at {line.receiver}: "
            f"{refusal.note}. {line.sender} does not have it back.",
            line.shipment_id,
            line.shipment_number,
            line.material_id,
            line.number,
            evidence=(line.fact_id, refusal.fact_id),
            values={"sender_g": line.mass_g},
        ),
    )


def find_refused(conn: Connection) -> Iterator[tuple[KnownLine, Refusal]]:
    """Refusals that are not judged yet, with their line; one whose line is not here waits."""
    for row in conn.execute(_open()).all():
        line = find_line(conn, row.shipment_id, row.material_id)
        if line is not None:
            ended = _ended_ms(conn, line)
            yield line, Refusal(row.fact_id, row.note, row.recorded_at_ms, ended)


def _open() -> Select[tuple[str, str, str, str, int]]:
    w = transfer_word.c
    return (
        select(w.fact_id, w.shipment_id, w.material_id, w.note, w.recorded_at_ms)
        .join_from(transfer_word, shipment, load_of_word())
        .where(w.kind == "refused", w.author == shipment.c.to_plant, not_judged(JUDGED, w.fact_id))
        .order_by(w.recorded_at_ms, w.fact_id)
    )


def _ended_ms(conn: Connection, line: KnownLine) -> int | None:
    """When somebody first recorded where the piece is, or the second side that it is lost."""
    w, r = transfer_word.c, receipt.c
    about = and_(w.shipment_id == line.shipment_id, w.material_id == line.material_id)
    words = conn.execute(select(w.kind, w.author, w.recorded_at_ms).where(about)).all()
    times = [row.recorded_at_ms for row in words if row.kind in ENDS and row.author == line.sender]
    came = and_(r.author == line.receiver, r.shipment_id == line.shipment_id, r.material_id == line.material_id)
    times += conn.execute(select(r.recorded_at_ms).where(came)).scalars()
    lost = {row.author: row.recorded_at_ms for row in words if row.kind == "lost"}
    if {line.sender, line.receiver} <= set(lost):
        times.append(max(lost[line.sender], lost[line.receiver]))
    return min(times, default=None)
