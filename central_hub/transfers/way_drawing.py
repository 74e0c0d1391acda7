"""The group as a picture: plants on a ring, lanes between them with what they carry. Pure geometry, drawn by a template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, hypot, pi, sin

from central_hub.transfers.way_domain import LaneLoad

WIDTH, HEIGHT = 960.0, 400.0
BOX_W, BOX_H = 136.0, 48.0
LABEL_W, LABEL_H = 190.0, 38.0
BEND = 0.16
"""How far a lane bows out of the straight line, as a part of its length: so that there and back lie apart."""


@dataclass(frozen=True)
class Place:
    """A plant's box; x and y are its middle."""

    code: str
    x: float
    y: float

    @property
    def left(self) -> float:
        """Where the box begins."""
        return round(self.x - BOX_W / 2, 1)

    @property
    def top(self) -> float:
        """Its upper edge."""
        return round(self.y - BOX_H / 2, 1)


@dataclass(frozen=True)
class Way:
    """A lane: its bow, the tip of its arrow, and where its label stands (middle)."""

    load: LaneLoad
    path: str
    tip: str
    x: float
    y: float


@dataclass(frozen=True)
class WayMap:
    """The picture in units of its view box."""

    places: Sequence[Place]
    ways: Sequence[Way]
    width: float = WIDTH
    height: float = HEIGHT


def draw_map(codes: Sequence[str], lanes: Sequence[LaneLoad]) -> WayMap:
    """Plants side by side where there are two, else on a ring; everybody a lane leads to has a place."""
    ends = {code for lane in lanes for code in (lane.sender, lane.receiver) if code}
    names = [*codes, *sorted(ends - set(codes))]
    places = {code: _place(code, n, len(names)) for n, code in enumerate(names)}
    ways = [_way(places[lane.sender], places[lane.receiver], lane) for lane in lanes if lane.sender and lane.receiver]
    return WayMap(list(places.values()), ways)


def _place(code: str, n: int, count: int) -> Place:
    angle = pi + 2 * pi * n / max(count, 1)
    across, down = (WIDTH - BOX_W) / 2 - 8, (HEIGHT - BOX_H) / 2 - 8
    return Place(code, round(WIDTH / 2 + across * cos(angle), 1), round(HEIGHT / 2 + down * sin(angle), 1))


def _way(start: Place, end: Place, load: LaneLoad) -> Way:
    """A bow to the right of its direction, from the edge of one box to the edge of the other."""
    dx, dy = end.x - start.x, end.y - start.y
    length = hypot(dx, dy) or 1.0
    across = max(length * BEND, LABEL_H)
    mid_x, mid_y = (start.x + end.x) / 2 - dy / length * across, (start.y + end.y) / 2 + dx / length * across
    from_x, from_y = _edge(start, mid_x, mid_y)
    to_x, to_y = _edge(end, mid_x, mid_y)
    label_x, label_y = (from_x + 2 * mid_x + to_x) / 4, (from_y + 2 * mid_y + to_y) / 4
    path = f"M{from_x:.1f} {from_y:.1f}Q{mid_x:.1f} {mid_y:.1f} {to_x:.1f} {to_y:.1f}"
    tip = _tip(mid_x, mid_y, to_x, to_y)
    x = min(max(label_x, LABEL_W / 2), WIDTH - LABEL_W / 2)
    y = min(max(label_y, LABEL_H / 2), HEIGHT - LABEL_H / 2)
    return Way(load, path, tip, round(x, 1), round(y, 1))


def _edge(box: Place, x: float, y: float) -> tuple[float, float]:
    """Where the line from a box's middle towards a point leaves it."""
    dx, dy = x - box.x, y - box.y
    parts = [size / abs(d) for d, size in ((dx, BOX_W / 2), (dy, BOX_H / 2)) if d]
    part = min(parts, default=0.0)
    return box.x + dx * part, box.y + dy * part


def _tip(from_x: float, from_y: float, x: float, y: float) -> str:
    """A triangle that ends at (x, y) and comes from the other point."""
    dx, dy = x - from_x, y - from_y
    length = hypot(dx, dy) or 1.0
    ux, uy = dx / length * 10, dy / length * 10
    return f"{x:.1f},{y:.1f} {x - ux - uy / 2:.1f},{y - uy + ux / 2:.1f} {x - ux + uy / 2:.1f},{y - uy - ux / 2:.1f}"
