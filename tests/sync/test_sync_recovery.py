"""Plants and hubs put back to older states, alone and together: what comes back, in which order, and what is told.

Real databases; the line is in memory. A machine that is rolled back whole loses its anchor's memory with it.
"""

from __future__ import annotations

import shutil

import msgspec
import pytest
from sqlalchemy import func, select, update

from shared.db.engine import read, write
from shared.ids import derived_id
from shared.journal.anchor import read_anchor
from shared.journal.content_hash import content_hash
from shared.journal.fact import Draft, Occurred
from shared.journal.reading import lives
from shared.journal.rebuild import rebuild
from shared.journal.tables import applied, entry, entry_abandoned, epoch, fact
from shared.journal.verify import verify
from shared.material.facts import MaterialMoved
from sync.beginning import anchor_file
from sync.errors import OutOfStep, StaleSession, Unproven, Unreachable
from sync.losses import list_missing
from sync.messages import WELCOME, EpochState, Welcome
from sync.peers import keys_of
from sync.proof import check_seals
from sync.seal import open_signed, sign
from sync.tables import accepted, incident, node_key, staged


def file_of(box):
    return box.node.settings.folder / "node.sqlite"


def backup(box, name, with_anchor=False):
    """A copy of a node's database; of a whole machine also its anchor."""
    with box.node.engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    if with_anchor:
        box.ground.anchoring.write_now()
        shutil.copy(anchor_file(box.node), file_of(box).with_suffix(f".{name}.anchor"))
    return shutil.copy(file_of(box), file_of(box).with_suffix(f".{name}"))


def put_back(kit, box, copy):
    """Stop a node, put an older database in place (and its anchor, if the copy has one), start it again."""
    box.node.engine.dispose()
    file = file_of(box)
    for leftover in (file, file.with_suffix(".sqlite-wal"), file.with_suffix(".sqlite-shm")):
        leftover.unlink(missing_ok=True)
    shutil.copy(copy, file)
    anchor = file.with_suffix(f"{file.parent.joinpath(copy).suffix}.anchor")
    if anchor.exists():
        shutil.copy(anchor, anchor_file(box.node))
    return reopen(kit, box)


def reopen(kit, box):
    box.node.engine.dispose()
    again = kit.hub() if box.code == "HUB" else kit.plant(box.code)
    again.pieces = list(box.pieces)
    return again


def sync(kit, plant, hub, entries_max=3):
    kit.drain(kit.caller(plant, kit.memory(hub)), entries_max)
    hub.apply()


def shape(box, stream="ALD"):
    with read(box.node.engine) as conn:
        return [(life.epoch, life.seq, life.hash, life.parent) for life in lives(conn, stream)]


def ids(box, author="ALD"):
    with read(box.node.engine) as conn:
        return set(conn.execute(select(fact.c.fact_id).where(fact.c.author == author)).scalars())


def kinds(box):
    with read(box.node.engine) as conn:
        return set(conn.execute(select(incident.c.kind)).scalars())


def assert_level(plant, hub):
    """Both hold the same epochs, entries and rows, which a rebuild makes again; chains and seals hold; nothing waits."""
    assert [life for life in shape(plant) if life[1]] == [life for life in shape(hub) if life[1]]
    assert plant.hash_of("ALD") == hub.hash_of("ALD")
    assert plant.applied_of("ALD") == hub.applied_of("ALD")
    for box in (plant, hub):
        with read(box.node.engine) as conn:
            assert verify(conn).findings == ()
            assert check_seals(conn, box.node.key.public).findings == ()
            assert conn.execute(select(func.count()).select_from(staged)).scalar_one() == 0
    rows = plant.hash_of("ALD")
    with write(plant.node.engine) as conn:
        rebuild(conn, plant.node.journal.appliers, 1)
    assert plant.hash_of("ALD") == rows


