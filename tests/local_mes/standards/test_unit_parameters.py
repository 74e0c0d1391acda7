"""What is typed on a unit's page is read as it is meant, or refused; what is only shown there comes back as it was."""

from __future__ import annotations

import re
import shutil
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import sign_in

from local_mes.app import create_console
from local_mes.model.service import load_model
from local_mes.plant_model.ranges import Setting, as_typed, read_value
from shared.errors import BadInput

PLANTS = Path(__file__).parents[3] / "demo" / "plants"
TYPED = (
    (True, "false", False), (True, "True", True), (True, "yess", None), (True, "1", None),
    (1.2, "1,5", None), (1.2, "inf", None), (1.2, "nan", None), (1.2, "1,234.5", 1234.5), (1.2, "1e3", 1000.0),
    (12, "12,5", None), (12, "12,500", 12500), (12, "1 2", None), (12, "12 500", 12500), (12, "9" * 5000, None),
)  # fmt: skip
"""The model's value, what is typed over it, and what that is; None: it is refused."""


def test_saving_one_parameter_leaves_the_others_as_they_were(group: Any, tmp_path: Path) -> None:
    shutil.copytree(PLANTS / "ald", tmp_path / "model")
    file, here = tmp_path / "model" / "model.toml", "/model/units/CC1"
    file.write_text(file.read_text().replace("  slab_length_mm =", "  inspected = true\n  slab_length_mm =", 1))
    settings = group.plant.settings.model_copy(update={"model": file})
    plant = replace(group.plant, settings=settings, model=load_model(file))
    ewa = sign_in(create_console(plant), plant.node, "ewa", "engineer")
    page = ewa.page(here)
    values = dict(re.findall(r'name="(p-[a-z_]+)"[^>]* value="([^"]*)"', page))
    mark = re.findall(r'name="mark" value="([^"]+)"', page)[0]
    saved = ewa.post(here, here, **values | {"p-slab_length_mm": "9,100", "mark": mark, "reason": "new torch rail"})
    assert saved.status_code == 302, saved.text
    parameters = load_model(file).get_unit("CC1").parameters
    assert (parameters["inspected"], parameters["slab_length_mm"]) == (True, 9100)


def test_a_typed_value_is_what_it_says_or_refused() -> None:
    for value, typed, meant in TYPED:
        setting = Setting("x", value, ())
        if meant is None:
            with pytest.raises(BadInput):
                print(typed[:20], "is read as", read_value(setting, typed))
        else:
            assert (read_value(setting, typed), type(read_value(setting, typed))) == (meant, type(meant))
    for file in PLANTS.glob("*/model.toml"):
        for unit in tomllib.loads(file.read_text())["unit"]:
            for name, value in unit.get("parameters", {}).items():
                assert read_value(Setting(name, value, ()), as_typed(value)) == value
