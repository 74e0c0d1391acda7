"""A version that goes out in waves: who is assigned what, when, and the way back; at the hub alone."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest

from central_hub.standards import rollouts, service
from central_hub.standards.queries import find_assignment, find_catalogue
from shared.db.engine import read, write
from shared.errors import BadInput, Refused
from shared.journal.content_hash import content_hash
from shared.journal.rebuild import rebuild
from shared.keys import Envelope
from shared.standards import messages as m
from shared.standards.facts import Wave
from shared.standards.rollout_queries import find_rollout
from shared.standards.signing import check_request
from shared.standards.talk_queries import list_mentions

DAY_MS = 86_400_000
WAVES = (Wave(("ALD",)), Wave(("BRK", "CLD"), answer_days=7))


@pytest.fixture
def group(office: Any) -> Any:
    """KPI-YLD v2 everywhere, v3 approved for waves and signed."""
    for plant in ("ALD", "BRK", "CLD", "DUN"):
        office.enrol(plant)
    office.release("KPI-YLD-v2")
    approve(office, "KPI-YLD-v3", WAVES)
    office.sign()
    return office


def approve(office: Any, name: str, waves: Any, **changes: Any) -> tuple[str, int]:
    key = office.submit(name, **changes)
    sha256 = office.row(*key).sha256
    service.approve(office.hub, *key, sha256, "bert", office.command(), waves=waves)
    return key


def assigned(office: Any, plant: str) -> m.Assigned | None:
    """What the latest assignment, as sealed, says of KPI-YLD."""
    with read(office.hub.node.engine) as conn:
        row = find_assignment(conn, office.hub.code, plant)
    payload = base64.b64decode(msgspec.json.decode(row.envelope, type=Envelope).payload)
    listed = msgspec.json.decode(payload, type=m.Assignment).standards
    return next((a for a in listed if a.id == "KPI-YLD"), None)


def versions(office: Any) -> dict[str, int]:
    found = {plant: assigned(office, plant) for plant in ("ALD", "BRK", "CLD", "DUN")}
    return {plant: a.version if a else 0 for plant, a in found.items()}


def refused(code: str, call: Any, *args: Any) -> None:
    with pytest.raises((Refused, BadInput)) as caught:
        call(*args)
    assert caught.value.code == code


def advance(office: Any, wave: int) -> None:
    rollouts.advance(office.hub, "KPI-YLD", 3, wave, "bert", office.command())


def test_a_wave_reaches_its_plants_and_no_others(group: Any) -> None:
    assert versions(group) == {"ALD": 2, "BRK": 2, "CLD": 2, "DUN": 2}
    advance(group, 1)
    assert versions(group) == {"ALD": 3, "BRK": 2, "CLD": 2, "DUN": 2}
    assert assigned(group, "ALD").answer_by_ms == 0
    advance(group, 2)
    assert versions(group) == {"ALD": 3, "BRK": 3, "CLD": 3, "DUN": 2}
    assert assigned(group, "BRK").answer_by_ms == group.clock.now_ms() + 7 * DAY_MS


def test_who_does_not_answer_in_time_goes_up_once_to_those_who_released_it(group: Any) -> None:
    advance(group, 1)
    advance(group, 2)
    group.clock.advance(7 * DAY_MS)
    rollouts.keep_up(group.hub)
    with read(group.hub.node.engine) as conn:
        assert list_mentions(conn, "HUB", "bert") == [], "the last day is still theirs"
    group.clock.advance(1)
    for _ in range(2):  # once
        rollouts.keep_up(group.hub)
    with read(group.hub.node.engine) as conn:
        said = list_mentions(conn, "HUB", "bert")
        assert len(list_mentions(conn, "HUB", "anna")) == 2
    assert sorted(row.text[:3] for row in said) == ["BRK", "CLD"], "the pilot was not asked"
    assert {(row.standard_id, row.version, row.said_by) for row in said} == {("KPI-YLD", 3, "standards")}


def test_behind_the_last_wave_the_next_catalogue_gives_it_to_all(group: Any) -> None:
    advance(group, 1)
    refused("standards.waves_left", rollouts.complete, group.hub, "KPI-YLD", 3, "bert", "c")
    advance(group, 2)
    rollouts.complete(group.hub, "KPI-YLD", 3, "bert", group.command())
    assert versions(group)["DUN"] == 2  # nothing unsigned
    group.sign()
    assert set(versions(group).values()) == {3}
    with read(group.hub.node.engine) as conn:
        catalogue = find_catalogue(conn, group.hub.code)[0]
    assert [(e.version, e.release) for e in catalogue.entries] == [(3, 3)]
    assert [(e.version, e.status) for e in catalogue.also] == [(2, "active")]  # kept for a way back


def test_a_pilot_is_rolled_back_in_one_action_without_a_key_holder(group: Any) -> None:
    advance(group, 1)
    assert rollouts.roll_back(group.hub, "KPI-YLD", 3, "yield counted twice", "bert", group.command()) == 2
    assert set(versions(group).values()) == {2}
    assert (group.row("KPI-YLD", 3).status, group.row("KPI-YLD", 3).note) == ("withdrawn", "yield counted twice")
    refused("standards.no_rollout", rollouts.advance, group.hub, "KPI-YLD", 3, 2, "bert", "x")
    group.sign()  # the next catalogue does not list it any more
    with read(group.hub.node.engine) as conn:
        assert find_catalogue(conn, group.hub.code)[0].also == ()
    assert set(versions(group).values()) == {2}


def test_a_release_to_all_is_rolled_back_at_once_and_the_next_catalogue_says_so(group: Any) -> None:
    advance(group, 1)
    advance(group, 2)
    rollouts.complete(group.hub, "KPI-YLD", 3, "bert", group.command())
    group.sign()
    assert rollouts.roll_back(group.hub, "KPI-YLD", 3, "bad", "bert", group.command()) == 2
    assert set(versions(group).values()) == {2}
    group.sign()
    with read(group.hub.node.engine) as conn:
        catalogue = find_catalogue(conn, group.hub.code)[0]
    assert [(e.version, e.release, e.status) for e in catalogue.entries] == [(2, 4, "active")]
    assert set(versions(group).values()) == {2}


def test_a_first_version_that_is_rolled_back_leaves_nothing(office: Any) -> None:
    office.enrol("ALD")
    key = approve(office, "KPI-YLD-v2", (Wave(("ALD",)),))
    office.sign()
    assert assigned(office, "ALD") is None
    rollouts.advance(office.hub, *key, 1, "bert", "w1")
    assert assigned(office, "ALD").version == 2
    assert rollouts.roll_back(office.hub, *key, "bad", "bert", "b") == 0
    assert assigned(office, "ALD") is None


def test_a_wave_begins_by_itself_when_its_time_has_come_and_it_is_signed(office: Any) -> None:
    office.enrol("ALD")
    due = office.clock.now_ms() + DAY_MS
    approve(office, "KPI-YLD-v2", (Wave(("ALD",), starts_ms=due),))
    office.clock.advance(DAY_MS)
    assert rollouts.advance_due(office.hub) == 0  # nobody has signed it
    office.sign()
    office.clock.advance(-1)
    assert rollouts.advance_due(office.hub) == 0
    office.clock.advance(1)
    assert rollouts.advance_due(office.hub) == 1
    assert rollouts.advance_due(office.hub) == 0
    assert assigned(office, "ALD").version == 2


def test_waves_begin_in_order_each_once_and_never_unsigned(office: Any) -> None:
    office.enrol("ALD")
    office.enrol("BRK")
    key = approve(office, "KPI-YLD-v2", (Wave(("ALD",)), Wave(("BRK",))))
    refused("standards.not_signed_yet", rollouts.advance, office.hub, *key, 1, "bert", "a")
    office.sign()
    refused("standards.not_the_next_wave", rollouts.advance, office.hub, *key, 2, "bert", "b")
    rollouts.advance(office.hub, *key, 1, "bert", "c")
    rollouts.advance(office.hub, *key, 1, "bert", "c")  # the same command again
    refused("standards.not_the_next_wave", rollouts.advance, office.hub, *key, 1, "bert", "d")


@pytest.mark.parametrize(
    ("waves", "fault"),
    [
        ((Wave(()),), "wave 1 names no plant"),
        ((Wave(("XYZ",)),), "XYZ is no enrolled plant"),
        ((Wave(("ALD",)), Wave(("ALD",))), "ALD is in two waves"),
        ((Wave(("ALD",), answer_days=91),), "asks for 91 days"),
        ((Wave(("ALD",), starts_ms=200), Wave(("BRK",), starts_ms=100)), "a later wave begins before"),
    ],
)
def test_a_plan_with_a_fault_is_refused_and_nothing_is_approved(office: Any, waves: Any, fault: str) -> None:
    office.enrol("ALD")
    office.enrol("BRK")
    key = office.submit("KPI-YLD-v2")
    with pytest.raises(BadInput, match=fault):
        service.approve(office.hub, *key, office.row(*key).sha256, "bert", "a", waves=waves)
    assert office.row(*key).status == "in_review"


def test_one_version_at_a_time_goes_out_in_waves(group: Any) -> None:
    key = group.submit("KPI-YLD-v3", version=4)
    refused("standards.goes_out_already", approve_again, group, key)


def approve_again(office: Any, key: tuple[str, int]) -> None:
    service.approve(office.hub, *key, office.row(*key).sha256, "bert", office.command())


def test_a_version_in_waves_is_rolled_back_and_not_withdrawn_so_that_the_next_one_is_free(group: Any) -> None:
    advance(group, 1)
    refused("standards.goes_out", service.withdraw, group.hub, "KPI-YLD", 3, "bad", "bert", "w")
    rollouts.roll_back(group.hub, "KPI-YLD", 3, "bad", "bert", group.command())
    approve_again(group, group.submit("KPI-YLD-v3", version=4))
    group.sign()
    assert set(versions(group).values()) == {4}


def test_plants_of_a_completed_rollout_get_its_successor_and_lose_what_is_withdrawn(group: Any) -> None:
    advance(group, 1)
    advance(group, 2)
    rollouts.complete(group.hub, "KPI-YLD", 3, "bert", group.command())
    group.sign()
    approve_again(group, group.submit("KPI-YLD-v3", version=4))
    group.sign()
    assert set(versions(group).values()) == {4}
    service.withdraw(group.hub, "KPI-YLD", 4, "bad", "bert", group.command())
    group.sign()
    assert set(versions(group).values()) == {0}


def test_a_plan_that_nobody_signs_is_rolled_back_and_leaves_its_standard_free(office: Any) -> None:
    office.enrol("ALD")
    office.release("KPI-YLD-v2")
    key = approve(office, "KPI-YLD-v3", (Wave(("ALD",)),))
    assert rollouts.roll_back(office.hub, *key, "a key holder found a fault", "bert", office.command()) == 2
    assert office.row(*key).status == "withdrawn"
    approve_again(office, office.submit("KPI-YLD-v3", version=4))
    assert [entry.version for entry in check_request(office.open_request())[0].entries] == [4]
    office.sign()
    assert assigned(office, "ALD").version == 4


def test_rows_of_waves_come_again_from_the_journal(group: Any) -> None:
    advance(group, 1)
    rollouts.roll_back(group.hub, "KPI-YLD", 3, "bad", "bert", group.command())
    engine = group.hub.node.engine
    with read(engine) as conn:
        before, rollout = content_hash(conn, "HUB"), find_rollout(conn, "HUB", "KPI-YLD", 3)
    with write(engine) as conn:
        rebuild(conn, group.hub.journal.appliers, group.clock.now_ms())
        assert content_hash(conn, "HUB") == before
        assert find_rollout(conn, "HUB", "KPI-YLD", 3) == rollout
    assert rollout.state == "rolled_back"


def test_a_catalogue_without_waves_has_the_bytes_it_always_had(office: Any) -> None:
    office.enrol("ALD")
    office.release("KPI-YLD-v2")
    with read(office.hub.node.engine) as conn:
        envelope = find_catalogue(conn, office.hub.code)[1].envelope
    payload = base64.b64decode(msgspec.json.decode(envelope, type=Envelope).payload)
    assert b'"also"' not in payload
    assert b"answer_by_ms" not in msgspec.json.encode(assigned(office, "ALD"))
