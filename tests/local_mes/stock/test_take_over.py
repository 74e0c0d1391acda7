"""A take-over from an old system: checked as a whole, gone on from after a crash, compared with a count, taken back."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from production_bench import Bench

from local_mes.stock import take_over
from local_mes.stock.service import Command
from local_mes.stock.take_over_api import read_csv
from local_mes.stock.take_over_facts import Recorder
from local_mes.stock.take_over_plan import Surroundings, make_plan
from shared.db.engine import read
from shared.errors import Unavailable
from shared.journal.tables import fact
from shared.material.tables import alias, edge, material
from shared.material.trace import ancestor_places, trace

HEAD = "number,kind,place,grade,mass_kg,mass_basis,thickness_mm,width_mm,length_m,order_item,heat,made_at,also_numbers,"
STOCK = f"""{HEAD}chemistry
B6-00500,coil,CB1-01-1,L06,20100,weighed,2.5,1270,800.5,710047/10,161742,2026-03-10T14:05,OLD-1 OLD-2,C=0.045 Mn=0.21
B6-00501,coil,CB1-1-2,L06,20000.5,weighed,2.5,1270,790,stock,161742,,,
BS6-00007,slab,YB-1-1,L06,20640,theoretical,220,1280,9.3,stock,161742,2026-03-10T08:00,,
"""
HEATS = """heat;grade;mass_kg;state;tapped_at;chemistry
161742;L06;160000;done;2026-03-10T04:00;C=0.045
161800;M15;158000;open;2026-03-11T05:30;
"""
STEPS = """step,operation,unit,ended_at,parent,child,parent_kind,parent_grade,parent_length_m,from_m,to_m,mass_kg
c1,cast,CC1,2026-03-10T05:00,161742,S-1,,,,,,20700
c2,cast,CC1,2026-03-10T05:10,161742,BS6-00007,,,,,,20640
r1,roll,FM,2026-03-10T14:05,S-1,B6-00500,slab,L06,9.3,0,9.3,20100
"""
COUNT = "number,place\nOLD-2,CB1-01-1\nB6-00501,CB2-1-1\nX-1,YB\n"
NOW = 1_780_000_000_000


def plan_of(**files: str) -> Any:
    around = Surroundings(lambda place: not place.startswith("MOON"), {"HERE-1"}, ZoneInfo("Europe/Berlin"), NOW)
    return make_plan({name: read_csv(text) for name, text in files.items()}, around)


def test_a_whole_take_over_has_no_fault_and_is_compared_with_a_count() -> None:
    plan = plan_of(stock=STOCK, heats=HEATS, steps=STEPS, count=COUNT)
    assert list(plan.faults) == []
    assert plan.totals == {"stock": 3, "heats": 2, "used_up": 2, "steps": 3, "mass_g": 60_740_500}
    assert [(one.kind, one.number) for one in plan.counted] == [
        ("elsewhere", "B6-00501"),
        ("found", "X-1"),
        ("missing", "BS6-00007"),
    ]
    first = next(piece for piece in plan.pieces if piece.number == "B6-00500")
    assert first.values["chemistry"] == {"C": 450, "Mn": 2100}
    assert first.values["length_m"] == 800_500_000


@pytest.mark.parametrize(
    ("file", "old", "new", "column", "line", "what"),
    [
        ("stock", "20000.5", "20x", "mass_kg", 3, "is no number"),
        ("stock", "20000.5", "20,5", "", 3, "more cells than the head line"),
        ("stock", "20000.5", "2000000", "mass_kg", 3, "cannot be"),
        ("stock", "B6-00501,coil", "B6-00501,plate", "kind", 3, "'plate' is not known"),
        ("stock", "B6-00501,coil", ",coil", "number", 3, "it is empty"),
        ("stock", "B6-00501,coil", "HERE-1,coil", "number", 3, "lives here already"),
        ("stock", "B6-00501,coil", "OLD-2,coil", "number", 3, "OLD-2 stands in line 2 too"),
        ("stock", "CB1-1-2", "MOON-2", "place", 3, "no place of this plant"),
        ("stock", "2026-03-10T08:00", "10.3.2026", "made_at", 4, "is no time"),
        ("stock", "C=0.045 Mn=0.21", "C 0.045", "chemistry", 2, "is no analysis"),
        ("stock", ",mass_kg,", ",weight,", "mass_kg", 1, "the column is missing"),
        ("stock", ",mass_kg,", ",weight,", "weight", 1, "nobody knows this column"),
        ("heats", "158000;open", "158000;done", "state", 3, "161800 is done, and no step used it"),
        ("steps", "161742,BS6-00007", "161742,NONE", "child", 3, "NONE is in no file"),
        ("steps", ",0,9.3,20100", ",0,9.9,20100", "to_m", 4, "S-1 is 9.30 m long"),
        ("steps", ",0,9.3,20100", ",5,4,20100", "to_m", 4, "ends before it begins"),
        ("steps", "FM,2026", "FM,2036", "ended_at", 4, "in the future"),
        ("steps", "161742,S-1,,", "B6-00500,S-1,,", "child", 2, "S-1 is made of itself"),
    ],
)  # fmt: skip
def test_every_fault_says_file_line_column_and_what_to_do(
    file: str, old: str, new: str, column: str, line: int, what: str
) -> None:
    files = {"stock": STOCK, "heats": HEATS, "steps": STEPS}
    assert old in files[file]
    files[file] = files[file].replace(old, new, 1)
    found = [one for one in plan_of(**files).faults if (one.file, one.column, one.line) == (file, column, line)]
    assert found
    assert what in found[0].what
    assert found[0].todo


def test_two_pieces_cut_from_the_same_metres_are_a_fault() -> None:
    more = "r2,roll,FM,2026-03-10T15:05,S-1,B6-00501,,,,4,9.3,20000\n"
    assert [one.column for one in plan_of(stock=STOCK, heats=HEATS, steps=STEPS + more).faults] == ["from_m"]


Token = Callable[[str], dict[str, str]]


def rows_of(text: str) -> list[dict[str, str]]:
    return [dict(row.cells) for row in read_csv(text)]


def test_it_is_recorded_once_traced_and_taken_back_until_the_plant_builds_on_it(
    client: FlaskClient, yard: Bench, token: Token
) -> None:
    who, plant = token("engineer"), yard.plant
    body = {"command_id": "h1", "stock": rows_of(STOCK), "heats": rows_of(HEATS), "steps": rows_of(STEPS)}
    bad = client.post("/api/v1/take-overs", json=body | {"command_id": "h0", "heats": []}, headers=who).get_json()
    assert (bad["recordable"], bad["faults"][0]["file"]) == (False, "steps")
    refused = client.post(
        f"/api/v1/take-overs/{bad['take_over_id']}/record", json={"command_id": "r0", "title": "x"}, headers=who
    )
    assert (refused.status_code, refused.get_json()["code"]) == (409, "take_over.faults")
    assert yard.rows(material) == []

    told = client.post("/api/v1/take-overs", json=body, headers=who).get_json()
    assert (told["recordable"], told["fault_count"]) == (True, 0)
    one = told["take_over_id"]
    # a crash after the beginning and a part of it
    begun, plan = take_over._begin(plant, Command("x", "p"), one, "old MES")
    half = Recorder(plant, one, "p", begun.begun_at_ms, plan).pieces()[:4]
    take_over._record_portion(plant, one, half)
    assert len(yard.rows(material)) == 4
    address = f"/api/v1/take-overs/{one}"
    done = client.post(f"{address}/record", json={"command_id": "r1", "title": "t"}, headers=who).get_json()
    assert (done["state"], done["stock"], done["steps"]) == ("done", 3, 3)
    facts = len(yard.rows(fact))
    client.post(f"{address}/record", json={"command_id": "r2", "title": "t"}, headers=who)
    assert len(yard.rows(fact)) == facts
    assert len(yard.rows(material)) == 6

    assert yard.piece("B6-00500").place == "CB1-1-1"
    coil, slab, heat = (yard.piece(number) for number in ("OLD-2", "S-1", "161742"))
    assert (coil.number, coil.origin, coil.heat_number, coil.mass_g) == ("B6-00500", "migrated", "161742", 20_100_000)
    assert [slab.state, heat.state, yard.piece("161800").state] == ["consumed", "consumed", "live"]
    with read(plant.node.engine) as conn:
        back = trace(conn, coil.material_id, "backward")
        assert {row.number for row in back.rows} == {"B6-00500", "S-1", "161742"}
        places = ancestor_places(conn, coil.material_id, 400_250_000, None)
    assert [place.at_um for place in places if place.material_id == slab.material_id] == [4_650_000]
    shown = client.get("/api/v1/yards/CB1", headers=who).get_json()["stacks"][0]["pieces"][0]
    assert shown["made_ms"] == 1_773_147_900_000

    back_again = client.post(f"{address}/reverse", json={"command_id": "v1", "reason": "wrong day"}, headers=who)
    assert back_again.get_json() == {"take_over_id": one, "state": "reversed", "pieces": 6}
    assert [yard.rows(table) for table in (material, alias, edge)] == [[], [], []]
    again = client.post("/api/v1/take-overs", json=body | {"command_id": "h2"}, headers=who).get_json()
    address = f"/api/v1/take-overs/{again['take_over_id']}"
    client.post(f"{address}/record", json={"command_id": "r3", "title": "t"}, headers=who)
    assert yard.piece("B6-00500").state == "live"
    moved = {"command_id": "m1", "place": "CB1-2-2"}
    assert client.post("/api/v1/pieces/B6-00500/move", json=moved, headers=token("yard")).status_code == 200
    late = client.post(f"{address}/reverse", json={"command_id": "v2", "reason": "x"}, headers=who)
    assert (late.status_code, late.get_json()["code"]) == (409, "take_over.built_on")
    assert "MaterialMoved" in late.get_json()["detail"]
    states = [row["state"] for row in client.get("/api/v1/take-overs", headers=who).get_json()["items"]]
    assert sorted(states) == ["done", "reversed"]


def test_what_the_plant_says_between_two_portions_forbids_a_reversal_and_going_on_is_anybodys(
    client: FlaskClient, yard: Bench, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = token("engineer")
    body = {"command_id": "h1", "stock": rows_of(STOCK), "heats": rows_of(HEATS), "steps": rows_of(STEPS)}
    one = client.post("/api/v1/take-overs", json=body, headers=who).get_json()["take_over_id"]
    address, portions = f"/api/v1/take-overs/{one}", []
    portion = take_over._record_portion

    def once(*given: Any) -> None:
        if portions:
            raise Unavailable("db.away", "the machine stops here")
        portions.append(given)
        portion(*given)

    monkeypatch.setattr(take_over, "_record_portion", once)
    begun = client.post(f"{address}/record", json={"command_id": "r1", "title": "t"}, headers=who)
    assert begun.status_code == 503
    monkeypatch.setattr(take_over, "_record_portion", portion)
    moved = {"command_id": "m1", "place": "CB1-2-2"}
    assert client.post("/api/v1/pieces/B6-00500/move", json=moved, headers=token("yard")).status_code == 200
    done = client.post(f"{address}/record", json={"command_id": "r2", "title": "t"}, headers=who)
    assert (done.status_code, done.get_json()["state"]) == (200, "done")
    late = client.post(f"{address}/reverse", json={"command_id": "v1", "reason": "x"}, headers=who)
    assert (late.status_code, late.get_json()["code"]) == (409, "take_over.built_on")


def test_the_page_takes_files_reports_and_records(
    client: FlaskClient, yard: Bench, sign_in: Callable[[str], str]
) -> None:
    csrf = sign_in("engineer")

    def hand_in(stock: str, command: str) -> str:
        file = (io.BytesIO(stock.encode()), "stock.csv")
        form = {"csrf_token": csrf, "command_id": command, "stock": file}
        answer = client.post("/take-over/hand-in", data=form, content_type="multipart/form-data")
        assert answer.status_code == 302, answer.text
        return str(answer.location)

    assert "is no number" in client.get(hand_in(STOCK.replace("20100", "many"), "f1")).text
    location = hand_in(STOCK, "f2")
    assert "Record 3 pieces and 0 steps" in client.get(location).text
    form = {"csrf_token": csrf, "command_id": "f3", "title": "Stock of the old MES"}
    assert client.post(f"{location}/record", data=form).status_code == 302
    assert "Take all of it back" in client.get(location).text
    assert "Stock of the old MES" in client.get("/take-over/").text
    undo = {"csrf_token": csrf, "command_id": "f4", "reason": "trial"}
    assert client.post(f"{location}/reverse", data=undo).status_code == 302
    assert yard.rows(material) == []


def test_the_command_line_checks_and_records(tmp_path: Path) -> None:
    from local_mes.cli import plant

    (tmp_path / "stock.csv").write_text(STOCK)
    (tmp_path / "bad.csv").write_text(STOCK.replace("CB1-1-2", "MOON-1"))
    model = Path(__file__).parents[3] / "demo" / "plants" / "brk" / "model.toml"
    settings = tmp_path / "brk.toml"
    settings.write_text(
        f'code = "BRK"\nname = "B"\nfolder = "{tmp_path}/brk"\nmodel = "{model}"\nhub_url = "http://127.0.0.1:1"\n'
    )

    def run(*words: str) -> Any:
        return CliRunner().invoke(plant, words)

    assert run("init", "--config", str(settings)).exit_code == 0
    bad = run("take-over", "check", "--config", str(settings), "--stock", str(tmp_path / "bad.csv"), "--title", "x")
    assert bad.exit_code == 1
    assert "stock line 3, place: 'MOON-1' is no place of this plant. Begin with a unit or area." in bad.output
    good = run("take-over", "check", "--config", str(settings), "--stock", str(tmp_path / "stock.csv"), "--title", "x")
    assert good.exit_code == 0, good.output
    one = good.output.split("Recorded as ")[1].split(".")[0]
    assert "is complete" in run("take-over", "go-on", "--config", str(settings), one).output
    undone = run("take-over", "reverse", "--config", str(settings), one, "--reason", "trial")
    assert "3 pieces are out of the books again." in undone.output