def assert_quiet(kit, plant, hub):
    """The next hello finds nothing to mend, and leaves no new word (I16)."""
    before, told = shape(plant), told_by(plant)
    caller = kit.caller(plant, kit.memory(hub))
    assert not caller.settle(caller.hello())
    again = reopen(kit, plant)
    caller = kit.caller(again, kit.memory(hub))
    assert not caller.settle(caller.hello())
    assert (shape(again), told_by(again)) == (before, told)


def told_by(box):
    with read(box.node.engine) as conn:
        return conn.execute(select(func.count()).select_from(incident)).scalar_one()


@pytest.fixture
def pair(kit):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    return plant, hub


@pytest.mark.fault(40, 56)
def test_a_restored_database_is_seen_at_the_start_and_gets_its_lost_tail_back(kit, pair):
    plant, hub = pair
    plant.create(4)
    old = backup(plant, "old")
    plant.create(3)
    plant.ground.anchoring.write_now()
    sync(kit, plant, hub)
    known = ids(plant)
    plant = put_back(kit, plant, old)
    assert len(shape(plant)) == 2
    plant.create(2)
    sync(kit, plant, hub)
    assert known < ids(plant)
    assert plant.entries_of("ALD") == 9
    assert_level(plant, hub)
    assert {"restored", "recovered"} <= kinds(plant)
    assert_quiet(kit, plant, hub)


@pytest.mark.fault(41, 56)
def test_a_whole_machine_rolled_back_that_wrote_on_gives_its_places_up_and_carries_its_facts(kit, pair):
    plant, hub = pair
    pieces = plant.create(4)
    old = backup(plant, "machine", with_anchor=True)
    plant.move(pieces[0], "lost bay")
    plant.create(3)
    plant.ground.anchoring.write_now()
    sync(kit, plant, hub)
    plant = put_back(kit, plant, old)
    assert len(shape(plant)) == 1
    after = [plant.move(pieces[0], f"bay {n}") for n in range(5)]
    sync(kit, plant, hub)
    assert [life[1] for life in shape(plant)] == [8, 5]
    assert set(after) <= ids(hub)
    with read(plant.node.engine) as conn:
        given_up = conn.execute(select(entry_abandoned.c.seq, entry_abandoned.c.fate)).all()
    assert given_up == [(n, "carried") for n in range(5, 10)]
    assert_level(plant, hub)
    assert_quiet(kit, plant, hub)


@pytest.mark.parametrize("lost", ["nothing", "the move", "only the word of it"])
def test_an_epoch_that_grew_from_entries_given_up_is_moved_and_stays_moved(kit, pair, lost):
    plant, hub = pair
    pieces = plant.create(4)
    old = backup(plant, "machine", with_anchor=True)
    plant.create(3)
    sync(kit, plant, hub)
    plant = put_back(kit, plant, old)
    plant.move(pieces[0], "bay")
    anchor_file(plant.node).unlink()  # with it gone the next start opens an epoch on the entry that must go
    plant = reopen(kit, plant)
    plant.move(pieces[1], "bay")
    before = backup(plant, "before", with_anchor=True)
    sync(kit, plant, hub)
    assert [(life[1], life[3][1]) for life in shape(plant)[1:2]] == [(2, 4)]
    if lost == "the move":
        plant = put_back(kit, plant, before)
    if lost == "only the word of it":
        with write(plant.node.engine) as conn:
            moved = (epoch.c.stream == "ALD") & (epoch.c.parent_seq == 4)
            conn.execute(update(epoch).where(moved).values(parent_seq=5, parent_hash="f" * 64))
    sync(kit, plant, hub)
    assert_level(plant, hub)
    assert plant.applied_of("ALD") == 4 + 3 + 2
    assert_quiet(kit, plant, hub)


