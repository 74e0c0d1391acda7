"""Binds the commands of a request to it: a command id sent again by somebody else, elsewhere or with other words is
no repetition."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flask import Flask, request

from shared.journal.asking import set_asked
from shared.web.context import find_signed_in

UNBOUND = ("csrf_token",)
"""Fields of a form that are the session's and not the person's words."""


def install(app: Flask) -> None:
    """Bind every request once its caller is known; after the guard."""
    app.before_request(lambda: set_asked(_digest()))
    app.teardown_request(lambda _error: set_asked(""))


def _digest() -> str:
    person = find_signed_in()
    if person is None or request.method == "GET":
        return ""
    asked = [request.method, request.path, request.query_string.decode("latin-1"), person.person_id, _words()]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:32]


def _words() -> Any:
    """The body as what it says, so that the same command written anew in another order is the same."""
    if request.is_json:
        return request.get_json(silent=True)
    return sorted((name, value) for name, value in request.form.items(multi=True) if name not in UNBOUND)
