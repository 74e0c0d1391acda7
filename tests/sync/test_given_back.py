"""A hub that lost what it wrote itself gets it back from the plants that it had sent it to."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from sqlalchemy import insert, select

from shared.db.engine import open_engine, read, write
from shared.errors import NotFound, Refused
from shared.journal.reading import lives
from shared.journal.rebuild import rebuild
from shared.journal.tables import entry, epoch
from shared.journal.verify import verify
from shared.keys import fingerprint
from shared.node import create_tables
from sync.giving_back import give_back
from sync.losses import list_missing
from sync.own_keys import accept_key, list_claims
from sync.proof import check_seals
from sync.restoring import put_back
from sync.tables import incident, staged


def say(hub, *plants, count=3):
    """The hub writes slabs of its own and sends each to these plants."""
    made = []
    for _ in range(count):
        hub.create()
        with read(hub.node.engine) as conn:
            (last,) = conn.execute(
                select(entry.c.fact_id)
                .where(entry.c.stream == "HUB", entry.c.epoch == lives(conn, "HUB")[-1].epoch)
                .order_by(entry.c.seq.desc())
                .limit(1)
            ).scalars()
        made.append(last)
        with hub.node.journal.work() as tx:
            for plant in plants:
                tx.relay(last, f"HUB>{plant.code}")
    return made


def meet(kit, plant, hub, way=None):
    """Hello, what has parted, and all that is on its way down."""
    caller = kit.caller(plant, way or kit.memory(hub))
    session = kit.meet(caller)
    while caller.pull(session, 0):
        pass
    plant.apply()
    return caller


def empty(kit, hub, keys=True):
    """The hub's disk is gone, its anchor with it, and its keys too unless they were kept elsewhere."""
    hub.node.engine.dispose()
    folder = hub.node.settings.folder
    for file in folder.iterdir():
        if file.is_file():
            file.unlink()
    if not keys:
        shutil.rmtree(folder)
    else:
        create_tables(open_engine(f"sqlite:///{folder / 'node.sqlite'}"))
    return kit.hub()


def backup(box):
    """A copy of a node's database, consistent because nobody writes."""
    file = box.node.settings.folder / "node.sqlite"
    with box.node.engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return shutil.copy(file, file.with_suffix(".backup"))


def restore(box, copy):
    """Put an older database in place of the present one; the anchor beside it stays."""
    box.ground.anchoring.write_now()
    box.node.engine.dispose()
    file = box.node.settings.folder / "node.sqlite"
    for leftover in (file, file.with_suffix(".sqlite-wal"), file.with_suffix(".sqlite-shm")):
        leftover.unlink(missing_ok=True)
    shutil.copy(copy, file)


def own_facts(box, author="HUB"):
    with read(box.node.engine) as conn:
        rows = conn.execute(
            select(entry.c.fact_id)
            .join(epoch, (epoch.c.stream == entry.c.stream) & (epoch.c.epoch == entry.c.epoch))
            .where(entry.c.stream == author)
            .order_by(epoch.c.ordinal, entry.c.seq)
        )
        return list(rows.scalars())


def sound(box):
    with write(box.node.engine) as conn:
        assert verify(conn).findings == ()
        assert check_seals(conn, box.node.key.public).findings == ()
        before = box.hash_of("HUB")
        rebuild(conn, box.node.journal.appliers, 1)
    assert box.hash_of("HUB") == before
    return True


def told(box, kind):
    with read(box.node.engine) as conn:
        return conn.execute(select(incident.c.what).where(incident.c.kind == kind)).scalars().all()


@pytest.fixture
def group(kit):
    hub, ald, brk = kit.hub(), kit.plant(), kit.plant("BRK")
    for plant in (ald, brk):
        kit.enrol(plant, hub)
        kit.drain(kit.caller(plant, kit.memory(hub)))
    return hub, ald, brk


@pytest.mark.fault(47)
def test_an_emptied_hub_has_its_own_facts_again_once_the_plants_have_met_it(kit, group):
    hub, ald, brk = group
    first = say(hub, ald)
    both = say(hub, ald, brk)
    last = say(hub, brk)
    for plant in (ald, brk):
        meet(kit, plant, hub)
    rows = hub.hash_of("HUB")
    hub = empty(kit, hub)
    for plant in (ald, brk):
        kit.enrol(plant, hub)
    assert own_facts(hub) == []
    meet(kit, ald, hub, kit.http(kit.serve(hub)))
    assert own_facts(hub) == first + both
    meet(kit, brk, hub)
    assert own_facts(hub) == first + both + last
    assert hub.hash_of("HUB") == rows
    assert sound(hub)
    assert len(told(hub, "given_back")) == 2
    with read(hub.node.engine) as conn:
        assert list_missing(conn) == []


