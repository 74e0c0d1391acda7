"""The cumulative yield of a piece: through cuts, a weld and zinc, by figures that were worked out by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.material.walk import Step
from shared.performance.piece_yields import way_yield


def step(operation_id: str, parent: str, child: str, mass_g: int) -> Step:
    return Step("BRK", operation_id, 0, "transform", parent, child, *[0] * 8, mass_g, 1_000_000, False, False, False, 1)  # type: ignore[arg-type]


def done(operation: str, unit: str, charged_g: int, produced_g: int) -> Any:
    return SimpleNamespace(operation=operation, unit=unit, charged_g=charged_g, produced_g=produced_g)


def test_a_welded_coil_answers_for_both_ways() -> None:
    # two slabs rolled at 98 % and 95 %, both coils welded and coated (50 g of 1,930 is zinc), cut in two at 90 %
    edges = [
        step("slit", "strip", "left", 900),
        step("coat", "coil1", "strip", 1005),
        step("coat", "coil2", "strip", 975),
        step("roll1", "slab1", "coil1", 980),
        step("roll2", "slab2", "coil2", 950),
    ]
    operations = {
        ("BRK", "slit"): done("slit", "SL", 2000, 1800),
        ("BRK", "coat"): done("galvanise", "CG", 1930, 1980),
        ("BRK", "roll1"): done("roll", "FM1", 1000, 980),
        ("BRK", "roll2"): done("roll", "FM2", 1000, 950),
    }
    found = way_yield("left", edges, operations)
    assert [(s.operation, s.units, s.charged_g, s.produced_g) for s in found.steps] == [
        ("slit", ("SL",), 1000, 900),
        ("galvanise", ("CG",), 975, 1000),
        ("roll", ("FM1", "FM2"), 1010, 975),
    ]
    assert [s.yield_ppm for s in found.steps] == [900_000, 1_025_907, 964_994]
    # 1,000 kg of strip, 974.75 of bare coils, and of slabs 494.77 / 0.98 + 479.98 / 0.95
    assert [s.cumulative_ppm for s in found.steps] == [900_000, 923_316, 890_995]
    assert (found.mass_g, found.needed_g, found.cumulative_ppm) == (900, 1010, 890_995)


def test_a_step_without_a_charge_of_its_own_passes_on_what_it_carried() -> None:
    edges = [step("cut", "coil", "half", 500), step("taken-over", "slab", "coil", 990)]
    found = way_yield(
        "half", edges, {("BRK", "cut"): done("cut", "SL", 1000, 980), ("BRK", "taken-over"): done("roll", "FM", 0, 0)}
    )
    assert (found.needed_g, found.cumulative_ppm) == (510, 980_000)
    nothing = way_yield("alone", [], {})
    assert (nothing.mass_g, nothing.steps, nothing.cumulative_ppm) == (0, [], None)
    circle = [step("one", "b", "a", 100), step("two", "a", "b", 100)]
    assert way_yield("a", circle, {}).cumulative_ppm is None


@given(st.lists(st.tuples(st.integers(1, 10**8), st.integers(800, 1_050)), min_size=1, max_size=8))
def test_the_way_of_a_chain_is_the_product_of_its_yields(passes: list[tuple[int, int]]) -> None:
    edges, operations, whole = [], {}, 1.0
    for at, (charged_g, per_mille) in enumerate(passes):
        produced_g = charged_g * 1_000
        operations["BRK", f"op{at}"] = done(f"pass {at}", "U", charged_g * 1_000_000 // per_mille, produced_g)
        edges.append(step(f"op{at}", f"piece{at + 1}", f"piece{at}", 10**7))
        whole *= produced_g / operations["BRK", f"op{at}"].charged_g
    found = way_yield("piece0", edges, operations)
    assert found.cumulative_ppm is not None
    assert abs(found.cumulative_ppm - whole * 1e6) < 2
    assert found.steps[-1].cumulative_ppm == found.cumulative_ppm
