"""One casting sequence and everything that became of it, as facts of three plants in the order they happened.

Melt shop, hot mill and finishing as in the example group: heats in a sequence whose transition slabs hold two of them,
slabs by train to the mill, coils by truck to the finishing plant or to customers, welds, cold rolling, zinc, slitting.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drill.history.finishing import finish
from drill.history.steel import GRADES, Item, lose, rolled, slab_mass_g, slab_size, whole_edge
from drill.history.telling import HOUR_MS, Phase, Story, Teller
from shared.journal.fact import Draft
from shared.material.facts import Consumed, Edge, MaterialCreated, MaterialScrapped, Size
from shared.units import share_out

HEATS_A_SEQUENCE = 6
SLABS_A_HEAT = 10
TRAIN, TRUCK = 12, 2
MIXED_PPM = 300_000
"""Part of the heat before in the first slab of a heat of a sequence: steel mixes in the tundish."""
COBBLE_PPM, FINDING_PPM = 5_000, 30_000


def play(story: Story) -> tuple[list[Phase], int]:
    """The facts of one sequence, phase by phase (within one all are of one author), and how many pieces it made."""
    teller = Teller(story)
    slabs = teller.transport("ALD", "BRK", _cast(teller), TRAIN, "BS")
    coils = _roll(teller, slabs)
    inside = [coil for coil in coils if coil.order_item[-1] in "01234"]
    teller.deliver("BRK", [coil for coil in coils if coil.order_item[-1] not in "01234"])
    teller.deliver("CLD", finish(teller, teller.transport("BRK", "CLD", inside, TRUCK, "CC")))
    return teller.phases, teller.born


def _cast(teller: Teller) -> list[Item]:
    """Heats, and their slabs; the first of each heat but the sequence's first still holds a part of the heat before."""
    story, heats, cuts, slabs = teller.story, list[Draft[Any]](), list[Draft[Any]](), list[Item]()
    grade, size, metre, before = teller.dice.choice(GRADES), slab_size(teller.dice), 0, None
    for n in range(HEATS_A_SEQUENCE):
        at_ms = story.begins_ms + n * HOUR_MS
        if teller.over(at_ms + HOUR_MS):
            break
        sizes = [_cut_to_order(size, teller) for _ in range(SLABS_A_HEAT)]
        heat = _heat(teller, n, at_ms, grade, sum(slab_mass_g(one) for one in sizes))
        created = MaterialCreated(material=heat.born("ALD.heat", "CC1", "ladle"), origin="made")
        heats.append(teller.draft(created, at_ms, [heat.material_id]))
        for cut, one in enumerate(sizes):
            slab = _slab(teller, heat, cut, one, at_ms + (cut + 1) * HOUR_MS // 12)
            last = n == HEATS_A_SEQUENCE - 1 and cut == SLABS_A_HEAT - 1
            cuts.append(_cut(teller, heat, before if cut == 0 else None, slab, metre, last=last))
            metre += one.length_um
            slabs.append(slab)
        before = heat
    teller.born += len(heats)
    teller.tell("ALD", heats)
    teller.tell("ALD", cuts)
    return slabs


def _cut_to_order(size: Size, teller: Teller) -> Size:
    """A slab of the same format, cut to another order's length."""
    return Size(size.thickness_um, size.width_um, teller.dice.between(9_000_000, 11_000_000))


def _heat(teller: Teller, n: int, at_ms: int, grade: str, slabs_g: int) -> Item:
    order = teller.story.number * HEATS_A_SEQUENCE + n
    number = f"{1 + order % 2}{teller.year(at_ms)}{order % 10_000:04d}"  # repeats after ten years, as it does
    tapped_g = slabs_g + slabs_g // 50
    return Item(teller.new_id(at_ms, "heat"), "heat", number, tapped_g, Size(), grade, "", number, at_ms)


def _slab(teller: Teller, heat: Item, cut: int, size: Size, at_ms: int) -> Item:
    number = f"{heat.number}-{1 + cut % 2}-{1 + cut // 2}"
    order, piece = f"{700_000 + teller.dice.below(40_000)}/{teller.dice.between(10, 100)}", "slab"
    mass_g = slab_mass_g(size)
    return Item(teller.new_id(at_ms, piece), piece, number, mass_g, size, heat.grade, order, heat.number, at_ms)


def _cut(teller: Teller, heat: Item, mixed: Item | None, slab: Item, metre: int, *, last: bool) -> Draft[Any]:
    shares = [(heat, 1_000_000)] if mixed is None else [(mixed, MIXED_PPM), (heat, 1_000_000 - MIXED_PPM)]
    masses = share_out(slab.mass_g, [ppm for _, ppm in shares])
    parts = [(parent, ppm, mass) for (parent, ppm), mass in zip(shares, masses, strict=True)]
    edges = [
        Edge(
            parent_id=parent.material_id,
            child_id=slab.material_id,
            parent_from_um=metre,
            parent_to_um=metre + slab.size.length_um,
            child_from_um=0,
            child_to_um=slab.size.length_um,
            mass_g=mass,
            share_ppm=ppm,
        )
        for parent, ppm, mass in parts
    ]
    # a heat is used up with the last slab that holds any of it: the first of the heat after it
    used = [Consumed(parent.material_id, mass, last or parent is mixed) for parent, _, mass in parts]
    return teller.step("cast", "CC1", slab.at_ms, used, [slab.born("ALD.slab", "SY1", "theoretical")], edges, ())


def _roll(teller: Teller, slabs: Sequence[Item]) -> list[Item]:
    """Hot rolling: scale, crops; now and then a cobble or a finding of the surface inspection."""
    steps, ends, marks, coils = list[Draft[Any]](), list[Draft[Any]](), list[Draft[Any]](), list[Item]()
    for slab in slabs:
        at_ms = slab.at_ms + teller.dice.between(4, 72) * HOUR_MS
        if teller.over(at_ms):
            continue
        if teller.chance(COBBLE_PPM):
            gone = MaterialScrapped(material_id=slab.material_id, mass_g=slab.mass_g, reason="cobble", unit="FM")
            ends.append(teller.draft(gone, at_ms, [slab.material_id]))
            continue
        mass_g, losses = lose(slab.mass_g, ("scale", 9_000), ("crop", 6_000))
        size = rolled(slab.size, teller.dice.between(18, 60) * 100, 15_000)
        number = f"B{teller.year(at_ms)}-{teller.serial()}"
        coil = Item(
            teller.new_id(at_ms, "coil"), "coil", number, mass_g, size, slab.grade, slab.order_item, slab.heat, at_ms
        )
        used, made = [Consumed(slab.material_id, slab.mass_g)], [coil.born("BRK.coil", "CB1")]
        edges = [whole_edge(slab, coil, crop_um=slab.size.length_um // 330)]
        steps.append(teller.step("roll", "FM", at_ms, used, made, edges, losses))
        coils.append(coil)
        if teller.chance(FINDING_PPM):
            marks.append(teller.finding(coil, at_ms))
    for phase in (steps, ends, marks):
        teller.tell("BRK", phase)
    return coils
