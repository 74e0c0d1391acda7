"""Which heats a piece of strand is made of, metre by metre: how it is told, kept, and found again on what was made of it.

A mixture belongs to the strand: its bounds are strand positions, as the parent's side of the slab's edges. So a place on
a slab finds its steel through its edge, also where the slab's size was corrected since.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from shared.db.prepared import Prepared, listed
from shared.material.domain import Affine, holds_place, to_child, to_parent
from shared.material.facts import Mixture
from shared.material.tables import mixture
from shared.material.walk import DEPTH_MAX, Step
from shared.units import share_out

WHOLE_PPM = 1_000_000
Shares = dict[str, int]
"""Heat -> share in ppm; they add up to 1,000,000."""


def is_whole(told: Mixture) -> bool:
    """Whether a mixture can be read: an interval between each two bounds, a share a heat in each. Another node's may not be;
    then the piece has its mean shares."""
    rows, bounds, count = told.shares_ppm, told.bounds_um, len(told.heats)
    rising = all(low < high for low, high in pairwise(bounds))
    shared = all(len(row) == count and all(ppm >= 0 for ppm in row) and any(row) for row in rows)
    return bool(rows) and len(bounds) == len(rows) + 1 and rising and shared


def row_of(author: str, operation_id: str, told: Mixture) -> dict[str, Any]:
    """A mixture as its row."""
    head = {"author": author, "material_id": told.child_id, "operation_id": operation_id}
    return head | {"told": msgspec.json.encode(told).decode()}


def mixtures_of(conn: Connection, ids: Iterable[str]) -> dict[str, Mixture]:
    """Mixtures by piece, of those pieces that have one."""
    wanted = sorted(set(ids))
    rows = _TOLD.rows(conn, ids=wanted) if wanted else []
    return {row[0]: msgspec.json.decode(row[1], type=Mixture) for row in rows}


_TOLD = Prepared(
    lambda database: select(mixture.c.material_id, mixture.c.told).where(listed(database, mixture.c.material_id, "ids"))
)


def shares_at(told: Mixture, strand_um: int | Fraction) -> Shares:
    """Heats at a strand position, those that have none of it left out; beyond the ends as at the ends."""
    at = min(max(bisect_right(told.bounds_um, strand_um) - 1, 0), len(told.shares_ppm) - 1)
    return {heat: ppm for heat, ppm in zip(told.heats, told.shares_ppm[at], strict=True) if ppm}


def shares_over(told: Mixture, parts: Sequence[tuple[Fraction, Fraction]]) -> Shares:
    """Mean of the heats over stretches of the strand, by length; of places without length, the mean of the places."""
    weights = {heat: Fraction(0) for heat in told.heats}
    long = [(a, b) for a, b in parts if b > a]
    for a, b in long:
        for low, high, row in _clipped(told, a, b):
            for heat, ppm in zip(told.heats, row, strict=True):
                weights[heat] += ppm * (high - low)
    for a, _ in () if long else parts:
        for heat, ppm in shares_at(told, a).items():
            weights[heat] += ppm
    return whole(weights)


def whole(weights: Mapping[str, Fraction]) -> Shares:
    """Shares in ppm that add up exactly, from weights of any unit; empty when there is nothing."""
    scale = sum(weights.values())
    if not scale:
        return {}
    fine = [round(weight / scale * WHOLE_PPM * 1_000) for weight in weights.values()]
    parts = share_out(WHOLE_PPM, fine)
    return {heat: ppm for heat, ppm in zip(weights, parts, strict=True) if ppm}


def _clipped(told: Mixture, a: Fraction, b: Fraction) -> Iterable[tuple[Fraction, Fraction, tuple[int, ...]]]:
    """The intervals inside [a, b]; the first and the last one reach as far as asked."""
    last = len(told.shares_ppm) - 1
    for n, ((low, high), row) in enumerate(zip(pairwise(told.bounds_um), told.shares_ppm, strict=True)):
        start = a if n == 0 else max(a, Fraction(low))
        end = b if n == last else min(b, Fraction(high))
        if start < end:
            yield start, end, row


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a piece with the heats it is made of; um from its head."""

    from_um: int
    to_um: int
    shares: Shares


