"""What marking machines, label printers and scanners say of pieces."""

from __future__ import annotations

from local_mes.level2.operations import BadMessage, Message, Work, operation
from local_mes.production.pieces import deviate, move
from local_mes.stock.service import check_place
from shared.material.facts import PieceLabelled
from shared.material.queries import find_by_number, find_material


@operation(
    "piece_labelled",
    takes="material_id:text means:text text:text outcome:text read?:text copies? reason?:text test?:flag",
)
def piece_labelled(work: Work, message: Message) -> None:
    """A label is out, a number is painted or stamped; one that failed or reads otherwise is a deviation.

    What is on the steel is on record whatever became of the piece meanwhile.
    """
    f = message.fields
    if f.get("test"):
        return
    piece = find_material(work.conn, work.plant.code, str(f.get("material_id") or ""))
    if piece is None:
        raise BadMessage(f"No piece {f.get('piece') or ''} is known here that this could be on.", "material_id")
    device = message.unit or message.link
    labelled = PieceLabelled(
        label_id=work.new_id(),
        material_id=piece.material_id,
        means=str(f["means"]),
        device=device,
        text=str(f["text"]),
        outcome=str(f["outcome"]),
        read=str(f.get("read", "")),
        copies=int(f.get("copies", 1)),
        reason=str(f.get("reason", "")),
    )
    # of the label alone: a hub that does not know this fact yet sets it aside without what else is said of the piece
    work.record(labelled, [labelled.label_id])
    if labelled.outcome == "mismatch":
        deviate(
            work,
            piece,
            "marking",
            f"{piece.number} reads {labelled.read} at {device}, not {labelled.text}: mark it again.",
        )
    elif labelled.outcome == "failed":
        deviate(work, piece, "marking", f"{piece.number} was not marked at {device}: {labelled.reason}.")


@operation("piece_scanned", takes="number:text place?:text")
def piece_scanned(work: Work, message: Message) -> None:
    """Somebody held the scanner to a piece: it is where the scanner is, if the scanner is of a place."""
    number, place = str(message.fields["number"]), str(message.fields.get("place") or "")
    rows = find_by_number(work.conn, number, work.plant.code) or find_by_number(work.conn, number)
    if not rows:
        raise BadMessage(f"No piece has the number {number}.", "number")
    if not place:
        return
    check_place(work.plant.model, place)
    piece = rows[0]
    if piece.author != work.plant.code or piece.state != "live":
        raise BadMessage(f"{number} was scanned at {place}, and is {piece.state} at {piece.author}.", "number")
    move(work, piece, place)
