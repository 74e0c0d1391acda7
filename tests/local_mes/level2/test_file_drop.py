"""Files left in a folder: finished ones are taken once and moved away, half-written ones are left alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from level2_peers import Site, collecting, until

from local_mes.level2.drivers.records import RECORDS_MAX, Column, FileError, read_csv, read_fixed, read_xml
from local_mes.level2.links import load_links
from shared.clock import FixedClock
from shared.errors import BadSetup

MakeSite = Callable[..., Site]
LINK = """
[[link]]
code = "LAB"
kind = "file"
address = "{folder}"
  [link.settings]
  message = "LAB.Result"
  format = "csv"
  pattern = "*.csv"
  finished = "{finished}"
  settled_s = 0.6
  time = "time"
  [[link.settings.columns]]
  name = "sample"
  source = "Sample no"
  [[link.settings.columns]]
  name = "c_pct"
  source = "C %"
  type = "number"
  [[link.settings.columns]]
  name = "time"
"""
HEAD = "Sample no;C %;time\r\n"


def contents(site: Site) -> list[dict[str, Any]]:
    return [json.loads(row.fields) for row in site.spooled()]


def scene_of(make_site: MakeSite, tmp_path: Path, finished: str) -> tuple[Site, Path]:
    drop = tmp_path / "drop"
    drop.mkdir()
    return make_site(more=LINK.format(folder=drop, finished=finished)), drop


def test_files_moved_in_are_taken_once_and_moved_away(make_site: MakeSite, clock: FixedClock, tmp_path: Path) -> None:
    site, drop = scene_of(make_site, tmp_path, "moved")

    async def play() -> None:
        (drop / "shift.csv.part").write_text(HEAD)  # being written
        (drop / "notes.txt").write_text("not asked for")
        (drop / "first.csv").write_bytes(f"\ufeff{HEAD}P1;0,27;2026-03-11T06:00:00\r\nP2;none;x\r\nP3;0.3\r\n".encode())
        async with collecting(site, clock):
            await until(lambda: (drop / "done" / "first.csv").exists())
            (drop / "first.csv").write_bytes((drop / "done" / "first.csv").read_bytes())  # the move was never made
            await until(lambda: (drop / "done" / "first-2.csv").exists())
            (drop / "shift.csv.part").write_text(f"{HEAD}P4;1;2026-03-11T06:10:00\r\n")
            (drop / "shift.csv.part").rename(drop / "shift.csv")
            await until(lambda: (drop / "done" / "shift.csv").exists())
            (drop / "wrong.csv").write_text("Probe;C\n1;2\n")
            await until(lambda: (drop / "bad" / "wrong.csv").exists())

    asyncio.run(play())
    assert contents(site)[0] == {"sample": "P1", "c_pct": 0.27, "time": "2026-03-11T06:00:00", "file": "first.csv"}
    assert site.spooled()[0].claimed_ms == 1773205200000
    assert [row.problem for row in site.spooled()] == [
        "",
        "Record 2: c_pct: 'none' is no number.",
        "Record 3: 2 fields instead of 3.",
        "",
        "The file wrong.csv cannot be read: its first line names no column 'Sample no'.",
    ]
    assert site.state("LAB").repeated == 3
    assert sorted(path.name for path in drop.iterdir()) == ["bad", "done", "notes.txt"]


def test_a_file_that_still_grows_is_left_alone(make_site: MakeSite, clock: FixedClock, tmp_path: Path) -> None:
    site, drop = scene_of(make_site, tmp_path, "settled")

    async def play() -> None:
        async with collecting(site, clock):
            with (drop / "slow.csv").open("w") as file:
                file.write(HEAD)
                for n in range(8):  # 1.6 s in all, each pause shorter than the file must rest
                    file.write(f"P{n};0.2;\r\n")
                    file.flush()
                    await asyncio.sleep(0.2)
                    assert site.spooled() == []
            await until(lambda: (drop / "done" / "slow.csv").exists())

    asyncio.run(play())
    assert [one["sample"] for one in contents(site)] == [f"P{n}" for n in range(8)]


def test_a_folder_that_is_away_is_a_link_that_is_away(make_site: MakeSite, clock: FixedClock, tmp_path: Path) -> None:
    site, drop = scene_of(make_site, tmp_path, "moved")
    drop.rmdir()

    async def play() -> None:
        async with collecting(site, clock):
            await until(
                lambda: "FileNotFoundError" in str(site.state("LAB").detail) if site.state_name("LAB") else False
            )
            drop.mkdir()
            (drop / "one.csv").write_text(f"{HEAD}P1;1;\n")
            await until(lambda: len(site.spooled()) == 1)

    asyncio.run(play())


COLUMNS = (
    Column(name="coil"),
    Column(name="mass_kg", source="weight/kg", type="number"),
    Column(name="id", source="@id"),
)


def test_xml_gives_children_and_attributes() -> None:
    text = """<?xml version="1.0"?><m:day xmlns:m="urn:x"><m:row id="7"><coil> C&amp;1 </coil><weight><kg>21450</kg></weight>
    <coil>second</coil></m:row><row id="8"><coil/><weight/></row></m:day>"""
    first, second = read_xml(text.encode(), "row", COLUMNS)
    assert first.fields == {"coil": "C&1", "mass_kg": 21450, "id": "7"}
    assert second.problem == "Record 2: it has no weight/kg."


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><x><row><coil>&b;</coil></row></x>',
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
        "<x>&undefined;</x>",
        "<x><row>",
        "<a>" * 60 + "</a>" * 60,
        "",
    ],
)
def test_xml_that_could_harm_is_refused(text: str) -> None:
    with pytest.raises(FileError):
        read_xml(text.encode(), "row", COLUMNS)


def test_fixed_width_and_limits() -> None:
    columns = (Column(name="heat", width=6), Column(name="kg", at=6, width=8, type="number"))
    good, short = read_fixed("161843   21450\n\n161844\n", columns)
    assert good.fields == {"heat": "161843", "kg": 21450}
    assert short.problem == "Record 2: 6 characters instead of 14."
    with pytest.raises(FileError, match="more than"):
        read_fixed("161843   21450\n" * (RECORDS_MAX + 1), columns)


@given(st.text(max_size=200), st.binary(max_size=200))
def test_whatever_is_in_a_file_it_is_read_or_refused(text: str, raw: bytes) -> None:
    for read in (
        lambda: read_csv(text, (), ";"),
        lambda: read_fixed(text, (Column(name="a", width=3, type="number"),)),
        lambda: read_xml(raw, "row", ()),
        lambda: read_xml(text.encode("utf-8", "replace"), "row", ()),
    ):
        with suppress(FileError):  # any other error would end the link's session
            assert isinstance(read(), list)


@pytest.mark.parametrize(
    ("replaced", "by", "why"),
    [
        ('format = "csv"', 'format = "xml"', "`record`"),
        ('format = "csv"', 'format = "fixed"', "fixed width"),
        ('format = "csv"', 'format = "pdf"', "pdf"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(
    replaced: str, by: str, why: str, make_site: MakeSite, tmp_path: Path
) -> None:
    with pytest.raises(BadSetup, match=why):
        load_links(make_site(more=LINK.format(folder=tmp_path, finished="moved").replace(replaced, by)).settings)