def test_what_the_emptied_hub_wrote_since_comes_after_what_it_wrote_before(kit, group):
    hub, ald, _ = group
    old = say(hub, ald)
    pieces = list(hub.pieces)
    moved = hub.move(pieces[0], "first place")
    with hub.node.journal.work() as tx:
        tx.relay(moved, "HUB>ALD")
    meet(kit, ald, hub)
    hub = empty(kit, hub)
    kit.enrol(ald, hub)
    since = hub.move(pieces[0], "second place")
    meet(kit, ald, hub)
    assert own_facts(hub) == [*old, moved, since]
    with read(hub.node.engine) as conn:
        place = conn.exec_driver_sql(
            f"SELECT place FROM material WHERE author = 'HUB' AND material_id = '{pieces[0]}'"
        ).scalar()
        assert place == "second place"
    assert sound(hub)
    new = say(hub, ald, count=1)
    meet(kit, ald, hub)
    assert ald.applied_of("HUB") == 5
    assert own_facts(hub)[-1:] == new


def test_a_hub_put_back_to_a_backup_gets_back_what_it_wrote_after_it(kit, group):
    hub, ald, brk = group
    old = say(hub, ald, brk)
    meet(kit, ald, hub)
    kept = backup(hub)
    late = say(hub, ald)
    unsent = say(hub)
    meet(kit, ald, hub)
    meet(kit, brk, hub)
    restore(hub, kept)
    hub = kit.hub()
    with read(hub.node.engine) as conn:
        assert sum(item.count for item in list_missing(conn)) == 9, (
            "three sent ones in two streams, three that were not"
        )
    meet(kit, ald, hub)
    assert sorted(own_facts(hub)) == sorted(old + late)
    assert sound(hub)
    with read(hub.node.engine) as conn:
        assert [(item.stream, item.count, item.held_by) for item in list_missing(conn)] == [("HUB", 3, "")], unsent
    say(hub, ald)
    meet(kit, ald, hub)
    assert ald.applied_of("HUB") == len(own_facts(hub)) == 9


def test_a_hub_without_its_keys_waits_until_two_people_know_its_old_one(kit, group):
    hub, ald, brk = group
    said = say(hub, ald, brk)
    old_key = fingerprint(hub.node.key.public)
    for plant in (ald, brk):
        meet(kit, plant, hub)
    hub = empty(kit, hub, keys=False)
    assert fingerprint(hub.node.key.public) != old_key
    for plant in (ald, brk):
        kit.enrol(plant, hub)
        meet(kit, plant, hub)
        meet(kit, plant, hub)
    assert own_facts(hub) == []
    assert len(told(hub, "own_history_waits")) == 2
    assert all(f"history accept {old_key}" in what for what in told(hub, "own_history_waits"))
    with read(hub.node.engine) as conn:
        (claim,) = list_claims(conn, "HUB")
    assert (claim.fingerprint, claim.readers, claim.entries) == (old_key, ("ALD", "BRK"), 6)
    with pytest.raises(NotFound):
        accept_key(hub.node, fingerprint(ald.node.key.public), "anna")
    assert accept_key(hub.node, old_key, "anna").startswith("Proposed")
    with pytest.raises(Refused, match="cannot confirm"):
        accept_key(hub.node, old_key, "anna")
    assert own_facts(hub) == []
    assert "3 facts of HUB came back" in accept_key(hub.node, old_key, "berta")
    assert own_facts(hub) == said
    assert sound(hub)
    assert any("anna and berta" in what for what in told(hub, "own_key"))


def test_what_was_not_sealed_by_the_hub_is_refused_and_holds_up_nothing(kit, group):
    hub, ald, _ = group
    say(hub, ald)
    meet(kit, ald, hub)
    hub = empty(kit, hub)
    kit.enrol(ald, hub)
    with write(ald.node.engine) as conn:  # somebody at the plant changed a byte, and signs it as given
        (body,) = conn.exec_driver_sql("SELECT body FROM fact WHERE author = 'HUB' LIMIT 1").scalars()
        for name in (
            conn.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'fact'")
            .scalars()
            .all()
        ):
            conn.exec_driver_sql(f"DROP TRIGGER {name}")
        conn.exec_driver_sql("UPDATE fact SET body = ? WHERE body = ?", (body.replace(b"yard", b"lard"), body))
    ald.create(2)
    kit.drain(kit.caller(ald, kit.memory(hub)))
    assert own_facts(hub) == []
    assert hub.entries_of("ALD") == 2


def test_a_batch_under_way_twice_or_for_another_hub_changes_nothing(kit, group):
    hub, ald, brk = group
    said = say(hub, ald, count=5)
    caller = kit.caller(ald, kit.memory(hub))
    session = kit.meet(caller)
    for _ in range(3):  # three batches
        caller.pull(session, 0)
    hub = empty(kit, hub)
    kit.enrol(ald, hub)
    kit.enrol(brk, hub)
    kept = []
    way = kit.memory(hub)
    send = way.send

    def twice(door, body):
        if door == "giveback":
            kept.append(body)
            send(door, body)
        return send(door, body)

    way.send = twice
    meet(kit, ald, hub, way)
    assert own_facts(hub) == said
    for body in kept:
        kit.memory(hub).send("giveback", body)
    assert own_facts(hub) == said
    assert hub.entries_of("HUB>ALD") == 5
    assert sound(hub)


