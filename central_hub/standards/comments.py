"""What people say of a version, and whom they mean by it (@login)."""

from __future__ import annotations

import re

from sqlalchemy import Connection

from central_hub.hub import Hub
from central_hub.standards import errors
from central_hub.standards.recording import record
from shared.ids import new_id
from shared.standards.queries import find_version
from shared.standards.talk_facts import StandardCommented
from shared.web.accounts import find_by_login

TEXT_MAX = 2_000
"""Characters of a comment: what is longer is a document."""
MENTIONED = re.compile(r"(?<![\w.@])@([a-z0-9][a-z0-9._-]{1,63})")


def comment(hub: Hub, standard_id: str, version: int, text: str, actor: str, command_id: str) -> None:
    """Say something of a version; people named with @login find it on their page. Unknown names are refused."""
    with hub.journal.work() as tx:
        if tx.once(command_id) is not None:
            return
        if find_version(tx.conn, hub.code, standard_id, version) is None:
            raise errors.unknown_version(standard_id, version)
        payload = StandardCommented(
            comment_id=new_id(hub.clock),
            standard_id=standard_id,
            version=version,
            text=text,
            mentions=_mentioned(tx.conn, text),
        )
        record(tx, hub, payload, f"standard:{standard_id}:{version}", actor)
        tx.done(command_id, True)


def _mentioned(conn: Connection, text: str) -> tuple[str, ...]:
    logins = list(dict.fromkeys(login.rstrip(".-_") for login in MENTIONED.findall(text.lower())))
    found = {login: find_by_login(conn, login) for login in logins}
    unknown = [login for login, person_id in found.items() if person_id is None]
    if unknown:
        raise errors.unknown_person(unknown)
    return tuple(person_id for person_id in found.values() if person_id)
