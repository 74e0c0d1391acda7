"""What people may do about facts that could not be applied, and what the applier does by itself about too many."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import event, func, select

from shared.db.engine import read, write
from shared.journal import rebuild as rebuild_module
from shared.journal.discard import FactDiscarded, discarded
from shared.journal.fact import Draft, Occurred, decode
from shared.journal.position import move_to
from shared.journal.quarantine import count_by_state, quarantine
from shared.journal.reading import entries_after
from shared.journal.rebuild import rebuild, redrive_in_steps
from shared.journal.replay import apply_entries
from shared.journal.stopping import Window, find_stops, stop
from shared.journal.tables import applied, fact
from shared.material.facts import MaterialMoved
from sync.quarantine import service
from sync.quarantine.errors import BadReason, NoProposal, NotSetAside, OnlyHeld, SamePerson
from sync.quarantine.reads import get_item, list_discarded, list_set_aside
from sync.tables import incident


def states(hub):
    with read(hub.node.engine) as conn:
        return {row.seq: row.state for row in conn.execute(select(quarantine))}


def applied_count(hub, author="ALD"):
    with read(hub.node.engine) as conn:
        return conn.execute(select(func.count()).where(applied.c.author == author)).scalar_one()


@pytest.fixture
def held_up(hub, arrivals, applying):
    """Entry 2 breaks its schema, 3 and 4 wait for it, 1 and 5 are fine; returns the ids."""
    made = arrivals.add(
        arrivals.moved(1, "m1"),
        arrivals.moved(2, "m2", place=5),
        arrivals.moved(3, "m2"),
        arrivals.moved(4, "m2"),
        arrivals.moved(5, "m5"),
    )
    applying.apply_all()
    assert states(hub) == {2: "quarantined", 3: "held", 4: "held"}
    return made


def test_an_item_says_why_and_what_it_holds_up(hub, held_up):
    with read(hub.node.engine) as conn:
        bad, waiting = get_item(conn, "ALD", held_up[1]), get_item(conn, "ALD", held_up[3])
    assert "Expected `str`" in bad.row.reason
    assert (bad.held_count, [row.seq for row in bad.holds_up], bad.subjects) == (2, [3, 4], ("m2",))
    assert '"place": 5' in bad.text
    assert [row.seq for row in waiting.waits_for] == [2, 3]
    assert waiting.held_count == 0


def test_two_people_discard_a_fact_and_what_it_held_goes_on(hub, held_up):
    node = hub.node
    service.propose_discard(node, "ALD", held_up[1], " the place was a number ", "anna")
    assert states(hub) == {2: "quarantined", 3: "held", 4: "held"}
    with pytest.raises(SamePerson):
        service.confirm_discard(node, "ALD", held_up[1], "anna")
    assert service.confirm_discard(node, "ALD", held_up[1], "ben").applied == 2
    assert states(hub) == {}
    assert applied_count(hub) == 4
    with read(node.engine) as conn:
        (row,) = list_discarded(conn, "HUB")
        body = conn.execute(select(fact.c.body).where(fact.c.type == "FactDiscarded")).scalar_one()
    assert (row.of, row.fact_id, row.reason) == ("ALD", held_up[1], "the place was a number")
    said = decode(bytes(body))
    assert isinstance(said.payload, FactDiscarded)
    assert (said.author, said.actor, said.payload.proposed_by, said.payload.seq) == ("HUB", "ben", "anna", 2)
    assert "Expected `str`" in said.payload.fault


def test_neither_a_new_try_nor_a_rebuild_nor_another_copy_brings_it_back(hub, arrivals, applying, held_up):
    node = hub.node
    service.propose_discard(node, "ALD", held_up[1], "never", "anna")
    service.confirm_discard(node, "ALD", held_up[1], "ben")
    applying.retry_set_aside()
    with write(node.engine) as conn:
        done = rebuild(conn, node.journal.appliers, 1)
    assert (done.applied, done.quarantined, done.held) == (5, 0, 0)
    assert states(hub) == {}
    with read(node.engine) as conn:
        assert conn.execute(select(func.count()).select_from(discarded)).scalar_one() == 1


def test_a_nodes_own_fact_that_it_gave_up_later_holds_nothing_after_a_rebuild(hub, monkeypatch):
    """In the node's own stream the discard stands after what it discards."""
    node, at = hub.node, Occurred(1, "manual")
    with node.journal.work() as tx:
        (bad, _) = tx.record(
            Draft(MaterialMoved(material_id="m1", place="bad"), ("m1",), "p", at),
            Draft(MaterialMoved(material_id="m1", place="good"), ("m1",), "p", at),
        )
    fine = node.journal.appliers._by_type[MaterialMoved]

    def fails_on_bad(conn, facts):
        if any(f.payload.place == "bad" for f in facts):
            raise LookupError("cannot stand it")
        fine(conn, facts)

    monkeypatch.setitem(node.journal.appliers._by_type, MaterialMoved, fails_on_bad)
    with write(node.engine) as conn:
        assert rebuild(conn, node.journal.appliers, 1).held == 1
    service.propose_discard(node, "HUB", bad, "wrong for ever", "anna")
    service.confirm_discard(node, "HUB", bad, "ben")
    assert states(hub) == {}
    with write(node.engine) as conn:
        done = rebuild(conn, node.journal.appliers, 2)
    assert (done.quarantined, done.held) == (0, 0)
    assert states(hub) == {}


