"""The part of requirements.lock that a running node needs: the closure of the project's own requirements, with hashes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import requires
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@dataclass(frozen=True)
class Pin:
    """One requirement of the lock: its name, its version, and its lines with the hashes."""

    name: str
    version: str
    text: str


def read_project(source: Path) -> dict[str, Any]:
    """The [project] table of a tree's pyproject.toml."""
    project: dict[str, Any] = tomllib.loads((source / "pyproject.toml").read_text("utf-8"))["project"]
    return project


def read_lock(file: Path) -> dict[str, Pin]:
    """All pins of a lock with hashes, by canonical name."""
    pins: dict[str, Pin] = {}
    for block in re.split(r"\n(?=\S)", file.read_text("utf-8")):
        if found := re.match(r"([A-Za-z0-9._-]+)==(\S+) \\\n", block):
            lines = [line for line in block.splitlines() if not line.lstrip().startswith("#")]
            name = canonicalize_name(found[1])
            pins[name] = Pin(name, found[2], "\n".join(lines) + "\n")
    return pins


def site_pins(source: Path, extras: Iterable[str]) -> list[Pin]:
    """What the project needs on a site with these extras, wherever its parts need it. KeyError: the lock lacks one."""
    project = read_project(source)
    first = [*project["dependencies"]]
    for extra in extras:
        first += project["optional-dependencies"][extra]
    pins = read_lock(source / "requirements.lock")
    wanted: set[str] = set()
    waiting = [one for one in map(Requirement, first) if _counts(one, "")]
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        new = {f"{name}[{extra}]" for extra in one.extras or {""}} - wanted
        if new:
            wanted |= new
            waiting += _needs(name, one.extras)
    return [pins[name] for name in sorted({entry.split("[")[0] for entry in wanted})]


def _needs(name: str, extras: Iterable[str]) -> list[Requirement]:
    found = [Requirement(text) for text in requires(name) or ()]
    return [one for one in found if any(_counts(one, extra) for extra in {"", *extras})]


def _counts(one: Requirement, extra: str) -> bool:
    return one.marker is None or one.marker.evaluate({"extra": extra})
