"""Landing pages of a plant: who lands where, the honest lines of the header, a note handed over."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_mes.app import ROLES, create_console
from local_mes.console.status import hub_status, level2_status
from local_mes.level2.link_state import AWAY, CONNECTED, LinkState, real_ms, save_states
from local_mes.level2.offsets import ClockOffset
from local_mes.plant import Plant
from local_mes.wiring import init_plant
from shared.clock import FixedClock
from shared.db.engine import write
from shared.keys import new_key
from shared.settings import PlantSettings, check
from sync.link import note_away, note_contact
from sync.peers import trust_peer

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import Person, sign_in

MODEL = Path(__file__).parents[3] / "demo" / "plants" / "cld" / "model.toml"
FIRST = {
    "operator": "/floor",
    "yard": "/yard",
    "quality": "/quality-desk",
    "lead": "/shift",
    "engineer": "/engineer",
    "planner": "/shift",
}


@pytest.fixture
def plant(tmp_path: Path, clock: FixedClock) -> Iterator[Plant]:
    values = {"code": "CLD", "name": "CLD", "folder": tmp_path / "cld", "hub_url": "http://127.0.0.1:9", "model": MODEL}
    made = init_plant(check(PlantSettings, values, "test"), clock)
    yield made
    made.node.engine.dispose()
    made.spool.dispose()


def test_each_role_lands_on_its_own_page(plant: Plant) -> None:
    app = create_console(plant)
    assert set(FIRST) == set(ROLES) - {"metrics"}
    everyone = sign_in(app, plant.node, "everyone", *ROLES)
    for role, address in FIRST.items():
        person = sign_in(app, plant.node, role, role)
        assert person.client.get("/").headers["Location"] == address
        assert "Coldharbour finishing" in everyone.page(address)


def test_the_unit_is_remembered_and_an_unknown_one_is_not_an_error(plant: Plant) -> None:
    operator = sign_in(create_console(plant), plant.node, "operator.cg1", "operator")
    assert "Galvanising line (CG1)" in operator.page("/floor?unit=CG1")
    assert "Galvanising line (CG1)" in operator.page("/floor")
    assert "<h1>" in operator.page("/floor?unit=NONE")
    fragment = operator.client.get("/floor?unit=CG1", headers={"HX-Request": "true"}).text
    assert "<html" not in fragment
    assert "Next in the schedule" in fragment


def test_a_lead_hands_over_in_words_that_stay(plant: Plant) -> None:
    lead = sign_in(create_console(plant), plant.node, "lead.cld", "lead")
    answer = lead.post("/shift", "/shift", text="Knife 3 drifts, watch the coating.")
    assert answer.status_code == 302
    page = lead.page("/shift")
    assert "Knife 3 drifts, watch the coating." in page
    assert "kept for the next shift" in page
    assert lead.post("/shift", "/shift", text="  ").status_code == 422
    operator = sign_in(create_console(plant), plant.node, "operator.cg1", "operator")
    assert "Hand over</button>" not in operator.page("/shift")


def texts(lines: Any) -> list[str]:
    return [line.text for line in lines]


def test_the_hub_line_is_honest(plant: Plant, clock: FixedClock) -> None:
    assert texts(hub_status(plant)) == ["Not joined to a hub yet. Everything is recorded here."]
    with write(plant.node.engine) as conn:
        trust_peer(conn, "HUB", new_key().public, clock.now_ms())
        note_contact(conn, "HUB", clock.now_ms(), 0)
    assert texts(hub_status(plant)) == ["Hub: up to date"]
    with write(plant.node.engine) as conn:
        note_away(conn, "HUB", clock.now_ms(), "no answer")
    clock.advance(3_600_000)
    lead = sign_in(create_console(plant), plant.node, "lead.cld", "lead")
    lead.post("/shift", "/shift", text="One fact that waits.")
    (line,) = hub_status(plant)
    assert re.fullmatch(r"Hub away since 05:00\. 1 fact waiting\. Nothing is lost\.", line.text)
    assert line.state == "attention"


def tell(plant: Plant, clock: FixedClock, **states: str) -> None:
    rows = []
    for link in plant.model.link:
        state = LinkState(link.code, link.kind, "127.0.0.1:1", clock, ClockOffset(), since_ms=clock.now_ms())
        state.become(states.get(link.code.replace("-", "_"), CONNECTED))
        rows.append(state.row(real_ms()))
    with write(plant.spool) as conn:
        save_states(conn, rows)


def test_the_level_2_lines_are_honest(plant: Plant, clock: FixedClock) -> None:
    assert texts(level2_status(plant)) == ["Level 2: the collector does not run. No data."]
    tell(plant, clock)
    assert texts(level2_status(plant)) == ["Level 2: 4 of 4 links connected"]
    tell(plant, clock, CLD_CG=AWAY)
    assert texts(level2_status(plant)) == ["Level 2 CLD-CG: no data since 05:00"]


def test_pages_still_come_when_a_status_cannot_be_read(plant: Plant) -> None:
    person: Person = sign_in(create_console(plant), plant.node, "lead.cld", "lead")
    with write(plant.spool) as conn:
        conn.exec_driver_sql("DROP TABLE link_state")
    assert "The state of a connection cannot be read" in person.page("/shift")
