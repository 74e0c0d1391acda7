"""What a view may ask for while it answers a request: the node, who is acting, a picture of the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

from flask import current_app, g
from sqlalchemy import Connection

from shared.db.engine import read
from shared.errors import Denied, Unauthenticated
from shared.web.accounts import Person
from shared.web.features import Face

if TYPE_CHECKING:
    from shared.node import Node

P = ParamSpec("P")
R = TypeVar("R")


def node() -> Node:
    """The node this face belongs to."""
    return cast("Node", current_app.extensions["strandline.node"])


def face() -> Face:
    """What the node calls itself, its zone, its roles."""
    return cast(Face, current_app.extensions["strandline.face"])


def find_signed_in() -> Person | None:
    """The acting person, or None when nobody is signed in."""
    return cast("Person | None", g.get("person"))


def person() -> Person:
    """The acting person; outside public pages there always is one."""
    found = find_signed_in()
    if found is None:
        raise Unauthenticated("web.nobody", "Nobody is signed in.", todo="Sign in, or send an API token.")
    return found


def actor() -> str:
    """Opaque id of the acting person, for facts."""
    return person().person_id


@contextmanager
def reading() -> Iterator[Connection]:
    """One read transaction, so that all figures of a page are of one moment."""
    with read(node().engine) as conn:
        yield conn


def requires(*roles: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let only people with one of the roles in; everyone else is told which role it takes."""

    def guard(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if not person().may(roles):
                raise Denied(
                    "web.role_missing",
                    "Your roles do not allow this.",
                    todo=f"It takes one of these roles: {', '.join(roles)}.",
                )
            return view(*args, **kwargs)

        guarded.strandline_roles = roles  # type: ignore[attr-defined]
        return guarded

    return guard


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view that answers without sign-in."""
    view.strandline_public = True  # type: ignore[attr-defined]
    return view
