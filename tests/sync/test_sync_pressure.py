"""Too much at once: credit, turns, a full receiver, slow bodies, narrow lines."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask, request

from shared import disk
from shared.db.engine import read
from shared.disk import Disk
from shared.journal.verify import verify
from sync import credit as credits
from sync.admission import Admission, Turns, room_in
from sync.backoff import Backoff, BatchSize
from sync.credit import credit_for
from sync.endpoint import ADMISSION
from sync.errors import Busy, NotConnected, StorageFull, TooSlow
from sync.limits import CREDIT_CALM, CREDIT_LEAST, ENTRIES_MAX
from sync.link import BUSY, NO_ROOM, ONLINE, report_link
from sync.slow_bodies import read_in_time
from sync.transport import HttpTransport


def eventually(holds: Callable[[], bool], limit_s: float = 30) -> None:
    end = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.02)


# credit


def test_a_receiver_far_behind_wishes_for_less_and_never_for_nothing() -> None:
    assert credit_for(0) == credit_for(CREDIT_CALM) == ENTRIES_MAX
    assert credit_for(2 * CREDIT_CALM) == ENTRIES_MAX // 2
    assert credit_for(10**9) == CREDIT_LEAST


def test_the_receipt_carries_the_credit_and_the_next_batch_keeps_to_it(kit, monkeypatch) -> None:
    plant, hub = kit.plant(), kit.hub()
    kit.enrol(plant, hub)
    plant.create(20)
    monkeypatch.setattr(credits, "CREDIT_CALM", 4)
    monkeypatch.setattr(credits, "CREDIT_LEAST", 3)
    caller = kit.caller(plant, kit.memory(hub))
    session = caller.hello()
    size = BatchSize(10)
    receipt = caller.push(session, caller.next_run(size.entries))
    assert receipt.credit == ENTRIES_MAX * 4 // 10
    monkeypatch.setattr(disk, "look", lambda _folder: Disk(100, 9))
    monkeypatch.setattr(credits, "look", lambda _folder: Disk(100, 9))
    receipt = caller.push(session, caller.next_run(size.entries))
    size.went_through(receipt.credit)
    assert receipt.credit == 3
    assert size.entries == 3
    size.went_through(ENTRIES_MAX)
    assert size.entries == 10


@pytest.mark.fault(8, 16)
def test_batches_shrink_to_what_a_line_passes_and_grow_back() -> None:
    line, size, sent = 150, BatchSize(2_000), []
    for _ in range(60):
        sent.append(size.entries)
        if size.entries > line:
            size.came_to_nothing()
        else:
            size.went_through()
    assert min(sent) >= 1
    lost = sum(1 for entries in sent[5:] if entries > line)
    assert lost <= len(sent) // 6  # not every other batch is wasted on finding the edge again
    for _ in range(40):
        size.went_through()
    assert size.entries == 2_000


def test_a_line_that_passes_nothing_is_tried_with_one_entry() -> None:
    size = BatchSize(2_000)
    for _ in range(20):
        size.came_to_nothing()
    assert size.entries == 1
    size.went_through()
    assert size.entries == 2


# turns


def test_turns_go_in_order_and_nobody_overtakes() -> None:
    turns, order = Turns(1, waiting_max=5), []
    assert turns.take(0)

    def wait(number: int) -> None:
        assert turns.take(10)
        order.append(number)
        turns.give_back()

    threads = []
    for number in range(5):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        eventually(lambda: len(turns._line) == len(threads))
    assert not turns.take(0)  # the line is full
    turns.give_back()
    for thread in threads:
        thread.join(10)
    assert order == [0, 1, 2, 3, 4]
    assert turns.take(0)


def test_who_waited_in_vain_leaves_no_trace() -> None:
    turns = Turns(1, waiting_max=5)
    assert turns.take(0)
    assert not turns.take(0.01)
    turns.give_back()
    assert turns.take(0)
    assert not turns.take(0.01)


def serve_with(kit, hub, admission: Admission):
    server = kit.serve(hub)
    server.server.app.extensions[ADMISSION] = admission
    return server


@pytest.mark.fault(15)
def test_twenty_plants_after_an_outage_all_drain_with_a_fair_share(kit) -> None:
    hub = kit.hub()
    server = serve_with(kit, hub, Admission(lambda: None, at_once=2, waiting_max=4, wait_s=5))
    plants = [kit.plant(f"P{number:02}") for number in range(20)]
    refused, done, together = [], {}, threading.Barrier(len(plants))

    def drain(plant) -> None:
        caller = kit.caller(plant, kit.http(server))
        session = caller.hello()
        together.wait(60)
        start = time.monotonic()
        while (run := caller.next_run(4)) is not None:
            try:
                caller.push(session, run)
            except Busy as error:
                refused.append(error.after_s)
                time.sleep(error.after_s / 20)  # as asked, in quick motion
        done[plant.code] = time.monotonic() - start

    for plant in plants:
        kit.enrol(plant, hub)
        plant.create(12)
    threads = [threading.Thread(target=drain, args=(plant,)) for plant in plants]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert len(done) == 20
    assert refused, "more than the hub works on came at once"
    assert all(0 < after_s <= 3 for after_s in refused)
    assert all(hub.entries_of(plant.code) == 12 for plant in plants)
    mean = sum(done.values()) / len(done)
    assert max(done.values()) <= 2 * mean  # the slowest at least half as fast as the mean


def test_a_busy_hub_says_when_to_come_back_and_is_not_away(kit) -> None:
    plant, hub = kit.plant(), kit.hub()
    kit.enrol(plant, hub)
    plant.create(3)
    busy = threading.Event()
    busy.set()

    class Sometimes(Admission):
        def turn(self):
            if busy.is_set():
                error = Busy("sync.busy", "Many nodes are sending just now.")
                error.after_s = 1.0
                raise error
            return super().turn()

    server = serve_with(kit, hub, Sometimes(lambda: None))
    with pytest.raises(Busy) as refused:
        kit.drain(kit.caller(plant, kit.http(server)))
    assert refused.value.after_s == 1
    exchange = kit.exchange(plant, kit.http(server))
    exchange.start()
    eventually(lambda: state(plant) == BUSY)
    busy.clear()
    eventually(lambda: state(plant) == ONLINE and hub.entries_of("ALD") == 3)


def state(plant) -> str:
    with read(plant.node.engine) as conn:
        return report_link(conn, "ALD", "HUB").state


# a full receiver


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "none", place], capture_output=True)
    if done.returncode:
        pytest.skip("mounting a small file system needs root")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def fill_all(folder: Path) -> Path:
    file = folder / "filler"
    with file.open("wb") as out:
        os.posix_fallocate(out.fileno(), 0, disk.look(folder).free)
    return file


@pytest.mark.fault(32)
@pytest.mark.parametrize("watched", [True, False], ids=["refused before", "refused by the disk itself"])
def test_a_hub_without_room_is_507_loses_nothing_and_recovers_without_a_restart(
    kit, small_disk, monkeypatch, watched
) -> None:
    from sync import admission

    monkeypatch.setattr(admission, "ROOM_RETRY_S", 0.1)
    monkeypatch.setattr("shared.storage.NoRoom.after_s", 0.1)
    plant = kit.plant()
    folder, kit.folder = kit.folder, small_disk
    hub = kit.hub()
    kit.folder = folder
    kit.enrol(plant, hub)
    plant.create(40)
    server = serve_with(kit, hub, Admission(room_in(small_disk) if watched else lambda: None))
    caller = kit.caller(plant, kit.http(server))
    session = caller.hello()
    caller.push(session, caller.next_run(5))
    filler = fill_all(small_disk)
    refused: StorageFull | None = None
    for _ in range(40):
        try:
            caller.push(session, caller.next_run(1))
        except StorageFull as error:
            refused = error
            break
    assert refused is not None
    assert refused.after_s >= 1
    assert refused.status == 507
    held = hub.entries_of("ALD")
    exchange = kit.exchange(plant, kit.http(server))
    exchange.start()
    eventually(lambda: state(plant) == NO_ROOM)
    with read(plant.node.engine) as conn:
        line = report_link(conn, "ALD", "HUB")
    assert "oom" in line.reason or "full" in line.reason
    assert line.waiting == 40 - held
    filler.unlink()
    eventually(lambda: hub.entries_of("ALD") == 40)
    eventually(lambda: state(plant) == ONLINE)
    with read(hub.node.engine) as conn:
        assert verify(conn).findings == ()


@pytest.mark.fault(31)
def test_a_plant_without_room_pauses_its_sync_and_goes_on_after(kit, small_disk) -> None:
    hub = kit.hub()
    folder, kit.folder = kit.folder, small_disk
    plant = kit.plant()
    kit.folder = folder
    kit.enrol(plant, hub)
    plant.create(10)
    server = kit.serve(hub)
    filler = fill_all(small_disk)
    exchange = kit.exchange(plant, kit.http(server))
    waits: list[str] = []

    def note_wait() -> float:
        waits.append(threading.current_thread().name)
        return 0.5

    exchange._backoff = Backoff(0.05, 0.2, note_wait)
    exchange.start()
    # each lane came to nothing several times and tries on: paused, not ended
    eventually(lambda: all(waits.count(thread.name) >= 3 for thread in exchange._threads))
    assert all(thread.is_alive() for thread in exchange._threads)
    assert hub.entries_of("ALD") == 0
    filler.unlink()
    eventually(lambda: hub.entries_of("ALD") == 10)


# slow bodies and narrow lines


def test_a_body_that_stops_coming_is_refused_in_time() -> None:
    ours, theirs = socket.socketpair()
    app = Flask("slow")
    body = ours.makefile("rb", buffering=0)
    theirs.sendall(b"12345")
    environ = {
        "gunicorn.socket": ours,
        "wsgi.input": body,
        "CONTENT_LENGTH": "100",
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "SERVER_NAME": "x",
        "SERVER_PORT": "1",
        "wsgi.url_scheme": "http",
    }
    with app.request_context(environ):
        start = time.monotonic()
        with pytest.raises(TooSlow):
            read_in_time(request, 0.2)  # type: ignore[arg-type]
        assert time.monotonic() - start < 5
    for end in (body, ours, theirs):
        end.close()


def test_no_connection_is_no_sign_of_a_batch_too_large() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(NotConnected):
            HttpTransport(f"http://127.0.0.1:{port}", connect_s=1, read_s=1).send("push", b"x")


class NarrowLine:
    """A TCP relay to a port that lets so many bytes a second through, and goes down and up."""

    def __init__(self, port: int, bytes_s: int) -> None:
        self._port = port
        self._bytes_s = bytes_s
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.up = threading.Event()
        self.up.set()
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        self.up.clear()
        for end in list(self._open):
            end.close()
        self._open.clear()

    def close(self) -> None:
        self.cut()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if not self.up.is_set():
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self._port))
            self._open += [near, far]
            threading.Thread(target=self._carry, args=(near, far, self._bytes_s), daemon=True).start()
            threading.Thread(target=self._carry, args=(far, near, 10**9), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, bytes_s: int) -> None:
        piece = max(1, bytes_s // 20) if bytes_s < 10**6 else 65_536
        try:
            while data := source.recv(piece):
                sink.sendall(data)
                if bytes_s < 10**6:
                    time.sleep(len(data) / bytes_s)
        except OSError:
            pass
        for end in (source, sink):
            end.close()


@pytest.mark.fault(8, 16)
def test_over_a_very_narrow_line_batches_shrink_until_they_pass(kit) -> None:
    plant, hub = kit.plant(), kit.hub()
    kit.enrol(plant, hub)
    plant.create(400)
    server = kit.serve(hub)
    line = NarrowLine(server.server.server_port, bytes_s=4_000)
    kit.closing.append(line.close)
    exchange = kit.exchange(plant, HttpTransport(line.url, connect_s=2, read_s=2))
    exchange.start()
    eventually(lambda: hub.entries_of("ALD") == 400, 120)


@pytest.mark.fault(14)
def test_a_flapping_line_moves_forward_only(kit) -> None:
    plant, hub = kit.plant(), kit.hub()
    kit.enrol(plant, hub)
    plant.create(60)
    server = kit.serve(hub)
    line = NarrowLine(server.server.server_port, bytes_s=8_000)
    kit.closing.append(line.close)
    exchange = kit.exchange(plant, HttpTransport(line.url, connect_s=2, read_s=2))
    exchange.start()
    seen = [0]
    for _ in range(6):
        time.sleep(0.25)
        line.cut()
        seen.append(hub.entries_of("ALD"))
        time.sleep(0.25)
        line.up.set()
    assert seen == sorted(seen)
    eventually(lambda: hub.entries_of("ALD") == 60, 60)
    with read(hub.node.engine) as conn:
        assert verify(conn).findings == ()


@pytest.mark.fault(14, 15)
def test_peers_that_lost_the_hub_together_do_not_return_together() -> None:
    class Chance:
        def __init__(self, value: float) -> None:
            self.value = value

        def __call__(self) -> float:
            return self.value

    waits = [Backoff(1, 300, Chance(part / 20)).wait_s(6) for part in range(20)]
    assert len(set(waits)) == 20
    assert max(waits) <= 32
    asked = [Backoff(1, 300, Chance(part / 20)).wait_as_asked_s(2) for part in range(20)]
    assert min(asked) >= 2
    assert len(set(asked)) == 20
