"""Which signatures count: those of keys that the root in force names, whatever was signed under the one before."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection

from central_hub.hub import Hub
from central_hub.standards.queries import find_catalogue, find_root, get_root, list_signatures
from shared.errors import Unauthenticated
from shared.keys import Envelope, Signature, open_envelope
from shared.standards.messages import CATALOGUE
from shared.standards.trust import trusted_keys


def is_signed(conn: Connection, hub: Hub) -> bool:
    """Whether the catalogue in force, if any, bears as many of them as the root asks for."""
    found = find_catalogue(conn, hub.code)
    if found is None:
        return True
    root = get_root(conn)
    envelope = msgspec.json.decode(found[1].envelope, type=Envelope)
    try:
        open_envelope(envelope, CATALOGUE, trusted_keys(root, "standards"), root.roles["standards"].threshold)
    except Unauthenticated:
        return False
    return True


def counting(conn: Connection, hub: Hub, request_id: str) -> list[Signature]:
    """Those given to a request; none before there is a root."""
    found = find_root(conn)
    keys = trusted_keys(found[0], "standards") if found else {}
    given = list_signatures(conn, hub.code, request_id)
    return [Signature(one.keyid, one.sig) for one in given if one.keyid in keys]
