"""/api/v1/quarantine: what is set aside, and what may be done about it; the same at plant and hub."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from flask_openapi import Tag
from pydantic import BaseModel, Field

from shared.journal.rebuild import Rebuilt
from shared.journal.stopping import find_stops
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.body import Body
from shared.web.context import actor, node, reading, requires
from shared.web.paging import PageQuery, Paging, cut
from sync.quarantine import reads, service

tag = Tag(name="quarantine", description="Facts that could not be applied")
bp = APIBlueprint("quarantine_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])


class ListQuery(PageQuery):
    """Filters of the list; q is part of the reason, or a fact's id."""

    state: Literal["", "quarantined", "parked", "held"] = ""
    author: str = Field("", max_length=64)
    type: str = Field("", max_length=64)
    q: str = Field("", max_length=200)


class FactPath(BaseModel):
    """A fact by its author and id."""

    author: str = Field(max_length=64)
    fact_id: str = Field(max_length=32)


class SetAsideAuthorBody(Body):
    """Whose facts; empty for everybody's where that makes sense."""

    author: str = Field("", max_length=64)


class DiscardReasonBody(Body):
    """Why a fact shall have no effect here."""

    reason: str = Field(min_length=1, max_length=service.REASON_MAX)


class ConfirmationBody(Body):
    """The address says it all."""


@bp.get("/quarantine", summary="Facts that are set aside: what people must deal with, then what waits for it")
def get_list(query: ListQuery) -> dict[str, Any]:
    """Counts by author and state, authors that are stopped, and a page of facts."""
    filters = {name: getattr(query, name) for name in ("state", "author", "type", "q")}
    with reading() as conn:
        rows = reads.list_set_aside(conn, filters, query.after, query.limit + 1)
        counts, stops = reads.count_set_aside(conn), find_stops(conn)
    page = cut(rows, Paging(limit=query.limit), "key")
    return {
        "items": page.items,
        "next": page.next,
        **as_of(),
        "counts": counts,
        "stopped": [asdict(found) for found in stops.values()],
    }


@bp.get("/quarantine/<author>/<fact_id>", summary="One fact that is set aside, with its bytes in readable form")
def get_one(path: FactPath) -> dict[str, Any]:
    """Reason, place, subjects, what it holds up, and a proposal to discard it."""
    with reading() as conn:
        item = reads.get_item(conn, path.author, path.fact_id)
    return {
        **item.row._mapping,
        "text": item.text,
        "subjects": item.subjects,
        "holds_up": item.held_count,
        "proposal": dict(item.proposal._mapping) if item.proposal else None,
        **as_of(),
    }


@bp.post("/quarantine/retry", summary="Try again what is set aside, of one author or of all")
@requires(*service.ROLES)
def post_retry(body: SetAsideAuthorBody) -> dict[str, int]:
    """How many facts changed rows, and what stays set aside."""
    return _rebuilt(service.retry(node(), body.author or None, actor()))


@bp.post("/quarantine/resume", summary="Go on applying an author that was stopped")
@requires(*service.ROLES)
def post_resume(body: SetAsideAuthorBody) -> dict[str, bool]:
    """Whether it was stopped."""
    return {"resumed": service.resume_author(node(), body.author, actor())}


@bp.post("/quarantine/<author>/<fact_id>/propose", summary="Propose to discard a fact; a second person confirms")
@requires(*service.ROLES)
def post_proposal(path: FactPath, body: DiscardReasonBody) -> dict[str, str]:
    """The first proposal stands."""
    service.propose_discard(node(), path.author, path.fact_id, body.reason, actor())
    return {"state": "proposed"}


@bp.post("/quarantine/<author>/<fact_id>/withdraw", summary="Take a proposal to discard back")
@requires(*service.ROLES)
def post_withdrawal(path: FactPath, body: ConfirmationBody) -> dict[str, str]:
    """The fact stays set aside."""
    service.withdraw_proposal(node(), path.author, path.fact_id, actor())
    return {"state": "withdrawn"}


@bp.post("/quarantine/<author>/<fact_id>/confirm", summary="Discard a fact that somebody else proposed to discard")
@requires(*service.ROLES)
def post_confirmation(path: FactPath, body: ConfirmationBody) -> dict[str, int]:
    """What it held up is applied; neither a new try nor a rebuild brings it back."""
    return _rebuilt(service.confirm_discard(node(), path.author, path.fact_id, actor()))


def _rebuilt(done: Rebuilt) -> dict[str, int]:
    return asdict(done)
