"""A slab through the hot mill, told over OPC UA: the golden thread's figures, holds, cobble, states."""

from __future__ import annotations

from typing import Any

import pytest
from production_bench import Bench

from local_mes.production.packing import pack
from local_mes.production.person import Command
from shared.db.engine import read
from shared.journal.fact import Draft, Occurred
from shared.material.tables import deviation_raised, edge, loss, operation, process_value
from shared.orders.queries import find_line
from shared.performance.queries import delay_ms, sums
from shared.performance.tables import stop, unit_state
from shared.quality.facts import HoldPlaced
from shared.quality.queries import open_holds
from shared.quality.tables import decision

LINK = "BRK-HSM"
SLAB = {"slab": "BS6-08817"}
AIMS = {"thickness_um": 2500, "width_um": 1_270_000, "ft_c": 880, "ct_c": 620}


def charge(mill: Bench, schedule: bool = True) -> str:
    slab_id = mill.take_in("BS6-08817", "slab", 20_640, (220_000, 1_280_000, 9_310_000), "710045/10")
    mill.order("710045/10", "DX51D+Z275-M-A slit", "R-GISLIT")
    if schedule:
        mill.schedule("FM", "BS6-08817", "B6-09962", "710045/10", **AIMS)
    mill.tell(LINK, "RF1.Charge", **SLAB, furnace="RF1", row=1, temp_c=25)
    return slab_id


def roll(mill: Bench, ct_pct: float = 98.2, weight_first: bool = False) -> None:
    mill.tell(LINK, "RF1.Discharge", 170, **SLAB, temp_c=1230, minutes=170)
    mill.tell(LINK, "R1.Done", 1.5, **SLAB, thickness_um=32_000, width_um=1_282_000)
    mill.tell(LINK, "CS1.Crop", 0.7, **SLAB, head_kg=62, tail_kg=71)
    mill.tell(
        LINK,
        "FM.TailOut",
        1.1,
        **SLAB,
        ft_avg_c=881,
        ft_min_c=872,
        ft_max_c=890,
        ft_in_window_pct=99.1,
        thickness_um=2500,
    )
    if weight_first:
        weigh(mill)
    mill.tell(
        LINK,
        "DC1.CoilDone",
        0.7,
        **SLAB,
        coil_no="B6-09962",
        coiler="DC1",
        thickness_um=2500,
        width_um=1_270_000,
        ct_c=620,
        ct_in_window_pct=ct_pct,
        length_mm=814_500,
        outside="tail",
    )


def weigh(mill: Bench, mass_kg: int = 20_300) -> None:
    mill.tell(LINK, "CW1.Weight", 2, coil_no="B6-09962", mass_kg=mass_kg)


def hold(bench: Bench, material_id: str) -> None:
    with bench.plant.journal.work() as tx:
        tx.record(
            Draft(
                HoldPlaced(hold_id="f" * 32, material_id=material_id, reason="index 0.446 > 0.38"),
                (material_id,),
                "rule",
                Occurred(bench.clock.now_ms(), "test"),
            )
        )


def test_a_slab_becomes_a_coil_whose_balance_closes(mill: Bench) -> None:
    slab_id = charge(mill)
    roll(mill)
    weigh(mill)
    assert mill.repairs() == []
    coil, slab = mill.piece("B6-09962"), mill.piece("BS6-08817")
    assert (coil.state, coil.kind) == ("live", "coil")
    assert (coil.mass_g, coil.mass_basis, coil.mass_scale) == (20_300_000, "weighed", "CW1")
    assert (coil.thickness_um, coil.width_um, coil.length_um) == (2500, 1_270_000, 814_500_000)
    assert (coil.order_item, coil.grade, coil.heat_number, coil.place) == ("710045/10", "L06", "261604", "DC1")
    assert slab.state == "consumed"
    done = mill.rows(operation)[0]
    assert (done.operation, done.unit, done.charged_g, done.produced_g) == ("roll", "FM", 20_640_000, 20_300_000)
    assert abs(done.unexplained_g) <= 0.002 * done.charged_g
    assert sorted((row.kind, row.g) for row in mill.rows(loss)) == [
        ("crop", 62_000),
        ("crop", 71_000),
        ("scale", 51_600),
        ("scale", 154_800),
    ]
    way = mill.rows(edge)[0]
    assert (way.parent_id, way.child_id, way.mass_g) == (slab_id, coil.material_id, 20_300_000)
    assert (way.flip_length, way.flip_width, way.flip_face) == (False, False, False)
    assert way.parent_from_um == pytest.approx(28_000, abs=300)
    assert way.parent_to_um == pytest.approx(9_278_000, abs=300)
    values = {row.name: row.value for row in mill.rows(process_value)}
    assert (values["ft_avg_mc"], values["ct_window_ppm"], values["furnace_min"]) == (881_000, 982_000, 170)


