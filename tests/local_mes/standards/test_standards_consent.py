"""A plant that is asked: it keeps what it runs until it says yes, says no with a reason, and the hub sees both."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from central_hub.conformance.service import read_matrix
from central_hub.standards import rollouts, service
from local_mes.app import ROLES, create_console
from local_mes.standards import asking
from shared.db.engine import read, write
from shared.errors import BadInput, NotFound, Refused
from shared.journal.content_hash import content_hash
from shared.journal.rebuild import rebuild
from shared.standards.facts import Wave
from shared.standards.queries import find_in_force, find_rejection, find_version, list_history
from shared.standards.rollout_queries import list_answers
from shared.web.accounts import add_person

DEMO = Path(__file__).parents[3] / "demo" / "standards"
DAY_MS = 86_400_000
V3 = ("KPI-YLD", 3)
PASSWORD = "long enough to type"


@pytest.fixture
def asked(group: Any) -> Any:
    """KPI-YLD v2 in force at ALD, which is asked for a week whether it takes v3."""
    group.release("KPI-YLD-v2")
    group.sync()
    send(group, "KPI-YLD-v3")
    group.sync()
    return group


def send(group: Any, name: str, **changes: Any) -> None:
    document = {**json.loads((DEMO / f"{name}.json").read_text()), **changes}
    made = service.draft(group.hub, document, "anna", group.command())
    service.submit(group.hub, made.id, made.version, "anna", group.command())
    with read(group.hub.node.engine) as conn:
        seen = find_version(conn, group.hub.code, made.id, made.version).sha256
    waves = (Wave(("ALD",), answer_days=7),)
    service.approve(group.hub, made.id, made.version, seen, "bert", group.command(), waves=waves)
    group.sign()
    rollouts.advance(group.hub, made.id, made.version, 1, "bert", group.command())


def waiting(group: Any) -> list[asking.Asked]:
    with read(group.plant.node.engine) as conn:
        return asking.list_asked(conn, group.plant)


def cell(group: Any) -> Any:
    with read(group.hub.node.engine) as conn:
        return read_matrix(conn, group.hub).cells["KPI-YLD", "ALD"]


def test_until_it_says_yes_a_plant_keeps_what_it_runs(asked: Any) -> None:
    assert asked.in_force() == [("KPI-YLD", 2)]
    (question,) = waiting(asked)
    assert (question.document.version, question.present.version, question.missing) == (3, 2, ())
    assert question.answer_by_ms == asked.clock.now_ms() + 7 * DAY_MS
    assert question.differences
    assert (cell(asked).state, cell(asked).version, cell(asked).wanted) == ("asked", 2, 3)


def test_yes_puts_it_in_force_at_once_and_the_hub_sees_it(asked: Any) -> None:
    asking.accept(asked.plant, *V3, 0, "piet", asked.command())
    assert asked.in_force() == [("KPI-YLD", 3)]
    assert waiting(asked) == []
    asked.sync()
    assert cell(asked).state == "runs_it"


def test_yes_from_a_time_on_waits_for_that_time(asked: Any) -> None:
    later = asked.clock.now_ms() + DAY_MS
    asking.accept(asked.plant, *V3, later, "piet", asked.command())
    assert asked.in_force() == [("KPI-YLD", 2)]
    assert waiting(asked)[0].answer.from_ms == later
    asked.clock.advance(DAY_MS)
    asked.sync()
    assert asked.in_force() == [("KPI-YLD", 3)]


def test_no_needs_a_reason_and_reaches_the_hub(asked: Any) -> None:
    asking.reject(asked.plant, *V3, "our scale cannot weigh crops", "piet", asked.command())
    asked.sync()
    assert asked.in_force() == [("KPI-YLD", 2)]
    found = cell(asked)
    assert (found.state, found.note) == ("declined", "our scale cannot weigh crops")
    with read(asked.hub.node.engine) as conn:
        assert [(a.plant, a.answer, a.answered_by) for a in list_answers(conn)] == [("ALD", "rejected", "piet")]


def test_a_plant_may_think_again(asked: Any) -> None:
    asking.reject(asked.plant, *V3, "not now", "piet", asked.command())
    asking.accept(asked.plant, *V3, 0, "piet", asked.command())
    assert asked.in_force() == [("KPI-YLD", 3)]


def test_no_answer_behind_its_day_is_overdue_and_nothing_is_forced(asked: Any) -> None:
    asked.clock.advance(7 * DAY_MS + 1)
    asked.sync()
    assert cell(asked).state == "overdue"
    assert asked.in_force() == [("KPI-YLD", 2)]
    asking.accept(asked.plant, *V3, 0, "piet", asked.command())
    assert asked.in_force() == [("KPI-YLD", 3)]


def test_a_roll_back_takes_the_question_away_and_what_was_taken_in(asked: Any) -> None:
    asking.accept(asked.plant, *V3, 0, "piet", asked.command())
    rollouts.roll_back(asked.hub, *V3, "bad", "bert", asked.command())
    asked.sync()
    assert asked.in_force() == [("KPI-YLD", 2)]
    assert waiting(asked) == []


def test_completed_it_comes_without_being_asked(asked: Any) -> None:
    rollouts.complete(asked.hub, *V3, "bert", asked.command())
    asked.sign()
    asked.sync()
    assert asked.in_force() == [("KPI-YLD", 3)]


def test_a_day_that_was_agreed_stands_also_when_it_is_given_to_all(asked: Any) -> None:
    later = asked.clock.now_ms() + 60 * DAY_MS
    asking.accept(asked.plant, *V3, later, "piet", asked.command())
    rollouts.complete(asked.hub, *V3, "bert", asked.command())
    asked.sign()
    asked.sync()
    assert asked.in_force() == [("KPI-YLD", 2)]
    asked.clock.advance(60 * DAY_MS)
    asked.sync()
    assert asked.in_force() == [("KPI-YLD", 3)]


def test_a_way_back_keeps_when_the_earlier_version_was_in_force(asked: Any) -> None:
    first_ms = asked.clock.now_ms()
    asked.clock.advance(DAY_MS)
    asking.accept(asked.plant, *V3, 0, "piet", asked.command())
    asked.clock.advance(DAY_MS)
    rollouts.roll_back(asked.hub, *V3, "bad", "bert", asked.command())
    asked.sync()
    with write(asked.plant.node.engine) as conn:
        days = [find_in_force(conn, "ALD", "KPI-YLD", first_ms + n * DAY_MS).version for n in (0, 1, 2)]
        spells = [(s.version, s.adopted_ms) for s in list_history(conn, "KPI-YLD")]
        before = content_hash(conn, "ALD")
        rebuild(conn, asked.plant.journal.appliers, asked.clock.now_ms())
        assert content_hash(conn, "ALD") == before
    assert days == [2, 3, 2]
    assert [version for version, _ in spells] == [2, 3, 2]


def test_an_assignment_that_does_not_fit_leaves_the_pages_readable(group: Any) -> None:
    group.release("KPI-YLD-v2")
    group.sync()
    group.change_model(unit=tuple(u for u in group.plant.model.unit if u.unit_class != "ladle_furnace"))
    group.release("R-GISLIT-v7")
    group.sync()
    with read(group.plant.node.engine) as conn:
        assert find_rejection(conn, "ALD").code == "standards.missing"
    assert waiting(group) == []
    with pytest.raises(NotFound):
        asking.accept(group.plant, "R-GISLIT", 7, 0, "piet", group.command())


def test_what_does_not_fit_holds_up_nothing_and_cannot_be_accepted(group: Any) -> None:
    group.release("KPI-YLD-v2")
    group.sync()
    send(group, "R-GISLIT-v7")
    group.change_model(unit=tuple(u for u in group.plant.model.unit if u.unit_class != "ladle_furnace"))
    group.sync()
    with read(group.plant.node.engine) as conn:
        assert find_rejection(conn, "ALD") is None
    assert group.in_force() == [("KPI-YLD", 2)]
    (question,) = waiting(group)
    assert question.missing == ("R-GISLIT: no unit of class ladle_furnace",)
    with pytest.raises(Refused, match="ladle_furnace"):
        asking.accept(group.plant, "R-GISLIT", 7, 0, "piet", group.command())


def test_only_what_is_asked_is_answered_and_in_time(asked: Any) -> None:
    with pytest.raises(NotFound):
        asking.accept(asked.plant, "KPI-YLD", 4, 0, "piet", asked.command())
    with pytest.raises(BadInput):
        asking.accept(asked.plant, *V3, asked.clock.now_ms() + 91 * DAY_MS, "piet", asked.command())


@pytest.fixture
def console(asked: Any) -> Any:
    with write(asked.plant.node.engine) as conn:
        add_person(conn, asked.clock, "engineer.ald", "Ewa", ("engineer",), PASSWORD, ROLES)
    client = create_console(asked.plant).test_client()
    token = hidden(client.get("/sign-in").text)
    client.post("/sign-in", data={"login": "engineer.ald", "password": PASSWORD, "csrf_token": token})
    return client


def hidden(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found.group(1)


def test_pages_and_api_of_being_asked(asked: Any, console: Any) -> None:
    assert "no answer yet" in console.get("/standards").text
    page = console.get("/standards/asked/KPI-YLD/3")
    assert (page.status_code, "What would change: v2 runs here" in page.text) == (200, True)
    assert console.get("/standards/asked/KPI-YLD/4").status_code == 404
    (item,) = console.get("/api/v1/standards/asked").json["items"]
    assert (item["standard_id"], item["version"], item["present_version"]) == ("KPI-YLD", 3, 2)
    body = {"command_id": "a", "standard_id": "KPI-YLD", "version": 3, "answer": "rejected"}
    headers = {"X-CSRFToken": hidden(page.text)}
    assert console.post("/api/v1/standards/answers", json=body, headers=headers).status_code == 422  # no reason
    form = {"csrf_token": hidden(page.text), "reason": "our scale is too coarse"}
    assert console.post("/standards/asked/KPI-YLD/3/reject", data=form | {"command_id": "b"}).status_code == 302
    assert "our scale is too coarse" in console.get("/standards/asked/KPI-YLD/3").text
    accepted = console.post("/standards/asked/KPI-YLD/3/accept", data=form | {"command_id": "c", "from_day": ""})
    assert accepted.status_code == 302
    assert asked.in_force() == [("KPI-YLD", 3)]
