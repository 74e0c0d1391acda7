"""GET /api/v1/status and /api/v1/content-hash: a node's own figures, the same at plants and hub."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel

from shared.db.engine import picture
from shared.journal.content_hash import authors, content_hash
from shared.node import Node
from shared.web.api_blueprint import APIBlueprint
from shared.web.context import node, reading
from sync.figures import Figures, figures

Extra = Callable[[], dict[str, int]]


class NodeFigures(BaseModel):
    """What a node says of itself; dictionaries by the other node's code, times in ms since 1970 UTC."""

    code: str
    as_of: int
    recorded: int
    received: int
    applied: int
    quarantined: int
    parked: int
    backlog: int
    spool_open: int = 0
    repairs_open: int = 0
    spool_at_rest: bool = True
    shadow: list[str] = []
    """Links to Level 2 that only listen, beside an old MES."""
    received_from: dict[str, int]
    applied_from: dict[str, int]
    quarantined_from: dict[str, int]
    complete_through_ms: dict[str, int]


def nothing_more() -> dict[str, int]:
    """A node without Level 2 has no spool to speak of."""
    return {}


def make_api(extra: Extra = nothing_more, shadow: Callable[[], Sequence[str]] = tuple) -> APIBlueprint:
    """The blueprint; `extra` gives figures that only this kind of node has (spool_open, repairs_open, and
    spool_at_rest: 1 when all that Level 2 said so far was tried, and what is open waits for more), `shadow` links."""
    bp = APIBlueprint("status_api", __name__, url_prefix="/api/v1")

    @bp.get("/status", summary="How far everything is", responses={200: NodeFigures})
    def status() -> dict[str, Any]:
        here = node()
        with reading() as conn:
            counted = figures(conn, here.code)
        return _body(here.code, here.clock.now_ms(), counted, extra(), shadow()).model_dump()

    @bp.get("/content-hash", summary="SHA-256 over each author's rows as they stand here")
    def hashes() -> dict[str, str]:
        return content_hashes(node())

    return bp


def content_hashes(here: Node) -> dict[str, str]:
    """Author -> hash of its rows, all of one moment: a hash is made of several looks at each table."""
    with picture(here.engine) as conn:
        return {author: content_hash(conn, author) for author in authors(conn)}


def _body(code: str, as_of: int, counted: Figures, more: dict[str, int], shadow: Sequence[str]) -> NodeFigures:
    return NodeFigures(
        code=code,
        as_of=as_of,
        recorded=counted.recorded,
        received=sum(counted.received_from.values()),
        applied=sum(counted.applied_from.values()),
        quarantined=sum(counted.quarantined_from.values()),
        parked=counted.parked,
        backlog=counted.backlog,
        received_from=counted.received_from,
        applied_from=counted.applied_from,
        quarantined_from=counted.quarantined_from,
        complete_through_ms=counted.complete_through_ms,
        spool_open=more.get("spool_open", 0),
        repairs_open=more.get("repairs_open", 0),
        spool_at_rest=bool(more.get("spool_at_rest", 1)),
        shadow=list(shadow),
    )
