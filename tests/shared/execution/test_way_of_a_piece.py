"""Where a piece stands on its route: pure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.execution.aims import Aim, practice_aims, settle, step_aims
from shared.execution.serving import serving
from shared.execution.units import Machine, offers
from shared.execution.way import Seen, Trail, Way, follow
from shared.standards.check import document_faults
from shared.standards.documents import Routing, parse_document
from shared.standards.product_kinds import Practice, Substitution
from shared.standards.route_steps import Step

DEMO = Path(__file__).parents[3] / "demo" / "standards"
ALD = {"eaf", "ladle_furnace", "slab_caster"}
BRK = {"walking_beam_furnace", "finishing_mill", "coiler"}
CLD = {"pickling", "cold_mill", "galvaniser", "slitter"}


def route(**changes: dict[int, dict[str, object]]) -> tuple[Step, ...]:
    text = json.loads((DEMO / "R-GISLIT-v7.json").read_text())
    for step in text["steps"]:
        step |= changes.get("steps", {}).get(step["number"], {})
    document = parse_document(text)
    assert isinstance(document, Routing)
    return document.steps


def states(way: Way) -> dict[int, str]:
    return {stage.step.number: stage.state for stage in way.stages}


def goal(way: Way) -> int | None:
    return way.goal.step.number if way.goal else None


def test_a_heat_goes_through_all_classes_of_a_step_before_the_next() -> None:
    way = follow(route(), Trail("heat", inside="eaf"), ALD)
    assert (way.here.step.number, goal(way), way.left) == (10, 10, {"ladle_furnace"})
    seen = (Seen("EAF1", "eaf", 1),)
    way = follow(route(), Trail("heat", seen, inside="ladle_furnace"), ALD)
    assert (way.here.step.number, goal(way), way.left) == (10, 20, {"slab_caster"})


def test_a_heat_is_at_its_end_when_it_is_cast_and_a_thin_coil_was_rolled() -> None:
    cast = follow(route(), Trail("heat", (Seen("EAF1", "eaf", 1),), inside="slab_caster"), ALD)
    assert (cast.here.step.number, cast.goal) == (20, None)
    assert goal(follow(route(), Trail("coil", thickness_um=760), CLD)) == 100
    assert goal(follow(route(), Trail("coil", thickness_um=2_490), CLD)) == 80


def test_each_plant_knows_where_its_part_begins_and_ends() -> None:
    slab = Trail("slab", (Seen("CC1", "slab_caster", 1, made=True),))
    assert goal(follow(route(), slab, ALD)) == 30
    received = follow(route(), Trail("slab"), BRK)
    assert (goal(received), states(received)[20], states(received)[50]) == (40, "elsewhere", "later")
    assert goal(follow(route(), Trail("coil"), BRK)) == 60, "a coil of unknown past was rolled"
    assert goal(follow(route(), Trail("coil"), CLD)) == 80
    assert goal(follow(route(), Trail("slit", (Seen("SL1", "slitter", 5, made=True),)), CLD)) is None


def test_a_step_that_was_not_told_is_passed_by_a_later_one() -> None:
    way = follow(route(), Trail("coil", (Seen("CM1", "cold_mill", 9, made=True),)), CLD)
    assert (states(way)[80], states(way)[90], goal(way)) == ("passed", "done", 100)


def test_rework_goes_back_and_counts_only_what_came_after() -> None:
    steps = route(steps={90: {"rework": [{"to": 80, "when": "scale is left", "at_most": 1}]}})
    seen = (Seen("PL1", "pickling", 1, made=True), Seen("CM1", "cold_mill", 2, made=True))
    back = follow(steps, Trail("coil", seen, sent_back=(3,)), CLD)
    assert (goal(back), back.loop.to, back.blocked) == (80, 80, "")
    again = follow(steps, Trail("coil", (*seen, Seen("PL1", "pickling", 4, made=True)), sent_back=(3,)), CLD)
    assert goal(again) == 90
    often = follow(steps, Trail("coil", seen, sent_back=(3, 4)), CLD)
    assert often.blocked == "Sent to rework 2 times; behind step 90 1 is the most."
    assert "a person must decide" in follow(route(), Trail("coil", seen, sent_back=(3,)), CLD).blocked


def test_a_class_of_two_steps_counts_work_by_work() -> None:
    text = json.loads((DEMO / "R-GISLIT-v7.json").read_text())
    text["steps"][-1]["classes"] = ["pickling"]
    steps = parse_document(text).steps
    seen = [Seen("PL1", "pickling", 1, made=True), Seen("CG1", "galvaniser", 3, made=True)]
    assert goal(follow(steps, Trail("coil", tuple(seen[:1])), CLD)) == 90
    assert goal(follow(steps, Trail("coil", tuple(seen)), CLD)) == 110
    assert goal(follow(steps, Trail("coil", (*seen, Seen("PL1", "pickling", 4, made=True))), CLD)) is None


def test_units_are_offered_by_class_ability_and_figures_the_usual_way_first() -> None:
    other = {"requires": ["trimming"], "alternatives": [{"classes": ["push_pickler"], "note": "when PL is down"}]}
    step = next(s for s in route(steps={80: other}) if s.number == 80)
    machines = (
        Machine("PP1", "push_pickler", limits={"max_width_um": 1_000_000, "min_thickness_um": 2_000}),
        Machine("PL1", "pickling"),
        Machine("PL2", "pickling", frozenset({"trimming"})),
    )
    found = offers(step, step.all_classes, machines, {"width_um": 1_250_000, "thickness_um": 1_500})
    assert [(o.unit, o.way, o.why_not) for o in found] == [
        ("PL2", 0, ""),
        ("PL1", 0, "cannot do trimming"),
        ("PP1", 1, "thickness 1.5 mm is below 2 mm; width 1250 mm is above 1000 mm"),
    ]


@pytest.mark.parametrize(
    ("known", "discharge", "minutes", "why"),
    [
        ({"grade": "L06", "charge_c": 30}, 1230, 180, None),
        ({"grade": "L06", "charge_c": 500}, 1230, 120, None),
        ({"grade": "L06"}, 1230, None, "depends on charge_c, which is not known yet"),
        ({"grade": "H35", "charge_c": 30}, None, None, "no row for charge_c 30, grade H35"),
    ],
)
def test_a_practice_says_what_all_rows_that_fit_say(
    known: dict[str, int | str], discharge: int | None, minutes: int | None, why: str | None
) -> None:
    table = parse_document(json.loads((DEMO / "PR-REHEAT-v1.json").read_text()))
    assert isinstance(table, Practice)
    aims, open_ = practice_aims(table, known)
    values = {aim.name: aim.value for aim in aims}
    assert (values.get("discharge_c"), values.get("minutes"), open_ and open_.why) == (discharge, minutes, why)
    assert all((aim.low, aim.high, aim.said_by) == (1210, 1250, "PR-REHEAT v1") for aim in aims if aim.low)


def test_one_aim_a_name_with_what_it_stands_in_place_of() -> None:
    step = next(s for s in route() if s.number == 50)
    told = {aim.name: aim for aim in step_aims(step, "R-GISLIT", 7)}
    assert (told["ft_c"].low, told["ft_c"].high, "ft_window_c" in told) == (860, 900, False)
    scheduled = Aim("ft_c", 875, source="schedule of FM")
    (found,) = settle([[scheduled], [told["ft_c"]]])
    assert (found.value, found.low, found.high, found.said_by) == (875, 860, 900, "schedule of FM")
    assert found.over == ("R-GISLIT v7: 880",)


@pytest.mark.parametrize(
    ("has", "wanted", "may", "downgrade", "why"),
    [
        ("DX51D", "DX51D", True, False, "its own grade"),
        ("DX53D", "DX51D", True, False, "DX53D serves for DX51D in place 2"),
        (
            "DX51D",
            "DX53D",
            True,
            True,
            "DX51D serves for DX53D as a downgrade: only when the customer takes it as DX51D",
        ),
        ("DX51D", "DX52D", False, False, "DX51D does not serve for DX52D: only DX53D does"),
        ("L06", "DX51D", True, False, "no standard in force says whether L06 serves for DX51D"),
    ],
)
def test_a_substitution_refuses_only_among_grades_that_it_names(
    has: str, wanted: str, may: bool, downgrade: bool, why: str
) -> None:
    document = parse_document(json.loads((DEMO / "GS-COATED-v1.json").read_text()))
    assert isinstance(document, Substitution)
    found = serving([document], has, wanted)
    assert (found.may, found.downgrade, found.why) == (may, downgrade, why)


def test_a_range_over_a_word_bounds_nothing_and_is_not_published() -> None:
    columns = [{"name": f"grade_{end}", "unit": "", "role": end, "of": "grade"} for end in ("from", "to")]
    columns.append({"name": "ft_c", "unit": "C", "role": "aim"})
    text = json.loads((DEMO / "PR-REHEAT-v1.json").read_text())
    table = parse_document(text | {"columns": columns, "rows": [[0, 1, 865], [1, 2, 870]]})
    assert isinstance(table, Practice)
    assert practice_aims(table, {"grade": "L06"})[1].why == "depends on grade, which is not known yet"
    assert len(document_faults(table)) == 2
