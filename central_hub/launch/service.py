"""Launching a product: drafts from a wish in one step, and how far it is, up to its first trial heat."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from central_hub.hub import Hub
from central_hub.launch.making import documents_of
from central_hub.launch.wish import Wish
from central_hub.plants.queries import list_codes
from central_hub.standards.service import write_draft, write_submission
from shared.errors import NotFound, Refused
from shared.ids import new_id
from shared.journal.fact import Draft, Occurred
from shared.material.tables import STATES, material
from shared.standards.documents import Routing
from shared.standards.own_facts import ProductLaunched
from shared.standards.own_tables import product_launch
from shared.standards.product_kinds import Product
from shared.standards.queries import document_of, equipment_of, find_version, list_history, list_versions

HEATS_LOOK_MS = 400 * 86_400_000
"""A launch whose first heat comes later than that is none any more."""


@dataclass(frozen=True)
class Part:
    """One draft of a launch: its state now, when it was published, and where it is in force since when."""

    standard_id: str
    version: int
    status: str
    published_ms: int | None
    adopted: dict[str, int]


@dataclass(frozen=True)
class Launch:
    """How far a launch is. Times in ms UTC; None: not yet. trial_plant: where the first heat of its grade was made.

    left_out: rules that were asked for and not written, each with the reason.
    """

    launch_id: str
    product_id: str
    title: str
    template: str
    grade: str
    source: str
    reference: str
    begun_by: str
    begun_ms: int
    parts: tuple[Part, ...]
    left_out: tuple[str, ...]
    published_ms: int | None
    adopted_ms: int | None
    trial_ms: int | None
    trial_plant: str

    @property
    def took_ms(self) -> int | None:
        """From the draft to the first trial heat."""
        return None if self.trial_ms is None else self.trial_ms - self.begun_ms


def launch(hub: Hub, wish: Wish, actor: str, command_id: str) -> str:
    """Write product, route and rules as drafts and ask for their review; returns the launch's id."""
    with hub.journal.work() as tx:
        known = tx.once(command_id)
        if known is not None:
            return str(known)
        if any(row.standard_id == wish.product_id for row in list_versions(tx.conn, hub.code)):
            raise Refused(
                "launch.known",
                f"{wish.product_id} is there already.",
                todo="Write its next version, or choose another id.",
            )
        product, route = _template(tx.conn, hub, wish.like)
        documents, left_out = documents_of(wish, product, route, _having(tx.conn))
        made = [write_draft(tx, hub, document, actor) for document in documents]
        for each in made:
            write_submission(tx, hub, each.id, each.version, actor)
        launch_id = new_id(hub.clock)
        fact = ProductLaunched(
            launch_id=launch_id,
            product_id=wish.product_id,
            title=wish.title,
            template=wish.like,
            grade=wish.grade,
            source=wish.source,
            reference=wish.reference,
            standards=tuple(f"{each.id} v{each.version}" for each in made),
            left_out=tuple(left_out),
        )
        tx.record(Draft(payload=fact, subjects=(launch_id,), actor=actor, occurred=Occurred(tx.now_ms(), "manual")))
        tx.done(command_id, launch_id)
    return launch_id


def _template(conn: Connection, hub: Hub, like: str) -> tuple[Product, Routing | None]:
    """The published product, and the first of its routes."""
    product = _published(conn, hub, like)
    if not isinstance(product, Product):
        raise NotFound("launch.no_template", f"No product {like} is published.", todo="Name a published product.")
    route = _published(conn, hub, product.routes[0]) if product.routes else None
    return product, route if isinstance(route, Routing) else None


def _having(conn: Connection) -> dict[str, list[str]]:
    """Class of equipment -> the plants that report a unit of it."""
    found: dict[str, list[str]] = {}
    for plant in list_codes(conn):
        for name in set(equipment_of(conn, plant).values()):
            found.setdefault(name, []).append(plant)
    return found


def _published(conn: Connection, hub: Hub, standard_id: str) -> object:
    rows = [row for row in list_versions(conn, hub.code, "published") if row.standard_id == standard_id]
    return document_of(str(rows[-1].body)) if rows else None


def list_templates(conn: Connection, hub: Hub) -> list[tuple[str, str]]:
    """Published products that a new one can be like: id and title."""
    rows = list_versions(conn, hub.code, "published")
    return list({str(row.standard_id): str(row.title) for row in rows if row.kind == "product"}.items())


def list_launches(conn: Connection, hub: Hub, limit: int = 50) -> list[Launch]:
    """The youngest first."""
    table = product_launch
    query = select(table).where(table.c.author == hub.code)
    rows = conn.execute(query.order_by(table.c.begun_ms.desc(), table.c.launch_id).limit(limit)).all()
    return [_launch(conn, hub, row) for row in rows]


def find_launch(conn: Connection, hub: Hub, launch_id: str) -> Launch:
    """One."""
    table = product_launch
    row = conn.execute(select(table).where(table.c.author == hub.code, table.c.launch_id == launch_id)).first()
    if row is None:
        raise NotFound("launch.unknown", f"There is no launch {launch_id}.", todo="Choose one of the list.")
    return _launch(conn, hub, row)


def _launch(conn: Connection, hub: Hub, row: Row[Any]) -> Launch:
    parts = tuple(_part(conn, hub, *name.rsplit(" v", 1)) for name in json.loads(row.standards))
    published = [part.published_ms for part in parts]
    adopted = [min(part.adopted.values()) for part in parts if part.adopted]
    trial = _first_heat(conn, row.grade, row.begun_ms)
    return Launch(
        row.launch_id,
        row.product_id,
        row.title,
        row.template,
        row.grade,
        row.source,
        row.reference,
        row.begun_by,
        row.begun_ms,
        parts,
        tuple(json.loads(row.left_out)),
        max(ms for ms in published if ms is not None) if all(ms is not None for ms in published) else None,
        max(adopted) if len(adopted) == len(parts) else None,
        trial[0] if trial else None,
        trial[1] if trial else "",
    )


def _part(conn: Connection, hub: Hub, standard_id: str, number: str) -> Part:
    version = int(number)
    row = find_version(conn, hub.code, standard_id, version)
    spells = [spell for spell in list_history(conn, standard_id) if spell.version == version]
    first: dict[str, int] = {}
    for spell in spells:
        first[spell.plant] = min(first.get(spell.plant, spell.adopted_ms), spell.adopted_ms)
    status, published = (str(row.status), row.published_ms) if row else ("", None)
    return Part(standard_id, version, status, None if published is None else int(str(published)), first)


def _first_heat(conn: Connection, grade: str, since_ms: int) -> tuple[int, str] | None:
    """The first heat of the grade that was born since, and where."""
    c = material.c
    # plants, states and kind are what the rows are sorted by: heats are few among pieces
    heats = (c.author.in_(list_codes(conn)), c.state.in_(STATES), c.kind == "heat")
    born = (c.born_at_ms >= since_ms, c.born_at_ms < since_ms + HEATS_LOOK_MS)
    query = select(c.born_at_ms, c.author).where(*heats, c.grade == grade, *born)
    row = conn.execute(query.order_by(c.born_at_ms).limit(1)).first()
    return (row.born_at_ms, row.author) if row else None
