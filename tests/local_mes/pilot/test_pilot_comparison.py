"""Beside an old MES: its daily file is compared piece by piece, with the first place to look at."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

sys.path.insert(0, str(Path(__file__).parents[1] / "production"))

from production_bench import Bench, make_bench

from local_mes.app import create_console
from local_mes.level2.link_course import GAP
from local_mes.level2.shadow.marked import shadow_links
from local_mes.level2.spool import Incoming, append
from local_mes.level2.spool_tables import link_history
from local_mes.pilot import queries
from local_mes.pilot.course import course
from local_mes.pilot.domain import compare
from local_mes.pilot.readiness import find_obstacles
from local_mes.pilot.rules import Tolerance, load_rules, read_pieces
from local_mes.pilot.service import follow, last_due_day, look
from local_mes.pilot.status import pilot_status, shadow_band
from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.errors import BadSetup
from shared.journal.fact import Draft, Occurred
from shared.material.facts import Mass, MaterialCreated, NewAlias, NewMaterial, Size
from shared.web import accounts
from shared.web.features import Feature
from sync import status

DAY = "2026-03-11"
RULES = """
folder = "old"
pattern = "*.csv"
format = "csv"
day = '(\\d{4})(\\d{2})(\\d{2})'
kinds = ["coil"]
settled_s = 0
[[columns]]
name = "number"
source = "COIL"
rewrite = [{ pattern = '(\\d)/0*(\\d+)', to = 'C\\1-\\2' }]
[[columns]]
name = "heat"
source = "HEAT"
[[columns]]
name = "mass_t"
source = "T"
[[columns]]
name = "thickness_mm"
source = "MM"
[[columns]]
name = "state"
source = "ST"
[states]
FREE = "live"
OUT = "shipped"
[tolerance]
mass = { absolute = 50, percent = 0.5 }
thickness = { absolute = 0.02 }
"""
HEAD = "COIL;HEAT;T;MM;ST\n"


@pytest.fixture
def mill(tmp_path: Path, clock: FixedClock) -> Iterator[Bench]:
    bench = make_bench("BRK", tmp_path, clock)
    (tmp_path / "pilot.toml").write_text(RULES)
    (tmp_path / "old").mkdir()
    settings = bench.plant.settings.model_copy(update={"pilot": tmp_path / "pilot.toml"})
    bench.plant = replace(bench.plant, settings=settings)
    yield bench
    bench.plant.node.engine.dispose()
    bench.plant.spool.dispose()


def make(mill: Bench, number: str, mass_kg: int = 24_000, basis: str = "weighed", after_ms: int = 3_600_000) -> None:
    """A coil made here on the day, an hour after the day's first message."""
    material_id = hashlib.sha256(number.encode()).hexdigest()[:32]
    born = mill.plant.model.calendar.day_bounds(DAY)[0] + after_ms
    piece = NewMaterial(
        material_id=material_id,
        kind="coil",
        aliases=(NewAlias("test", number),),
        order_item="",
        grade="L06",
        mass=Mass(mass_kg * 1000, basis, ""),
        size=Size(2_000, 1_250_000, 0),
        place="",
        heat_number="261604",
        chemistry_e6={},
    )
    with mill.plant.journal.work() as tx:
        tx.record(Draft(MaterialCreated(material=piece, origin="made"), (material_id,), "l2", Occurred(born, "l2")))


def drop(mill: Bench, lines: str, day: str = "20260311") -> None:
    assert mill.plant.settings.pilot is not None
    file = mill.plant.settings.pilot.parent / "old" / f"coils-{day}.csv"
    before = file.stat().st_mtime_ns if file.exists() else 0
    file.write_text(HEAD + lines)
    os.utime(file, ns=(before + 1_000_000_000,) * 2)


def found(mill: Bench, **wanted: str) -> list[dict[str, Any]]:
    with read(mill.plant.node.engine) as conn:
        return queries.find_differences(conn, wanted)


def test_what_agrees_within_tolerance_is_no_difference(mill: Bench) -> None:
    make(mill, "C5-1", 24_000)
    make(mill, "C5-2", 24_000)
    drop(mill, "5/001;261604;24,09;2.01;FREE\n5/002;261605;25,0;2.1;OUT\n")
    assert look(mill.plant) == [DAY]
    assert {(row["number"], row["field"], row["ours"], row["theirs"], row["unit"]) for row in found(mill)} == {
        ("C5-2", "heat", "261604", "261605", ""),
        ("C5-2", "mass", "24000", "25000", "kg"),
        ("C5-2", "thickness", "2", "2.1", "mm"),
        ("C5-2", "state", "live", "shipped", ""),
    }
    with read(mill.plant.node.engine) as conn:
        (day,) = queries.find_days(conn, 9)
    assert (day.theirs, day.ours, day.same, day.missing_here, day.missing_there, day.differing) == (2, 2, 1, 0, 0, 1)


