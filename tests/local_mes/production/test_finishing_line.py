"""The golden thread through pickling, cold mill, galvanising and slitting, told by telegrams; and what goes wrong."""

from __future__ import annotations

from typing import Any

import pytest
from production_bench import Bench

from local_mes.stock.service import Command
from local_mes.stock.service import weigh as by_hand
from shared.db.engine import read
from shared.journal.fact import Draft, Occurred
from shared.material.facts import MarkPlaced
from shared.material.queries import find_by_number
from shared.material.tables import deviation_raised, edge, loss, mark, operation
from shared.material.trace import ancestor_places, projected_marks
from shared.orders.queries import find_line
from shared.performance.queries import sums
from shared.performance.tables import rollup, stop
from shared.quality.facts import HoldPlaced
from shared.quality.queries import open_holds
from shared.quality.tables import decision, hold

M = 1_000_000
ORDER = "710045/10"
SLITS = "A:308,B:308,C:308,D:308"


def prepare(line: Bench) -> str:
    line.order(ORDER, "DX51D+Z275-M-A slit ID 508", "R-GISLIT")
    coil_id = line.take_in("C6-04407", "coil", 20_290, (2500, 1_270_000, 814_500_000), ORDER)
    line.schedule("PL1", "C6-04407", "C6-04407-P", ORDER, width_um=1_250_000)
    line.schedule("CM1", "C6-04407-P", "C6-04407-R", ORDER, thickness_um=760)
    line.schedule("CG1", "C6-04407-R", "G6-03128", ORDER, coating_gm2=285)
    line.schedule("SL1", "G6-03128", "G6-03128", ORDER, slits=SLITS)
    return coil_id


def enter(line: Bench, code: str, coil: str, counter_m: int = 48_000) -> None:
    line.tell(
        f"CLD-{code}",
        f"{code}1010",
        line=f"{code}1",
        coil_in=coil,
        thickness_um=2500,
        width_um=1_250_000,
        mass_kg=20_000,
        entry_m=counter_m,
    )


def cut(
    line: Bench,
    code: str,
    coil: str,
    made: str,
    part: tuple[float, float, float],
    size: tuple[int, int],
    slit: str = "",
) -> None:
    start, stop, length = part
    line.tell(
        f"CLD-{code}",
        f"{code}1030",
        line=f"{code}1",
        coil_in=coil,
        coil_out=made,
        slit=slit,
        metre_in_from_mm=round(start * 1000),
        metre_in_to_mm=round(stop * 1000),
        metre_out_mm=round(length * 1000),
        thickness_um=size[0],
        width_um=size[1],
    )


def weigh(line: Bench, code: str, made: str, mass_kg: int) -> None:
    line.tell(f"CLD-{code}", f"{code}1040", line=f"{code}1", coil_out=made, mass_kg=mass_kg)


def pickle(line: Bench) -> None:
    enter(line, "PL", "C6-04407")
    cut(line, "PL", "C6-04407", "C6-04407-P", (3, 811.5, 808.5), (2500, 1_250_000))


def cold_roll(line: Bench) -> None:
    enter(line, "CM", "C6-04407-P")
    cut(line, "CM", "C6-04407-P", "C6-04407-R", (2.44, 806.06, 2631.5), (760, 1_250_000))


def galvanise(line: Bench) -> None:
    enter(line, "CG", "C6-04407-R")
    cut(line, "CG", "C6-04407-R", "G6-03128", (4, 2617.6, 2634.5), (800, 1_250_000))


def slit(line: Bench, letters: str = "ABCD") -> None:
    enter(line, "SL", "G6-03128")
    for letter in letters:
        cut(line, "SL", "G6-03128", f"G6-03128-{letter}", (3, 2631.5, 2628.5), (800, 308_000), letter)


def losses(line: Bench, step: str) -> dict[str, int]:
    operations = {row.operation_id: row.operation for row in line.rows(operation)}
    found: dict[str, int] = {}
    for row in line.rows(loss):
        if operations[row.operation_id] == step:
            found[row.kind] = found.get(row.kind, 0) + round(row.g / 1000)
    return found


