"""A signed-in test client of a console or a portal: pages with CSRF, the API with a bearer token."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from shared.db.engine import write
from shared.node import Node
from shared.web import accounts

PASSWORD = "long enough to type"


@dataclass
class Person:
    """Someone at a browser and at the API."""

    client: FlaskClient
    token: str

    def page(self, address: str, status: int = 200) -> str:
        answer = self.client.get(address)
        assert answer.status_code == status, answer.text
        return answer.text

    def post(self, address: str, form_at: str, **values: str) -> TestResponse:
        """Fill in the form that the page shows and send it to the address."""
        text = self.page(form_at)
        hidden = dict(re.findall(r'name="(csrf_token|command_id)" value="([^"]+)"', text))
        return self.client.post(address, data=hidden | values)

    def api(self, method: str, address: str, **more: Any) -> TestResponse:
        return self.client.open(address, method=method, headers={"Authorization": f"Bearer {self.token}"}, **more)


def sign_in(app: Any, node: Node, login: str, *roles: str) -> Person:
    """Add a person and open their session."""
    with write(node.engine) as conn:
        accounts.add_person(conn, node.clock, login, login, roles, PASSWORD, roles)
        token = accounts.issue_token(conn, node.clock, login, "test")
    client = app.test_client()
    text = client.get("/sign-in").text
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', text)
    assert csrf, text
    answer = client.post("/sign-in", data={"csrf_token": csrf[1], "login": login, "password": PASSWORD})
    assert answer.status_code == 302, answer.text
    return Person(client, token)
