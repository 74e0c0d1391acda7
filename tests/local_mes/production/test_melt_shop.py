"""A whole sequence through the real interpreter: what the caster tells becomes slabs, holds, marks and figures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from melt_shop_player import (
    FINALS,
    HEATS_4417,
    MINUTE,
    START_MS,
    Sequence,
    heat_events,
    laboratory,
    play,
    sequence_events,
)
from production_bench import Bench, make_bench

from local_mes.production.handwork import HandWork, work
from local_mes.production.handwork_domain import Part
from local_mes.production.person import Command
from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.journal.content_hash import content_hash
from shared.journal.rebuild import rebuild
from shared.material.mixture import mixtures_of
from shared.material.queries import find_making, losses_of, marks_of, rows_of, values_of
from shared.material.steel import parts_with, steel_over
from shared.material.tables import edge, material, operation
from shared.material.trace import ancestor_places
from shared.performance.queries import sums
from shared.quality.mixed import read_steel
from shared.quality.queries import find_final_analysis, get_heat_shares, list_decisions, list_holds, open_holds
from shared.units import G_PER_KG

RULES = ("QR-CHE-01-v5.json", "QR-RES-01-v2.json", "QR-CAST-01-v3.json", "QR-TRN-01-v1.json")
SEQUENCE = Sequence("4417", HEATS_4417)
HELD = {
    "161843-1-1",
    "161843-1-2",
    "161843-1-3",
    "161843-2-1",
    "161843-2-2",
    "161843-2-3",
    "261838-1-3",
    "261838-2-3",
    "261839-1-1",
    "261839-2-1",
}


def build_shop(folder: Path, clock: FixedClock) -> Bench:
    clock.set(START_MS - 5 * 60 * MINUTE)
    bench = make_bench("ALD", folder, clock)
    bench.adopt(*RULES)
    bench.order("710047/10", "DX51D+Z275-M-A coil", "R-GI")
    bench.order("710066/10", "DD11 hot coil", "R-HRC")
    return bench


def dispose(bench: Bench) -> None:
    bench.plant.node.engine.dispose()
    bench.plant.spool.dispose()


@pytest.fixture
def shop(tmp_path: Path, clock: FixedClock) -> Iterator[Bench]:
    bench = build_shop(tmp_path, clock)
    yield bench
    dispose(bench)


@pytest.fixture(scope="module")
def cast_4417(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The whole of 4417, cast cut by cut; tests only read it."""
    bench = build_shop(tmp_path_factory.mktemp("cast"), FixedClock(0))
    for heat in HEATS_4417:
        bench.schedule("CC1", heat, "", "710047/10", aim_mm=9300, min_mm=8800, max_mm=9800, pieces=6)
    play(bench, sequence_events(SEQUENCE))
    yield bench
    dispose(bench)


def shares_of(bench: Bench, number: str) -> dict[str, int]:
    """Heat number -> whole per cent."""
    with read(bench.plant.node.engine) as conn:
        shares = get_heat_shares(conn, bench.piece(number).material_id)
        numbers = {row.material_id: row.number for row in rows_of(conn, list(shares))}
    return {numbers[heat]: round(ppm / 10_000) for heat, ppm in shares.items()}


def held_numbers(bench: Bench, kind: str = "slab") -> dict[str, set[str]]:
    """Number -> rules that hold it now."""
    found: dict[str, set[str]] = {}
    for row in bench.rows(material):
        if row.kind == kind:
            with read(bench.plant.node.engine) as conn:
                rules = {held.rule_id for held in open_holds(conn, row.material_id)}
            if rules:
                found[row.number] = rules
    return found


def test_nothing_of_the_sequence_lies_in_repair(cast_4417: Bench) -> None:
    assert cast_4417.repairs() == []


