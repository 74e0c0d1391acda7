"""Which orders a piece may serve here, by the grade substitutions in force."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from shared.errors import Refused
from shared.execution.serving import Serving, serving
from shared.orders.queries import OrderItem, find_orders
from shared.standards.product_kinds import Substitution
from shared.standards.queries import list_documents_in_force

ORDERS_MAX = 500
"""Order items looked at for one piece."""


@dataclass(frozen=True)
class Choice:
    """An order item that a piece may serve, and by what right."""

    order: OrderItem
    serving: Serving


def substitutions(conn: Connection, plant: str) -> list[Substitution]:
    """The substitution standards in force."""
    found = [document for _, document in list_documents_in_force(conn, plant, "substitution")]
    return [document for document in found if isinstance(document, Substitution)]


def check_serves(conn: Connection, plant: str, number: str, grade: str, order: OrderItem, downgrade: bool) -> None:
    """Refused where a standard in force says that the grade does not serve the order, or only as a downgrade."""
    found = serving(substitutions(conn, plant), grade, order.grade)
    if found.may and (downgrade or not found.downgrade):
        return
    raise Refused(
        "execution.grade",
        f"{number} cannot serve order {order.item}: {found.why} ({found.said_by}).",
        kept="Nothing was changed.",
        todo="Choose another order or piece" + (", or release it as a downgrade." if found.may else "."),
    )


def choices(conn: Connection, plant: str, row: Row[Any]) -> list[Choice]:
    """Other orders here that the piece's grade may serve by a standard or as its own, its own grade first."""
    documents = substitutions(conn, plant)
    found = []
    for order in find_orders(conn, plant, limit=ORDERS_MAX):
        if order.item != row.order_item and row.kind != "heat":
            answer = serving(documents, row.grade, order.grade)
            if answer.may and (answer.said_by or order.grade == row.grade):
                found.append(Choice(order, answer))
    return sorted(found, key=lambda choice: (choice.serving.downgrade, choice.serving.order, choice.order.due))
