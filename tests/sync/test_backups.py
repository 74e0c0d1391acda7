"""Backups: taken while somebody records, checked by restoring, put back, and what came after comes back from the hub."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import threading
from contextlib import closing, nullcontext

import click
import pytest
from click.testing import CliRunner

from shared.db.engine import read, write
from shared.errors import BadSetup, Unavailable
from shared.journal import archive as moving
from shared.journal.verify import verify
from sync import archiving
from sync.backups.checking import check_backup
from sync.backups.commands import add_backup_commands, backup
from sync.backups.databases import copy_sqlite, restore_postgres
from sync.backups.form import MANIFEST, BadBackup, check_files, read_manifest
from sync.backups.key_copy import copy_key, restore_key
from sync.backups.ledger import read_ledger
from sync.backups.putting_back import put_back
from sync.backups.taking import give_up, list_backups, take
from sync.commands import Door
from sync.gauges import node_measures
from sync.incidents import list_open

OF_A_NEWER_RELEASE = (
    "CREATE TYPE newer_kind AS ENUM ('slab', 'coil')",
    "CREATE TABLE newer (id bigserial PRIMARY KEY, kind newer_kind, fact_id text)",
    "CREATE FUNCTION newer_check() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TRIGGER newer_checks BEFORE INSERT ON newer FOR EACH ROW EXECUTE FUNCTION newer_check()",
    "CREATE VIEW newer_view AS SELECT fact.fact_id FROM fact JOIN newer USING (fact_id)",
)
NIGHTS_MS = 100 * 86_400_000


@pytest.fixture
def plant(kit):
    made = kit.plant()
    made.create(5)
    return made


def spool_of(box):
    """A second database, as a plant's spool is."""
    file = box.node.settings.folder / "spool.sqlite"
    with closing(sqlite3.connect(file)) as conn:
        conn.execute("CREATE TABLE IF NOT EXISTS message (spool_id INTEGER PRIMARY KEY)")
        conn.execute("INSERT INTO message DEFAULT VALUES")
        conn.commit()
    return file


def messages(file):
    with closing(sqlite3.connect(file)) as conn:
        return conn.execute("SELECT count(*) FROM message").fetchone()[0]


def stop(box):
    box.node.engine.dispose()
    return box.node.settings


def test_a_backup_taken_while_somebody_records_is_one_picture_and_holds(plant, tmp_path):
    spool_of(plant)
    ended = threading.Event()

    def record():
        while not ended.is_set():
            plant.create()

    writer = threading.Thread(target=record)
    writer.start()
    try:
        taken = [take(plant.node, tmp_path / "kept") for _ in range(3)]
    finally:
        ended.set()
        writer.join()
    whole, manifest = taken[-1]
    said = check_backup(whole)
    assert f"{plant.code} as of" in said
    assert manifest.heads[plant.code] >= 5
    assert [file.name for file in manifest.files] == ["node.sqlite", "spool.sqlite"]
    assert not list(whole.parent.glob("*.part"))
    assert not list(whole.parent.glob("check-*"))


def test_no_backup_has_a_key_or_an_anchor_in_it(plant, tmp_path):
    whole, _ = take(plant.node, tmp_path / "kept")
    secret = plant.node.settings.key_file.read_bytes()
    held = [file for file in whole.rglob("*") if file.is_file()]
    assert {file.name for file in held} == {MANIFEST, "node.sqlite"}
    assert all(secret not in file.read_bytes() for file in held)
    assert all(file.stat().st_mode & 0o077 == 0 for file in (whole, whole.parent))


def test_what_was_recorded_after_the_backup_comes_back_from_the_hub(kit, plant, tmp_path):
    hub = kit.hub()
    kit.enrol(plant, hub)
    whole, _ = take(plant.node, tmp_path / "kept")
    plant.create(7)
    kit.drain(kit.caller(plant, kit.memory(hub)))
    before = plant.hash_of(plant.code)
    settings = stop(plant)
    (settings.folder / "node.sqlite").write_bytes(b"the disk ate it")
    said = put_back(settings, whole, kit.clock)
    assert any("node.sqlite was put back" in line for line in said)
    plant = kit.plant()
    assert plant.entries_of(plant.code) == 5
    kit.drain(kit.caller(plant, kit.memory(hub)))
    hub.apply()
    assert plant.hash_of(plant.code) == before == hub.hash_of(plant.code)
    aside = list(settings.folder.glob("aside-*"))
    assert [file.read_bytes() for file in aside[0].glob("node.sqlite")] == [b"the disk ate it"]


