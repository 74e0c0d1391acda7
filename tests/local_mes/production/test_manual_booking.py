"""An operator books a step by hand: the same facts as Level 2 would leave, checked, marked as manual."""

from __future__ import annotations

from dataclasses import replace

import pytest
from production_bench import Bench

from local_mes.production.manual import Booking, book
from shared.db.engine import read
from shared.errors import BadInput, NotFound, Refused
from shared.journal.fact import Draft, Occurred
from shared.material.facts import MaterialMoved
from shared.material.projection import mark_shipped
from shared.material.tables import edge, loss, operation
from shared.orders.queries import find_line
from shared.performance.tables import rollup
from shared.quality.facts import HoldPlaced

ROLL = Booking("c1", "p1", "FM", "BS6-00001", 20_200_000, 100_000, "surface")


@pytest.fixture
def yard(mill: Bench) -> Bench:
    mill.take_in("BS6-00001", "slab", 20_640, (220_000, 1_280_000, 9_310_000))
    mill.schedule("FM", "BS6-00001", "B6-00007", "stock", thickness_um=2500, width_um=1_270_000)
    return mill


def test_a_booking_leaves_the_facts_of_a_step(yard: Bench) -> None:
    made = book(yard.plant, ROLL)
    coil = yard.piece("B6-00007")
    assert made == {
        "piece": "BS6-00001",
        "number": "B6-00007",
        "material_id": coil.material_id,
        "good_mass_g": 20_200_000,
        "scrap_g": 100_000,
    }
    assert (coil.mass_g, coil.mass_basis, coil.thickness_um, coil.heat_number) == (
        20_200_000,
        "weighed",
        2500,
        "261604",
    )
    assert coil.length_um == pytest.approx(825_700_000, rel=0.001)
    assert yard.piece("BS6-00001").state == "consumed"
    done = yard.rows(operation)[0]
    assert (done.operation, done.source, done.unexplained_g) == ("roll", "manual", 340_000)
    assert "by hand" in done.notes
    assert [(row.kind, row.g, row.weighed) for row in yard.rows(loss)] == [("scrap", 100_000, True)]
    assert [row.mass_g for row in yard.rows(edge)] == [20_200_000]
    assert {row.measure: row.total for row in yard.rows(rollup) if row.collected == "manual"} == {
        "charged_g": 20_640_000,
        "good_g": 20_200_000,
        "prime_g": 20_200_000,
        "scrap_g": 100_000,
        "pieces": 1,
    }
    with read(yard.plant.node.engine) as conn:
        line = find_line(conn, "BRK", "FM", "BS6-00001")
    assert line is not None
    assert line.state == "done"


def test_the_same_command_twice_is_done_once(yard: Bench) -> None:
    assert book(yard.plant, ROLL) == book(yard.plant, ROLL)
    assert len(yard.rows(operation)) == 1


def test_all_scrap_ends_the_piece(yard: Bench) -> None:
    made = book(yard.plant, replace(ROLL, good_mass_g=0, scrap_g=20_640_000, reason="cobble"))
    assert made["number"] is None
    assert yard.piece("BS6-00001").state == "scrapped"


def test_a_held_piece_is_refused_by_its_hold(yard: Bench) -> None:
    slab = yard.piece("BS6-00001").material_id
    with yard.plant.journal.work() as tx:
        tx.record(
            Draft(
                HoldPlaced(hold_id="a" * 32, material_id=slab, reason="Cu 0.27 %"), (slab,), "q", Occurred(1, "manual")
            )
        )
    with pytest.raises(Refused, match=r"held: Cu 0\.27 %") as refusal:
        book(yard.plant, ROLL)
    assert refusal.value.code == "production.held"
    assert yard.rows(operation) == []


@pytest.mark.parametrize(
    ("change", "kind", "code"),
    [
        ({"good_mass_g": 20_800_000}, Refused, "production.balance"),  # more than went in
        ({"good_mass_g": 15_000_000}, Refused, "production.balance"),  # five tonnes unaccounted for
        ({"reason": " "}, BadInput, "production.no_reason"),
        ({"good_mass_g": 0, "scrap_g": 0}, BadInput, "production.no_mass"),
        ({"unit": "YB"}, Refused, "production.no_booking"),
        ({"piece": "BS6-99999"}, NotFound, "material.unknown_number"),
        ({"unit": "FM9"}, NotFound, "model.unknown_unit"),
    ],
)
def test_refusals_name_their_rule(yard: Bench, change: dict[str, object], kind: type[Refused], code: str) -> None:
    with pytest.raises(kind) as refusal:
        book(yard.plant, replace(ROLL, **change))
    assert refusal.value.code == code
    assert yard.piece("BS6-00001").state == "live"


def test_a_number_that_lives_already_is_refused(yard: Bench) -> None:
    yard.take_in("B6-00007", "coil", 20_000, (2500, 1_270_000, 800_000_000))
    with pytest.raises(Refused) as refusal:
        book(yard.plant, ROLL)
    assert refusal.value.code == "production.number_taken"


def test_what_has_left_cannot_be_used(yard: Bench) -> None:
    slab = yard.piece("BS6-00001").material_id
    with yard.plant.journal.work() as tx:
        tx.record(Draft(MaterialMoved(material_id=slab, place="GB"), (slab,), "y", Occurred(1, "manual")))
        mark_shipped(tx.conn, "BRK", "f" * 32, 2, [slab])
    with pytest.raises(Refused) as refusal:
        book(yard.plant, ROLL)
    assert refusal.value.code == "production.not_here"


def test_without_a_plan_the_product_gets_the_next_number(finishing: Bench) -> None:
    finishing.take_in("C6-04407", "coil", 20_290, (2500, 1_270_000, 814_500_000))
    made = book(finishing.plant, Booking("c9", "p1", "PL1", "C6-04407", 19_740_000, 450_000, "ends"))
    assert made["number"] == "C6-00001"
    assert finishing.piece("C6-00001").length_um == 814_500_000
    assert [(r.flip_length, r.flip_width) for r in finishing.rows(edge)] == [(True, True)]


def test_zinc_may_weigh_more_than_what_went_in(finishing: Bench) -> None:
    finishing.take_in("C6-04407-R", "coil", 19_625, (760, 1_250_000, 2_631_500_000))
    book(finishing.plant, Booking("c9", "p1", "CG1", "C6-04407-R", 20_429_000, number="G6-00001"))
    assert finishing.piece("G6-00001").mass_g == 20_429_000
