"""What readers give back of a hub's way down to them, where the hub has lost more than that."""

from __future__ import annotations

import pytest


def send_down(play):
    written = play.hub.record(play.dice, [])
    play.world.commit(play.hub, written)
    play.world.group.relay(written.fact_id, "ALD")
    play.world.anchor(play.hub)
    return written.fact_id


@pytest.mark.parametrize("play", ["sqlite"], indirect=True)
def test_what_grew_from_an_epoch_that_was_empty_and_is_lost_is_taken_back_all_the_same(play):
    play.meet()
    before = play.hub.save()
    send_down(play)
    play.restore(play.hub, before)  # the way down goes on in a child of an epoch of which nobody holds an entry
    sent = send_down(play)
    play.meet()
    play.hub.wipe()
    play.world.tops.clear()
    for site in play.world.everyone():
        if site is not play.hub:
            play.world.group.enrol(site)
    play.meet()
    assert sent in play.hub.facts("HUB>ALD"), "its reader has given it back"
    play.meet()


@pytest.mark.parametrize("play", ["sqlite"], indirect=True)
def test_a_way_down_whose_reader_knows_a_later_epoch_is_written_on_there_and_not_where_it_ended_for_the_reader(play):
    """The hub was put back to a backup, wrote on, and was then put back to a newer backup of before that: it does not
    know that it had ended the epoch. Its reader answered `superseded` for ever."""
    send_down(play)
    play.meet()
    early = play.hub.save()
    unsent = send_down(play)
    later = play.hub.save()
    play.restore(play.hub, early)
    other = send_down(play)
    play.meet()
    play.restore(play.hub, later)
    last = send_down(play)
    play.meet()
    play.meet()
    assert {unsent, other, last} <= play.world.group.plants["ALD"].facts("HUB>ALD")
    assert {unsent, other, last} <= play.hub.facts("HUB>ALD")
