"""A production day closes by its figures or by a signature; what changes afterwards opens it again, at plant and hub."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.clock import FixedClock

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from steel_group import HOUR, SteelGroup

from local_mes.performance.closing import close_day, read_day, settle_imbalance
from local_mes.production.correcting import correct
from local_mes.production.correction_domain import Asked
from local_mes.production.manual import Booking, book
from local_mes.stock import service as stock
from shared.db.engine import read
from shared.errors import BadInput, NotFound, Refused
from shared.journal.content_hash import content_hash
from shared.journal.fact import Draft, Occurred
from shared.material.facts import Loss
from shared.performance.balance import StepSum, by_class
from shared.performance.closing_api import read_closes
from shared.performance.piece_yields import read_yield
from shared.performance.queries import sums
from shared.quality.facts import HoldPlaced

DAY = "2026-03-11"


@pytest.fixture
def group(tmp_path: Path, clock: FixedClock) -> Iterator[SteelGroup]:
    made = SteelGroup(tmp_path, clock)
    for number, good in (("S-1", 20_400_000), ("S-2", 20_500_000)):
        made.stock("BRK", number, 20_640)
        book(made.plants["BRK"], Booking(number, "p1", "FM", number, good, 100_000, "surface", f"C-{number}"))
    yield made
    made.close()


def day(group: SteelGroup) -> Any:
    with read(group.plants["BRK"].node.engine) as conn:
        return read_day(conn, group.plants["BRK"], DAY)


def close(group: SteelGroup, reason: str = "") -> dict[str, Any]:
    return close_day(group.plants["BRK"], DAY, reason, actor="p9", command_id=group.command())


def test_a_day_closes_with_a_signature_is_reopened_by_a_correction_and_closes_by_its_figures(
    group: SteelGroup,
) -> None:
    plant = group.plants["BRK"]
    found = day(group)
    (rolled,) = found.classes
    assert (rolled.total.charged_g, rolled.total.produced_g, rolled.total.loss_g) == (41_280_000, 40_900_000, 200_000)
    assert (rolled.total.weighed_loss_g, rolled.total.unexplained_g, rolled.closes) == (200_000, 180_000, False)
    assert rolled.yield_ppm == rolled.prime_ppm == rolled.cumulative_ppm == 990_795
    assert [row.unexplained_g for row in found.open] == [140_000]  # 40 kg of 20,640 kg are inside 0.2 %
    with pytest.raises(Refused) as early:
        close(group)
    assert early.value.code == "performance.day_not_over"
    group.pass_time(30 * HOUR)
    with pytest.raises(Refused, match=r"roll \(finishing_mill\) and 1 open imbalances") as refusal:
        close(group)
    assert refusal.value.code == "performance.day_unexplained"
    assert close(group, "the scale of the shear was out of order")["state"] == "signed"
    with pytest.raises(Refused) as twice:
        close(group)
    assert twice.value.code == "performance.day_closed"
    # the crop that nobody had booked is found: the day is open again, and closes by its figures now
    asked = Asked(what="losses", piece="C-S-1", reason="crop found", losses=(Loss("scrap", 240_000, True),))
    correct(plant, asked, actor="p7", command_id=group.command())
    found = day(group)
    assert (found.state, found.moved[0].more_unexplained_g, found.open) == ("reopened", -140_000, [])
    group.sync()
    with read(group.hub.node.engine) as hub, read(plant.node.engine) as here:
        (seen,) = read_closes(hub)
        assert (seen["author"], seen["state"], seen["moved"][0]["unit"]) == ("BRK", "reopened", "FM")
        assert content_hash(hub, "BRK") == content_hash(here, "BRK")
    assert close(group) == {"production_day": DAY, "state": "closed", "again": True}
    with read(plant.node.engine) as conn:
        assert [one["state"] for one in read_closes(conn)] == ["closed", "replaced"]


def test_an_explained_imbalance_is_closed_until_its_figures_change(group: SteelGroup) -> None:
    plant = group.plants["BRK"]
    (found,) = day(group).open
    settle_imbalance(plant, found.operation_id, "cut for a sample", actor="p7", command_id=group.command())
    assert day(group).open == []
    asked = Asked(what="mass", piece="C-S-1", reason="misread", mass_g=20_300_000)
    correct(plant, asked, actor="p7", command_id=group.command())
    assert [row.unexplained_g for row in day(group).open] == [240_000]
    refused = (("f" * 32, "x", NotFound), (found.operation_id, " ", BadInput))
    for operation_id, reason, kind in refused:
        with pytest.raises(kind):
            settle_imbalance(plant, operation_id, reason, actor="p7", command_id=group.command())
    with pytest.raises(BadInput, match="no production day"):
        close_day(plant, "yesterday", "", actor="p", command_id=group.command())


def test_prime_yield_leaves_out_what_is_held_and_what_is_scrap(group: SteelGroup) -> None:
    plant = group.plants["BRK"]
    with read(plant.node.engine) as conn:
        held = stock.get_piece(conn, "C-S-2", "BRK").material_id
    with plant.journal.work() as tx:
        hold = HoldPlaced(hold_id="a" * 32, material_id=held, reason="sliver")
        tx.record(Draft(hold, (held,), "q", Occurred(tx.now_ms(), "manual")))
    (rolled,) = day(group).classes
    assert (rolled.total.prime_g, rolled.prime_ppm) == (20_400_000, 494_186)
    stock.scrap(plant, stock.Command(group.command(), "p1"), "C-S-1", "fell")
    assert day(group).classes[0].total.prime_g == 0
    assert day(group).scrapped == (1, 20_400_000)


def test_the_ways_of_a_days_pieces_add_up_to_its_figures_with_cobbles_and_prime(group: SteelGroup) -> None:
    plant = group.plants["BRK"]
    group.stock("BRK", "S-3", 20_640)
    book(plant, Booking("S-3", "p1", "FM", "S-3", 0, 20_640_000, "cobble"))
    with read(plant.node.engine) as conn:
        held = stock.get_piece(conn, "C-S-2", "BRK").material_id
    with plant.journal.work() as tx:
        hold = HoldPlaced(hold_id="a" * 32, material_id=held, reason="sliver")
        tx.record(Draft(hold, (held,), "q", Occurred(tx.now_ms(), "manual")))
    with read(plant.node.engine) as conn:
        good, bad = (
            read_yield(conn, stock.get_piece(conn, number, "BRK").material_id) for number in ("C-S-1", "C-S-2")
        )
        counted = sums(conn, author="BRK", unit="FM")["BRK", "FM"]
    (rolled,) = day(group).classes
    ways = [*good.steps, *bad.steps]

    def kilograms(name: str) -> int:
        return round(sum(getattr(step, name) for step in ways) / 1000)

    assert kilograms("lost_g") == counted["lost_g"] // 1000 == 20_640
    assert kilograms("charged_g") == counted["charged_g"] // 1000 == 61_920
    assert kilograms("produced_g") == counted["good_g"] // 1000 == rolled.total.produced_g // 1000 == 40_900
    assert kilograms("prime_g") == rolled.total.prime_g // 1000 == 20_400
    # 20,640 kg of its own and 20,400 / 40,900 of the cobble
    assert (good.needed_g, good.prime_ppm) == (30_934_768, good.cumulative_ppm)
    assert (bad.steps[0].prime_g, bad.steps[0].prime_ppm, bad.prime_ppm) == (0, 0, 0)
    correct(plant, Asked(what="scrap", piece="S-3", reason="it is here"), actor="p7", command_id="c-1")
    with read(plant.node.engine) as conn:
        again = read_yield(conn, stock.get_piece(conn, "C-S-1", "BRK").material_id)
    assert (again.needed_g, again.steps[0].lost_g) == (20_640_000, 0)


def test_cumulative_yield_multiplies_along_the_route_and_parallel_units_add_up() -> None:
    sums = [
        StepSum("CG1", "galvanise", 1, 9_000, 360, 9_270, 90),
        StepSum("PL2", "pickle", 1, 5_000, 0, 4_500, 500),
        StepSum("PL1", "pickle", 1, 5_000, 0, 4_500, 500),
    ]
    classes = [("PL1", "pickling"), ("PL2", "pickling"), ("CG1", "galvaniser")]
    pickled, zinc = by_class(sums, classes, {"PL1": 2_000, "PL2": 5_000, "CG1": 5_000})
    assert (pickled.units, pickled.tolerance_ppm, pickled.total.charged_g) == (("PL1", "PL2"), 5_000, 10_000)
    assert (pickled.yield_ppm, zinc.yield_ppm, zinc.cumulative_ppm) == (900_000, 1_030_000, 927_000)
    assert zinc.closes
