"""What the documents promise: every setting and every command is in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from shared.settings import HubSettings, PlantSettings

ROOT = Path(__file__).parents[2]


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from keys(field.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name


@pytest.mark.parametrize("settings", [PlantSettings, HubSettings])
def test_every_setting_is_documented_with_its_reason(settings: type[BaseModel]) -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    assert [key for key in keys(settings) if f"`{key}`" not in text] == []


def test_every_make_target_in_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    readme = (ROOT / "README.md").read_text()
    named = {word.strip("`.,;:") for word in readme.split() if word.startswith("`make")} and {
        line.split("make ")[1].split("`")[0].split()[0] for line in readme.splitlines() if "`make " in line
    }
    assert named, "the README names no make target"
    assert [target for target in named if f"\n{target}:" not in makefile] == []
