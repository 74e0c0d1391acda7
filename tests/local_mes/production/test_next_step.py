"""A piece and an order on their route at a plant: what is done, what comes, where, by what aims; pages and API."""

from __future__ import annotations

import re
from typing import Any

import pytest
from production_bench import Bench
from test_finishing_line import ORDER, cut, enter, prepare

from local_mes.app import ROLES, create_console
from local_mes.execution.lists import work_list
from local_mes.execution.next_step import Next, aims_of, find_next
from local_mes.execution.standing import Standing
from shared.db.engine import read, write
from shared.web.accounts import add_person

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
