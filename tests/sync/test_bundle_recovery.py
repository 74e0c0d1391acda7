"""A restored plant without any line takes its own history back from a stick."""

from __future__ import annotations

import shutil

import pytest
from sqlalchemy import select

from shared.db.engine import read, write
from shared.errors import Refused
from shared.journal.highest import NOTHING
from shared.journal.verify import verify
from sync.bundles.export import export, road_down, road_up
from sync.bundles.file import Cut
from sync.bundles.history import write_history
from sync.bundles.recover import recover
from sync.bundles.take import take
from sync.errors import BadSeal, Malformed
from sync.peers import keep_key
from sync.recovering import Recovery
from sync.tables import incident


class Post:
    """Two nodes and the folder that is carried between them."""

    def __init__(self, kit, folder):
        self.kit, self.folder, self.count = kit, folder, 0
        self.hub, self.plant = kit.hub(), kit.plant()
        kit.enrol(self.plant, self.hub)

    def name(self):
        self.count += 1
        return self.folder / f"{self.count}.file"

    def up(self):
        """The plant's bundle, read at the hub."""
        (done,) = export(road_up(self.plant.node, lambda: None), self.name())
        with done.file.open("rb") as source:
            taken = take(self.hub.node, source)
        self.hub.apply()
        return done.file, taken.outcome

    def down(self):
        (done,) = export(road_down(self.hub.node, "ALD"), self.name())
        with done.file.open("rb") as source:
            return take(self.plant.node, source).outcome

    def ask(self):
        (done,) = export(road_up(self.plant.node, lambda: None), self.name())
        return done.file

    def answer(self, question, **how):
        with question.open("rb") as source:
            return [name for name, _ in write_history(self.hub.node, source, self.name(), **how)]

    def recover(self, files):
        box = self.plant

        def settle(caller, session):
            return Recovery(caller, box.node.journal, NOTHING, box.ground.anchoring.write_now).settle(session)

        return recover(box.node, files, settle)[1]

    def keep(self):
        with self.plant.node.engine.connect() as conn:
            conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return shutil.copy(self.plant.node.settings.folder / "node.sqlite", self.folder / "copy.sqlite")

    def restore(self, copy, anchor=True):
        box = self.plant
        box.ground.anchoring.write_now()
        box.node.engine.dispose()
        folder = box.node.settings.folder
        for leftover in folder.glob("node.sqlite*"):
            leftover.unlink()
        if not anchor:
            (folder / "anchor.json").unlink()
        shutil.copy(copy, folder / "node.sqlite")
        self.plant = self.kit.plant()

    def same(self):
        with read(self.plant.node.engine) as conn:
            assert verify(conn).findings == ()
        assert self.plant.hash_of("ALD") == self.hub.hash_of("ALD")
        return True


@pytest.fixture
def post(kit, tmp_path):
    return Post(kit, tmp_path)


@pytest.mark.parametrize("anchor", [True, False], ids=["anchored", "without its anchor"])
def test_what_a_restored_plant_lacks_comes_back_and_it_goes_on(post, anchor):
    post.plant.create(5)
    post.up()
    copy = post.keep()
    post.plant.create(20)
    assert post.up()[1] == "whole"
    post.restore(copy, anchor)
    since = post.plant.create(3)
    files = post.answer(post.ask())
    assert post.recover(files)
    assert post.plant.applied_of("ALD") == 28
    assert post.up()[1] == "whole"
    assert post.same()
    assert not post.recover(files), "a second time changes nothing"
    with read(post.plant.node.engine) as conn:
        assert (
            "20 entries came back"
            in conn.execute(select(incident.c.what).where(incident.c.kind == "recovered")).scalar()
        )
    assert len(since) == 3
    assert post.down() == "whole"


def test_a_plant_that_wrote_other_entries_in_the_same_life_finds_where_they_part(post):
    """Put back by a machine that rolled its anchor back too: only the bytes say where the two part."""
    post.plant.create(5)
    post.up()
    copy = post.keep()
    post.plant.ground.anchoring.write_now()
    anchor = shutil.copy(post.plant.node.settings.folder / "anchor.json", post.folder / "anchor.json")
    post.plant.create(20)
    post.up()
    post.restore(copy)
    post.plant.node.engine.dispose()
    shutil.copy(copy, post.plant.node.settings.folder / "node.sqlite")
    shutil.copy(anchor, post.plant.node.settings.folder / "anchor.json")
    post.plant = post.kit.plant()
    post.plant.create(30)
    question = post.ask()
    with pytest.raises(Refused, match="--whole"):
        post.recover(post.answer(question))
    files = post.answer(question, whole=True)
    assert post.recover(files)
    assert post.plant.applied_of("ALD") == 55
    assert post.up()[1] == "whole"
    assert post.same()


def test_a_plant_whose_disk_is_gone_has_all_again_from_several_files(post):
    post.plant.create(3)
    post.up()
    post.down()
    post.plant.create(4)
    post.up()
    earlier = post.plant.node.key.public
    post.plant.node.engine.dispose()
    shutil.rmtree(post.plant.node.settings.folder)
    post.plant = post.kit.plant()
    post.kit.enrol(post.plant, post.hub)
    with write(post.plant.node.engine) as conn:
        keep_key(conn, "ALD", earlier, 1)
    little = post.hub.node.settings.sync.model_copy(update={"bundle_bytes_max": 1})
    object.__setattr__(post.hub.node.settings, "sync", little)
    files = post.answer(post.ask())
    assert len(files) == 2
    with pytest.raises(Refused, match="not the files of one answer"):
        post.recover(files[:1])
    assert post.recover(files[::-1])
    assert post.plant.applied_of("ALD") == 7
    post.plant.pieces = ["taken"] * 7
    post.plant.create(2)
    assert post.up()[1] == "whole"
    assert post.same()


def test_a_file_that_is_not_as_it_was_written_changes_nothing(post):
    post.plant.create(5)
    post.up()
    copy = post.keep()
    post.plant.create(20)
    post.up()
    post.restore(copy)
    question = post.ask()
    (file,) = post.answer(question)
    whole = file.read_bytes()
    before = post.plant.applied_of("ALD")
    for broken, error in (
        (whole[:-9], Cut),
        (whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:], Malformed),
        (whole + b"x", Malformed),
        (question.read_bytes(), BadSeal),
    ):
        file.write_bytes(broken)
        with pytest.raises(error):
            post.recover([file])
    file.write_bytes(whole)
    with pytest.raises(BadSeal), file.open("rb") as source:  # it is no bundle of news
        take(post.plant.node, source)
    assert post.plant.applied_of("ALD") == before
    with pytest.raises(Refused, match="not the files of one answer"):
        post.recover([file, *post.answer(question)])
    assert post.recover([file])
