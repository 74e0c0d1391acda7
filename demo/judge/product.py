"""Reads what the product says of itself: nothing but GET on the public APIs of plants and hub."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests

Row = dict[str, Any]
TIMEOUT_S = 30
PAGE = 500


class Api:
    """One node's API, as a reader with a token."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **query: str | int) -> Any:
        """The JSON of one resource; an HTTP error is the product's failure and is raised."""
        answer = self._session.get(f"{self._url}/api/v1/{path}", params=query, timeout=TIMEOUT_S)
        answer.raise_for_status()
        return answer.json()

    def list(self, path: str, **query: str | int) -> list[Row]:
        """All pages of a list."""
        return list(self._pages(path, query))

    def _pages(self, path: str, query: dict[str, str | int]) -> Iterator[Row]:
        after: str | int | None = ""
        while after is not None:
            page = self.get(path, limit=PAGE, **query, **({"after": after} if after else {}))
            yield from page["items"]
            after = page["next"]


@dataclass
class View:
    """What one node says. Materials are rows of one author each; `by_number` finds them by any printed number."""

    code: str
    status: Row
    content_hash: dict[str, str]
    materials: list[Row]
    receipts: list[Row]
    shipments: list[Row]
    holds: list[Row]
    by_number: dict[str, list[Row]]

    @property
    def own(self) -> list[Row]:
        """The material rows this node wrote itself."""
        return [row for row in self.materials if row["author"] == self.code]


@dataclass
class Picture:
    """The whole group as it speaks."""

    plants: dict[str, View]
    hub: View
    cases: list[Row]
    episodes: list[Row]
    conformance: list[Row]
    apis: dict[str, Api]


def look(nodes: dict[str, Row]) -> Picture:
    """Ask every node. nodes: code -> {url, token, kind: hub|plant}."""
    apis = {code: Api(node["url"], node["token"]) for code, node in nodes.items()}
    views = {code: _view(code, api) for code, api in apis.items()}
    hub = next(code for code, node in nodes.items() if node["kind"] == "hub")
    return Picture(
        plants={code: view for code, view in views.items() if code != hub},
        hub=views[hub],
        cases=apis[hub].list("cases"),
        episodes=apis[hub].list("episodes"),
        conformance=apis[hub].list("conformance"),
        apis=apis,
    )


def _view(code: str, api: Api) -> View:
    materials = api.list("materials")
    by_number: dict[str, list[Row]] = defaultdict(list)
    for row in materials:
        for number in row["numbers"]:
            by_number[number].append(row)
    return View(
        code=code,
        status=api.get("status"),
        content_hash=api.get("content-hash"),
        materials=materials,
        receipts=api.list("receipts"),
        shipments=api.list("shipments"),
        holds=api.list("holds"),
        by_number=by_number,
    )
