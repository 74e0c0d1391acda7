"""Which route a piece follows here, and all that is made of it: its own where it came from elsewhere, else its order's.

What is made of a received piece goes on over that piece's route as long as it serves the same order item; assigned to
another one it follows that order's route.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, or_, select

from local_mes.transfers.routing import ROUTE, own_routes
from shared.db.bulk import among
from shared.execution.trails import lines_of
from shared.material.books import json_text
from shared.material.tables import material
from shared.orders.queries import find_order
from shared.transfers.tables import transfer_word

NO_ORDER = ("", "stock")


def route_followed(conn: Connection, here: str, row: Row[Any], order_item: str = "") -> str:
    """The route of a step that a piece of this plant is worked by; empty where none is known.

    order_item: what the step serves, where that is not what the piece serves itself.
    """
    item = order_item or row.order_item
    own = inherited_routes(conn, here, [row], lines_of(conn, {row.material_id})).get(row.material_id, "")
    if own and item == row.order_item:
        return own
    order = find_order(conn, here, item) if item not in NO_ORDER else None
    return (order.route if order is not None else "") or own


def was_given(here: str, routes: Collection[str]) -> ColumnElement[bool]:
    """Whether a row of this plant's material came from elsewhere and was once given one of these routes, by a rule or by a
    person; whether it still has it, inherited_routes says."""
    word = transfer_word.c
    by_person = select(word.material_id).where(word.kind == "routed", word.author == here, word.note.in_(routes))
    told = [json_text({ROUTE: route})[1:-1] for route in routes]
    by_rule = (material.c.attributes.contains(words, autoescape=True) for words in told)
    return or_(material.c.material_id.in_(by_person), *by_rule)


def inherited_routes(
    conn: Connection, here: str, rows: Collection[Row[Any]], lines: Mapping[str, Collection[str]]
) -> dict[str, str]:
    """Material id -> the route that the piece brought along from its receipt, or from the youngest receipt among what it
    was made of. Those with none are left out. lines: the piece and all that it was made of."""
    everyone = sorted({one for row in rows for one in lines[row.material_id]})
    c = material.c
    query = select(material).where(c.author == here, c.origin == "received", among(conn, c.material_id, everyone))
    came = conn.execute(query.order_by(c.born_at_ms.desc(), c.material_id)).all()
    own = own_routes(conn, here, came) if came else {}
    routed = {one.material_id: one for one in came if own[one.material_id].route}
    found: dict[str, str] = {}
    for row in rows:
        made_of = (one for key, one in routed.items() if key in lines[row.material_id])
        served = (one for one in made_of if one.order_item == row.order_item)
        source = routed.get(row.material_id) or next(served, None)
        if source is not None:
            found[row.material_id] = own[source.material_id].route
    return found