def stretches_of(material_id: str, steps: Sequence[Step], told: Mapping[str, Mixture]) -> list[Stretch]:
    """Where on a piece which heats are, by the mixtures of the pieces it was made from, from head to tail.

    steps: the piece's way back. Parts of it that came of steel of one heat are not in the list.
    """
    found: set[tuple[Fraction, Fraction, tuple[tuple[str, int], ...]]] = set()
    by_child: dict[str, list[Step]] = {}
    for step in steps:
        by_child.setdefault(step.child_id, []).append(step)
    front: list[tuple[str, Affine, Window]] = [(material_id, Affine(), None)]
    for _ in range(DEPTH_MAX):
        onward = []
        for piece, down, window in front:
            if piece in told:
                found.update(_born(told[piece], by_child.get(piece, ()), down, window))
                continue
            onward += [_above(step, down, window) for step in by_child.get(piece, ())]
        front = list(dict.fromkeys(up for up in onward if up is not None))
        if not front:
            break
    ordered = sorted((round(a), round(b), shares) for a, b, shares in found)
    return [Stretch(a, b, dict(shares)) for a, b, shares in ordered]


Window = tuple[Fraction, Fraction] | None
"""The part of an ancestor that went into the piece; None = all of it."""


def _above(step: Step, down: Affine, window: Window) -> tuple[str, Affine, Window] | None:
    """From a child one step up: the map from the parent down to the piece, and the part of the parent that came along."""
    along = to_child(step).along
    low, high = Fraction(step.parent_from_um), Fraction(step.parent_to_um)
    if window is not None and step.child_from_um != step.child_to_um:
        ends = sorted(along.inverse()(place) for place in window)
        low, high = max(low, ends[0]), min(high, ends[1])
    measured = step.parent_from_um != step.parent_to_um
    if measured and low >= high:
        return None
    return step.parent_id, along.then(down), (low, high) if measured else window


def _born(
    told: Mixture, steps: Sequence[Step], down: Affine, window: Window
) -> Iterable[tuple[Fraction, Fraction, tuple[tuple[str, int], ...]]]:
    """The intervals of a mixed piece as parts of the piece that is looked at."""
    edge = next((step for step in steps if step.parent_id in told.heats), None)
    if edge is None:
        return
    along = to_child(edge).along
    low, high = (Fraction(edge.child_from_um), Fraction(edge.child_to_um)) if window is None else window
    back = along.inverse()
    ends = sorted((back(low), back(high)))
    for a, b, row in _clipped(told, ends[0], ends[1]):
        shares = tuple((heat, ppm) for heat, ppm in zip(told.heats, row, strict=True) if ppm)
        here = sorted(down(along(place)) for place in (a, b))
        yield here[0], here[1], shares


def steel_at(
    steps: Sequence[Step], told: Mixture | None, at: Fraction, left: Fraction | None
) -> list[tuple[Step, int]]:
    """Which edges into a piece hold a place of it, each with its share (ppm) of the steel there.

    By the interval where the piece's mixture is known; by the whole piece's shares where several parents were melted
    into one; everything where the parents lie one behind or beside the other.
    """
    held = [step for step in steps if holds_place(step, at, left)]
    melted = len({(step.child_from_um, step.child_to_um, step.child_left_um) for step in held}) == 1 and len(held) > 1
    if told is not None and held:
        shares = shares_at(told, to_parent(held[0]).along(at))
        found = [(step, shares[step.parent_id]) for step in held if step.parent_id in shares]
        if found:  # none: its heats turned out to be others since
            return found
    return [(step, step.share_ppm if melted else WHOLE_PPM) for step in held]
