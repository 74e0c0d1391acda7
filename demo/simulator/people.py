"""People and Level 4, by HTTP with an API token: they repeat what was not answered, with the same command id."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

PATIENCE_S = 120.0
"""A server that is being started again is back by then."""
PAUSES_S = (0.05, 0.1, 0.2, 0.5)
TIMEOUT_S = 30.0
TRY_AGAIN = {429, 500, 502, 503, 504}


class Refused(Exception):
    """The server answered that this cannot be done; the text is its own."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text[:600]}")
        self.status = status


@dataclass
class Desk:
    """One node's API as its users reach it."""

    url: str
    token: str
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)

    def get(self, path: str, **query: str | int) -> Any:
        """JSON of a resource below /api/v1/."""
        asked = f"?{urlencode(query)}" if query else ""
        return self._ask("GET", f"/api/v1/{path}{asked}", None)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """A command; answers 2xx or raises Refused."""
        return self._ask("POST", path, json.dumps(body))

    def items(self, path: str, **query: str | int) -> list[dict[str, Any]]:
        """All pages of a list."""
        out: list[dict[str, Any]] = []
        after: Any = None
        while True:
            page = self.get(path, limit=200, **query, **({"after": after} if after else {}))
            out += page["items"]
            after = page.get("next")
            if not after:
                return out

    def _ask(self, method: str, path: str, body: str | None) -> Any:
        deadline, tries = time.monotonic() + PATIENCE_S, 0
        while True:
            try:
                status, text = self._once(method, path, body)
                if status not in TRY_AGAIN:
                    break
            except (OSError, http.client.HTTPException) as error:
                self._connection = None
                status, text = 0, f"{type(error).__name__}: {error}"
            if time.monotonic() > deadline:
                raise Refused(status, f"{method} {self.url}{path}: {text}")
            time.sleep(PAUSES_S[min(tries, len(PAUSES_S) - 1)])
            tries += 1
        if status >= 300:
            raise Refused(status, f"{method} {path}: {text}")
        return json.loads(text) if text else None

    def _once(self, method: str, path: str, body: str | None) -> tuple[int, str]:
        if self._connection is None:
            where = urlsplit(self.url)
            self._connection = http.client.HTTPConnection(where.hostname or "127.0.0.1", where.port, timeout=TIMEOUT_S)
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read().decode()