def test_what_one_side_lacks_is_named_on_both_sides(mill: Bench) -> None:
    make(mill, "C5-1")
    make(mill, "C5-3")
    mill.take_in("C5-4", "coil", 24_000, (2_000, 1_250_000, 0))  # taken over, not made here: their file has it not
    drop(mill, "5/1;261604;24;2;FREE\n5/2;261604;24;2;FREE\n")
    look(mill.plant)
    assert {(row["number"], row["kind"]) for row in found(mill)} == {
        ("C5-2", "missing_here"),
        ("C5-3", "missing_there"),
    }


def test_the_turn_of_the_day_is_no_difference(mill: Bench) -> None:
    """Ours a second before six, theirs a second after: in the file of the next day."""
    make(mill, "C5-9", after_ms=24 * 3_600_000 - 1_000)
    drop(mill, "")
    look(mill.plant)
    assert [row["number"] for row in found(mill)] == ["C5-9"]
    drop(mill, "5/9;261604;24;2;FREE\n", day="20260312")
    look(mill.plant)
    assert found(mill) == []


def test_a_corrected_file_replaces_its_day_and_the_same_again_is_not_read(mill: Bench) -> None:
    make(mill, "C5-1")
    drop(mill, "5/1;999999;24;2;FREE\n")
    look(mill.plant)
    assert len(found(mill)) == 1
    assert look(mill.plant) == []
    drop(mill, "5/1;261604;24;2;FREE\n")
    assert look(mill.plant) == [DAY]
    assert found(mill) == []


def spool(mill: Bench, fields: dict[str, Any], link: str = "BRK-HSM") -> int:
    at = mill.plant.model.calendar.day_bounds(DAY)[0] + 3_600_000
    body = str(fields).encode()
    mill.sequence += 1
    with write(mill.plant.spool) as conn:
        incoming = Incoming(link, "DC1.CoilDone", mill.sequence, str(at), at, at, 0, 60, body, body, fields)
        return append(conn, incoming).spool_id


def test_the_first_place_to_look_at(mill: Bench) -> None:
    make(mill, "C5-3", basis="calculated")
    make(mill, "C5-4")
    bad = spool(mill, {"slab": "no such slab", "coil_no": "C5-2"})
    while mill.interpreter.step():
        pass
    spool(mill, {"mill": 5, "number": 4, "c": "C5"})  # its parts lie apart, and it says C5, not 5
    drop(mill, "5/2;1;1;1;FREE\n5/3;261604;30;2;FREE\n5/4;1;24;2;FREE\n5/7;1;1;1;FREE\n")
    look(mill.plant)
    causes = {row["number"]: row for row in found(mill)}
    assert causes["C5-2"]["cause"] in ("in_repair", "waiting")
    assert causes["C5-2"]["spool_id"] == bad
    assert causes["C5-3"]["cause"] == "not_weighed"
    assert causes["C5-4"]["cause"] == "interpreted"
    assert causes["C5-7"]["cause"] == "unnamed"
    at = mill.plant.model.calendar.day_bounds(DAY)[0] + 60_000
    with write(mill.plant.spool) as conn:
        conn.execute(insert(link_history).values(link="CC1", ordinal=1, at_ms=at, kind=GAP, why="900 bytes"))
    drop(mill, "5/7;1;1;1;FREE\n")
    look(mill.plant)
    assert {row["number"]: row["cause"] for row in found(mill)}["C5-7"] == "gap"


def test_lines_and_files_that_cannot_be_read_are_said(mill: Bench) -> None:
    drop(mill, "5/1;261604;24;2;FREE\n5/2;261604;heavy;2;FREE\n5/3;261604;24;2;GONE\n;261604;24;2;FREE\n")
    look(mill.plant)
    with read(mill.plant.node.engine) as conn:
        problems = [row.problem for row in queries.find_problems(conn, DAY, 9)]
    assert [text.split(":")[0] for text in problems] == ["Record 2", "Record 3", "Record 4"]
    drop(mill, "5/1\n", day="99999999")
    assert look(mill.plant) == []
    with read(mill.plant.node.engine) as conn:
        (bad,) = queries.find_bad_files(conn, 9)
    assert "day" in bad.problem


def test_a_missing_file_is_said_and_production_goes_on(mill: Bench, clock: FixedClock) -> None:
    assert mill.plant.settings.pilot is not None
    rules = load_rules(mill.plant.settings.pilot)
    clock.advance(2 * 3_600_000)  # 08:00 in Berlin
    assert last_due_day(mill.plant, rules) == "2026-03-10"
    assert "has not come" in pilot_status(mill.plant)[0].text
    (mill.plant.settings.pilot.parent / "old").rmdir()
    follow(mill.plant)
    mill.plant.settings.pilot.write_text(RULES.replace("settled_s", "setled_s"))
    follow(mill.plant)
    assert "setled_s" in pilot_status(mill.plant)[0].text


@pytest.mark.parametrize(
    "wrong",
    [
        RULES.replace('name = "number"', 'name = "place"'),
        RULES.replace('name = "heat"', 'name = "mass_kg"'),
        RULES.replace("thickness = {", "depth = {"),
        RULES.replace("(\\d{4})(\\d{2})(\\d{2})", "(\\d{8})"),
        RULES.replace('format = "csv"', 'format = "xml"'),
        RULES.replace("(\\d)/0*", "(\\d/0*"),
    ],
)
def test_rules_that_cannot_be_are_refused(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "pilot.toml").write_text(wrong)
    with pytest.raises(BadSetup):
        load_rules(tmp_path / "pilot.toml")


