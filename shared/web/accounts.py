"""People of one node: who they are, how they prove it, what they may do.

A person is an opaque id in facts; the name stands only here, so that it can be erased. Passwords are argon2 hashes;
some wrong ones lock the login for a time. A token is `<token id>.<secret>`: the id finds the row, the
secret is compared with its hash in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import Connection, Engine, delete, insert, select, update

from shared.clock import Clock
from shared.db.engine import read, write
from shared.db.upsert import upsert
from shared.errors import BadInput, NotFound, Refused, Unauthenticated, Unavailable
from shared.ids import new_id, random_key, secret_token
from shared.settings import WebSettings
from shared.web import tables

FORGET_MS = 86_400_000
PASSWORD_MIN = 10
HASHES_AT_ONCE = 2
"""Each argon2 hash takes 64 MiB; more at once would let sign-ins starve the plant's memory."""

HASHING_WAIT_S = 5.0
"""A sign-in that waits longer is sent away: waiting ones hold threads that the pages of the signed-in need."""

_hasher = PasswordHasher()
_hashing = threading.BoundedSemaphore(HASHES_AT_ONCE)
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$uTClJkhQZVynlz87XfzZAw$A3v/3VM/WUGLu79eAfmxz/uArQ7y0n1qrU/jLO19/a8"
"""A hash nobody's password has: checked for unknown logins, so that they take as long as known ones. Programs have it too."""


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who may act on this node."""

    person_id: str
    login: str
    name: str
    roles: frozenset[str]
    session_key: str

    def may(self, roles: Collection[str]) -> bool:
        """Whether one of the roles is theirs; no roles asked means everyone."""
        return not roles or not self.roles.isdisjoint(roles)


def add_person(
    conn: Connection,
    clock: Clock,
    login: str,
    name: str,
    roles: Collection[str],
    password: str | None,
    known: Collection[str],
) -> str:
    """Add a person with at least one of the node's known roles; returns the opaque id.

    password None: a program, which cannot sign in and acts by a token alone.
    """
    unknown = sorted(set(roles) - set(known))
    if unknown or not roles:
        raise BadInput(
            "web.role",
            f"No such role: {', '.join(unknown) or 'none given'}.",
            todo=f"Use one or more of: {', '.join(sorted(known))}.",
        )
    if password is not None and len(password) < PASSWORD_MIN:
        raise BadInput("web.password", "The password is too short.", todo=f"Use at least {PASSWORD_MIN} characters.")
    if conn.execute(select(tables.person.c.login).where(tables.person.c.login == login)).first():
        raise Refused("web.login_taken", f"The login {login!r} exists already.", todo="Choose another one.")
    person_id = new_id(clock)
    conn.execute(
        insert(tables.person).values(
            person_id=person_id,
            login=login,
            name=name,
            password_hash=_NOBODY if password is None else _hash(password),
            active=True,
            session_key=random_key(),
            created_at_ms=clock.now_ms(),
        )
    )
    conn.execute(insert(tables.person_role), [{"person_id": person_id, "role": role} for role in sorted(set(roles))])
    return person_id


def set_password(conn: Connection, login: str, password: str) -> None:
    """Another password: it ends all sessions of the person and any wait after wrong ones."""
    if len(password) < PASSWORD_MIN:
        raise BadInput("web.password", "The password is too short.", todo=f"Use at least {PASSWORD_MIN} characters.")
    person_id = _get_active(conn, login)
    changed = {"password_hash": _hash(password), "session_key": random_key()}
    conn.execute(update(tables.person).where(tables.person.c.person_id == person_id).values(changed))
    conn.execute(delete(tables.sign_in_failure).where(tables.sign_in_failure.c.login == login))


def end_person(conn: Connection, clock: Clock, login: str) -> None:
    """Someone left: no sign-in, no session and no token of theirs counts from now on; their facts keep their id."""
    person_id = _get_active(conn, login)
    ended = {"active": False, "session_key": random_key()}
    conn.execute(update(tables.person).where(tables.person.c.person_id == person_id).values(ended))
    token = tables.api_token.c
    conn.execute(
        update(tables.api_token)
        .where(token.person_id == person_id, token.revoked_at_ms.is_(None))
        .values(revoked_at_ms=clock.now_ms())
    )


def sign_in(engine: Engine, clock: Clock, limits: WebSettings, login: str, password: str) -> Person | None:
    """The person, if the password is theirs; None counts as a failure.

    The slow hash runs between two short transactions: inside one it would hold the plant's only writer.
    """
    with read(engine) as conn:
        row = conn.execute(select(tables.person).where(tables.person.c.login == login, tables.person.c.active)).first()
        failures = _failures_so_far(conn, login, clock.now_ms())
    if not _verified(row.password_hash if row else _NOBODY, password) or row is None:
        with write(engine) as conn:
            _count_failure(conn, login, limits, clock.now_ms())
        return None
    if failures:
        with write(engine) as conn:
            conn.execute(delete(tables.sign_in_failure).where(tables.sign_in_failure.c.login == login))
    with read(engine) as conn:
        return find_person(conn, row.person_id)


def issue_token(conn: Connection, clock: Clock, login: str, title: str) -> str:
    """A new token of the person with that login; it is shown once and stored only as a hash."""
    person_id = _get_active(conn, login)
    token_id, secret = new_id(clock), secret_token()
    conn.execute(
        insert(tables.api_token).values(
            token_id=token_id,
            person_id=person_id,
            title=title,
            secret_hash=_digest(secret),
            created_at_ms=clock.now_ms(),
            revoked_at_ms=None,
        )
    )
    return f"{token_id}.{secret}"


def find_by_token(conn: Connection, token: str) -> Person | None:
    """Whose token this is, if it is anybody's and not revoked."""
    token_id, _, secret = token.partition(".")
    row = conn.execute(
        select(tables.api_token).where(
            tables.api_token.c.token_id == token_id, tables.api_token.c.revoked_at_ms.is_(None)
        )
    ).first()
    stored = row.secret_hash if row else _digest("")
    if not hmac.compare_digest(stored, _digest(secret)) or row is None:
        return None
    return find_person(conn, row.person_id)


