"""What each fact of standards leaves in the rows, whole rows at a time, from the first draft to what plants report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Table, select

from shared.clock import FixedClock
from shared.db.engine import read
from shared.journal.fact import Draft, Occurred, Payload
from shared.journal.journal import Journal
from shared.standards import facts as f
from shared.standards import projection, tables

START = 1_000_000
H1, H2 = "1" * 64, "2" * 64
RULE = {"standard_id": "QR-1", "version": 2}


class Office:
    """A journal whose clock goes on by a second with each fact, and by whom it was said."""

    def __init__(self, journal: Journal, clock: FixedClock) -> None:
        self.journal, self.clock = journal, clock

    def say(self, actor: str, *payloads: Payload) -> int:
        """Record facts in one transaction; returns when."""
        self.clock.advance(1_000)
        with self.journal.work() as tx:
            for payload in payloads:
                tx.record(Draft(payload, ("s",), actor, Occurred(1, "test")))
        return self.clock.now_ms()

    def rows(self, table: Table, *, without: tuple[str, ...] = ("author", "fact_id", "published_fact")) -> list[Any]:
        columns = [c for c in table.columns if c.name not in without]
        with read(self.journal.engine) as conn:
            return [dict(row) for row in conn.execute(select(*columns).order_by(*columns)).mappings()]


@pytest.fixture
def office(make_journal: Callable[..., Journal], clock: FixedClock) -> Office:
    return Office(make_journal("HUB", projection.register), clock)


def drafted(title: str = "Copper", sha256: str = H1) -> f.StandardDrafted:
    return f.StandardDrafted(**RULE, kind="rule", title=title, sha256=sha256, body=f'{{"t":"{title}"}}')


def approved(office: Office) -> dict[str, Any]:
    """A version on its way to approval; returns its row as it must be by then."""
    at = office.say("anna", drafted("first try", H2), drafted())
    row = RULE | {
        "kind": "rule",
        "title": "Copper",
        "status": "draft",
        "sha256": H1,
        "body": '{"t":"Copper"}',
        "drafted_by": "anna",
        "approved_by": "",
        "note": "",
        "release": 0,
        "catalogue_version": 0,
        "effective_from_ms": 0,
        "drafted_ms": at,
        "submitted_ms": None,
        "approved_ms": None,
        "published_ms": None,
        "withdrawn_ms": None,
    }
    assert office.rows(tables.standard_version) == [row]
    at = office.say("anna", f.StandardSubmitted(**RULE, sha256=H1))
    assert office.rows(tables.standard_version) == [row | {"status": "in_review", "submitted_ms": at}]
    office.say("bert", f.StandardReturned(**RULE, reason="unit?"))
    assert office.rows(tables.standard_version) == [row | {"note": "unit?"}]
    submitted = office.say("anna", f.StandardSubmitted(**RULE, sha256=H1))
    at = office.say("bert", f.StandardApproved(**RULE, sha256=H1, effective_from_ms=77))
    row |= {"status": "approved", "approved_by": "bert", "approved_ms": at, "effective_from_ms": 77}
    assert office.rows(tables.standard_version) == [row | {"submitted_ms": submitted}]
    return row | {"submitted_ms": submitted}


def test_a_version_keeps_who_did_what_and_when_until_it_is_withdrawn(office: Office) -> None:
    row = approved(office)
    request = f.SigningRequested(
        request_id="r" * 32,
        number=3,
        catalogue_version=7,
        sha256=H2,
        catalogue="{}",
        releases=(f.Release("QR-1", 2, 4), f.Release("QR-1", 9, 5)),
    )
    asked = office.say("bert", request)
    row |= {"status": "awaiting_signatures", "release": 4, "catalogue_version": 7}
    assert office.rows(tables.standard_version) == [row]
    assert office.rows(tables.signing_request) == [
        {
            "request_id": "r" * 32,
            "number": 3,
            "catalogue_version": 7,
            "sha256": H2,
            "catalogue": "{}",
            "requested_by": "bert",
            "requested_ms": asked,
        }
    ]
    published = f.StandardPublished(**RULE, kind="rule", title="Copper", sha256=H1, body='{"t":"Copper"}')
    at = office.say("hub", published)
    row |= {"status": "published", "published_ms": at}
    assert office.rows(tables.standard_version) == [row]
    at = office.say("bert", f.StandardWithdrawn(**RULE, reason="replaced"))
    assert office.rows(tables.standard_version) == [
        row | {"status": "withdrawn", "withdrawn_ms": at, "note": "replaced"}
    ]


def test_a_plant_that_sees_only_the_publication_has_the_version_and_the_fact_that_brought_it(office: Office) -> None:
    published = f.StandardPublished(**RULE, kind="rule", title="Copper", sha256=H1, body="{}")
    at = office.say("hub", published)
    (row,) = office.rows(tables.standard_version, without=("author",))
    assert (row["status"], row["published_ms"], row["body"], row["drafted_by"]) == ("published", at, "{}", "")
    assert (len(row["published_fact"]), row["release"], row["effective_from_ms"]) == (32, 0, 0)


def test_a_signature_counts_once_by_its_key(office: Office) -> None:
    at = office.say("courier", f.CatalogueSigned(request_id="r" * 32, keyid="k1", sig="first"))
    office.say("thief", f.CatalogueSigned(request_id="r" * 32, keyid="k1", sig="second"))
    assert office.rows(tables.catalogue_signature) == [
        {"request_id": "r" * 32, "keyid": "k1", "sig": "first", "given_by": "courier", "given_ms": at}
    ]


def test_root_catalogue_and_assignment_are_kept_as_they_were_signed(office: Office) -> None:
    at = office.say(
        "hub",
        f.RootTrusted(version=1, sha256=H1, envelope="root"),
        f.CataloguePublished(version=7, sha256=H2, envelope="catalogue"),
        f.AssignmentIssued(plant="ALD", envelope="a", timestamp="t", version=5, catalogue_version=7),
    )
    assert office.rows(tables.root) == [{"version": 1, "sha256": H1, "envelope": "root", "trusted_ms": at}]
    assert office.rows(tables.catalogue) == [{"version": 7, "sha256": H2, "envelope": "catalogue", "published_ms": at}]
    assert len(office.rows(tables.catalogue, without=())[0]["fact_id"]) == 32
    assert office.rows(tables.assignment) == [
        {"plant": "ALD", "version": 5, "catalogue_version": 7, "envelope": "a", "timestamp": "t", "issued_ms": at}
    ]


def installed(*standards: f.InstalledStandard, catalogue: int = 7) -> f.StandardsInstalled:
    return f.StandardsInstalled(
        catalogue_version=catalogue,
        assignment_version=5,
        standards=standards,
        effective_hash=H2,
        equipment={"CC1": "slab_caster", "AA": "x"},
        deviations=("d2", "d1"),
    )


def test_what_runs_at_a_plant_has_a_beginning_and_an_end(office: Office) -> None:
    one = f.InstalledStandard("QR-1", 1, H1, 5, {"CC1.b": 2, "CC1.a": "x"})
    two = f.InstalledStandard("QR-1", 2, H2, 6)
    first = office.say("job", installed(one))
    row = {"standard_id": "QR-1", "version": 1, "sha256": H1, "effective_from_ms": 5}
    row |= {"adopted_ms": first, "until_ms": None, "bound": '{"CC1.a": "x", "CC1.b": 2}'}
    assert office.rows(tables.in_force) == [row]
    office.say("job", installed(one))
    assert office.rows(tables.in_force) == [row]  # adopted again: in force since the first time
    second = office.say("job", installed(two, catalogue=8))
    new = {"version": 2, "sha256": H2, "effective_from_ms": 6, "adopted_ms": second, "bound": "{}"}
    assert office.rows(tables.in_force) == [row | {"until_ms": second}, row | new]
    third = office.say("job", installed(one, two))
    assert office.rows(tables.in_force) == [row | {"adopted_ms": third}, row | new]
    assert office.rows(tables.adoption) == [
        {
            "catalogue_version": 7,
            "assignment_version": 5,
            "effective_hash": H2,
            "equipment": '{"AA": "x", "CC1": "slab_caster"}',
            "deviations": '["d1", "d2"]',
            "adopted_ms": third,
        }
    ]


def test_a_refusal_stands_until_the_next_adoption(office: Office) -> None:
    no = f.StandardsRejected(catalogue_version=8, reason="hash differs", code="standards.hash", missing=("QR-2",))
    at = office.say("job", f.StandardsRejected(catalogue_version=7, reason="old", code="x"), no)
    (row,) = office.rows(tables.rejection)
    assert row == {
        "catalogue_version": 8,
        "code": "standards.hash",
        "reason": "hash differs",
        "missing": '["QR-2"]',
        "rejected_ms": at,
    }
    office.say("job", installed())
    assert office.rows(tables.rejection) == []


def test_a_deviation_keeps_its_words_and_its_end(office: Office) -> None:
    said = {"deviation_id": "d" * 32, "standard_id": "QR-1", "parameter": "CC1.a", "value": "3", "owner": "eva"}
    said |= {"reason": "new tundish", "expires_ms": 99}
    other = f.DeviationDeclared(**(said | {"deviation_id": "e" * 32}))
    at = office.say("eva", f.DeviationDeclared(**said), other)
    ended = office.say("eva", f.DeviationEnded(deviation_id="d" * 32, reason="done"))
    row = said | {"declared_ms": at, "ended_ms": None}
    assert office.rows(tables.deviation) == [row | {"ended_ms": ended}, row | {"deviation_id": "e" * 32}]