def test_primary_data_goes_down_and_the_line_is_closed(mill: Bench) -> None:
    charge(mill)
    assert mill.sent_down() == [
        ("PDI.Store", {"slab": "BS6-08817", "coil_no": "B6-09962", "order": "710045/10", **AIMS})
    ]
    roll(mill)
    with read(mill.plant.node.engine) as conn:
        line = find_line(conn, "BRK", "FM", "BS6-08817")
    assert line is not None
    assert line.state == "done"


def test_a_planned_slab_without_a_number_gets_the_mills_next_one(mill: Bench) -> None:
    mill.take_in("BS6-08817", "slab", 20_640, (220_000, 1_280_000, 9_310_000))
    mill.take_in("B6-00001", "coil", 20_000, (2500, 1_270_000, 800_000_000))
    mill.schedule("FM", "BS6-08817", "", "stock", **AIMS)
    mill.tell(LINK, "RF2.Charge", **SLAB, furnace="RF2", row=1, temp_c=25)
    assert [fields["coil_no"] for _, fields in mill.sent_down()] == ["B6-00002"]


def test_a_held_slab_in_the_furnace_is_recorded_and_gets_no_primary_data(mill: Bench) -> None:
    slab_id = mill.take_in("BS6-08817", "slab", 20_640, (220_000, 1_280_000, 9_310_000))
    mill.schedule("FM", "BS6-08817", "B6-09962", "stock", **AIMS)
    hold(mill, slab_id)
    mill.tell(LINK, "RF1.Charge", **SLAB, furnace="RF1", row=1, temp_c=25)
    assert mill.sent_down() == []
    assert mill.piece("BS6-08817").place == "RF1"
    raised = mill.rows(deviation_raised)
    assert [(row.rule, row.material_id) for row in raised] == [("hold", slab_id)]
    assert "0.446" in raised[0].text
    roll(mill)
    with read(mill.plant.node.engine) as conn:
        held = open_holds(conn, mill.piece("B6-09962").material_id)
    assert [h.inherited_from for h in held] == ["f" * 32]


def test_temperatures_outside_their_window_hold_the_coil(mill: Bench) -> None:
    mill.adopt("QR-HSM-01-v4.json")
    charge(mill)
    roll(mill, ct_pct=91.0)
    coil = mill.piece("B6-09962")
    with read(mill.plant.node.engine) as conn:
        held = open_holds(conn, coil.material_id)
    assert [h.rule_id for h in held] == ["QR-HSM-01"]
    decided = mill.rows(decision)[0]
    assert (decided.outcome, decided.rule_version) == ("hold", 4)
    assert "91" in decided.explanation


def test_good_temperatures_pass_and_the_coil_is_prime(mill: Bench) -> None:
    mill.adopt("QR-HSM-01-v4.json")
    charge(mill)
    roll(mill)
    weigh(mill)
    assert [row.outcome for row in mill.rows(decision)] == ["pass"]
    with read(mill.plant.node.engine) as conn:
        figures = sums(conn, author="BRK", unit="FM")["BRK", "FM"]
    assert figures["charged_g"] == 20_640_000
    assert figures["good_g"] == figures["prime_g"] == 20_300_000
    assert figures["pieces"] == 1


