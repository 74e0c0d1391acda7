"""Taking in many people at once from a file, as at a go-live: logins, roles, passwords, and tokens for programs."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from shared.clock import Clock
from shared.errors import BadSetup
from shared.web.accounts import add_person, issue_token

NEEDED = {"login", "name", "roles"}
PROOFS = {"password", "token"}


def read_people(path: Path) -> list[dict[str, Any]]:
    """`[[person]]` entries: login, name, roles, and `password`, `token` (its title) or both.

    One with a token alone is a program: it cannot sign in.
    """
    try:
        people = tomllib.loads(path.read_text("utf-8")).get("person", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSetup("web.people_file", f"{path} cannot be read: {error}.", todo="Give a TOML file.") from error
    for person in people:
        if not NEEDED <= set(person) <= NEEDED | PROOFS or not PROOFS & set(person):
            raise BadSetup(
                "web.people_file",
                f"An entry of {path} has the keys {', '.join(sorted(person))}.",
                todo="Give login, name, roles, a password for a person, a token's title for a program.",
            )
    return list(people)


def add_people(
    conn: Connection, clock: Clock, people: list[dict[str, Any]], known: Collection[str]
) -> list[tuple[str, str]]:
    """Add them all or none; returns (login, token) of those who get a token, which is shown this once."""
    tokens = []
    for person in people:
        add_person(conn, clock, person["login"], person["name"], person["roles"], person.get("password"), known)
        if "token" in person:
            tokens.append((person["login"], issue_token(conn, clock, person["login"], person["token"])))
    return tokens