def find_person(conn: Connection, person_id: str) -> Person | None:
    """An active person by id."""
    row = conn.execute(select(tables.person).where(tables.person.c.person_id == person_id, tables.person.c.active))
    found = row.first()
    return None if found is None else _person(conn, found)


def people_with(conn: Connection, role: str) -> list[tuple[str, str]]:
    """(id, name) of the active people who have a role, by name."""
    p, r = tables.person.c, tables.person_role.c
    query = select(p.person_id, p.name).join(tables.person_role, r.person_id == p.person_id)
    rows = conn.execute(query.where(p.active, r.role == role).order_by(p.name, p.person_id))
    return [(row.person_id, row.name) for row in rows]


def find_by_login(conn: Connection, login: str) -> str | None:
    """The id of the active person with that login."""
    found = select(tables.person.c.person_id).where(tables.person.c.login == login, tables.person.c.active)
    return conn.execute(found).scalar()


def names_of(conn: Connection, person_ids: Collection[str]) -> dict[str, str]:
    """Names of people by id, for showing who did what; ids of other nodes' people are not in it."""
    rows = conn.execute(
        select(tables.person.c.person_id, tables.person.c.name).where(tables.person.c.person_id.in_(sorted(person_ids)))
    )
    return {row.person_id: row.name for row in rows}


def sign_out_everywhere(conn: Connection, person_id: str) -> None:
    """End all sessions of a person."""
    conn.execute(update(tables.person).where(tables.person.c.person_id == person_id).values(session_key=random_key()))


def session_secret(conn: Connection) -> str:
    """The key that signs session cookies, made once for each database so that restarts and workers share it."""
    upsert(conn, tables.web_secret, [{"name": "session", "secret": random_key() + random_key()}])
    found = conn.execute(select(tables.web_secret.c.secret).where(tables.web_secret.c.name == "session"))
    return str(found.scalar_one())


def _get_active(conn: Connection, login: str) -> str:
    found = conn.execute(
        select(tables.person.c.person_id).where(tables.person.c.login == login, tables.person.c.active)
    )
    person_id = found.scalar()
    if person_id is None:
        raise NotFound("web.no_login", f"There is no login {login!r}.", todo="Add the person first.")
    return str(person_id)


def _person(conn: Connection, row: Any) -> Person:
    roles = conn.execute(select(tables.person_role.c.role).where(tables.person_role.c.person_id == row.person_id))
    return Person(row.person_id, row.login, row.name, frozenset(roles.scalars()), row.session_key)


def _hash(password: str) -> str:
    with _hashing:
        return _hasher.hash(password)


def _verified(password_hash: str, password: str) -> bool:
    if not _hashing.acquire(timeout=HASHING_WAIT_S):
        raise Unavailable("web.busy", "Too many people sign in at this moment.", todo="Try again in some seconds.")
    try:
        return _hasher.verify(password_hash, password)
    except (VerifyMismatchError, InvalidHashError):
        return False
    finally:
        _hashing.release()


def _failures_so_far(conn: Connection, login: str, now_ms: int) -> int:
    row = conn.execute(select(tables.sign_in_failure).where(tables.sign_in_failure.c.login == login)).first()
    if row is not None and row.locked_until_ms > now_ms:
        seconds = (row.locked_until_ms - now_ms + 999) // 1000
        raise Unauthenticated(
            "web.locked",
            "Too many wrong passwords for this login.",
            kept="Nobody was signed in.",
            todo=f"Wait {seconds} seconds, or ask for a new password.",
        )
    return 0 if row is None else int(row.failures)


def _count_failure(conn: Connection, login: str, limits: WebSettings, now_ms: int) -> None:
    # counted anew in the write: tries that ran side by side must not count as one
    counted = conn.execute(
        select(tables.sign_in_failure.c.failures).where(tables.sign_in_failure.c.login == login)
    ).scalar()
    failures = counted or 0
    locked_ms = limits.login_wait_s * 1000 if failures + 1 >= limits.login_tries_max else 0
    upsert(
        conn,
        tables.sign_in_failure,
        [{"login": login, "failures": failures + 1, "locked_until_ms": now_ms + locked_ms}],
        update=("failures", "locked_until_ms"),
    )
    # guessed logins that nobody has would pile up for ever
    conn.execute(delete(tables.sign_in_failure).where(tables.sign_in_failure.c.locked_until_ms < now_ms - FORGET_MS))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