def test_a_weight_before_its_coil_waits_for_it(mill: Bench) -> None:
    charge(mill)
    roll(mill, weight_first=True)
    assert mill.repairs() == []
    assert mill.piece("B6-09962").mass_basis == "weighed"


def test_a_weight_far_off_is_taken_and_raises_a_deviation(mill: Bench) -> None:
    charge(mill)
    roll(mill)
    weigh(mill, 19_800)
    assert mill.piece("B6-09962").mass_g == 19_800_000
    assert [row.rule for row in mill.rows(deviation_raised)] == ["mass_balance"]


def test_a_coil_number_that_lives_already_goes_to_repair(mill: Bench) -> None:
    mill.take_in("B6-09962", "coil", 20_000, (2500, 1_270_000, 800_000_000))
    charge(mill)
    roll(mill)
    assert len(mill.repairs()) == 1
    assert "B6-09962" in mill.repairs()[0]
    assert mill.piece("BS6-08817").state == "live"


def test_a_cobble_makes_scrap_and_counts_as_charged(mill: Bench) -> None:
    charge(mill)
    mill.tell(LINK, "LINE.Cobble", **SLAB, mass_kg=20_640)
    assert mill.piece("BS6-08817").state == "scrapped"
    with read(mill.plant.node.engine) as conn:
        figures = sums(conn, author="BRK", unit="FM")["BRK", "FM"]
        line = find_line(conn, "BRK", "FM", "BS6-08817")
    assert [figures[name] for name in ("charged_g", "lost_g", "scrap_g")] == [20_640_000] * 3
    assert line is not None
    assert (line.state, line.reason) == ("dropped", "OP-COB")


def test_states_give_stops_with_reason_and_running_time(mill: Bench) -> None:
    mill.tell(LINK, "LINE.State", state="RUN", reason="")
    mill.tell(LINK, "LINE.State", 30, state="DOWN", reason="OP-COB")
    assert [(row.unit, row.state, row.reason) for row in mill.rows(unit_state)] == [("LINE", "stop", "OP-COB")]
    mill.tell(LINK, "LINE.State", 22, state="RUN", reason="")
    mill.tell(LINK, "LINE.State", 10, state="SETUP", reason="PL-ROL")
    mill.tell(LINK, "LINE.State", 15, state="RUN", reason="")
    assert mill.repairs() == []
    with read(mill.plant.node.engine) as conn:
        reasons = delay_ms(conn, author="BRK", unit="LINE")["BRK", "LINE"]
        running = sums(conn, author="BRK", unit="FM")["BRK", "FM"]["apt_ms"]
    assert reasons == {"OP-COB": 22 * 60_000, "PL-ROL": 15 * 60_000}
    assert running == 40 * 60_000
    assert [row.production_day for row in mill.rows(stop)] == ["2026-03-11"] * 2


def test_interpreting_the_spool_again_changes_nothing(mill: Bench) -> None:
    charge(mill)
    roll(mill)
    weigh(mill)
    before: list[Any] = [mill.rows(table) for table in (edge, operation, loss)]
    head = mill.plant.journal
    with head.work() as tx:
        tx.conn.exec_driver_sql("DELETE FROM spool_position")
    while mill.interpreter.step():
        pass
    after: list[Any] = [mill.rows(table) for table in (edge, operation, loss)]
    assert before == after


def test_a_packed_slab_in_the_furnace_opens_its_pack_and_is_said(mill: Bench) -> None:
    ids = [mill.take_in(number, "slab", 20_640, (220_000, 1_280_000, 9_310_000)) for number in ("BS6-1", "BS6-2")]
    pack(mill.plant, Command("c1", "p1"), ["BS6-1", "BS6-2"], number="PK-1")
    mill.tell(LINK, "RF1.Charge", slab="BS6-1", furnace="RF1", row=1, temp_c=20)
    assert mill.repairs() == []
    assert [mill.piece(material_id).state for material_id in ids] == ["live", "live"]
    assert mill.piece("PK-1").state == "opened"
    assert "packed" in [row.rule for row in mill.rows(deviation_raised)]
