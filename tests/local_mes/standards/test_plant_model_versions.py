"""The plant model changed on pages: drawn, checked like at the start, within the ranges of standards, kept, and undone."""

from __future__ import annotations

import difflib
import os
import re
import shutil
import sys
import tempfile
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import Person, sign_in

from local_mes.app import create_console
from local_mes.model.service import load_model
from local_mes.plant_model import service
from local_mes.plant_model.drawing import draw
from local_mes.plant_model.parameters import set_parameters
from local_mes.plant_model.tables import model_version
from local_mes.standards.service import adopt_pending
from shared.db.engine import read, write
from shared.errors import BadInput, Refused
from shared.standards.queries import list_in_force

PLANTS = Path(__file__).parents[3] / "demo" / "plants"


@pytest.fixture
def own(group: Any, tmp_path: Path) -> Any:
    """The group with a model file of the plant's own, and a routing in force."""
    shutil.copytree(PLANTS / "ald", tmp_path / "model")
    settings = group.plant.settings.model_copy(update={"model": tmp_path / "model" / "model.toml"})
    group.plant = replace(group.plant, settings=settings, model=load_model(settings.model))
    group.release("R-GISLIT-v7")
    assert group.sync()
    return group


@pytest.fixture
def ewa(own: Any) -> Person:
    return sign_in(create_console(own.plant), own.plant.node, "ewa", "engineer")


def bound(group: Any) -> Any:
    with read(group.plant.node.engine) as conn:
        return list_in_force(conn, "ALD")[0].values["CC1.slab_length_mm"]


def test_a_parameter_is_changed_within_its_range_takes_effect_at_the_start_and_is_undone(own: Any, ewa: Person) -> None:
    file = own.plant.settings.model
    first = file.read_text()
    page = ewa.page("/model/units/CC1")
    assert "R-GISLIT v7" in page
    values = dict(re.findall(r'name="(p-[a-z_]+)"[^>]* value="([^"]*)"', page))
    assert values["p-slab_length_mm"] == "9300"
    mark = re.findall(r'name="mark" value="([^"]+)"', page)[0]
    here = "/model/units/CC1"
    refused = ewa.post(here, here, **values | {"p-slab_length_mm": "99999", "mark": mark, "reason": "long"})
    assert refused.status_code == 422
    assert "slab_length_mm 99999 is outside" in refused.text
    assert file.read_text() == first
    saved = ewa.post(here, here, **values | {"p-slab_length_mm": "9100", "mark": mark, "reason": "new torch rail"})
    assert saved.status_code == 302, saved.text
    changed = [(a, b) for a, b in zip(first.splitlines(), file.read_text().splitlines(), strict=True) if a != b]
    assert changed == [
        (
            "  slab_length_mm = 9300           # aim where the schedule line gives none",
            "  slab_length_mm = 9100           # aim where the schedule line gives none",
        )
    ]
    assert "takes effect with the next start" in ewa.page("/model/")
    assert bound(own) == 9300
    own.plant = replace(own.plant, model=load_model(file))
    assert adopt_pending(own.plant)
    assert bound(own) == 9100
    versions = ewa.page("/model/versions")
    assert "found on the machine" in versions
    assert "new torch rail" in versions
    assert "slab_length_mm = 9100" in ewa.page("/model/versions/2")
    stale = ewa.post("/model/versions/1/back", "/model/versions/1", mark=mark, reason="too short")
    assert (stale.status_code, "is not the one you began with" in stale.text) == (409, True)
    now = service.mark_of(file.read_text())
    assert ewa.post("/model/versions/1/back", "/model/versions/1", mark=now, reason="too short").status_code == 302
    assert file.read_text() == first
    assert "back to version 1: too short" in ewa.page("/model/versions")


def test_a_text_is_checked_as_at_the_start_and_held_against_the_standards_in_force(own: Any, ewa: Person) -> None:
    text = own.plant.settings.model.read_text()

    def told(typed: str) -> str:
        return ewa.post("/model/text/check", "/model/text", text=typed).text

    assert "bind as they do now" in told(text)
    assert "lies in area &#39;NOWHERE&#39;" in told(text.replace('area = "MELT"', 'area = "NOWHERE"', 1))
    assert "setpoint" in told(text.replace('setpoints = ["CC2040"]', 'setpoints = ["CC9999"]'))
    assert "cannot be read" in told(text.replace("mapping/melt.toml", "mapping/none.toml"))
    assert "The text is of XXX, this is ALD" in told(text.replace('code = "ALD"', 'code = "XXX"', 1))
    worse = told(text.replace("slab_length_mm = 9300", "slab_length_mm = 500"))
    assert "CC1.slab_length_mm is 500 in the plant model" in worse
    assert not list(own.plant.settings.model.parent.glob(".model-*"))
    mark = service.mark_of(text)
    answer = ewa.post("/model/text", "/model/text", text="[plant", mark=mark, reason="x", do="save")
    assert (answer.status_code, "it is not TOML" in answer.text) == (422, True)


