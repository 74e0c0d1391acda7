"""Rows of plant and hub compared by digests: a difference is named down to the row and put right from the journal."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update

from shared.db.engine import open_engine, picture, read, write
from shared.db.types import metadata, tables_of_kind
from shared.ids import random_key
from shared.journal import content_hash, digest
from shared.journal.digest import BUCKETS, EMPTY, bucket_digests, rows_in, shape
from shared.journal.reading import entries_after, lives
from shared.journal.rederive import put_right
from shared.material.tables import material
from sync import compare_door, comparing, status
from sync.compare_door import door, install_comparing
from sync.compare_messages import Mend, Place
from sync.comparing import Comparing
from sync.errors import BadSeal, Busy, SyncError
from sync.limits import PROTOCOL
from sync.pausing import PausableWay
from sync.put_right import RowsAgain
from sync.tables import incident


@pytest.fixture
def pair(kit, monkeypatch):
    """A plant with twenty slabs and a hub that has them, over HTTP; (plant, hub, comparing, authors asked to mend)."""
    monkeypatch.setattr(comparing, "TRY_AGAIN_S", 0.05)
    monkeypatch.setattr(comparing, "WAIT_MS", 1_000)
    plant, hub = kit.plant(), kit.hub()
    kit.enrol(plant, hub)
    server = kit.serve(hub)
    asked: list[str] = []
    server.server.app.register_blueprint(door)
    install_comparing(server.server.app, hub.node, asked.append)
    plant.create(20)
    way = kit.http(server)
    kit.drain(kit.caller(plant, way))
    hub.apply()
    return plant, hub, Comparing(plant.node, way), asked


def spoil(box, piece: str, **values) -> None:
    with write(box.node.engine) as conn:
        conn.execute(update(material).where(material.c.material_id == piece).values(**values))


def row_of(box, piece: str):
    with read(box.node.engine) as conn:
        return conn.execute(select(material).where(material.c.material_id == piece)).first()


def incidents(box) -> list[str]:
    with read(box.node.engine) as conn:
        return list(conn.execute(select(incident.c.what).where(incident.c.kind == "digest")).scalars())


def test_the_same_journal_gives_the_same_digests_on_both_sides(pair) -> None:
    plant, hub, compare, asked = pair
    assert compare.compare().answer == "same"
    with picture(plant.node.engine) as ours, picture(hub.node.engine) as its:
        mine = bucket_digests(ours, "ALD")
        assert mine == bucket_digests(its, "ALD")
        assert len(mine) == BUCKETS
        assert set(bucket_digests(ours, "BRK")) == {EMPTY}
        rows = list(rows_in(ours, "ALD", range(BUCKETS)))
    assert {row.bucket for row in rows} == {at for at, found in enumerate(mine) if found != EMPTY}
    assert asked == []
    plant.move(plant.pieces[0], "gate")
    assert compare.compare().answer == "not_level"  # recorded, not sent


def test_a_wrong_row_here_is_named_and_put_right_from_the_journal(pair) -> None:
    plant, _hub, compare, asked = pair
    piece = plant.pieces[3]
    good = plant.hash_of("ALD")
    spoil(plant, piece, place="nowhere", mass_g=1)
    found = compare.compare()
    assert (found.answer, found.buckets) == ("different", 1)
    assert [(table, piece in key) for table, key in found.rows] == [("material", True)]
    assert {(d.column, d.here, d.derived) for d in found.mended} == {
        ("mass_g", 1, 20_000_000),
        ("place", "nowhere", "yard"),
    }
    assert plant.hash_of("ALD") == good
    assert [piece in what and "place" in what for what in incidents(plant)] == [True]
    assert set(asked) == {"ALD"}
    assert compare.compare().answer == "same"


def test_a_wrong_row_at_the_hub_is_put_right_there_and_nothing_changes_here(pair) -> None:
    plant, hub, compare, _asked = pair
    rows_again = RowsAgain(hub.node)
    rows_again.start()
    piece = plant.pieces[5]
    spoil(hub, piece, place="nowhere")
    with write(hub.node.engine) as conn:
        conn.execute(delete(material).where(material.c.material_id == plant.pieces[6]))
        strange = dict(conn.execute(select(material).limit(1)).mappings().one()) | {"material_id": "f" * 32}
        conn.execute(insert(material).values(**strange))
    found = compare.compare()
    assert found.mended == ()
    assert len(found.rows) == 3
    rows_again.want("ALD")
    end = time.monotonic() + 20
    while compare.compare().answer != "same":
        assert time.monotonic() < end
        time.sleep(0.05)
    rows_again.stop()
    assert row_of(hub, piece).place == "yard"
    assert row_of(hub, plant.pieces[6]) is not None
    assert row_of(hub, "f" * 32) is None
    assert len(incidents(hub)) == 3
    assert hub.hash_of("ALD") == plant.hash_of("ALD")


def test_bytes_that_are_sound_here_are_not_taken_and_the_answer_says_so(pair) -> None:
    plant, _hub, compare, _asked = pair
    with read(plant.node.engine) as conn:
        (life,) = lives(conn, "ALD")
        item = entries_after(conn, "ALD", life.epoch, 2, 1)[0]
    again = Mend(
        proto=PROTOCOL,
        node="ALD",
        audience="HUB",
        sent_ms=plant.node.clock.now_ms(),
        place=Place(life.epoch, item.seq),
        fact=item.body,
        nonce=random_key(),
    )
    assert compare._send(comparing_peer(plant), again).answer == "not_needed"


def test_what_neither_side_can_explain_becomes_an_incident(pair, monkeypatch) -> None:
    plant, hub, compare, _asked = pair
    monkeypatch.setattr(comparing, "TRIES", 2)
    spoil(hub, plant.pieces[5], place="nowhere")  # and the hub does not mend it
    with pytest.raises(SyncError, match="differ though each side"):
        compare.nightly()
    assert ["material" in what for what in incidents(plant)] == [True]


def test_the_night_finds_nothing_to_tell_when_rows_are_the_same(pair) -> None:
    assert "the same as here" in pair[2].nightly()


def test_only_one_place_of_one_shape_is_compared(pair, monkeypatch) -> None:
    plant, _hub, compare, asked = pair
    with monkeypatch.context() as patch:
        patch.setattr(compare_door, "shape", lambda: "0" * 64)
        assert compare.compare().answer == "other_shape"
    plant.move(plant.pieces[0], "gate")
    monkeypatch.setattr(comparing, "TRIES", 2)
    assert compare.compare().answer == "not_level"
    assert asked == []


def test_a_side_with_facts_set_aside_is_not_compared(pair) -> None:
    _plant, hub, compare, _asked = pair
    from shared.journal import quarantine

    row = {name: "x" for name in ("stream", "epoch", "fact_id", "type", "state", "reason")}
    values = {**row, "author": "ALD", "seq": 1, "version": 1, "since_ms": 1, "state": "parked"}
    with write(hub.node.engine) as conn:
        conn.execute(insert(quarantine.quarantine).values(**values))
    assert compare.compare().answer == "set_aside"


def test_another_authors_stream_is_refused(pair) -> None:
    plant, _hub, compare, _asked = pair
    asked = compare._digests(comparing_peer(plant))
    assert asked is not None
    import msgspec

    with pytest.raises(BadSeal):
        compare._send(comparing_peer(plant), msgspec.structs.replace(asked, stream="BRK"))


def comparing_peer(plant):
    from sync.peers import find_peer

    with read(plant.node.engine) as conn:
        return find_peer(conn, "HUB")


def test_one_comparison_at_a_time(pair, monkeypatch) -> None:
    plant, _hub, compare, _asked = pair
    inside, go_on = threading.Event(), threading.Event()
    real = compare_door.bucket_digests

    def slow(*args):
        inside.set()
        assert go_on.wait(20)
        return real(*args)

    monkeypatch.setattr(compare_door, "bucket_digests", slow)
    first = threading.Thread(target=compare.compare)
    first.start()
    assert inside.wait(20)
    with pytest.raises(Busy) as refused:
        Comparing(plant.node, compare._way._way).compare()
    assert refused.value.after_s > 0
    go_on.set()
    first.join(20)


def test_pushes_wait_while_digests_are_compared_and_recording_does_not(pair, kit) -> None:
    plant, _hub, _compare, _asked = pair
    sent = []

    class Wire:
        def send(self, door, body):
            sent.append(door)
            return b""

    way = PausableWay(Wire())
    with way.paused():
        push = threading.Thread(target=way.send, args=("push", b""))
        push.start()
        way.send("hello", b"")
        plant.create(1)
        push.join(0.2)
        assert sent == ["hello"]
    push.join(10)
    assert sent == ["hello", "push"]


def test_a_pause_waits_for_the_pushes_under_way() -> None:
    inside, go_on, paused = threading.Barrier(3), threading.Event(), threading.Event()

    class Wire:
        def send(self, door, body):
            inside.wait(10)  # two at once
            assert go_on.wait(10)
            return b""

    way = PausableWay(Wire())

    def pause() -> None:
        with way.paused():
            paused.set()

    threads = [threading.Thread(target=way.send, args=("push", b"")) for _ in range(2)]
    for thread in threads:
        thread.start()
    inside.wait(10)
    threads.append(threading.Thread(target=pause))
    threads[-1].start()
    assert not paused.wait(0.2)
    go_on.set()
    assert paused.wait(10)
    for thread in threads:
        thread.join(10)


def test_facts_recorded_while_rows_are_made_again_are_not_undone(pair, monkeypatch) -> None:
    plant, _hub, _compare, _asked = pair
    from shared.journal import rederive

    piece = plant.pieces[2]
    spoil(plant, piece, place="nowhere")
    real, moved = rederive.find_differences, []

    def and_meanwhile(conn, scratch):
        found = real(conn, scratch)
        if not moved:
            moved.append(plant.move(piece, "gate"))
        return found

    monkeypatch.setattr(rederive, "find_differences", and_meanwhile)
    put_right(plant.node.engine, plant.node.journal.appliers, "ALD", plant.node.settings.folder)
    assert row_of(plant, piece).place == "gate"
    assert not list(plant.node.settings.folder.glob("rederive-*"))


@pytest.mark.postgres
def test_postgresql_gives_the_same_digests_and_mends_alike(pair, kit, postgres_url) -> None:
    plant, _hub, _compare, _asked = pair
    engine = open_engine(postgres_url)
    metadata.create_all(engine)
    with picture(plant.node.engine) as source, write(engine) as conn:
        journal = [metadata.tables[name] for name in ("epoch", "fact", "entry", "head", "applied")]
        for table in [*journal, *tables_of_kind("projection")]:
            rows = [dict(row) for row in source.execute(select(table)).mappings()]
            if rows:
                conn.execute(insert(table), rows)
    with picture(plant.node.engine) as ours, picture(engine) as its:
        assert bucket_digests(ours, "ALD") == bucket_digests(its, "ALD")
        assert its.execute(text("SHOW transaction_isolation")).scalar() == "repeatable read"
    with write(engine) as conn:
        conn.execute(update(material).where(material.c.material_id == plant.pieces[0]).values(place="x"))
    mended = put_right(engine, plant.node.journal.appliers, "ALD", plant.node.settings.folder)
    assert [(d.table, d.column) for d in mended] == [("material", "place")]
    engine.dispose()


@pytest.mark.postgres
def test_a_content_hash_is_of_one_moment_whatever_arrives_meanwhile(kit, postgres_url, monkeypatch) -> None:
    hub = kit.hub(postgres_url)
    kit.closing.append(hub.node.engine.dispose)
    hub.create()
    before, says = hub.hash_of("HUB"), content_hash._says_something

    def and_one_comes(*of: Any) -> bool:
        said = says(*of)
        if len(hub.pieces) == 1:
            hub.create()
        return said

    monkeypatch.setattr(content_hash, "_says_something", and_one_comes)
    assert status.content_hashes(hub.node) == {"HUB": before}
    assert hub.hash_of("HUB") != before


def test_the_shape_names_every_column() -> None:
    before = shape()
    assert digest.column_names(material) == sorted(column.name for column in material.columns)
    assert digest.key_names(material) == ["material_id"]
    assert shape() == before