@pytest.mark.fault(42)
def test_what_nobody_else_saw_is_lost_without_a_fork_and_is_listed(kit, pair):
    plant, hub = pair
    plant.create(4)
    sync(kit, plant, hub)
    old = backup(plant, "old")
    plant.create(3)
    plant.ground.anchoring.write_now()
    plant = put_back(kit, plant, old)
    plant.create(1)
    sync(kit, plant, hub)
    assert [life[1] for life in shape(hub)] == [4, 1]
    assert_level(plant, hub)
    with read(plant.node.engine) as conn:
        (gone,) = list_missing(conn)
    assert (gone.first, gone.last, gone.count, gone.held_by) == (5, 7, 3, "")


@pytest.mark.fault(43, 44)
def test_two_restores_in_a_row_from_different_backups_bring_every_branch_back(kit, pair):
    plant, hub = pair
    plant.create(3)
    first = backup(plant, "first")
    plant.create(2)
    sync(kit, plant, hub)
    plant.ground.anchoring.write_now()
    plant = put_back(kit, plant, first)
    plant.create(2)
    sync(kit, plant, hub)
    second = backup(plant, "second")
    plant.create(2)
    sync(kit, plant, hub)
    plant.ground.anchoring.write_now()
    plant = put_back(kit, plant, second)
    plant.create(1)
    sync(kit, plant, hub)
    plant.ground.anchoring.write_now()
    known = ids(hub)
    plant = put_back(kit, plant, first)
    plant.create(1)
    sync(kit, plant, hub)
    assert known < ids(plant)
    assert len(shape(plant)) == 4
    assert_level(plant, hub)
    assert_quiet(kit, plant, hub)


@pytest.mark.fault(45, 46, 47)
@pytest.mark.parametrize("which", ["last", "oldest", "emptied"])
def test_a_hub_put_back_to_any_backup_is_filled_again(kit, pair, which):
    plant, hub = pair
    copies = {"emptied": backup(hub, "emptied")}
    plant.create(3)
    sync(kit, plant, hub)
    copies["oldest"] = backup(hub, "oldest")
    plant.create(3)
    sync(kit, plant, hub)
    copies["last"] = backup(hub, "last")
    plant.create(3)
    sync(kit, plant, hub)
    before = hub.hash_of("ALD")
    hub = put_back(kit, hub, copies[which])
    sync(kit, plant, hub)
    assert hub.hash_of("ALD") == before
    assert_level(plant, hub)
    assert len(shape(plant)) == 1


@pytest.mark.fault(48)
def test_plant_and_hub_both_put_back_miss_only_what_both_lost(kit, pair):
    plant, hub = pair
    plant.create(3)
    sync(kit, plant, hub)
    hub_old, plant_old = backup(hub, "old"), backup(plant, "old")
    plant.create(2)
    kept = backup(plant, "newer")
    plant.create(4)
    sync(kit, plant, hub)
    plant.ground.anchoring.write_now()
    hub = put_back(kit, hub, hub_old)
    plant = put_back(kit, plant, plant_old)
    plant.create(1)
    sync(kit, plant, hub)
    assert_level(plant, hub)
    with read(plant.node.engine) as conn:
        assert [(gone.first, gone.last) for gone in list_missing(conn)] == [(4, 9)]
    plant.ground.anchoring.write_now()
    plant = put_back(kit, plant, kept)  # a later backup turns up: what it holds comes after all
    sync(kit, plant, hub)
    assert_level(plant, hub)
    assert plant.applied_of("ALD") == 6
    assert_quiet(kit, plant, hub)


@pytest.mark.fault(49)
def test_a_push_from_before_a_rollback_that_arrives_late_changes_nothing(kit, pair):
    plant, hub = pair
    plant.create(3)
    sync(kit, plant, hub)
    old = backup(hub, "old")
    plant.create(2)
    caller = kit.caller(plant, kit.memory(hub))
    sent = []
    inner = caller.transport.send
    caller.transport.send = lambda door, body: sent.append((door, body)) or inner(door, body)
    kit.drain(caller)
    late = next(body for door, body in sent if door == "push")
    hub = put_back(kit, hub, old)
    with pytest.raises(StaleSession):
        kit.memory(hub).send("push", late)
    assert hub.entries_of("ALD") == 3
    sync(kit, plant, hub)
    assert_level(plant, hub)


