"""Where within the piece that was charged a processor's products lay: checked against that piece and each other.

A processor may tell sizes and places of its products; then a place on the product is found on our piece and on what that
was made of. Without them a product is some part of what was charged.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from sqlalchemy import Row

from local_mes.outside.domain import Area, Said
from local_mes.outside.finding import Unclear
from shared.material.facts import Size
from shared.units import UM_PER_MM

SLACK_PPM = 10_000
"""A party's count of metres and its scale of widths may differ from ours by this much of the piece; what lies beyond is cut."""


def read_areas(parents: Sequence[Row[Any]], said: Sequence[Said]) -> list[Area | None]:
    """The place of each product within the one piece that was charged, None where none was told. Unclear where it has none."""
    if not any(one.area for one in said):
        return [None] * len(said)
    if len(parents) != 1:
        raise Unclear("places within a piece are told, and more than one piece was charged")
    areas = [_within(parents[0], one) for one in said]
    for (one, here), (other, there) in combinations(zip(said, areas, strict=True), 2):
        if here and there and _meet(here, there, parents[0]):
            raise Unclear(f"{one.piece} and {other.piece} are said to be of the same place of {parents[0].number}")
    return areas


def size_of(said: Said, area: Area | None, parent: Row[Any]) -> Size:
    """As told; what was not told follows from the place, and the thickness from the piece, where either is told."""
    if area is None and not said.sizes_told:
        return Size()
    width = said.width_um or (area.right_um - area.left_um if area else 0)
    return Size(
        said.thickness_um or parent.thickness_um,
        width or parent.width_um,
        said.length_um or (area.to_um - area.from_um if area else 0),
    )


def _within(parent: Row[Any], said: Said) -> Area | None:
    told = said.area
    if told is None:
        return None
    left, right = told.left_um, told.right_um or parent.width_um
    lengthwise = _clip(told.from_um, told.to_um or parent.length_um, parent.length_um)
    across = _clip(left, right, parent.width_um)
    if lengthwise is None or across is None:
        raise Unclear(
            f"{said.piece} is said to be of {told.from_um / 1e6:,.3f} to {told.to_um / 1e6:,.3f} m and "
            f"{left // UM_PER_MM:,} to {right // UM_PER_MM:,} mm across of {parent.number}, which is "
            f"{parent.length_um / 1e6:,.3f} m long and {parent.width_um // UM_PER_MM:,} mm wide"
        )
    return Area(*lengthwise, *across)


def _clip(start: int, stop: int, size: int) -> tuple[int, int] | None:
    """Within the piece; as told where nobody measured that side of the piece (0)."""
    known = size or stop
    if not 0 <= start < min(stop, known) or stop > known + _slack(known):
        return None
    return start, min(stop, known)


def _meet(one: Area, other: Area, parent: Row[Any]) -> bool:
    """Whether two places have more of the piece in common than measuring leaves open."""
    along = _common((one.from_um, one.to_um), (other.from_um, other.to_um), parent.length_um)
    return along and _common((one.left_um, one.right_um), (other.left_um, other.right_um), parent.width_um)


def _common(one: tuple[int, int], other: tuple[int, int], size: int) -> bool:
    """Whether two stretches share more than the slack of the piece, and more than a tenth of the shorter of them."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    shorter = min(one[1] - one[0], other[1] - other[0])
    return shared > min(_slack(size), shorter // 10)


def _slack(size: int) -> int:
    return size * SLACK_PPM // 1_000_000
