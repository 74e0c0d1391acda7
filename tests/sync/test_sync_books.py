"""What a node writes down of its peers: trust, positions, sessions, seals, leases, lines. On a real database each."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import event, select

from shared.db.engine import read, write
from shared.keys import key_id, new_key
from sync import lease as lease_module
from sync.errors import BadSeal, PeerHeld, StaleSession
from sync.lease import Lease, get_db_now_ms
from sync.link import complete_through, note_away, note_contact, report_caller, report_link
from sync.marks import (
    accept_holdings,
    check_session,
    keep_own_seal,
    list_holdings,
    move_holdings,
    note_call,
    open_session,
)
from sync.messages import ZERO_HASH, EpochState, Seal
from sync.outgoing import Sealed
from sync.peers import find_peer, find_standards_root, get_by_keys, list_peers, open_incident, set_state, trust_peer
from sync.tables import incident, lease, position, seal, session

E1, E2, H = "1" * 32, "2" * 32, "a" * 64
KEY, OTHER = new_key(), new_key()


def test_a_peer_is_known_by_code_and_by_the_key_it_has_now(engine):
    with write(engine) as conn:
        trust_peer(conn, "BRK", KEY.public, 1, "root")
        trust_peer(conn, "ALD", OTHER.public, 2)
        assert [(p.code, p.state, p.trusted) for p in list_peers(conn)] == [
            ("ALD", "active", {OTHER.id: OTHER.public}),
            ("BRK", "active", {KEY.id: KEY.public}),
        ]
        assert (find_standards_root(conn, "BRK"), find_standards_root(conn, "ALD")) == ("root", "")
        assert find_standards_root(conn, "CLD") == ""
        assert find_peer(conn, "CLD") is None
        assert get_by_keys(conn, ["?", KEY.id]).code == "BRK"
        fresh = new_key()
        trust_peer(conn, "BRK", fresh.public, 3, "new root")  # enrolled again
        again = find_peer(conn, "BRK")
        assert again is not None
        assert (again.key_id, again.public_key, find_standards_root(conn, "BRK")) == (
            key_id(fresh.public),
            fresh.public,
            "new root",
        )
        with pytest.raises(BadSeal) as stranger:
            get_by_keys(conn, [KEY.id])
    assert stranger.value.code == "sync.unknown_key"


def test_a_held_peer_may_not_speak_until_it_is_let_in_again(engine):
    with write(engine) as conn:
        trust_peer(conn, "ALD", KEY.public, 1)
        set_state(conn, "ALD", "revoked", 2)
        with pytest.raises(PeerHeld, match="revoked") as refused:
            get_by_keys(conn, [KEY.id])
        assert refused.value.code == "sync.peer_held"
        set_state(conn, "ALD", "active", 3)
        assert get_by_keys(conn, [KEY.id]).state == "active"


def test_only_the_first_keys_of_a_message_are_looked_up(engine):
    """A message may name as many keys as fit into it; it does not make the database look for all of them."""
    with write(engine) as conn:
        trust_peer(conn, "ALD", KEY.public, 1)
        assert get_by_keys(conn, [*"1234567", KEY.id]).code == "ALD"
        with pytest.raises(BadSeal):
            get_by_keys(conn, [*"12345678", KEY.id])


def test_the_same_incident_is_noted_once_and_another_beside_it(engine, clock):
    with write(engine) as conn:
        for peer, kind, what in (
            ("ALD", "fork", "x"),
            ("ALD", "fork", "x"),
            ("ALD", "fork", "y"),
            ("BRK", "fork", "x"),
        ):
            open_incident(conn, clock, peer, kind, what)
        open_incident(conn, clock, "ALD", "clone", "x")
        rows = conn.execute(select(incident.c.peer, incident.c.kind, incident.c.what, incident.c.at_ms)).all()
    assert sorted(rows) == sorted(
        (*key, clock.now_ms())
        for key in (("ALD", "clone", "x"), ("ALD", "fork", "x"), ("ALD", "fork", "y"), ("BRK", "fork", "x"))
    )


def test_a_readers_word_replaces_what_was_believed_of_its_streams_also_when_it_is_lower(engine):
    with write(engine) as conn:
        accept_holdings(conn, "HUB", ["ALD"], [EpochState("ALD", E1, 9, H), EpochState("BRK", E1, 4, H)], 1)
        assert list_holdings(conn, "HUB", ["ALD", "BRK"]) == (EpochState("ALD", E1, 9, H),)
        move_holdings(conn, "HUB", [EpochState("BRK", E1, 7, H)], 1)
        accept_holdings(conn, "HUB", ["ALD"], [EpochState("ALD", E2, 3, H)], 2)
        assert list_holdings(conn, "HUB", ["BRK", "ALD"]) == (
            EpochState("ALD", E2, 3, H),
            EpochState("BRK", E1, 7, H),
        )
        move_holdings(conn, "HUB", [EpochState("ALD", E2, 2, "b" * 64), EpochState("ALD", E1, 5, H)], 3)
        assert list_holdings(conn, "HUB", ["ALD"]) == (EpochState("ALD", E1, 5, H), EpochState("ALD", E2, 2, "b" * 64))
        assert list_holdings(conn, "CLD", ["ALD"]) == ()
        rows = conn.execute(select(position.c.complete_through, position.c.updated_ms)).all()
    assert sorted(rows) == [(0, 1), (0, 3), (0, 3)]


def sealed(kind: str, last: int, epoch: str = E1) -> Sealed:
    made = Seal(
        proto=1,
        node="ALD",
        audience="HUB",
        sent_ms=1,
        kind=kind,
        stream="ALD",
        epoch=epoch,
        parent=None,
        first=last + (kind == "heartbeat"),
        last=last,
        prev=ZERO_HASH,
        head=H,
        bytes=H,
        complete_through=1,
        incarnation=E1,
        session=E1,
        key="k",
    )
    return Sealed(made, f"{kind} {last}".encode(), b"")


def test_of_own_heartbeats_only_the_last_is_kept_and_of_batches_all(engine):
    with write(engine) as conn:
        for item in (
            sealed("batch", 2),
            sealed("heartbeat", 2),
            sealed("heartbeat", 2, E2),
            sealed("batch", 5),
            sealed("heartbeat", 5),
        ):
            keep_own_seal(conn, item, 77)
        rows = conn.execute(select(seal.c.epoch, seal.c.last, seal.c.kind, seal.c.first, seal.c.at_ms)).all()
    assert sorted(rows) == [
        (E1, 2, "batch", 2, 77),
        (E1, 5, "batch", 5, 77),
        (E1, 5, "heartbeat", 6, 77),
        (E2, 2, "heartbeat", 3, 77),
    ]


def test_only_the_latest_session_of_a_peer_counts(engine):
    with write(engine) as conn:
        with pytest.raises(StaleSession):
            check_session(conn, "ALD", E1)
        open_session(conn, "ALD", E1, "i" * 32, 100, 3, 7)
        open_session(conn, "BRK", E2, "i" * 32, 100, 3, 7)
        check_session(conn, "ALD", E1)
        open_session(conn, "ALD", E2, "j" * 32, 200, 4, 8)
        check_session(conn, "ALD", E2)
        with pytest.raises(StaleSession) as stale:
            check_session(conn, "ALD", E1)
        note_call(conn, "ALD", 300)
        row = conn.execute(select(session).where(session.c.peer == "ALD")).one()
        other = conn.execute(select(session).where(session.c.peer == "BRK")).one()
        now = get_db_now_ms(conn)
    assert stale.value.code == "sync.stale_session"
    assert (row.instance, row.opened_ms, row.last_contact_ms, row.offset_ms, row.backlog) == ("j" * 32, 200, 300, 4, 8)
    assert 0 <= now - row.contact_db_ms < 60_000
    assert other.last_contact_ms == 100


def test_a_line_tells_since_when_it_is_as_it_is(engine):
    with write(engine) as conn:
        never = report_link(conn, "ALD", "HUB")
        note_away(conn, "HUB", 10, "no answer")
        first = report_link(conn, "ALD", "HUB")
        note_away(conn, "HUB", 20, "still none")
        away = report_link(conn, "ALD", "HUB")
        note_contact(conn, "HUB", 30, -5)
        note_contact(conn, "HUB", 40, -6)
        there = report_link(conn, "ALD", "HUB")
        note_away(conn, "HUB", 50, "gone" + "!" * 600)
        gone = report_link(conn, "ALD", "HUB")
    assert (never.state, never.since_ms, never.last_contact_ms, never.waiting, never.oldest_ms) == (
        "never",
        None,
        None,
        0,
        None,
    )
    assert (first.state, first.since_ms, first.last_contact_ms, first.reason) == ("away", 10, None, "no answer")
    assert (away.since_ms, away.reason) == (10, "still none")
    assert (there.state, there.since_ms, there.last_contact_ms, there.offset_ms, there.reason) == (
        "online",
        30,
        40,
        -6,
        "",
    )
    assert (gone.state, gone.since_ms, gone.last_contact_ms, gone.offset_ms) == ("away", 50, 40, -6)
    assert len(gone.reason) == 500


def test_a_caller_is_away_when_it_has_been_silent_in_real_time(engine):
    with write(engine) as conn:
        assert report_caller(conn, "HUB>ALD", "ALD", 10).state == "never"
        open_session(conn, "ALD", E1, "i" * 32, 100, 3, 7)
        note_call(conn, "ALD", 250)
        there = report_caller(conn, "HUB>ALD", "ALD", 10)
        conn.execute(session.update().values(contact_db_ms=session.c.contact_db_ms - 11_000))
        away = report_caller(conn, "HUB>ALD", "ALD", 10)
        patient = report_caller(conn, "HUB>ALD", "ALD", 3_600)
    assert (there.state, there.since_ms, there.last_contact_ms, there.offset_ms) == ("online", 100, 250, 3)
    assert (away.state, away.since_ms, patient.state) == ("away", 250, "online")


def test_a_stream_is_complete_here_up_to_its_authors_highest_word(engine):
    with write(engine) as conn:
        assert complete_through(conn, "ALD") is None
        move_holdings(conn, "ALD", [EpochState("ALD", E1, 1, H), EpochState("ALD", E2, 1, H)], 1)
        move_holdings(conn, "BRK", [EpochState("ALD", E1, 1, H)], 1)
        for peer, epoch, through in (("ALD", E1, 70), ("ALD", E2, 50), ("BRK", E1, 99)):
            conn.execute(
                position.update()
                .where(position.c.peer == peer, position.c.epoch == epoch)
                .values(complete_through=through)
            )
        assert complete_through(conn, "ALD") == 70


def test_one_holder_at_a_time_and_the_next_when_it_gives_up_or_is_silent(engine):
    one, other = Lease(engine, "ship:HUB", 30), Lease(engine, "ship:HUB", 30)
    assert one.holder != other.holder
    assert (one.held(), other.held(), Lease(engine, "apply", 30).held()) == (True, False, True)
    other.give_up()  # what one does not hold one cannot give up
    assert (one.take(), other.take()) == (True, False)
    one.give_up()
    assert (other.held(), one.held()) == (True, False)
    with write(engine) as conn:  # as if its process had been dead for a while
        conn.execute(lease.update().where(lease.c.name == "ship:HUB").values(until_db_ms=get_db_now_ms(conn) - 1))
    assert one.held()


def test_a_lease_lasts_as_long_as_it_was_taken_for_and_is_renewed_before_its_end(engine):
    short = Lease(engine, "x", 0.3)
    assert short.held()
    with read(engine) as conn:
        left = conn.execute(select(lease.c.until_db_ms)).scalar_one() - get_db_now_ms(conn)
    assert 0 < left <= 300
    before = until_of(engine)
    end = time.monotonic() + 30
    while until_of(engine) == before:  # asks again after a third of its time, without having lost it
        assert short.held()
        assert time.monotonic() < end
        time.sleep(0.01)
    assert until_of(engine) > before


def test_a_holder_that_is_sure_does_not_ask_the_database(engine):
    asked = []
    long = Lease(engine, "x", 3_000)
    event.listen(engine, "before_cursor_execute", lambda _conn, _cursor, statement, *_: asked.append(statement))
    assert [long.held() for _ in range(5)] == [True] * 5
    assert len(asked) == 1
    other = Lease(engine, "x", 3_000)
    assert [other.held() for _ in range(3)] == [False] * 3
    assert len(asked) == 4  # who does not hold it looks each time


def until_of(engine) -> int:
    with read(engine) as conn:
        return conn.execute(select(lease.c.until_db_ms).where(lease.c.name == "x")).scalar_one()


def test_the_databases_clock_is_the_machines_in_milliseconds(engine):
    with read(engine) as conn:
        first = get_db_now_ms(conn)
        time.sleep(0.02)
        second = get_db_now_ms(conn)
        by_sqlite = float(conn.exec_driver_sql("SELECT strftime('%s', 'now')").scalar_one())
    assert 0 < second - first < 10_000
    assert abs(second / 1000 - by_sqlite) < 5
    assert lease_module.LEASE_S <= 15  # a dead process keeps the next one out no longer than a person waits
