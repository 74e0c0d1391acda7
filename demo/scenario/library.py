"""The library of standards that a full day releases beside the group's own (demo/standards/library): what is in it."""

from __future__ import annotations

from pathlib import Path

import yaml

FILES = Path(__file__).parents[1] / "standards" / "library"


def library() -> list[tuple[str, int, tuple[str, ...]]]:
    """Each standard with its version and the plants that run it, by id: all three where its scope names none, no plant
    where it is a rule of the hub."""
    found = []
    for file in sorted(FILES.glob("*.yaml")):
        document = yaml.load(file.read_text(), Loader=yaml.CSafeLoader)
        of_hub = document["kind"] == "group_rule"
        plants = () if of_hub else document.get("scope", {}).get("plants") or ("ALD", "BRK", "CLD")
        found.append((str(document["id"]), int(document["version"]), tuple(plants)))
    return found
