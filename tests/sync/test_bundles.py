"""Bundles between nodes that never meet: everything arrives once, whatever happens to the stick on its way."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
from sqlalchemy import select

from shared.db.engine import read, write
from shared.errors import BadSetup, NotFound, Refused, StrandlineError
from shared.journal.tables import applied, fact
from shared.journal.verify import verify
from sync.bundles.commands import export_files, import_files
from sync.bundles.export import export, road_down, road_up
from sync.bundles.file import Cut
from sync.bundles.tables import bundle
from sync.bundles.take import take, tell
from sync.errors import BadSeal, Malformed, PeerHeld, SyncError
from sync.link import complete_through, report_link
from sync.peers import set_state
from sync.tables import incident, position


@pytest.fixture
def pair(kit):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    return plant, hub


class Stick:
    """A folder that is carried; every export gets a name of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0

    def up(self, plant) -> list[Path]:
        return self._write(road_up(plant.node, lambda: None))

    def down(self, hub, code="ALD") -> list[Path]:
        return self._write(road_down(hub.node, code))

    def _write(self, road) -> list[Path]:
        self.count += 1
        return [done.file for done in export(road, self.folder / f"stick{self.count}.bundle")]


@pytest.fixture
def stick(tmp_path):
    (tmp_path / "stick").mkdir()
    return Stick(tmp_path / "stick")


def carry(box, files) -> int:
    """Read bundles; returns how many new facts they brought."""
    return sum(read_one(box, file).new_entries for file in files)


def read_one(box, file: Path):
    with file.open("rb") as source:
        return take(box.node, source)


def small(box, entries=10, size=65_536):
    """The same node with small batches and small files."""
    sync = box.node.settings.sync.model_copy(update={"batch_entries_max": entries, "bundle_bytes_max": size})
    object.__setattr__(box.node.settings, "sync", sync)
    return box


def rows(box, table=position):
    with read(box.node.engine) as conn:
        return sorted(tuple(row) for row in conn.execute(select(table)))


def facts_of(box, author="ALD"):
    with read(box.node.engine) as conn:
        assert verify(conn).findings == ()
        return set(conn.execute(select(fact.c.fact_id).where(fact.c.author == author)).scalars())


def waiting(plant) -> int:
    with read(plant.node.engine) as conn:
        return report_link(conn, "ALD", "HUB").waiting


def test_a_plant_that_never_calls_is_complete_at_the_hub_and_hears_what_arrived(pair, stick):
    plant, hub = pair
    plant.create(25)
    assert carry(hub, stick.up(small(plant))) == 25
    assert hub.apply() == 25
    assert hub.hash_of("ALD") == plant.hash_of("ALD")
    with read(hub.node.engine) as conn:
        assert complete_through(conn, "ALD") == plant.node.clock.now_ms() - 1
    assert waiting(plant) == 25
    carry(plant, stick.down(hub))
    assert waiting(plant) == 0
    plant.create(2)
    (file,) = stick.up(plant)
    done = read_one(hub, file)
    assert (done.new_entries, done.head.entries) == (2, 2)


def test_the_way_down_travels_too_with_other_plants_facts_in_their_own_bytes(kit, pair, stick):
    plant, hub = pair
    brk = kit.plant("BRK")
    kit.enrol(brk, hub)
    plant.create(3)
    carry(hub, stick.up(plant))
    hub.apply()
    with hub.node.journal.work() as tx:
        for fact_id in tx.conn.execute(select(applied.c.fact_id)).scalars().all():
            tx.relay(fact_id, "HUB>BRK")
    assert carry(brk, stick.down(hub, "BRK")) == 3
    brk.apply()
    assert brk.hash_of("ALD") == plant.hash_of("ALD")
    carry(hub, stick.up(brk))
    (file,) = stick.down(hub, "BRK")
    assert read_one(brk, file).head.entries == 0


def test_business_numbers_travel_with_the_batches(pair, stick):
    from sync.meeting import list_marks

    class Numbers:
        def read(self, _conn):
            return {"ALD.slab": 17}

    plant, hub = pair
    plant.create(1)
    (made,) = export(road_up(plant.node, lambda: None, Numbers()), stick.folder / "n.bundle")
    carry(hub, [made.file])
    with read(hub.node.engine) as conn:
        assert list_marks(conn, "ALD") == {"ALD.slab": 17}


