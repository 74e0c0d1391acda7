"""No order goes down twice, none that nobody wants any longer: beside older releases, after a spool was put back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge_bench import EDGE, Two, back_up, put_back
from sqlalchemy import select, update

from local_mes.level2 import down
from local_mes.level2.edge import giving
from local_mes.level2.edge.facts import Level2OrderGiven
from local_mes.level2.edge.orders import NO_TIME
from local_mes.level2.pruning import prune
from local_mes.plant import Plant
from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred
from shared.journal.tables import fact
from sync.understanding import understanding


def queue(two: Two, key: str = "pdi:1", **fields: Any) -> int:
    two.clock.advance(1_000)
    return down.queue_telegram(two.plant.spool, two.clock, "CC1", "CC2030", {"slab": "1"} | fields, key=key)


def answer(plant: Plant) -> None:
    """Level 2 takes the next order."""
    with write(plant.spool) as conn:
        sent = down.take_next(conn, "CC1", 1)
        assert sent is not None
        down.settle(conn, sent.down_id, 2, accepted=True, answer="code 00")


def set_free(two: Two, down_id: int) -> None:
    """As primary_data.withdraw_primary_data does it."""
    values = {"state": "refused", "answer": "held", "answered_ms": 5, "key": down.down.c.key + f":{down_id}"}
    with write(two.plant.spool) as conn:
        conn.execute(update(down.down).where(down.down.c.down_id == down_id).values(**values))


def states(plant: Plant) -> list[str]:
    return [row.state for row in reversed(down.find_recent(plant.spool, 9))]


def count_given(two: Two) -> int:
    with read(two.hosting.node.engine) as conn:
        return len(conn.execute(select(fact).where(fact.c.type == "Level2OrderGiven")).all())


def test_a_set_point_asked_for_at_any_moment_reaches_no_edge_that_would_keep_it(two: Two, clock: FixedClock) -> None:
    two.carry()
    with write(two.hosting.node.engine) as conn:
        conn.execute(update(understanding).values(facts="{}"))
    desk, spool = two.hosting.node.journal, two.plant.spool
    down.queue_setpoint(spool, clock, "CC1", "CC2040", {}, key="set:a", asked_by="p7", piece="")
    giving.give_orders(desk, spool, EDGE, 0)  # it was queued after the step had looked for late ones
    assert count_given(two) == 0
    two.hosting.step()
    (refused,) = down.find_recent(spool, 9)
    assert (refused.state, refused.answer) == ("refused", giving.OLDER_EDGE)


def test_a_set_point_that_does_not_say_until_when_is_refused_on_site(two: Two) -> None:
    order = Level2OrderGiven(key="k", link="CC1", kind="setpoint", message="CC2040", fields="{}", queued_ms=1)
    two.carry()
    with two.hosting.node.journal.work() as tx:
        giving._tell(tx, EDGE, order, "CC1", 1, derived_id(1, "k"))
    two.carry()
    assert [(row.state, row.answer) for row in down.find_recent(two.edge.spool, 9)] == [("refused", NO_TIME)]


def test_an_order_that_the_edge_may_have_is_taken_back_once_its_release_reads_that(two: Two) -> None:
    two.carry()
    with read(two.hosting.node.engine) as conn:
        knows = conn.execute(select(understanding.c.facts)).scalar_one()
    with write(two.hosting.node.engine) as conn:
        conn.execute(update(understanding).values(facts="{}"))
    queue(two)
    two.hosting.step()
    set_free(two, 1)
    two.hosting.step()
    with write(two.hosting.node.engine) as conn:
        conn.execute(update(understanding).values(facts=knows))
    two.carry(2)
    assert states(two.edge) == ["refused"]


def test_what_a_spool_that_was_put_back_asks_for_once_more_is_not_sent_again(two: Two, tmp_path: Path) -> None:
    file = two.plant.settings.folder / "spool.sqlite"
    two.carry()
    back_up(file, tmp_path / "before")
    queue(two)
    two.carry()
    set_free(two, 1)
    two.carry()
    queue(two)
    two.carry()
    answer(two.edge)
    two.carry(2)
    assert states(two.plant) == states(two.edge) == ["refused", "confirmed"]
    two.restart_plant(lambda: put_back(tmp_path / "before", file))
    two.carry()
    for state, key in (("refused", "pdi:1"), ("confirmed", "pdi:1"), ("queued", "pdi:2")):
        down_id = queue(two, key)
        two.carry()
        assert down.get_down(two.plant.spool, down_id).state == state, "what the edge has told of it is known again"
        if state == "refused":
            set_free(two, down_id)
    assert states(two.edge) == ["refused", "confirmed", "queued"]


def test_an_order_given_by_an_older_release_is_taken_back_by_the_key_it_went_by(two: Two) -> None:
    desk = two.hosting.node.journal
    for number in (1, 2):  # each was given by its cause alone, in a fact of the time at which it was queued
        row = down.get_down(two.plant.spool, queue(two, f"pdi:{number}"))
        order = Level2OrderGiven(
            key=row.key, link="CC1", kind="telegram", message="CC2030", fields='{"slab":"1"}', queued_ms=row.queued_ms
        )
        given_as = derived_id(row.queued_ms, desk.code, "order", row.key)
        with desk.work() as tx:
            tx.record(Draft(order, ("link:CC1",), "plant", Occurred(row.queued_ms, "plant"), given_as))
            tx.relay(given_as, f"{desk.code}>{EDGE}")
    with write(two.plant.spool) as conn:
        conn.exec_driver_sql("UPDATE down SET state = 'sent' WHERE down_id = 2")
    two.carry(2)
    assert states(two.edge) == ["queued", "queued"], "neither is given once more"
    for number in (1, 2):
        set_free(two, number)
    two.carry(2)
    assert states(two.edge) == ["refused", "refused"]
    again = queue(two, aim=2)
    two.carry()
    answer(two.edge)
    two.carry(2)
    assert states(two.plant) == states(two.edge) == ["refused", "refused", "confirmed"]
    assert down.get_down(two.plant.spool, again).state == "confirmed"


def test_a_late_word_about_a_withdrawn_order_settles_no_other_of_its_cause(two: Two) -> None:
    queue(two)
    two.carry()
    with write(two.plant.spool) as conn:
        giving.take_settled(conn, giving.Level2OrderSettled(key="pdi:1", state="confirmed"))
    assert states(two.plant) == ["queued"], "it goes by another key"


def test_an_order_of_a_cause_that_was_set_free_so_long_ago_that_it_is_given_up_is_another(two: Two) -> None:
    two.carry()
    set_free_long_ago = queue(two)
    two.carry()
    set_free(two, set_free_long_ago)
    two.carry(2)
    prune(two.plant, pause_s=0)
    again = queue(two)
    two.carry()
    answer(two.edge)
    two.carry(2)
    assert down.get_down(two.plant.spool, again).state == "confirmed"
    assert states(two.edge) == ["refused", "confirmed"]