def test_an_older_hub_is_offered_nothing(kit, group):
    hub, ald, _ = group
    say(hub, ald)
    caller = meet(kit, ald, hub)
    hub = empty(kit, hub)
    kit.enrol(ald, hub)
    caller = kit.caller(ald, kit.memory(hub))
    session = caller.hello()
    older = replace(session, can=("history",))
    assert give_back(caller, older) == 0
    assert own_facts(hub) == []


def test_what_waits_and_does_not_follow_any_more_is_given_back_anew(kit, group):
    """The hub's own place changed while something waited: what waited is dropped, and comes from the right place."""
    hub, ald, _ = group
    old = say(hub, ald, count=2)
    meet(kit, ald, hub)
    kept = backup(hub)
    late = say(hub, ald, count=4)
    meet(kit, ald, hub)
    restore(hub, kept)
    hub = kit.hub()
    caller = kit.caller(ald, kit.memory(hub))
    session = caller.hello()
    seen = []

    def only_some(door, body):
        if door == "giveback":
            seen.append(body)
        return hub_way(door, body)

    way = kit.memory(hub)
    hub_way, way.send = way.send, only_some
    give_back(kit.caller(ald, way), session)
    assert set(own_facts(hub)) == {*old, *late}
    with write(hub.node.engine) as conn:  # as if it had waited since the time before
        place = {"stream": "HUB>ALD", "epoch": lives(conn, "HUB>ALD")[0].epoch, "first": 1, "last": 9, "head": "0" * 64}
        conn.execute(insert(staged).values(**place, body=seen[-1], at_ms=1))
        assert put_back(conn, "HUB", hub.node.clock, hub.node.journal.appliers) == 0
        assert conn.execute(select(staged.c.epoch)).all() == []
    assert sound(hub)


def lives_of(box, stream):
    with read(box.node.engine) as conn:
        return [life.epoch for life in lives(conn, stream)]


def put_back_to(kit, hub, copy, anchor=True):
    """The hub from an older copy, and the epoch of its way to ALD that it works in from then on."""
    restore(hub, copy)
    if not anchor:
        (hub.node.settings.folder / "anchor.json").unlink()
    hub = kit.hub()
    return hub, lives_of(hub, "HUB>ALD")[-1]


def test_an_epoch_that_grew_from_an_empty_and_lost_one_comes_back_behind_what_was_before_it(kit, group):
    """Its parent was nowhere, so it was put before all others; a reader made anew then took them in that order."""
    hub, ald, _ = group
    say(hub, ald)
    meet(kit, ald, hub)
    first_copy = shutil.copy(backup(hub), hub.node.settings.folder / "first.backup")
    say(hub, ald)
    meet(kit, ald, hub)
    hub, empty_one = put_back_to(kit, hub, first_copy)
    second_copy = backup(hub)
    hub.create()
    hub, grown = put_back_to(kit, hub, second_copy)
    say(hub, ald)
    meet(kit, ald, hub)
    hub, now = put_back_to(kit, hub, first_copy, anchor=False)
    assert empty_one not in lives_of(hub, "HUB>ALD")
    say(hub, ald)
    meet(kit, ald, hub)
    found = lives_of(hub, "HUB>ALD")
    assert (found.index(grown), found[-1]) == (1, now), found
    assert sound(hub)
    assert ald.applied_of("HUB") == len(own_facts(hub)) == 12
    for _ in range(4):  # several that grew from the same one come back in no order of their own
        hub, now = put_back_to(kit, hub, first_copy, anchor=False)
        say(hub, ald, count=1)
        meet(kit, ald, hub)
        found = [*found, now]
        assert lives_of(hub, "HUB>ALD") == found == lives_of(ald, "HUB>ALD")
    assert sound(hub)


def test_what_is_written_where_an_epoch_ended_for_its_reader_breaks_no_chain(kit, group):
    """The hub was rolled back with its anchor to before an epoch that its reader gives back then: it wrote on in the one
    before it, took what it had written there aside, and went on from the wrong hash: its reader was refused for ever."""
    hub, ald, _ = group
    say(hub, ald)
    meet(kit, ald, hub)
    copy = shutil.copy(backup(hub), hub.node.settings.folder / "first.backup")
    hub.ground.anchoring.write_now()
    anchor = shutil.copy(hub.node.settings.folder / "anchor.json", hub.node.settings.folder / "anchor.backup")
    hub, _ = put_back_to(kit, hub, copy, anchor=False)
    say(hub, ald)
    meet(kit, ald, hub)
    restore(hub, copy)
    shutil.copy(anchor, hub.node.settings.folder / "anchor.json")
    hub = kit.hub()
    for _ in range(3):
        meet(kit, ald, hub)
        say(hub, ald)
    meet(kit, ald, hub)
    assert sound(hub)
    assert ald.applied_of("HUB") == len(own_facts(hub)) == 15
    assert len(lives_of(hub, "HUB>ALD")) == 3
