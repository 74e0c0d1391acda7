"""The finishing plant: pickling with welds, cold rolling, galvanising, slitting; every recoiling turns the strip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from drill.history.steel import Item, lose, rolled, slit, slit_edge, whole_edge
from drill.history.telling import HOUR_MS, Teller
from shared.journal.fact import Draft
from shared.material.domain import part_of
from shared.material.facts import Consumed, Edge, Loss, Size

WELD_EVERY, BORROWED_PPM = 4, 200_000
"""Every so many coils the exit shear cuts behind the weld: the first exit coil holds this part of the second coil."""
TURNED = (True, True, False)
GALVANISED_PPM, SLIT_PPM = 600_000, 500_000
TRIM_UM = 20_000


def finish(teller: Teller, coils: Sequence[Item]) -> list[Item]:
    """What leaves the plant of what came."""
    return _slit(teller, _galvanise(teller, _cold_roll(teller, _pickle(teller, coils))))


def _next(teller: Teller, item: Item, what: str, mass_g: int, size: Size, hours: int = 24) -> Item:
    at_ms = item.at_ms + teller.dice.between(2, hours) * HOUR_MS
    number = f"{what}{teller.year(at_ms)}-{teller.serial()}"
    return replace(item, material_id=teller.new_id(at_ms, what), number=number, mass_g=mass_g, size=size, at_ms=at_ms)


def _single(teller: Teller, parent: Item, child: Item, what: str, unit: str, losses: tuple[Loss, ...]) -> Draft[Any]:
    used, made = [Consumed(parent.material_id, parent.mass_g)], [child.born(f"CLD.{what}", "YB")]
    return teller.step(what, unit, child.at_ms, used, made, [whole_edge(parent, child, flips=TURNED)], losses)


def _pickle(teller: Teller, coils: Sequence[Item]) -> list[Item]:
    steps, done = list[Draft[Any]](), list[Item]()
    rest = list(coils)
    while rest:
        welded = len(rest) > 1 and teller.dice.below(WELD_EVERY) == 0
        pair, rest = rest[: 2 if welded else 1], rest[2 if welded else 1 :]
        pair = [replace(coil, at_ms=max(one.at_ms for one in pair)) for coil in pair]
        kept = [lose(coil.mass_g, ("scale", 4_000)) for coil in pair]
        out = [_next(teller, coil, "P", mass, coil.size) for coil, (mass, _) in zip(pair, kept, strict=True)]
        out = [replace(coil, at_ms=out[0].at_ms) for coil in out]
        if teller.over(out[0].at_ms):
            continue
        if welded:
            step, out = _weld(teller, pair, out, [loss for _, losses in kept for loss in losses])
        else:
            step = _single(teller, pair[0], out[0], "pickle", "PL", kept[0][1])
        steps.append(step)
        done += out
    teller.tell("CLD", steps)
    return done


def _weld(
    teller: Teller, pair: Sequence[Item], out: Sequence[Item], losses: Sequence[Loss]
) -> tuple[Draft[Any], list[Item]]:
    """Two coils in, two out, cut behind the weld: three edges."""
    (a, b), (first, second) = pair, out
    length, mass = part_of(b.size.length_um, BORROWED_PPM), part_of(second.mass_g, BORROWED_PPM)
    first_size = replace(first, mass_g=first.mass_g + mass, size=_longer(first, length))
    second_size = replace(second, mass_g=second.mass_g - mass, size=_longer(second, -length))
    width = min(a.size.width_um, b.size.width_um)
    edges = [
        _part(a, first_size, (0, a.size.length_um), (length, length + a.size.length_um), width, first.mass_g),
        _part(b, first_size, (0, length), (0, length), width, mass),
        _part(b, second_size, (length, b.size.length_um), (0, second_size.size.length_um), width, second_size.mass_g),
    ]
    made = [coil.born("CLD.pickle", "YB") for coil in (first_size, second_size)]
    used = [Consumed(coil.material_id, coil.mass_g) for coil in pair]
    step = teller.step("pickle", "PL", first.at_ms, used, made, edges, losses)
    return step, [first_size, second_size]


def _longer(coil: Item, by_um: int) -> Size:
    return Size(coil.size.thickness_um, coil.size.width_um, coil.size.length_um + by_um)


def _part(parent: Item, child: Item, of: tuple[int, int], to: tuple[int, int], width_um: int, mass_g: int) -> Edge:
    return Edge(
        parent_id=parent.material_id,
        child_id=child.material_id,
        parent_from_um=of[0],
        parent_to_um=of[1],
        child_from_um=to[0],
        child_to_um=to[1],
        parent_left_um=0,
        parent_right_um=width_um,
        child_left_um=0,
        child_right_um=width_um,
        mass_g=mass_g,
        share_ppm=mass_g * 1_000_000 // child.mass_g,
        flip_length=True,
        flip_width=True,
    )


def _cold_roll(teller: Teller, coils: Sequence[Item]) -> list[Item]:
    steps, done = list[Draft[Any]](), list[Item]()
    for coil in coils:
        mass_g, losses = lose(coil.mass_g, ("ends", 8_000))
        size = rolled(coil.size, max(400, coil.size.thickness_um * teller.dice.between(25, 45) // 100), 8_000)
        child = _next(teller, coil, "K", mass_g, size)
        if not teller.over(child.at_ms):
            steps.append(_single(teller, coil, child, "cold_roll", "CM", losses))
            done.append(child)
    teller.tell("CLD", steps)
    return done


def _galvanise(teller: Teller, coils: Sequence[Item]) -> list[Item]:
    """Most get zinc: mass is added; the others go on as they are."""
    steps, done = list[Draft[Any]](), list[Item]()
    for coil in coils:
        if not teller.chance(GALVANISED_PPM):
            done.append(coil)
            continue
        mass_g, losses = lose(coil.mass_g, ("ends", 5_000), ("zinc", -30_000))
        child = _next(teller, coil, "G", mass_g, rolled(coil.size, coil.size.thickness_um, 5_000))
        if not teller.over(child.at_ms):
            steps.append(_single(teller, coil, child, "galvanise", "CG", losses))
            done.append(child)
    teller.tell("CLD", steps)
    return done


def _slit(teller: Teller, coils: Sequence[Item]) -> list[Item]:
    """Half of them are slit into two to five strips between two trims; what leaves the plant."""
    steps, done = list[Draft[Any]](), list[Item]()
    for coil in coils:
        if not teller.chance(SLIT_PPM):
            done.append(coil)
            continue
        width = coil.size.width_um - 2 * TRIM_UM
        mass_g, losses = lose(coil.mass_g, ("trim", 2 * TRIM_UM * 1_000_000 // coil.size.width_um))
        whole = _next(teller, coil, "S", mass_g, coil.size, 48)
        if teller.over(whole.at_ms):
            continue
        ids = [teller.new_id(whole.at_ms, "slit") for _ in range(teller.dice.between(2, 6))]
        strips = slit(whole, ids, width, mass_g)
        made = [strip.born("CLD.slit", "YC") for strip, _ in strips]
        edges = [slit_edge(coil, strip, left) for strip, left in strips]
        used = [Consumed(coil.material_id, coil.mass_g)]
        steps.append(teller.step("slit", "SL", whole.at_ms, used, made, edges, losses))
        done += [strip for strip, _ in strips]
    teller.tell("CLD", steps)
    return done
