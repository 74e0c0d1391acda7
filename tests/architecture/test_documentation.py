"""What the documents promise: every setting and every command is in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from shared.cli import cli
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


def test_decisions_are_numbered_without_gap_in_name_and_title() -> None:
    files = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [path.name[:5] for path in files] == [f"{n:04d}-" for n in range(1, len(files) + 1)]
    assert [path.name for path in files if not path.read_text().startswith(f"# {path.name[:4]} ")] == []


def test_every_link_between_documents_leads_somewhere() -> None:
    files = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    links = [(path, link) for path in files for link in re.findall(r"\]\(([^)#\s]+)", path.read_text())]
    assert links
    dead = [(str(path.relative_to(ROOT)), link) for path, link in links if "://" not in link]
    assert [entry for entry in dead if not ((ROOT / entry[0]).parent / entry[1]).exists()] == []


def test_every_command_in_the_documents_exists() -> None:
    text = "\n".join(path.read_text() for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
    named = set(re.findall(r"strandline (plant|hub|standards) ([a-z0-9-]+)(?: ([a-z]+))?", text))
    assert named
    missing = []
    for room, word, more in named:
        group = cli.get_command(click.Context(cli), room)
        command = group.commands.get(word) if isinstance(group, click.Group) else None
        if command is None or (isinstance(command, click.Group) and more not in command.commands):
            missing.append(f"{room} {word} {more}")
    assert missing == []
