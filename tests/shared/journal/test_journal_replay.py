"""Copied entries become rows, or are set aside with a reason: held, parked, quarantined, and tried again."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import ProgrammingError, StatementError

from shared.db.engine import read, write
from shared.errors import StrandlineError
from shared.ids import derived_id
from shared.journal import fact as fact_module
from shared.journal.apply import Appliers
from shared.journal.fact import Payload
from shared.journal.position import applied_to, move_to
from shared.journal.quarantine import (
    blocked_subject,
    blocked_subjects,
    count_by_state,
    find_set_aside,
    list_places,
    subject_key,
    take_out,
)
from shared.journal.reading import entries_after
from shared.journal.rebuild import rebuild, redrive
from shared.journal.replay import apply_entries
from shared.journal.tables import applied, entry, epoch, fact

EPOCH = "e" * 32


class Said(Payload, frozen=True, kw_only=True):
    """A payload of these tests."""

    word: str
    fail: bool = False


class Stream:
    """Writes entries of author ALD by hand, as the receiver stores them."""

    def __init__(self, engine):
        self.engine, self.seq = engine, 0
        with write(engine) as conn:
            conn.execute(insert(epoch).values(stream="ALD", epoch=EPOCH, ordinal=1, reason="copied", opened_at_ms=0))

    def add(self, word, *subjects, kind="Said", version=1, body=None, author="ALD", fail=False, fact_id=None):
        self.seq += 1
        fact_id = fact_id or derived_id(self.seq, "said", self.seq)
        body = body or msgspec.json.encode(
            {
                "fact_id": fact_id,
                "type": kind,
                "version": version,
                "author": author,
                "actor": "p",
                "causes": [],
                "subjects": [{"id": s, "prev": None} for s in subjects],
                "recorded_at_ms": self.seq,
                "standard": None,
                "occurred": {"at_ms": 1, "source": "manual", "offset_min": 0},
                "payload": {"word": word, "fail": fail},
            },
            order="deterministic",
        )
        with write(self.engine) as conn:
            conn.execute(
                insert(fact).values(
                    fact_id=fact_id, type=kind, version=version, author="ALD", recorded_at_ms=self.seq, body=body
                )
            )
            conn.execute(insert(entry).values(stream="ALD", epoch=EPOCH, seq=self.seq, hash="0" * 64, fact_id=fact_id))
        return fact_id

    def apply(self, appliers, after=0):
        with write(self.engine) as conn:
            return apply_entries(conn, appliers, entries_after(conn, "ALD", EPOCH, after, 10_000), 77)


@pytest.fixture(autouse=True)
def vocabulary(monkeypatch):
    monkeypatch.setattr(fact_module, "_TYPES", {("Said", 1): Said})
    monkeypatch.setattr(fact_module, "_NAMES", {Said: ("Said", 1)})


@pytest.fixture
def heard():
    return []


@pytest.fixture
def appliers(heard):
    made = Appliers()

    def apply(_conn, facts):
        for value in facts:
            if value.payload.fail:
                raise LookupError(f"cannot stand {value.payload.word}")
        heard.append([value.payload.word for value in facts])

    made.add(Said, apply)
    return made


@pytest.fixture
def stream(engine):
    return Stream(engine)


def words(heard):
    return [word for bulk in heard for word in bulk]


def states(engine):
    with read(engine) as conn:
        return {row["seq"]: row["state"] for row in find_set_aside(conn)}


def test_good_facts_are_applied_in_one_bulk_and_only_once(stream, appliers, heard):
    for word in "abc":
        stream.add(word, word)
    tally = stream.apply(appliers)
    assert (tally.applied, tally.set_aside, tally.types) == (3, 0, {"Said"})
    assert heard == [["a", "b", "c"]]
    assert stream.apply(appliers).applied == 0
    assert heard == [["a", "b", "c"]]


def test_one_that_fails_is_found_by_halving_and_the_others_apply_in_order(stream, appliers, heard, engine):
    for n in range(16):
        stream.add(f"w{n}", f"s{n}", fail=n == 11)
    tally = stream.apply(appliers)
    assert (tally.applied, tally.set_aside) == (15, 1)
    assert words(heard) == [f"w{n}" for n in range(16) if n != 11]
    assert states(engine) == {12: "quarantined"}
    with read(engine) as conn:
        assert find_set_aside(conn)[0]["reason"] == "could not become rows: LookupError: cannot stand w11"
        assert len(conn.execute(select(applied)).all()) == 15


def test_later_facts_about_a_quarantined_subject_are_held_and_so_are_those_behind_them(stream, appliers, heard, engine):
    stream.add("good", "s1")
    stream.add("bad", "s1", "s2", fail=True)
    stream.add("behind", "s2", "s3")
    stream.add("behind that", "s3")
    stream.add("free", "s4")
    stream.apply(appliers)
    assert words(heard) == ["good", "free"]
    assert states(engine) == {2: "quarantined", 3: "held", 4: "held"}


def test_what_is_blocked_stays_blocked_in_the_next_run(stream, appliers, heard, engine):
    stream.add("bad", "s1", fail=True)
    stream.apply(appliers)
    stream.add("behind", "s1")
    stream.add("free", "s2")
    stream.apply(appliers, after=1)
    assert words(heard) == ["free"]
    assert states(engine) == {1: "quarantined", 2: "held"}


def test_another_authors_block_does_not_hold_ours(stream, appliers, engine):
    stream.add("bad", "s1", fail=True)
    stream.apply(appliers)
    with read(engine) as conn:
        assert blocked_subjects(conn, ["ALD"]) == {("ALD", "s1")}
        assert blocked_subjects(conn, ["BRK"]) == set()


@pytest.mark.parametrize(
    ("add", "state", "reason"),
    [
        ({"body": b"\xff\xfe"}, "quarantined", "cannot be read"),
        ({"body": b"[" * 100_000}, "quarantined", "cannot be read"),
        ({"kind": "Unheard"}, "parked", "Unheard v1 is newer than this node"),
        ({"version": 2}, "parked", "Said v2 is newer than this node"),
        ({"author": "BRK"}, "quarantined", "ALD speaks for BRK"),
    ],
)
def test_each_way_of_not_being_applied(stream, appliers, engine, add, state, reason):
    stream.add("x", "s1", **add)
    stream.apply(appliers)
    with read(engine) as conn:
        (row,) = find_set_aside(conn)
    assert row["state"] == state
    assert row["reason"].startswith(reason)
    assert row["since_ms"] == 77


def test_a_schema_break_keeps_its_subjects_blocked(stream, appliers, engine):
    stream.add(5, "s1")
    stream.add("behind", "s1")
    stream.apply(appliers)
    assert states(engine) == {1: "quarantined", 2: "held"}


def test_an_upgrade_applies_what_was_parked_and_then_what_it_held(stream, appliers, heard, engine, monkeypatch):
    stream.add("new word", "s1", version=2)
    stream.add("behind", "s1")
    stream.add("bad", "s2", fail=True)
    stream.apply(appliers)
    with write(engine) as conn:
        assert redrive(conn, appliers, 78).applied == 0
    assert states(engine) == {1: "parked", 2: "held", 3: "quarantined"}
    monkeypatch.setattr(fact_module, "_TYPES", {("Said", 1): Said, ("Said", 2): Said})
    with write(engine) as conn:
        result = redrive(conn, appliers, 79, "ALD")
    assert (result.applied, result.quarantined, result.parked, result.held) == (2, 1, 0, 0)
    assert words(heard) == ["new word", "behind"]
    assert states(engine) == {3: "quarantined"}
    with write(engine) as conn:
        assert redrive(conn, appliers, 80).applied == 0


def test_redrive_of_one_author_leaves_the_others(stream, appliers, engine):
    stream.add("bad", "s1", fail=True)
    stream.apply(appliers)
    with write(engine) as conn:
        assert redrive(conn, appliers, 1, "BRK").quarantined == 0
        assert count_by_state(conn)["quarantined"] == 1


def test_rebuild_sets_aside_again_what_cannot_be_applied(stream, appliers, heard, engine):
    stream.add("a", "s1")
    stream.add("bad", "s2", fail=True)
    stream.add("behind", "s2")
    stream.apply(appliers)
    before = states(engine)
    heard.clear()
    with write(engine) as conn:
        result = rebuild(conn, appliers, 5)
        assert applied_to(conn, "ALD", EPOCH) == 3
    assert (result.applied, result.quarantined, result.held) == (1, 1, 1)
    assert states(engine) == before
    assert words(heard) == ["a"]


def test_trouble_of_the_database_itself_is_not_blamed_on_a_fact(stream, engine):
    from sqlalchemy.exc import OperationalError

    broken = Appliers()

    def no_room(_conn, _facts):
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    broken.add(Said, no_room)
    stream.add("a", "s1")
    with pytest.raises(OperationalError):
        stream.apply(broken)
    assert states(engine) == {}


def test_an_error_of_ours_in_an_applier_sets_the_fact_aside(stream, engine):
    broken = Appliers()

    def refuse(_conn, _facts):
        raise StrandlineError("x", "an applier must not refuse")

    broken.add(Said, refuse)
    stream.add("a", "s1")
    stream.apply(broken)
    assert states(engine) == {1: "quarantined"}


def test_many_facts_at_once_are_looked_up_in_pieces(stream, appliers, heard):
    for n in range(1_203):
        stream.add(f"w{n}")
    assert stream.apply(appliers).applied == 1_203
    assert stream.apply(appliers).applied == 0
    assert len(heard) == 1


def test_subjects_that_fit_no_column_are_known_by_their_hash():
    assert subject_key("s" * 64) == "s" * 64
    assert len(subject_key("s" * 65)) == 64
    assert subject_key("s" * 65) != subject_key("t" * 65)
    assert "\x00" not in subject_key("a\x00b")


def test_pages_of_what_is_set_aside_join_without_a_seam(stream, appliers, engine):
    for n in range(7):
        stream.add(f"w{n}", f"s{n}", fail=True)
    stream.apply(appliers)
    seen, after = [], None
    with write(engine) as conn:
        while page := find_set_aside(conn, after, limit=3):
            seen += [row["seq"] for row in page]
            after = (page[-1]["stream"], page[-1]["epoch"], page[-1]["seq"])
        assert seen == [1, 2, 3, 4, 5, 6, 7]
        assert len(list_places(conn)) == 7
        take_out(conn)
        assert list_places(conn) == []
        assert conn.execute(select(blocked_subject)).all() == []


def test_positions_start_at_nothing_and_move(engine):
    with write(engine) as conn:
        assert applied_to(conn, "ALD", EPOCH) == 0
        move_to(conn, "ALD", EPOCH, 5)
        move_to(conn, "ALD", EPOCH, 9)
        assert applied_to(conn, "ALD", EPOCH) == 9


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("x"),
        AssertionError("x"),
        KeyError("x"),
        msgspec.ValidationError("x"),
        StatementError("a bind parameter is missing", "INSERT", {}, Exception("x")),
        ProgrammingError("INSERT", {}, Exception("type 'dict' is not supported")),
    ],
)
def test_no_error_of_an_applier_stops_the_other_facts(stream, engine, error):
    broken = Appliers()

    def fail_for_bad(_conn, facts):
        if any(value.payload.word == "bad" for value in facts):
            raise error

    broken.add(Said, fail_for_bad)
    for word in ("a", "bad", "c"):
        stream.add(word, word)
    assert stream.apply(broken).applied == 2
    assert states(engine) == {2: "quarantined"}
