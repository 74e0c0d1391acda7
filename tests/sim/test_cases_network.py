"""Cases of the fault catalogue on the line, in both worlds."""

from __future__ import annotations

from random import Random

import pytest

from campaign.network import Weather
from sync.errors import OutOfStep, StaleSession, SyncError, Unreachable


class SmallBatches(Random):
    """Two entries a batch."""

    def choice(self, values):
        return 2 if 2 in values else super().choice(values)


@pytest.mark.fault(1)
def test_a_request_that_is_lost_is_sent_again_and_stored_once(play):
    play.write(3)
    with pytest.raises(Unreachable):
        play.meet(weather=Weather(lost=1.0))
    assert play.hub.facts("ALD") == set()
    play.meet()
    assert play.epochs(play.hub) == [3]
    play.settle()


@pytest.mark.fault(2)
def test_an_answer_that_is_lost_after_the_commit_has_no_second_effect(play):
    play.write(2)
    play.meet()
    play.write(3)
    for _ in range(6):  # each time one more of the answers comes back
        with pytest.raises(Unreachable):
            play.meet(weather=Weather(silent=0.6))
        if play.epochs(play.hub) == [5]:
            break
    play.meet()
    assert play.epochs(play.hub) == [5]
    play.hub.apply()
    assert len(play.hub.applied("ALD")) == 5
    play.settle()


@pytest.mark.fault(4, 49)
def test_a_push_of_an_ended_session_changes_nothing_also_after_a_restore_of_the_hub(play):
    play.write(2)
    backup = play.hub.save()
    while not any(not play.line.opens(request) for request, _ in play.line.late):
        with pytest.raises(Unreachable):
            play.meet(weather=Weather(delayed=0.5))
    play.meet()
    held = play.hub.held()
    requests = [request for request, _ in play.line.late if not play.line.opens(request)]
    for request in requests:
        with pytest.raises(StaleSession):
            play.line.deliver(request)
    assert play.hub.held() == held
    play.restore(play.hub, backup)
    for request in requests:
        with pytest.raises(StaleSession):
            play.line.deliver(request)
    assert play.hub.facts("ALD") == set()
    play.settle()


@pytest.mark.fault(5)
def test_a_batch_that_overtakes_another_is_answered_with_a_gap_and_sent_again_from_there(play):
    play.write(6)
    deliver, taken_back = play.line.deliver, []

    def first_push_is_overtaken(request):
        if play.line.opens(request) or taken_back:
            return deliver(request)
        before = play.hub.save()
        taken_back.append(deliver(request))
        play.hub.load(
            before, "database"
        )  # the plant goes on, as with two batches under way; the hub has not got it yet
        return taken_back[0]

    play.line.deliver = first_push_is_overtaken
    with pytest.raises(OutOfStep) as refused:
        play.meet(dice=SmallBatches())
    assert refused.value.code == "sync.gap"
    assert play.hub.facts("ALD") == set()
    play.meet(dice=SmallBatches())
    assert play.epochs(play.hub) == [6]
    play.settle()


@pytest.mark.fault(13)
def test_fourteen_days_without_a_line_are_caught_up_in_order_without_a_person(play):
    for _ in range(14):
        play.write(8)
        play.world.pass_time(24 * 3_600_000)
        with pytest.raises(SyncError):
            play.meet(weather=Weather(lost=1.0))
    play.meet()
    assert play.epochs(play.hub) == [14 * 8]
    play.hub.apply()
    assert play.hub.applied("ALD") == play.plant.applied("ALD")
    play.settle()