@pytest.mark.fault(19)
def test_a_crash_between_commit_and_anchor_opens_no_false_epoch_even_after_a_recovery(kit, pair):
    plant, hub = pair
    pieces = plant.create(3)
    old = backup(plant, "machine", with_anchor=True)
    plant.create(2)
    sync(kit, plant, hub)
    plant = put_back(kit, plant, old)
    plant.move(pieces[0], "bay")
    plant.ground.anchoring.write_now()
    remembered = anchor_file(plant.node).read_bytes()
    sync(kit, plant, hub)
    anchor_file(plant.node).write_bytes(remembered)  # as if the anchor had not been written any more
    before = shape(plant)
    plant = reopen(kit, plant)
    assert shape(plant) == before


@pytest.mark.fault(20)
def test_a_receipt_that_was_not_kept_costs_a_second_sending_and_nothing_else(kit, pair):
    plant, hub = pair
    plant.create(3)
    caller = kit.caller(plant, kit.memory(hub))
    session = kit.meet(caller)
    inner, lost = caller.transport.send, []

    def send(door, body):
        answer = inner(door, body)
        if door == "push" and not lost:
            lost.append(body)
            raise Unreachable("test", "the plant died before it kept the receipt")
        return answer

    caller.transport.send = send
    with pytest.raises(Unreachable):
        caller.push(session, caller.next_run(10))
    assert caller.next_run(10) is not None
    sync(kit, plant, hub)
    assert_level(plant, hub)
    assert hub.applied_of("ALD") == 3


def die_before_commit(box):
    with box.node.journal.work() as tx:
        moved = MaterialMoved(material_id=box.pieces[0], place="nowhere")
        tx.record(Draft(payload=moved, subjects=(box.pieces[0],), actor="p", occurred=Occurred(1, "manual")))
        raise RuntimeError("power")


@pytest.mark.fault(21)
def test_hashes_are_part_of_the_commit_so_a_crash_leaves_none_to_fill_in(kit, pair):
    plant, hub = pair
    plant.create(2)
    with pytest.raises(RuntimeError):
        die_before_commit(plant)
    plant = reopen(kit, plant)
    plant.create(2)
    sync(kit, plant, hub)
    assert [life[1] for life in shape(hub)] == [4]
    assert_level(plant, hub)


@pytest.mark.fault(36)
def test_a_deleted_write_ahead_log_is_seen_by_the_anchor(kit, pair):
    plant, hub = pair
    plant.create(3)
    sync(kit, plant, hub)
    with plant.node.engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    settled = file_of(plant).read_bytes()
    plant.create(2)  # these stand in the log only
    plant.ground.anchoring.write_now()
    plant.node.engine.dispose()
    file_of(plant).with_suffix(".sqlite-wal").unlink(missing_ok=True)
    file_of(plant).write_bytes(settled)  # closing moved the log into the file: undo that too
    plant = reopen(kit, plant)
    assert len(shape(plant)) == 2
    plant.create(1)
    sync(kit, plant, hub)
    assert_level(plant, hub)


