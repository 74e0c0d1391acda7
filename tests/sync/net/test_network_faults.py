"""A real plant and a real hub with a bad network between them (fault catalogue, group A)."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace

import fault_proxy as faults
import pytest
from sqlalchemy import select

from shared.db.engine import read
from sync.errors import BadSeal, OutOfStep, StaleSession, SyncError, Unreachable
from sync.link import complete_through, report_link
from sync.tables import incident
from sync.transport import HttpTransport


def incidents(box):
    with read(box.node.engine) as conn:
        return conn.execute(select(incident.c.kind)).scalars().all()


def state_of(line):
    with read(line.plant.node.engine) as conn:
        return report_link(conn, "ALD", "HUB")


@pytest.mark.fault(1)
@pytest.mark.parametrize("door", ["hello", "push"])
def test_a_request_lost_before_the_hub_is_sent_again(line, door):
    line.plant.create(5)
    line.proxy.faults[door] = faults.lose_request
    line.exchange()
    line.until(lambda: line.proxy.seen.count(door) > 2)
    assert line.held() == 0
    line.settles()


@pytest.mark.fault(2)
@pytest.mark.parametrize("fault", [faults.lose_answer, faults.half_close])
def test_a_reply_lost_after_the_commit_has_no_second_effect(line, fault):
    line.plant.create(5)
    line.proxy.faults["push"] = fault
    caller = line.caller()
    session = caller.hello()
    run = caller.next_run(10)
    for _ in range(3):
        with pytest.raises(Unreachable):
            caller.push(session, run)
        assert line.held() == 5
        assert state_of(line).waiting == 5
    line.proxy.heal()
    assert caller.push(session, run).durable == 5
    assert state_of(line).waiting == 0
    line.settles()


@pytest.mark.fault(3)
def test_a_push_delivered_twice_at_once_is_stored_once(line):
    line.plant.create(30)
    line.proxy.faults["push"] = faults.deliver_twice
    caller = line.caller()
    session = caller.hello()
    while (run := caller.next_run(7)) is not None:
        caller.push(session, run)
    line.settles()
    assert incidents(line.hub) == []


@pytest.mark.fault(4)
def test_a_push_that_arrives_after_a_newer_session_changes_nothing(line):
    line.plant.create(3)
    late, caller = threading.Event(), line.caller()
    line.proxy.faults["push"] = faults.after(late)
    session = caller.hello()
    failed: list[Exception] = []

    def push() -> None:
        try:
            caller.push(session, caller.next_run(10))
        except SyncError as error:
            failed.append(error)

    slow = threading.Thread(target=push)
    slow.start()
    line.until(lambda: "push" in line.proxy.seen)
    line.caller().hello()
    late.set()
    slow.join(20)
    assert [type(error) for error in failed] == [StaleSession]
    assert line.held() == 0


@pytest.mark.fault(5)
def test_reordered_batches_are_a_gap_and_are_sent_again_from_there(line):
    line.plant.create(9)
    caller = line.caller()
    session = caller.hello()
    first = caller.next_run(3)
    line.proxy.faults["push"] = faults.lose_answer
    with pytest.raises(Unreachable):  # the plant believes the first batch lost, and it is
        caller.push(session, first)
    later = caller.next_run(9)
    line.proxy.heal()
    gap = replace(later, first=7, prev=later.entries[5].hash, entries=later.entries[6:])
    with pytest.raises(OutOfStep):
        caller.push(session, gap)
    assert line.held() == 3
    line.exchange()
    line.settles()


@pytest.mark.fault(6)
def test_a_push_cut_at_every_kibibyte_commits_nothing_before_it_is_whole(line):
    line.plant.create(60)
    caller = line.caller()
    session = caller.hello()
    run = caller.next_run(2_000)
    sizes: list[int] = []

    def measure(passage: faults.Passage) -> None:
        sizes.append(len(passage.request))
        passage.reset()

    line.proxy.faults["push"] = measure
    with pytest.raises(Unreachable):
        caller.push(session, run)
    offsets = [*range(0, sizes[0], 1_024), sizes[0] - 1]
    assert len(offsets) > 4
    for offset in offsets:
        line.proxy.faults["push"] = faults.cut_at(offset)
        with pytest.raises(Unreachable):
            caller.push(session, run)
        assert line.held() == 0, f"cut at {offset}"
    line.proxy.heal()
    caller.push(session, run)
    line.settles()


@pytest.mark.fault(7)
@pytest.mark.parametrize("offset", [0, 9, 700, 1_500, -1])
def test_a_body_padded_to_its_length_is_refused_and_commits_nothing(line, offset):
    line.plant.create(20)
    caller = line.caller()
    session = caller.hello()
    run = caller.next_run(2_000)

    def pad(passage: faults.Passage) -> None:
        body = len(passage.request) - passage.request.index(b"\r\n\r\n") - 4
        faults.pad_from(offset % body)(passage)

    line.proxy.faults["push"] = pad
    with pytest.raises(SyncError) as refused:
        caller.push(session, run)
    assert refused.value.status in (400, 401)
    assert line.held() == 0
    line.proxy.heal()
    caller.push(session, run)
    line.settles()


@pytest.mark.fault(8)
def test_on_a_link_that_passes_little_batches_shrink_until_they_pass(line):
    line.plant.create(90)
    line.proxy.faults["push"] = faults.narrow(60_000, patience_bytes=4_000)
    line.exchange()
    line.until(lambda: line.held() > 0)
    shrunk = line.proxy.seen.count("push")
    assert shrunk > 1
    line.until(lambda: line.held() == 90)
    line.settles()


@pytest.mark.fault(9)
def test_a_black_hole_costs_the_connect_timeout_and_never_holds_up_work(kit):
    hole = socket.create_server(("127.0.0.1", 0), backlog=0)
    fill = [socket.socket() for _ in range(4)]
    for one in fill:  # a full queue drops further SYNs, as a firewall without a word does
        one.setblocking(False)
        one.connect_ex(hole.getsockname())
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    way = HttpTransport(f"http://127.0.0.1:{hole.getsockname()[1]}", connect_s=1, read_s=20)
    began = time.monotonic()
    with pytest.raises(Unreachable):
        way.send("hello", b"x")
    assert 0.9 < time.monotonic() - began < 5
    exchange = kit.exchange(plant, way)
    exchange.start()
    began = time.monotonic()
    plant.create(20)
    assert time.monotonic() - began < 20 * way._timeout[0], "work waited for the network"
    with read(plant.node.engine) as conn:
        assert report_link(conn, "ALD", "HUB").waiting == 20
    for one in (*fill, hole):
        one.close()


@pytest.mark.fault(10)
def test_a_hub_gone_after_the_request_costs_the_read_timeout_and_a_retry(line):
    line.plant.create(4)
    line.proxy.faults["push"] = faults.stall
    line.exchange(read_s=0.5)
    line.until(lambda: line.proxy.seen.count("push") > 1)
    line.until(lambda: state_of(line).state == "away")
    assert "timed out" in state_of(line).reason.lower()
    line.settles()


@pytest.mark.fault(11)
@pytest.mark.parametrize("door", ["hello", "push", "pull"])
def test_a_captive_portals_page_is_no_answer_of_the_hub(line, door):
    line.plant.create(3)
    line.proxy.faults[door] = faults.captive("<html>Please accept the terms of use</html>")
    line.exchange()
    line.until(lambda: line.proxy.seen.count(door) > 2)
    assert line.held() == (3 if door == "pull" else 0)
    line.settles()


@pytest.mark.fault(11)
@pytest.mark.parametrize("noise", [b"\x00\xff" * 500, b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\nshort", b""])
def test_garbage_and_cut_answers_are_no_answers(line, noise):
    line.plant.create(3)
    line.proxy.faults["push"] = faults.say(noise)
    caller = line.caller()
    session = caller.hello()
    with pytest.raises(Unreachable):
        caller.push(session, caller.next_run(10))
    line.exchange()
    line.settles()


@pytest.mark.fault(14)
def test_a_flapping_line_makes_steady_progress(line):
    line.plant.create(10)
    exchange = line.exchange()
    marks = [line.held()]
    for _ in range(6):
        line.proxy.flap(down=True)
        line.plant.create(3)
        time.sleep(0.15)
        line.proxy.flap(down=False)
        exchange.sync_now()
        time.sleep(0.3)
        marks.append(line.held())
    assert marks == sorted(marks)
    assert marks[-1] > 0
    line.settles()


@pytest.mark.slow
@pytest.mark.fault(14)
@pytest.mark.timeout(4_000)
def test_a_line_that_flaps_for_minutes(line):
    line.exchange()
    end, marks = time.monotonic() + 300, [0]
    while time.monotonic() < end:
        line.plant.create(20)
        line.proxy.flap(down=len(marks) % 2 == 0)
        time.sleep(5)
        marks.append(line.held())
    line.proxy.flap(down=False)
    assert marks == sorted(marks)
    line.settles()


@pytest.mark.fault(17)
def test_with_the_way_down_dead_the_way_up_goes_on(line):
    line.proxy.faults["pull"] = faults.stall
    line.exchange(read_s=0.5)
    for _ in range(4):
        line.plant.create(3)
        wanted = line.plant.entries_of("ALD")
        line.until(lambda wanted=wanted: line.held() == wanted)
    with read(line.hub.node.engine) as conn:
        assert complete_through(conn, "ALD") is not None
    line.settles()


@pytest.mark.fault(18)
def test_another_hub_at_the_address_is_not_believed(line, kit, tmp_path):
    other = type(kit)(tmp_path / "elsewhere", kit.clock)
    stranger = other.hub()
    caller = kit.caller(line.plant, kit.http(kit.serve(stranger)))
    with pytest.raises(BadSeal, match="No enrolled node"):
        caller.hello()
    kit.enrol(line.plant, stranger)  # it knows our key, and we know it only by another
    kit.enrol(line.plant, line.hub)
    with pytest.raises(Unreachable, match="not HUB's"):
        caller.hello()
    assert state_of(line).state == "never"