def made_kg(line: Bench, number: str) -> int:
    return round(line.piece(number).mass_g / 1000)


def test_the_golden_thread_in_figures(finishing: Bench) -> None:
    prepare(finishing)
    pickle(finishing)
    assert losses(finishing, "pickle") == {"ends": 149, "scale": 81, "trim": 316}
    assert made_kg(finishing, "C6-04407-P") == pytest.approx(19_744, abs=1)
    weigh(finishing, "PL", "C6-04407-P", 19_744)
    cold_roll(finishing)
    assert losses(finishing, "cold_roll") == {"off_gauge": 119}
    assert made_kg(finishing, "C6-04407-R") == pytest.approx(19_625, abs=1)
    weigh(finishing, "CM", "C6-04407-R", 19_625)
    galvanise(finishing)
    booked = losses(finishing, "galvanise")
    assert booked["zinc"] == -942
    assert booked["ends"] == pytest.approx(60 + 78, abs=1)
    assert made_kg(finishing, "G6-03128") == pytest.approx(20_429, abs=1)
    weigh(finishing, "CG", "G6-03128", 20_429)
    slit(finishing)
    assert losses(finishing, "slit") == {"ends": 47, "trim": 294}
    for letter, mass_kg in zip("ABCD", (5024, 5019, 5023, 5020), strict=True):
        weigh(finishing, "SL", f"G6-03128-{letter}", mass_kg)
    assert finishing.repairs() == []
    step = next(row for row in finishing.rows(operation) if row.operation == "slit")
    assert step.produced_g == 20_086_000
    assert step.unexplained_g == pytest.approx(2_000, abs=1_000)
    assert finishing.rows(deviation_raised) == []


def test_places_run_back_through_every_pass(finishing: Bench) -> None:
    coil_id = prepare(finishing)
    for step in (pickle, cold_roll, galvanise, slit):
        step(finishing)
    slit_c = finishing.piece("G6-03128-C")
    assert (slit_c.kind, slit_c.width_um, slit_c.heat_number) == ("slit", 308_000, "261604")
    with read(finishing.plant.node.engine) as conn:
        places = {p.material_id: p for p in ancestor_places(conn, slit_c.material_id, 1_279_500_000, 245_000)}
        mother = find_by_number(conn, "G6-03128")[0].material_id
    assert places[mother].at_um == 1_352_000_000
    assert places[mother].left_um == 870_000
    assert places[coil_id].at_um / M == pytest.approx(398.2, abs=0.1)
    assert places[coil_id].left_um == 390_000
    ways = finishing.rows(edge)
    flips = {(row.flip_length, row.flip_width, row.flip_face) for row in ways if row.child_id != slit_c.material_id}
    assert flips == {(True, True, False), (True, False, True)}


def test_a_finding_is_a_mark_and_comes_down_to_the_slit(finishing: Bench) -> None:
    prepare(finishing)
    for step in (pickle, cold_roll, galvanise):
        step(finishing)
    finishing.tell(
        "CLD-CG",
        "CG1050",
        line="CG1",
        coil="G6-03128",
        code="SLIV",
        from_mm=1_352_000,
        to_mm=1_352_870,
        left_um=866_000,
        right_um=868_000,
        severity=3,
    )
    slit(finishing)
    assert [(row.kind, row.value) for row in finishing.rows(mark)] == [("SLIV", 3)]
    with read(finishing.plant.node.engine) as conn:
        on_c = projected_marks(conn, finishing.piece("G6-03128-C").material_id)
        on_a = projected_marks(conn, finishing.piece("G6-03128-A").material_id)
    assert [(m.left_um, m.right_um) for m in on_c] == [(241_000, 243_000)]
    assert on_a == []