@pytest.mark.fault(53)
def test_a_torn_copy_is_refused_with_what_to_do(kit, pair):
    from shared.errors import BadSetup

    plant, _hub = pair
    pieces = plant.create(40)
    for piece in pieces:
        plant.move(piece, "bay")
    old = backup(plant, "torn")
    plant.create(5)
    plant.ground.anchoring.write_now()
    torn = bytearray(old.read_bytes())
    for page in range(8, len(torn) // 4096 - 4, 3):
        torn[page * 4096 : page * 4096 + 2048] = bytes(2048)
    old.write_bytes(torn)
    with pytest.raises(BadSetup, match="damaged") as refusal:
        put_back(kit, plant, old)
    assert "enrol it again" in refusal.value.todo


@pytest.mark.fault(59)
def test_a_carried_fact_that_the_hub_had_already_has_its_effect_once(kit, pair):
    plant, hub = pair
    plant.create(2)
    old = backup(plant, "machine", with_anchor=True)
    shared = derived_id(1, "telegram", 7)
    piece = plant.pieces[0]
    plant.record(MaterialMoved(material_id=piece, place="bay 1"), piece, fact_id=shared)
    sync(kit, plant, hub)
    plant = put_back(kit, plant, old)
    plant.create(1)
    plant.record(MaterialMoved(material_id=piece, place="bay 1"), piece, fact_id=shared)
    sync(kit, plant, hub)
    assert_level(plant, hub)
    with read(hub.node.engine) as conn:
        places = conn.execute(select(func.count()).where(entry.c.fact_id == shared)).scalar_one()
    assert places == 1
    assert hub.applied_of("ALD") == 4


@pytest.mark.fault(58)
def test_the_same_message_read_again_after_a_restore_gives_way_to_what_the_hub_holds(kit, pair):
    plant, hub = pair
    plant.create(2)
    old = backup(plant, "old")
    piece, again = plant.pieces[0], derived_id(1, "telegram", 7)
    plant.record(MaterialMoved(material_id=piece, place="bay 1"), piece, fact_id=again)
    plant.ground.anchoring.write_now()
    sync(kit, plant, hub)
    plant = put_back(kit, plant, old)
    kit.clock.advance(60_000)
    plant.record(MaterialMoved(material_id=piece, place="bay 1"), piece, fact_id=again)  # other time: other bytes
    later = plant.move(piece, "bay 2")
    sync(kit, plant, hub)
    assert_level(plant, hub)
    assert later in ids(hub)
    assert plant.applied_of("ALD") == 4
    with read(plant.node.engine) as conn:
        fates = dict(conn.execute(select(entry_abandoned.c.fact_id, entry_abandoned.c.fate)).all())
        told = conn.execute(select(incident.c.evidence).where(incident.c.kind == "recovered")).scalar_one()
    assert fates == {again: "contradicted", later: "carried"}
    assert again in told
    assert_quiet(kit, plant, hub)


@pytest.mark.fault(58)
def test_an_id_that_comes_with_other_bytes_is_told_and_the_first_stay(kit, pair):
    plant, hub = pair
    caller = kit.caller(plant, kit.memory(hub))
    session = caller.hello()
    first, other = kit.raw_fact(1), kit.raw_fact(1, actor="p2")
    after = kit.raw_fact(2, subjects=[{"id": "m1", "prev": derived_id(1_001, "raw", 1)}])
    kit.memory(hub).send("push", kit.forge(plant, session, [first, other, after]))
    assert hub.apply() == 2  # what follows about the same piece does not wait for the second
    assert "same_id" in kinds(hub)
    with read(hub.node.engine) as conn:
        fact_id = derived_id(1_001, "raw", 1)
        assert conn.execute(select(fact.c.body).where(fact.c.fact_id == fact_id)).scalar_one() == first


def test_a_seal_that_no_key_of_ours_made_is_not_taken_over_without_an_operator(kit, pair):
    plant, hub = pair
    plant.create(2)
    old = backup(plant, "old")
    plant.create(3)
    plant.ground.anchoring.write_now()
    sync(kit, plant, hub)
    plant = put_back(kit, plant, old)
    with write(plant.node.engine) as conn:  # as if the key had been another one
        conn.execute(update(node_key).where(node_key.c.node == "ALD").values(public_key=bytes(32)))
    with pytest.raises(Unproven) as refusal:
        sync(kit, plant, hub)
    epoch, digest = refusal.value.todo.split()[-2:]
    assert "unproven_history" in kinds(plant)
    assert plant.entries_of("ALD") == 2
    with write(plant.node.engine) as conn:
        conn.execute(accepted.insert().values(stream="ALD", epoch=epoch, hash=digest, at_ms=1))
    sync(kit, plant, hub)
    assert plant.entries_of("ALD") == 5


def test_a_plant_that_writes_on_while_its_history_is_fetched_loses_nothing(kit, pair):
    plant, hub = pair
    pieces = plant.create(4)
    old = backup(plant, "machine", with_anchor=True)
    plant.create(6)
    sync(kit, plant, hub, entries_max=2)
    plant = put_back(kit, plant, old)
    caller = kit.caller(plant, kit.memory(hub))
    inner = caller.transport.send

    def send(door, body):
        if door == "history":
            plant.move(pieces[0], f"bay {plant.entries_of('ALD')}")
        return inner(door, body)

    caller.transport.send = send
    kit.drain(caller)
    hub.apply()
    assert plant.entries_of("ALD") == 10 + 3
    assert_level(plant, hub)
    assert_quiet(kit, plant, hub)


def test_a_fetch_that_was_cut_short_goes_on_where_it_stopped(kit, pair):
    plant, hub = pair
    plant.create(2)
    old = backup(plant, "old")
    plant.create(8)
    plant.ground.anchoring.write_now()
    sync(kit, plant, hub, entries_max=2)
    plant = put_back(kit, plant, old)
    caller = kit.caller(plant, kit.memory(hub))
    inner, wishes = caller.transport.send, []

    def send(door, body):
        if door == "history":
            wishes.append(body)
            if len(wishes) == 3:
                raise Unreachable("test", "cut")
        return inner(door, body)

    caller.transport.send = send
    with pytest.raises(Unreachable):
        kit.drain(caller)
    assert plant.entries_of("ALD") == 2
    kit.drain(caller)
    hub.apply()
    assert len(wishes) == 5  # four batches, one of them asked for twice
    assert_level(plant, hub)


def test_a_fetch_that_was_cut_short_goes_on_with_a_hub_that_has_less_since(kit, pair):
    """What was fetched went further than what is to be taken now, by whole batches: the exchange ended in an error, at
    every start anew."""
    plant, hub = pair
    plant.create(2)
    old = backup(plant, "old")
    plant.create(1)
    plant.ground.anchoring.write_now()
    sync(kit, plant, hub, entries_max=1)
    less = backup(hub, "less")
    plant.create(5)
    plant.ground.anchoring.write_now()
    sync(kit, plant, hub, entries_max=1)
    plant = put_back(kit, plant, old)
    caller = kit.caller(plant, kit.memory(hub))
    inner, wishes = caller.transport.send, []

    def send(door, body):
        wishes.append(door)
        if wishes.count("history") == 5:
            raise Unreachable("test", "cut")
        return inner(door, body)

    caller.transport.send = send
    with pytest.raises(Unreachable):
        kit.drain(caller)
    hub = put_back(kit, hub, less)
    sync(kit, plant, hub)
    assert [life[1] for life in shape(plant)] == [3, 0]
    assert_level(plant, hub)


def test_the_place_of_a_fork_far_back_is_found_by_probes(kit, pair):
    plant, hub = pair
    pieces = plant.create(2)
    old = backup(plant, "machine", with_anchor=True)
    for n in range(150):
        plant.move(pieces[0], f"a{n}")
    sync(kit, plant, hub, 2_000)
    plant = put_back(kit, plant, old)
    for n in range(160):
        plant.move(pieces[1], f"b{n}")
    sync(kit, plant, hub, 2_000)
    with read(plant.node.engine) as conn:
        assert conn.execute(select(func.min(entry_abandoned.c.seq))).scalar_one() == 3
    assert [life[1] for life in shape(hub)] == [152, 160]
    assert_level(plant, hub)


def test_a_hub_rolled_back_unseen_that_wrote_on_sends_its_facts_again_in_a_new_epoch(kit, pair):
    plant, hub = pair

    def send_down(count):
        hub.create(count)
        with hub.node.journal.work() as tx:
            query = select(applied.c.fact_id).where(applied.c.author == "HUB")
            for fact_id in tx.conn.execute(query).scalars().all():
                tx.relay(fact_id, "HUB>ALD")

    def pull():
        caller = kit.caller(plant, kit.memory(hub))
        session = kit.meet(caller)
        while caller.pull(session, 0):
            pass
        plant.apply()

    send_down(2)
    pull()
    old = backup(hub, "machine", with_anchor=True)
    send_down(3)
    pull()
    hub = put_back(kit, hub, old)
    hub.pieces += ["x"]  # another piece than before
    send_down(4)
    pull()
    assert "downlink_parted" in kinds(hub)
    assert plant.applied_of("HUB") == 2 + 3 + 4
    pull()
    with read(hub.node.engine) as conn:
        assert verify(conn).findings == ()
        before = [life.epoch for life in lives(conn, "HUB>ALD")]
    pull()
    assert [life[0] for life in shape(hub, "HUB>ALD")] == before


def test_an_anchor_remembers_numbers_keys_and_peers(kit, pair):
    plant, hub = pair
    plant.create(1)
    sync(kit, plant, hub)
    plant.ground.anchoring.write_now()
    kept = read_anchor(anchor_file(plant.node))
    assert set(kept.peers) == {"HUB"}
    with read(plant.node.engine) as conn:
        assert keys_of(conn, "ALD") == {plant.node.key.id: plant.node.key.public}
        assert content_hash(conn, "ALD") == plant.hash_of("ALD")


def test_what_comes_back_wrong_on_the_way_is_never_taken(kit, pair):
    plant, hub = pair
    plant.create(2)
    old = backup(plant, "old")
    plant.create(4)
    plant.ground.anchoring.write_now()
    sync(kit, plant, hub)
    plant = put_back(kit, plant, old)
    caller = kit.caller(plant, kit.memory(hub))
    inner = caller.transport.send
    for spoil in (lambda body: body[:-3] + b"abc", lambda body: body[: len(body) // 2], lambda body: b"<html>"):
        caller.transport.send = lambda door, body, spoil=spoil: (
            spoil(inner(door, body)) if door == "history" else inner(door, body)
        )
        with pytest.raises((Unreachable, OutOfStep)):
            kit.drain(caller)
        assert plant.entries_of("ALD") == 2
    caller.transport.send = inner
    kit.drain(caller)
    assert plant.entries_of("ALD") == 6


def test_a_hub_of_an_earlier_release_gives_nothing_back_and_the_plant_goes_on_and_says_so(kit, pair):
    plant, hub = pair
    plant.create(2)
    old = backup(plant, "old")
    plant.create(3)
    plant.ground.anchoring.write_now()
    sync(kit, plant, hub)
    plant = put_back(kit, plant, old)
    caller = kit.caller(plant, kit.memory(hub))
    inner = caller.transport.send

    def send(door, body):
        answer = inner(door, body)
        if door != "hello":
            return answer
        word = open_signed(answer, WELCOME, Welcome, {hub.node.key.id: hub.node.key.public}, "ALD")
        holds = tuple(EpochState(s.stream, s.epoch, s.seq, s.hash) for s in word.holds)
        return sign(hub.node.key, WELCOME, msgspec.structs.replace(word, can=(), counters={}, holds=holds))

    caller.transport.send = send
    plant.create(1)
    kit.drain(caller)
    hub.apply()
    assert (plant.entries_of("ALD"), hub.entries_of("ALD")) == (3, 6)
    assert "behind" in kinds(plant)
    sync(kit, plant, hub)  # the hub was upgraded
    assert_level(plant, hub)
    assert plant.applied_of("ALD") == 6