def test_what_somebody_wrote_on_the_machine_becomes_a_version_of_its_own(own: Any) -> None:
    file, plant = own.plant.settings.model, own.plant
    begun = file.read_text()
    file.write_text(begun + "\n# a note\n")
    with pytest.raises(Refused):
        service.save(plant, begun + "\n", service.mark_of(begun), "mine", actor="p", command_id="1")
    third = begun + "\n# another\n"
    assert service.save(plant, third, service.mark_of(file.read_text()), "mine", actor="p", command_id="2") == 2
    with pytest.raises(BadInput, match="Nothing differs"):
        service.save(plant, third, service.mark_of(third), "again", actor="p", command_id="3")
    assert service.save(plant, third, service.mark_of(third), "the same click", actor="p", command_id="2") == 2
    with read(plant.node.engine) as conn:
        rows = [service.get_version(conn, number) for number in (2, 1)]
    kept = [(row.version, row.reason, row.saved_by, row.text) for row in rows]
    assert kept == [(2, "mine", "p", third), (1, service.FOUND, "", begun + "\n# a note\n")]


def test_only_engineers_change_it_and_everybody_sees_the_drawing(own: Any) -> None:
    olek = sign_in(create_console(own.plant), own.plant.node, "olek", "operator")
    page = olek.page("/model/")
    assert page.count('class="unit-box') == len(own.plant.model.unit)
    assert "BRK" in page
    assert 'name="p-' not in olek.page("/model/units/CC1")
    assert olek.client.get("/model/text").status_code == 403
    own.plant.settings.model.write_text("[plant")
    assert "a start would be refused" in olek.page("/model/")


def test_a_model_that_cannot_be_written_is_checked_all_the_same_and_the_page_says_so(
    own: Any, ewa: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, may = own.plant.settings.model.parent, os.access
    text = own.plant.settings.model.read_text()

    def read_only(*_: Any, **__: Any) -> Any:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(tempfile, "mkstemp", read_only)
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != folder and may(path, mode))
    page = ewa.page("/model/text")
    assert "The model file cannot be written" in page
    assert "bind as they do now" in page
    told = ewa.post("/model/text/check", "/model/text", text=text.replace('area = "MELT"', 'area = "NOWHERE"', 1)).text
    assert "The plant model model.toml cannot be used" in told
    typed = {"text": text + "\n# mine", "mark": service.mark_of(text), "reason": "x", "do": "save"}
    refused = ewa.post("/model/text", "/model/text", **typed)
    assert (refused.status_code, "the folder of the model" in refused.text) == (503, True)
    assert "# mine" in refused.text
    assert own.plant.settings.model.read_text() == text


def test_of_the_versions_only_what_is_shown_is_read(own: Any, ewa: Person) -> None:
    text = own.plant.settings.model.read_text()
    row = {"sha256": "a" * 64, "text": text, "reason": "rail", "saved_ms": 5, "saved_by": "p"}
    with write(own.plant.node.engine) as conn:
        conn.execute(insert(model_version), [row | {"version": number} for number in range(1, 61)])
    asked: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT") and "plant_model_version" in statement:
            asked.append(statement)

    event.listen(own.plant.node.engine, "before_cursor_execute", note)
    assert "is not the one that runs" not in ewa.page("/model/")
    first = ewa.page("/model/versions")
    mine = text + "\n# mine\n"
    assert service.save(own.plant, mine, service.mark_of(text), "mine", actor="p", command_id="1") == 62
    assert len(asked) >= 4
    assert [each for each in asked if "plant_model_version.text" in each or "LIMIT" not in each] == []
    assert re.findall(r'href="/model/versions/(\d+)"', first) == [str(number) for number in range(60, 10, -1)]
    assert "was changed on the machine" in first
    assert ">the saved one<" in ewa.page("/model/versions")
    second = ewa.page("/model/versions?after=11")
    assert re.findall(r'href="/model/versions/(\d+)"', second) == [str(number) for number in range(10, 0, -1)]
    assert ewa.client.get("/model/versions?after=x").status_code == 422


def test_a_text_that_is_too_long_is_refused_before_it_is_compared(
    own: Any, ewa: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []

    def note(_: Any, after: list[str], **__: Any) -> list[str]:
        compared.append(len(after))
        return []

    monkeypatch.setattr(difflib, "unified_diff", note)
    typed = "x = 1\n" * (service.TEXT_MAX // 6 + 1)
    said = f"has {len(typed)} characters"
    assert said in ewa.post("/model/text/check", "/model/text", text=typed).text
    assert said in ewa.post("/model/text", "/model/text", text=typed, do="check").text
    assert max(compared) < 10_000, "only the model itself, when the form was shown"


@pytest.mark.parametrize("plant", ["ald", "brk", "cld"])
def test_every_parameter_of_the_examples_can_be_changed_alone(plant: str) -> None:
    text = (PLANTS / plant / "model.toml").read_text()
    document = tomllib.loads(text)
    for unit in document["unit"]:
        for name, value in unit.get("parameters", {}).items():
            other = (not value) if isinstance(value, bool) else "other" if isinstance(value, str) else value + 1
            changed = tomllib.loads(set_parameters(text, unit["code"], {name: other}))
            mine = next(u for u in changed["unit"] if u["code"] == unit["code"])
            assert mine["parameters"][name] == other
        added = tomllib.loads(set_parameters(text, unit["code"], {"brand_new": 7}))
        assert next(u for u in added["unit"] if u["code"] == unit["code"])["parameters"]["brand_new"] == 7
    with pytest.raises(BadInput):
        set_parameters(text, "NOBODY", {"x": 1})
    model = load_model(PLANTS / plant / "model.toml")
    drawn = draw(model, {})
    boxes = [box for area in drawn.areas for box in area.units]
    assert len(boxes) == len(model.unit)
    assert len({(box.x, box.y) for box in boxes}) == len(boxes)
    assert all(a.y + a.height <= b.y for a, b in zip(drawn.areas, drawn.areas[1:], strict=False))