def test_a_spool_that_is_there_is_newer_and_stays_one_that_is_gone_comes_back(kit, plant, tmp_path):
    file = spool_of(plant)
    whole, _ = take(plant.node, tmp_path / "kept")
    spool_of(plant)
    settings = stop(plant)
    assert any("spool.sqlite was kept" in line for line in put_back(settings, whole, kit.clock))
    assert messages(file) == 2
    kit.clock.advance(1_000)
    put_back(settings, whole, kit.clock, everything=True)
    assert messages(file) == 1, "on another machine the spool that began there gives way"
    file.unlink()
    kit.clock.advance(1_000)
    assert any("spool.sqlite was put back" in line for line in put_back(settings, whole, kit.clock))
    assert messages(file) == 1


def test_archived_facts_are_in_it_and_the_second_backup_shares_their_files(kit, plant, tmp_path, monkeypatch):
    real = moving.Bounds
    monkeypatch.setattr(archiving, "Bounds", lambda *args: real(*args, entries=2))
    hub = kit.hub()
    kit.enrol(plant, hub)
    kit.clock.advance(NIGHTS_MS)
    kit.drain(kit.caller(plant, kit.memory(hub)))
    assert archiving.archive(plant.node, 90).segments == 2
    first, _ = take(plant.node, tmp_path / "kept")
    kit.clock.advance(1_000)
    second, manifest = take(plant.node, tmp_path / "kept")
    named = [file.name for file in manifest.files if file.name.startswith("archive/")]
    assert len(named) == 2
    assert all((first / name).samefile(second / name) for name in named)
    shutil.rmtree(first)
    assert "5 entries proved" in check_backup(second)
    settings = stop(plant)
    shutil.rmtree(settings.archive_folder)
    put_back(settings, second, kit.clock)
    with read(kit.plant().node.engine) as conn:
        assert verify(conn).findings == ()


def test_an_archive_file_that_rotted_in_a_backup_is_not_in_the_next(plant, tmp_path, kit):
    archive = plant.node.settings.archive_folder
    archive.mkdir()
    (archive / "a.sla").write_bytes(b"as it was written")
    first, _ = take(plant.node, tmp_path / "kept")
    (first / "archive/a.sla").write_bytes(b"as it is rotten..")  # as long as it was
    kit.clock.advance(1_000)
    second, manifest = take(plant.node, tmp_path / "kept")
    assert (second / "archive/a.sla").read_bytes() == b"as it was written"
    check_files(second, manifest)


@pytest.mark.parametrize("content", [b"", b"{"], ids=["empty", "cut off"])
def test_a_last_backup_that_cannot_be_read_is_told_and_the_next_is_whole_by_itself(plant, tmp_path, kit, content):
    archive = plant.node.settings.archive_folder
    archive.mkdir()
    (archive / "a.sla").write_bytes(b"as it was written")
    first, _ = take(plant.node, tmp_path / "kept")
    kit.clock.advance(1_000)
    last, _ = take(plant.node, tmp_path / "kept")
    (last / MANIFEST).write_bytes(content)
    kit.clock.advance(1_000)
    whole, _ = take(plant.node, tmp_path / "kept")
    assert "5 entries proved" in check_backup(whole)
    assert not (whole / "archive/a.sla").samefile(first / "archive/a.sla")
    with read(plant.node.engine) as conn:
        told = [row.what for row in list_open(conn) if row.kind == "backup"]
    assert len(told) == 1
    assert last.name in told[0]


