"""Whose keys count here: the group's root that this plant trusts, and the latest list of plants' keys signed under it."""

from __future__ import annotations

from sqlalchemy import Connection, select

from local_mes.plant import Plant
from local_mes.standards.trusting import find_root
from shared.errors import Refused
from shared.journal.tables import entry
from shared.passports.keys import KeyList, open_list
from shared.passports.queries import list_key_lists
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


def is_fact_disowned(conn: Connection, keys: KeyList | None, fact_id: str, sender: str) -> bool:
    """Whether a sender's fact lies behind the point from which its key was revoked: then it is not its sender's."""
    revoked = [key for key in keys.keys if key.plant == sender and key.revoked is not None] if keys else []
    if not revoked:
        return False
    c = entry.c
    places = conn.execute(
        select(c.origin_epoch, c.origin_seq).where(c.fact_id == fact_id, c.origin_stream == sender)
    ).all()
    return any(is_disowned(key, place.origin_epoch, place.origin_seq) for key in revoked for place in places)