def test_xml_is_read_by_the_same_rules(tmp_path: Path) -> None:
    (tmp_path / "pilot.toml").write_text(RULES.replace('format = "csv"', 'format = "xml"\nrecord = "c"'))
    rules = load_rules(tmp_path / "pilot.toml")
    text = b"<all><c><COIL>5/01</COIL><HEAT>1</HEAT><T>1.5</T><MM/><ST>OUT</ST></c></all>"
    (piece,) = read_pieces(rules, text)
    assert (piece.number, piece.values["mass"], piece.values["thickness"]) == ("C5-1", 1_500_000, None)


@given(st.integers(0, 40_000_000), st.integers(-400_000, 400_000), st.integers(0, 300), st.integers(0, 3))
def test_tolerance_is_the_larger_of_the_two(theirs: int, off: int, absolute: int, percent: int) -> None:
    allowed = {"mass": Tolerance(absolute=absolute, percent=percent)}
    differs = compare("x", {"mass": theirs + off}, {"mass": theirs}, ["mass"], allowed)
    assert bool(differs) == (abs(off) > max(absolute * 1000, theirs * percent / 100))


def test_a_pilot_ends_when_nothing_speaks_against_it(mill: Bench, clock: FixedClock) -> None:
    assert mill.plant.settings.pilot is not None
    clock.advance(86_400_000 * 9 + 3 * 3_600_000)
    assert len(find_obstacles(mill.plant)) == 2  # no day at all, and the last file is missing
    for day in range(10, 20):
        drop(mill, "", day=f"202603{day}")
    look(mill.plant)
    assert find_obstacles(mill.plant) == []
    drop(mill, "5/2;1;1;1;FREE\n5/3;1;heavy;1;FREE\n", day="20260318")
    look(mill.plant)
    with write(mill.plant.spool) as conn:
        conn.execute(insert(link_history).values(link="CC1", ordinal=1, at_ms=clock.now_ms(), kind=GAP, why="9 bytes"))
    assert [words.split()[0] for words in find_obstacles(mill.plant)] == ["Only", "1", "1"]
    none = replace(mill.plant, settings=mill.plant.settings.model_copy(update={"pilot": None}))
    with pytest.raises(BadSetup):
        find_obstacles(none)


class _Day:
    def __init__(self, day: str, *counts: int) -> None:
        self.day, (self.missing_here, self.missing_there, self.differing) = day, counts


def test_the_picture_says_how_many_days_were_clean() -> None:
    made = course([_Day("2026-03-09", 8, 1, 3), _Day("2026-03-10", 0, 0, 0), _Day("2026-03-11", 0, 0, 0)])
    assert (made.most, made.clean) == (12, 2)
    assert [bar.total for bar in made.bars] == [12, 0, 0]
    assert sum(block.height for block in made.bars[0].blocks) == pytest.approx(102)


def test_page_csv_json_and_the_band(mill: Bench, clock: FixedClock) -> None:
    make(mill, "C5-1")
    drop(mill, "5/1;999999;24;2;FREE\n5/2;1;1;1;FREE\n")
    look(mill.plant)
    live = create_console(mill.plant).test_client()
    with write(mill.plant.node.engine) as conn:
        accounts.add_person(
            conn, clock, "eng", "Eng", ("engineer",), "long enough to type", dict.fromkeys(("engineer",), "")
        )
        token = accounts.issue_token(conn, clock, "eng", "test")
    bearer = {"Authorization": f"Bearer {token}"}
    items = live.get("/api/v1/pilot/differences?kind=differs", headers=bearer).json["items"]
    assert [(row["number"], row["theirs"]) for row in items] == [("C5-1", "999999")]
    first = live.get("/api/v1/pilot/differences?limit=1", headers=bearer).json
    second = live.get(f"/api/v1/pilot/differences?limit=1&after={first['next']}", headers=bearer).json
    assert [first["items"][0]["number"], second["items"][0]["number"]] == ["C5-1", "C5-2"]
    assert live.get("/api/v1/pilot/days", headers=bearer).json["items"][0]["missing_here"] == 1
    csrf = live.get("/sign-in").text.split('name="csrf_token" value="')[1].split('"')[0]
    live.post("/sign-in", data={"login": "eng", "password": "long enough to type", "csrf_token": csrf, "next": "/"})
    page = live.get("/pilot/").text
    assert "999999" in page
    assert 'class="band"' not in page
    assert "999999" in live.get("/pilot/?format=csv").text
    shadowed = replace(mill.plant, settings=mill.plant.settings.model_copy(update={"shadow": True}))
    assert "only listens" in shadow_band(shadowed)
    figures = Feature(apis=(status.make_api(shadow=partial(shadow_links, shadowed)),))
    client = create_console(shadowed, (figures,)).test_client()
    assert 'class="band"' in client.get("/sign-in").text
    said = client.get("/api/v1/status", headers=bearer).json["shadow"]
    assert said == [link.code for link in shadowed.model.link]
