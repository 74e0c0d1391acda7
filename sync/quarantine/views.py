"""Pages of what is set aside: the list with its filters, and one fact with what may be done about it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from shared.journal.rebuild import Rebuilt
from shared.journal.stopping import find_stops
from shared.web.accounts import names_of
from shared.web.context import actor, node, reading, requires
from shared.web.features import Feature, MenuItem, StatusLine
from shared.web.forms import keeps_input, read_text
from shared.web.listing import Column, Filter, answer_list
from shared.web.paging import Page, Paging, cut
from sync.quarantine import reads, service
from sync.quarantine.api import bp as api

bp = Blueprint("quarantine", __name__, url_prefix="/quarantine", template_folder="templates")

STATES = (("quarantined", "Cannot be applied"), ("parked", "Newer than this node"), ("held", "Waits for another"))
SIGNS = {"quarantined": "alarm", "parked": "stale", "held": "held"}
COLUMNS = (
    Column("state", "State", show="badge"),
    Column("author", "Author", show="code"),
    Column("type", "Fact", link="quarantine.item", link_key="item", link_arg="place"),
    Column("reason", "Why it is set aside"),
    Column("proposed", "Discard"),
    Column("since_ms", "Since", show="when"),
    Column("seq", "Entry", show="whole"),
)


@bp.get("/")
def listing() -> str | Response:
    """What is set aside here, and whose facts are not applied at all."""
    with reading() as conn:
        counts, stops = reads.count_set_aside(conn), find_stops(conn)
        gone = reads.list_discarded(conn, node().code)
        people = names_of(conn, {row.proposed_by for row in gone} | {row.confirmed_by for row in gone})
    filters = (
        Filter("state", "State", STATES),
        Filter("author", "Author", tuple((author, author) for author in counts)),
        Filter("type", "Fact"),
        Filter("q", "Reason or id"),
    )
    totals = {state: sum(by_state[state] for by_state in counts.values()) for state, _ in STATES}
    return answer_list(
        "quarantine/list.html",
        COLUMNS,
        _read_page,
        filters=filters,
        totals=totals,
        stops=stops,
        gone=gone,
        people=people,
        roles=service.ROLES,
    )


@bp.get("/<path:place>")
def item(place: str) -> str:
    """One fact: its bytes, why it is set aside, what it holds up, what may be done."""
    author, _, fact_id = place.rpartition("/")
    with reading() as conn:
        found = reads.get_item(conn, author, fact_id)
        people = names_of(conn, {found.proposal.proposed_by} if found.proposal else set())
    return render_template(
        "quarantine/item.html",
        item=found,
        row=found.row,
        place=place,
        people=people,
        signs=SIGNS,
        states=dict(STATES),
        roles=service.ROLES,
    )


@bp.post("/retry")
@requires(*service.ROLES)
def retry() -> BaseResponse:
    """Try again what is set aside, of one author or of all."""
    author = read_text("author", "Author", most=64, needed=False)
    _tell(service.retry(node(), author or None, actor()))
    return redirect(url_for("quarantine.listing"))


@bp.post("/resume")
@requires(*service.ROLES)
def resume() -> BaseResponse:
    """Go on with an author that was stopped."""
    author = read_text("author", "Author", most=64)
    service.resume_author(node(), author, actor())
    flash(f"{author} is applied again.")
    return redirect(url_for("quarantine.listing"))


@bp.post("/<path:place>/propose")
@requires(*service.ROLES)
@keeps_input(item)
def propose(place: str) -> BaseResponse:
    """Propose to discard a fact."""
    author, _, fact_id = place.rpartition("/")
    service.propose_discard(node(), author, fact_id, read_text("reason", "Reason"), actor())
    flash("Proposed. A second engineer must confirm before anything is discarded.")
    return redirect(url_for("quarantine.item", place=place))


@bp.post("/<path:place>/withdraw")
@requires(*service.ROLES)
@keeps_input(item)
def withdraw(place: str) -> BaseResponse:
    """Take the proposal back."""
    author, _, fact_id = place.rpartition("/")
    service.withdraw_proposal(node(), author, fact_id, actor())
    flash("The proposal is withdrawn. The fact stays set aside.")
    return redirect(url_for("quarantine.item", place=place))


@bp.post("/<path:place>/confirm")
@requires(*service.ROLES)
@keeps_input(item)
def confirm(place: str) -> BaseResponse:
    """Discard the fact as the second person."""
    author, _, fact_id = place.rpartition("/")
    done = service.confirm_discard(node(), author, fact_id, actor())
    flash(f"Discarded for good at {node().code}. The fact stays in {author}'s journal, without effect here.")
    if done.applied:
        flash("What waited for it is applied: " + ("1 fact." if done.applied == 1 else f"{done.applied:,} facts."))
    return redirect(url_for("quarantine.listing"))


def stopped_status() -> tuple[StatusLine, ...]:
    """A loud line of the header for each author whose facts are not applied."""
    with reading() as conn:
        stops = find_stops(conn)
    return tuple(
        StatusLine("alarm", f"{author}: applying is stopped, too much could not be read. Everything is received.")
        for author in stops
    )


def _read_page(paging: Paging) -> Page[Any]:
    with reading() as conn:
        filters = {name: paging.wants(name) for name in ("state", "author", "type", "q")}
        rows = reads.list_set_aside(conn, filters, paging.after, paging.limit + 1)
    return cut([_shown(row) for row in rows], paging, "key")


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    name = row["type"] if row["version"] in (0, 1) else f"{row['type']} v{row['version']}"
    return row | {
        "state": dict(STATES)[row["state"]],
        "state_state": SIGNS[row["state"]],
        "type": "Unreadable" if name == "?" else name,
        "proposed": "proposed" if row["proposed_by"] else None,
    }


def _tell(done: Rebuilt) -> None:
    left = done.quarantined + done.parked + done.held
    applied = "1 fact is" if done.applied == 1 else f"{done.applied:,} facts are"
    flash(f"{applied} applied now; {left:,} stay set aside.", "done" if not left else "attention")


FEATURE = Feature(pages=(bp,), apis=(api,), menu=(MenuItem("Node", "Set aside", "quarantine.listing"),))
