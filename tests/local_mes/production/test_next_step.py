"""A piece and an order on their route at a plant: what is done, what comes, where, by what aims; pages and API."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from production_bench import DEMO as GROUP
from production_bench import Bench
from sqlalchemy import event
from test_finishing_line import ORDER, cold_roll, cut, enter, galvanise, pickle, prepare
from test_hot_mill import LINK

from local_mes.app import ROLES, create_console
from local_mes.execution.lists import work_list
from local_mes.execution.next_step import Next, aims_of, find_next, read_next
from local_mes.execution.serving import choices
from local_mes.execution.standing import Standing
from local_mes.production.in_work import find_told
from local_mes.production.manual import Booking, book
from local_mes.production.pieces import began_at
from local_mes.quality.service import PlaceHold, ReleaseHold, place_hold, release_hold
from local_mes.tasks.forms_in_force import collect
from shared.db.engine import read, write
from shared.errors import Refused
from shared.execution.effect import read_effect
from shared.execution.versions import Moment, version_for
from shared.material.queries import find_piece
from shared.material.tables import deviation_raised
from shared.standards.documents import parse_document
from shared.tasks.tables import collected
from shared.web.accounts import add_person

DEMO = GROUP / "standards"
PASSWORD = "long enough to type"
ADOPTED = ("R-GISLIT-v7.json", "DC-COATING-v1.json", "QR-CGL-01-v2.json")


def look(bench: Bench, number: str) -> Next:
    with read(bench.plant.node.engine) as conn:
        return find_next(conn, bench.plant, bench.piece(number))


def at(bench: Bench, unit: str) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    with read(bench.plant.node.engine) as conn:
        found = work_list(conn, bench.plant, bench.plant.model.get_unit(unit))
    ready = [line.found.row.number for line in found.ready]
    return [f.row.number for f in found.inside], ready, [(w.found.row.number, w.why_not) for w in found.waiting]


@pytest.fixture
def console(finishing: Bench) -> Any:
    with write(finishing.plant.node.engine) as conn:
        add_person(conn, finishing.clock, "olek", "Olek", ("operator", "quality"), PASSWORD, ROLES)
    client = create_console(finishing.plant).test_client()
    page = client.get("/sign-in").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    client.post("/sign-in", data={"login": "olek", "password": PASSWORD, "csrf_token": token.group(1)})
    return client


def test_a_coil_follows_its_route_from_line_to_line(finishing: Bench, console: Any) -> None:
    finishing.adopt(*ADOPTED)
    prepare(finishing)
    first = look(finishing, "C6-04407")
    assert (first.step.number, [o.unit for o in first.offers], first.is_ready) == (80, ["PL1"], True)
    assert at(finishing, "PL1") == ([], ["C6-04407"], [])
    enter(finishing, "PL", "C6-04407")
    inside = look(finishing, "C6-04407")
    assert (inside.way.here.step.number, inside.step.number) == (80, 90)
    assert at(finishing, "PL1") == (["C6-04407"], [], [])
    cut(finishing, "PL", "C6-04407", "C6-04407-P", (3, 811.5, 808.5), (2500, 1_250_000))
    pickled = look(finishing, "C6-04407-P")
    assert [(s.step.number, s.state, s.unit) for s in pickled.way.stages if s.state in ("done", "next")] == [
        (80, "done", "PL1"),
        (90, "next", ""),
    ]
    assert at(finishing, "CM1")[1] == ["C6-04407-P"]
    with read(finishing.plant.node.engine) as conn:
        standing = Standing(conn, finishing.plant)
        aims, _ = aims_of(standing, pickled)
    assert [(a.name, a.value, a.said_by) for a in aims] == [("thickness_um", 760, "schedule of CM1")]
    shown = console.get("/piece/C6-04407-P").text
    assert re.search(r'route-done"[^>]*><b>80</b>', shown)
    assert re.search(r'route-next" aria-current="step"><b>90</b>', shown)
    page = console.get("/work/piece/C6-04407-P").text
    assert "schedule of CM1" in page
    assert "0.76" in page
    told = console.get("/api/v1/next-steps/C6-04407-P").json
    assert (told["step"], told["units"][0]["unit"], told["aims"][0]["value"]) == (90, "CM1", 760)
    assert console.get("/api/v1/work-lists/CM1").json["items"][0]["position"] == 1
    order = console.get(f"/work/order/{ORDER}").text
    assert "cold roll" in order
    assert [i["number"] for i in console.get(f"/api/v1/order-steps/{ORDER}").json["items"]] == ["C6-04407-P"]
    assert "C6-04407-P" in console.get("/work/unit?unit=CM1").text


def test_what_has_no_route_says_why(finishing: Bench, console: Any) -> None:
    finishing.take_in("C6-1", "coil", 20_000, (2500, 1_250_000, 800_000_000))
    assert look(finishing, "C6-1").why == "It serves no order, so no route says what comes."
    assert "no route says what comes" in console.get("/work/piece/C6-1").text
    assert "Route R-" not in console.get("/piece/C6-1").text
    finishing.order(ORDER, "coil", "R-GISLIT")
    finishing.take_in("C6-2", "coil", 20_000, (2500, 1_250_000, 800_000_000), ORDER)
    assert look(finishing, "C6-2").why == "Route R-GISLIT is not in force here."
    assert "No route in force here" in console.get("/work/unit").text
    assert "R-GISLIT is not in force" in console.get(f"/work/order/{ORDER}").text
    assert console.get("/work/order/none").status_code == 404


def test_level2_fills_a_collection_and_people_the_rest_before_the_next_step(finishing: Bench, console: Any) -> None:
    text = json.loads((DEMO / "DC-COATING-v1.json").read_text())
    for item, signal in zip(text["items"][:3], ("operator_side", "middle", "drive_side"), strict=True):
        item["signal"] = f"coating_{signal}"
    finishing.adopt(*ADOPTED, DC_COATING={"items": text["items"], "if_missing": "hold_step", "within_min": 30})
    prepare(finishing)
    pickle(finishing)
    cold_roll(finishing)
    galvanise(finishing)
    assert look(finishing, "G6-03128").why == (
        "What is recorded of each coated coil: Coating mass, spot 1, Coating mass, spot 2, Coating mass, spot 3, "
        "Surface as seen at the inspection stand missing"
    )
    finishing.tell("CLD-CG", "CG1070", line="CG1", coil="G6-03128", spot1=280, spot2=283, spot3=285, side="T")
    for _ in range(3):  # told again and again it is recorded once
        finishing.tell("CLD-CG", "CG1070", line="CG1", coil="G6-03128", spot1=281, spot2=283, spot3=285, side="T")
    assert finishing.repairs() == []
    assert len(finishing.rows(collected)) == 2
    held = look(finishing, "G6-03128")
    (due,) = held.dues
    assert due.values == {"spot_1_gm2": 281, "spot_2_gm2": 283, "spot_3_gm2": 285}
    assert [item.name for item in due.by_hand] == ["surface"]
    assert at(finishing, "SL1")[2][0][0] == "G6-03128"
    (task,) = console.get("/api/v1/data-tasks").json["items"]
    assert (task["number"], task["missing"], task["holds_step"], task["overdue"]) == (
        "G6-03128",
        ["surface"],
        True,
        False,
    )
    assert "next step waits" in console.get("/tasks").text
    form = console.get("/forms/DC-COATING?of=G6-03128&unit=CG1").text
    assert 'value="281"' in form
    enter(finishing, "SL", "G6-03128")
    (row,) = finishing.rows(deviation_raised)
    assert "Surface as seen at the inspection stand" in row.text
    assert all(fields["coil_in"] != "G6-03128" for message, fields in finishing.sent_down() if message == "SL2010")
    told = {"surface": "A"}
    collect(finishing.plant, "DC-COATING", "CG1", (held.row.material_id, "G6-03128"), told, "olek", "f1")
    assert console.get("/api/v1/data-tasks").json["items"] == []
    assert look(finishing, "G6-03128").why == ""


@pytest.mark.parametrize(
    ("takes_hold", "inside", "waiting"),
    [("at_once", "changes", "next"), ("next_step", "keeps", "next"), ("next_heat", None, "keeps")],
)
def test_what_a_version_means_for_work_in_progress(
    finishing: Bench, takes_hold: str, inside: str | None, waiting: str
) -> None:
    finishing.adopt(*ADOPTED)
    prepare(finishing)
    finishing.take_in("C6-2", "coil", 20_000, (2500, 1_250_000, 800_000_000), ORDER)
    finishing.take_in("C6-3", "coil", 20_000, (2500, 1_250_000, 800_000_000))
    enter(finishing, "PL", "C6-04407")
    text = json.loads((DEMO / "R-GISLIT-v7.json").read_text()) | {"version": 8, "takes_hold": takes_hold}
    classes = {unit.code: unit.unit_class for unit in finishing.plant.model.unit}
    with read(finishing.plant.node.engine) as conn:
        route = read_effect(conn, "CLD", parse_document(text), classes)
        workflow = parse_document(json.loads((DEMO / "W-KNIFE-v1.json").read_text()))
        said = read_effect(conn, "CLD", workflow, classes)
        form = json.loads((DEMO / "DC-COATING-v1.json").read_text())
        assert "runs here already" in read_effect(conn, "CLD", parse_document(form), classes).said
        data = read_effect(conn, "CLD", parse_document(form | {"version": 2}), classes)
    found = {one.fate: (one.pieces, one.orders) for one in route.touched}
    expected = {waiting: (1 if inside else 2, (ORDER,))} | ({inside: (1, (ORDER,))} if inside else {})
    assert (route.present, found) == (7, expected)
    assert "tasks that were begun keep" in said.said
    assert [one.pieces for one in data.touched] == [0, 2]


def test_a_practice_gives_the_mill_what_the_schedule_leaves_out(mill: Bench) -> None:
    columns = [{"name": "grade", "unit": "", "role": "key"}]
    columns += [
        {"name": f"order_{end}_um", "unit": "um", "role": end, "of": "order_thickness_um"} for end in ("from", "to")
    ]
    columns += [{"name": name, "unit": "C", "role": "aim"} for name in ("ft_c", "ct_c")]
    rows = [["L06", 0, 1_000, 865, 590], ["L06", 1_000, 9_000, 870, 600]]
    mill.adopt(
        "R-GISLIT-v7.json", "PR-REHEAT-v1.json", PR_REHEAT={"at": "finishing_mill", "columns": columns, "rows": rows}
    )
    mill.order(ORDER, "slit", "R-GISLIT")
    mill.take_in("261604-1-03", "slab", 20_558, (220_000, 1_280_000, 9_300_000), ORDER)
    mill.schedule("FM", "261604-1-03", "B6-1", ORDER, thickness_um=2500, ct_c=615)
    mill.tell(LINK, "RF1.Charge", slab="261604-1-03", furnace="RF1", row=1, temp_c=30)
    ((_, sent),) = mill.sent_down()
    assert (sent["ft_c"], sent["ct_c"], sent["thickness_um"], sent["width_um"]) == (865, 615, 2500, 1_270_000)
    found = look(mill, "261604-1-03")
    assert (found.way.here.step.number, found.step.number) == (40, 50)
    with read(mill.plant.node.engine) as conn:
        aims, _ = aims_of(Standing(conn, mill.plant), found)
    told = {aim.name: (aim.value, aim.said_by, aim.over) for aim in aims}
    assert told["ft_c"] == (865, "PR-REHEAT v1", ("R-GISLIT v7: 880",))
    assert told["ct_c"] == (615, "schedule of FM", ("PR-REHEAT v1: 590", "R-GISLIT v7: 620"))


def test_a_schedule_and_a_release_keep_to_the_grades_that_may_serve(finishing: Bench) -> None:
    swaps = [
        {"grade": "L06", "by": "M15", "order": 1, "downgrade": True},
        {"grade": "H35", "by": "M15", "order": 1},
        {"grade": "M15", "by": "H35", "order": 1},
    ]
    finishing.adopt("GS-COATED-v1.json", GS_COATED={"substitutes": swaps})
    finishing.order(ORDER, "coil", "R-GISLIT")
    for number, grade in (("C6-7", "H35"), ("C6-8", "M15"), ("C6-9", "L06")):
        finishing.take_in(number, "coil", 20_000, (2500, 1_250_000, 800_000_000), grade=grade)
    finishing.schedule("PL1", "C6-9", "", ORDER)
    for number, why in (("C6-7", "only M15 does"), ("C6-8", "as a downgrade")):
        with pytest.raises(Refused, match=why):
            finishing.schedule("PL1", number, "", ORDER)
    holding = PlaceHold("h1", "quentin", "C6-8", "looked at")
    hold_id = place_hold(finishing.plant, holding)["hold_id"]
    release = ReleaseHold("r1", "quentin", hold_id, "reapply", ORDER, note="ok")
    with pytest.raises(Refused, match="release it as a downgrade"):
        release_hold(finishing.plant, release)
    release_hold(finishing.plant, replace(release, command_id="r2", disposition="downgrade"))
    assert finishing.piece("C6-8").order_item == ORDER
    with read(finishing.plant.node.engine) as conn:
        found = [choice.order.item for choice in choices(conn, "CLD", finishing.piece("C6-9"))]
    assert found == [ORDER]


@pytest.mark.parametrize(("takes_hold", "end_mm"), [("at_once", 6_000), ("next_step", 3_000), ("next_heat", 3_000)])
def test_a_step_that_had_begun_ends_by_the_version_it_began_under(
    finishing: Bench, takes_hold: str, end_mm: int
) -> None:
    finishing.adopt("R-GISLIT-v7.json", values={"PL1.end_cut_mm": 3_000})
    prepare(finishing)
    enter(finishing, "PL", "C6-04407")
    finishing.clock.advance(60_000)
    finishing.adopt(
        "R-GISLIT-v7.json", R_GISLIT={"version": 8, "takes_hold": takes_hold}, values={"PL1.end_cut_mm": 6_000}
    )
    finishing.clock.advance(60_000)
    with write(finishing.plant.node.engine) as conn:
        row = find_piece(conn, "C6-04407", "CLD")
        told = find_told(conn, "PL1", row.material_id)
        route = version_for(conn, "CLD", "R-GISLIT", began_at(row, told["entered_ms"]))
    assert route[0].values["PL1.end_cut_mm"] == end_mm
    assert look(finishing, "C6-04407").adopted.version == (8 if end_mm == 6_000 else 7)


def test_a_standard_that_this_release_cannot_read_stops_nothing(finishing: Bench, console: Any) -> None:
    finishing.adopt(*ADOPTED, DC_COATING={"if_missing": "hold_step", "told_by_a_newer_release": 1})
    prepare(finishing)
    pickle(finishing)
    cold_roll(finishing)
    finishing.tell("CLD-CG", "CG1070", line="CG1", coil="G6-03128", spot1=281, spot2=283, spot3=285, side="T")
    assert "DC-COATING" not in " ".join(finishing.repairs())
    assert look(finishing, "C6-04407-R").step.name
    pages = ("/piece/C6-04407-R", "/work/piece/C6-04407-R", "/tasks", "/forms", "/qualifications/")
    assert {page: console.get(page).status_code for page in pages} == dict.fromkeys(pages, 200)


def test_a_downgraded_piece_is_scheduled_for_its_own_order(finishing: Bench) -> None:
    swaps = [{"grade": "L06", "by": "M15", "order": 1, "downgrade": True}]
    finishing.adopt("GS-COATED-v1.json", GS_COATED={"substitutes": swaps})
    finishing.order(ORDER, "coil", "R-GISLIT")
    finishing.take_in("C6-8", "coil", 20_000, (2500, 1_250_000, 800_000_000), grade="M15")
    hold_id = place_hold(finishing.plant, PlaceHold("h1", "quentin", "C6-8", "looked at"))["hold_id"]
    release_hold(finishing.plant, ReleaseHold("r1", "quentin", hold_id, "downgrade", ORDER, note="ok"))
    finishing.schedule("PL1", "C6-8", "", ORDER)
    finishing.order("710045/20", "coil", "R-GISLIT")
    with pytest.raises(Refused, match="as a downgrade"):
        finishing.schedule("PL1", "C6-8", "", "710045/20")


def test_steel_older_than_a_standard_keeps_its_first_version(finishing: Bench) -> None:
    heat = Moment(finishing.clock.now_ms())
    found = []
    for version in (7, 8, 7, 9):
        finishing.clock.advance(60_000)
        finishing.adopt("R-GISLIT-v7.json", R_GISLIT={"takes_hold": "next_heat", "version": version})
        with read(finishing.plant.node.engine) as conn:
            found.append(version_for(conn, "CLD", "R-GISLIT", heat)[0].version)
    assert found == [7, 7, 7, 7]


def test_the_data_of_the_unit_that_made_a_piece_hold_it_back_everywhere(finishing: Bench) -> None:
    finishing.adopt(*ADOPTED, DC_COATING={"at": "pickling", "if_missing": "hold_step"})
    prepare(finishing)
    finishing.take_in("C6-5", "coil", 20_000, (2500, 1_250_000, 800_000_000), ORDER)
    finishing.schedule("CM1", "C6-5", "C6-5-R", ORDER, thickness_um=760)
    enter(finishing, "PL", "C6-04407")
    assert finishing.rows(deviation_raised) == []  # its own unit tells them while it is inside
    cut(finishing, "PL", "C6-04407", "C6-04407-P", (3, 811.5, 808.5), (2500, 1_250_000))
    made = finishing.piece("C6-04407-P")
    with pytest.raises(Refused, match="waits for data of an earlier step"):
        book(finishing.plant, Booking("b1", "olek", "CM1", "C6-04407-P", made.mass_g))
    enter(finishing, "CM", "C6-5")
    sent = [fields["coil_in"] for message, fields in finishing.sent_down() if message == "CM2010"]
    assert sent == ["C6-5"]  # not of the coil that follows, which waits


def test_a_collection_that_holds_asks_nothing_of_steel_that_had_passed_before_it(finishing: Bench) -> None:
    finishing.adopt("R-GISLIT-v7.json")
    prepare(finishing)
    pickle(finishing)
    cold_roll(finishing)
    finishing.clock.advance(60_000)
    finishing.adopt("R-GISLIT-v7.json", "DC-COATING-v1.json", DC_COATING={"at": "pickling", "if_missing": "hold_step"})
    assert (look(finishing, "C6-04407-R").why, look(finishing, "C6-04407-R").dues) == ("", ())


def test_a_form_that_a_piece_waits_for_is_asked_whatever_its_age(finishing: Bench, console: Any) -> None:
    items = json.loads((DEMO / "DC-COATING-v1.json").read_text())["items"]
    items = [items[0] | {"source": "level2"}, items[3]]
    holding = {"at": "pickling", "if_missing": "hold_step", "items": items, "within_min": 30}
    finishing.adopt(*ADOPTED, DC_COATING=holding)
    prepare(finishing)
    pickle(finishing)
    for days, missing in ((0, ["surface"]), (3, ["spot_1_gm2", "surface"])):
        finishing.clock.advance(days * 86_400_000)
        (task,) = console.get("/api/v1/data-tasks").json["items"]
        assert (task["number"], task["missing"], task["overdue"]) == ("C6-04407-P", missing, bool(days))
    assert "Coating mass, spot 1" in console.get("/tasks").text
    told = {"spot_1_gm2": 281, "surface": "A"}
    about = (finishing.piece("C6-04407-P").material_id, "C6-04407-P")
    collect(finishing.plant, "DC-COATING", "PL1", about, told, "olek", "f1")
    assert console.get("/api/v1/data-tasks").json["items"] == []
    assert look(finishing, "C6-04407-P").why == ""


def test_many_pieces_are_read_with_as_many_questions_as_few(finishing: Bench) -> None:
    finishing.adopt("R-GISLIT-v7.json", "DC-COATING-v1.json", DC_COATING={"at": "pickling", "takes_hold": "next_heat"})
    finishing.order(ORDER, "coil", "R-GISLIT")
    numbers = [f"C7-{n}" for n in range(8)]
    for number in numbers:
        finishing.take_in(number, "coil", 20_000, (2500, 1_270_000, 800_000_000), ORDER)
        enter(finishing, "PL", number)
    later = {"takes_hold": "next_heat", "version": 8}  # these pieces keep what was in force before
    finishing.adopt("R-GISLIT-v7.json", "DC-COATING-v1.json", R_GISLIT=later, DC_COATING=later | {"at": "pickling"})
    rows, asked = [finishing.piece(number) for number in numbers], []

    def count(*told: Any) -> None:
        asked[-1] += 1

    with read(finishing.plant.node.engine) as conn:
        event.listen(conn, "before_cursor_execute", count)
        for some in (rows[:2], rows):
            asked.append(0)
            found = read_next(Standing(conn, finishing.plant), some)
            assert [(one.adopted.version, len(one.dues)) for one in found] == [(7, 1)] * len(some)
    assert asked[0] == asked[1]


@pytest.mark.parametrize("why", ["hold", "data"])
def test_a_slab_that_gets_no_primary_data_is_rolled_under_its_planned_number(mill: Bench, why: str) -> None:
    mill.adopt("R-GISLIT-v7.json", "DC-COATING-v1.json", DC_COATING={"at": "finishing_mill", "if_missing": "hold_step"})
    mill.order(ORDER, "slit", "R-GISLIT")
    slab_id = mill.take_in("261604-1-03", "slab", 20_558, (220_000, 1_280_000, 9_300_000), ORDER)
    mill.schedule("FM", "261604-1-03", "B6-00001", ORDER, thickness_um=2500)
    if why == "hold":
        place_hold(mill.plant, PlaceHold("h1", "quentin", "261604-1-03", "looked at"))
    else:  # it was in the mill before, whose data nobody has told
        mill.tell(LINK, "RF1.Discharge", slab="261604-1-03", temp_c=1230, minutes=170)
    mill.tell(LINK, "RF1.Charge", slab="261604-1-03", furnace="RF1", row=1, temp_c=30)
    assert (mill.repairs(), mill.sent_down()) == ([], [])
    assert [row.rule for row in mill.rows(deviation_raised)] == [why]
    with read(mill.plant.node.engine) as conn:
        assert find_told(conn, "FM", slab_id)["coil_no"] == "B6-00001"
