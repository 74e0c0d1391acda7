"""The door at which outside parties' programs knock: EPCIS events and CSV files, each party by its own token.

It takes statements and nothing else: no read is behind it, and no token of the plant's own people opens it.
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import BadRequest

from local_mes.context import plant
from local_mes.outside import errors
from local_mes.outside.csv_reading import read_csv, template
from local_mes.outside.epcis_reading import read_document
from local_mes.outside.limiting import Limit
from local_mes.outside.service import Outcome, party_of_token, take
from local_mes.outside.taking import take_rows, take_x12
from shared.errors import Unauthenticated
from shared.web.context import reading

bp = Blueprint("outside_door", __name__, url_prefix="/outside/v1")
BEARER = "Bearer "
WRONG_A_MINUTE = 20
"""Wrong tokens from one address a minute: slows guessing of 192 bits, which is hopeless anyway, and fills no log."""
CALLS_A_MINUTE = 120
"""Calls of one party a minute, each with up to 500 events: a flood of one leaves room for the plant."""


class Doorkeeper:
    """The limits of one app."""

    def __init__(self) -> None:
        self.wrong = Limit(WRONG_A_MINUTE)
        self.calls = Limit(CALLS_A_MINUTE)


def party() -> str:
    """Whose token came with the request; Unauthenticated, Denied, TooManyTries."""
    keeper: Doorkeeper = current_app.extensions.setdefault("strandline.outside", Doorkeeper())
    head = request.headers.get("Authorization", "")
    try:
        if not head.startswith(BEARER):
            raise errors.no_token()
        with reading() as conn:
            found = party_of_token(conn, plant().code, head.removeprefix(BEARER).strip())
    except Unauthenticated:
        keeper.wrong.count(request.remote_addr or "")
        raise
    keeper.calls.count(found)
    return found


@bp.post("/epcis/capture")
def capture() -> Response:
    """Events of an EPCIS 2.0 document, each taken once; every one is answered for by itself."""
    who = party()
    try:
        document = current_app.json.loads(request.get_data(as_text=False))
    except ValueError as why:
        raise BadRequest(f"The body is no JSON that can be taken: {why}") from why
    outcomes = [
        take(plant(), who, statement, "epcis") if statement else Outcome(event_id, "refused", problem)
        for event_id, statement, problem in read_document(document)
    ]
    return _answer([outcome._asdict() for outcome in outcomes])


@bp.post("/csv")
def upload() -> Response:
    """The template filled in; every row is answered for by itself."""
    who = party()
    rows = read_csv(request.get_data(), ZoneInfo(plant().model.plant.zone))
    return _answer(take_rows(plant(), who, rows))


@bp.get("/csv/template")
def empty_file() -> Response:
    """The columns, with rows to overwrite."""
    party()
    return Response(template(), mimetype="text/csv")


@bp.post("/x12")
def interchange() -> Response:
    """861, 867 or 870 in the shape of X12; every transaction is answered for by itself."""
    return _answer(take_x12(plant(), party(), request.get_data()))


def _answer(items: list[dict[str, Any]]) -> Response:
    """200 where every item was taken or kept, 422 where one was refused: its sender must act."""
    counts = {state: sum(item["state"] == state for item in items) for state in ("done", "again", "open", "refused")}
    body = current_app.json.dumps({"items": items, **counts})
    return Response(body, 422 if counts["refused"] else 200, mimetype="application/json")