def test_thin_zinc_holds_the_coil_and_names_the_workflow(finishing: Bench) -> None:
    finishing.adopt("QR-CGL-01-v2.json")
    prepare(finishing)
    for step in (pickle, cold_roll, galvanise):
        step(finishing)
    finishing.tell("CLD-CG", "CG1070", line="CG1", coil="G6-03128", spot1=301, spot2=305, spot3=228, side="T")
    assert finishing.repairs() == []
    assert [row.outcome for row in finishing.rows(decision)] == ["hold"]
    placed = finishing.rows(hold)[0]
    assert "228" in placed.reason
    assert "W-KNIFE" in placed.reason
    slit(finishing)
    with read(finishing.plant.node.engine) as conn:
        born = open_holds(conn, finishing.piece("G6-03128-A").material_id)
    assert [h.inherited_from for h in born] == [placed.hold_id]
    assert [row.rule for row in finishing.rows(deviation_raised)] == ["hold"]


def test_a_weight_before_its_cut_waits(finishing: Bench) -> None:
    prepare(finishing)
    enter(finishing, "PL", "C6-04407")
    weigh(finishing, "PL", "C6-04407-P", 19_744)
    assert finishing.repairs() == []
    cut(finishing, "PL", "C6-04407", "C6-04407-P", (3, 811.5, 808.5), (2500, 1_250_000))
    piece = finishing.piece("C6-04407-P")
    assert (piece.mass_g, piece.mass_basis, piece.mass_scale) == (19_744_000, "weighed", "PL1W")


def test_primary_data_one_coil_ahead_but_never_for_a_held_one(finishing: Bench) -> None:
    finishing.take_in("C6-00001", "coil", 20_000, (2500, 1_270_000, 800_000_000))
    second = finishing.take_in("C6-00002", "coil", 20_000, (2500, 1_270_000, 800_000_000))
    third = finishing.take_in("C6-00003", "coil", 20_000, (2500, 1_270_000, 800_000_000))
    for number in ("C6-00001", "C6-00002", "C6-00003"):
        finishing.schedule("PL1", number, f"{number}-P", "stock", width_um=1_250_000)
    enter(finishing, "PL", "C6-00001")
    assert [fields["coil_in"] for _, fields in finishing.sent_down()] == ["C6-00001", "C6-00002"]
    with finishing.plant.journal.work() as tx:
        tx.record(
            Draft(
                HoldPlaced(hold_id="e" * 32, material_id=third, reason="surface"),
                (third,),
                "q",
                Occurred(finishing.clock.now_ms(), "manual"),
            )
        )
    cut(finishing, "PL", "C6-00001", "C6-00001-P", (3, 797, 794), (2500, 1_250_000))
    enter(finishing, "PL", "C6-00002")
    assert [fields["coil_in"] for _, fields in finishing.sent_down()] == ["C6-00001", "C6-00002"]
    assert finishing.piece("C6-00002").material_id == second


def test_the_slit_plan_goes_down(finishing: Bench) -> None:
    finishing.take_in("G6-03128", "coil", 20_429, (800, 1_250_000, 2_634_500_000))
    finishing.schedule("SL1", "G6-03128", "G6-03128", "stock", slits=SLITS, thickness_um=800, width_um=1_250_000)
    enter(finishing, "SL", "G6-03128")
    message, fields = finishing.sent_down()[0]
    assert message == "SL2010"
    assert fields["slits"] == [{"slit": letter, "width_um": 308_000} for letter in "ABCD"]


def test_slits_without_a_plan_are_closed_by_the_next_coil(finishing: Bench) -> None:
    finishing.take_in("G6-03128", "coil", 20_429, (800, 1_250_000, 2_634_500_000))
    finishing.take_in("G6-03129", "coil", 20_429, (800, 1_250_000, 2_634_500_000))
    slit(finishing, "ABC")
    assert finishing.piece("G6-03128").state == "live"
    enter(finishing, "SL", "G6-03129")
    assert finishing.piece("G6-03128").state == "consumed"
    assert finishing.piece("G6-03128-C").state == "live"


def test_a_coil_weighed_by_hand_before_the_line_weighs_it_still_counts_as_made(finishing: Bench) -> None:
    prepare(finishing)
    pickle(finishing)
    by_hand(finishing.plant, Command("hand-1", "operator.pl1"), "C6-04407-P", 19_750_000)
    for kg in (19_744, 19_740):
        weigh(finishing, "PL", "C6-04407-P", kg)
    sums = {row.measure: row.total for row in finishing.rows(rollup) if row.unit == "PL1"}
    assert (sums["good_g"], sums["prime_g"], sums["pieces"]) == (19_740_000, 19_740_000, 1)


