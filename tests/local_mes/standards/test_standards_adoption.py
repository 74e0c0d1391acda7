"""From an author's draft to a rule in force: hub, key holders and plant with real databases and the real protocol."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select, update

from local_mes.performance import service as performance
from local_mes.standards import service
from local_mes.standards.floors import TrustFloors
from local_mes.standards.in_force import check, find_kpi, find_rule, parameter, standard_ref
from local_mes.standards.tables import standards_trust
from shared.db.engine import read, write
from shared.errors import BadInput, NotFound, Refused
from shared.journal.content_hash import content_hash
from shared.journal.rebuild import rebuild
from shared.keys import new_key
from shared.standards import tables
from shared.standards.queries import find_adoption, find_in_force, find_rejection, list_deviations, list_in_force
from sync.tables import peer

PACK = ("QR-CHE-01-v5", "QR-RES-01-v2", "R-GISLIT-v7", "KPI-YLD-v2", "QR-HSM-01-v4")
HELD = {"grade": "L06", "Cu": 2700, "Sn": 220}
DAY_MS = 86_400_000


@pytest.fixture
def conn(group: Any) -> Any:
    return lambda: read(group.plant.node.engine)


def test_a_published_rule_is_adopted_and_decides(group: Any, conn: Any) -> None:
    group.release(*PACK)
    assert group.sync() is True
    assert group.in_force() == [("KPI-YLD", 2), ("QR-CHE-01", 5), ("QR-RES-01", 2), ("R-GISLIT", 7)]
    with conn() as c:
        checked = check(c, "QR-RES-01", HELD)
        ref = standard_ref(c, "QR-RES-01")
        kpi = find_kpi(c, "KPI-YLD")
    assert checked.outcome.reason == "Cu + 8 * Sn = 0.446 % > 0.38 %"
    assert checked.rule is not None
    assert (ref, checked.rule.version) == (checked.rule.ref, 2)
    assert kpi is not None
    assert kpi[0].formulas[0].at == "slab_caster"


def test_the_hub_sees_what_the_plant_runs_under_the_same_hash(group: Any, conn: Any) -> None:
    group.release(*PACK)
    group.sync()
    with conn() as c, read(group.hub.node.engine) as h:
        assert list_in_force(h, "ALD") == list_in_force(c, "ALD")
        assert find_adoption(h, "ALD").effective_hash == find_adoption(c, "ALD").effective_hash
        assert content_hash(h, "ALD") == content_hash(c, "ALD")
        assert json.loads(find_adoption(h, "ALD").equipment)["CC1"] == "slab_caster"


def test_without_an_adopted_rule_nothing_is_checked_and_that_is_said(group: Any, conn: Any) -> None:
    with conn() as c:
        assert find_rule(c, "QR-CHE-01") is None
        checked = check(c, "QR-CHE-01", HELD)
    assert (checked.rule, checked.outcome.outcome) == (None, "not_applicable")
    assert "nothing was checked" in checked.outcome.reason


def test_adopting_again_changes_nothing(group: Any) -> None:
    group.release(*PACK)
    group.sync()
    assert group.sync() is False
    assert service.adopt_pending(group.plant) is False


def test_a_new_version_takes_the_place_of_the_old_and_history_stays(group: Any, conn: Any) -> None:
    group.release("KPI-YLD-v2")
    group.sync()
    first_ms = group.clock.now_ms()
    group.clock.advance(3_600_000)
    group.release("KPI-YLD-v3")
    group.sync()
    with conn() as c:
        assert find_in_force(c, "ALD", "KPI-YLD").version == 3
        assert find_in_force(c, "ALD", "KPI-YLD", first_ms).version == 2
        assert find_in_force(c, "ALD", "KPI-YLD", first_ms - 1) is None


def test_the_bound_values_are_the_plants_own_or_the_defaults(group: Any, conn: Any) -> None:
    group.release("R-GISLIT-v7")
    group.sync()
    with conn() as c:
        assert parameter(c, "R-GISLIT", "CC1", "granularity") == "strand"
        assert parameter(c, "R-GISLIT", "CC1", "slab_length_mm") == 9300
        assert parameter(c, "R-GISLIT", "FM", "head_crop_kg") is None


def test_a_missing_class_is_listed_and_nothing_is_adopted(group: Any, conn: Any) -> None:
    group.change_model(unit=tuple(u for u in group.plant.model.unit if u.unit_class != "ladle_furnace"))
    group.release(*PACK)
    group.sync()
    assert group.in_force() == []
    with conn() as c, read(group.hub.node.engine) as h:
        row = find_rejection(c, "ALD")
        assert find_rejection(h, "ALD").reason == row.reason
    assert row.code == "standards.missing"
    assert json.loads(row.missing) == [
        "QR-CHE-01: no unit of class ladle_furnace",
        "QR-RES-01: no unit of class ladle_furnace",
        "R-GISLIT: no unit of class ladle_furnace",
    ]


def test_a_value_outside_the_allowed_range_is_listed(group: Any, conn: Any) -> None:
    unit = group.plant.model.get_unit("CC1")
    changed = unit.model_copy(update={"parameters": {**unit.parameters, "slab_length_mm": 12_000}})
    group.change_model(unit=tuple(changed if u.code == "CC1" else u for u in group.plant.model.unit))
    group.release("R-GISLIT-v7")
    group.sync()
    with conn() as c:
        assert (
            "CC1.slab_length_mm is 12000 in the plant model, allowed is 8800..9800 mm"
            in find_rejection(c, "ALD").reason
        )


def test_after_the_model_is_mended_the_same_assignment_is_adopted(group: Any, conn: Any) -> None:
    whole = group.plant.model.unit
    group.change_model(unit=tuple(u for u in whole if u.unit_class != "ladle_furnace"))
    group.release("QR-CHE-01-v5")
    group.sync()
    assert service.adopt_pending(group.plant) is False  # judged once, not at every look
    group.change_model(unit=whole)
    assert service.adopt_pending(group.plant) is True
    assert group.in_force() == [("QR-CHE-01", 5)]
    with conn() as c:
        assert find_rejection(c, "ALD") is None


def test_a_version_takes_hold_when_its_time_comes(group: Any) -> None:
    group.release("KPI-YLD-v2")
    group.sync()
    group.release("KPI-YLD-v3", effective_from_ms=group.clock.now_ms() + DAY_MS)
    group.sync()
    assert group.in_force() == [("KPI-YLD", 2)]
    group.clock.advance(DAY_MS - 1)
    assert service.adopt_pending(group.plant) is False
    group.clock.advance(1)
    assert service.adopt_pending(group.plant) is True
    assert group.in_force() == [("KPI-YLD", 3)]


def test_tampered_catalogue_is_refused_and_the_old_set_stays(group: Any, conn: Any) -> None:
    group.release("QR-CHE-01-v5")
    group.sync()
    group.release("QR-RES-01-v2")
    row = tables.catalogue
    with conn() as c:
        before = find_adoption(c, "ALD").effective_hash
    group.pull()
    with write(group.plant.node.engine) as c:
        envelope = json.loads(c.execute(select(row.c.envelope).where(row.c.version == 2)).scalar_one())
        envelope["signatures"] = envelope["signatures"][:1]
        c.execute(update(row).where(row.c.version == 2).values(envelope=json.dumps(envelope)))
    assert service.adopt_pending(group.plant) is True
    with conn() as c:
        rejection = find_rejection(c, "ALD")
        assert (rejection.code, find_adoption(c, "ALD").effective_hash) == ("standards.bad_signature", before)
    assert group.in_force() == [("QR-CHE-01", 5)]
    assert service.adopt_pending(group.plant) is False


@pytest.mark.fault(84)
def test_swapped_body_is_refused(group: Any, conn: Any) -> None:
    group.release("QR-CHE-01-v5")
    group.pull()
    table = tables.standard_version
    with write(group.plant.node.engine) as c:
        body = c.execute(select(table.c.body)).scalar_one()
        c.execute(update(table).values(body=body.replace("2200", "9900")))
    service.adopt_pending(group.plant)
    with conn() as c:
        assert find_rejection(c, "ALD").code == "standards.body_mismatch"
    assert group.in_force() == []


@pytest.mark.fault(76)
def test_rollback_to_an_older_catalogue_is_refused(group: Any, conn: Any) -> None:
    group.release("QR-CHE-01-v5")
    group.sync()
    group.release("QR-RES-01-v2")
    group.pull()
    with write(group.plant.node.engine) as c:
        c.execute(update(standards_trust).values(catalogue_version=9, timestamp_version=9))
    service.adopt_pending(group.plant)
    with conn() as c:
        assert find_rejection(c, "ALD").code == "standards.rollback"
    assert group.in_force() == [("QR-CHE-01", 5)]


@pytest.mark.fault(76)
@pytest.mark.parametrize(("floor", "code"), [(3, "standards.rollback"), (2, "")])
def test_a_restored_plant_takes_no_catalogue_older_than_its_anchor_knows_even_under_a_new_timestamp(
    group: Any, conn: Any, floor: int, code: str
) -> None:
    floors = TrustFloors("ALD")
    group.release("QR-CHE-01-v5")
    group.sync()
    with conn() as c:
        assert floors.read(c)["standards.catalogue_version"] == 1
    group.release("QR-RES-01-v2")
    group.pull()
    with write(group.plant.node.engine) as c:  # its database is of before; the anchor beside it is not
        floors.raise_to(c, {"standards.catalogue_version": floor})
        assert floors.read(c)["standards.catalogue_version"] == floor
    service.adopt_pending(group.plant)
    with conn() as c:
        found = find_rejection(c, "ALD")
        assert (found.code if found else "") == code
    assert len(group.in_force()) == (1 if code else 2)


def test_a_plant_without_a_root_adopts_nothing_until_it_has_one(group: Any) -> None:
    with write(group.plant.node.engine) as c:
        root = c.execute(select(peer.c.standards_root)).scalar_one()
        c.execute(update(peer).values(standards_root=""))
    group.release("QR-CHE-01-v5")
    assert group.sync() is False
    service.trust_root(group.plant, "HUB", root)
    assert service.adopt_pending(group.plant) is True
    assert group.in_force() == [("QR-CHE-01", 5)]
    group.root_keys = [new_key()]
    with pytest.raises(Refused):
        service.trust_root(group.plant, "HUB", group.root())


def test_the_trusted_catalogue_version_is_there_for_the_anchor(group: Any, conn: Any) -> None:
    with conn() as c:
        assert service.trusted_catalogue_version(c) == 0
        assert service.trust_state(c, group.plant) is None
    group.release("QR-CHE-01-v5")
    group.sync()
    with conn() as c:
        assert service.trusted_catalogue_version(c) == 1
        assert service.trust_state(c, group.plant).stale is False
    group.clock.advance(8 * DAY_MS)
    with conn() as c:
        assert service.trust_state(c, group.plant).stale is True
    assert group.in_force() == [("QR-CHE-01", 5)]  # production never stops by expiry


def test_the_plants_rows_are_the_same_after_a_rebuild(group: Any, conn: Any) -> None:
    group.release(*PACK)
    group.sync()
    declare(group)
    with conn() as c:
        before = content_hash(c, "ALD")
    with write(group.plant.node.engine) as c:
        rebuild(c, group.plant.journal.appliers, group.clock.now_ms())
    with conn() as c:
        assert content_hash(c, "ALD") == before


def declare(group: Any, **changes: Any) -> str:
    values = {
        "standard_id": "R-GISLIT",
        "parameter": "CC1.slab_length_mm",
        "value": "8500",
        "owner": "engineer.ald",
        "reason": "torch rail is repaired",
        "expires_ms": group.clock.now_ms() + DAY_MS,
        "actor": "p1",
        "command_id": group.command(),
    }
    return service.declare(group.plant, **{**values, **changes})


def test_a_deviation_changes_the_effective_set_until_it_expires(group: Any, conn: Any) -> None:
    group.release(*PACK)
    group.sync()
    with conn() as c:
        before = find_adoption(c, "ALD").effective_hash
    deviation_id = declare(group)
    with conn() as c:
        assert parameter(c, "R-GISLIT", "CC1", "slab_length_mm") == 8500
        assert find_adoption(c, "ALD").effective_hash != before
        assert [d.deviation_id for d in list_deviations(c, "ALD", group.clock.now_ms())] == [deviation_id]
    group.clock.advance(DAY_MS)
    assert service.adopt_pending(group.plant) is True
    with conn() as c:
        assert parameter(c, "R-GISLIT", "CC1", "slab_length_mm") == 9300
        assert find_adoption(c, "ALD").effective_hash == before


def test_a_deviation_can_be_ended_early(group: Any, conn: Any) -> None:
    group.release("R-GISLIT-v7")
    group.sync()
    deviation_id = declare(group)
    service.end(group.plant, deviation_id, "rail is repaired", "p1", "e1")
    with conn() as c:
        assert parameter(c, "R-GISLIT", "CC1", "slab_length_mm") == 9300
    with pytest.raises(NotFound):
        service.end(group.plant, deviation_id, "again", "p1", "e2")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"standard_id": "R-NONE"}, NotFound),
        ({"parameter": "CC1.colour"}, NotFound),
        ({"value": "long"}, BadInput),
        ({"value": "12.5"}, BadInput),
        ({"expires_ms": 0}, BadInput),
        ({"expires_ms": 1 << 50}, BadInput),
    ],
)
def test_a_deviation_that_makes_no_sense_is_refused(group: Any, changes: dict, error: type[Exception]) -> None:
    group.release("R-GISLIT-v7")
    group.sync()
    with pytest.raises(error):
        declare(group, **changes)


def test_the_same_parameter_cannot_deviate_twice(group: Any) -> None:
    group.release("R-GISLIT-v7")
    group.sync()
    declare(group)
    with pytest.raises(Refused):
        declare(group, value="8600")


def test_a_deviation_command_given_twice_is_done_once(group: Any) -> None:
    group.release("R-GISLIT-v7")
    group.sync()
    assert declare(group, command_id="same") == declare(group, command_id="same")


def test_the_tree_of_reasons_in_force_is_what_people_choose_from(group: Any, conn: Any) -> None:
    with conn() as c:
        assert performance.reasons(c) == []
    group.release("RT-DELAY-v1")
    group.sync()
    with conn() as c:
        assert ("ME-TAB", "Roller table") in performance.reasons(c)
    with pytest.raises(BadInput, match="no reason of the tree in force here"):
        performance.correct_stop(group.plant, "s1", "ME-ZZZ", "", actor="olek", command_id="c1")
    with pytest.raises(NotFound, match="No stop"):
        performance.correct_stop(group.plant, "s1", "ME-TAB", "", actor="olek", command_id="c2")