def test_without_news_a_bundle_carries_the_watermark(kit, pair, stick):
    plant, hub = pair
    plant.create(1)
    carry(hub, stick.up(plant))
    carry(plant, stick.down(hub))
    kit.clock.advance(3_600_000)
    carry(hub, stick.up(plant))
    with read(hub.node.engine) as conn:
        assert complete_through(conn, "ALD") == kit.clock.now_ms() - 1


@pytest.mark.parametrize("seed", range(4))
def test_files_in_any_order_and_again_and_partly_old_come_to_the_same(pair, stick, seed):
    plant, hub = pair
    small(plant, entries=7)
    rng = random.Random(seed)
    files = []
    for _ in range(4):
        plant.create(rng.randrange(1, 15))
        files += stick.up(plant)
        if rng.random() < 0.4:
            read_one(hub, files[-1])
            carry(plant, stick.down(hub))
    for file in rng.choices(files, k=12):
        read_one(hub, file)
        hub.apply()
    import_files(hub.node, rng.sample(files, k=len(files)), lambda _: None)
    hub.apply()
    assert facts_of(hub) == facts_of(plant)
    assert hub.hash_of("ALD") == plant.hash_of("ALD")
    before = rows(hub)
    import_files(hub.node, files, lambda _: None)
    assert rows(hub) == before


def test_a_large_backlog_goes_into_several_files_that_fit_together_in_any_order(pair, stick):
    plant, hub = pair
    plant.create(120)
    files = stick.up(small(plant, entries=30, size=1_500))
    assert len(files) > 2
    assert all(file.stat().st_size < 60_000 for file in files)
    import_files(hub.node, files[::-1], lambda _: None)
    assert hub.entries_of("ALD") == 120


def test_a_live_line_and_sticks_mix(kit, pair, stick):
    plant, hub = pair
    way = kit.memory(hub)
    plant.create(5)
    old = stick.up(plant)
    plant.create(5)
    kit.drain(kit.caller(plant, way))
    assert carry(hub, old) == 0
    plant.create(5)
    carry(hub, stick.up(plant))
    assert kit.drain(kit.caller(plant, way), heartbeat=False) == 0
    hub.apply()
    assert hub.hash_of("ALD") == plant.hash_of("ALD")


def test_a_gap_is_told_and_nothing_past_it_is_stored(kit, pair, stick):
    plant, hub = pair
    plant.create(3)
    first = stick.up(plant)
    with write(plant.node.engine) as conn:  # a receipt from before the hub was restored
        from sync import marks
        from sync.outgoing import states

        marks.move_holdings(conn, "HUB", states(conn, "ALD"), 1)
    plant.create(2)
    (second,) = stick.up(plant)
    done = read_one(hub, second)
    assert (done.outcome, done.new_entries, hub.entries_of("ALD")) == ("gap", 0, 0)
    with pytest.raises(Refused, match="missing here"):
        tell(done)
    carry(plant, stick.down(hub))
    assert carry(hub, [second, *first, second]) == 5


def test_a_restored_hub_says_less_and_gets_everything_again(kit, pair, stick):
    plant, hub = pair
    plant.create(4)
    carry(hub, stick.up(plant))
    stale = stick.down(hub)
    hub.node.engine.dispose()
    (kit.folder / "HUB").rename(kit.folder / "lost")
    again = kit.hub()
    with write(again.node.engine) as conn:
        from sync.peers import trust_peer

        trust_peer(conn, "ALD", plant.node.key.public, 1)
    with write(plant.node.engine) as conn:
        trust_peer(conn, "HUB", again.node.key.public, 1)
    plant.create(1)
    carry(plant, stick.down(again))
    assert waiting(plant) == 5
    with pytest.raises(BadSeal):
        carry(plant, stale)
    assert carry(again, stick.up(plant)) == 5


def test_an_old_word_of_an_earlier_life_never_raises_what_we_believe_for_good(pair, stick):
    plant, hub = pair
    plant.create(4)
    carry(hub, stick.up(plant))
    old = stick.down(hub)
    carry(plant, old)
    with write(hub.node.engine) as conn:
        from shared.journal.life import node_life

        conn.execute(node_life.update().where(node_life.c.name == "incarnation").values(value="f" * 32))
        conn.execute(position.update().values(durable=2))
    new = stick.down(hub)
    carry(plant, new)
    assert waiting(plant) == 2
    carry(plant, old + old)
    carry(plant, new)
    assert waiting(plant) == 2
    carry(plant, stick.down(hub))
    assert waiting(plant) == 2


