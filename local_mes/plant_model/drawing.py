"""The plant as a drawing out of its model: areas with their units, grounds with stacks, links below, lanes outwards. Pure.

Coordinates are units of the SVG's view box, near pixels at a page's width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from local_mes.model.domain import PlantModel, Storage, Unit

WIDTH = 960
UNIT_W, UNIT_H, GAP, PAD, HEAD = 168, 78, 14, 16, 30
LANE_W = 150
A_ROW = (WIDTH - LANE_W - 2 * PAD + GAP) // (UNIT_W + GAP)
"""Units side by side."""


@dataclass(frozen=True)
class UnitBox:
    """A unit: where it stands, what it does now, over which links it speaks and how much it tells."""

    unit: Unit
    x: int
    y: int
    state: str
    links: Sequence[str]
    granularity: str
    ground: str


@dataclass(frozen=True)
class AreaBox:
    """An area around its units."""

    code: str
    name: str
    y: int
    height: int
    units: Sequence[UnitBox]
    ground: str


@dataclass(frozen=True)
class LaneArrow:
    """A way to another plant."""

    code: str
    to: str
    words: str
    y: int


@dataclass(frozen=True)
class Drawing:
    """Everything with its size; width of the areas without the lanes beside them."""

    areas: Sequence[AreaBox]
    lanes: Sequence[LaneArrow]
    height: int
    width: int = WIDTH
    inner: int = WIDTH - LANE_W
    unit_w: int = UNIT_W
    unit_h: int = UNIT_H


def draw(model: PlantModel, states: Mapping[str, str]) -> Drawing:
    """The plant; states: unit -> what it does now, absent where nobody told."""
    spoken = _links(model)
    areas, y = [], 0
    for area in model.area:
        mine = [unit for unit in model.unit if unit.area == area.code]
        rows = max(1, -(-len(mine) // A_ROW))
        height = HEAD + rows * (UNIT_H + GAP) + PAD - GAP
        boxes = [_box(model, unit, n, y, states, spoken) for n, unit in enumerate(mine)]
        storage = None if any(unit.code == area.code for unit in mine) else model.find_storage(area.code)
        areas.append(AreaBox(area.code, area.name, y, height, boxes, _ground(storage)))
        y += height + GAP
    height = max(y, len(model.lane) * (UNIT_H + GAP))
    lanes = [
        LaneArrow(lane.code, lane.to, f"{lane.mode}, {lane.hours:g} h", HEAD + n * (UNIT_H + GAP))
        for n, lane in enumerate(model.lane)
    ]
    return Drawing(areas, lanes, height)


def _box(
    model: PlantModel, unit: Unit, n: int, top: int, states: Mapping[str, str], spoken: Mapping[str, list[str]]
) -> UnitBox:
    row, column = divmod(n, A_ROW)
    x, y = PAD + column * (UNIT_W + GAP), top + HEAD + row * (UNIT_H + GAP)
    ground = _ground(model.find_storage(unit.code))
    told = model.granularity.get(unit.code, "")
    return UnitBox(unit, x, y, states.get(unit.code, ""), spoken.get(unit.code, []), told, ground)


def _ground(storage: Storage | None) -> str:
    return f"{storage.rows} rows × {storage.stacks} stacks" if storage else ""


def _links(model: PlantModel) -> dict[str, list[str]]:
    """Unit -> links it speaks over: its own; those whose messages name units belong to no one unit."""
    found: dict[str, list[str]] = {}
    for unit in model.unit:
        if unit.link:
            found.setdefault(unit.code, []).append(unit.link)
    return found
