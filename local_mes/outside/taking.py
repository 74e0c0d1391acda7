"""Files of outside parties, row by row and transaction by transaction: read whole first, then each thing taken once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from local_mes.outside.csv_reading import CsvRow
from local_mes.outside.domain import Said, Statement
from local_mes.outside.service import Outcome, take
from local_mes.plant import Plant
from shared.errors import BadInput, NotFound
from shared.outside.x12.engine import Told, read_message
from shared.outside.x12.envelope import Transaction, unwrap
from shared.outside.x12.mapping import load_mapping
from shared.outside.x12.values import Broken

DAMAGED = "01"


def take_rows(plant: Plant, party: str, rows: Sequence[CsvRow]) -> list[dict[str, Any]]:
    """Each row's outcome with its line; rows that cannot be read are refused, the others are taken all the same."""
    items = []
    for row in rows:
        outcome = take(plant, party, row.statement, "csv") if row.statement else Outcome("", "refused", row.problem)
        items.append({"line": row.line, "piece": row.piece, **outcome._asdict()})
    return items


def take_x12(plant: Plant, party: str, content: bytes) -> list[dict[str, Any]]:
    """Each statement's outcome, a transaction's first with the segments that nothing read. BadInput: no interchange."""
    try:
        transactions = unwrap(content)
    except Broken as why:
        raise BadInput(
            "outside.not_x12", f"This is no interchange: {why}.", kept="Nothing was taken.", todo="Send it again whole."
        ) from why
    return [item for transaction in transactions for item in _take_one(plant, party, transaction)]


def _take_one(plant: Plant, party: str, transaction: Transaction) -> list[dict[str, Any]]:
    named = {"message": transaction.message, "control": transaction.control}
    try:
        told, unread = read_message(load_mapping(transaction.message, "in"), transaction.segments)
    except (Broken, NotFound) as why:
        return [named | {"unread": [], **Outcome(transaction.control, "refused", _words(why))._asdict()}]
    statements = list(statements_of(transaction.message, transaction.control, told))
    outcomes = [take(plant, party, statement, "x12") for statement in statements]
    outcomes = outcomes or [Outcome(transaction.control, "refused", "it names no piece")]
    # what nothing read is of the transaction, not of each of its pieces
    return [named | {"unread": [] if at else unread, **outcome._asdict()} for at, outcome in enumerate(outcomes)]


def statements_of(message: str, control: str, told: Told) -> Iterable[Statement]:
    """What a message says, as statements: an 861 or 867 says one thing of each piece, an 870 one thing of all."""
    at_ms, event_id = told["at_ms"], f"x12:{control}"
    if message == "870":
        yield Statement(
            event_id=event_id,
            kind="produced",
            at_ms=at_ms,
            pieces=tuple(_said(item) for item in told["pieces"]),
            inputs=tuple(_said(item) for item in told["inputs"]),
            number=told["number"],
            scrap_g=told.get("scrap_g", 0),
            operation=told.get("operation", "")[:32],
        )
        return
    for at, item in enumerate(told["pieces"], start=1):
        yield Statement(
            event_id=f"{event_id}:{at}",
            kind="reapplied" if message == "867" else "received" if item["received"] else "missed",
            at_ms=at_ms,
            pieces=(_said(item),),
            load=told.get("load", ""),
            number=told["number"],
            order_item=item.get("order_item", ""),
        )


def _said(item: Told) -> Said:
    came = item.get("received", 1) != 0
    remark = item.get("remark", "")[:200]
    damaged = item.get("condition") == DAMAGED
    return Said(
        piece=item["piece"],
        own_number=item.get("own_number", "")[:64],
        mass_g=item.get("mass_g", 0),
        mass_basis=item.get("mass_basis") or "weighed",
        damage=(remark or "damaged") if damaged and came else "",
        note="" if came else remark,
    )


def _words(why: Exception) -> str:
    return why.what if isinstance(why, NotFound) else str(why)
