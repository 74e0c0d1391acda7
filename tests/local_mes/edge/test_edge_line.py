"""An edge and its plant: nothing lost, nothing twice, in order, whatever is cut, restored, stolen or late."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import monotonic, sleep

import msgspec
import pytest
from edge_bench import EDGE, EnrolTransport, Two, back_up, put_back
from sqlalchemy import Engine, func, select

from local_mes.level2 import down
from local_mes.level2.collector import run_level2
from local_mes.level2.edge import giving, orders
from local_mes.level2.edge.enrolment import enrol_edge, issue_token
from local_mes.level2.edge.facts import Level2Seen
from local_mes.level2.edge.hosting import MIGRATIONS, Hosting, edge_through_ms, in_our_time, open_desk, prepare
from local_mes.level2.edge.links import take_seen
from local_mes.level2.edge.open_since import open_since_ms
from local_mes.level2.edge.site import _check, init_edge
from local_mes.level2.link_state import find_states, load_state, real_ms, save_states
from local_mes.level2.links import load_links
from local_mes.level2.spool import Incoming, append, get_key
from local_mes.level2.spool_tables import link_history
from local_mes.plant import Plant
from shared.clock import FixedClock
from shared.db import migrate
from shared.db.engine import read, write
from shared.errors import BadSetup, Denied, Unavailable
from shared.journal import fact as vocabulary
from shared.journal.fact import registered
from shared.journal.tables import fact
from shared.keys import new_key
from shared.node import Node
from shared.setpoints.tables import set_point
from sync.enrolment import enrol
from sync.errors import BadSeal, Unreachable
from sync.steady import standing_faults


def test_what_is_heard_on_site_is_in_the_plants_spool_in_order_and_once(two: Two) -> None:
    said = two.hears(250)
    two.carry()
    two.carry()
    assert two.arrived() == said
    row = two.spool_rows()[0]
    assert (row.link, row.message, row.sequence, bytes(row.raw)) == ("CC1", "CC1060", 1, b"raw")


def test_a_cut_cable_costs_time_alone(two: Two) -> None:
    said = two.hears(3)
    two.carry()
    two.line.connected = False
    for _ in range(4):
        said += two.hears(20)
        two.edge_clock.advance(6 * 3_600_000)
        two.clock.advance(6 * 3_600_000)
        with pytest.raises(Unreachable):
            two.carry()
    two.line.connected = True
    two.carry()
    assert two.arrived() == said


def test_the_plant_promises_nothing_that_the_edge_has_not_brought(two: Two, clock: FixedClock) -> None:
    two.hears()
    two.carry()
    level = open_since_ms(two.plant)
    assert level is not None
    heard_at = two.edge_clock.now_ms()
    two.hears()
    clock.advance(3_600_000)
    two.edge_clock.advance(3_600_000)
    assert open_since_ms(two.plant) == level
    assert level <= heard_at + 1_000


def test_a_restored_edge_spool_loses_and_doubles_nothing(two: Two, tmp_path: Path) -> None:
    site = two.edge.settings.folder
    said = two.hears(10)
    back_up(site / "spool.sqlite", tmp_path / "spool.backup")
    said += two.hears(10)
    two.carry()
    two.restart_edge(lambda: put_back(tmp_path / "spool.backup", site / "spool.sqlite"))
    said += two.hears(7)  # they lie where lost ones lay
    two.carry(2)
    assert two.arrived() == said


def test_a_restored_edge_database_takes_its_own_words_back(two: Two, tmp_path: Path) -> None:
    site = two.edge.settings.folder
    said = two.hears(10)
    two.carry()
    back_up(site / "node.sqlite", tmp_path / "node.backup")
    said += two.hears(10)
    two.carry()
    two.restart_edge(lambda: put_back(tmp_path / "node.backup", site / "node.sqlite"))
    said += two.hears(5)
    two.carry(2)
    assert two.arrived() == said


def test_both_restored(two: Two, tmp_path: Path) -> None:
    site = two.edge.settings.folder
    said = two.hears(10)
    two.carry()
    for name in ("node", "spool"):
        back_up(site / f"{name}.sqlite", tmp_path / f"{name}.backup")
    said += two.hears(10)
    two.carry()

    def restore() -> None:
        for name in ("node", "spool"):
            put_back(tmp_path / f"{name}.backup", site / f"{name}.sqlite")

    two.restart_edge(restore)
    said += two.hears(10)
    two.carry(2)
    assert two.arrived() == said


def test_a_lost_edge_is_made_anew_and_goes_on(two: Two, tmp_path: Path) -> None:
    said = two.hears(10)
    two.carry()
    site = two.edge.settings.folder

    def lose() -> None:
        site.rename(tmp_path / "lost")
        made = init_edge(two.edge.settings, two.edge_clock)
        made.node.engine.dispose()
        made.spool.dispose()

    two.restart_edge(lose)
    two.enrol()
    said += two.hears(10)
    two.carry(2)
    assert two.arrived() == said


def test_a_lost_spool_of_the_plant_is_made_again_with_the_same_ids(two: Two) -> None:
    said = two.hears(30)
    two.carry()
    before, key = two.spool_rows(), get_key(two.plant.spool)
    file = two.plant.settings.folder / "spool.sqlite"
    two.restart_plant(lambda: [Path(f"{file}{end}").unlink(missing_ok=True) for end in ("", "-wal", "-shm")] and None)
    two.carry()
    assert two.arrived() == said
    assert get_key(two.plant.spool) == key
    assert two.spool_rows() == before


def test_a_restored_spool_of_the_plant_is_filled_again(two: Two, tmp_path: Path) -> None:
    file = two.plant.settings.folder / "spool.sqlite"
    said = two.hears(10)
    two.carry()
    back_up(file, tmp_path / "plant.backup")
    said += two.hears(10)
    two.carry()
    before = two.spool_rows()
    two.restart_plant(lambda: put_back(tmp_path / "plant.backup", file))
    said += two.hears(5)
    two.carry()
    assert two.arrived() == said
    assert two.spool_rows()[:20] == before


def test_a_lost_desk_is_filled_again_and_nothing_comes_twice(two: Two) -> None:
    """Its key was kept apart from its database, as keys are."""
    said = two.hears(20)
    two.carry()
    folder = two.plant.settings.folder / "edge"

    def lose() -> None:
        for name in ("node.sqlite", "node.sqlite-wal", "node.sqlite-shm", "anchor.json"):
            (folder / name).unlink(missing_ok=True)
        node = open_desk(two.plant)
        migrate.upgrade(node.engine, MIGRATIONS)
        node.engine.dispose()

    two.restart_plant(lose)
    two.enrol()
    said += two.hears(5)
    two.carry(2)
    assert two.arrived() == said


def test_a_desk_that_lost_its_key_as_well_is_made_anew_and_goes_on(two: Two) -> None:
    said = two.hears(20)
    two.carry()
    key = get_key(two.plant.spool)
    two.restart_plant(lambda: shutil.rmtree(two.plant.settings.folder / "edge"))
    two.enrol()
    said += two.hears(5)
    two.carry(2)
    assert two.arrived() == said
    assert get_key(two.plant.spool) == key


def test_another_key_is_not_let_in(two: Two) -> None:
    two.hears()
    own = two.edge.node
    thief = Node(own.code, own.settings, own.clock, own.engine, own.journal, new_key())
    two.edge = type(two.edge)(thief, two.edge.settings, two.edge.model, two.edge.spool)
    with pytest.raises(BadSeal):
        two.carry()
    assert two.arrived() == []


def test_a_token_lets_in_one_edge_once(two: Two, clock: FixedClock) -> None:
    old = issue_token(two.hosting.node, EDGE)
    two.enrol()  # a newer one; the older is void
    door = EnrolTransport(partial(enrol_edge, two.hosting.node, EDGE))
    for token in (old, "quite another token"):
        with pytest.raises(Denied):
            enrol(two.edge.node, token, door)  # type: ignore[arg-type]
    late = issue_token(two.hosting.node, EDGE)
    clock.advance(49 * 3_600_000)
    with pytest.raises(Denied):
        enrol(two.edge.node, late, door)  # type: ignore[arg-type]
    stranger = issue_token(two.hosting.node, "ALDE2")
    with pytest.raises(Denied):
        enrol(two.edge.node, stranger, door)  # type: ignore[arg-type]


def test_a_clock_that_is_off_is_put_right(two: Two, clock: FixedClock) -> None:
    two.edge_clock.advance(-7_200_000)
    two.carry()  # they meet, and the difference is known
    two.hears()
    two.carry()
    row = two.spool_rows()[-1]
    assert abs(row.received_ms - clock.now_ms()) < 60_000
    assert row.offset_ms == 7_200_000  # what the link claims is by a clock two hours late as well
    through = edge_through_ms(two.plant)
    assert through is not None
    assert clock.now_ms() - 60_000 < through <= clock.now_ms(), "and the plant's promise is not two hours late for it"
    assert in_our_time(1_000_000, 5_000) == 940_000


def test_orders_go_down_once_and_their_fate_comes_back(two: Two, clock: FixedClock) -> None:
    fields = {"slab": "161843-2-3", "flag": "H"}
    down.queue_telegram(two.plant.spool, clock, "CC1", "CC2030", fields, key="k1")
    two.carry()
    (order,) = down.find_recent(two.edge.spool, 9)
    assert (order.link, order.message, order.fields, order.state) == (
        "CC1",
        "CC2030",
        fields,
        "queued",
    )
    with write(two.edge.spool) as conn:
        sent = down.take_next(conn, "CC1", two.edge_clock.now_ms())
        assert sent is not None
    two.carry()
    assert down.find_recent(two.plant.spool, 9)[0].state == "sent"
    with write(two.edge.spool) as conn:
        down.settle(conn, sent.down_id, two.edge_clock.now_ms(), accepted=True, answer="code 00")
    two.carry(2)
    (there,) = down.find_recent(two.plant.spool, 9)
    assert (there.state, there.answer, there.sequence) == ("confirmed", "code 00", 1)
    two.restart_plant()
    two.carry()
    assert len(down.find_recent(two.edge.spool, 9)) == 1


def states(plant: Plant) -> list[str]:
    return [row.state for row in reversed(down.find_recent(plant.spool, 9))]


def test_primary_data_of_a_piece_that_is_held_is_taken_back_on_site_and_goes_down_when_it_is_free(
    two: Two, clock: FixedClock
) -> None:
    two.carry()
    down.queue_telegram(two.plant.spool, clock, "CC1", "CC2030", {"slab": "1"}, key="pdi:1")
    two.carry()
    assert states(two.edge) == ["queued"]
    with write(two.plant.spool) as conn:  # as primary_data.withdraw_primary_data does it, which sets the key free
        conn.exec_driver_sql("UPDATE down SET state = 'refused', answer = 'held', answered_ms = 5, key = 'pdi:1:1'")
    two.carry()
    assert [(row.state, row.answer) for row in down.find_recent(two.edge.spool, 9)] == [("refused", "held")]
    clock.advance(1_000)
    down.queue_telegram(two.plant.spool, clock, "CC1", "CC2030", {"slab": "1"}, key="pdi:1")
    two.carry()
    assert states(two.edge) == ["refused", "queued"], "the same cause again is another order"
    with write(two.edge.spool) as conn:
        assert down.take_next(conn, "CC1", 1) is not None
        down.settle(conn, 2, 2, accepted=True, answer="code 00")
        down.settle(conn, 1, 3, accepted=True, answer="code 00")  # it was on its way when it was taken back
    two.carry(2)
    assert states(two.plant) == ["confirmed", "confirmed"], "what was set on site is known, though it was taken back"
    two.restart_plant()
    before = _facts(two.hosting.node.engine)
    two.carry(2)
    assert _facts(two.hosting.node.engine) == before, "nothing is given or taken back again"


def given_setpoint(two: Two, clock: FixedClock, key: str) -> down.Down:
    row = down.queue_setpoint(two.plant.spool, clock, "CC1", "CC2040", {}, key=f"set:{key}", asked_by="p7", piece="")
    return down.get_down(two.plant.spool, row)


def test_a_set_point_is_sent_on_site_within_its_time_or_never(
    two: Two, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_setpoint(two, clock, "a")
    two.hosting.step()
    (early,) = down.find_recent(two.plant.spool, 9)
    assert (early.state, early.answer) == ("refused", giving.OLDER_EDGE)
    two.carry()
    now = real_ms()
    given_setpoint(two, clock, "b")
    two.carry()
    with write(two.edge.spool) as conn:
        sent = down.take_next(conn, "CC1", 1)
        assert sent is not None
        until = conn.exec_driver_sql("SELECT valid_until_real_ms FROM down WHERE kind = 'setpoint'").scalar_one()
        assert now < until <= real_ms() + down.SETPOINT_VALID_MS
    two.line.connected = False
    given_setpoint(two, clock, "c")
    two.hosting.step()
    for module in (down, giving, orders):
        monkeypatch.setattr(module, "real_ms", lambda: real_ms() + down.SETPOINT_VALID_MS + giving.WORD_MS + 1_000)
    two.hosting.step()
    told = [(row.state, row.answer) for row in down.find_recent(two.plant.spool, 2)]
    assert told == [("refused", giving.NOT_TAKEN), ("refused", giving.NOT_TAKEN)]
    two.line.connected = True
    with write(two.edge.spool) as conn:
        down.settle(conn, sent.down_id, 2, accepted=True, answer="code 00")
    two.carry(2)
    late = down.find_recent(two.edge.spool, 1)[0]
    assert (late.state, late.answer, late.tries) == ("refused", down.NEVER_SENT, 0)
    assert states(two.plant) == ["refused", "confirmed", "refused"], "its answer came after all"
    with read(two.plant.node.engine) as conn:
        outcomes = conn.execute(select(set_point.c.state, set_point.c.answer)).all()
    assert ("confirmed", "code 00") in outcomes


def test_an_older_edge_gets_neither_set_points_nor_what_it_cannot_read(
    two: Two, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(vocabulary._TYPES, ("Level2OrderWithdrawn", 1))
    two.carry()
    monkeypatch.undo()
    given_setpoint(two, clock, "a")
    down.queue_telegram(two.plant.spool, clock, "CC1", "CC2030", {}, key="k1")
    two.hosting.step()
    with write(two.plant.spool) as conn:
        assert down.withdraw(conn, 2, 5, "held")
    while two.hosting.step():
        continue
    assert states(two.plant) == ["refused", "refused"]
    with read(two.hosting.node.engine) as conn:
        assert conn.execute(select(fact.c.type)).scalars().all() == ["Level2OrderGiven"]


def test_an_order_for_a_link_in_shadow_mode_does_not_leave_the_plant(two: Two, clock: FixedClock) -> None:
    in_shadow = two.plant.settings.model_copy(update={"shadow": True})
    two.plant = replace(two.plant, settings=in_shadow)
    two.hosting._shadows = Hosting(two.plant)._shadows
    down.queue_telegram(two.plant.spool, clock, "CC1", "CC2030", {}, key="k1")
    two.carry(2)
    assert [row.state for row in down.find_recent(two.plant.spool, 9)] == ["withheld"]
    assert down.find_recent(two.edge.spool, 9) == []


def test_a_restored_edge_spool_sends_no_settled_order_again(two: Two, clock: FixedClock, tmp_path: Path) -> None:
    site = two.edge.settings.folder
    back_up(site / "spool.sqlite", tmp_path / "before")
    down.queue_telegram(two.plant.spool, clock, "CC1", "CC2030", {}, key="k1")
    two.carry()
    back_up(site / "spool.sqlite", tmp_path / "queued")
    with write(two.edge.spool) as conn:
        sent = down.take_next(conn, "CC1", 1)
        assert sent is not None
        down.settle(conn, sent.down_id, 2, accepted=True, answer="code 00")
    two.carry()
    for backup in ("before", "queued"):
        two.restart_edge(lambda backup=backup: put_back(tmp_path / backup, site / "spool.sqlite"))
        two.carry()
        assert [row.state for row in down.find_recent(two.edge.spool, 9)] == ["confirmed"], backup


def test_how_the_links_do_is_seen_at_the_plant(two: Two) -> None:
    state = load_state(two.edge.spool, "CC1", "telegram", "127.0.0.1:1", two.edge_clock)
    state.happened("opened", peer="10.0.0.1:5")
    with write(two.edge.spool) as conn:
        save_states(conn, [state.row(1)], [state.course()])
    two.carrier._tell_due = 0
    two.carry()
    shown = find_states(two.plant.spool)["CC1"]
    assert (shown.state, shown.peer) == ("connected", "10.0.0.1:5")
    with read(two.plant.spool) as conn:
        assert [row.kind for row in conn.execute(select(link_history))] == ["away", "connected"]
    recorded = two.edge.node.engine
    before = _facts(recorded)
    two.carrier._tell_due = 0
    two.carry()
    assert _facts(recorded) == before, "what did not change is not told again"


def _facts(engine: Engine) -> int:
    with read(engine) as conn:
        return int(conn.execute(select(func.count()).select_from(fact)).scalar_one())


def test_rows_of_a_neighbour_release_fit(two: Two) -> None:
    told = {"link_state": [{"link": "CC9", "state": "connected", "invented": 5}], "new_table": [{"a": 1}]}
    with write(two.plant.spool) as conn:
        take_seen(conn, Level2Seen(tables=msgspec.json.encode(told).decode()))
    assert find_states(two.plant.spool)["CC9"].received == 0


def test_a_message_too_large_for_the_line_is_for_a_person_and_blocks_nothing(two: Two) -> None:
    two.hears(1, text="x" * 400_000)
    said = two.hears(1)
    two.carry()
    large, small = two.spool_rows()
    assert "in the edge's spool" in large.problem
    assert msgspec.json.decode(small.fields) == {"heat": said[0]}


def test_a_collector_beside_the_plant_and_a_spool_of_one_are_refused(two: Two) -> None:
    with pytest.raises(BadSetup, match=EDGE):
        run_level2(two.plant.settings)
    with write(two.plant.spool) as conn:
        conn.exec_driver_sql("UPDATE identity SET key = 'own'")
        append(conn, Incoming("CC1", "CC1060", 1, "", None, 1, 0, 0, b"", b"", {}))
    with pytest.raises(BadSetup, match="own collector"):
        prepare(two.plant, load_links(two.plant.settings))


def test_posts_are_heard_on_site_at_an_address_of_the_link(two: Two, tmp_path: Path) -> None:
    (tmp_path / "wms.secret").write_text("a secret that nobody guesses")
    model, link = two.plant.settings.model, '[[link]]\ncode = "WMS"\nkind = "rest"\naddress = "{}"\n'
    before = model.read_text()
    for address, fits in (("", False), ("127.0.0.1:8480", True)):
        model.write_text(before + link.format(address) + '[link.settings]\nsecret_file = "wms.secret"\n')
        plan = load_links(two.edge.settings)
        for check in (_check, partial(prepare, two.plant)):
            with contextlib.nullcontext() if fits else pytest.raises(BadSetup, match="posted to at the plant"):
                check(plan)


def test_words_of_a_newer_edge_wait_in_order_until_the_plant_is_upgraded(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = two.hears(3)
    with monkeypatch.context() as older:
        while two.carrier.step():
            continue
        two.exchange()
        older.delitem(vocabulary._TYPES, ("Level2Heard", 1))
        with pytest.raises(Unavailable, match="does not read"):
            two.hosting.step()
    assert two.arrived() == []
    two.carry()
    assert two.arrived() == said


STORED = {
    "Level2Heard": b'{"link":"CC1","message":"CC1060","ordinal":1,"sequence":1,"digest":"d","claimed":"","claimed_ms":null,'
    b'"received_ms":1,"offset_ms":0,"zone_offset_min":60,"raw":"cmF3","fields":"{}"}',
    "Level2Seen": b'{"tables":"{}"}',
    "Level2OrderGiven": b'{"key":"k","link":"CC1","kind":"telegram","message":"CC2030","fields":"{}","queued_ms":1}',
    "Level2OrderWithdrawn": b'{"key":"k","why":"held"}',
    "Level2OrderSettled": b'{"key":"k","state":"confirmed"}',
}


@pytest.mark.parametrize("name", STORED)
def test_words_of_an_older_and_of_a_newer_neighbour_are_read(name: str) -> None:
    """Fields are only added: today's least form is read for ever, and one that is not known yet is passed over."""
    kind = registered()[name, 1]
    assert msgspec.json.decode(STORED[name], type=kind)
    assert msgspec.json.decode(STORED[name][:-1] + b',"later":{"a":1}}', type=kind)


def test_a_fault_of_the_program_is_told_at_the_edge_and_carrying_goes_on(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    step, calls = two.carrier.step, list[int]()

    def tripping() -> int:
        calls.append(1)
        return 1 // (len(calls) - 1) and step()

    monkeypatch.setattr(two.carrier, "step", tripping)
    two.carrier.start()
    end = monotonic() + 40
    while len(calls) < 3:
        assert monotonic() < end
        sleep(0.01)
    two.carrier.stop()
    assert "carrying the edge's messages" in standing_faults(two.edge.node)
