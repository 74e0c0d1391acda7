"""Lines of a recall: one piece as JSON or CSV, and all of them as an answer that is sent while it is read."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import msgspec
from flask import Response, current_app, stream_with_context

from shared.recall.domain import Totals, Whereabouts
from shared.recall.queries import Asked, recall
from shared.web.asof import as_of
from shared.web.context import face, reading
from shared.web.listing import plain_cell

NAMES = Whereabouts._fields
COLUMNS = (*NAMES[:-1], "bucket", "where")
_encoder = msgspec.json.Encoder()
Encode = Callable[[list[Whereabouts], Totals], bytes]


def as_json(piece: Whereabouts) -> dict[str, Any]:
    """One piece; part as lists of from, to, left and right in um."""
    found = dict(zip(NAMES, piece, strict=True))
    found["where"], found["bucket"], found["is_at_large"] = piece.where, piece.bucket, piece.is_at_large
    return found


def stream_answer(asked: Asked, form: str) -> Response:
    """Every piece, a thousand lines at a time; memory does not grow with the recall. What is wrong is said before."""
    lines = ndjson(asked) if form == "ndjson" else as_csv(asked)
    first = next(lines, b"")
    kind = "application/x-ndjson" if form == "ndjson" else "text/csv"
    answer = current_app.response_class(stream_with_context(chain((first,), lines)), mimetype=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="recall.{form}"'
    return answer


def ndjson(asked: Asked) -> Iterator[bytes]:
    """A line a piece; the last one holds the totals."""
    totals = Totals()
    with reading() as conn:
        for pieces in recall(conn, asked, face().group(conn)):
            totals.add(pieces)
            yield _encoder.encode_lines([as_json(piece) for piece in pieces])
    end = {"totals": [line._asdict() for line in totals.lines], "pieces": totals.pieces, **as_of()}
    yield _encoder.encode(end) + b"\n"


def as_csv(asked: Asked) -> Iterator[bytes]:
    """A head and a line a piece, in whole units so that a spreadsheet can calculate."""
    yield _rows([COLUMNS])
    with reading() as conn:
        for pieces in recall(conn, asked, face().group(conn)):
            yield _rows([*map(plain_cell, piece[:-1]), piece.bucket, piece.where] for piece in pieces)


def _rows(rows: Any) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()