def test_pictures_are_in_it_and_come_back(kit, plant, tmp_path):
    content = b"\xff\xd8\xff a dent"
    digest = hashlib.sha256(content).hexdigest()
    picture = plant.node.settings.folder / "photos" / digest[:2] / digest
    picture.parent.mkdir(parents=True)
    picture.write_bytes(content)
    picture.with_name(digest + ".new").write_bytes(b"being writ")
    take(plant.node, tmp_path / "kept")
    kit.clock.advance(1_000)
    whole, manifest = take(plant.node, tmp_path / "kept")
    assert [file.name for file in manifest.files] == ["node.sqlite", f"photos/{digest[:2]}/{digest}"]
    assert "5 entries proved" in check_backup(whole)
    settings = stop(plant)
    shutil.rmtree(settings.folder / "photos")
    assert not any("photos" in line for line in put_back(settings, whole, kit.clock))
    assert picture.read_bytes() == content


def test_two_databases_of_one_name_both_give_way_with_their_logs(plant, tmp_path, kit):
    folder = plant.node.settings.folder
    files = [folder / name for name in ("node.sqlite", "edge/node.sqlite")]
    files[1].parent.mkdir()
    copy_sqlite(files[0], files[1])
    whole, _ = take(plant.node, tmp_path / "kept")
    settings = stop(plant)
    held = {}
    for file in (*files, *(file.with_name("node.sqlite-wal") for file in files)):
        name = str(file.relative_to(folder))
        held[name] = f"what {name} held".encode()
        file.write_bytes(held[name])
    put_back(settings, whole, kit.clock, everything=True)
    (aside,) = folder.glob("aside-*")
    assert {str(f.relative_to(aside)): f.read_bytes() for f in aside.rglob("*") if f.is_file()} == held
    assert aside.stat().st_mode & 0o077 == (aside / "edge").stat().st_mode & 0o077 == 0
    with pytest.raises(BadSetup, match="there already"):
        put_back(settings, whole, kit.clock, everything=True)
    assert {name: (aside / name).read_bytes() for name in held} == held
    assert kit.plant().entries_of("ALD") == 5


@pytest.mark.parametrize("harm", ["changed", "missing", "cut off", "short"])
def test_a_backup_that_was_harmed_is_refused_and_nothing_is_touched(kit, plant, tmp_path, harm):
    whole, _ = take(plant.node, tmp_path / "kept")
    file = whole / "node.sqlite"
    if harm == "changed":
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    elif harm == "missing":
        file.unlink()
    elif harm == "cut off":
        (whole / MANIFEST).unlink()
    else:
        file.write_bytes(file.read_bytes()[:4096])
    with pytest.raises(BadBackup):
        check_backup(whole)
    settings = stop(plant)
    with pytest.raises(BadBackup):
        put_back(settings, whole, kit.clock)
    assert kit.plant().entries_of("ALD") == 5


def test_a_backup_of_a_changed_journal_does_not_hold(plant, tmp_path):
    with write(plant.node.engine) as conn:
        for (name,) in conn.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all():
            conn.exec_driver_sql(f"DROP TRIGGER {name}")
        conn.exec_driver_sql(
            "UPDATE fact SET body = CAST(replace(CAST(body AS TEXT), 'yard', 'Yard') AS BLOB) WHERE rowid = 2"
        )
    whole, _ = take(plant.node, tmp_path / "kept")
    with pytest.raises(BadBackup, match="do not hold"):
        check_backup(whole)


def test_the_last_ones_and_the_first_of_each_day_stay(kit, plant, tmp_path):
    into = tmp_path / "kept"
    for _ in range(8):
        take(plant.node, into)
        kit.clock.advance(12 * 3_600_000)
    assert give_up(into, "ALD", keep=2, days=2) == 5
    stayed = [folder.name for folder in list_backups(into, "ALD")]
    assert stayed == ["ALD-20260313T050000Z", "ALD-20260314T050000Z", "ALD-20260314T170000Z"]


def test_another_nodes_backup_and_a_lost_key_are_refused_in_words(kit, plant, tmp_path):
    hub = kit.hub()
    other, _ = take(hub.node, tmp_path / "kept")
    mine, _ = take(plant.node, tmp_path / "kept")
    settings = stop(plant)
    with pytest.raises(BadSetup, match="is of HUB"):
        put_back(settings, other, kit.clock)
    copy = tmp_path / "ald.key"
    with pytest.raises(BadSetup, match="characters"):
        copy_key(settings, copy, "short")
    shown = copy_key(settings, copy, "long enough for me")
    shutil.rmtree(settings.folder)
    settings.folder.mkdir()
    with pytest.raises(BadSetup, match="no key"):
        put_back(settings, mine, kit.clock)
    with pytest.raises(BadSetup, match="cannot be opened"):
        restore_key(settings, copy, "not the passphrase")
    assert restore_key(settings, copy, "long enough for me") == shown
    put_back(settings, mine, kit.clock)
    assert kit.plant().entries_of("ALD") == 5


