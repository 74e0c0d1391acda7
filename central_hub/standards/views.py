"""Pages of the standards office: the list, a version with its differences, drafting, signatures and keys."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from central_hub.context import hub
from central_hub.standards import errors, publishing, reading, service, trusting
from central_hub.standards.addresses import parts_of
from central_hub.standards.api import api
from central_hub.standards.batch_api import api as batch_api
from central_hub.standards.editor.views import bp as editor_pages
from central_hub.standards.own_views import api as own_api
from central_hub.standards.own_views import bp as own_pages
from central_hub.standards.queries import find_open_request, find_root, list_signatures
from central_hub.standards.rollout_api import api as rollout_api
from central_hub.standards.rollout_views import bp as rollout_pages
from central_hub.standards.talk_api import api as talk_api
from central_hub.standards.talk_views import bp as talk_pages
from shared.standards import as_yaml
from shared.standards.diff import value_text
from shared.standards.documents import KINDS
from shared.standards.queries import list_history
from shared.standards.rollout_queries import find_rollout
from shared.standards.signing import check_request, read_answer
from shared.standards.talk_queries import list_comments
from shared.web import forms
from shared.web.accounts import names_of
from shared.web.context import actor, node, requires
from shared.web.context import reading as picture
from shared.web.features import Feature, MenuItem
from shared.web.listing import Column, Filter, answer_list
from shared.web.paging import Page, Paging

bp = Blueprint("standards", __name__, template_folder="templates")

STATUSES = ("draft", "in_review", "approved", "awaiting_signatures", "published", "withdrawn")
SIGNS = {
    "draft": "normal",
    "in_review": "attention",
    "approved": "attention",
    "awaiting_signatures": "attention",
    "published": "done",
    "withdrawn": "stale",
}
COLUMNS = (
    Column("standard_id", "Standard", show="code", link="standards.version", link_key="address", link_arg="address"),
    Column("version", "Version", show="whole"),
    Column("title", "Title"),
    Column("kind", "Kind", show="words"),
    Column("status", "Status", show="badge"),
    Column("drafted", "Author"),
    Column("approved", "Approved by"),
    Column("published_ms", "Published", show="when"),
)
FILTERS = (
    Filter("status", "Status", tuple((status, status.replace("_", " ")) for status in STATUSES)),
    Filter("kind", "Kind", tuple((kind, kind.replace("_", " ")) for kind in KINDS)),
)
DOCUMENT_CHARS_MAX = 200_000


def read_versions(paging: Paging) -> Page[dict[str, Any]]:
    """A group has tens of standards with a few versions each: one page."""
    with picture() as conn:
        rows = reading.list_rows(conn, node().code, paging.wants("status"), paging.wants("kind"))
        names = names_of(conn, {row.drafted_by for row in rows} | {row.approved_by for row in rows})
    return Page(
        [
            {
                **row._mapping,
                "address": f"{row.standard_id}/{row.version}",
                "status_state": SIGNS[row.status],
                "drafted": names.get(row.drafted_by, ""),
                "approved": names.get(row.approved_by, ""),
            }
            for row in rows
        ]
    )


@bp.get("/standards")
def standards() -> str | Response:
    """All versions."""
    return answer_list("standards/list.html", COLUMNS, read_versions, filters=FILTERS)


@bp.get("/standards/<path:address>")
def version(address: str) -> str:
    """One version, readable, with its differences, its life and who runs it. address: ID/VERSION."""
    standard_id, number = parts_of(address)
    with picture() as conn:
        found = reading.find_whole(conn, node().code, standard_id, number)
        if found is None:
            raise errors.unknown_version(standard_id, number)
        rollout = find_rollout(conn, node().code, standard_id, number)
        history = [adopted for adopted in list_history(conn, standard_id) if adopted.version == number]
        comments = list_comments(conn, node().code, standard_id, number)
        said_by = {said.said_by for said in comments}
        names = names_of(conn, {found.row.drafted_by, found.row.approved_by} | said_by)
        pretty = json.dumps(json.loads(found.row.body), indent=2, ensure_ascii=False)
    return render_template(
        "standards/version.html",
        found=found,
        row=found.row,
        history=history,
        rollout=rollout,
        comments=comments,
        names=names,
        value_text=value_text,
        sign=SIGNS[found.row.status],
        body=pretty,
        mine=found.row.drafted_by == actor(),
    )


@bp.get("/standards/file/<path:address>")
def file(address: str) -> Response:
    """The version as one YAML file, to be kept in a repository and brought back by the draft page."""
    standard_id, number = parts_of(address)
    with picture() as conn:
        found = reading.find_whole(conn, node().code, standard_id, number)
    if found is None:
        raise errors.unknown_version(standard_id, number)
    answer = Response(as_yaml.write_text(found.document), mimetype="application/yaml")
    answer.headers["Content-Disposition"] = f'attachment; filename="{standard_id}-v{number}.yaml"'
    return answer


@bp.get("/standards/draft")
@requires("author")
def draft_form() -> str:
    """A new version: an empty page, or the text of an existing one with the next number."""
    text = request.form.get("document", "")
    origin = request.args.get("from", "")
    if origin and not text:
        standard_id, number = parts_of(origin)
        with picture() as conn:
            found = reading.find_whole(conn, node().code, standard_id, number)
        if found is None:
            raise errors.unknown_version(standard_id, number)
        following = number if found.row.status == "draft" else number + 1
        text = as_yaml.write_text(found.document.model_copy(update={"version": following}))
    return render_template("standards/draft.html", text=text, kinds=[kind.replace("_", " ") for kind in KINDS])


@bp.post("/standards/draft")
@requires("author")
@forms.keeps_input(draft_form)
def draft() -> BaseResponse:
    """Save the draft; a fault is named with its place and the text is kept."""
    text = forms.read_text("document", "Document", most=DOCUMENT_CHARS_MAX)
    made = service.draft(hub(), as_yaml.read_text(text), actor(), forms.command_id())
    flash(f"{made.id} v{made.version} is saved as a draft.")
    return _to(f"{made.id}/{made.version}")


@bp.post("/standards/<path:address>/submit")
@requires("author")
@forms.keeps_input(version)
def submit(address: str) -> BaseResponse:
    """Ask for review."""
    service.submit(hub(), *parts_of(address), actor(), forms.command_id())
    flash("Submitted. A second person reviews it now.")
    return _to(address)


@bp.post("/standards/<path:address>/return")
@requires("approver")
@forms.keeps_input(version)
def send_back(address: str) -> BaseResponse:
    """Return to the author with a reason."""
    service.send_back(hub(), *parts_of(address), forms.read_text("reason", "Reason"), actor(), forms.command_id())
    flash("Returned to its author.")
    return _to(address)


@bp.post("/standards/<path:address>/approve")
@requires("approver")
@forms.keeps_input(version)
def approve(address: str) -> BaseResponse:
    """Approve what this page showed."""
    service.approve(hub(), *parts_of(address), forms.read_text("sha256", "Document"), actor(), forms.command_id())
    flash("Approved. The key holders are asked to sign.")
    return _to(address)


@bp.post("/standards/<path:address>/withdraw")
@requires("approver")
@forms.keeps_input(version)
def withdraw(address: str) -> BaseResponse:
    """Take out of use."""
    service.withdraw(hub(), *parts_of(address), forms.read_text("reason", "Reason"), actor(), forms.command_id())
    flash("Withdrawn with the next signed catalogue.")
    return _to(address)


@bp.get("/standards/signing")
def signing() -> str:
    """What waits for signatures, who has signed, and the keys that count."""
    with picture() as conn:
        row = find_open_request(conn, node().code)
        given = list_signatures(conn, node().code, row.request_id) if row else []
        lines = check_request(publishing.request_file(conn, hub(), row.request_id))[1] if row else []
        root = find_root(conn)
    return render_template(
        "standards/signing.html",
        row=row,
        given={s.keyid: s for s in given},
        lines=lines,
        root=root[0] if root else None,
        online=node().key.public.hex(),
    )


@bp.post("/standards/signing")
@forms.keeps_input(signing)
def sign() -> BaseResponse:
    """Hand in a key holder's answer."""
    answer = read_answer(forms.read_text("answer", "Answer", most=4_000).encode())
    published = publishing.give_signature(hub(), answer, actor())
    flash("Published: the plants are told." if published else "The signature counts. More are needed.")
    return redirect(url_for("standards.signing"))


@bp.post("/standards/root")
@requires("owner", "engineer")
@forms.keeps_input(signing)
def trust_root() -> BaseResponse:
    """Hand in the root document."""
    root = trusting.trust_root(hub(), forms.read_text("envelope", "Root document", most=50_000), actor())
    flash(f"Root {root.version} is in force.")
    return redirect(url_for("standards.signing"))


def _to(address: str) -> BaseResponse:
    return redirect(url_for("standards.version", address=address))


FEATURE = Feature(
    pages=(editor_pages, bp, rollout_pages, talk_pages, own_pages),
    apis=(api, batch_api, rollout_api, talk_api, own_api),
    menu=(
        MenuItem("Standards", "Standards", "standards.standards"),
        MenuItem("Standards", "What comes when", "rollouts.calendar"),
        MenuItem("Standards", "Proposals", "standards_talk.proposed"),
        MenuItem("Standards", "Plants' own", "plants_own.own_list"),
        MenuItem("Standards", "Mentions", "standards_talk.mentions"),
        MenuItem("Standards", "Signatures", "standards.signing"),
    ),
)
