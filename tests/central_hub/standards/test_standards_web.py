"""The office's API and pages in the real portal, with the people who use them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from central_hub.app import ROLES, create_portal
from central_hub.plants.tables import plant as plants
from central_hub.standards import service
from shared.db.engine import write
from shared.standards.signing import read_request, sign_request
from shared.web.accounts import add_person, issue_token

PASSWORD = "long enough to type"
Call = Callable[..., Any]


@pytest.fixture
def portal(office: Any) -> Any:
    for login, role in (("author.quality", "author"), ("approver.quality", "approver"), ("owner.group", "owner")):
        with write(office.hub.node.engine) as conn:
            add_person(conn, office.clock, login, login.split(".")[0].title(), (role,), PASSWORD, ROLES)
    return create_portal(office.hub)


@pytest.fixture
def call(office: Any, portal: Any) -> Call:
    tokens: dict[str, str] = {}

    def ask(login: str, method: str, path: str, **body: Any) -> Any:
        if login not in tokens:
            with write(office.hub.node.engine) as conn:
                tokens[login] = issue_token(conn, office.clock, login, "test")
        return portal.test_client().open(
            f"/api/v1{path}", method=method, json=body or None, headers={"Authorization": f"Bearer {tokens[login]}"}
        )

    return ask


def test_the_whole_road_through_the_api(office: Any, call: Call) -> None:
    document = office.document("KPI-YLD-v2")
    assert call("author.quality", "POST", "/standards", command_id="1", document=document).status_code == 201
    assert call("author.quality", "POST", "/standards/KPI-YLD/2/submit", command_id="2").json["status"] == "in_review"
    sha256 = call("approver.quality", "GET", "/standards/KPI-YLD/2").json["sha256"]
    approved = call("approver.quality", "POST", "/standards/KPI-YLD/2/approve", command_id="3", sha256=sha256)
    assert approved.json["status"] == "awaiting_signatures"
    for holder, published in ((0, False), (1, True)):
        request = read_request(call("owner.group", "GET", "/standards/requests/open").data)
        answer = sign_request(request, office.holders[holder])
        given = call(
            "owner.group",
            "POST",
            f"/standards/requests/{request.request_id}/signatures",
            request_id=answer.request_id,
            sha256=answer.sha256,
            keyid=answer.keyid,
            sig=answer.sig,
        )
        assert (given.status_code, given.json["published"]) == (200, published)
    items = call("owner.group", "GET", "/standards?status=published").json["items"]
    assert [(item["standard_id"], item["version"]) for item in items] == [("KPI-YLD", 2)]
    assert call("owner.group", "GET", "/standards/catalogue").json["version"] == 1
    assert call("owner.group", "GET", "/standards/requests/open").status_code == 404


@pytest.mark.parametrize(
    ("login", "path", "body", "status", "code"),
    [
        ("approver.quality", "/standards", {"command_id": "1", "document": {}}, 403, "web.role_missing"),
        (
            "author.quality",
            "/standards",
            {"command_id": "1", "document": {"kind": "poem"}},
            422,
            "standards.bad_document",
        ),
        ("author.quality", "/standards/QR-NO/1/submit", {"command_id": "1"}, 404, "standards.unknown"),
        (
            "author.quality",
            "/standards/QR-NO/1/approve",
            {"command_id": "1", "sha256": "0" * 64},
            403,
            "web.role_missing",
        ),
        ("approver.quality", "/standards/QR-NO/1/approve", {"command_id": "1", "sha256": "short"}, 422, "api.invalid"),
        ("author.quality", "/standards/root", {"envelope": "{}"}, 403, "web.role_missing"),
        ("owner.group", "/standards/root", {"envelope": "no envelope"}, 409, "standards.unreadable"),
    ],
)
def test_what_is_refused_and_how(call: Call, login: str, path: str, body: dict, status: int, code: str) -> None:
    answer = call(login, "POST", path, **body)
    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_the_author_cannot_approve_through_the_api(office: Any, call: Call) -> None:
    with write(office.hub.node.engine) as conn:
        add_person(conn, office.clock, "both.roles", "Both", ("author", "approver"), PASSWORD, ROLES)
    document = office.document("QR-CHE-01-v5")
    call("both.roles", "POST", "/standards", command_id="1", document=document)
    sha256 = call("both.roles", "POST", "/standards/QR-CHE-01/5/submit", command_id="2").json["sha256"]
    answer = call("both.roles", "POST", "/standards/QR-CHE-01/5/approve", command_id="3", sha256=sha256)
    assert (answer.status_code, answer.json["code"]) == (403, "standards.same_person")


def test_differences_are_told_field_by_field(office: Any, call: Call) -> None:
    office.release("KPI-YLD-v2")
    office.draft("KPI-YLD-v3")
    found = call("owner.group", "GET", "/standards/KPI-YLD/3").json
    assert found["compared_with"] == 2
    assert "formulas.slab_caster.formula" in [change["path"] for change in found["differences"]]


def sign_in(portal: Any, login: str) -> FlaskClient:
    client: FlaskClient = portal.test_client()
    page = client.get("/sign-in").get_data(as_text=True)
    client.post("/sign-in", data={"login": login, "password": PASSWORD, "csrf_token": hidden(page, "csrf_token")})
    return client


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page)
    assert found, f"no {name} on the page"
    return found.group(1)


def form(client: FlaskClient, page: str, action: str, **values: str) -> Any:
    fields = {name: hidden(page, name) for name in ("csrf_token", "command_id")}
    return client.post(action, data={**fields, **values}, follow_redirects=True)


def test_author_and_approver_release_a_standard_in_the_portal(office: Any, portal: Any) -> None:
    author, approver = sign_in(portal, "author.quality"), sign_in(portal, "approver.quality")
    page = author.get("/standards/draft").get_data(as_text=True)
    bad = form(author, page, "/standards/draft", document='{"kind": "quality_rule"')
    assert bad.status_code == 422
    assert "neither YAML nor JSON" in bad.get_data(as_text=True)
    document = json.dumps(office.document("QR-RES-01-v2"))
    page = form(author, page, "/standards/draft", document=document).get_data(as_text=True)
    assert "Cu + 8 * Sn &lt;= 0.38" in page
    page = form(author, page, "/standards/QR-RES-01/2/submit").get_data(as_text=True)
    assert "Waiting for a second person" in page
    page = approver.get("/standards/QR-RES-01/2").get_data(as_text=True)
    page = form(approver, page, "/standards/QR-RES-01/2/approve", sha256=hidden(page, "sha256")).get_data(as_text=True)
    assert "awaiting signatures" in page.lower()
    for holder in (0, 1):
        page = approver.get("/standards/signing").get_data(as_text=True)
        assert "QR-RES-01 v2 (release 1" in page
        answer = sign_request(office.open_request(), office.holders[holder])
        body = json.dumps({name: getattr(answer, name) for name in answer.__struct_fields__})
        page = form(approver, page, "/standards/signing", answer=body).get_data(as_text=True)
    assert "Published: the plants are told." in page
    assert "Nothing waits for signatures" in page
    assert "/standards/QR-RES-01/2" in approver.get("/standards?status=published").get_data(as_text=True)


def test_every_page_answers_also_when_there_is_nothing(office: Any, portal: Any) -> None:
    client = sign_in(portal, "owner.group")
    for path in ("/standards", "/standards/signing", "/conformance", "/comparison", "/standards?format=csv"):
        assert client.get(path).status_code == 200, path
    assert client.get("/standards/QR-NO/1").status_code == 404
    assert client.get("/standards/nonsense").status_code == 404


def test_conformance_and_comparison_are_there_as_json(office: Any, call: Call) -> None:
    assert call("owner.group", "GET", "/conformance").json["items"] == []
    assert call("owner.group", "GET", "/comparison?kpi=KPI-YLD").status_code == 404
    office.release("KPI-YLD-v2")
    found = call("owner.group", "GET", "/comparison?kpi=KPI-YLD").json
    assert (found["title"], found["groups"], found["comparable"]) == ("Yield", [], True)


def test_a_rollout_by_pages_and_api(office: Any, portal: Any, call: Call) -> None:
    """Approved for waves on the page, begun, shown with its evidence, in the calendar, and rolled back."""
    for plant in ("ALD", "BRK"):
        office.enrol(plant)
        with write(office.hub.node.engine) as conn:
            conn.execute(plants.insert().values(code=plant, name=plant, fingerprint="f", enrolled_at_ms=1))
    office.release("KPI-YLD-v2")
    office.submit("KPI-YLD-v3")
    approver, plan = sign_in(portal, "approver.quality"), "/rollouts/plan/KPI-YLD/3"
    page = approver.get(plan).text
    waves = {"sha256": hidden(page, "sha256"), "days-1": "7"}
    refused = form(approver, page, plan, **waves)
    assert (refused.status_code, "No plant is in a wave" in refused.text) == (422, True)
    shown = form(approver, page, plan, **waves, **{"plant-ALD": "1", "plant-BRK": "2", "starts-2": "2030-01-01"})
    assert "Begin wave 1 now" in shown.text
    office.sign()
    calendar = call("owner.group", "GET", "/calendar").json["items"]
    assert [(c["where"], c["what"]) for c in calendar if c["version"] == 3] == [("BRK", "wave 2 begins")]
    assert "wave 2 begins" in approver.get("/calendar").text
    begun = call("approver.quality", "POST", "/rollouts/KPI-YLD/3/advance", command_id="w1", wave=1)
    assert begun.json["waves"][0]["plants"][0]["state"] == "asked"
    denied = call("author.quality", "POST", "/rollouts/KPI-YLD/3/back", command_id="x", reason="bad")
    assert denied.status_code == 403
    page = approver.get("/rollouts/KPI-YLD/3").text
    assert "Begin wave 2 now" in page
    back = form(approver, page, "/rollouts/KPI-YLD/3/back", reason="crops counted twice")
    assert "crops counted twice" in back.text
    assert "Rolled back" in approver.get("/rollouts/KPI-YLD/3").text
    assert approver.get("/rollouts/KPI-YLD/9").status_code == 409


def test_a_version_leaves_as_yaml_and_comes_back_as_a_draft(office: Any, portal: Any) -> None:
    office.release("KPI-YLD-v2")
    author = sign_in(portal, "author.quality")
    file = author.get("/standards/file/KPI-YLD/2")
    assert file.headers["Content-Disposition"] == 'attachment; filename="KPI-YLD-v2.yaml"'
    again = author.get("/standards/draft?from=KPI-YLD/2").text
    assert "version: 3" in again
    text = file.text.replace("version: 2", "version: 3", 1)
    assert "saved as a draft" in form(author, again, "/standards/draft", document=text).text
    assert office.row("KPI-YLD", 3).status == "draft"
    assert author.get("/standards/file/KPI-YLD/9").status_code == 404


def test_words_about_standards_have_their_pages(office: Any, portal: Any, call: Call) -> None:
    """Comments on a version, mentions, proposals and what was made after a withdrawal: empty states teach, words show."""
    office.release("KPI-YLD-v2")
    author = sign_in(portal, "author.quality")
    assert "can be proposed to the group" in author.get("/proposals").text
    assert "Nobody has named you" in author.get("/mentions").text
    page = author.get("/standards/KPI-YLD/2").text
    said = form(author, page, "/comments/KPI-YLD/2", text="Is the crop counted, @author.quality?")
    assert "Is the crop counted" in said.text
    assert "Is the crop counted" in author.get("/mentions").text
    assert (
        call("owner.group", "GET", "/standards/KPI-YLD/2/comments").json["items"][0]["text"].startswith("Is the crop")
    )
    assert "This version is not withdrawn" in author.get("/made-after/KPI-YLD/2").text
    service.withdraw(office.hub, "KPI-YLD", 2, "counts crops twice", "bert", "w")
    assert "Nothing that is known here" in author.get("/made-after/KPI-YLD/2").text
    assert call("author.quality", "POST", "/proposals/none/draft", command_id="x").status_code == 404
