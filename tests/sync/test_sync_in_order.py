"""Batches of one stream that are in work at once wait for each other; nobody waits for one that is not there."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from sync.errors import OutOfStep
from sync.in_order import InOrder
from sync.messages import ZERO_HASH, Seal

SEAL = Seal(
    proto=1, node="ALD", audience="HUB", sent_ms=1, kind="batch", stream="ALD", epoch="e" * 32, parent=None, first=1,
    last=3, prev=ZERO_HASH, head=ZERO_HASH, bytes=ZERO_HASH, complete_through=1, incarnation="e" * 32,
    session="5" * 32, key="k",
)  # fmt: skip
NEXT = msgspec.structs.replace(SEAL, first=4, last=6)


def test_the_later_one_goes_on_when_the_earlier_one_is_done():
    order, done = InOrder(), []
    earlier_may_end = threading.Event()

    def earlier():
        with order.work(SEAL):
            earlier_may_end.wait(10)
            done.append(SEAL.first)

    def later():
        with order.work(NEXT):
            order.wait(NEXT)
            done.append(NEXT.first)

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(earlier)
        while not order._in_work:
            time.sleep(0.001)
        second = threads.submit(later)
        while len(order._in_work) < 2:
            time.sleep(0.001)
        earlier_may_end.set()
        first.result(10)
        second.result(10)
    assert done == [1, 4]


@pytest.mark.parametrize(
    "other",
    [
        msgspec.structs.replace(SEAL, last=2),
        msgspec.structs.replace(SEAL, epoch="d" * 32),
        msgspec.structs.replace(SEAL, stream="ALD>HUB"),
    ],
)
def test_nobody_waits_for_another_stream_epoch_or_place(other):
    order = InOrder()
    with order.work(other):
        began = time.monotonic()
        order.wait(NEXT)
        assert time.monotonic() - began < 5


def test_one_that_never_ends_is_not_waited_for_for_ever():
    order = InOrder()
    with order.work(SEAL):
        began = time.monotonic()
        order.wait(NEXT, longest_s=0.05)
        assert time.monotonic() - began >= 0.05


def test_one_that_was_refused_lets_the_next_be_judged(kit):
    """The batch before is tampered with on its way: the next one is a gap at once, and nothing is stored."""
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    plant.create(6)
    caller = kit.caller(plant, kit.memory(hub))
    session = caller.hello()
    first = caller.prepare(session, caller.next_run(3))
    following = caller.prepare_after(session, first, 3)
    with pytest.raises(OutOfStep):
        caller.deliver(following)
    assert hub.entries_of("ALD") == 0
    caller.deliver(first)
    caller.deliver(following)
    assert hub.entries_of("ALD") == 6
