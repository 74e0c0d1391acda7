"""What any part of any piece is made of: carried back through its edges to heats, by mass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

from sqlalchemy import Connection

from shared.material.domain import to_child, to_parent
from shared.material.facts import Mixture
from shared.material.mixture import WHOLE_PPM, Shares, Window, mixtures_of, shares_over, whole
from shared.material.spread import Area, steps_from
from shared.material.walk import DEPTH_MAX, Step, walk
from shared.material.way import find_beyond


def steel_over(conn: Connection, material_id: str, from_um: int = 0, to_um: int | None = None) -> Shares:
    """What a part of a piece (um from its head; None = all of it) is made of: heats, or pieces that nothing is known
    before, by share of the mass. A part without length is a place."""
    steps = walk(conn, [material_id], True).steps
    beyond = find_beyond(conn, material_id, steps)
    by_child: dict[str, list[Step]] = {}
    for step in (*steps, *beyond.steps):
        by_child.setdefault(step.child_id, []).append(step)
    told = {**beyond.mixtures, **mixtures_of(conn, [piece for piece, above in by_child.items() if len(above) > 1])}
    window = None if to_um is None else (Fraction(from_um), Fraction(to_um))
    return whole(_weights(material_id, window, by_child, told, 0))


def _weights(
    piece: str, window: Window, by_child: Mapping[str, Sequence[Step]], told: Mapping[str, Mixture], depth: int
) -> dict[str, Fraction]:
    """Origin -> part of the window, together 1; nothing where no edge holds any of it."""
    steps = by_child.get(piece, ())
    if not steps or depth == DEPTH_MAX:
        return {piece: Fraction(1)}
    if piece in told:
        along = to_parent(steps[0]).along
        span = window or (Fraction(steps[0].child_from_um), Fraction(steps[0].child_to_um))
        ends = sorted((along(span[0]), along(span[1])))
        shares = shares_over(told[piece], [(ends[0], ends[1])])
        return {heat: Fraction(ppm, WHOLE_PPM) for heat, ppm in shares.items()}
    found: dict[str, Fraction] = {}
    for step in steps:
        part = _inside(step, window)
        if part is None:
            continue
        weight, up = part
        for origin, share in _weights(step.parent_id, up, by_child, told, depth + 1).items():
            found[origin] = found.get(origin, Fraction(0)) + share * weight
    scale = sum(found.values())
    return {origin: weight / scale for origin, weight in found.items()} if scale else {}


def _inside(step: Step, window: Window) -> tuple[Fraction, Window] | None:
    """How much of an edge's mass lies in a window of its child, and where that is on the parent; None = nothing."""
    mass = Fraction(max(1, step.mass_g))
    if window is None or step.child_from_um == step.child_to_um or step.parent_from_um == step.parent_to_um:
        measured = step.parent_from_um != step.parent_to_um
        return mass, (Fraction(step.parent_from_um), Fraction(step.parent_to_um)) if measured else None
    low, high = max(window[0], Fraction(step.child_from_um)), min(window[1], Fraction(step.child_to_um))
    if low > high or (low == high and window[0] != window[1]):
        return None
    along = to_parent(step).along
    ends = sorted((along(low), along(high)))
    length = step.child_to_um - step.child_from_um
    return mass * ((high - low) / length if high > low else 1), (ends[0], ends[1])


def parts_with(conn: Connection, heats: Sequence[str], least_ppm: int) -> dict[str, list[Area]]:
    """Where in the pieces cast of these heats at least this share is of one of them: by interval where that is known,
    else by the whole piece's share."""
    steps = steps_from(conn, sorted(heats))
    flat = [step for heat in sorted(steps) for step in steps[heat]]
    told = mixtures_of(conn, {step.child_id for step in flat if step.share_ppm < WHOLE_PPM})
    found: dict[str, list[Area]] = {}
    for step in flat:
        parts = _rich(step, told.get(step.child_id), least_ppm)
        if parts:
            found.setdefault(step.child_id, []).extend(parts)
    return found


def _rich(step: Step, told: Mixture | None, least_ppm: int) -> list[Area]:
    if told is None or step.parent_id not in told.heats:
        whole_piece = Area((Fraction(step.child_from_um), Fraction(step.child_to_um)))
        return [whole_piece] if step.share_ppm >= least_ppm else []
    column, along = told.heats.index(step.parent_id), to_child(step).along
    rich: list[tuple[int, int]] = []
    for (low, high), row in zip(pairwise(told.bounds_um), told.shares_ppm, strict=True):
        if row[column] < least_ppm:
            continue
        if rich and rich[-1][1] == low:
            rich[-1] = (rich[-1][0], high)
        else:
            rich.append((low, high))
    ends = [sorted((along(low), along(high))) for low, high in rich]
    return [Area((low, high)) for low, high in ends]
