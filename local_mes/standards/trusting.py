"""The plant's trusted values between its table row and the pure verification."""

from __future__ import annotations

import base64

import msgspec
from sqlalchemy import Connection, select, update

from local_mes.standards.tables import standards_trust as table
from shared.db.upsert import upsert
from shared.errors import NotFound, Refused
from shared.keys import Envelope
from shared.standards import messages as m
from shared.standards.canonical import sha256
from shared.standards.tables import root as roots
from shared.standards.trust import Trusted, first_root


def install_root(conn: Connection, plant: str, hub: str, envelope: str) -> m.Root:
    """Trust the root that came by the road of enrolment; once, later roots must descend from it."""
    root = first_root(envelope.encode())
    known = conn.execute(select(table.c.root).where(table.c.plant == plant)).scalar()
    if known == envelope:
        return root
    if known is not None:
        raise Refused(
            "standards.root_known",
            "This plant trusts a root already; a later one comes signed by it.",
            todo="Publish the next root at the hub.",
        )
    upsert(
        conn,
        table,
        [
            {
                "plant": plant,
                "hub": hub,
                "root": envelope,
                "root_version": root.version,
                "catalogue_version": 0,
                "catalogue_sha256": "",
                "catalogue": "",
                "timestamp_version": 0,
                "assignment_version": 0,
                "fresh_until_ms": 0,
                "time_floor_ms": 0,
                "seen_assignment_version": 0,
                "next_look_ms": 0,
                "model_sha256": "",
            }
        ],
    )
    return root


def begin_anew(conn: Connection, plant: str, digest: str) -> m.Root:
    """Trust a root of the hub that does not descend from ours, because two people compared its SHA-256. NotFound, TrustError.

    The way back when so many root keys are lost that none can follow. What is in force stays until it is adopted anew.
    """
    trusted, hub = get_trusted(conn, plant)
    c = roots.c
    found = conn.execute(
        select(c.envelope).where(c.author == hub, c.sha256 == digest, c.version > trusted.root.version)
    )
    envelope = found.scalar()
    if envelope is None:
        raise NotFound(
            "standards.no_such_root",
            f"No root of {hub} with this SHA-256, newer than root {trusted.root.version}, has come here.",
            todo="Hand it to the hub (standards-root --begin-anew), wait for the line, and compare the number again.",
        )
    root = first_root(envelope.encode())
    save_trusted(conn, plant, Trusted(root=root, time_floor_ms=trusted.time_floor_ms), root=envelope)
    note_look(conn, plant, 0, 0, "")
    return root


def get_trusted(conn: Connection, plant: str) -> tuple[Trusted, str]:
    """The trusted values and the hub's code; NotFound before a root is trusted."""
    row = conn.execute(select(table).where(table.c.plant == plant)).first()
    if row is None:
        raise NotFound(
            "standards.no_root", "This plant trusts no root yet.", todo="Enrol it, or hand in the root document."
        )
    catalogue = msgspec.json.decode(_payload(row.catalogue), type=m.Catalogue) if row.catalogue else None
    trusted = Trusted(
        root=msgspec.json.decode(_payload(row.root), type=m.Root),
        catalogue=catalogue,
        timestamp_version=row.timestamp_version,
        assignment_version=row.assignment_version,
        time_floor_ms=row.time_floor_ms,
        fresh_until_ms=row.fresh_until_ms,
        catalogue_floor=row.catalogue_version,
    )
    return trusted, row.hub


def find_root(conn: Connection, plant: str) -> tuple[m.Root, str] | None:
    """The root that this plant trusts, and its hub's code; None before the first."""
    row = conn.execute(select(table.c.root, table.c.hub).where(table.c.plant == plant)).first()
    return (msgspec.json.decode(_payload(row.root), type=m.Root), row.hub) if row is not None else None


def save_trusted(
    conn: Connection, plant: str, trusted: Trusted, catalogue: str | None = None, root: str | None = None
) -> None:
    """Write what was verified, step by step; catalogue and root are the envelopes' texts where they are new."""
    values: dict[str, object] = {
        "timestamp_version": trusted.timestamp_version,
        "assignment_version": trusted.assignment_version,
        "time_floor_ms": trusted.time_floor_ms,
        "fresh_until_ms": trusted.fresh_until_ms,
        "root_version": trusted.root.version,
        "catalogue_version": trusted.catalogue_version,
    }
    if catalogue is not None:
        values |= {"catalogue": catalogue, "catalogue_sha256": sha256(_payload(catalogue))}
    if root is not None:
        values |= {"root": root}
    if trusted.catalogue is None:
        values |= {"catalogue": "", "catalogue_sha256": ""}
    conn.execute(update(table).where(table.c.plant == plant).values(**values))


def note_look(conn: Connection, plant: str, seen: int, next_look_ms: int, model_sha256: str) -> None:
    """Remember what was looked at, so that an assignment is judged once and the next look is not missed."""
    conn.execute(
        update(table)
        .where(table.c.plant == plant)
        .values(seen_assignment_version=seen, next_look_ms=next_look_ms, model_sha256=model_sha256)
    )


def _payload(envelope: str) -> bytes:
    """The payload of an envelope that was verified when it was stored."""
    return base64.b64decode(msgspec.json.decode(envelope, type=Envelope).payload)
