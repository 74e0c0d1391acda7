"""The batch made ahead: it follows the one on its way, and is thrown away when that does not arrive."""

from __future__ import annotations

import pytest

from sync.ahead import Ahead


@pytest.fixture
def scene(kit):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    plant.create(7)
    caller = kit.caller(plant, kit.memory(hub))
    ahead = Ahead(caller)
    yield hub, caller, ahead
    ahead.stop()


def test_what_was_made_ahead_follows_the_batch_on_its_way(scene):
    hub, caller, ahead = scene
    session = caller.hello()
    sealed = caller.prepare(session, caller.next_run(3))
    places = []
    while sealed is not None:
        ahead.begin(session, sealed, 3)
        receipt = caller.deliver(sealed)
        places.append((sealed.seal.first, sealed.seal.last, receipt.durable))
        sealed = ahead.take(session)
    assert places == [(1, 3, 3), (4, 6, 6), (7, 7, 7)]
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
    assert ahead.take(session) is None


def test_what_was_made_for_another_session_or_dropped_is_not_sent(scene):
    hub, caller, ahead = scene
    old = caller.hello()
    ahead.begin(old, caller.prepare(old, caller.next_run(3)), 3)
    assert ahead.take(caller.hello()) is None
    session = caller.hello()
    ahead.begin(session, caller.prepare(session, caller.next_run(3)), 3)
    ahead.drop()
    assert ahead.take(session) is None
    assert hub.entries_of("ALD") == 0
