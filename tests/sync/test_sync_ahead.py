"""The batch ahead: it follows the one on its way, beside it, and is thrown away when that does not arrive."""

from __future__ import annotations

import json
import threading
from base64 import b64decode

import msgspec
import pytest

from sync.ahead import AHEAD, ALONE_PUSHES, Ahead
from sync.errors import OutOfStep
from sync.messages import Seal
from sync.pack import split


@pytest.fixture
def scene(kit, monkeypatch):
    monkeypatch.setattr("sync.ahead.BESIDE_FROM", 1)
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    plant.create(7)
    caller = kit.caller(plant, kit.memory(hub))
    ahead = Ahead(caller)
    yield hub, caller, ahead
    ahead.stop()


def drain(caller, ahead, session, entries_max):
    """Push as an exchange does; (first, last, durable) of each batch, and whether it was sent beside another."""
    places, sealed, flight = [], caller.prepare(session, caller.next_run(entries_max)), None
    while sealed is not None:
        beside = flight is not None and flight.beside
        sent = None if beside else caller.send(sealed)
        ahead.begin(session, sealed, entries_max)
        receipt = sent or flight.answer.result(10)
        caller.keep(sealed, receipt)
        places.append((sealed.seal.first, sealed.seal.last, receipt.durable, beside))
        flight = ahead.take(session)
        sealed = flight.made.result(10) if flight is not None else None
    return places


def in_order(send):
    """A line on which nothing overtakes: a batch so small may be made quicker than the one before it travels."""
    turn, stored = threading.Condition(), 0

    def sending(door, body):
        nonlocal stored
        if door != "push":
            return send(door, body)
        seal = msgspec.json.decode(b64decode(json.loads(split(body)[0])["payload"]), type=Seal)
        with turn:
            assert turn.wait_for(lambda: seal.first == stored + 1, 10)
            answer, stored = send(door, body), seal.last
            turn.notify_all()
            return answer

    return sending


def test_what_is_made_ahead_is_sent_beside_the_batch_on_its_way(scene):
    hub, caller, ahead = scene
    caller.transport.send = in_order(caller.transport.send)
    places = drain(caller, ahead, caller.hello(), 2)
    assert [(first, last, beside) for first, last, _, beside in places] == [
        (1, 2, False),
        (3, 4, True),
        (5, 6, True),
        (7, 7, True),
    ]
    assert hub.entries_of("ALD") == 7
    assert caller.next_run(10) is None


def test_after_a_refusal_what_is_made_ahead_waits_for_its_turn(scene):
    hub, caller, ahead = scene
    ahead.go_alone()
    places = drain(caller, ahead, caller.hello(), 1)
    assert [beside for *_, beside in places] == [False] * 7
    assert ALONE_PUSHES > 7
    assert hub.entries_of("ALD") == 7


def test_small_batches_are_not_sent_beside_each_other(scene, monkeypatch):
    hub, caller, ahead = scene
    monkeypatch.setattr("sync.ahead.BESIDE_FROM", 4)
    assert [beside for *_, beside in drain(caller, ahead, caller.hello(), 3)] == [False] * 3
    assert hub.entries_of("ALD") == 7


def test_a_batch_that_was_not_full_has_nothing_made_after_it(scene):
    _, caller, ahead = scene
    session = caller.hello()
    ahead.begin(session, caller.prepare(session, caller.next_run(100)), 100)
    assert ahead.take(session) is None
    ahead.begin(session, caller.prepare(session, None), 100)
    assert ahead.take(session) is None


def test_a_full_batch_at_the_head_has_nothing_after_it_either(scene):
    _, caller, ahead = scene
    session = caller.hello()
    ahead.begin(session, caller.prepare(session, caller.next_run(7)), 7)
    assert ahead.take(session).made.result(10) is None


def test_what_was_sent_beside_one_that_never_came_is_a_gap(scene):
    hub, caller, ahead = scene
    session = caller.hello()
    ahead.begin(session, caller.prepare(session, caller.next_run(3)), 3)
    flight = ahead.take(session)
    assert flight.made.result(10).seal.first == 4
    with pytest.raises(OutOfStep):
        flight.answer.result(10)
    assert hub.entries_of("ALD") == 0


def test_what_was_made_for_another_session_or_dropped_is_not_taken(scene):
    _, caller, ahead = scene
    old = caller.hello()
    ahead.begin(old, caller.prepare(old, caller.next_run(3)), 3)
    assert ahead.take(caller.hello()) is None
    session = caller.hello()
    ahead.begin(session, caller.prepare(session, caller.next_run(3)), 3)
    ahead.drop()
    assert ahead.take(session) is None


def test_no_more_than_two_are_on_their_way_beside_it(scene):
    _, caller, ahead = scene
    held = threading.Event()
    inner, sent = caller.transport.send, []

    def slow(door, body):
        if door == "push":
            sent.append(body)
            held.wait(10)
        return inner(door, body)

    session = caller.hello()
    sealed = caller.prepare(session, caller.next_run(1))
    caller.transport.send = slow
    for _ in range(2):
        ahead.begin(session, sealed, 1)
        sealed = ahead.take(session).made.result(10)
    ahead.begin(session, sealed, 1)
    third = ahead.take(session)
    assert third.made.result(10).seal.first == 4
    ahead.begin(session, third.made.result(), 1)
    assert ahead.take(session) is None
    held.set()
    third.answer.exception(10)
    assert len(sent) == AHEAD + 1
