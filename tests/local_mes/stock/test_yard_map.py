"""The yard: stacking rules refuse a person and not a crane, reshuffles are counted, clocks run, the picture shows it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from production_bench import Bench
from sqlalchemy import event

from local_mes.model.domain import Storage
from local_mes.stock.yard_domain import (
    Lying,
    Spot,
    broken_rules,
    faults_of_stack,
    find_spot,
    hot_charge_left_h,
    resting,
    thermal,
)
from local_mes.stock.yard_picture import draw
from local_mes.stock.yard_reads import Stack, Yard, read_yard
from shared.clock import FixedClock
from shared.db.engine import read
from shared.journal.fact import Draft, Occurred
from shared.material.facts import Mass, MaterialCreated, NewAlias, NewMaterial, Size
from shared.material.tables import deviation_raised
from shared.quality.facts import HoldPlaced

HOUR = 3_600_000
NOW = 100 * HOUR
SLAB = (220_000, 1_280_000, 9_300_000)
RULES = Storage(
    code="YA", kinds=("slab",), rows=6, stacks=12, max_layers=3, max_mass_kg=65_000, widest_below=True,
    longest_below=True, overhang_mm=100, hot_rows=(6,), hot_hours=12, hot_charge_hours=8, cool_hours=48,
)  # fmt: skip
Token = Callable[[str], dict[str, str]]


def slab(
    number: str, since: int = 0, kg: int = 20_000, wide: int = 1280, long: int = 9300, hours: float | None = 60
) -> Lying:
    made = None if hours is None else int(NOW - hours * HOUR)
    return Lying(number, number, "slab", kg * 1000, wide * 1000, long * 1000, "YA-1-1", since, made)


def rules_broken(piece: Lying, place: str, stack: list[Lying], on_top: list[Lying] | None = None) -> list[str]:
    spot = find_spot(place, [RULES])
    assert spot
    return [one.rule for one in broken_rules(piece, spot, RULES, stack, on_top or [], NOW)]


def test_each_rule_is_named_when_it_is_broken_and_only_then() -> None:
    below = [slab("a", 1), slab("b", 2)]
    assert rules_broken(slab("x"), "YA-1-1", below) == []
    assert rules_broken(slab("x"), "YA-1-1", [*below, slab("c", 3)]) == ["max_layers", "max_mass"]
    assert rules_broken(slab("x", kg=26_000), "YA-1-1", below) == ["max_mass"]
    assert rules_broken(slab("x", wide=1380), "YA-1-1", below) == []
    assert rules_broken(slab("x", wide=1381), "YA-1-1", below) == ["widest_below"]
    assert rules_broken(slab("x", long=9500), "YA-1-1", below) == ["longest_below"]
    assert rules_broken(slab("x"), "YA-1-1", below, [slab("top")]) == ["buried"]
    assert rules_broken(slab("x"), "YA-7-1", []) == ["no_spot"]
    assert rules_broken(slab("x"), "YA-1-13", []) == ["no_spot"]
    assert rules_broken(slab("x", hours=11.9), "YA-1-1", []) == ["hot_apart"]
    assert rules_broken(slab("x", hours=11.9), "YA-6-1", [slab("cold")]) == []
    assert rules_broken(slab("x", hours=13), "YA-6-1", [slab("hot", hours=1)]) == ["hot_apart"]
    assert rules_broken(slab("x", hours=None), "YA-1-1", []) == []
    assert rules_broken(slab("x"), "YA-1-1-3", below) == []
    assert rules_broken(slab("x"), "YA-1-1-2", below) == ["layer"]
    coil = Lying("k", "k", "coil", 1, 1, 1, "")
    assert rules_broken(coil, "YA-1-1", []) == ["kind"]


def test_a_coil_of_an_upper_layer_lies_between_two_and_on_both() -> None:
    rules = Storage(
        code="CB", kinds=("coil",), rows=1, stacks=9, max_layers=3, between=True, widest_below=True, overhang_mm=100
    )
    coils = {name: Lying(name, name, "coil", 20_000_000, 1_200_000, 0, "", n) for n, name in enumerate("abcdx")}
    a, b, c, d, x = coils.values()
    narrow = Lying("n", "n", "coil", 20_000_000, 1_000_000, 0, "", 9)

    def put(stack: list[Lying], beside: list[Lying]) -> list[str]:
        return [one.rule for one in broken_rules(x, Spot("CB", 1, 2), rules, stack, [], NOW, beside)]

    assert (put([], []), put([a], [b]), put([a], [])) == ([], [], ["between"])
    assert put([a], [narrow]) == ["widest_below"]
    assert (put([a, c], [b, d]), put([a, c], [b])) == ([], ["between"])
    assert resting("b", [b], [a, c]) == [c]  # c lies on a and on b beside it
    assert (resting("a", [a, c], []), resting("c", [a, c], [])) == ([c], [])
    found = faults_of_stack([a, c], Spot("CB", 1, 2), rules, NOW, [])
    assert [one.rule for one in found] == ["between"]
    assert not faults_of_stack([a, c], Spot("CB", 1, 2), rules, NOW, [b])
    here = Yard(rules, [Stack(Spot("CB", 1, 2), [a, c], ())], (), 0)
    low, high = draw(here, NOW).rows[0].boxes
    assert high.x - low.x == pytest.approx(draw(here, NOW).rows[0].grounds[0].w / 2)


def test_a_stack_that_breaks_rules_all_the_same_says_so_and_a_cooled_piece_is_no_fault() -> None:
    spot = Spot("YA", 6, 1)
    wrong = [slab("a", 1, wide=900), slab("b", 2), slab("c", 3), slab("d", 4)]
    found = {one.rule for one in faults_of_stack(wrong, spot, RULES, NOW)}
    assert found == {"widest_below", "max_layers", "max_mass"}
    assert faults_of_stack([slab("a", 1, hours=1), slab("b", 2, hours=13)], spot, RULES, NOW) == []


def test_clocks_run_against_the_limits_and_nobody_guesses_an_age() -> None:
    ages = {1: "hot", 13: "cooling", 60: "cold", None: "unknown"}
    assert {age: thermal(slab("x", hours=age), RULES, NOW) for age in ages} == ages
    assert hot_charge_left_h(slab("x", hours=3), RULES, NOW) == pytest.approx(5)
    assert hot_charge_left_h(slab("x", hours=10), RULES, NOW) == pytest.approx(-2)
    assert hot_charge_left_h(slab("x", hours=None), RULES, NOW) is None
    assert thermal(slab("x"), Storage(code="YC", rows=1, stacks=1), NOW) == ""


@pytest.mark.parametrize("place", ["YA", "YA 3", "YB-1-1", "YA-x", "YA-1-1-1-1", "YA-123-1", ""])
def test_what_names_no_row_of_a_storage_is_no_spot(place: str) -> None:
    assert find_spot(place, [RULES]) is None


def make(yard: Bench, number: str, kind: str, kg: int, size: tuple[int, int, int], at_ms: int) -> None:
    """A coil rolled here at a time."""
    piece = NewMaterial(
        material_id=number.encode().hex().ljust(32, "0")[:32],
        kind=kind,
        aliases=(NewAlias("test", number),),
        mass=Mass(kg * 1000, "weighed"),
        size=Size(*size),
        place="CW1",
    )
    with yard.plant.journal.work() as tx:
        fact = MaterialCreated(material=piece, origin="made")
        tx.record(Draft(fact, (piece.material_id,), "l2", Occurred(at_ms, "l2")))


def put(client: FlaskClient, headers: dict[str, str], number: str, place: str) -> Any:
    body = {"command_id": f"{number} {place}", "place": place}
    return client.post(f"/api/v1/pieces/{number}/move", json=body, headers=headers)


def test_people_are_refused_by_the_rules_name_and_cranes_are_recorded(
    client: FlaskClient, yard: Bench, clock: FixedClock, token: Token
) -> None:
    who = token("yard")
    for n in (1, 2, 3):
        yard.take_in(f"BS6-{n}", "slab", 20_000, SLAB)
        clock.advance(60_000)
        assert put(client, who, f"BS6-{n}", "YB-2-4").get_json()["place"] == "YB-2-4"
    buried = put(client, who, "BS6-1", "YB-2-5")
    assert (buried.status_code, buried.get_json()["code"]) == (409, "yard.buried")
    assert "from the top: BS6-3, BS6-2" in buried.get_json()["detail"]
    clock.advance(60_000)
    yard.take_in("BS6-4", "slab", 20_000, (220_000, 1_500_000, 9_300_000))
    assert put(client, who, "BS6-4", "YB-2-4").status_code == 200  # within the overhang
    yard.take_in("BS6-5", "slab", 20_000, (220_000, 1_280_000, 12_000_000))
    assert put(client, who, "BS6-5", "YB-2-4").get_json()["code"] == "yard.longest_below"
    assert put(client, who, "BS6-5", "YB-9-1").get_json()["code"] == "yard.no_spot"
    assert yard.piece("BS6-5").place == "YARD"

    yard.tell("BRK-HSM", "CR1.Moved", piece="BS6-5", to="YB-2-4")
    yard.tell("BRK-HSM", "CR1.Moved", piece="BS6-1", **{"from": "YB-3-3"}, to="YB-2-6")
    assert yard.repairs() == []
    assert [yard.piece(f"BS6-{n}").place for n in (5, 1)] == ["YB-2-4", "YB-2-6"]
    raised = sorted(row.rule for row in yard.rows(deviation_raised))
    assert raised == ["yard.buried", "yard.longest_below", "yard.place"]
    yard.tell("BRK-HSM", "CR1.Moved", piece="BS6-2", to="NOWHERE")
    yard.tell("BRK-HSM", "CR1.Moved", piece="BS6-99", to="YB-1-1")
    assert len(yard.repairs()) == 1  # the number that nobody knows is waited for

    shown = client.get("/api/v1/yards/YB", headers=who).get_json()
    assert shown["reshuffles_this_shift"] == 1  # the crane's second move; the first brought a piece in
    assert shown["dug_out_this_shift"] == 4  # what lay on BS6-1 was lifted, and nobody said so
    stack = next(one for one in shown["stacks"] if one["place"] == "YB-2-4")
    assert [(p["layer"], p["number"]) for p in stack["pieces"]] == [
        (1, "BS6-2"),
        (2, "BS6-3"),
        (3, "BS6-4"),
        (4, "BS6-5"),
    ]
    assert [fault["rule"] for fault in stack["faults"]] == ["longest_below"]
    assert client.get("/api/v1/yards/NONE", headers=who).get_json()["code"] == "yard.unknown"
    codes = [item["code"] for item in client.get("/api/v1/yards", headers=who).get_json()["items"]]
    assert codes == ["YB", "CB1", "CB2", "CB3", "CB4"]


def test_the_picture_shows_stacks_states_and_clocks(
    client: FlaskClient, yard: Bench, clock: FixedClock, sign_in: Callable[[str], str]
) -> None:
    assert clock.now_ms() > 72 * HOUR
    for number, hours in (("B6-00001", 1), ("B6-00002", 20), ("B6-00003", 90)):
        make(yard, number, "coil", 20_000, (2500, 1_270_000, 800_000_000), clock.now_ms() - hours * HOUR)
        yard.tell("BRK-HSM", "CR2.Moved", piece=number, to=f"CB1-2-{number[-1]}")
    yard.take_in("B6-00004", "coil", 20_000, (2500, 1_270_000, 1))
    yard.tell("BRK-HSM", "CR2.Moved", piece="B6-00004", to="CB1-2")
    held = yard.piece("B6-00003").material_id
    with yard.plant.journal.work() as tx:
        tx.record(Draft(HoldPlaced(hold_id="a" * 32, material_id=held, reason="x"), (held,), "q", Occurred(1, "m")))
    sign_in("yard")
    page = client.get("/yard/CB1?stack=2-2").text
    assert re.findall(r'class="lie lie-(\w+)( lie-held)?"', page) == [
        ("hot", ""),
        ("cooling", ""),
        ("plain", " lie-held"),
    ]
    assert "coil B6-00002, layer 1, 20.0 t" in page
    assert "cooling, 20.1 h" in page
    assert "Stack CB1-2-2" in page
    assert "B6-00004" in page.split("Not in a stack")[1]
    above = client.get("/yard/").text
    assert "CB1-2-1: 1 of 2 layers, 20.0 t, on top B6-00001, hot" in above
    assert "CB1-2-3: 1 of 2 layers, 20.0 t, on top B6-00003, 1 held" in above
    assert above.count('class="lie ') == 3
    assert "ground chosen" in client.get("/yard/?find=B6-00001").text
    assert "lies in none of the storages" in client.get("/yard/?find=NOBODY").text
    assert 'class="lie lie-hot found"' in client.get("/yard/CB1?find=B6-00001").text
    assert "does not lie in CB1" in client.get("/yard/CB1?find=NOBODY").text
    assert "style=" not in page.split("<main")[1]


def test_a_yard_of_many_moves_is_read_with_as_few_statements_as_one_of_few(
    client: FlaskClient, yard: Bench, clock: FixedClock, token: Token
) -> None:
    who, asked = token("yard"), list[str]()
    event.listen(yard.plant.node.engine, "before_cursor_execute", lambda _c, _cursor, text, *_: asked.append(text))

    def statements() -> int:
        begin = len(asked)
        with read(yard.plant.node.engine) as conn:
            read_yard(conn, yard.plant, yard.plant.model.storage[0], clock.now_ms(), 0)
        return len(asked) - begin

    counts = []
    for n in range(1, 7):
        yard.take_in(f"BS6-{n}", "slab", 20_000, SLAB)
        clock.advance(60_000)
        assert put(client, who, f"BS6-{n}", f"YB-2-{n}").status_code == 200
        clock.advance(60_000)
        assert put(client, who, f"BS6-{n}", f"YB-3-{n}").status_code == 200
        counts.append(statements())
    assert counts == counts[:1] * 6
