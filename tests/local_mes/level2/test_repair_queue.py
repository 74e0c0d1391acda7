"""What is in repair can be mended in its place or dismissed, by service, API and page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from level2_line import Line
from level2_peers import Site, cut
from sqlalchemy import select

from local_mes.app import ROLES, create_console
from local_mes.level2 import down, service
from local_mes.level2.interpret import oldest_open_ms
from local_mes.level2.link_state import load_state, real_ms, save_states
from local_mes.level2.mend_form import leaves, read_form
from local_mes.level2.queries import find_links, open_figures
from local_mes.level2.spool import Incoming, append
from local_mes.level2.tables import repair
from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.errors import BadInput, NotFound, Refused
from shared.web.accounts import add_person, issue_token

MakeSite = Callable[..., Site]
EVENTS = """
[[link]]
code = "HSM"
kind = "opcua"
address = "opc.tcp://127.0.0.1:1"
security = "None"
  [link.map]
  "*.Done" = "test_marked"
"""


@pytest.fixture
def line(make_site: MakeSite, clock: FixedClock) -> Line:
    return Line(make_site(more=EVENTS), clock)


def in_repair(line: Line, fields: dict[str, Any] | None = None) -> Any:
    """The first row of the queue after an implausible cut has come."""
    line.comes("CC1060", fields or cut(width_head_mm=12800))
    line.run()
    return repairs(line)[-1]


def repairs(line: Line) -> list[Any]:
    with read(line.plant.node.engine) as conn:
        return list(conn.execute(select(repair).order_by(repair.c.repair_id)))


def test_a_width_of_12800_is_mended_in_its_place(line: Line) -> None:
    row = in_repair(line)
    came = line.clock.now_ms()
    line.clock.advance(3_600_000)
    done = service.mend(
        line.plant, row.repair_id, cut(width_head_mm=1280), actor="p1", command_id="c1", note="a 0 too many"
    )
    assert done == {"repair_id": row.repair_id, "state": "mended", "facts": 2}
    first = line.facts()[0]
    assert (first.occurred.at_ms, first.occurred.source, first.actor) == (came, "l2:CC1 mended", "p1")
    (after,) = repairs(line)
    assert (after.state, after.closed_by, after.note) == ("mended", "p1", "a 0 too many")
    assert json.loads(after.fields)["width_head_mm"] == 12800
    assert json.loads(after.mended)["width_head_mm"] == 1280
    assert oldest_open_ms(line.plant) is None
    assert service.mend(line.plant, row.repair_id, cut(), actor="p1", command_id="c1") == done
    assert len(line.facts()) == 2


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (cut(width_head_mm=12801), "above 1700"),
        (cut(width_head_mm="wide"), "width_head_mm"),
        (cut(kind="S"), "Samples"),
        ({"heat": "161843"}, "strand is missing"),
        (cut(colour="red"), "colour"),
    ],
)
def test_what_is_still_wrong_stays_in_repair(line: Line, fields: dict[str, Any], text: str) -> None:
    row = in_repair(line)
    with pytest.raises(BadInput, match=text):
        service.mend(line.plant, row.repair_id, fields, actor="p1", command_id="c1")
    assert repairs(line) == [row]
    assert line.facts() == []


def test_what_is_mended_too_early_stays_in_repair(line: Line) -> None:
    line.comes("CC1070", {"slab": "161843-2-3", "ok": "?"})
    line.run()
    row = repairs(line)[0]
    with pytest.raises(Refused, match="not known"):
        service.mend(line.plant, row.repair_id, {"slab": "161843-2-3", "ok": "Y"}, actor="p1", command_id="c1")
    line.comes("CC1060", cut())
    line.run()
    service.mend(line.plant, row.repair_id, {"slab": "161843-2-3", "ok": "Y"}, actor="p1", command_id="c2")
    assert "MK1" in line.places()


def test_a_mended_message_lets_those_that_waited_for_it_go_on(line: Line) -> None:
    row = in_repair(line)
    line.comes("CC1070", {"slab": "161843-2-3", "ok": "Y"})
    line.run()
    service.mend(line.plant, row.repair_id, cut(), actor="p1", command_id="c1")
    line.run()
    assert sorted(line.places()) == ["MK1", "YA", "YA1"]


def test_dismissed_with_a_reason_it_no_longer_holds_back_the_watermark(line: Line) -> None:
    row = in_repair(line)
    service.dismiss(line.plant, row.repair_id, "booked by hand", actor="p1", command_id="c1")
    assert repairs(line)[0].state == "dismissed"
    assert oldest_open_ms(line.plant) is None
    assert open_figures(line.plant) == {"spool_open": 0, "repairs_open": 0}
    with pytest.raises(Refused, match="dismissed already"):
        service.mend(line.plant, row.repair_id, cut(), actor="p1", command_id="c2")
    with pytest.raises(NotFound):
        service.dismiss(line.plant, "f" * 32, "x", actor="p1", command_id="c3")


def test_an_event_that_could_not_be_read_is_written_anew(line: Line) -> None:
    now = line.clock.now_ms()
    with write(line.plant.spool) as conn:
        append(
            conn, Incoming("HSM", "unreadable", 3, "", None, now, 0, 60, b"{half", b"{half", {}, "It cannot be read.")
        )
    line.comes("CC1060", cut())
    line.run()
    (row,) = repairs(line)
    with pytest.raises(BadInput, match="write it whole"):
        service.mend(line.plant, row.repair_id, {"slab": "161843-2-3"}, actor="p1", command_id="c1")
    whole = {"unit": "R1", "event": "Done", "fields": {"slab": "161843-2-3"}}
    assert service.mend(line.plant, row.repair_id, whole, actor="p1", command_id="c2")["facts"] == 1


def test_a_telegram_that_could_not_be_read_is_written_anew(line: Line) -> None:
    now = line.clock.now_ms()
    with write(line.plant.spool) as conn:
        append(conn, Incoming("CC1", "unreadable", 3, "", None, now, 0, 60, b"?", b"?", {}, "A header that is none."))
    line.run()
    (row,) = repairs(line)
    whole = {"message": "CC1060", "fields": cut(kerf_mm=-1)}
    with pytest.raises(BadInput, match="kerf_mm"):
        service.mend(line.plant, row.repair_id, whole, actor="p1", command_id="c1")
    whole = {"message": "CC1060", "fields": cut()}
    assert service.mend(line.plant, row.repair_id, whole, actor="p1", command_id="c2")["facts"] == 2


def test_a_form_keeps_kinds_and_reaches_into_groups() -> None:
    fields = {
        "heat": "161843",
        "count": 1,
        "slabs": [{"strand": 1, "mass_kg": 20558, "note": ""}],
        "temp_c": 1553.5,
        "empty": None,
    }
    assert [leaf.path for leaf in leaves(fields, None, "temp_c") if leaf.at_fault] == ["temp_c"]
    form = {"field-heat": " 261843 ", "field-slabs[0].mass_kg": "20600", "field-temp_c": "1550", "field-empty": ""}
    assert read_form(form, fields) == {
        "heat": "261843",
        "count": 1,
        "slabs": [{"strand": 1, "mass_kg": 20600, "note": ""}],
        "temp_c": 1550,
        "empty": None,
    }
    with pytest.raises(BadInput, match="count"):
        read_form({"field-count": "one"}, fields)


@pytest.fixture
def web(line: Line) -> Callable[[str], FlaskClient]:
    app = create_console(line.plant)
    with write(line.plant.node.engine) as conn:
        for login in ("engineer", "operator"):
            add_person(conn, line.clock, login, login.title(), (login,), "long enough to type", ROLES)

    def sign_in(login: str) -> FlaskClient:
        client = app.test_client()
        with write(line.plant.node.engine) as conn:
            token = issue_token(conn, line.clock, login, "test")
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return client

    return sign_in


def test_the_api_lists_mends_and_refuses(line: Line, web: Callable[[str], FlaskClient]) -> None:
    row = in_repair(line)
    engineer, operator = web("engineer"), web("operator")
    listed = engineer.get("/api/v1/repairs").json
    assert [(item["field"], item["fields"]["width_head_mm"]) for item in listed["items"]] == [("width_head_mm", 12800)]
    address = f"/api/v1/repairs/{row.repair_id}"
    assert engineer.get(address).json["state"] == "open"
    assert operator.post(address, json={"command_id": "a", "fields": cut()}).status_code == 403
    assert engineer.post(address, json={"command_id": "a"}).status_code == 422
    wrong = engineer.post(address, json={"command_id": "a", "fields": cut(width_head_mm=12801)})
    assert (wrong.status_code, wrong.json["code"]) == (422, "level2.still_wrong")
    assert engineer.post(address, json={"command_id": "a", "fields": cut()}).json["state"] == "mended"
    assert engineer.get("/api/v1/repairs").json["items"] == []
    assert len(engineer.get("/api/v1/repairs?state=").json["items"]) == 1
    assert engineer.get("/api/v1/repairs/none").status_code == 404


def test_the_api_shows_links_and_what_went_down(line: Line, web: Callable[[str], FlaskClient]) -> None:
    state = load_state(line.plant.spool, "CC1", "telegram", "127.0.0.1:1", line.clock)
    state.become("connected", peer="127.0.0.1:9")
    with write(line.plant.spool) as conn:
        save_states(conn, [state.row(real_ms())])
    in_repair(line)
    down.queue_telegram(line.plant.spool, line.clock, "CC1", "CC2030", {"slab": "161843-2-3", "flag": "H"}, key="k")
    answer = web("operator").get("/api/v1/links").json
    (link,) = answer["items"]
    assert (link["state"], link["down_open"], link["repairs"], link["per_minute"]) == ("connected", 1, 1, 0.1)
    assert answer["oldest_open_ms"] == line.clock.now_ms()
    assert web("operator").get("/api/v1/down").json["items"][0]["state"] == "queued"
    with write(line.plant.spool) as conn:
        save_states(conn, [state.row(real_ms() - 60_000)])
    assert find_links(line.plant)[0].state == "stopped"


def test_the_page_marks_the_field_and_mends_it(line: Line, web: Callable[[str], FlaskClient]) -> None:
    row = in_repair(line)
    client = signed_in(line)
    page = client.get(f"/level2/repairs/{row.repair_id}").text
    assert re.search(r'name="field-width_head_mm" value="12800"[^>]*aria-invalid="true"', page)
    assert "800 to 1,700" in page
    form = inputs(page)
    refused = client.post(f"/level2/repairs/{row.repair_id}", data=form | {"field-width_head_mm": "12801"})
    assert refused.status_code == 422
    assert 'value="12801"' in refused.text
    done = client.post(f"/level2/repairs/{row.repair_id}", data=form | {"field-width_head_mm": "1280", "note": ""})
    assert done.status_code == 302
    assert repairs(line)[0].state == "mended"
    assert "Nothing to repair" in client.get("/level2/repairs", follow_redirects=True).text
    assert row.message in client.get("/level2/repairs?state=").text


def test_the_page_dismisses_only_with_a_reason(line: Line, web: Callable[[str], FlaskClient]) -> None:
    row = in_repair(line)
    client = signed_in(line)
    page = client.get(f"/level2/repairs/{row.repair_id}").text
    form = inputs(page)
    assert client.post(f"/level2/repairs/{row.repair_id}", data=form | {"dismiss": "1", "note": ""}).status_code == 422
    client.post(f"/level2/repairs/{row.repair_id}", data=form | {"dismiss": "1", "note": "booked by hand"})
    assert repairs(line)[0].note == "booked by hand"
    assert client.get("/level2/links").status_code == 200


def inputs(page: str) -> dict[str, str]:
    """What a browser would send: every input of the page, no button."""
    return dict(re.findall(r'<input[^>]* name="([^"]+)"[^>]*? value="([^"]*)"', page))


def signed_in(line: Line) -> FlaskClient:
    client = create_console(line.plant).test_client()
    page = client.get("/sign-in").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    client.post("/sign-in", data={"csrf_token": token[1], "login": "engineer", "password": "long enough to type"})
    return client
