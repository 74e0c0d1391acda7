"""What a hub's disk made of the hub's own facts comes back from the plants that it once sent them to."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from shared.db.engine import read, write
from shared.ids import random_key
from shared.journal import archive as moving
from shared.journal import segment_file
from shared.journal.archived import segments
from shared.journal.rebuild import rebuild
from shared.journal.tables import entry
from sync import archiving
from sync.archiving import archive
from sync.compare_door import CompareDesk, door, install_comparing
from sync.compare_messages import MEND, Mend, Place
from sync.comparing import Comparing
from sync.errors import BadSeal
from sync.journal_commands import JournalBroken
from sync.keeping import verify_and_tell
from sync.limits import PROTOCOL
from sync.seal import payload_of, read_envelope, sign
from sync.tables import damage, incident

DAY_MS = 86_400_000


@pytest.fixture
def group(kit):
    """A hub that wrote twelve facts and sent them to two plants; ways for the plants to compare over."""
    hub, ald, brk = kit.hub(), kit.plant(), kit.plant("BRK")
    hub.create(12)
    with read(hub.node.engine) as conn:
        ids = conn.execute(select(entry.c.fact_id).order_by(entry.c.seq)).scalars().all()
    for plant in (ald, brk):
        kit.enrol(plant, hub)
        with hub.node.journal.work() as tx:
            for fact_id in ids:
                tx.relay(fact_id, f"HUB>{plant.code}")
        plant.create(1)
        caller = kit.caller(plant, kit.memory(hub))
        kit.drain(caller)
        session = caller.hello()
        while caller.pull(session, 0):
            pass
        plant.apply()
    hub.apply()
    server = kit.serve(hub)
    server.server.app.register_blueprint(door)
    install_comparing(server.server.app, hub.node, lambda _author: None)
    return hub, ald, brk, kit.http(server)


@pytest.fixture
def archived(kit, group, monkeypatch):
    """The same, and ten of the twelve lie in archive files of the hub."""
    real = moving.Bounds
    monkeypatch.setattr(archiving, "Bounds", lambda *args: real(*args, entries=5))
    kit.clock.advance(3 * DAY_MS)
    archive(group[0].node, 1)
    segment_file.recent_segment.cache_clear()
    return group


def files(hub, empty=False):
    with read(hub.node.engine) as conn:
        return [hub.node.settings.archive_folder / one.file for one in segments(conn) if bool(one.facts) != empty]


def told(box, kind):
    with read(box.node.engine) as conn:
        return list(conn.execute(select(incident.c.what).where(incident.c.kind == kind)).scalars())


def wanted_of(hub):
    with read(hub.node.engine) as conn:
        return set(conn.execute(select(damage.c.stream)).scalars())


@pytest.mark.fault(35)
@pytest.mark.parametrize(("who", "most"), [(("ALD", "BRK"), 100), (("BRK",), 3)])
def test_files_of_a_hubs_own_facts_come_back_from_any_plant_that_has_them(archived, monkeypatch, who, most):
    monkeypatch.setattr("sync.wanting.DAMAGED_MAX", most)
    hub, ald, brk, way = archived
    rows, before = hub.hash_of("HUB"), [file.read_bytes() for file in files(hub)]
    assert len(before) == 2
    files(hub)[0].unlink()
    files(hub)[1].write_bytes(b"SLA1 nothing that it was")
    empty = files(hub, empty=True)
    assert empty, "the second plant's stream has the same facts, and a file of its own without any"
    empty[0].unlink()
    with pytest.raises(JournalBroken, match="archive file"):
        verify_and_tell(hub.node)
    assert sum("asked of ALD, BRK" in what for what in told(hub, "archive")) == 2
    for plant in (ald, brk):
        if plant.code in who:
            assert Comparing(plant.node, way).compare().answer == "same"
    assert [file.read_bytes() for file in files(hub)] == before
    assert wanted_of(hub) == set()
    assert "chained" in verify_and_tell(hub.node)
    assert sum("5 facts came back" in what for what in told(hub, "archive")) == 2
    with write(hub.node.engine) as conn:
        rebuild(conn, hub.node.journal.appliers, 1)
    assert hub.hash_of("HUB") == rows


@pytest.mark.fault(35)
def test_an_entry_of_a_hubs_own_comes_back_and_what_was_sent_to_nobody_is_named(group):
    hub, ald, _, way = group
    hub.create(1)
    spoil_rows(hub, 7, 13)
    with pytest.raises(JournalBroken):
        verify_and_tell(hub.node)
    assert wanted_of(hub) == {"HUB>ALD", "HUB>BRK"}
    Comparing(ald.node, way).compare()
    assert any("HUB>ALD was damaged here; its bytes came back" in what for what in told(hub, "damaged"))
    assert wanted_of(hub) == set()
    with pytest.raises(JournalBroken) as broken:
        verify_and_tell(hub.node)
    assert {(found.stream, found.seq) for found in broken.value.findings} == {("HUB", 13)}


def spoil_rows(hub, *places):
    with write(hub.node.engine) as conn:
        guards = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'fact'"
        for name in conn.exec_driver_sql(guards).scalars().all():
            conn.exec_driver_sql(f"DROP TRIGGER {name}")
        for place in places:
            query = select(entry.c.fact_id).where(entry.c.stream == "HUB", entry.c.seq == place)
            spoilt = "UPDATE fact SET body = CAST(replace(body, 'yard', 'lard') AS BLOB) WHERE fact_id = ?"
            conn.exec_driver_sql(spoilt, (conn.execute(query).scalar_one(),))


def test_a_plant_sends_entries_of_its_own_streams_alone_and_only_right_bytes_count(archived):
    hub, ald, brk, _ = archived
    desk = CompareDesk(hub.node, lambda _author: None)
    with read(hub.node.engine) as conn:
        epoch = conn.execute(select(entry.c.epoch).where(entry.c.stream == "HUB>BRK").limit(1)).scalar_one()
    files(hub)[0].unlink()

    def send(plant, body=b"forged"):
        again = Mend(
            proto=PROTOCOL,
            node=plant.code,
            audience="HUB",
            sent_ms=1,
            place=Place(epoch, 1),
            stream="HUB>BRK",
            fact=body,
            nonce=random_key(),
        )
        return desk.answer(sign(plant.node.key, MEND, again))

    with pytest.raises(BadSeal, match="HUB>BRK"):
        send(ald)
    assert b"not_needed" in decoded(send(brk))


def decoded(raw):
    return payload_of(read_envelope(raw))
