"""A product from PLM becomes drafts with cases, is published, reaches a plant, and its first heat ends the count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browse import Person, sign_in

from central_hub.app import create_portal
from central_hub.launch.making import documents_of
from central_hub.launch.wish import read_wish
from central_hub.standards import batches
from shared.errors import BadInput
from shared.journal.fact import Draft, Occurred
from shared.material.facts import Mass, MaterialCreated, NewMaterial
from shared.standards.as_yaml import read_text
from shared.standards.check import document_faults
from shared.standards.documents import parse_document

LIBRARY = Path(__file__).parents[3] / "demo" / "standards" / "library"
HOUR = 3_600_000
WISH = {
    "product_id": "P-S380MC",
    "like": "P-S420MC",
    "title": "Pickled slit strip S380MC",
    "grade": "S380MC",
    "reference": "PLM-4711",
    "grades": ["S380MC"],
    "properties": [{"name": "reh_mpa", "unit": "MPa", "min": 380}],
    "chemistry": [{"element": "C", "max_e6": 1200}, {"element": "Al", "min_e6": 150, "max_e6": 1000}],
    "aims": {"hot roll": {"thickness_um": 2800, "ct_c": 590}},
}


@pytest.fixture
def author(group: Any) -> Person:
    documents = [read_text((LIBRARY / f"{name}.yaml").read_text()) for name in ("P-S420MC-v1", "R-HRPSLIT-v1")]
    publish(group, batches.draft_all(group.hub, documents, "anna", group.command(), submit=True))
    group.sync()
    return sign_in(create_portal(group.hub), group.hub.node, "author.quality", "author")


def publish(group: Any, seen: list[batches.Seen]) -> None:
    batches.approve_all(group.hub, seen, "bert", group.command())
    group.sign()


def send(author: Person, **changes: Any) -> Any:
    body = {"command_id": f"{changes}", "product": WISH | changes}
    return author.api("POST", "/api/v1/launches", json=body)


def test_from_plm_to_the_first_trial_heat(group: Any, author: Person) -> None:
    launch = send(author).json
    names = [(part["standard_id"], part["status"]) for part in launch["parts"]]
    assert names == [(name, "in_review") for name in ("P-S380MC", "R-S380MC", "QR-CHE-S380MC")]  # no mill
    assert launch["left_out"] == ["QR-THK-S380MC: no plant of the product reports a finishing_mill."]
    assert launch["left_out"][0] in author.page(f"/launches/{launch['launch_id']}")
    assert send(author).json["launch_id"] == launch["launch_id"]  # the same command again
    assert (launch["published_ms"], launch["took_ms"]) == (None, None)
    product = author.api("GET", "/api/v1/standards/P-S380MC/1").json["document"]
    assert next(p for p in product["properties"] if p["name"] == "reh_mpa")["min"] == 380
    assert (product["routes"], product["grades"]) == (["R-S380MC"], ["S380MC"])
    route = author.api("GET", "/api/v1/standards/R-S380MC/1").json["document"]
    (step,) = [step for step in route["steps"] if step["name"] == "hot roll"]
    assert (step["aims"]["thickness_um"], step["aims"]["ct_c"], step["aims"]["ft_c"]) == (2800, 590, 860)
    rule = author.api("GET", "/api/v1/standards/QR-CHE-S380MC/1").json["document"]
    assert [case["outcome"] for case in rule["cases"]] == ["in_order", "violated", "violated"]

    group.clock.advance(2 * HOUR)
    rows = [author.api("GET", f"/api/v1/standards/{name}/1").json for name, _ in names]
    publish(group, [batches.Seen(row["standard_id"], 1, row["sha256"]) for row in rows])
    group.clock.advance(HOUR)
    group.sync()
    assert ("R-S380MC", 1) in group.in_force()
    with group.plant.journal.work() as tx:
        at = group.clock.now_ms() + HOUR
        mass = Mass(g=126_000_000, basis="weighed", at_ms=at)
        steel = NewMaterial(material_id="f" * 32, kind="heat", aliases=(), mass=mass, grade="S380MC")
        heat = MaterialCreated(material=steel, origin="made")
        tx.record(Draft(payload=heat, subjects=("f" * 32,), actor="l2", occurred=Occurred(at, "l2:eaf")))
    group.sync()
    launch = author.api("GET", "/api/v1/launches").json["items"][0]
    assert launch["published_ms"] - launch["begun_ms"] == 2 * HOUR
    assert (launch["took_ms"], launch["trial_plant"]) == (4 * HOUR, "ALD")
    page = author.page(f"/launches/{launch['launch_id']}")
    assert all(text in page for text in ("4 h 0 min from the draft", "ALD since", "QR-CHE-S380MC"))
    assert "4 h 0 min" in author.page("/launches")


def test_rules_are_for_the_plants_that_have_the_equipment() -> None:
    product, route = (
        parse_document(read_text((LIBRARY / f"{n}-v1.yaml").read_text())) for n in ("P-S420MC", "R-HRPSLIT")
    )
    having = {"ladle_furnace": ["ALD"], "finishing_mill": ["BRK", "XXX"]}
    made, left_out = documents_of(read_wish(WISH), product, route, having)
    assert left_out == []
    assert [document_faults(parse_document(document)) for document in made] == [[], [], [], []]
    assert [d["scope"]["plants"] for d in made[2:]] == [["ALD"], ["BRK", "XXX"]]
    assert [case["outcome"] for case in made[3]["cases"]] == ["in_order", "violated"]


def test_a_grade_stays_a_text_of_its_rule_and_no_id_is_cut() -> None:
    for grade in ("x' || grade != 'y", 'a"b', "a\\b", "a\nb"):
        with pytest.raises(BadInput, match="grade"):
            read_wish(WISH | {"grade": grade})
    assert read_wish(WISH | {"grade": "DX51D+Z (1.0226)"}).grade == "DX51D+Z (1.0226)"
    product = parse_document(read_text((LIBRARY / "P-S420MC-v1.yaml").read_text()))
    long = read_wish(WISH | {"product_id": "P-" + "A" * 34})
    with pytest.raises(BadInput, match=r"QR-CHE-A+ is longer than 40 characters"):
        documents_of(long, product, None, {"ladle_furnace": ["ALD"]})
    fits = read_wish(WISH | {"product_id": "P-" + "A" * 33})
    assert len(documents_of(fits, product, None, {"ladle_furnace": ["ALD"]})[0][-1]["id"]) == 40


def test_a_file_is_taken_in_on_the_page_and_what_is_wrong_is_named(group: Any, author: Person) -> None:
    typed = author.post(
        "/launches", "/launches", product="product_id: P-X\nlike: P-S420MC\ntitle: A strip\ngrade: X1\n"
    )
    assert typed.status_code == 302
    assert "FILE" in author.page(typed.location)
    assert send(author, product_id="P-S420MC").json["code"] == "launch.known"
    assert send(author, product_id="P-Y", like="P-NO").json["code"] == "launch.no_template"
    unknown = send(author, product_id="P-Y", aims={"paint": {}}).json
    assert (unknown["code"], "hot roll" in str(unknown)) == ("launch.unknown_step", True)
    with pytest.raises(BadInput, match="Xx is not an element"):
        read_wish(WISH | {"chemistry": [{"element": "Xx", "max_e6": 1}]})
