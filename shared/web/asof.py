"""What every figure says of itself: its moment, and up to when each plant's facts are in it.

The marks are read before anything else of a request: read after it, they could promise facts that came in between.
"""

from __future__ import annotations

from typing import Any, cast

from flask import Flask, g, request

from shared.web.context import face, node
from shared.web.features import Mark

BEHIND_MS = 15 * 60_000
"""A plant further behind is shown as stale: a heartbeat every half minute keeps the others level."""


def install(app: Flask) -> None:
    """Read the marks before each page and API read."""
    app.before_request(_remember)


def marks() -> tuple[Mark, ...]:
    """Of this request; empty at a plant, whose figures are its own."""
    return cast("tuple[Mark, ...]", g.get("marks", ()))


def is_behind(mark: Mark, now_ms: int) -> bool:
    """Whether a plant's figures are older than they should be."""
    return mark.through_ms is None or now_ms - mark.through_ms > BEHIND_MS


def as_of() -> dict[str, Any]:
    """The end of every JSON answer with figures: as_of, and at the hub complete_through_ms (plant -> ms or null)."""
    found = marks()
    stamped: dict[str, Any] = {"as_of": node().clock.now_ms()}
    return stamped | {"complete_through_ms": {m.code: m.through_ms for m in found}} if found else stamped


def _remember() -> None:
    if request.method == "GET" and request.endpoint not in (None, "static"):
        g.marks = face().marks()
