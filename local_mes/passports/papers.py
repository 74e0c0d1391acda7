"""What a load's passports are read back from: the file, labels and papers that go with it, made anew whenever asked for."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from sqlalchemy import Connection

from local_mes.passports.label import Label, make_label, to_zpl
from local_mes.plant import Plant
from shared.errors import NotFound, Refused
from shared.passports.coding import to_text
from shared.passports.document import PieceBody, Shipped, open_body, split
from shared.passports.queries import find_issued, find_missing
from shared.transfers.lines import LineFilter, find_lines
from shared.transfers.queries import find_shipment

NEVER = "it left before passports were issued"


@dataclass(frozen=True)
class PieceDocument:
    """One piece's passport: what it says, its text, its digest, and where the piece lies on the vehicle."""

    body: PieceBody
    text: str
    digest: str
    position: str

    @property
    def number(self) -> str:
        """The number printed on it."""
        return self.body.number


@dataclass(frozen=True)
class LoadDocuments:
    """All passports of a load. text: the load's own; without: number and reason of pieces that have none."""

    number: str
    to: str
    shipped: Shipped | None
    text: str
    pieces: tuple[PieceDocument, ...]
    without: tuple[tuple[str, str], ...]
    eta_ms: int

    @property
    def file(self) -> str:
        """Every passport on a line of its own, the load's first."""
        texts = [self.text, *(piece.text for piece in self.pieces)]
        return "\n".join(text for text in texts if text) + "\n"

    def find(self, number: str) -> PieceDocument:
        """One piece's; NotFound."""
        for piece in self.pieces:
            if number in (piece.number, piece.body.material_id.hex()):
                return piece
        raise NotFound("passport.none", f"{number} has no passport with load {self.number}.", todo="See the load.")


def read_documents(conn: Connection, plant: Plant, number: str) -> LoadDocuments:
    """The passports of a load that left here; a piece that came back or never left has none. NotFound."""
    load = find_shipment(conn, number, sender=plant.code)
    if load is None:
        raise NotFound("passport.no_load", f"No load {number} left {plant.code}.", todo="Check the number.")
    issued = find_issued(conn, plant.code, load.shipment_id)
    missing = find_missing(conn, plant.code, load.shipment_id)
    lines = find_lines(conn, LineFilter(sender=plant.code, shipment_id=load.shipment_id))
    gone = sorted((line for line in lines if not line.withdrawn), key=lambda line: (line.position, line.number))
    pieces, shipped = [], None
    for line in gone:
        row = issued.get(line.material_id)
        body = open_body(split(base64.b64decode(row.body))) if row is not None else None
        if row is not None and isinstance(body, PieceBody):
            shipped = body.shipped
            pieces.append(PieceDocument(body, _text(row.body), row.digest, line.position))
    without = tuple(
        (line.number, missing.get(line.material_id, NEVER)) for line in gone if line.material_id not in issued
    )
    text = _text(issued[""].body) if "" in issued else ""
    return LoadDocuments(load.number, load.to_plant, shipped, text, tuple(pieces), without, load.eta_ms)


def make_labels(documents: LoadDocuments, piece: str = "") -> list[Label]:
    """Labels of a load's pieces, or of one. NotFound, Refused where there is none."""
    chosen = [documents.find(piece)] if piece else list(documents.pieces)
    if not chosen:
        raise Refused(
            "passport.no_labels",
            f"No piece of load {documents.number} has a passport.",
            todo="Print the usual labels of its pieces.",
        )
    return [make_label(one.body, one.text) for one in chosen]


def labels_zpl(documents: LoadDocuments, piece: str = "") -> str:
    """The same for a label printer."""
    return "".join(to_zpl(label) for label in make_labels(documents, piece))


def labels_pdf(documents: LoadDocuments, piece: str = "") -> bytes:
    """The same as PDF, a page a label."""
    from local_mes.passports.sheet import draw_labels

    return draw_labels(make_labels(documents, piece))


def papers_pdf(documents: LoadDocuments, zone: str) -> bytes:
    """The load papers: list, codes, and what has no passport."""
    from local_mes.passports.sheet import Paper, PaperPiece, draw_paper

    if documents.shipped is None:
        raise Refused(
            "passport.no_papers",
            f"No piece of load {documents.number} has a passport.",
            todo="Its list is on the load's page.",
        )
    pieces = tuple(PaperPiece(one.body, one.text, one.position) for one in documents.pieces)
    return draw_paper(Paper(documents.shipped, documents.text, pieces, documents.without, zone, documents.eta_ms))


def _text(stored: str) -> str:
    return to_text(base64.b64decode(stored))
