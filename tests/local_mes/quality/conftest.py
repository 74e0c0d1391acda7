"""The cast of sequence 4417 up to its fourth heat, with its ten held slabs; each test decides about slabs of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "production"))

from melt_shop_player import HEATS_4417, MINUTE, START_MS, Sequence, play, sequence_events
from production_bench import Bench, make_bench

from shared.clock import FixedClock
from shared.orders.facts import OrderReleased

RULES = ("QR-CHE-01-v5.json", "QR-RES-01-v2.json", "QR-CAST-01-v3.json", "QR-TRN-01-v1.json")


def release(bench: Bench, item: str, product: str, grade: str) -> None:
    from local_mes.orders.service import release_orders

    order = OrderReleased(
        item=item,
        customer="C",
        product=product,
        grade=grade,
        thickness_um=3_000,
        width_um=1_250_000,
        mass_g=160_000_000,
        route="R-HRC",
        due="2026-03-25",
    )
    release_orders(bench.plant, [order], actor="erp", command_id=f"order-{item}")


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A melt shop with the heat 161843 held and ten slabs that were born held."""
    bench = make_bench("ALD", tmp_path_factory.mktemp("quality"), FixedClock(START_MS - 5 * 60 * MINUTE))
    bench.adopt(*RULES)
    release(bench, "710047/10", "DX51D+Z275-M-A coil", "L06")
    release(bench, "710066/10", "DD11 hot coil", "L06")
    release(bench, "710051/10", "S235JR hot coil mill edge", "M15")
    for heat in HEATS_4417[:4]:
        bench.schedule("CC1", heat, "", "710047/10", pieces=6)
    play(bench, sequence_events(Sequence("4417", HEATS_4417[:4])))
    assert bench.repairs() == []
    yield bench
    bench.plant.node.engine.dispose()
    bench.plant.spool.dispose()