def test_a_cut_file_is_taken_as_far_as_its_batches_are_whole_and_says_how_far(pair, stick):
    plant, hub = pair
    plant.create(40)
    (file,) = stick.up(small(plant))
    whole = file.read_bytes()
    sizes = read_one(hub, _cut(file, len(whole) - 1)).head.parts
    assert hub.entries_of("ALD") == 30
    head = len(whole) - sum(part.size for part in sizes)
    for kept, good in ((head, 0), (head + sizes[0].size, 1), (head + sizes[0].size + sizes[1].size - 1, 1)):
        done = read_one(hub, _cut(file, kept))
        assert (done.whole, done.outcome, done.new_entries) == (good, "cut", 0)
        assert done.good_bytes == head + sum(part.size for part in sizes[:good])
    with pytest.raises(Cut, match=r"0 of 4 batches are whole, good up to byte \d+\. 0 new facts of ALD were taken"):
        tell(read_one(hub, _cut(file, head)))
    assert carry(hub, [file]) == 10


def _cut(file: Path, size: int) -> Path:
    short = file.with_suffix(".cut")
    short.write_bytes(file.read_bytes()[:size])
    return short


def test_a_file_cut_inside_its_head_brings_nothing(pair, stick):
    plant, hub = pair
    plant.create(3)
    (file,) = stick.up(plant)
    before = rows(hub), rows(hub, bundle)
    for size in (0, 3, 4, 7, 8, 200):
        with pytest.raises((Cut, Malformed)):
            read_one(hub, _cut(file, size))
    assert (rows(hub), rows(hub, bundle)) == before


def test_any_changed_byte_is_refused_with_a_sentence_and_nothing_is_done(pair, stick):
    plant, hub = pair
    plant.create(30)
    (file,) = stick.up(small(plant))
    whole = file.read_bytes()
    rng = random.Random(5)
    before = rows(hub), rows(hub, bundle), rows(hub, incident)
    for place in [*rng.sample(range(len(whole)), 60), len(whole) - 1]:
        changed = bytearray(whole)
        changed[place] ^= 1 << rng.randrange(8)
        with pytest.raises(SyncError, match="Nothing was taken"):
            take(hub.node, io.BytesIO(bytes(changed)))
    with pytest.raises(Malformed, match="goes on"):
        take(hub.node, io.BytesIO(whole + b"\0"))
    assert (rows(hub), rows(hub, bundle), rows(hub, incident)) == before
    assert hub.entries_of("ALD") == 0


def test_bundles_for_others_and_of_strangers_are_refused(kit, pair, stick):
    plant, hub = pair
    brk = kit.plant("BRK")
    kit.enrol(brk, hub)
    plant.create(1)
    up, down = stick.up(plant), stick.down(hub)
    with pytest.raises(BadSeal, match="Signed for 'ALD'"):
        carry(brk, down)
    with pytest.raises(BadSeal, match="No enrolled node"):
        carry(brk, up)
    with pytest.raises(BadSeal, match="No enrolled node"):
        carry(hub, down)
    with write(hub.node.engine) as conn:
        set_state(conn, "ALD", "revoked", 1)
    with pytest.raises(PeerHeld, match="revoked"):
        carry(hub, up)
    with pytest.raises(PeerHeld):
        stick.down(hub)
    with pytest.raises(NotFound):
        stick.down(hub, "CLD")
    with pytest.raises(Refused, match="not enrolled"):
        stick.up(kit.plant("CLD"))
    assert hub.entries_of("ALD") == 0


def test_a_batch_of_a_bundle_is_no_push_and_a_push_no_part_of_a_bundle(kit, pair, stick):
    from sync.bundles.file import read_batches, read_head
    from sync.bundles.take import BUNDLE, Head, open_signed
    from sync.errors import StaleSession

    plant, hub = pair
    plant.create(1)
    (file,) = stick.up(plant)
    with file.open("rb") as source:
        head = open_signed(read_head(source), BUNDLE, Head, {plant.node.key.id: plant.node.key.public}, "HUB")
        ((_, body),) = read_batches(source, head)
    way = kit.memory(hub)
    kit.caller(plant, way).hello()
    with pytest.raises(StaleSession):
        way.send("push", body)
    assert hub.entries_of("ALD") == 0


