"""The editor of all kinds: what a form shows is what it saves, faults stand at their field, buttons change rows."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from pydantic import BaseModel

from central_hub.app import ROLES, create_portal
from central_hub.standards import service
from central_hub.standards.editor.checked import check
from central_hub.standards.editor.shape import model_of, shape_of
from central_hub.standards.editor.steps import step
from central_hub.standards.editor.typed import shown, values_of
from shared.db.engine import read, write
from shared.standards import as_yaml
from shared.standards.canonical import body_of
from shared.standards.documents import KINDS, parse_document
from shared.standards.queries import find_version
from shared.web.accounts import add_person

PASSWORD = "long enough to type"
DEMO = Path(__file__).parents[3] / "demo" / "standards"
FILES = [
    *sorted(DEMO.glob("*.json")),
    DEMO / "library" / "KPI-OEE-v1.yaml",
    DEMO / "library" / "GR-STOP-v1.yaml",
    DEMO / "library" / "DB-SHIFT-v1.yaml",
]


class Controls(HTMLParser):
    """What a browser sends of a form, without its buttons."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[str, list[str]] = {}
        self._name = self._select = ""
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "input" and told.get("name") and (told.get("type") != "checkbox" or "checked" in told):
            self.sent.setdefault(told["name"], []).append(told.get("value", ""))
        if tag in ("select", "textarea"):
            self._name, self._text = told.get("name", ""), []
            self._select = self._name if tag == "select" else ""
        if tag == "option" and self._select and ("selected" in told or self._select not in self.sent):
            self.sent[self._select] = [told.get("value", "")]

    def handle_data(self, data: str) -> None:
        self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._name:
            self.sent[self._name] = ["".join(self._text).removeprefix("\n")]
        if tag in ("select", "textarea"):
            self._name = self._select = ""


def controls(page: str, begin: str = 'id="editor"') -> dict[str, list[str]]:
    reader = Controls()
    reader.feed(page[page.index(begin) :])
    return reader.sent


@pytest.fixture
def anna(office: Any) -> FlaskClient:
    with write(office.hub.node.engine) as conn:
        add_person(conn, office.clock, "anna", "Anna", ("author",), PASSWORD, ROLES)
    client: FlaskClient = create_portal(office.hub).test_client()
    token = controls(client.get("/sign-in").text, "<body")["csrf_token"]
    client.post("/sign-in", data={"login": "anna", "password": PASSWORD, "csrf_token": token})
    return client


def test_every_kind_comes_out_of_its_form_as_it_went_in(office: Any, anna: FlaskClient) -> None:
    seen = set()
    for number, path in enumerate(FILES):
        document = parse_document(as_yaml.read_text(path.read_text()))
        service.draft(office.hub, document.model_dump(mode="json"), "x", f"c{number}")
        page = anna.get(f"/standards/write/{document.kind}?from={document.id}/{document.version}")
        model = model_of(document.kind)
        assert model is not None
        values = values_of(shape_of(model), controls(page.text))
        assert body_of(parse_document({"kind": document.kind, **values})) == body_of(document), path.name
        seen.add(document.kind)
    assert seen == set(KINDS)


def test_a_field_offers_what_the_group_has(office: Any, anna: FlaskClient) -> None:
    office.enrol("BRK")
    office.release("R-GISLIT-v7", "QR-CHE-01-v5")
    page = anna.get("/standards/write/quality_rule?from=QR-CHE-01/5").text
    offered = dict(re.findall(r'<datalist id="p-([a-z.0-9]+)">(.*?)</datalist>', page))
    assert 'value="ALD, BRK"' in offered["scope.plants"], "what stands there stays before what is chosen"
    assert '<option value="R-GISLIT">' in offered["depends"]
    assert "slab_caster" in offered["needs"]


def form_of(render: Any, document: dict[str, Any]) -> dict[str, list[str]]:
    node = shape_of(model_of(document["kind"]) or BaseModel)
    return controls(f'<form id="editor">{render(node=node, values=document, shown_as=shown)}')


def test_every_standard_of_the_library_comes_out_of_its_form_as_it_went_in(office: Any) -> None:
    app = create_portal(office.hub)
    text = (
        '{% from "standards/editor/fields.html" import node_at with context %}{{ node_at(node, values, "", {}, "/") }}'
    )
    with app.app_context():
        render = app.jinja_env.from_string(text).render
        for path in sorted((DEMO / "library").glob("*.yaml")):
            document = parse_document(as_yaml.read_text(path.read_text()))
            sent = form_of(render, document.model_dump(mode="json"))
            values = values_of(shape_of(model_of(document.kind) or BaseModel), sent)
            assert body_of(parse_document({"kind": document.kind, **values})) == body_of(document), path.name
        cases = [{"inputs": {"a": "1008", "b": 1008, "c": "yes", "d": True, "e": "", "f": None, "g": '"x"', "h": "-5"}}]
        typed = form_of(render, {"kind": "quality_rule", "cases": cases})
        assert (
            values_of(shape_of(model_of("quality_rule") or BaseModel), typed)["cases"][0]["inputs"]
            == cases[0]["inputs"]
        )


