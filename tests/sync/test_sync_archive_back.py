"""A damaged or lost archive file comes back from the other side, to the byte, or is named with what to do."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select

from shared.db.engine import read, write
from shared.errors import Refused
from shared.journal import archive as moving
from shared.journal import segment_file
from shared.journal.archive_again import damaged_segments, filed_in, put_file_back
from shared.journal.archived import segments
from shared.journal.rebuild import rebuild
from shared.journal.tables import archive_content, entry
from shared.journal.verify import verify
from sync import archiving
from sync.archive_back import keep_piece
from sync.archiving import archive
from sync.compare_door import door, install_comparing
from sync.comparing import Comparing
from sync.errors import BadSeal, Unreachable
from sync.journal_commands import JournalBroken
from sync.keeping import verify_and_tell
from sync.tables import incident
from sync.wanting import wanted

DAY_MS = 86_400_000


@pytest.fixture
def archived(kit, monkeypatch):
    """Plant and hub whose first ten facts of twelve lie in two archive files each."""
    real = moving.Bounds
    monkeypatch.setattr(archiving, "Bounds", lambda *args: real(*args, entries=5))
    plant, hub = kit.plant(), kit.hub()
    kit.enrol(plant, hub)
    plant.create(12)
    kit.clock.advance(3 * DAY_MS)
    kit.drain(kit.caller(plant, kit.memory(hub)), entries_max=4)
    hub.apply()
    for box in (plant, hub):
        assert archive(box.node, 1).segments == 2
    segment_file.recent_segment.cache_clear()
    return plant, hub


def files(box):
    with read(box.node.engine) as conn:
        return [box.node.settings.archive_folder / segment.file for segment in segments(conn)]


def told(box):
    with read(box.node.engine) as conn:
        return list(conn.execute(select(incident.c.what).where(incident.c.kind == "archive")).scalars())


def spoil(file, how):
    if how == "gone":
        file.unlink()
    else:
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)


def fetching(kit, plant, hub):
    caller = kit.caller(plant, kit.memory(hub))
    session = caller.hello()
    return lambda stream, epoch, after: caller.history(session, epoch, after, stream)


@pytest.mark.fault(34)
@pytest.mark.parametrize("how", ["gone", "changed"])
def test_a_plants_file_comes_back_from_the_hub_to_the_byte(kit, archived, how):
    plant, hub = archived
    rows, before = plant.hash_of("ALD"), [file.read_bytes() for file in files(plant)]
    spoil(files(plant)[1], how)
    with pytest.raises(JournalBroken, match="archive file"):
        verify_and_tell(plant.node)
    assert "12 entries chained" in verify_and_tell(plant.node, fetching(kit, plant, hub))
    assert [file.read_bytes() for file in files(plant)] == before
    assert any("its 5 facts came back" in what for what in told(plant))
    with write(plant.node.engine) as conn:
        rebuild(conn, plant.node.journal.appliers, 1)
    assert plant.hash_of("ALD") == rows


@pytest.mark.fault(35)
def test_the_hubs_file_comes_back_from_its_author_at_the_next_comparison(kit, archived, monkeypatch):
    monkeypatch.setattr("sync.wanting.DAMAGED_MAX", 3)  # more is wanted than one answer names
    plant, hub = archived
    server = kit.serve(hub)
    server.server.app.register_blueprint(door)
    install_comparing(server.server.app, hub.node, lambda _author: None)
    before = [file.read_bytes() for file in files(hub)]
    for file in files(hub):
        spoil(file, "changed")
    with pytest.raises(JournalBroken, match="archive file"):
        verify_and_tell(hub.node)
    assert all("asked of ALD" in what for what in told(hub))
    with read(hub.node.engine) as conn:
        assert len(wanted(conn, "ALD")) == 3
    assert Comparing(plant.node, kit.http(server)).compare().answer == "same"
    assert [file.read_bytes() for file in files(hub)] == before
    assert "12 entries chained" in verify_and_tell(hub.node)
    assert sum("came back" in what for what in told(hub)) == 2
    with read(hub.node.engine) as conn:
        assert wanted(conn, "ALD") == ()
        assert damaged_segments(conn) == []
    left = hub.node.settings.archive_folder / "coming-back"
    assert list(left.iterdir()) == []


def test_a_piece_that_rots_while_it_waits_for_the_others_is_asked_for_again(kit, archived):
    plant, hub = archived
    server = kit.serve(hub)
    server.server.app.register_blueprint(door)
    install_comparing(server.server.app, hub.node, lambda _author: None)
    lost = files(hub)[0]
    before = lost.read_bytes()
    with write(hub.node.engine) as conn:
        segment = segments(conn)[0]
        pieces = filed_in(conn, segment)
        bodies = dict(segment_file.read_segment(lost, segment.sha256, segment.holds))
        lost.unlink()
        segment_file.recent_segment.cache_clear()
        for item in pieces[:-1]:
            assert not keep_piece(conn, segment, item, bodies[item.fact_id])
    folder = hub.node.settings.archive_folder / "coming-back" / str(segment.segment)
    spoil(folder / pieces[0].fact_id, "changed")
    with pytest.raises(JournalBroken, match="archive file"):
        verify_and_tell(hub.node)
    with read(hub.node.engine) as conn:
        assert len(wanted(conn, "ALD")) == 2  # the spoilt one, and the last
    with write(hub.node.engine) as conn:
        assert not keep_piece(conn, segment, pieces[-1], bodies[pieces[-1].fact_id])
    assert Comparing(plant.node, kit.http(server)).compare().answer == "same"
    assert lost.read_bytes() == before


def test_what_nobody_can_give_is_named_with_what_to_do(kit, archived):
    plant, hub = archived
    (first, _), entries = files(plant), plant.entries_of("ALD")
    spoil(first, "gone")

    def cut(_stream, _epoch, _after):
        raise Unreachable("sync.unreachable", "The line is cut.")

    with pytest.raises(JournalBroken):
        verify_and_tell(plant.node, cut)
    (what,) = told(plant)
    assert first.name in what
    assert "entries 1 to 5" in what
    assert "The line is cut." in what
    assert "from a backup of the archive folder" in what
    plant.create(1)  # work goes on
    assert plant.entries_of("ALD") == entries + 1
    spoil(files(hub)[0], "gone")  # and the other side has lost it as well
    with pytest.raises(JournalBroken):
        verify_and_tell(plant.node, fetching(kit, plant, hub))
    assert not first.exists()


def test_a_file_is_not_made_of_other_bytes_or_of_a_part(archived):
    plant, _ = archived
    with write(plant.node.engine) as conn:
        (segment, _) = segments(conn)
        with pytest.raises(Refused, match="not all of its facts"):
            put_file_back(conn, segment, {})


@pytest.fixture
def archived_down(kit, monkeypatch):
    """A plant whose first ten facts that came down to it lie in two archive files."""
    real = moving.Bounds
    monkeypatch.setattr(archiving, "Bounds", lambda *args: real(*args, entries=5))
    plant, hub = kit.plant(), kit.hub()
    kit.enrol(plant, hub)
    hub.create(12)
    with read(hub.node.engine) as conn:
        ids = conn.execute(select(entry.c.fact_id).order_by(entry.c.seq)).scalars().all()
    with hub.node.journal.work() as tx:
        for fact_id in ids:
            tx.relay(fact_id, "HUB>ALD")
    kit.drain(kit.caller(plant, kit.memory(hub)))
    caller = kit.caller(plant, kit.memory(hub))
    session = caller.hello()
    while caller.pull(session, 0):
        pass
    plant.apply()
    kit.clock.advance(3 * DAY_MS)
    assert archive(plant.node, 1).segments == 2
    segment_file.recent_segment.cache_clear()
    return plant, hub


@pytest.mark.fault(34)
@pytest.mark.parametrize("how", ["gone", "changed"])
def test_a_file_of_what_came_down_comes_from_the_hub_again(kit, archived_down, how):
    plant, hub = archived_down
    before, rows = [file.read_bytes() for file in files(plant)], plant.hash_of("HUB")
    spoil(files(plant)[1], how)
    assert "12 entries chained" in verify_and_tell(plant.node, fetching(kit, plant, hub))
    assert [file.read_bytes() for file in files(plant)] == before
    assert any("its 5 facts came back" in what for what in told(plant))
    with write(plant.node.engine) as conn:
        rebuild(conn, plant.node.journal.appliers, 1)
    assert plant.hash_of("HUB") == rows


@pytest.mark.fault(34)
def test_an_entry_of_what_came_down_comes_from_the_hub_again(kit, archived_down):
    plant, hub = archived_down
    with write(plant.node.engine) as conn:
        guards = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'fact'"
        for name in conn.exec_driver_sql(guards).scalars().all():
            conn.exec_driver_sql(f"DROP TRIGGER {name}")
        (last,) = conn.execute(select(entry.c.fact_id).where(entry.c.stream == "HUB>ALD", entry.c.seq == 12)).scalars()
        conn.exec_driver_sql(
            "UPDATE fact SET body = CAST(replace(body, 'yard', 'lard') AS BLOB) WHERE fact_id = ?", (last,)
        )
    with pytest.raises(JournalBroken):
        verify_and_tell(plant.node)
    assert "12 entries chained" in verify_and_tell(plant.node, fetching(kit, plant, hub))


def test_an_older_hub_gives_its_own_stream_to_nobody_and_the_file_is_named(archived_down):
    plant, _ = archived_down
    spoil(files(plant)[1], "gone")

    def refuses(stream, epoch, after):
        raise BadSeal("sync.not_its_stream", f"ALD asked for history of stream {stream}.")

    with pytest.raises(JournalBroken):
        verify_and_tell(plant.node, refuses)
    assert any("from a backup of the archive folder" in what for what in told(plant))


@pytest.mark.parametrize("listed_by", ["this release", "an older release"])
def test_a_release_that_packs_otherwise_makes_the_file_again(kit, archived, monkeypatch, listed_by):
    plant, hub = archived
    (first, second), rows = files(plant), plant.hash_of("ALD")
    before = first.read_bytes()
    if listed_by == "an older release":  # it knew the hash of the file alone
        with write(plant.node.engine) as conn:
            conn.execute(delete(archive_content))
    spoil(first, "changed")
    monkeypatch.setattr(segment_file, "LEVEL", 1)
    assert "12 entries chained" in verify_and_tell(plant.node, fetching(kit, plant, hub))
    assert first.read_bytes() != before
    assert second.exists()
    segment_file.recent_segment.cache_clear()
    with write(plant.node.engine) as conn:
        assert verify(conn).findings == ()
        rebuild(conn, plant.node.journal.appliers, 1)
    assert plant.hash_of("ALD") == rows
    spoil(first, "changed")  # and it is still watched: by what it holds
    segment_file.recent_segment.cache_clear()
    with read(plant.node.engine) as conn:
        assert [segment.file for segment in damaged_segments(conn)] == [first.name]


def test_files_that_an_older_release_listed_are_proved_by_their_own_hash(archived):
    plant, _ = archived
    with write(plant.node.engine) as conn:
        conn.execute(delete(archive_content))
        assert verify(conn).findings == ()
        assert [segment.holds for segment in segments(conn)] == ["", ""]
    spoil(files(plant)[0], "changed")
    with read(plant.node.engine) as conn:
        assert len(damaged_segments(conn)) == 1
