"""The same predecessor named twice: both facts apply, a case opens, nothing is held; heads follow one stream each."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from central_hub.app import create_portal
from central_hub.transfers.service import reconcile, resolve_case
from shared.db.engine import read, write
from shared.ids import derived_id
from shared.journal.quarantine import count_by_state
from shared.journal.rebuild import rebuild
from shared.journal.subjects import find_heads
from shared.journal.tables import contested, subject_head
from shared.material.tables import material
from shared.transfers.tables import transfer_case

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import sign_in

PIECE = derived_id(1, "piece")
NEW = {
    "origin": "made",
    "material": {
        "material_id": PIECE,
        "kind": "slab",
        "aliases": [{"scheme": "ALD.slab", "value": "161738-1-1"}],
        "mass": {"g": 20_000_000, "basis": "theoretical"},
        "size": {"thickness_um": 1, "width_um": 1, "length_um": 1},
        "place": "YA",
    },
}


def moved(arrivals, number, previous, place="YA"):
    return arrivals.moved(number, PIECE, place, subjects=[{"id": PIECE, "prev": previous}])


@pytest.fixture
def two_lives(hub, arrivals, applying):
    """Made; moved to Y1; and, by a life that was restored before that, moved to Y2."""
    born = arrivals.moved(1, PIECE, type="MaterialCreated", payload=NEW)
    (first,) = arrivals.add(born)
    later = arrivals.add(moved(arrivals, 2, first, "Y1"), moved(arrivals, 3, first, "Y2"))
    applying.apply_all()
    return [first, *later]


def rows(hub, table):
    with read(hub.node.engine) as conn:
        return [row._mapping for row in conn.execute(select(table))]


@pytest.mark.fault(60)
def test_both_apply_in_their_order_and_one_case_opens(hub, arrivals, applying, two_lives):
    first, second, third = two_lives
    assert rows(hub, contested) == [
        {"author": "ALD", "fact_id": third, "subject": PIECE, "previous": first, "head": second}
    ]
    assert rows(hub, material)[0]["place"] == "Y2"
    with read(hub.node.engine) as conn:
        assert count_by_state(conn) == {"quarantined": 0, "parked": 0, "held": 0}
    assert reconcile(hub).cases == 1
    (case,) = rows(hub, transfer_case)
    assert (case["kind"], case["state"], case["piece_number"]) == ("contested", "open", "161738-1-1")
    assert case["summary"].startswith("161738-1-1: two of ALD's facts follow the same earlier one")
    assert all(fact_id in case["evidence"] for fact_id in two_lives)
    page = sign_in(create_portal(hub), hub.node, "log", "logistics").page(f"/transfers/cases/{case['case_id']}")
    for words in ("Contested: 161738-1-1", "as ALD's books have it now", "Both facts are right", *two_lives):
        assert words in page.replace("&#39;", "'"), words
    assert "Nothing: no departure" not in page  # nobody ships anything here
    arrivals.add(moved(arrivals, 4, third, "Y3"))  # goes on from the head: nothing new to ask
    applying.apply_all()
    assert reconcile(hub).cases == 0
    assert rows(hub, material)[0]["place"] == "Y3"
    resolve_case(hub, case["case_id"], "both_stand", "seen in the yard", actor="anna", command_id="c1")
    assert rows(hub, transfer_case)[0]["state"] == "resolved"


@pytest.mark.fault(60)
def test_a_rebuild_finds_the_same_and_opens_nothing_again(hub, two_lives):
    reconcile(hub)
    before = [sorted(map(repr, rows(hub, table))) for table in (contested, subject_head, transfer_case, material)]
    with write(hub.node.engine) as conn:
        rebuild(conn, hub.node.journal.appliers, 9)
    assert len(before[0]) == len(before[2]) == len(before[3]) == 1
    assert [sorted(map(repr, rows(hub, t))) for t in (contested, subject_head, transfer_case, material)] == before
    assert reconcile(hub).cases == 0


@pytest.mark.parametrize("previous", ["f" * 32, None])
def test_what_contests_nothing_here(hub, arrivals, applying, two_lives, previous):
    """A predecessor without effect here; a first word about another subject; another author's word about the piece."""
    if previous:
        arrivals.add(moved(arrivals, 4, previous))
    else:
        arrivals.add(arrivals.moved(4, "another"))
        other = type(arrivals)(hub.node.engine, "BRK")
        other.add(moved(other, 1, None))
    applying.apply_all()
    assert len(rows(hub, contested)) == 1


def test_facts_of_a_relayed_author_come_in_another_order_and_contest_nothing(hub, arrivals, applying):
    way = type(arrivals)(hub.node.engine, "BRK", "UP>HUB")
    way.add(moved(way, 2, derived_id(1_001, "moved", "BRK", 1)), moved(way, 1, None))
    applying.apply_all()
    assert rows(hub, contested) == []


def test_the_head_is_an_authors_own_whatever_others_said_in_between(hub, arrivals, applying, two_lives):
    other = type(arrivals)(hub.node.engine, "BRK")
    (theirs,) = other.add(moved(other, 1, None))
    applying.apply_all()
    with read(hub.node.engine) as conn:
        heads = find_heads(conn, {(author, PIECE) for author in ("ALD", "BRK", "HUB")})
        assert heads == {("ALD", PIECE): two_lives[2], ("BRK", PIECE): theirs}