def test_a_fork_is_found_by_the_chain_and_told(kit, pair, stick):
    plant, hub = pair
    session = kit.caller(plant, kit.memory(hub)).hello()
    plant.create(2)
    with read(plant.node.engine) as conn:
        from sync.outgoing import states

        (mine,) = states(conn, "ALD")
    body = kit.forge(plant, session, [kit.raw_fact(1), kit.raw_fact(2)], epoch=mine.epoch)
    kit.memory(hub).send("push", body)
    done = read_one(hub, stick.up(plant)[0])
    assert (done.outcome, done.new_entries) == ("fork", 0)
    with pytest.raises(Refused, match="contradicts"):
        tell(done)
    assert [row[3] for row in rows(hub, incident)] == ["fork"]


def test_a_restored_plant_carries_its_new_epoch_and_learns_that_it_is_behind(kit, pair, stick):
    from shared.journal.journal import open_epoch

    plant, hub = pair
    plant.create(2)
    first = stick.up(plant)
    with write(plant.node.engine) as conn:
        open_epoch(conn, "ALD", 1, "restored")
    plant.create(2)
    second = stick.up(plant)
    assert carry(hub, second) == 4
    assert carry(hub, first) == 0
    hub.apply()
    assert hub.hash_of("ALD") == plant.hash_of("ALD")


def test_a_stick_from_a_life_that_has_ended_is_kept_for_people(kit, pair, stick):
    plant, hub = pair
    plant.create(2)
    carry(hub, stick.up(plant))
    plant.create(2)
    (late,) = stick.up(plant)
    plant.node.engine.dispose()
    (kit.folder / "ALD").rename(kit.folder / "lost")  # a plant that went back to entry 2 and on from there
    with write(hub.node.engine) as conn:
        from shared.journal.tables import epoch

        (row,) = conn.execute(select(epoch).where(epoch.c.stream == "ALD")).all()
        child = {**row._mapping, "epoch": "c" * 32, "ordinal": 2, "parent_epoch": row.epoch, "parent_seq": 2}
        conn.execute(epoch.insert().values(child | {"parent_hash": "0" * 64}))
    done = read_one(hub, late)
    assert (done.outcome, done.new_entries) == ("superseded", 0)
    with pytest.raises(Refused, match="Keep the file"):
        tell(done)
    assert [row[3] for row in rows(hub, incident)] == ["superseded"]


def test_a_child_epoch_without_its_parent_waits_for_the_earlier_file(kit, pair, stick):
    from shared.journal.journal import open_epoch
    from sync import marks
    from sync.outgoing import states

    plant, hub = pair
    plant.create(2)
    first = stick.up(plant)
    with write(plant.node.engine) as conn:
        marks.move_holdings(conn, "HUB", states(conn, "ALD"), 1)
        open_epoch(conn, "ALD", 1, "restored")
    plant.create(1)
    (second,) = stick.up(plant)
    assert read_one(hub, second).outcome == "gap"
    import_files(hub.node, [second, *first], lambda _: None)
    assert hub.entries_of("ALD") == 3


def test_what_cannot_be_written_or_read_is_told(pair, stick, tmp_path):
    plant, hub = pair
    plant.create(1)
    (file,) = stick.up(plant)
    road = road_up(plant.node, lambda: None)
    with pytest.raises(BadSetup, match="exists already"):
        export(road, file)
    with pytest.raises(BadSetup, match="No such file"):
        export(road, tmp_path / "nowhere" / "x.bundle")
    said = []
    with pytest.raises(StrandlineError, match="cannot be read"):
        import_files(hub.node, [tmp_path / "absent", file], said.append)
    assert said == [f"{file}: 1 new facts of ALD were taken."]
    assert hub.entries_of("ALD") == 1
    assert [path.name for path in stick.folder.iterdir()] == [file.name]


def test_what_is_written_and_read_is_in_the_book(pair, stick):
    plant, hub = pair
    plant.create(3)
    lines = export_files(road_up(plant.node, lambda: None), stick.folder / "a.bundle")
    assert "3 facts of ALD for HUB" in lines[0]
    for _ in range(2):
        carry(hub, [stick.folder / "a.bundle"])
    with read(plant.node.engine) as conn:
        out = conn.execute(select(bundle.c.way, bundle.c.peer, bundle.c.entries, bundle.c.outcome)).all()
    with read(hub.node.engine) as conn:
        came = conn.execute(select(bundle.c.way, bundle.c.peer, bundle.c.new_entries, bundle.c.outcome)).all()
    assert out == [("out", "HUB", 3, "whole")]
    assert came == [("in", "ALD", 3, "whole")]