def test_each_cut_is_a_slab_with_its_cold_size_and_its_order(cast_4417: Bench) -> None:
    slabs = [row for row in cast_4417.rows(material) if row.kind == "slab"]
    assert len(slabs) == 36
    slab = cast_4417.piece("161843-2-3")
    assert (slab.thickness_um, slab.width_um, slab.length_um) == (220_000, 1_280_000, 9_300_000)
    assert (slab.mass_g // G_PER_KG, slab.mass_basis) == (20_558, "theoretical")
    assert (slab.order_item, slab.grade, slab.heat_number, slab.state) == ("710047/10", "L06", "161843", "live")
    assert json.loads(slab.attributes) == {"cut": "3", "sequence": "4417", "strand": "2"}


@pytest.mark.parametrize("strand", [1, 2])
@pytest.mark.parametrize(
    ("printed", "told"),
    [
        ("161842-x-1", {"161842": 100}),
        ("161842-x-3", {"161842": 75, "261838": 25}),
        ("261838-x-1", {"261838": 81, "161842": 19}),
        ("261838-x-3", {"261838": 78, "161843": 21, "161842": 1}),
        ("161843-x-1", {"161843": 79, "261838": 21}),
        ("161843-x-2", {"161843": 95, "261838": 5}),
        ("161843-x-3", {"161843": 81, "261839": 18, "261838": 1}),
        ("261839-x-1", {"261839": 77, "161843": 23}),
    ],
)
def test_heat_shares_of_the_cast_plan(cast_4417: Bench, printed: str, told: dict[str, int], strand: int) -> None:
    assert shares_of(cast_4417, printed.replace("x", str(strand))) == told


def test_a_transition_slab_knows_its_heats_metre_by_metre(cast_4417: Bench) -> None:
    slab, pure = cast_4417.piece("261838-1-3"), cast_4417.piece("161842-1-1")
    found: dict[int, dict[str, int]] = {}
    with read(cast_4417.plant.node.engine) as conn:
        told = mixtures_of(conn, [slab.material_id, pure.material_id])
        names = {heat: rows_of(conn, [heat])[0].number for heat in told[slab.material_id].heats}
        for metre in range(10):
            places = ancestor_places(conn, slab.material_id, metre * 1_000_000)
            found[metre] = {names[p.material_id]: p.share_ppm for p in places if p.material_id in names}
    assert set(told) == {slab.material_id}
    assert all(sum(shares.values()) == 1_000_000 for shares in found.values())
    # the ladle of 161843 opened at 3.5 m of this slab; its steel comes in as 1 - exp(-z / 6.33 m)
    assert all("161843" not in found[metre] for metre in range(4))
    assert found[4]["161843"] < found[6]["161843"] < found[9]["161843"]
    assert found[9]["161843"] == pytest.approx(584_000, abs=10_000)
    heat = next(heat for heat, name in names.items() if name == "161843")
    with read(cast_4417.plant.node.engine) as conn:
        mean = get_heat_shares(conn, slab.material_id)
        assert steel_over(conn, slab.material_id) == pytest.approx(mean, abs=1_000)
        place = read_steel(conn, slab.material_id, 9_000_000, 9_000_000)
        assert place.shares[heat] == found[9]["161843"]
        assert 1_500 < place.chemistry_e6["Cu"] < 2_700  # 0.15 % and 0.27 % mixed
        assert read_steel(conn, pure.material_id).is_mixed is False
        rich = parts_with(conn, [heat], 500_000)
    number_of = {row.material_id: row.number for row in cast_4417.rows(material)}
    half = {number_of[piece]: [part.rounded for part in parts] for piece, parts in rich.items()}
    # half of the steel is reached 4.4 m behind the mark, in the tail of this slab; and left 4.4 m behind the next one
    assert half["261838-1-3"] == [(pytest.approx(7_900_000, abs=500_000), 9_300_000, None, None)]
    assert half["161843-1-2"] == [(0, 9_300_000, None, None)]
    assert "161843-1-1" in half


def test_edges_carry_strand_metres_and_the_whole_mass(cast_4417: Bench) -> None:
    slab = cast_4417.piece("261838-1-3")
    edges = [e for e in cast_4417.rows(edge) if e.child_id == slab.material_id]
    assert {(e.parent_from_um, e.parent_to_um, e.child_from_um, e.child_to_um) for e in edges} == {
        (600_000 + 5 * 9_308_000, 600_000 + 5 * 9_308_000 + 9_300_000, 0, 9_300_000)
    }
    assert sum(e.mass_g for e in edges) == slab.mass_g
    assert sum(e.share_ppm for e in edges) == 1_000_000


def test_the_heat_is_held_before_a_slab_exists_and_ten_slabs_are_born_held(cast_4417: Bench) -> None:
    assert held_numbers(cast_4417, "heat") == {"161843": {"QR-CHE-01", "QR-RES-01"}}
    assert held_numbers(cast_4417) == {number: {"QR-CHE-01", "QR-RES-01"} for number in HELD}
    heat = cast_4417.piece("161843")
    with read(cast_4417.plant.node.engine) as conn:
        placed = [row.placed_at_ms for row in list_holds(conn, ids=[heat.material_id])]
        reasons = {row.rule_id: row.reason for row in list_holds(conn, ids=[heat.material_id])}
    born = [row.born_at_ms for row in cast_4417.rows(material) if (row.kind, row.heat_number) == ("slab", "161843")]
    assert max(placed) < min(born)
    assert "Cu = 0.27 % > 0.22 %" in reasons["QR-CHE-01"]
    assert "Sn = 0.022 % > 0.02 %" in reasons["QR-CHE-01"]
    assert "0.446 % > 0.38 %" in reasons["QR-RES-01"]


def test_every_decision_keeps_rule_version_and_inputs(cast_4417: Bench) -> None:
    slab = cast_4417.piece("261839-1-1")
    with read(cast_4417.plant.node.engine) as conn:
        said = {d.rule_id: d for d in list_decisions(conn, ids=[slab.material_id])}
    assert {rule: (d.outcome, d.rule_version) for rule, d in said.items()} == {
        "QR-RES-01": ("pass", 2),
        "QR-TRN-01": ("pass", 1),
    }
    inputs = json.loads(said["QR-RES-01"].inputs)
    assert (inputs["Cu"] + 8 * inputs["Sn"]) / 10_000 == pytest.approx(0.300, abs=0.001)
    bad = cast_4417.piece("161843-1-1")
    with read(cast_4417.plant.node.engine) as conn:
        own = {d.rule_id: d.outcome for d in list_decisions(conn, ids=[bad.material_id])}
    assert own["QR-RES-01"] == "hold"


def test_the_analysis_is_kept_as_reported(cast_4417: Bench) -> None:
    with read(cast_4417.plant.node.engine) as conn:
        final = find_final_analysis(conn, cast_4417.piece("161843").material_id)
    assert final is not None
    assert (final.e6["Cu"], final.e6["Sn"], final.e6["N"]) == (2700, 220, 76)
    assert (final.values["Cu"].digits, final.values["Sn"].digits, final.values["N"].digits) == (2, 3, 4)
    assert final.analysed_at_ms - final.taken_at_ms == 6 * MINUTE


def test_the_balance_of_the_sequence_closes(cast_4417: Bench) -> None:
    heats = [row for row in cast_4417.rows(material) if row.kind == "heat"]
    assert {row.state for row in heats} == {"consumed"}
    with read(cast_4417.plant.node.engine) as conn:
        lost: dict[str, int] = {}
        for row in cast_4417.rows(operation):
            for loss in losses_of(conn, "ALD", row.operation_id):
                lost[loss.kind] = lost.get(loss.kind, 0) + loss.g
    operations = cast_4417.rows(operation)
    slabs = sum(row.produced_g for row in operations)
    assert slabs == pytest.approx(740_100_000, rel=1e-4)
    assert lost["tundish_rest"] == 7_000_000
    assert lost["crop"] == pytest.approx(7_960_000, rel=0.005)
    assert lost["kerf"] == pytest.approx(700_000, rel=0.02)
    assert lost["ladle_rest"] == 6 * 1_500_000
    unexplained = sum(row.unexplained_g for row in operations)
    assert unexplained == pytest.approx(756_000_000 - slabs - lost["crop"] - lost["kerf"] - 7_000_000, abs=50_000)
    assert abs(unexplained) < 756_000_000 * 0.001


def test_base_measures_give_the_yields_of_the_caster(cast_4417: Bench) -> None:
    with read(cast_4417.plant.node.engine) as conn:
        found = {unit: measures for (_, unit), measures in sums(conn, author="ALD").items()}
    caster = found["CC1"]
    tapped = found["EAF1"]["tapped_g"] + found["EAF2"]["tapped_g"]
    assert caster["to_tundish_g"] == 756_000_000
    assert tapped == 765_000_000
    assert round(100 * caster["good_g"] / caster["to_tundish_g"], 1) == 97.9
    assert round(100 * caster["good_g"] / tapped, 1) == 96.7
    assert caster["pieces"] == 36
    assert caster["good_g"] - caster["prime_g"] == 10 * cast_4417.piece("161843-1-1").mass_g
    assert found["EAF1"]["charged_g"] == 3 * 143_000_000
    assert caster["apt_ms"] > 2 * 3_600_000


def test_plans_go_down_before_the_steel_and_flags_for_held_slabs(cast_4417: Bench) -> None:
    sent = cast_4417.sent_down()
    plans = [fields for message, fields in sent if message == "CC2010"]
    assert [plan["heat"] for plan in plans] == list(HEATS_4417)
    assert plans[0] == {
        "heat": "161842",
        "grade": "L06",
        "order": "710047/10",
        "aim_mm": 9300,
        "min_mm": 8800,
        "max_mm": 9800,
        "pieces": 6,
    }
    assert len([1 for message, _ in sent if message == "CC2020"]) == 6 * 6
    assert {(f["slab"], f["flag"]) for message, f in sent if message == "CC2030"} == {(slab, "H") for slab in HELD}


def test_the_heats_summary_travels_with_its_slabs(cast_4417: Bench) -> None:
    slab = cast_4417.piece("161843-1-1")
    with read(cast_4417.plant.node.engine) as conn:
        made = find_making(conn, "ALD", slab.material_id)
        assert made is not None
        values = values_of(conn, "ALD", made.operation_id)
    assert (values["superheat_c"], values["tap_temp_c"], values["ladle_temp_c"]) == (26, 1625, 1580)
    assert values["energy_kwh"] == 49_000
    assert (values["told_hot_length_mm"], values["mixed_mm"]) == (9421, 0)


def test_a_rebuild_gives_the_same_rows(cast_4417: Bench) -> None:
    node = cast_4417.plant.node
    with read(node.engine) as conn:
        before = content_hash(conn, "ALD")
    with write(node.engine) as conn:
        rebuild(conn, node.journal.appliers, node.clock.now_ms())
    with read(node.engine) as conn:
        assert content_hash(conn, "ALD") == before


def test_a_summary_a_heat_gives_the_same_slabs(shop: Bench, cast_4417: Bench) -> None:
    shop.plant.model.granularity["CC1"] = "heat"
    play(shop, sequence_events(SEQUENCE, summary=True))
    assert shop.repairs() == []
    facts = ("number", "mass_g", "thickness_um", "width_um", "length_um", "grade", "heat_number", "state", "chemistry")
    rows = [
        {f: getattr(row, f) for f in facts} for b in (shop, cast_4417) for row in b.rows(material) if row.kind == "slab"
    ]
    assert sorted(rows[:36], key=lambda r: r["number"]) == sorted(rows[36:], key=lambda r: r["number"])
    assert set(held_numbers(shop)) == HELD
    assert shares_of(shop, "161843-1-3") == {"161843": 81, "261839": 18, "261838": 1}
    assert all("estimated" in row.notes for row in shop.rows(operation) if row.produced_g)
    assert {row.state for row in shop.rows(material) if row.kind == "heat"} == {"consumed"}


def test_a_grade_change_makes_two_transition_slabs(shop: Bench) -> None:
    heats = ("161845", "261841", "161846", "261842", "161847", "261843")
    finals = {heat: {"C": 0.150, "Mn": 0.60} for heat in heats[:4]}
    finals |= {heat: {"C": 0.072, "Mn": 0.85, "Nb": 0.024} for heat in heats[4:]}
    sequence = Sequence("4418", heats, ("M15", "M15", "M15", "M15", "H35", "H35"), finals=finals)
    play(shop, sequence_events(sequence))
    assert shop.repairs() == []
    assert held_numbers(shop) == {"161847-1-1": {"QR-TRN-01"}, "161847-2-1": {"QR-TRN-01"}}
    # cut by hand where the next grade begins to come in, each part has its own steel
    parts = (Part(0, 7_000_000, "HEAD"), Part(7_000_000, 9_300_000, "TAIL"))
    work(shop.plant, Command("c1", "p1"), HandWork("cut", "CC1", ("261842-1-3",), parts))
    carbon = [json.loads(shop.piece(number).chemistry)["C"] for number in ("HEAD", "261842-1-3", "TAIL")]
    assert carbon[0] == 1_500 > carbon[1] > carbon[2] > 1_350


def test_mould_level_marks_the_slab_that_is_cut_later_and_the_one_cut_before(shop: Bench) -> None:
    events = sequence_events(Sequence("4417", HEATS_4417[:1]))
    head = 600 + 2 * 9_308  # third slab of strand 2
    swing = {"strand": 2, "code": "ML", "from_mm": head + 4_100, "to_mm": head + 4_600, "value": 14}
    calm = {"strand": 2, "code": "ML", "from_mm": head + 6_000, "to_mm": head + 6_500, "value": -9}
    early = START_MS + 21 * MINUTE
    events += [(early, "ALD-CC1", "CC1050", swing), (early + 1, "ALD-CC1", "CC1050", calm)]
    late = {"strand": 1, "code": "ML", "from_mm": 600 + 9_000, "to_mm": 600 + 9_500, "value": -12}  # over a border
    play(
        shop,
        sorted([*events[:-2], *events[-2:], (events[-3][0] + MINUTE, "ALD-CC1", "CC1050", late)], key=lambda e: e[0]),
    )
    assert shop.repairs() == []
    marks = {
        row.number: [(m.from_um, m.to_um, m.value, m.rule) for m in _marks(shop, row.material_id)]
        for row in shop.rows(material)
        if row.kind == "slab"
    }
    assert {number: found for number, found in marks.items() if found} == {
        "161842-2-3": [(4_100_000, 4_600_000, 14, "QR-CAST-01")],
        "161842-1-1": [(9_000_000, 9_300_000, -12, "QR-CAST-01")],
        "161842-1-2": [(0, 192_000, -12, "QR-CAST-01")],
    }


def _marks(bench: Bench, material_id: str) -> list[object]:
    with read(bench.plant.node.engine) as conn:
        return list(marks_of(conn, [material_id]))


def test_a_late_final_analysis_holds_the_slabs_that_exist(shop: Bench) -> None:
    sequence = Sequence("4417", HEATS_4417[1:4])
    late = [e for e in sequence_events(sequence) if e[2] == "LB1010" and e[3]["heat"] == "161843"]
    play(shop, [e for e in sequence_events(sequence) if e not in late])
    assert held_numbers(shop) == {}
    slab = shop.piece("161843-1-1")
    with read(shop.plant.node.engine) as conn:
        waiting = {d.rule_id: d.outcome for d in list_decisions(conn, ids=[slab.material_id])}
    assert waiting["QR-RES-01"] == "pending"
    shop.tell("ALD-LAB", "LB1010", 1, **late[0][3])
    with read(shop.plant.node.engine) as conn:
        latest = list_decisions(conn, rule_id="QR-RES-01", ids=[slab.material_id], limit=1)[0]
    assert latest.outcome == "hold"
    held = set(held_numbers(shop))
    assert {"161843-1-1", "161843-2-3", "261838-1-3", "261839-1-1"} <= held
    assert not held & {"261838-1-1", "261839-1-3"}


def test_a_cut_that_comes_before_its_ladle_waits(shop: Bench) -> None:
    sequence = Sequence("4417", HEATS_4417[:1])
    events = sequence_events(sequence)
    opening = next(e for e in events if e[2] == "CC1020")
    cut = next(e for e in events if e[2] == "CC1060" and e[3]["kind"] == "N")
    before = [e for e in events if e[0] < opening[0]]
    play(shop, before)
    shop.tell(cut[1], cut[2], 1, **cut[3])
    assert shop.piece("161842-1-1") is None
    shop.tell(opening[1], opening[2], 0.1, **opening[3])
    assert shop.piece("161842-1-1").state == "live"
    assert shop.repairs() == []


def test_what_contradicts_goes_to_repair_and_changes_nothing(shop: Bench) -> None:
    sequence = Sequence("4417", HEATS_4417[:1])
    play(shop, [e for e in sequence_events(sequence) if e[2] != "CC1080"])
    cut = next(e[3] for e in sequence_events(sequence) if e[2] == "CC1060" and e[3]["kind"] == "N")
    facts = len(shop.rows(operation))
    shop.tell("ALD-CC1", "CC1060", 1, **cut)  # the same number once more, another message
    shop.tell("ALD-CC1", "CC1060", 1, **(cut | {"strand": 3, "cut": 9}))
    shop.tell("ALD-CC1", "CC1060", 1, **(cut | {"cut": 9, "tail_mm": cut["head_mm"]}))
    shop.tell("ALD-CC1", "CC1060", 1, **(cut | {"cut": 0}))
    shop.tell("ALD-MELT", "EAF1.HeatStart", 1, heat="161842", grade="L06", ladle=3)
    shop.tell("ALD-MELT", "EAF1.Charge", 1, heat="161842", basket=[{"type": "E3", "kg": 0}])
    reasons = shop.repairs()
    for said in (
        "161842-1-1 was cut already",
        "strand is 3, above 2",
        "is not behind the head",
        "slabs count from 1",
        "161842 is in work already",
        "A basket of 0 kg",
    ):
        assert any(said in reason for reason in reasons), (said, reasons)
    assert len(reasons) == 6
    assert len(shop.rows(operation)) == facts


def test_lengths_that_disagree_are_both_kept_and_said(shop: Bench) -> None:
    from shared.material.tables import deviation_raised

    events = sequence_events(Sequence("4417", HEATS_4417[:1]))
    for at_ms, link, message, fields in events:
        wrong = message == "CC1060" and (fields["strand"], fields["cut"]) == (1, 2)
        play(shop, [(at_ms, link, message, fields | {"hot_length_mm": 9_221} if wrong else fields)])
    said = [row.text for row in shop.rows(deviation_raised)]
    assert said == ["161842-1-2: the torch measured -189 mm against the strand's metres."]
    assert shop.piece("161842-1-2").length_um == 9_103_000


def test_a_slab_whose_number_cannot_be_read_is_said(shop: Bench) -> None:
    from shared.material.tables import deviation_raised

    play(shop, sequence_events(Sequence("4417", HEATS_4417[:1])))
    shop.tell("ALD-CC1", "CC1070", 1, slab="161842-1-1", ok="Y")
    shop.tell("ALD-CC1", "CC1070", 1, slab="161842-1-2", ok="N")
    assert shop.piece("161842-1-1").place == "MK1"
    assert [row.text for row in shop.rows(deviation_raised)] == ["The number painted on 161842-1-2 cannot be read."]


def test_without_rules_nothing_is_called_in_order(tmp_path: Path, clock: FixedClock) -> None:
    clock.set(START_MS - 5 * 60 * MINUTE)
    bench = make_bench("ALD", tmp_path, clock)
    play(bench, sorted(heat_events(SEQUENCE, 2), key=lambda e: e[0]))
    heat = bench.piece("161843")
    with read(bench.plant.node.engine) as conn:
        said = list_decisions(conn, ids=[heat.material_id])
    assert [(d.outcome, d.rule_id) for d in said] == [("no_rule", "")]
    assert "nothing was checked" in said[0].explanation
    dispose(bench)


def test_a_corrected_result_replaces_the_first(shop: Bench) -> None:
    play(shop, sorted(heat_events(SEQUENCE, 0), key=lambda e: e[0]))
    heat = shop.piece("161842")
    with read(shop.plant.node.engine) as conn:
        first = find_final_analysis(conn, heat.material_id)
        assert first is not None
    wrong = laboratory(FINALS["161843"])
    shop.tell("ALD-LAB", "LB1010", 1, sample="161842LFF1", heat="161842", place="LFF", count=len(wrong), results=wrong)
    with read(shop.plant.node.engine) as conn:
        final = find_final_analysis(conn, heat.material_id)
        assert final is not None
        # analysed anew, not taken anew: else an old sample would pass for the latest one
        assert (final.taken_at_ms, final.analysed_at_ms > first.analysed_at_ms) == (first.taken_at_ms, True)
        assert final.e6["Cu"] == 2700
        assert {h.rule_id for h in open_holds(conn, heat.material_id)} == {"QR-CHE-01", "QR-RES-01"}