def test_slits_that_cannot_be_do_not_keep_the_next_coils_out_of_the_line(finishing: Bench) -> None:
    finishing.take_in("G6-03128", "coil", 20_429, (800, 800_000, 2_634_500_000))
    for number in ("G6-03129", "G6-03130"):
        finishing.take_in(number, "coil", 20_429, (800, 1_250_000, 2_634_500_000))
    slit(finishing, "ABC")  # 924 mm on 800 mm of strip, and no plan that would have said so at once
    enter(finishing, "SL", "G6-03129")
    enter(finishing, "SL", "G6-03130")
    assert finishing.repairs() == []
    assert {finishing.piece(f"G6-0312{n}").place for n in (8, 9)} == {"SL1"}
    assert finishing.piece("G6-03130").place == "SL1"
    said = [row.text for row in finishing.rows(deviation_raised) if row.rule == "slits"]
    assert len(said) == 1
    assert "G6-03128-A, G6-03128-B, G6-03128-C of G6-03128 were told but cannot be booked" in said[0]


def test_slits_that_do_not_fit_on_the_strip_go_to_repair(finishing: Bench) -> None:
    finishing.take_in("G6-03128", "coil", 20_429, (800, 1_000_000, 2_634_500_000))
    finishing.schedule("SL1", "G6-03128", "G6-03128", "stock", slits=SLITS)
    slit(finishing)
    assert len(finishing.repairs()) == 1
    assert "fit" in finishing.repairs()[0]


