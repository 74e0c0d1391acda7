"""Nodes of different releases: what they agree on, what waits for an upgrade, and what people are told meanwhile."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import select

from shared.db.engine import read, write
from shared.ids import random_key
from shared.journal import fact as fact_module
from shared.journal.fact import Payload, decode
from shared.journal.quarantine import count_by_state
from shared.journal.tables import fact
from shared.web.status import protocol_line
from sync import link, understanding
from sync.errors import WrongProtocol
from sync.messages import HELLO, WELCOME, Hello, Welcome
from sync.seal import open_signed, sign
from sync.tables import incident
from sync.understanding import Lacking, agree, fact_versions, list_lacking


class InventedLater(Payload, frozen=True, kw_only=True):
    """What a newer release says."""

    material_id: str


@pytest.mark.fault(67)
@pytest.mark.parametrize(
    ("mine", "theirs", "agreed"),
    [
        ((1, 1), (1, 1), 1),
        ((1, 3), (2, 4), 3),
        ((2, 4), (1, 3), 3),
        ((1, 3), (3, 5), 3),
        ((3, 5), (1, 3), 3),
        ((1, 2), (3, 5), None),
        ((3, 5), (1, 2), None),
    ],
)
def test_the_newest_protocol_that_both_speak(mine, theirs, agreed):
    assert agree(mine, theirs) == agreed


def hello_of(plant, **changes) -> bytes:
    values = dict(
        proto=1,
        oldest_proto=1,
        node="ALD",
        audience="HUB",
        sent_ms=1,
        instance=random_key(),
        nonce=random_key(),
        epochs=(),
        copies=(),
        facts=fact_versions(),
    )
    return sign(plant.node.key, HELLO, Hello(**{**values, **changes}))


@pytest.mark.fault(67)
def test_a_plant_that_shares_no_protocol_produces_on_and_both_ends_say_what_to_do(kit, monkeypatch):
    """The hub gave up protocol 1; a plant of an old release goes on, its facts wait, and go up after its upgrade."""
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    monkeypatch.setattr(understanding, "PROTOCOL_OLDEST", 2)
    monkeypatch.setattr(understanding, "PROTOCOL", 3)
    exchange = kit.exchange(plant, kit.memory(hub))
    kit.closing.clear()  # its threads are never started
    with pytest.raises(WrongProtocol, match="ALD speaks protocol 1-1, this node 2-3") as refused:
        exchange._hello()
    assert (refused.value.status, refused.value.todo) == (426, "Upgrade ALD.")
    exchange._note_away(refused.value)
    plant.create(3)
    with read(plant.node.engine) as conn:
        line = link.report_link(conn, "ALD", "HUB")
    assert (line.state, line.waiting) == (link.OTHER_PROTOCOL, 3)
    assert protocol_line("05:00", 3).state == "alarm"
    with read(hub.node.engine) as conn:
        said = conn.execute(select(incident)).mappings().one()
    assert (said["peer"], said["kind"]) == ("ALD", "protocol")
    assert "Upgrade ALD; its facts wait" in said["what"]
    monkeypatch.setattr(understanding, "PROTOCOL_OLDEST", 1)
    kit.drain(kit.caller(plant, kit.memory(hub)))
    assert hub.apply() == 3


@pytest.mark.fault(67)
def test_a_hub_that_is_too_old_says_that_it_is_the_hub(kit):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    with pytest.raises(WrongProtocol, match="8-9") as refused:
        kit.memory(hub).send("hello", hello_of(plant, proto=9, oldest_proto=8))
    assert refused.value.todo == "Upgrade this node (ALD is newer)."


def test_a_newer_peer_is_answered_in_the_version_that_both_speak(kit, monkeypatch):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    caller = kit.caller(plant, kit.memory(hub))
    monkeypatch.setattr(understanding, "PROTOCOL", 3)
    answer = caller.transport.send("hello", hello_of(plant, proto=2))
    assert open_signed(answer, WELCOME, Welcome, caller.peer.trusted, "ALD").proto == 2


@pytest.mark.fault(68)
def test_facts_newer_than_the_hub_wait_there_whole_and_apply_in_order_after_its_upgrade(kit, monkeypatch):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    session = kit.caller(plant, kit.memory(hub)).hello()
    later = kit.raw_fact(1, type="InventedLater", payload={"material_id": "m1"})
    behind = kit.raw_fact(2, subjects=[{"id": "m1", "prev": None}], payload={"material_id": "m1", "place": "YB"})
    kit.memory(hub).send("push", kit.forge(plant, session, [later, behind, kit.raw_fact(3)]))
    assert hub.apply() == 1
    with read(hub.node.engine) as conn:
        assert count_by_state(conn, "ALD") == {"quarantined": 0, "parked": 1, "held": 1}
        assert bytes(conn.execute(select(fact.c.body).where(fact.c.type == "InventedLater")).scalar_one()) == later
    heard = upgrade(hub, monkeypatch)
    assert hub.ground.applying.retry_set_aside() == 2
    assert heard == ["InventedLater m1"]
    with read(hub.node.engine) as conn:
        assert count_by_state(conn, "ALD") == {"quarantined": 0, "parked": 0, "held": 0}


def upgrade(hub, monkeypatch) -> list[str]:
    """A release that knows the new fact."""
    heard: list[str] = []
    monkeypatch.setitem(fact_module._TYPES, ("InventedLater", 1), InventedLater)
    monkeypatch.setitem(
        hub.node.journal.appliers._by_type,
        InventedLater,
        lambda _conn, facts: heard.extend(f"InventedLater {f.payload.material_id}" for f in facts),
    )
    return heard


@pytest.mark.fault(70)
def test_a_hub_that_goes_back_a_release_parks_what_it_no_longer_reads_and_loses_nothing(kit):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    wire, session = kit.memory(hub), kit.caller(plant, kit.memory(hub)).hello()
    epoch = random_key()
    bodies = [kit.raw_fact(n, type="InventedLater", payload={"material_id": f"m{n}"}) for n in (1, 2)]
    first = kit.forge(plant, session, bodies[:1], epoch=epoch)
    with pytest.MonkeyPatch.context() as newer:
        upgrade(hub, newer)
        wire.send("push", first)
        assert hub.apply() == 1
    wire.send("push", kit.forge(plant, session, bodies, epoch=epoch))
    assert hub.apply() == 0
    with read(hub.node.engine) as conn:
        assert count_by_state(conn, "ALD") == {"quarantined": 0, "parked": 1, "held": 0}
        kept = conn.execute(select(fact.c.body).order_by(fact.c.recorded_at_ms)).scalars()
        assert [bytes(body) for body in kept] == bodies
    with pytest.MonkeyPatch.context() as again:
        heard = upgrade(hub, again)
        assert hub.ground.applying.retry_set_aside() == 1
    assert heard == ["InventedLater m2"]


def test_the_hub_sees_what_a_plant_of_an_older_release_cannot_install(kit, monkeypatch):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    (piece,) = hub.create()
    with write(hub.node.engine) as conn:
        (created,) = conn.execute(select(fact.c.fact_id)).scalars()
    with hub.node.journal.work() as tx:
        tx.relay(created, "HUB>ALD")
    with read(hub.node.engine) as conn:
        assert list_lacking(conn, "ALD", "HUB>ALD") == []  # it has said nothing yet
    old = {name: version for name, version in fact_versions().items() if name != "MaterialCreated"}
    monkeypatch.setitem(fact_module._TYPES, ("MaterialMoved", 2), fact_module._TYPES["MaterialMoved", 1])
    monkeypatch.setitem(fact_module._SINCE, ("MaterialMoved", 2), "0.7.0")
    kit.memory(hub).send("hello", hello_of(plant, facts=old))
    with read(hub.node.engine) as conn:
        found = list_lacking(conn, "ALD", "HUB>ALD")
    assert found == [
        Lacking("MaterialCreated", 1, 0, "0.1.0", 1),
        Lacking("MaterialMoved", 2, 1, "0.7.0", 0),
    ]
    assert found[0].says == "MaterialCreated v1: does not know it, 1 sent. Cannot install: needs release 0.1.0."
    assert found[1].says.endswith("reads v1, none sent yet. Cannot install: needs release 0.7.0.")
    kit.memory(hub).send("hello", hello_of(plant))
    with read(hub.node.engine) as conn:
        assert list_lacking(conn, "ALD", "HUB>ALD") == []
    assert piece


def test_each_end_keeps_what_the_other_said_of_itself(kit):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    kit.caller(plant, kit.memory(hub)).hello()
    for box, peer in ((hub, "ALD"), (plant, "HUB")):
        with read(box.node.engine) as conn:
            row = conn.execute(select(understanding.understanding)).mappings().one()
        assert (row["peer"], row["proto"]) == (peer, 1)
        assert msgspec.json.decode(row["facts"]) == fact_versions()


def test_fields_that_a_newer_release_added_are_kept_and_do_not_disturb(kit):
    body = kit.raw_fact(1, payload={"material_id": "m1", "place": "YA", "said_later": 1}, said_later={"a": 1})
    assert decode(body).payload.place == "YA"
