"""A plant's key in somebody else's hands: it shows, and what was signed with it from a number on goes."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from shared.cli import cli
from shared.db.engine import read, write
from shared.errors import BadInput, NotFound, Refused
from shared.journal.reading import lives
from shared.journal.tables import entry_abandoned, fact
from shared.journal.verify import verify
from sync.errors import BadSeal, PeerHeld
from sync.peers import trust_peer
from sync.rekeying import renew_key
from sync.revoking import revoke_from
from sync.tables import incident


@pytest.fixture
def robbed(kit):
    """ALD with five facts at the hub, and a hub that took three forged ones under its key since."""
    plant, hub = kit.plant(), kit.hub()
    kit.enrol(plant, hub)
    plant.create(5)
    kit.drain(kit.caller(plant, kit.memory(hub)), heartbeat=False)
    hub.apply()
    honest = hub.hash_of("ALD")
    caller = kit.caller(plant, kit.memory(hub))
    session = caller.hello()
    with read(plant.node.engine) as conn:
        life = lives(conn, "ALD")[-1]
    forged = [kit.raw_fact(n) for n in range(3)]
    hub.desk.push(kit.forge(plant, session, forged, first=6, prev=life.hash, epoch=life.epoch))
    hub.apply()
    return plant, hub, life, honest


def kinds(box):
    with read(box.node.engine) as conn:
        return conn.execute(select(incident.c.kind)).scalars().all()


@pytest.mark.fault(85)
def test_forged_facts_are_taken_under_a_good_signature_and_go_when_the_key_is_revoked_from_their_number(kit, robbed):
    plant, hub, life, honest = robbed
    assert hub.entries_of("ALD") == 8, "the signature is good: nothing else could tell"
    assert hub.hash_of("ALD") != ""
    plant.create(2)  # the plant knows of nothing
    with write(hub.node.engine) as conn:
        done = revoke_from(conn, hub.node, "ALD", life.epoch, 6)
    assert (done.first, done.last, done.passed_on) == (6, 8, ())
    assert hub.hash_of("ALD") == honest
    assert "revoked_from" in kinds(hub)
    with read(hub.node.engine) as conn:
        assert conn.execute(select(entry_abandoned.c.seq, entry_abandoned.c.fate)).all() == [
            (seq, "revoked") for seq in (6, 7, 8)
        ]
        assert verify(conn).findings == ()
    with pytest.raises(PeerHeld, match="revoked"):
        kit.caller(plant, kit.memory(hub)).hello()
    goes_on_with_a_new_key(kit, plant, hub)


def goes_on_with_a_new_key(kit, plant, hub):
    """The plant's own history, before and after the theft, is all there, and the old key is worth nothing."""
    stolen = plant.node.key
    renew_key(plant.node)
    again = kit.plant()
    assert again.node.key.id != stolen.id
    kit.enrol(again, hub)
    kit.drain(kit.caller(again, kit.memory(hub)))
    hub.apply()
    assert hub.entries_of("ALD") == again.entries_of("ALD") == 7
    assert hub.hash_of("ALD") == again.hash_of("ALD")
    with read(again.node.engine) as here, read(hub.node.engine) as there:
        mine, theirs = (set(conn.execute(select(fact.c.fact_id)).scalars()) for conn in (here, there))
        assert verify(here).findings == verify(there).findings == ()
    assert mine == theirs
    caller = kit.caller(again, kit.memory(hub))
    object.__setattr__(caller, "key", stolen)
    with pytest.raises(BadSeal, match="No enrolled node"):
        caller.hello()


@pytest.mark.fault(85)
def test_a_thief_and_the_plant_taking_turns_are_held_both(kit):
    plant, hub = kit.plant(), kit.hub()
    kit.enrol(plant, hub)
    plant.create(3)
    kit.drain(kit.caller(plant, kit.memory(hub)))
    elsewhere = type(kit)(kit.folder / "elsewhere", kit.clock)
    bare = elsewhere.plant()
    bare.node.engine.dispose()
    bare.node.settings.key_file.write_bytes(plant.node.settings.key_file.read_bytes())  # nothing but the key
    thief = elsewhere.plant()
    with write(thief.node.engine) as conn:
        trust_peer(conn, "HUB", hub.node.key.public, 1)
    callers = [box_caller.caller(box, kit.memory(hub)) for box_caller, box in ((kit, plant), (elsewhere, thief))]
    held_at = None
    for turn in range(8):
        box = (plant, thief)[turn % 2]
        box.create(1)
        try:
            kit.drain(callers[turn % 2])
        except PeerHeld:
            held_at = turn
            break
    assert held_at is not None
    assert held_at <= 4
    assert "clone_suspect" in kinds(hub)
    before = plant.entries_of("ALD")
    plant.create(2)
    assert plant.entries_of("ALD") == before + 2, "the plant produces on"


def test_a_stream_is_taken_back_only_where_a_batch_begins_and_nobody_has_built_on_it(kit, robbed):
    plant, hub, life, _ = robbed
    for code, epoch, first, error in (
        ("BRK", life.epoch, 6, NotFound),
        ("ALD", "0" * 32, 6, BadInput),
        ("ALD", life.epoch, 9, BadInput),
        ("ALD", life.epoch, 7, BadInput),  # inside the forged batch
    ):
        with pytest.raises(error), write(hub.node.engine) as conn:
            revoke_from(conn, hub.node, code, epoch, first)
    assert hub.entries_of("ALD") == 8
    kit.drain(kit.caller(plant, kit.memory(hub)))  # the plant takes the tail for its own, as after a restore
    with pytest.raises(Refused, match="built on it"), write(hub.node.engine) as conn:
        revoke_from(conn, hub.node, "ALD", life.epoch, 6)


def test_a_batch_that_was_passed_on_names_who_has_it(kit, robbed):
    _, hub, life, _ = robbed
    with write(hub.node.engine) as conn:
        trust_peer(conn, "BRK", b"b" * 32, 1)
        passed = conn.execute(select(fact.c.fact_id).order_by(fact.c.recorded_at_ms).limit(1)).scalar_one()
    with hub.node.journal.work() as tx:
        tx.relay(passed, "HUB>BRK")
    with write(hub.node.engine) as conn:
        done = revoke_from(conn, hub.node, "ALD", life.epoch, 6)
    assert done.passed_on == ("BRK",)
    assert "Passed on before to BRK" in str(done)


def test_both_words_of_the_command_go_together():
    runner = CliRunner()
    done = runner.invoke(cli, ["hub", "peer", "revoke", "ALD", "--from", "6", "--config", "nowhere.toml"])
    assert done.exit_code != 0