def test_the_commands_and_the_figures_tell_of_the_last_one(kit, plant, tmp_path):
    group = click.Group()
    settings = plant.node.settings
    add_backup_commands(group, lambda _file: settings, lambda _settings: nullcontext())
    runner = CliRunner()
    door = Door(lambda _file: plant.node, dict)
    into = str(tmp_path / "kept")
    said = runner.invoke(group, ["backup", "--config", "x", "--to", into, "--check"], obj=door, catch_exceptions=False)
    assert "entries proved" in said.output
    (whole,) = list_backups(tmp_path / "kept", "ALD")
    assert read_manifest(whole).node == "ALD"
    assert "holds" in runner.invoke(backup, ["verify", str(whole)], catch_exceptions=False).output
    kit.clock.advance(60_000)
    figures = {one.name: one.value for one in node_measures(plant.node)}
    assert figures["strandline_backup_age_seconds"] == figures["strandline_backup_checked_age_seconds"] == 60
    assert figures["strandline_backup_bytes"] == read_ledger(settings.folder).bytes > 0
    stop(plant)
    done = runner.invoke(group, ["restore", "--config", "x", "--from", str(whole)], catch_exceptions=False)
    assert "upgrade command" in done.output


@pytest.mark.postgres
def test_a_postgres_database_goes_and_comes_back_whole(kit, postgres_url, tmp_path):
    hub = kit.hub(postgres_url)
    hub.create(4)
    whole, manifest = take(hub.node, tmp_path / "kept")
    assert manifest.main == "node.pgdump"
    with pytest.raises(BadSetup, match="scratch-url"):
        check_backup(whole)
    hub.create(3)
    with write(hub.node.engine) as conn:
        for statement in OF_A_NEWER_RELEASE:
            conn.exec_driver_sql(statement)
    settings = stop(hub)
    cut_off = tmp_path / "cut_off.pgdump"
    cut_off.write_bytes((whole / manifest.main).read_bytes()[:-1_000])
    with pytest.raises(Unavailable, match="failed"):
        restore_postgres(cut_off, postgres_url)
    hub = kit.hub(postgres_url)
    assert hub.entries_of("HUB") == 7, "wholly or not at all"
    stop(hub)
    put_back(settings, whole, kit.clock)
    hub = kit.hub(postgres_url)
    assert hub.entries_of("HUB") == 4
    with write(hub.node.engine) as conn:
        for statement in OF_A_NEWER_RELEASE:  # as its upgrade does once more
            conn.exec_driver_sql(statement)
    stop(hub)
    (before,) = settings.folder.glob("aside-*/node.pgdump")
    restore_postgres(before, postgres_url)
    hub = kit.hub(postgres_url)
    assert hub.entries_of("HUB") == 7, "what gave way is all there"
    stop(hub)
    assert "4 entries proved" in check_backup(whole, postgres_url)


@pytest.mark.postgres
def test_a_postgres_database_that_cannot_be_reached_is_said_by_its_client(tmp_path, postgres_url):
    with pytest.raises(Unavailable, match=r"psql failed: .*no_such"):
        restore_postgres(tmp_path / "none", postgres_url.replace("@/t", "@/no_such"))


def test_a_copy_is_made_of_what_is_committed_only(tmp_path):
    source, target = tmp_path / "a.sqlite", tmp_path / "b.sqlite"
    with closing(sqlite3.connect(source)) as conn:
        conn.execute("PRAGMA journal_mode=WAL")
        conn.execute("CREATE TABLE t (n INTEGER)")
        conn.execute("INSERT INTO t VALUES (1)")
        conn.commit()
        conn.execute("INSERT INTO t VALUES (2)")
        copy_sqlite(source, target)
        conn.rollback()
    with closing(sqlite3.connect(target)) as conn:
        assert conn.execute("SELECT n FROM t").fetchall() == [(1,)]