def test_of_two_rows_of_one_name_none_is_lost_and_the_form_is_not_saved(office: Any, anna: FlaskClient) -> None:
    here = "/standards/write/group_rule"
    inputs = {"cases.0.inputs.0.key": "rule", "cases.0.inputs.0.value": "a", "cases.0.inputs.1.key": "rule",
              "cases.0.inputs.1.value": "b"}  # fmt: skip
    typed = controls(anna.get(here).text) | {name: [value] for name, value in inputs.items()}
    assert "this name stands there twice" in anna.post(f"{here}/check", data=typed).text
    refused = anna.post(here, data={**typed, "do": "save"})
    assert (refused.status_code, "A name stands twice" in refused.text) == (422, True)
    again = controls(refused.text)
    assert [again[f"cases.0.inputs.{n}.value"] for n in (0, 1)] == [["a"], ["b"]]
    again["cases.0.inputs.0.key"] = ["other"]
    values = values_of(shape_of(model_of("group_rule") or BaseModel), again)
    assert values["cases"][0]["inputs"] == {"other": "a", "rule": "b"}


def test_a_rule_is_written_checked_as_one_types_and_saved(office: Any, anna: FlaskClient) -> None:
    office.release("QR-RES-01-v2")
    here = "/standards/write/quality_rule"
    typed = controls(anna.get(f"{here}?from=QR-RES-01/2").text)
    typed["rule.check.condition"] = ["Cu + 8 * Sn <= 0.4 && Mo <= 0.05"]
    told = anna.post(f"{here}/check", data=typed).text
    assert 'data-path="rule.check.condition"' in told
    assert "undeclared reference to &#39;Mo&#39;" in told
    typed = controls(anna.post(here, data={**typed, "do": "names"}).text)
    assert typed["rule.check.variables.2.name"] + typed["rule.check.variables.2.unit"] == ["Sn", "%"]
    assert "In order" in anna.post(f"{here}/check", data=typed).text
    typed = controls(anna.post(here, data={**typed, "do": "add:cases"}).text)
    typed |= {"cases.0.name": ["Too much copper"], "cases.0.outcome": ["in_order"]}
    for n, (name, value) in enumerate((("grade", "L06"), ("Cu", "5000"), ("Sn", "10"))):
        typed |= {f"cases.0.inputs.{n}.key": [name], f"cases.0.inputs.{n}.value": [value]}
    told = anna.post(f"{here}/check", data=typed).text
    assert "Cu + 8 * Sn = 0.508 % &gt; 0.4 %" in told
    assert 'data-path="cases.0.outcome"' in told
    refused = anna.post(here, data={**typed, "do": "save"})
    assert (refused.status_code, 'value="Too much copper"' in refused.text) == (422, True)
    typed["cases.0.outcome"] = ["violated"]
    assert anna.post(here, data={**typed, "do": "save"}).status_code == 302
    with read(office.hub.node.engine) as conn:
        row = find_version(conn, office.hub.code, "QR-RES-01", 3)
    assert row is not None
    assert "Mo <= 0.05" in row.body
    assert row.status == "draft"


def test_what_is_no_number_stays_as_typed_and_is_named() -> None:
    model = model_of("routing")
    assert model is not None
    typed = {
        "id": ["r 1"],
        "version": ["one"],
        "title": ["A route"],
        "steps.0.number": ["10"],
        "steps.0.aims.0.key": ["speed"],
        "steps.0.aims.0.value": ["fast"],
        "steps.7.name": ["Roll"],
        "steps.7.classes": ["mill, "],
    }
    values = values_of(shape_of(model), typed)
    assert (values["version"], values["steps"][0]["aims"], values["steps"][1]["classes"]) == (
        "one",
        {"speed": "fast"},
        ["mill"],
    )
    found = {fault.path: (fault.where, fault.text) for fault in check(model, {"kind": "routing", **values}).faults}
    assert found["version"] == ("Version", "a whole number is needed")
    assert found["id"] == ("Id", "'r 1' is not written as such a name is")
    assert found["steps.0.aims.0.value"] == ("Steps 1 › Aims 1", "a whole number is needed")
    assert found["steps.1.number"] == ("Steps 2 › Number", "is missing")
    assert found["takes_hold"][1] == "is missing"


def test_rows_are_added_taken_away_and_moved() -> None:
    values: dict[str, Any] = {"columns": [{"name": "a"}, {"name": "b"}], "rows": [[1, 2]], "aims": {"x": 1}}
    assert step(values, "add:rows")["rows"] == [[1, 2], ["", ""]]
    assert step(values, "up:columns.1")["columns"] == [{"name": "b"}, {"name": "a"}]
    assert step(values, "drop:columns.0")["columns"] == [{"name": "b"}]
    assert step(step(values, "add:aims"), "drop:aims.0")["aims"] == {"": None}
    for odd in ("drop:columns.9", "up:nothing.0", "add:rows.5.x", "dance", "drop:", "add:columns.0.name"):
        step(values, odd)
    assert values == {"columns": [{"name": "a"}, {"name": "b"}], "rows": [[1, 2]], "aims": {"x": 1}}


def test_only_authors_write(office: Any) -> None:
    client = create_portal(office.hub).test_client()
    assert client.get("/standards/write/kpi").status_code in (302, 401)
    assert client.post("/standards/write/kpi/check", data={}).status_code in (302, 400, 401)