def test_one_coil_cut_into_two_keeps_each_its_part(finishing: Bench) -> None:
    mother = finishing.take_in("C6-00001-R", "coil", 20_000, (760, 1_250_000, 2_700_000_000))
    enter(finishing, "CG", "C6-00001-R")
    cut(finishing, "CG", "C6-00001-R", "G6-00001", (4, 1000, 1004), (800, 1_250_000))
    assert finishing.piece("C6-00001-R").state == "live"
    assert finishing.piece("C6-00001-R").mass_g == pytest.approx(20_000_000 * 1700 / 2700, abs=2000)
    cut(finishing, "CG", "C6-00001-R", "G6-00002", (1000, 2686, 1699), (800, 1_250_000))
    assert finishing.repairs() == []
    assert finishing.piece("C6-00001-R").state == "consumed"
    parts = [
        (row.parent_from_um // M, row.parent_to_um // M) for row in finishing.rows(edge) if row.parent_id == mother
    ]
    assert sorted(parts) == [(14, 1700), (1700, 2696)]
    assert sum(row.charged_g for row in finishing.rows(operation)) == 20_000_000


def test_a_cut_past_the_weld_has_two_parents(finishing: Bench) -> None:
    first = finishing.take_in("C6-00001-R", "coil", 20_000, (760, 1_250_000, 2_700_000_000))
    second = finishing.take_in("C6-00002-R", "coil", 20_000, (760, 1_250_000, 2_700_000_000))
    enter(finishing, "CG", "C6-00001-R", 40_000)
    enter(finishing, "CG", "C6-00002-R", 42_690)
    finishing.tell(
        "CLD-CG",
        "CG1020",
        line="CG1",
        coil_before="C6-00001-R",
        coil_after="C6-00002-R",
        metre_in_mm=42_690_000,
        metre_out_mm=42_690_000,
    )
    cut(finishing, "CG", "C6-00001-R", "G6-00001", (4, 3190, 3200), (800, 1_250_000))
    assert finishing.repairs() == []
    ways: dict[str, Any] = {row.parent_id: row for row in finishing.rows(edge)}
    assert set(ways) == {first, second}
    assert ways[first].child_to_um == ways[second].child_from_um
    assert ways[second].child_to_um == 3_200_000_000
    assert (ways[second].parent_from_um, ways[second].parent_to_um) == (2_200_000_000, 2_700_000_000)
    assert finishing.piece("C6-00001-R").state == "consumed"
    assert finishing.piece("C6-00002-R").state == "live"


def test_a_mark_on_the_mill_coil_lies_on_the_galvanised_one(finishing: Bench) -> None:
    coil_id = prepare(finishing)
    fact = MarkPlaced(mark_id="d" * 32, material_id=coil_id, kind="ML", from_um=358_600_000, to_um=402_600_000)
    with finishing.plant.journal.work() as tx:
        tx.record(Draft(fact, (coil_id,), "ALD", Occurred(finishing.clock.now_ms(), "test")))
    for step in (pickle, cold_roll, galvanise):
        step(finishing)
    with read(finishing.plant.node.engine) as conn:
        found = projected_marks(conn, finishing.piece("G6-03128").material_id)
    assert [m.from_um / M for m in found] == pytest.approx([1337.7], abs=0.3)
    assert [m.to_um / M for m in found] == pytest.approx([1483.0], abs=0.3)


def test_yield_above_one_hundred_per_cent_is_booked_with_its_zinc(finishing: Bench) -> None:
    prepare(finishing)
    for step in (pickle, cold_roll, galvanise):
        step(finishing)
    weigh(finishing, "CG", "G6-03128", 20_429)
    with read(finishing.plant.node.engine) as conn:
        figures = sums(conn, author="CLD", unit="CG1")["CLD", "CG1"]
        line = find_line(conn, "CLD", "CG1", "C6-04407-R")
    assert figures["good_g"] > figures["charged_g"]
    assert round(figures["zinc_g"] / 1000) == 942
    assert line is not None
    assert line.state == "done"


def test_a_coil_whose_data_have_not_come_is_processed_all_the_same(finishing: Bench) -> None:
    coil_id = finishing.take_in("C6-04407", "coil", 20_290, (0, 0, 0))
    pickle(finishing)
    assert finishing.repairs() == []
    made = finishing.piece("C6-04407-P")
    assert (made.width_um, made.length_um) == (1_250_000, 808_500_000)
    assert finishing.piece("C6-04407").state == "consumed"
    assert [row.parent_id for row in finishing.rows(edge)] == [coil_id]


def test_running_time_leaves_out_an_empty_line(finishing: Bench) -> None:
    for number in ("C6-00001", "C6-00002", "C6-00003"):
        finishing.take_in(number, "coil", 20_000, (2500, 1_270_000, 800_000_000))
    for number, wait_min in (("C6-00001", 1), ("C6-00002", 9), ("C6-00003", 120)):
        finishing.clock.advance(wait_min * 60_000)
        enter(finishing, "PL", number)
        finishing.clock.advance(13 * 60_000)
        cut(finishing, "PL", number, f"{number}-P", (3, 797, 794), (2500, 1_250_000))
    with read(finishing.plant.node.engine) as conn:
        running = sums(conn, author="CLD", unit="PL1")["CLD", "PL1"]["apt_ms"]
    assert running == (3 * 14 + 10) * 60_000


def test_a_line_without_work_has_no_stop_but_a_planned_one_has_its_reason(finishing: Bench) -> None:
    for state, reason in (("RUN", ""), ("IDLE", ""), ("RUN", ""), ("IDLE", "PL-MNT"), ("RUN", "")):
        finishing.tell("CLD-PL", "PL1060", 30, line="PL1", state=state, reason=reason)
    assert [(row.reason, row.note, row.to_ms - row.from_ms) for row in finishing.rows(stop)] == [
        ("PL-MNT", "planned", 30 * 60_000)
    ]


def test_a_finding_beyond_the_coil_goes_to_repair(finishing: Bench) -> None:
    prepare(finishing)
    for step in (pickle, cold_roll, galvanise):
        step(finishing)
    for start in (2_634_000, 9_000_000):
        finishing.tell(
            "CLD-CG",
            "CG1050",
            line="CG1",
            coil="G6-03128",
            code="SLIV",
            from_mm=start,
            to_mm=start + 900,
            left_um=1,
            right_um=2,
            severity=1,
        )
    assert len(finishing.rows(mark)) == 1
    assert len(finishing.repairs()) == 1
