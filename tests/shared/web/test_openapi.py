"""The API of both faces as a program meets it: the OpenAPI document, and what each kind of wrong request is told."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from inspect import unwrap
from typing import Any, get_type_hints

import pytest
from flask.testing import FlaskClient
from flask_openapi import OpenAPI
from sqlalchemy import Engine, func, select
from steel_group import SteelGroup
from werkzeug.test import TestResponse

from central_hub.app import ROLES as HUB_ROLES
from central_hub.app import create_portal
from local_mes.app import ROLES as PLANT_ROLES
from local_mes.app import create_console
from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.journal import tables as journal
from shared.web import accounts
from shared.web.features import Feature
from sync import status
from sync.endpoint import endpoint

MUTATING = {"POST", "PUT", "PATCH", "DELETE"}
WITHOUT_ROLE = {
    "/sign-in",
    "/sign-out",
    "/theme",
    "/api/v1/standards/requests/{request_id}/signatures",  # what counts is the key holder's signature
    "/standards/signing",  # the same as a form
    "/sync/v1/enrol",  # plants prove themselves by token or key
    "/sync/v1/hello",
    "/sync/v1/pull",
    "/sync/v1/push",
    "/sync/v1/probe",
    "/sync/v1/history",
    "/sync/v1/giveback",
    "/sync/v1/sight",
    "/push/v1/{link}",  # programs of Level 2 prove themselves by their link's secret
    "/outside/v1/csv",  # outside parties prove themselves by their own token
    "/outside/v1/epcis/capture",
    "/outside/v1/x12",
    "/load/{link_id}",  # whoever holds a signed link to one load speaks of that load alone
    "/connection/sync-now",  # anyone may ask that what waits is tried now
}
Ask = Callable[..., TestResponse]


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SteelGroup]:
    made = SteelGroup(tmp_path_factory.mktemp("group"), FixedClock(1_773_205_200_000))
    made.stock("BRK", "BS6-00001", 20_000)
    made.stock("ALD", "161738-1-1", 22_000)
    yield made
    made.close()


@pytest.fixture(scope="module")
def faces(group: SteelGroup) -> dict[str, OpenAPI]:
    return {
        "plant": create_console(group.plants["BRK"], (Feature(apis=(status.make_api(),)),)),
        "hub": create_portal(group.hub, (Feature(machine=(endpoint,), apis=(status.make_api(),)),)),
    }


@pytest.fixture(scope="module", params=["plant", "hub"])
def face(request: pytest.FixtureRequest, faces: dict[str, OpenAPI]) -> OpenAPI:
    return faces[request.param]


@pytest.fixture(scope="module")
def document(face: OpenAPI) -> dict[str, Any]:
    answer = face.test_client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = json.loads(answer.data)
    return found


def ask_as(face: OpenAPI, engine: Engine, clock: FixedClock, login: str, roles: Any) -> Ask:
    with write(engine) as conn:
        accounts.add_person(conn, clock, login, login, roles, "long enough to type", roles)
        token = accounts.issue_token(conn, clock, login, "test")
    client: FlaskClient = face.test_client()

    def ask(path: str, body: Any = None, **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {token}"}
        if body is None and "data" not in more:
            return client.get(path, headers=headers)
        given = {"json": body} if body is not None else {}
        return client.post(path, headers=headers, **given, **more)

    return ask


@pytest.fixture(scope="module")
def plant(faces: dict[str, OpenAPI], group: SteelGroup) -> Ask:
    return ask_as(faces["plant"], group.plants["BRK"].node.engine, group.clock, "all.roles", PLANT_ROLES)


@pytest.fixture(scope="module")
def hub(faces: dict[str, OpenAPI], group: SteelGroup) -> Ask:
    return ask_as(faces["hub"], group.hub.node.engine, group.clock, "all.roles", HUB_ROLES)


def routes(face: OpenAPI) -> Iterator[tuple[str, str, Any]]:
    for rule in face.url_map.iter_rules():
        path = re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, path, face.view_functions[rule.endpoint]


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def test_the_document_has_every_route_of_the_api(face: OpenAPI, document: dict[str, Any]) -> None:
    offered = {(method, path) for method, path, _ in routes(face) if path.startswith("/api/v1/")}
    assert offered - {("GET", "/api/v1/openapi.json")} == {(method, path) for method, path, _ in operations(document)}


def test_the_document_holds_together(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    refs = set(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(document)))
    assert refs <= set(document["components"]["schemas"])
    schemes = set(document["components"]["securitySchemes"])
    for method, path, operation in operations(document):
        place = f"{method} {path}"
        told = {given["name"] for given in operation.get("parameters", ()) if given["in"] == "path"}
        assert told == set(re.findall(r"{(\w+)}", path)), place
        assert {name for way in operation["security"] for name in way} == schemes, place
        assert any(status.startswith("2") for status in operation["responses"]), place
        for status_, answer in operation["responses"].items():
            wanted = "application/json" if status_.startswith("2") else "application/problem+json"
            assert list(answer["content"]) == [wanted], f"{place} {status_}"


def test_each_body_in_the_document_is_the_one_the_route_takes(face: OpenAPI, document: dict[str, Any]) -> None:
    seen = 0
    for method, path, view in routes(face):
        if method not in MUTATING or not path.startswith("/api/"):
            continue
        model = get_type_hints(unwrap(view))["body"]
        content = document["paths"][path][method.lower()]["requestBody"]["content"]["application/json"]
        described = document["components"]["schemas"][content["schema"]["$ref"].rsplit("/", 1)[1]]
        assert set(described["properties"]) == set(model.model_fields), path
        assert described["additionalProperties"] is False, f"{path} takes names it does not know"
        seen += 1
    assert seen > 5


def test_whatever_changes_something_asks_for_a_role_and_says_so(face: OpenAPI, document: dict[str, Any]) -> None:
    open_to_all = set()
    for method, path, view in routes(face):
        roles = getattr(view, "strandline_roles", ())
        if method in MUTATING and not roles:
            open_to_all.add(path)
        if method in MUTATING and roles and path.startswith("/api/"):
            assert document["paths"][path][method.lower()]["x-roles"] == list(roles)
    assert open_to_all <= WITHOUT_ROLE


def test_an_auditor_and_a_stranger_change_nothing(faces: dict[str, OpenAPI], group: SteelGroup) -> None:
    ask = ask_as(faces["hub"], group.hub.node.engine, group.clock, "auditor", {"auditor"})
    body = {"command_id": "c", "resolution": "sender_right", "note": "no"}
    assert ask("/api/v1/cases/x/resolve", body).status_code == 403
    stranger = faces["hub"].test_client().post("/api/v1/cases/x/resolve", json=body)
    assert (stranger.status_code, stranger.mimetype) == (400, "application/problem+json")
    assert faces["hub"].test_client().get("/api/v1/cases").status_code == 401


WEIGH = "/api/v1/pieces/BS6-00001/weigh"
JSON = "application/json"
GOOD = {"command_id": "w1", "mass_g": 20_100_000}
ORDER = {"item": "1", "customer": "c", "product": "p", "grade": "g", "thickness_um": 1, "width_um": 1, "mass_g": 1}
SCHEDULE = {"command_id": "s", "unit": "XX9", "lines": [{"position": 1, "piece": "BS6-00001"}]}
WRONG: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("no JSON", WEIGH, {"data": "{mass", "content_type": JSON}, 400, "JSON"),
    ("a list", WEIGH, {"body": [1]}, 400, "object"),
    ("JSON in a string", WEIGH, {"body": json.dumps(GOOD)}, 400, "object"),
    ("nested without end", WEIGH, {"data": "[" * 100_000, "content_type": JSON}, 400, "deep"),
    ("no number", WEIGH, {"data": '{"mass_g": NaN}', "content_type": JSON}, 400, "NaN"),
    ("more digits than a table holds", WEIGH, {"body": GOOD | {"mass_g": 10**30}}, 400, "digits"),
    ("a form", WEIGH, {"data": {"mass_g": "1"}}, 415, "application/json"),
    ("plain text", WEIGH, {"data": "{}", "content_type": "text/plain"}, 415, "text/plain"),
    ("a huge body", WEIGH, {"data": b" " * (5 << 20), "content_type": JSON}, 413, ""),
    ("an unknown name", WEIGH, {"body": GOOD | {"mas_g": 1}}, 422, "mas_g"),
    ("an unknown name in a row", "/api/v1/orders", {"body": {"command_id": "o", "items": [ORDER | {"x": 1}]}}, 422, "x"),
    ("a missing name", WEIGH, {"body": {"command_id": "w"}}, 422, "mass_g"),
    ("a negative mass", WEIGH, {"body": GOOD | {"mass_g": -1}}, 422, ""),
    ("the year 5000", WEIGH, {"body": GOOD | {"occurred_at": 95_617_584_000_000}}, 422, "occurred_at"),
    ("half a character", WEIGH, {"data": b'{"command_id":"\\ud800","mass_g":1}', "content_type": JSON}, 400, "surrogates"),
    ("a name twice", WEIGH, {"data": '{"mass_g": 1, "mass_g": 2}', "content_type": JSON}, 400, "twice"),
    ("no UTF-8", WEIGH, {"data": b'{"command_id":"\xff"}', "content_type": JSON}, 400, ""),
    ("an unknown unit", "/api/v1/schedules", {"body": SCHEDULE}, 0, "XX9"),
    ("a piece of another plant", "/api/v1/pieces/161738-1-1/weigh", {"body": GOOD}, 404, "161738-1-1"),
]  # fmt: skip


@pytest.mark.fault(66)
@pytest.mark.parametrize(("what", "path", "given", "status_", "word"), WRONG, ids=[row[0] for row in WRONG])
def test_wrong_input_is_named_as_a_problem_and_changes_nothing(
    plant: Ask, group: SteelGroup, what: str, path: str, given: dict[str, Any], status_: int, word: str
) -> None:
    before = facts(group)
    answer = plant(path, **given)
    assert answer.status_code == status_ if status_ else 400 <= answer.status_code < 500, answer.text
    assert answer.mimetype == "application/problem+json"
    problem = json.loads(answer.data)
    assert problem["status"] == answer.status_code
    assert {"type", "title", "detail", "kept", "todo"} <= set(problem)
    assert word in problem["detail"]
    assert facts(group) == before


def test_figures_in_an_address_that_no_table_holds_are_refused(plant: Ask, hub: Ask) -> None:
    far = "9" * 30
    for path in (f"down?before={far}", f"places/BS6-00001?at_um={far}", f"places/BS6-00001?metre_mm={far}"):
        assert plant(f"/api/v1/{path}").status_code == 422, path
    for path in (f"balance?from_ms={far}", f"standards/QR-1/{far}", f"balance?to_ms={far}"):
        assert hub(f"/api/v1/{path}").status_code in (404, 422), path


def facts(group: SteelGroup) -> int:
    with read(group.plants["BRK"].node.engine) as conn:
        return int(conn.execute(select(func.count()).select_from(journal.fact)).scalar_one())


def test_a_signature_for_one_request_is_not_taken_at_another(hub: Ask) -> None:
    answer = {"request_id": "a" * 32, "sha256": "0" * 64, "keyid": "k", "sig": "s"}
    said = hub(f"/api/v1/standards/requests/{'b' * 32}/signatures", answer)
    assert (said.status_code, json.loads(said.data)["code"]) == (422, "standards.other_request")
