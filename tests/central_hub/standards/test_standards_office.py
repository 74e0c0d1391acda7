from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from central_hub.roles import ROLES
from central_hub.standards import publishing, rollouts, service, trusting
from central_hub.standards.queries import find_assignment, find_catalogue, find_open_request
from shared.db.engine import read, write
from shared.errors import BadInput, Denied, NotFound, Refused
from shared.journal.content_hash import content_hash
from shared.journal.rebuild import rebuild
from shared.keys import Envelope, new_key
from shared.settings import OfficeRight
from shared.standards.signing import SigningAnswer, check_request, sign_request
from shared.standards.trust import Trusted, accept_catalogue, accept_timestamp, first_root
from shared.web.accounts import add_person


def refused(code: str, call: Any, *args: Any, **more: Any) -> None:
    with pytest.raises((Refused, Denied, BadInput, NotFound)) as caught:
        call(*args, **more)
    assert caught.value.code == code


def test_a_version_goes_from_draft_to_published(office: Any) -> None:
    key = office.draft("QR-CHE-01-v5")
    assert office.row(*key).status == "draft"
    service.submit(office.hub, *key, "anna", "s1")
    assert office.row(*key).status == "in_review"
    office.approve(*key)
    assert office.row(*key).status == "awaiting_signatures"
    assert office.sign(0) is False
    assert office.row(*key).status == "awaiting_signatures"
    assert office.sign(1) is True
    row = office.row(*key)
    assert (row.status, row.drafted_by, row.approved_by, row.release) == ("published", "anna", "bert", 1)


def test_the_author_cannot_approve(office: Any) -> None:
    key = office.submit("QR-CHE-01-v5")
    refused("standards.same_person", office.approve, *key, actor="anna")
    assert office.row(*key).status == "in_review"


def test_only_its_author_rewrites_a_draft(office: Any) -> None:
    office.draft("QR-CHE-01-v5")
    refused("standards.not_its_author", office.draft, "QR-CHE-01-v5", actor="bert")
    office.draft("QR-CHE-01-v5", title="A better title")
    assert office.row("QR-CHE-01", 5).title == "A better title"


def test_what_is_approved_is_what_was_read(office: Any) -> None:
    key = office.submit("QR-CHE-01-v5")
    refused("standards.changed", service.approve, office.hub, *key, "0" * 64, "bert", "a1")


def test_under_review_nothing_changes_until_it_is_sent_back(office: Any) -> None:
    key = office.submit("QR-CHE-01-v5")
    refused("standards.wrong_status", office.draft, "QR-CHE-01-v5")
    service.send_back(office.hub, *key, "Cu limit is missing", "bert", "b1")
    assert (office.row(*key).status, office.row(*key).note) == ("draft", "Cu limit is missing")
    office.draft("QR-CHE-01-v5", title="Mended title")
    assert office.row(*key).title == "Mended title"


@pytest.mark.parametrize("step", ["submit", "approve", "withdraw"])
def test_steps_out_of_order_are_refused(office: Any, step: str) -> None:
    key = office.submit("QR-CHE-01-v5")
    office.approve(*key)
    calls = {
        "submit": lambda: service.submit(office.hub, *key, "anna", "x"),
        "approve": lambda: office.approve(*key),
        "withdraw": lambda: service.withdraw(office.hub, *key, "bad", "bert", "x"),
    }
    refused("standards.wrong_status", calls[step])


def test_an_unknown_version_is_said_so(office: Any) -> None:
    refused("standards.unknown", service.submit, office.hub, "QR-NONE", 1, "anna", "x")


def test_a_faulty_document_never_becomes_a_draft(office: Any) -> None:
    document = office.document("QR-RES-01-v2")
    document["rule"]["check"]["condition"] = "Cu + 8 * Zn <= 0.38"
    with pytest.raises(BadInput, match="'Zn'"):
        service.draft(office.hub, document, "anna", "x")
    assert office.row("QR-RES-01", 2) is None


def test_a_command_given_twice_is_done_once(office: Any) -> None:
    document = office.document("QR-CHE-01-v5")
    service.draft(office.hub, document, "anna", "same")
    service.draft(office.hub, {**document, "title": "Sent again with another title"}, "anna", "same")
    assert office.row("QR-CHE-01", 5).title == document["title"]


@pytest.mark.fault(80)
def test_hub_key_alone_cannot_publish(office: Any) -> None:
    office.approve(*office.submit("QR-CHE-01-v5"))
    refused(
        "standards.bad_signature",
        publishing.give_signature,
        office.hub,
        sign_request(office.open_request(), office.hub.node.key),
        "hub",
    )
    assert office.row("QR-CHE-01", 5).status == "awaiting_signatures"


def test_a_wrong_signature_is_refused(office: Any) -> None:
    office.approve(*office.submit("QR-CHE-01-v5"))
    good = sign_request(office.open_request(), office.holders[0])
    for bad in (
        sign_request(office.open_request(), new_key()),
        msgspec.structs.replace(good, sig=sign_request(office.open_request(), office.holders[1]).sig),
        msgspec.structs.replace(good, keyid=office.holders[1].id),
    ):
        refused("standards.bad_signature", publishing.give_signature, office.hub, bad, "courier")


