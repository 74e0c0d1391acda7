"""A crane says what it has moved: recorded as it happened; what a person would have been refused is a deviation."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from local_mes.level2.operations import BadMessage, Message, NotYet, Work, operation
from local_mes.stock.domain import is_place
from local_mes.stock.service import places_of
from local_mes.stock.yard_domain import as_recorded, find_spot
from local_mes.stock.yard_reads import would_break
from shared.material.facts import DeviationRaised, MaterialMoved
from shared.material.queries import find_by_number
from shared.stock.facts import CraneJobClosed
from shared.stock.queries import open_job_of


@operation("crane_moved", takes="piece:text to:text from?:text")
def crane_moved(work: Work, message: Message) -> None:
    """A piece is where a crane has put it."""
    number, place = str(message.fields["piece"]), str(message.fields["to"])
    if not is_place(place, places_of(work.plant.model)):
        raise BadMessage(f"{place!r} is no place of this plant.", "to")
    rows = find_by_number(work.conn, number, work.plant.code)
    if not rows:
        raise NotYet(f"No piece with the number {number} is known here.")
    piece = rows[0]
    if piece.state != "live":
        raise BadMessage(f"{number} is {piece.state}; no crane can have moved it.", "piece")
    _check(work, piece, place, str(message.fields.get("from") or ""))
    place = as_recorded(place, work.plant.model.storage)
    if piece.place != place:
        work.record(MaterialMoved(material_id=piece.material_id, place=place), [piece.material_id])
    job = open_job_of(work.conn, work.plant.code, piece.material_id)
    if job is not None and job.to_place in (place, message.fields["to"]):
        done = CraneJobClosed(job_id=job.job_id, result="done", reason="told by the crane")
        work.record(done, [piece.material_id])


def _check(work: Work, piece: Row[Any], place: str, taken_from: str) -> None:
    """Deviations: broken rules of the yard, and a piece that was not where the books had it."""
    storages = work.plant.model.storage
    spot, was, book = (find_spot(text, storages) for text in (place, taken_from, piece.place))
    for broken in would_break(work.conn, work.plant, piece, spot, work.message.occurred.at_ms) if spot else ():
        _deviate(
            work, piece, f"yard.{broken.rule}", f"{work.message.unit} put {piece.number} to {place}: {broken.text}."
        )
    if was and was.stack and (book is None or book.text != was.text):
        text = f"{work.message.unit} took {piece.number} from {taken_from}; the books had it at {piece.place or 'no place'}."
        _deviate(work, piece, "yard.place", text)


def _deviate(work: Work, piece: Row[Any], rule: str, text: str) -> None:
    raised = DeviationRaised(deviation_id=work.new_id(), rule=rule, text=text, material_id=piece.material_id)
    work.record(raised, [piece.material_id])
