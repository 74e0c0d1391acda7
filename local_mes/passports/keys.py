"""Whose keys count here: the group's root that this plant trusts, and the latest list of plants' keys signed under it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select

from local_mes.plant import Plant
from local_mes.standards.trusting import find_root
from shared.errors import Refused
from shared.journal.reading import lives
from shared.journal.tables import entry
from shared.passports.keys import KeyList, PlantKey, names_revoked, open_list
from shared.passports.queries import list_all_key_lists, list_key_lists
from shared.passports.verify import is_disowned


def find_keys(conn: Connection, plant: Plant) -> KeyList | None:
    """The list in force: the highest version whose signature holds. None before the first has reached this plant."""
    trusted = find_root(conn, plant.code)
    if trusted is None:
        return None
    root, hub = trusted
    for row in list_key_lists(conn, hub):
        try:
            return open_list(row.envelope, root)
        except Refused:
            continue  # signed with an online key that the root names no more: an older one cannot hold either
    return None


def is_fact_disowned(conn: Connection, keys: KeyList, fact_id: str, sender: str) -> bool:
    """Whether a sender's fact was signed with a key that is revoked, at or behind the point named: then it is not its own.

    An entry does not say which key signed it. But the hub takes nothing more under a key that it has revoked, and lists
    the revocation before it passes on what came since: what stands behind that list is of the sender's next key.
    """
    revoked = keys.revoked_of(sender)
    if not revoked:
        return False
    places = conn.execute(select(entry).where(entry.c.fact_id == fact_id, entry.c.origin_stream == sender)).all()
    return any(
        is_disowned(key, place.origin_epoch, place.origin_seq) and not _is_behind_list(conn, keys.hub, key, place)
        for place in places
        for key in revoked
    )


def _is_behind_list(conn: Connection, hub: str, key: PlantKey, place: Row[Any]) -> bool:
    """Whether an entry stands behind the first list, on the same stream, that names a key as revoked."""
    lists = [row.fact_id for row in list_all_key_lists(conn, hub) if names_revoked(row.envelope, key.public)]
    c, order = entry.c, {life.epoch: life.ordinal for life in lives(conn, place.stream)}
    named = conn.execute(select(c.epoch, c.seq).where(c.stream == place.stream, c.fact_id.in_(lists))).all()
    first = min(((order[row.epoch], row.seq) for row in named), default=None)
    return first is not None and first < (order[place.epoch], place.seq)
