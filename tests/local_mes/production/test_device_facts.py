"""What devices say becomes facts: masses with scale and calibration, analyses, labels, places; or lies in repair."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from production_bench import DEMO, Bench, make_bench

from local_mes.level2.devices import jobs
from local_mes.level2.devices.standing import withdraw_held
from local_mes.level2.down import find_by_key
from local_mes.quality.service import PlaceHold, place_hold
from local_mes.transfers.service import ListedPiece, ShipCommand, ship
from shared.clock import FixedClock
from shared.db.engine import read
from shared.errors import NotFound, Refused
from shared.material.history import history
from shared.material.tables import deviation_raised, mass_history, operation, piece_label
from shared.quality.queries import find_final_analysis
from shared.transfers.tables import vehicle_weighing

DEVICES = """
[[link]]
code = "{code}-WS"
kind = "scale"
unit = "WS1"
address = "127.0.0.1:1"
  [link.settings]
  protocol = "sics"
  scale = "WS-0815"
  calibrated_until = 2026-02-28
  capacity_kg = 40000
  [link.map]
  "*.Weighed" = "piece_weighed"
[[link]]
code = "{code}-WB"
kind = "weighbridge"
unit = "WB1"
address = "127.0.0.1:2"
  [link.settings]
  scale = "WB-17"
  calibrated_until = 2026-12-31
  capacity_kg = 60000
  [link.map]
  "*.VehicleWeighed" = "vehicle_weighed"
[[link]]
code = "{code}-MK"
kind = "marker"
unit = "MK9"
address = "127.0.0.1:3"
  [link.map]
  "*.Marked" = "piece_labelled"
[[link]]
code = "{code}-LP"
kind = "printer"
unit = "LP1"
address = "127.0.0.1:4"
  [link.map]
  "*.Printed" = "piece_labelled"
[[link]]
code = "{code}-SC"
kind = "scanner"
unit = "GATE"
address = "127.0.0.1:5"
  [link.map]
  "*.Scanned" = "piece_scanned"
[[link]]
code = "{code}-OES"
kind = "spectrometer"
unit = "OES1"
address = "127.0.0.1:6"
  [link.map]
  "*.Result" = "spectrometer_result"
  "*.Row" = "spectrometer_row"
