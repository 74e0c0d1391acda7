"""Reads of the standards office over the hub's own rows."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, select

from central_hub.standards import errors
from shared.keys import Envelope
from shared.standards import tables
from shared.standards.messages import Catalogue, Root
from shared.standards.trust import first_root

request, signature, catalogue = tables.signing_request, tables.catalogue_signature, tables.catalogue


def find_root(conn: Connection) -> tuple[Root, str] | None:
    """The newest root the hub was given, and its envelope text (only a hub writes such rows)."""
    row = conn.execute(select(tables.root.c.envelope).order_by(tables.root.c.version.desc()).limit(1)).first()
    return (first_root(row.envelope.encode()), row.envelope) if row else None


def get_root(conn: Connection) -> Root:
    """The root in force; Refused while the group has none."""
    found = find_root(conn)
    if found is None:
        raise errors.no_root()
    return found[0]


def find_catalogue(conn: Connection, hub: str) -> tuple[Catalogue, Row[Any]] | None:
    """The latest published catalogue and its row."""
    row = conn.execute(
        select(catalogue).where(catalogue.c.author == hub).order_by(catalogue.c.version.desc()).limit(1)
    ).first()
    return (read_catalogue(row.envelope), row) if row else None


def find_catalogue_version(conn: Connection, hub: str) -> int:
    """The version of the latest published catalogue, 0 before the first."""
    return conn.execute(select(func.max(catalogue.c.version)).where(catalogue.c.author == hub)).scalar() or 0


def read_catalogue(envelope: str) -> Catalogue:
    """The catalogue inside an envelope of our own rows (verified when it was published)."""
    sealed = msgspec.json.decode(envelope, type=Envelope)
    return msgspec.json.decode(base64.b64decode(sealed.payload), type=Catalogue)


def find_request(conn: Connection, hub: str, request_id: str) -> Row[Any] | None:
    """One signing request."""
    return conn.execute(select(request).where(request.c.author == hub, request.c.request_id == request_id)).first()


def find_open_request(conn: Connection, hub: str) -> Row[Any] | None:
    """The request that waits for signatures: the latest one, unless its catalogue is published."""
    row = conn.execute(
        select(request).where(request.c.author == hub).order_by(request.c.number.desc()).limit(1)
    ).first()
    return row if row and row.catalogue_version > find_catalogue_version(conn, hub) else None


def next_number(conn: Connection, hub: str) -> int:
    """The number of the next request."""
    return (conn.execute(select(func.max(request.c.number)).where(request.c.author == hub)).scalar() or 0) + 1


def list_signatures(conn: Connection, hub: str, request_id: str) -> Sequence[Row[Any]]:
    """Signatures given to a request, in order."""
    query = select(signature).where(signature.c.author == hub, signature.c.request_id == request_id)
    return conn.execute(query.order_by(signature.c.given_ms, signature.c.keyid)).all()


def find_assignment(conn: Connection, hub: str, plant: str) -> Row[Any] | None:
    """The latest assignment of a plant."""
    table = tables.assignment
    return conn.execute(
        select(table).where(table.c.author == hub, table.c.plant == plant).order_by(table.c.version.desc()).limit(1)
    ).first()
