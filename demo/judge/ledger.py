"""Reads ledger.jsonl (demo/ledger.md) and folds it into what must be true at the end."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Line = dict[str, Any]


@dataclass
class Piece:
    """One piece of steel under the number first painted on it."""

    number: str
    kind: str
    plant: str
    line: Line
    numbers: list[tuple[str, str]] = field(default_factory=list)
    """(plant, number) in order of painting."""
    told: dict[str, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))
    """plant -> [(basis, grams)] in order of telling."""
    at: str | None = None
    """The plant it is in; None on the way."""
    left: set[str] = field(default_factory=set)
    """Plants that told that it left them, whether it did or not: what their books must say."""
    ended: str = ""
    """'' alive, else consumed or scrapped."""
    ended_at: str = ""


@dataclass
class World:
    """The folded ledger."""

    pieces: dict[str, Piece]
    lines: dict[str, list[Line]]
    """All lines by `what`."""

    def of(self, what: str) -> list[Line]:
        """The lines of one kind, in order."""
        return self.lines.get(what, [])

    @property
    def finished(self) -> bool:
        """Whether the run came to its end."""
        return bool(self.of("end"))


def read(path: Path) -> World:
    """Fold the ledger; a line repeated by a restart counts once."""
    world = World({}, defaultdict(list))
    for line in _unique(path):
        world.lines[line["what"]].append(line)
        fold = _FOLDS.get(line["what"])
        if fold is not None:
            fold(world, line)
    return world


def _unique(path: Path) -> Iterator[Line]:
    seen: set[tuple[int, int]] = set()
    with path.open() as file:
        for text in file:
            if not text.endswith("\n"):
                continue  # a line that a kill cut in half is written again by the restart
            line: Line = json.loads(text)
            key = (line["n"], line["i"])
            if key not in seen:
                seen.add(key)
                yield line


def _piece(world: World, line: Line) -> None:
    piece = Piece(line["piece"], line["kind"], line["plant"], line, at=line["plant"])
    piece.numbers.append((line["plant"], line["piece"]))
    for basis in ("theoretical", "weighed"):
        if line.get(f"{basis}_g"):
            piece.told[line["plant"]].append((basis, line[f"{basis}_g"]))
    world.pieces[piece.number] = piece


def _number(world: World, line: Line) -> None:
    world.pieces[line["piece"]].numbers.append((line["plant"], line["number"]))


def _mass(world: World, line: Line) -> None:
    world.pieces[line["piece"]].told[line["plant"]].append((line["basis"], line["mass_g"]))


def _place(world: World, line: Line) -> None:
    world.pieces[line["piece"]].at = line["plant"]


def _received(world: World, line: Line) -> None:
    piece = world.pieces[line["piece"]]
    piece.at = line["plant"]
    piece.told[line["plant"]].append((line["basis"], line["mass_g"]))
    if line.get("number") and (line["plant"], line["number"]) not in piece.numbers:
        piece.numbers.append((line["plant"], line["number"]))


def _shipped(world: World, line: Line) -> None:
    world.pieces[line["piece"]].left.add(line["from"])


def _ended(world: World, line: Line) -> None:
    piece = world.pieces[line["piece"]]
    piece.ended, piece.ended_at = line["what"], line["plant"]


_FOLDS = {
    "piece": _piece,
    "number": _number,
    "mass": _mass,
    "place": _place,
    "shipped": _shipped,
    "received": _received,
    "consumed": _ended,
    "scrapped": _ended,
}