"""
GOOD, OVER = "2026-12-31", "2026-02-28"
SIZE = (220_000, 1_280_000, 9_310_000)


@pytest.fixture
def equip(tmp_path: Path, clock: FixedClock) -> Iterator[Callable[[str], Bench]]:
    made: list[Bench] = []

    def make(code: str) -> Bench:
        folder = shutil.copytree(DEMO / "plants" / code.lower(), tmp_path / "model")
        model = folder / "model.toml"
        model.write_text(model.read_text() + DEVICES.format(code=code))
        made.append(make_bench(code, tmp_path, clock, model))
        return made[-1]

    yield make
    for bench in made:
        bench.plant.node.engine.dispose()
        bench.plant.spool.dispose()


def weighed(piece: str, kg: int, until: str = GOOD, **more: Any) -> dict[str, Any]:
    basis = {"tare_g": 0, "basis": "gross", "line": "", "test": False}
    return {"piece": piece, "mass_g": kg * 1000, "scale": "WS-0815", "calibrated_until": until, **basis, **more}


def deviations(bench: Bench) -> list[tuple[str, str]]:
    return [(row.rule, row.text) for row in bench.rows(deviation_raised)]


def test_a_weighing_keeps_scale_tare_and_an_expired_calibration(equip: Callable[[str], Bench]) -> None:
    yard = equip("BRK")
    slab_id = yard.take_in("BS6-1", "slab", 20_000, SIZE)
    yard.tell("BRK-WS", "WS1.Weighed", **weighed("BS6-1", 20_440, tare_g=500_000, basis="net"))
    piece = yard.piece("BS6-1")
    assert (piece.mass_g, piece.mass_basis, piece.mass_scale) == (20_440_000, "weighed", "WS-0815")
    assert deviations(yard) == []
    yard.tell("BRK-WS", "WS1.Weighed", **weighed("BS6-1", 20_400, until=OVER))
    assert yard.piece("BS6-1").mass_g == 20_400_000  # what was weighed is not lost
    assert [row.reason for row in yard.rows(mass_history) if row.scale and row.reason] == [
        "weighed at WS1, net of 500 kg tare",
        "weighed at WS1; the calibration of WS-0815 had expired on 2026-02-28",
    ]
    assert deviations(yard) == [
        ("calibration", "BS6-1 was weighed although the calibration of WS-0815 had expired on 2026-02-28.")
    ]
    yard.tell("BRK-WS", "WS1.Weighed", **weighed("BS6-1", 1, test=True))
    assert yard.piece("BS6-1").mass_g == 20_400_000
    with read(yard.plant.node.engine) as conn:
        assert any("expired" in event.text for event in history(conn, slab_id) if event.what == "mass")


def test_a_load_that_nobody_named_is_the_one_piece_at_the_scale(equip: Callable[[str], Bench]) -> None:
    yard = equip("BRK")
    yard.tell("BRK-WS", "WS1.Weighed", **weighed("", 20_100))
    assert "no piece is booked there" in yard.repairs()[0]
    yard.take_in("BS6-1", "slab", 20_000, SIZE)
    yard.tell("BRK-SC", "GATE.Scanned", number="BS6-1", place="WS1")
    assert yard.piece("BS6-1").place == "WS1"
    yard.tell("BRK-WS", "WS1.Weighed", **weighed("", 20_100))
    assert yard.piece("BS6-1").mass_g == 20_100_000


def test_a_line_scale_closes_the_balance_of_the_step(equip: Callable[[str], Bench]) -> None:
    yard, slab = equip("BRK"), {"slab": "BS6-1"}
    yard.take_in("BS6-1", "slab", 20_640, SIZE)
    yard.tell("BRK-HSM", "RF1.Charge", **slab, furnace="RF1", row=1, temp_c=25)
    yard.tell("BRK-HSM", "RF1.Discharge", 170, **slab, temp_c=1230, minutes=170)
    yard.tell("BRK-WS", "WS1.Weighed", **weighed("B6-1", 20_000, line="FM"))
    assert yard.repairs() == []  # it waits: the mill has not told of the coil yet
    rolled = {"thickness_um": 2500, "width_um": 1_270_000, "length_mm": 814_500, "ct_c": 620, "ct_in_window_pct": 99}
    yard.tell("BRK-HSM", "DC1.CoilDone", **slab, coil_no="B6-1", coiler="DC1", outside="tail", **rolled)
    assert yard.repairs() == []
    coil, (made,) = yard.piece("B6-1"), yard.rows(operation)
    assert (coil.mass_g, coil.mass_basis, coil.mass_scale) == (20_000_000, "weighed", "WS-0815")
    assert (made.unit, made.produced_g) == ("FM", 20_000_000)
    assert "mass_balance" in [rule for rule, _ in deviations(yard)]


def scale_says(bench: Bench, ticket: str, vehicle: str, kg: int, **more: Any) -> None:
    fields = {"ticket": ticket, "vehicle": vehicle, "mass_g": kg * 1000, "scale": "WB-17", "calibrated_until": GOOD}
    bench.tell("BRK-WB", "WB1.VehicleWeighed", 20, **fields, tolerance_g=200_000, **more)


def test_a_vehicle_weighed_twice_has_a_net_mass_in_either_order(equip: Callable[[str], Bench]) -> None:
    yard = equip("BRK")
    scale_says(yard, "1", "WPR 1234", 39_480)
    assert yard.rows(vehicle_weighing) == []
    scale_says(yard, "1", "wpr1234", 14_220)
    scale_says(yard, "2", "WPR 1234", 14_200)
    scale_says(yard, "2", "WPR 1234", 39_000, calibrated_until_note="")
    assert yard.repairs() == []
    assert [(row.ticket, row.gross_g, row.tare_g, row.net_g) for row in yard.rows(vehicle_weighing)] == [
        ("1", 39_480_000, 14_220_000, 25_260_000),
        ("2", 39_000_000, 14_200_000, 24_800_000),
    ]
    scale_says(yard, "3", "X 1", 10_000)
    scale_says(yard, "3", "X 1", 10_000)
    assert "both times" in yard.repairs()[0]
    yard.clock.advance(80 * 3_600_000)
    scale_says(yard, "4", "X 1", 12_000)  # days later: a first weighing again
    assert len(yard.rows(vehicle_weighing)) == 2


def test_a_load_that_weighs_other_than_its_pieces_is_a_finding(equip: Callable[[str], Bench]) -> None:
    yard = equip("BRK")
    yard.take_in("B6-1", "coil", 20_000, (2_500, 1_270_000, 800_000_000))
    lines = (ListedPiece("B6-1"),)
    ship(yard.plant, ShipCommand("ship-1", "person", "RC-000001", "CLD", lines, mode="truck", vehicle="WPR 1234"))
    scale_says(yard, "1", "WPR 1234", 14_000)
    scale_says(yard, "1", "WPR 1234", 34_100)
    assert deviations(yard) == []
    scale_says(yard, "2", "WPR 1234", 14_000)
    scale_says(yard, "2", "WPR 1234", 33_000)
    assert [row.shipment_number for row in yard.rows(vehicle_weighing)] == ["RC-000001", "RC-000001"]
    ((rule, text),) = deviations(yard)
    assert rule == "weighbridge"
    assert "carries 19,000 kg" in text
    assert "1,000 kg" in text


def marked(bench: Bench, material_id: str, outcome: str, **more: Any) -> None:
    said = {"piece": "BS6-1", "means": "paint", "text": "BS6-1", "read": "", "reason": "", "test": False} | more
    bench.tell("BRK-MK", "MK9.Marked", material_id=material_id, outcome=outcome, **said)


def test_labels_and_markings_stand_in_the_life_of_the_piece(equip: Callable[[str], Bench]) -> None:
    yard = equip("BRK")
    slab = yard.take_in("BS6-1", "slab", 20_000, SIZE)
    marked(yard, slab, "done", read="BS6-1")
    marked(yard, slab, "mismatch", read="BS6-7")
    marked(yard, slab, "failed", reason="no paint")
    marked(yard, slab, "done", test=True)
    marked(yard, "", "done")
    label = {"piece": "BS6-1", "material_id": slab, "text": "BS6-1", "copies": 2, "means": "label", "outcome": "done"}
    yard.tell("BRK-LP", "LP1.Printed", **label, test=False)
    assert [(row.means, row.outcome, row.copies) for row in yard.rows(piece_label)] == [
        ("paint", "done", 1),
        ("paint", "mismatch", 1),
        ("paint", "failed", 1),
        ("label", "done", 2),
    ]
    assert [text for _, text in deviations(yard)] == [
        "BS6-1 reads BS6-7 at MK9, not BS6-1: mark it again.",
        "BS6-1 was not marked at MK9: no paint.",
    ]
    assert "is known here that this could be on" in yard.repairs()[0]


def test_a_scan_finds_a_piece_by_any_number_and_moves_only_what_is_here(equip: Callable[[str], Bench]) -> None:
    yard = equip("BRK")
    slab = yard.take_in("BS6-1", "slab", 20_000, SIZE)
    yard.tell("BRK-SC", "GATE.Scanned", number=slab, place="GB")
    assert yard.piece("BS6-1").place == "GB"
    yard.tell("BRK-SC", "GATE.Scanned", number="BS6-1", place="")
    yard.tell("BRK-SC", "GATE.Scanned", number="NOBODY", place="GB")
    yard.tell("BRK-SC", "GATE.Scanned", number="BS6-1", place="MOON")
    assert ["NOBODY" in yard.repairs()[0], "MOON" in yard.repairs()[1]] == [True, True]


def test_a_job_is_refused_for_a_piece_that_is_unknown_gone_or_held(equip: Callable[[str], Bench]) -> None:
    yard = equip("BRK")
    slab = yard.take_in("BS6-1", "slab", 20_440, SIZE)

    def ask(what: str, piece: str, code: str, key: str, **more: Any) -> dict[str, Any]:
        return jobs.ask(yard.plant, code, jobs.Job(key, "p1", what, piece, **more))

    made = ask("Print", "BS6-1", "BRK-LP", "c1", copies=2)
    assert made == ask("Print", "BS6-1", "BRK-LP", "c1", copies=2)  # a second click
    order = find_by_key(yard.plant.spool, made["key"])
    assert order is not None
    assert (order.fields["material_id"], order.fields["copies"], order.fields["by"]) == (slab, 2, "p1")
    assert "^FDBS6-1^FS" in order.fields["zpl"]
    with pytest.raises(NotFound):
        ask("Print", "NOBODY", "BRK-LP", "c2")
    with pytest.raises(NotFound):
        ask("Print", "BS6-1", "BRK-HSM", "c2")
    for what, piece, said in (("Mark", "BS6-1", "takes no Mark"), ("Print", "", "of which piece")):
        with pytest.raises(Refused, match=said):
            ask(what, piece, "BRK-LP", "c2")
    marking = ask("Mark", "BS6-1", "BRK-MK", "c3")
    place_hold(yard.plant, PlaceHold("h1", "p2", "BS6-1", "crack"))
    with pytest.raises(Refused, match="is held: crack"):
        ask("Mark", "BS6-1", "BRK-MK", "c4")
    withdrawn = find_by_key(yard.plant.spool, marking["key"])  # it had not begun
    assert withdrawn is not None
    assert (withdrawn.state, withdrawn.answer) == ("refused", "withdrawn: the piece is held (crack)")
    assert withdraw_held(yard.plant) == 0
    ask("Print", "BS6-1", "BRK-LP", "c5")  # a held piece may bear a label: it says so
    with pytest.raises(Refused, match="The job is refused"):
        jobs.withdraw_job(yard.plant, withdrawn.down_id, "late")
    with pytest.raises(NotFound):
        jobs.withdraw_job(yard.plant, 999, "who")


def test_an_analysis_is_of_the_heat_that_the_furnace_named(equip: Callable[[str], Bench]) -> None:
    shop = equip("ALD")
    shop.tell("ALD-MELT", "EAF1.HeatStart", heat="161843", grade="L06", ladle=7)
    results = [{"element": "C", "op": "", "value_e6": 452, "digits": 4}]
    shop.tell("ALD-OES", "OES1.Result", sample="S-1", heat="", place="", results=results)
    assert shop.repairs() == []  # nobody said yet of which heat it is
    shop.tell("ALD-MELT", "LF1.Sample", heat="161843", sample="S-1", place="LFF")
    heat = shop.piece("161843")
    with read(shop.plant.node.engine) as conn:
        found = find_final_analysis(conn, heat.material_id)
    assert found is not None
    assert (found.values["C"].e6, found.values["C"].digits, found.number) == (452, 4, "S-1")
    row = {"sample": "S-1", "heat": "161843", "place": "LFF", "file": "S-1.csv", "C": "0.0460", "N_ppm": "45"}
    shop.tell("ALD-OES", "OES1.Row", **row, burn="1")
    shop.tell("ALD-OES", "OES1.Row", **row, burn="AVG")
    shop.tell("ALD-OES", "OES1.Row", **row | {"C": "much"}, burn="")
    with read(shop.plant.node.engine) as conn:
        found = find_final_analysis(conn, heat.material_id)
    assert found is not None
    assert {name: value.e6 for name, value in found.values.items()} == {"C": 460, "N": 45}
    assert "'much' is no value" in shop.repairs()[0]