@pytest.mark.fault(81)
def test_one_holder_twice_is_not_two(office: Any) -> None:
    office.approve(*office.submit("QR-CHE-01-v5"))
    assert office.sign(0) is False
    assert office.sign(0) is False
    assert office.row("QR-CHE-01", 5).status == "awaiting_signatures"


def test_a_new_approval_replaces_a_request_nobody_has_signed(office: Any) -> None:
    office.approve(*office.submit("QR-CHE-01-v5"))
    first = office.open_request()
    office.approve(*office.submit("QR-RES-01-v2"))
    second = office.open_request()
    assert second.new == ("QR-CHE-01", "QR-RES-01")
    refused(
        "standards.request_closed", publishing.give_signature, office.hub, sign_request(first, office.holders[0]), "c"
    )


def test_an_approval_after_the_first_signature_waits_for_the_next_request(office: Any) -> None:
    office.approve(*office.submit("QR-CHE-01-v5"))
    office.sign(0)
    office.approve(*office.submit("QR-RES-01-v2"))
    assert office.row("QR-RES-01", 2).status == "approved"
    assert office.sign(1) is True
    assert office.row("QR-RES-01", 2).status == "awaiting_signatures"
    assert office.open_request().new == ("QR-RES-01",)


def test_the_request_shows_what_is_signed_and_a_changed_one_is_found_out(office: Any) -> None:
    office.approve(*office.submit("QR-CHE-01-v5"))
    request = office.open_request()
    catalogue, lines = check_request(request)
    assert catalogue.version == 1
    assert lines[0].startswith("NEW       QR-CHE-01 v5 (release 1, active, ALD)")
    entry = catalogue.entries[0]
    for bad in (
        msgspec.structs.replace(request, catalogue=request.catalogue.replace("ALD", "BRK")),
        msgspec.structs.replace(request, bodies={entry.sha256: request.bodies[entry.sha256].replace("2200", "9900")}),
        msgspec.structs.replace(request, bodies={}),
        msgspec.structs.replace(request, new=("QR-GONE",)),
    ):
        refused("standards.request_mismatch", sign_request, bad, office.holders[0])


def test_what_is_published_verifies_as_a_plant_would(office: Any) -> None:
    office.enrol("ALD")
    office.release("QR-CHE-01-v5", "QR-HSM-01-v4")
    with read(office.hub.node.engine) as conn:
        trusted = Trusted(first_root(trusting.root_envelope(conn).encode()))
        _, row = find_catalogue(conn, "HUB")
        sent = find_assignment(conn, "HUB", "ALD")
    trusted, timestamp = accept_timestamp(trusted, sent.timestamp.encode())
    assert accept_catalogue(trusted, timestamp, row.envelope.encode()).catalogue_version == 1
    assert msgspec.json.decode(row.envelope, type=Envelope).signatures[0].keyid != office.hub.node.key.id


def test_each_catalogue_lists_everything_and_releases_rise(office: Any) -> None:
    office.release("KPI-YLD-v2", "QR-CHE-01-v5")
    office.release("KPI-YLD-v3")
    with read(office.hub.node.engine) as conn:
        catalogue, _ = find_catalogue(conn, "HUB")
    assert [(e.id, e.version, e.release) for e in catalogue.entries] == [("KPI-YLD", 3, 2), ("QR-CHE-01", 5, 1)]
    assert (catalogue.version, catalogue.entries[0].author, catalogue.entries[0].approver) == (2, "anna", "bert")


def test_a_lower_version_than_the_published_one_is_refused(office: Any) -> None:
    office.release("KPI-YLD-v3")
    refused("standards.wrong_status", office.draft, "KPI-YLD-v2")


def test_a_withdrawn_standard_stays_in_the_catalogue_and_is_no_longer_assigned(office: Any) -> None:
    office.enrol("ALD")
    office.release("QR-CHE-01-v5", "QR-RES-01-v2")
    service.withdraw(office.hub, "QR-CHE-01", 5, "limits were wrong", "bert", "w1")
    assert office.sign()
    office.release("QR-TRN-01-v1")
    with read(office.hub.node.engine) as conn:
        catalogue, _ = find_catalogue(conn, "HUB")
        version = find_assignment(conn, "HUB", "ALD").catalogue_version
    assert [(e.id, e.status, e.release) for e in catalogue.entries] == [
        ("QR-CHE-01", "withdrawn", 2),
        ("QR-RES-01", "active", 1),
        ("QR-TRN-01", "active", 1),
    ]
    assert (catalogue.version, version) == (3, 3)


def test_a_plant_that_comes_later_gets_everything_with_the_next_round(office: Any) -> None:
    office.release("QR-CHE-01-v5")
    office.enrol("ALD")
    assert publishing.issue_missing(office.hub) == ["ALD"]
    assert publishing.issue_missing(office.hub) == []
    office.clock.advance(publishing.RENEW_MS)
    assert publishing.issue_missing(office.hub) == ["ALD"]  # the timestamp is renewed every day


