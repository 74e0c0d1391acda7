"""Random histories from a seed: recording, relaying, exchanging with faults, restarts and hub restores, in any order.

When the faults stop, everyone holds everything once: every journal proves sound, and each author's rows have one
content hash wherever the whole of its stream is held.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
from dataclasses import replace

import pytest
from sqlalchemy import select

from shared.clock import FixedClock
from shared.db.engine import read
from shared.journal.tables import applied
from shared.journal.verify import verify
from sync import marks
from sync.errors import OutOfStep, StaleSession, Unreachable

SEEDS = range(int(os.environ.get("SYNC_SEEDS", "8")))
STEPS = 45


class Faulty:
    """A line that loses requests and answers, delivers old requests late and delivers twice."""

    def __init__(self, inner, rng):
        self.inner, self.rng, self.late, self.quiet = inner, rng, [], False

    def send(self, door, body):
        if self.quiet:
            return self.inner.send(door, body)
        roll = self.rng.random()
        if roll < 0.05:
            self.late.append((door, body))
            raise Unreachable("test", "request delayed")
        if self.late and roll < 0.25:
            self.deliver_late()
        answer = self.inner.send(door, body)
        if roll > 0.88:
            answer = self.inner.send(door, body)
        if roll > 0.94:
            raise Unreachable("test", "answer lost")
        return answer

    def deliver_late(self):
        door, body = self.late.pop(self.rng.randrange(len(self.late)))
        with contextlib.suppress(OutOfStep, StaleSession):
            self.inner.send(door, body)


class History:
    """One group and its dice."""

    def __init__(self, kit, seed):
        self.kit, self.rng = kit, random.Random(seed)
        self.hub = kit.hub()
        self.plants = {code: kit.plant(code) for code in ("ALD", "BRK")}
        for plant in self.plants.values():
            kit.enrol(plant, self.hub)
        self.lines = {}
        self.connect()
        self.backups = []

    def connect(self):
        late = {code: line.late for code, line in self.lines.items()}
        self.lines = {code: Faulty(self.kit.memory(self.hub), self.rng) for code in self.plants}
        for code, line in self.lines.items():
            line.late = late.get(code, [])

    def step(self):
        deeds = [
            (25, self.record),
            (28, self.exchange),
            (10, self.apply),
            (16, self.relay),
            (7, self.keep_copy),
            (6, self.restore_hub),
            (4, self.restart_plant),
            (4, self.restart_hub),
        ]
        self.rng.choices([deed for _, deed in deeds], [weight for weight, _ in deeds])[0]()

    def record(self):
        plant = self.rng.choice([*self.plants.values(), self.hub])
        self.kit.clock.advance(self.rng.randrange(3))
        for _ in range(self.rng.randint(1, 4)):
            if plant.pieces and self.rng.random() < 0.6:
                plant.move(self.rng.choice(plant.pieces), f"bay{self.rng.randrange(9)}")
            else:
                plant.create(1)

    def exchange(self):
        code = self.rng.choice(sorted(self.plants))
        with contextlib.suppress(Unreachable, StaleSession, OutOfStep):
            self.exchange_once(code, self.rng.randint(1, 5))

    def exchange_once(self, code, entries_max):
        caller = self.kit.caller(self.plants[code], self.lines[code])
        session = self.kit.meet(caller)
        while (run := caller.next_run(entries_max)) is not None:
            caller.push(session, run)
        caller.push(session, None)
        while caller.pull(session, 0):
            pass

    def apply(self):
        self.rng.choice([self.hub, *self.plants.values()]).apply()

    def relay(self):
        with self.hub.node.journal.work() as tx:
            known = tx.conn.execute(select(applied.c.fact_id).where(applied.c.author == "ALD")).scalars().all()
            for fact_id in self.rng.sample(sorted(known), min(len(known), self.rng.randint(0, 6))):
                tx.relay(fact_id, "HUB>BRK")
        self.hub.ground.anchoring.write_now()

    def keep_copy(self):
        file = self.hub.node.settings.folder / "node.sqlite"
        with self.hub.node.engine.connect() as conn:
            conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        self.backups.append(shutil.copy(file, file.with_suffix(f".{len(self.backups)}")))

    def restore_hub(self):
        if self.backups:
            self.reopen_hub(self.rng.choice(self.backups))

    def restart_hub(self):
        self.reopen_hub(None)

    def reopen_hub(self, copy):
        pieces, file = self.hub.pieces, self.hub.node.settings.folder / "node.sqlite"
        self.hub.node.engine.dispose()
        if copy:
            for leftover in (file, file.with_suffix(".sqlite-wal"), file.with_suffix(".sqlite-shm")):
                leftover.unlink(missing_ok=True)
            shutil.copy(copy, file)
        self.hub = self.kit.hub()
        self.hub.pieces = pieces
        self.hub.ground.anchoring.write_now()
        self.connect()

    def restart_plant(self):
        code = self.rng.choice(sorted(self.plants))
        old = self.plants[code]
        old.ground.anchoring.write_now()
        old.node.engine.dispose()
        self.plants[code] = self.kit.plant(code)
        self.plants[code].pieces = old.pieces

    def settle(self):
        for line in self.lines.values():
            line.quiet = True
            while line.late:
                line.deliver_late()
        for code in self.plants:
            self.exchange_once(code, 2_000)
            self.plants[code].apply()
        self.hub.apply()


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happened_everyone_holds_everything_once(kit, seed):
    history = History(kit, seed)
    for _ in range(STEPS):
        history.step()
    history.settle()
    history.relay()
    history.settle()
    hub, ald, brk = history.hub, history.plants["ALD"], history.plants["BRK"]
    for plant in (ald, brk):
        assert hub.entries_of(plant.code) == plant.entries_of(plant.code)
        assert hub.hash_of(plant.code) == plant.hash_of(plant.code), plant.code
        assert hub.applied_of(plant.code) == plant.entries_of(plant.code)
    for box in (hub, ald, brk):
        with read(box.node.engine) as conn:
            assert verify(conn).findings == ()


def never_lower(conn, peer, streams, held, now_ms):
    """Believe our last acknowledgement when the receiver names less: the rule that a restored receiver needs, gone."""
    known = marks.list_holdings(conn, peer, streams)
    best = {(state.stream, state.epoch): state for state in held if state.stream in streams}
    for state in known:
        if (state.stream, state.epoch) not in best or best[state.stream, state.epoch].seq < state.seq:
            best[state.stream, state.epoch] = state
    marks.move_holdings(conn, peer, best.values(), now_ms)


@pytest.mark.parametrize(
    ("room", "rule", "without"),
    [(marks, "accept_holdings", never_lower)],
    ids=["the receiver's cursor wins"],
)
def test_histories_notice_when_a_safety_rule_is_gone(tmp_path, monkeypatch, kit, room, rule, without):
    monkeypatch.setattr(room, rule, without)
    broke = []
    for seed in (3, 1, 10, 11, 0, 2, 4, 5, 6, 7, 8, 9):
        folder = tmp_path / str(seed)
        folder.mkdir()
        fresh = replace(kit, folder=folder, clock=FixedClock(kit.clock.now_ms()))
        try:
            test_whatever_happened_everyone_holds_everything_once(fresh, seed)
        except (AssertionError, OutOfStep) as violation:
            broke.append((seed, violation))
            break
    assert broke, f"no history missed the rule {rule}"
