"""Layouts and mappings changed while the collector runs: taken over without losing a message, or refused whole."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from level2_line import Line
from level2_peers import PLANTS, Peer, Site, collecting, connect, cut, until

from local_mes.level2.link_course import FILES
from local_mes.level2.link_state import find_history
from local_mes.level2.links import load_links
from local_mes.level2.mapping import following
from local_mes.level2.mapping.following import FollowedPlan, check_readable
from local_mes.level2.tables import repair
from local_mes.level2.telegrams.layout import LayoutSet
from local_mes.level2.telegrams.layout_files import load_folder
from local_mes.model.service import load_model
from shared.clock import FixedClock
from shared.errors import BadSetup

NEW = """
id = "CC1990"
title = "Mould level"
direction = "up"
encoding = "ascii"
fields = [{ name = "level_mm", type = "N", width = 4, unit = "mm", min = 0, max = 900, example = 780 }]
"""


def own_layouts(site: Site) -> Path:
    """The site with a copy of the layouts that a test may change."""
    folder, model = site.folder / "telegrams", site.settings.model
    shutil.copytree(PLANTS / "ald" / "telegrams", folder)
    model.write_text(model.read_text().replace(str(PLANTS / "ald" / "telegrams"), "telegrams"))
    return folder


def change(path: Path, old: str, new: str) -> None:
    """As an editor does: the new file in the old one's place."""
    text = path.read_text()
    assert old in text
    made = path.with_suffix(".new")
    made.write_text(text.replace(old, new))
    made.replace(path)


def told(site: Site) -> list[str]:
    return [entry.why for entry in find_history(site.spool, "CC1", 0, 2**53) if entry.kind == FILES]


def test_a_new_telegram_counts_while_the_link_goes_on(make_site: Callable[..., Site], clock: FixedClock) -> None:
    site = make_site()
    folder = own_layouts(site)
    line = Line(site, clock)

    async def play() -> None:
        async with collecting(site, clock):
            peer = await connect(site)
            await peer.send("CC1060", cut(1), 1)
            peer.layouts = load_folder_with(folder, NEW)
            await peer.send("CC1990", {"level_mm": 780}, 2)
            await peer.until(lambda: peer.acks == [(1, 0), (2, 10)])  # unknown
            (folder / "cc1990.toml").write_text(NEW)
            change(site.settings.model, '  CC1050 = "ignore"', '  CC1050 = "ignore"\n  CC1990 = "ignore"')
            await taken(peer)
            await until(lambda: any("were taken over" in why for why in told(site)))
            await refused(site, folder, peer)
            await other_header(site, folder, peer)

    asyncio.run(play())
    assert [row.message for row in site.spooled()] == ["CC1060", "CC1990", "CC1060", "CC1060"]
    line.run()
    assert line.rows(repair) == []
    line.plant.node.engine.dispose()
    line.plant.spool.dispose()


async def taken(peer: Peer) -> None:
    """The new telegram, again and again over the same connection, until it is taken."""
    async with asyncio.timeout(40):
        while peer.acks[-1][1]:
            await asyncio.sleep(0.3)
            sequence = peer.acks[-1][0] + 1
            await peer.send("CC1990", {"level_mm": 781}, sequence)
            await peer.until(partial(is_answered, peer, sequence))


def is_answered(peer: Peer, sequence: int) -> bool:
    return peer.acks[-1][0] == sequence


async def refused(site: Site, folder: Path, peer: Peer) -> None:
    """One bad file among good ones: nothing is taken over, the link goes on as it was."""
    change(folder / "cc1070_slab_marked.toml", "CC1070", "CC1071")
    await until(lambda: any("CC1070, which has no layout" in why for why in told(site)))
    await peer.send("CC1060", cut(2), 1004)
    await peer.until(lambda: peer.acks[-1] == (1004, 0))
    change(folder / "cc1070_slab_marked.toml", "CC1071", "CC1070")


async def other_header(site: Site, folder: Path, peer: Peer) -> None:
    """Telegrams are cut in another way: the connection ends, and the next one speaks by the new header."""
    change(
        folder / "header.toml", 'name = "receiver", type = "A", width = 4', 'name = "receiver", type = "A", width = 8'
    )
    assert await peer.closed()
    peer.writer.close()
    again = await connect(site)
    again.layouts = load_folder(folder)
    await again.send("CC1060", cut(3), 1005)
    await again.until(lambda: again.acks == [(1005, 0)])
    again.writer.close()


def load_folder_with(folder: Path, new: str) -> LayoutSet:
    """The layouts as the peer has them already."""
    theirs = folder.parent / "theirs"
    shutil.copytree(folder, theirs)
    (theirs / "cc1990.toml").write_text(new)
    return load_folder(theirs)


@pytest.mark.parametrize(
    "error", [PermissionError("no"), UnicodeEncodeError("latin-1", "→", 0, 1, "no"), KeyError("x")]
)
def test_files_that_cannot_be_read_for_any_reason_are_not_taken_over_and_it_is_told(
    make_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    site = make_site()
    folder, plan = own_layouts(site), load_links(site.settings)
    followed = FollowedPlan(site.settings, plan, check_readable)

    def fails(_settings: object) -> None:
        raise error

    monkeypatch.setattr(following, "ALL_EVERY_S", -1)
    monkeypatch.setattr(following, "load_links", fails)
    (folder / "cc1990.toml").write_text(NEW)
    assert followed.current() is plan
    assert followed.refused.startswith(type(error).__name__)


def test_the_collector_outlives_a_look_at_the_files_that_fails(
    make_site: Callable[..., Site], clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, looks = make_site(), 0

    def fails(_followed: FollowedPlan) -> None:
        nonlocal looks
        looks += 1
        raise RuntimeError("nobody foresaw it")

    monkeypatch.setattr("local_mes.level2.collector.FILES_LOOK_S", 0.02)
    monkeypatch.setattr(FollowedPlan, "current", fails)

    async def play() -> None:
        async with collecting(site, clock) as task:
            await until(lambda: looks > 1)
            assert not task.done()

    asyncio.run(play())


def test_a_model_that_breaks_between_its_two_readings_is_a_bad_setup(
    make_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    site = make_site()
    model = load_model(site.settings.model)
    monkeypatch.setattr("local_mes.level2.links.load_model", lambda *_: model)
    site.settings.model.write_text("[plant\n")
    with pytest.raises(BadSetup, match="it is not TOML"):
        load_links(site.settings)
    site.settings.model.unlink()
    with pytest.raises(BadSetup, match="No such file"):
        load_links(site.settings)
