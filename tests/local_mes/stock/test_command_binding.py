"""A command id is bound to the person and the request that used it first: what is no repetition is told so."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from production_bench import Bench
from sqlalchemy import update

from shared.db.engine import write
from shared.journal.tables import command
from shared.material.tables import place_history

Token = Callable[[str], dict[str, str]]
ROW: dict[str, Any] = {
    "number": "BS6-09021",
    "kind": "slab",
    "place": "YB-1",
    "grade": "L06",
    "mass_g": 20_560_000,
    "mass_basis": "weighed",
    "thickness_um": 220_000,
    "width_um": 1_280_000,
    "length_um": 9_300_000,
    "heat": "161742",
}
MOVE = "/api/v1/pieces/BS6-09021/move"
BODY: dict[str, Any] = {"command_id": "move-1", "occurred_at": 2_000_000, "place": "YB-2"}


@pytest.fixture
def moved(client: FlaskClient, yard: Bench, token: Token) -> dict[str, Any]:
    """A piece that was moved by command move-1; the answer."""
    rows = [ROW, ROW | {"number": "BS6-09022"}]
    taken = client.post("/api/v1/stock/import", json={"command_id": "0", "rows": rows}, headers=token("planner"))
    assert taken.status_code == 201
    answer = client.post(MOVE, json=BODY, headers=token("yard"))
    assert answer.status_code < 300
    found: dict[str, Any] = answer.get_json()
    return found


@pytest.mark.parametrize(
    ("path", "body", "who"),
    [
        (MOVE, BODY | {"place": "YB-1"}, "yard"),
        ("/api/v1/pieces/BS6-09022/move", BODY, "yard"),
        (MOVE, BODY, "operator"),
    ],
    ids=["other-words", "elsewhere", "somebody-else"],
)
def test_a_command_id_sent_for_something_else_is_refused_and_changes_nothing(
    client: FlaskClient, yard: Bench, token: Token, moved: dict[str, Any], path: str, body: dict[str, Any], who: str
) -> None:
    before = yard.rows(place_history)
    answer = client.post(path, json=body, headers=token(who))
    assert answer.status_code == 409
    assert answer.get_json()["code"] == "journal.command_reused"
    assert yard.rows(place_history) == before


def test_a_repetition_gets_the_earlier_result_whatever_the_token_and_the_order_of_its_words(
    client: FlaskClient, token: Token, moved: dict[str, Any]
) -> None:
    turned = json.dumps(dict(reversed(BODY.items())), indent=2)
    again = client.post(MOVE, data=turned, headers={**token("yard"), "Content-Type": "application/json"})
    assert (again.status_code < 300, again.get_json()) == (True, moved)


def test_a_command_of_a_release_before_is_bound_to_nothing(
    client: FlaskClient, yard: Bench, token: Token, moved: dict[str, Any]
) -> None:
    with write(yard.plant.node.engine) as conn:
        conn.execute(update(command).values(asked=""))
    again = client.post(MOVE, json=BODY | {"place": "YB-1"}, headers=token("yard"))
    assert again.get_json() == moved
