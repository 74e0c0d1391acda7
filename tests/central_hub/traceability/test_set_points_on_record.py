"""Set-points of a plant's people, seen in the portal: on their list, as JSON and on the page of their piece."""

from __future__ import annotations

from typing import Any

from browse import sign_in
from steel_group import SteelGroup

from central_hub.app import create_portal
from shared.ids import new_id
from shared.journal.fact import Draft, Occurred, Payload
from shared.setpoints.facts import SetPointGiven, SetPointSettled


def say(group: SteelGroup, fact: Payload, actor: str) -> None:
    group.clock.advance(1_000)
    with group.plants["BRK"].journal.work() as tx:
        tx.record(Draft(fact, (fact.setpoint_id,), actor, Occurred(group.clock.now_ms(), "manual")))  # type: ignore[attr-defined]


def give(group: SteelGroup, **more: Any) -> str:
    setpoint_id = new_id(group.clock)
    values: dict[str, int | float | str] = {"slab": "S-1", "temp_c": 1180}
    say(group, SetPointGiven(setpoint_id=setpoint_id, link="RF", message="RF2010", values=values, **more), "p7")
    return setpoint_id


def test_the_portal_shows_who_set_what_and_what_became_of_it(group: SteelGroup) -> None:
    piece = group.stock("BRK", "261604-2-3", 20_580)
    first = give(group, unit="RF1", title="Furnace temperature", material_id=piece, number="261604-2-3")
    say(group, SetPointSettled(setpoint_id=first, outcome="refused", answer="withdrawn by a person"), "p8")
    say(group, SetPointSettled(setpoint_id=first, outcome="confirmed", answer="code 00"), "plant")
    say(group, SetPointSettled(setpoint_id="f" * 32, outcome="confirmed"), "plant")  # of none that is known
    second = give(group)
    group.sync()
    reader = sign_in(create_portal(group.hub), group.hub.node, "reader", "reader")
    found = reader.api("GET", "/api/v1/set-points?limit=1").json
    assert [row["setpoint_id"] for row in found["items"]] == [second]
    (row,) = reader.api("GET", f"/api/v1/set-points?limit=1&after={found['next']}").json["items"]
    assert (row["author"], row["asked_by"], row["state"], row["answer"]) == ("BRK", "p7", "confirmed", "code 00")
    assert row["values"] == {"slab": "S-1", "temp_c": 1180}
    assert reader.api("GET", "/api/v1/set-points?state=open").json["items"][0]["setpoint_id"] == second
    assert reader.api("GET", "/api/v1/set-points?q=RF1&author=BRK").json["items"][0]["setpoint_id"] == first
    page = reader.page("/set-points/")
    assert "Furnace temperature" in page
    assert "a person of BRK" in page
    assert "temp_c 1180" in reader.page(f"/piece/{piece}")
