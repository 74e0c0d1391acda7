"""The recall's stream: pieces as the database finds them, completed a thousand at a time, never all in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, Select, bindparam, exists, func, literal, select

from shared.db.prepared import Prepared, listed
from shared.material.spread import Area
from shared.material.tables import material
from shared.material.walk import DEPTH_MAX, RANK, known_authors, reach
from shared.quality.tables import hold
from shared.recall.domain import Whereabouts, destination
from shared.transfers.tables import shipment, shipment_line

IDS_A_QUERY = 1_000
NO_LOAD = ("", "")
Found = tuple[Any, ...]
"""material_id, number, kind, author, state, place, mass_g, order_item, born_at_ms, held, depth."""


def stream(conn: Connection, starts: Sequence[str], group: Collection[str] = ()) -> Iterator[list[Whereabouts]]:
    """Everything made of these pieces, themselves included, in the order of their ids. group: plants that are known beside
    those whose facts are here."""
    plants = known_authors(conn) | set(group)
    batches = _REACHED.batches(conn, starts=list(starts), cap=DEPTH_MAX)
    for holders in _holders(batches):
        yield _complete(conn, holders, plants, {})


def stream_parts(
    conn: Connection, parts: Mapping[str, tuple[int, list[Area]]], group: Collection[str] = ()
) -> Iterator[list[Whereabouts]]:
    """The same for pieces of which only parts are meant."""
    plants, ids = known_authors(conn) | set(group), sorted(parts)
    for at in range(0, len(ids), IDS_A_QUERY):
        rows = _GIVEN.rows(conn, ids=ids[at : at + IDS_A_QUERY])
        for holders in _holders([rows]):
            yield _complete(conn, holders, plants, parts)


def _holders(batches: Iterable[list[Found]]) -> Iterator[list[Found]]:
    """Of each piece the row of who has it now, else of the last one that had it; rows come by piece."""
    rest: list[Found] = []
    for batch in batches:
        rows = rest + batch
        last = rows[-1][0]
        whole, rest = [r for r in rows if r[0] != last], [r for r in rows if r[0] == last]
        if whole:
            yield _one_each(whole)
    if rest:
        yield _one_each(rest)


def _one_each(rows: list[Found]) -> list[Found]:
    found: dict[str, Found] = {}
    for row in rows:
        before = found.setdefault(row[0], row)
        if before is not row and _holder_first(row) < _holder_first(before):
            found[row[0]] = row
    return list(found.values())


def _holder_first(row: Found) -> tuple[int, int, str]:
    return RANK.get(row[4], 1), -row[8], row[3]


def _complete(
    conn: Connection, holders: list[Found], plants: Collection[str], parts: Mapping[str, tuple[int, list[Area]]]
) -> list[Whereabouts]:
    away = [row[0] for row in holders if row[4] == "shipped"]
    loads = {(r[0], r[1]): (r[2], r[3]) for r in _LOADS.rows(conn, ids=away)} if away else {}
    done = []
    for row in holders:
        load, to = loads.get((row[0], row[3]), NO_LOAD) if row[4] == "shipped" else NO_LOAD
        plant, customer = destination(to, plants) if to else ("", "")
        depth, areas = parts.get(row[0], (row[10], ()))
        part = tuple(sorted((area.rounded for area in areas), key=str)) if areas else ()
        piece, number, kind, author, state, place, mass_g, order_item, _, held, _ = row
        done.append(
            Whereabouts(
                piece,
                number,
                kind,
                author,
                state,
                place,
                mass_g,
                order_item,
                depth,
                bool(held),
                load,
                plant,
                customer,
                part,
            )
        )
    return done


def _piece(depth: ColumnElement[int]) -> Select[Any]:
    c = material.c
    held = exists().where(
        hold.c.material_id == c.material_id, hold.c.released_at_ms.is_(None), hold.c.placed_at_ms.is_not(None)
    )
    names = ("material_id", "number", "kind", "author", "state", "place", "mass_g", "order_item", "born_at_ms")
    return select(*(c[name] for name in names), held.label("held"), depth.label("depth"))


def _make_reached(database: str) -> Select[Any]:
    found = reach(database, backward=False)
    # by bytes: by the rules of a language the sort would take as long again as all the rest
    key = found.c.id.collate("C") if database == "postgresql" else found.c.id
    first = select(found.c.id, key.label("key"), func.min(found.c.depth).label("depth")).group_by(found.c.id)
    # sorted while they are but ids: their rows, three times as wide, are then found in this order
    nearest = (first.order_by(key) if database == "postgresql" else first).subquery()
    return _piece(nearest.c.depth).join(nearest, material.c.material_id == nearest.c.id).order_by(nearest.c.key)


def _make_given(database: str) -> Select[Any]:
    wanted = listed(database, material.c.material_id, "ids")
    return _piece(literal(0, Integer)).where(wanted).order_by(material.c.material_id)


def _make_loads(database: str) -> Select[Any]:
    """Departures of pieces that have left, the last one last, so that it stands."""
    line, s = shipment_line.c, shipment.c
    mine = (s.author == line.author) & (s.shipment_id == line.shipment_id)
    return (
        select(line.material_id, line.author, s.number, s.to_plant)
        .join(shipment, mine)
        .where(listed(database, line.material_id, "ids"), line.withdrawn == bindparam("no", False))
        .order_by(line.departed_at_ms, line.fact_id)
    )


_REACHED, _GIVEN, _LOADS = Prepared(_make_reached), Prepared(_make_given), Prepared(_make_loads)