def test_a_root_for_another_hub_is_refused(office: Any, bare_hub: Any) -> None:
    refused("standards.other_hub", trusting.trust_root, bare_hub, office.root(), "auditor")


def test_no_root_no_signature(office: Any, bare_hub: Any) -> None:
    office.hub = bare_hub
    office.approve(*office.submit("QR-CHE-01-v5"))
    refused("standards.no_root", office.sign, 0)


def test_an_answer_to_no_request(office: Any) -> None:
    answer = SigningAnswer(request_id="0" * 32, sha256="0" * 64, keyid="k", sig="s")
    refused("standards.no_request", publishing.give_signature, office.hub, answer, "c")


def test_the_offices_rows_are_the_same_after_a_rebuild(office: Any) -> None:
    office.enrol("ALD")
    office.release("QR-CHE-01-v5", "KPI-YLD-v2")
    service.withdraw(office.hub, "QR-CHE-01", 5, "limits were wrong", "bert", "w1")
    with read(office.hub.node.engine) as conn:
        before = content_hash(conn, "HUB")
        assert find_open_request(conn, "HUB") is not None
    with write(office.hub.node.engine) as conn:
        rebuild(conn, office.hub.journal.appliers, office.clock.now_ms())
    with read(office.hub.node.engine) as conn:
        assert content_hash(conn, "HUB") == before


def test_who_may_draft_and_approve_what_by_kind_and_area(office: Any) -> None:
    ids = {}
    with write(office.hub.node.engine) as conn:
        for login in ("anna", "bert", "cleo"):
            ids[login] = add_person(
                conn, office.clock, login, login, ("author", "approver"), "long enough to type", ROLES
            )
    rights = (
        OfficeRight(login="anna", may="draft", kinds=("quality_rule", "routing")),
        OfficeRight(login="bert", may="approve", kinds=("quality_rule",), areas=("ladle_furnace", "eaf")),
        OfficeRight(login="cleo", may="approve", kinds=("kpi",)),
    )
    office.hub = replace(office.hub, settings=office.hub.settings.model_copy(update={"office": rights}))
    with pytest.raises(Denied, match="may not draft a kpi"):
        office.draft("KPI-YLD-v2", ids["anna"])
    with pytest.raises(Denied, match="may not draft a quality rule"):
        office.draft("QR-CHE-01-v5", ids["bert"])
    rule = office.submit("QR-CHE-01-v5", ids["anna"])
    route = office.submit("R-GISLIT-v7", ids["anna"])
    with pytest.raises(Denied, match="may not approve a quality rule of this area"):
        office.approve(*rule, ids["cleo"])
    with pytest.raises(Denied, match="may not approve a routing"):
        office.approve(*route, ids["bert"])
    office.approve(*rule, ids["bert"])
    office.hub = replace(office.hub, settings=office.hub.settings.model_copy(update={"office": rights[:1]}))
    office.approve(*route, ids["cleo"])  # nothing is said of approving any more: the role alone decides


def test_a_right_of_an_area_is_not_passed_by_naming_another_area_or_kind(office: Any) -> None:
    rule = office.submit("QR-CHE-01-v5")
    office.approve(*rule)
    with write(office.hub.node.engine) as conn:
        doro, emil = (
            add_person(conn, office.clock, login, login, ("author", "approver"), "long enough to type", ROLES)
            for login in ("doro", "emil")
        )
    rights = (
        OfficeRight(login="doro", may="draft", areas=("galvaniser",)),
        OfficeRight(login="emil", may="approve", areas=("galvaniser",)),
    )
    office.hub = replace(office.hub, settings=office.hub.settings.model_copy(update={"office": rights}))
    other_area = {"version": 6, "needs": ["galvaniser"], "parameters": []}
    with pytest.raises(Denied, match="may not draft a quality rule"):
        office.draft("QR-CHE-01-v5", doro, **other_area)
    office.hub = replace(office.hub, settings=office.hub.settings.model_copy(update={"office": rights[1:]}))
    office.draft("QR-CHE-01-v5", doro, **other_area)
    service.submit(office.hub, "QR-CHE-01", 6, doro, "s6")
    with pytest.raises(Denied, match="may not approve a quality rule"):
        office.approve("QR-CHE-01", 6, emil)
    with pytest.raises(Refused, match="QR-CHE-01 is a quality rule, its next version too"):
        office.draft("KPI-YLD-v2", doro, id="QR-CHE-01", version=7)


def test_the_way_back_is_open_to_every_approver(office: Any) -> None:
    key = office.submit("QR-CHE-01-v5")
    office.approve(*key)
    office.sign(0)
    office.sign(1)
    right = OfficeRight(login="emil", may="approve", areas=("galvaniser",))
    office.hub = replace(office.hub, settings=office.hub.settings.model_copy(update={"office": (right,)}))
    with pytest.raises(Denied):
        service.withdraw(office.hub, *key, "bad", "doro", "w1")
    assert rollouts.roll_back(office.hub, *key, "bad", "doro", "r1") == 0