def test_what_another_node_gave_up_counts_there_alone(hub, arrivals, applying, held_up):
    said = arrivals.moved(
        9,
        held_up[1],
        type="FactDiscarded",
        payload={
            "of": "ALD",
            "fact_id": held_up[1],
            "stream": "ALD",
            "epoch": "e",
            "seq": 2,
            "type": "MaterialMoved",
            "fault": "x",
            "reason": "x",
            "proposed_by": "x",
        },
    )
    arrivals.add(said)
    applying.apply_all()
    applying.retry_set_aside()
    assert states(hub) == {2: "quarantined", 3: "held", 4: "held"}


def test_what_may_not_be_proposed_or_confirmed(hub, held_up):
    node = hub.node
    with pytest.raises(OnlyHeld):
        service.propose_discard(node, "ALD", held_up[2], "why", "anna")
    with pytest.raises(NotSetAside):
        service.propose_discard(node, "ALD", held_up[0], "why", "anna")
    for reason in ("", "   ", "x" * 501):
        with pytest.raises(BadReason):
            service.propose_discard(node, "ALD", held_up[1], reason, "anna")
    with pytest.raises(NoProposal):
        service.confirm_discard(node, "ALD", held_up[1], "ben")
    service.propose_discard(node, "ALD", held_up[1], "first", "anna")
    service.propose_discard(node, "ALD", held_up[1], "second", "ben")
    with read(node.engine) as conn:
        proposal = get_item(conn, "ALD", held_up[1]).proposal
    assert (proposal.proposed_by, proposal.reason) == ("anna", "first")
    service.withdraw_proposal(node, "ALD", held_up[1], "carl")
    with pytest.raises(NoProposal):
        service.withdraw_proposal(node, "ALD", held_up[1], "carl")


