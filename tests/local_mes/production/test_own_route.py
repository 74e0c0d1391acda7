"""A piece that came from elsewhere is worked by the route that a rule gave it here, and so is what is made of it."""

from __future__ import annotations

import pytest
from production_bench import Bench
from test_finishing_line import ORDER, cold_roll, enter, losses, pickle
from test_next_step import at, look

from local_mes.execution import lists
from local_mes.production.manual import Booking, book
from local_mes.transfers.service import route_followed
from shared.db.engine import read, write
from shared.journal.fact import Draft, Occurred
from shared.material.facts import Mass, MaterialCreated, NewAlias, NewMaterial, Size
from shared.material.tables import material, operation


def received(bench: Bench, number: str, order: str, route: str) -> None:
    """A coil of the mill as its receipt leaves it: with the route that a rule of ours chose."""
    coil = NewMaterial(
        material_id=number.rjust(32, "0"),
        kind="coil",
        aliases=(NewAlias("CLD.coil", number),),
        mass=Mass(20_290_000, "weighed", "WS1"),
        size=Size(2_500, 1_270_000, 814_500_000),
        grade="L06",
        order_item=order,
        place="CC",
        attributes={"route": route, "route_rule": "SLIT"} if route else {},
    )
    with bench.plant.journal.work() as tx:
        made = MaterialCreated(material=coil, origin="received")
        tx.record(Draft(made, (coil.material_id,), "p1", Occurred(bench.clock.now_ms(), "manual")))


def follows(bench: Bench, number: str, order: str = "") -> str:
    with read(bench.plant.node.engine) as conn:
        return route_followed(conn, "CLD", bench.piece(number), order)


def test_steps_aims_and_versions_of_a_re_routed_coil_follow_its_own_route_all_the_way(finishing: Bench) -> None:
    finishing.adopt("R-GISLIT-v7.json", values={"PL1.end_cut_mm": 3_000})
    finishing.order(ORDER, "DX51D+Z275-M-A coil", "R-GI")  # which is not in force here: the order alone leads nowhere
    received(finishing, "C6-04407", ORDER, "R-GISLIT")
    received(finishing, "C6-04408", ORDER, "")
    assert (look(finishing, "C6-04408").route, look(finishing, "C6-04408").way) == ("R-GI", None)
    assert at(finishing, "PL1")[1] == ["C6-04407"]
    pickle(finishing)
    assert losses(finishing, "pickle")["ends"] == 149  # 3 m at each end, as R-GISLIT binds it
    assert [row.standard_id for row in finishing.rows(operation)] == ["R-GISLIT"]
    made = look(finishing, "C6-04407-P")
    assert (made.row.origin, made.route, made.step.number) == ("made", "R-GISLIT", 90)
    assert (at(finishing, "CM1")[1], at(finishing, "PL1")[1]) == (["C6-04407-P"], [])
    finishing.schedule("CM1", "C6-04407-P", "C6-04407-R", ORDER)
    cold_roll(finishing)
    ((_, told),) = finishing.sent_down()
    # the schedule names no aim: the route does
    assert (told["coil_out"], told["thickness_um"]) == ("C6-04407-R", 760)
    book(finishing.plant, Booking("b1", "olek", "CG1", "C6-04407-R", 19_600_000, number="G6-1"))
    assert [row.standard_id for row in finishing.rows(operation)] == ["R-GISLIT"] * 3
    assert look(finishing, "G6-1").step.name == "slit"


def test_what_comes_to_serve_another_order_follows_that_orders_route(finishing: Bench) -> None:
    finishing.adopt("R-GISLIT-v7.json", values={"PL1.end_cut_mm": 3_000})
    finishing.order(ORDER, "coil", "R-GISLIT")
    finishing.order("9/1", "coil", "R-OTHER")
    received(finishing, "C6-04407", ORDER, "R-GISLIT")
    assert [follows(finishing, "C6-04407", item) for item in ("", ORDER, "9/1", "stock")] == [
        "R-GISLIT",
        "R-GISLIT",
        "R-OTHER",
        "R-GISLIT",
    ]
    finishing.schedule("PL1", "C6-04407", "C6-04407-P", "9/1", width_um=1_250_000)
    pickle(finishing)
    assert [row.standard_id for row in finishing.rows(operation)] == [None]
    assert follows(finishing, "C6-04407-P") == "R-OTHER"
    with write(finishing.plant.node.engine) as conn:
        conn.execute(material.update().where(material.c.number == "C6-04407-P").values(order_item="stock"))
    assert follows(finishing, "C6-04407-P") == ""
    enter(finishing, "CM", "C6-04407-P")
    assert finishing.repairs() == []


def test_a_re_routed_coil_is_on_the_work_list_whatever_older_pieces_there_are(
    finishing: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "STRAYS_MAX", 2)
    finishing.adopt("R-GISLIT-v7.json")
    finishing.order(ORDER, "DX51D+Z275-M-A coil", "R-GI")
    for number in ("C6-1", "C6-2", "C6-3"):
        received(finishing, number, ORDER, "")
    received(finishing, "C6-04407", ORDER, "R-GISLIT")
    assert at(finishing, "PL1")[1] == ["C6-04407"]
    with write(finishing.plant.node.engine) as conn:  # as if they had been made here
        conn.execute(material.update().where(material.c.number.like("C6-_")).values(origin="made"))
    with read(finishing.plant.node.engine) as conn:
        found = lists.work_list(conn, finishing.plant, finishing.plant.model.get_unit("PL1"))
    assert ([line.found.row.number for line in found.ready], found.unseen) == (["C6-04407"], 1)