@pytest.mark.fault(26)
def test_a_new_try_that_ends_half_way_leaves_the_rest_as_it_was_and_is_finished_by_the_next(
    hub, arrivals, applying, monkeypatch
):
    """Steps of two; the third step dies. What is held stays behind what holds it, all the time."""
    arrivals.add(*(arrivals.moved(n, f"m{n % 4}", place=5 if n < 4 else "YA") for n in range(12)))
    applying.apply_all()
    before = states(hub)
    assert before == {n + 1: "quarantined" if n < 4 else "held" for n in range(12)}
    monkeypatch.setattr(rebuild_module, "RETRIED_AT_ONCE", 2)
    steps = []

    def dies_at_the_third(conn, *args, **more):
        steps.append(1)
        if len(steps) == 3:
            raise KeyboardInterrupt
        return real(conn, *args, **more)

    real = rebuild_module.apply_entries
    monkeypatch.setattr(rebuild_module, "apply_entries", dies_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        redrive_in_steps(hub.node.engine, hub.node.journal.appliers, hub.node.clock)
    assert states(hub) == before
    monkeypatch.setattr(rebuild_module, "apply_entries", real)
    assert redrive_in_steps(hub.node.engine, hub.node.journal.appliers, hub.node.clock).held == 8
    assert states(hub) == before


@pytest.mark.fault(61)
def test_a_few_poisoned_facts_stall_nobody(hub, arrivals, applying):
    """Five in a hundred, spread: each holds its own subject only."""
    arrivals.add(*(arrivals.moved(n, f"m{n}", place=5 if n % 20 == 0 else "YA") for n in range(600)))
    arrivals.add(*(arrivals.moved(1_000 + n, f"m{n}") for n in range(40)))
    applying.apply_all()
    assert applied_count(hub) == 570 + 38
    assert sorted(states(hub).values()).count("held") == 2
    with read(hub.node.engine) as conn:
        assert find_stops(conn) == {}


@pytest.mark.fault(61)
def test_poison_costs_no_statements_but_those_that_set_it_aside(hub, arrivals):
    """One in twenty-five breaks its schema: the good ones still go in one bulk, so that the hub is hardly slower."""
    clean, poisoned = (
        arrivals.add(*(arrivals.moved(at + n, f"m{at + n}", place=bad if n % 25 == 0 else "YA") for n in range(500)))
        for at, bad in ((0, "YA"), (500, 5))
    )
    statements: list[str] = []
    event.listen(hub.node.engine, "before_cursor_execute", lambda _c, _k, text, *_: statements.append(text))
    used = []
    for after in (0, 500):
        with write(hub.node.engine) as conn:
            entries = entries_after(conn, "ALD", "e" * 32, after, 500)
            before = len(statements)
            apply_entries(conn, hub.node.journal.appliers, entries, 1)
            used.append(len(statements) - before)
    assert used[1] <= used[0] + 2
    assert list(states(hub).values()) == ["quarantined"] * 20
    assert applied_count(hub) == len(clean) + len(poisoned) - 20


@pytest.mark.fault(61, 62)
def test_too_much_poison_stops_applying_that_author_and_never_receiving(hub, arrivals, applying, clock):
    """Seven per cent of the first five hundred; the next thousand wait at their place, another author goes on."""
    arrivals.add(*(arrivals.moved(n, f"m{n}", place=5 if n % 14 == 0 else "YA") for n in range(1_500)))
    applying.apply_all()
    tried = 500
    assert applied_count(hub) == tried - 36
    with read(hub.node.engine) as conn:
        found = find_stops(conn)["ALD"]
        said = conn.execute(select(incident)).mappings().one()
    assert (found.tried, found.quarantined, found.since_ms) == (tried, 36, clock.now_ms())
    assert (said["peer"], said["kind"]) == ("ALD", "apply_stopped")
    assert "36 of 500 facts of ALD" in said["what"]
    arrivals.add(arrivals.moved(2_000, "new"))  # received all the same
    other = type(arrivals)(hub.node.engine, "BRK")
    other.add(other.moved(1, "b1"))
    applying.apply_all()
    assert applied_count(hub, "BRK") == 1
    assert applied_count(hub) == tried - 36
    assert service.resume_author(hub.node, "ALD", "anna")
    with read(hub.node.engine) as conn:
        assert conn.execute(select(incident.c.ended_ms)).scalar_one() == clock.now_ms()
    assert not service.resume_author(hub.node, "ALD", "anna")
    applying.apply_all()
    with read(hub.node.engine) as conn:
        assert "ALD" in find_stops(conn)  # counted anew, and found again
    for _ in range(2):
        service.resume_author(hub.node, "ALD", "anna")
        applying.apply_all()
    assert applied_count(hub) + len(states(hub)) == 1_501


def test_few_facts_say_nothing_and_old_ones_are_forgotten(hub, arrivals, applying, clock):
    arrivals.add(*(arrivals.moved(n, f"m{n}", place=5) for n in range(199)))
    applying.apply_all()
    with read(hub.node.engine) as conn:
        assert find_stops(conn) == {}
    clock.advance(10 * 60_000 + 1)
    arrivals.add(*(arrivals.moved(500 + n, f"n{n}", place=5 if n % 20 == 0 else "YA") for n in range(400)))
    applying.apply_all()
    with read(hub.node.engine) as conn:
        assert find_stops(conn) == {}


def test_a_start_that_can_read_what_was_set_aside_goes_on_by_itself(hub, arrivals, applying, monkeypatch):
    """The upgrade: facts of a type that this release could not apply now become rows."""
    fine = hub.node.journal.appliers._by_type[MaterialMoved]

    def broken(_conn, _facts):
        raise LookupError("a fault of this release")

    monkeypatch.setitem(hub.node.journal.appliers._by_type, MaterialMoved, broken)
    arrivals.add(*(arrivals.moved(n, f"m{n}") for n in range(700)))
    applying.apply_all()
    assert applied_count(hub) == 0
    applying.retry_set_aside()
    assert applying.look_again_at_stopped() == []
    monkeypatch.setitem(hub.node.journal.appliers._by_type, MaterialMoved, fine)
    applying.retry_set_aside()
    assert applying.look_again_at_stopped() == ["ALD"]
    applying.apply_all()
    assert applied_count(hub) == 700
    assert states(hub) == {}


def test_a_stopped_authors_facts_that_come_by_another_way_wait_there(hub, arrivals, applying, monkeypatch):
    """A plant gets several authors' facts on one way down: only the stopped one's are kept back."""
    with write(hub.node.engine) as conn:
        stop(conn, "BRK", Window(tried=300, quarantined=30), 1)
    way = type(arrivals)(hub.node.engine, "BRK", "UP>HUB")
    way.add(way.moved(1, "b1"))
    applying.apply_all()
    assert states(hub) == {1: "held"}
    service.resume_author(hub.node, "BRK", "anna")
    assert states(hub) == {}
    assert applied_count(hub, "BRK") == 1


@pytest.mark.fault(120)
@pytest.mark.parametrize("count", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_thousands_set_aside_are_listed_and_tried_again_quickly(hub, arrivals, count):
    arrivals.add(*(arrivals.moved(n, f"m{n}", place=5) for n in range(count)))
    with write(hub.node.engine) as conn:
        apply_entries(conn, hub.node.journal.appliers, entries_after(conn, "ALD", "e" * 32, 0, count), 1)
        move_to(conn, "ALD", "e" * 32, count)
    began = time.monotonic()
    assert redrive_in_steps(hub.node.engine, hub.node.journal.appliers, hub.node.clock).quarantined == count
    assert time.monotonic() - began < 60 * count / 10_000 + 10
    began, seen, after = time.monotonic(), 0, ""
    with read(hub.node.engine) as conn:
        while page := list_set_aside(conn, {"q": "Expected"}, after, limit=500):
            seen, after = seen + len(page), page[-1]["key"]
        assert count_by_state(conn, "ALD")["quarantined"] == seen == count
    assert time.monotonic() - began < 5
