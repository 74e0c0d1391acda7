"""Verify and rebuild at the command line: words for people, exit code 2 for a journal that does not hold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from central_hub.wiring import init_hub
from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.journal.fact import Draft, Occurred
from shared.journal.tables import entry, fact
from shared.material.facts import Mass, MaterialCreated, MaterialMoved, NewMaterial
from shared.material.tables import material
from shared.settings import HubSettings
from sync.journal_commands import JournalBroken, rebuild_journal, verify_journal
from sync.tables import seal

ROOT = Path(__file__).parents[2]
PIECE = "a" * 32


@pytest.fixture
def hub(tmp_path):
    made = init_hub(HubSettings(code="HUB", name="Hub", folder=tmp_path / "hub"), FixedClock(1_773_205_200_000))
    new = NewMaterial(material_id=PIECE, kind="slab", aliases=(), mass=Mass(1, "weighed"))
    for payload in (MaterialCreated(material=new, origin="made"), MaterialMoved(material_id=PIECE, place="yard")):
        with made.journal.work() as tx:
            tx.record(Draft(payload=payload, subjects=(PIECE,), actor="p", occurred=Occurred(1, "manual")))
    return made


def break_journal(hub):
    with write(hub.node.engine) as conn:
        for name in conn.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
            conn.execute(text(f"DROP TRIGGER {name}"))
        second = conn.execute(select(entry.c.fact_id).where(entry.c.seq == 2)).scalar_one()
        body = conn.execute(select(fact.c.body).where(fact.c.fact_id == second)).scalar_one()
        conn.execute(update(fact).where(fact.c.fact_id == second).values(body=body.replace(b"yard", b"Yard")))


def run(hub, tmp_path, verb, *more):
    file = tmp_path / "hub.toml"
    file.write_text(f'code = "HUB"\nname = "Hub"\nfolder = "{tmp_path / "hub"}"\n')
    code = "from shared.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, "hub", "journal", verb, "--config", str(file), *more],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )


def test_a_sound_journal_is_said_to_hold(hub, tmp_path):
    result = run(hub, tmp_path, "verify")
    assert result.returncode == 0, result.stderr
    assert result.stdout == "The journal of HUB holds: 2 entries chained, 0 seals signed.\n"


def test_a_changed_byte_is_named_in_one_paragraph_with_exit_code_2(hub, tmp_path):
    break_journal(hub)
    result = run(hub, tmp_path, "verify")
    assert result.returncode == 2
    assert result.stdout == ""
    assert "stream HUB, epoch " in result.stderr
    assert "entry 2: its bytes or its hash were changed" in result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_rebuild_says_whether_the_rows_came_out_the_same(hub, tmp_path):
    result = run(hub, tmp_path, "rebuild")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("2 facts applied, 0 quarantined, 0 parked, 0 held.\nHUB: ")
    assert "(the same)" in result.stdout
    with write(hub.node.engine) as conn:
        conn.execute(update(material).values(place="nowhere"))
    assert "mended" in rebuild_journal(hub.node)
    with read(hub.node.engine) as conn:
        assert conn.execute(select(material.c.place)).scalar_one() == "yard"


def test_kept_seals_are_proven_too(kit):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    plant.create(4)
    kit.drain(kit.caller(plant, kit.memory(hub)), entries_max=2)
    for box in (hub, plant):
        assert verify_journal(box.node).endswith("4 entries chained, 3 seals signed.")
    with write(hub.node.engine) as conn:
        row = conn.execute(select(seal).where(seal.c.last == 2)).one()
        flipped = bytes(row.envelope).replace(b'"sig":"', b'"sig":"A', 1)
        conn.execute(update(seal).where(seal.c.last == 2).values(envelope=flipped))
    with pytest.raises(JournalBroken, match="entry 2: its seal does not hold"):
        verify_journal(hub.node)


def test_a_seal_that_names_another_hash_than_is_held_is_found(kit):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    plant.create(4)
    kit.drain(kit.caller(plant, kit.memory(hub)), entries_max=2)
    with write(hub.node.engine) as conn:
        first, second = conn.execute(select(seal).where(seal.c.kind == "batch").order_by(seal.c.last)).all()
        conn.execute(
            update(seal)
            .where(seal.c.last == second.last, seal.c.kind == "batch")
            .values(envelope=first.envelope, last=second.last)
        )
    assert verify_journal(plant.node)
    with write(hub.node.engine) as conn:
        conn.execute(text("DROP TRIGGER entry_no_UPDATE"))
        conn.execute(update(entry).where(entry.c.seq == 2).values(hash="b" * 64))
    with pytest.raises(JournalBroken) as broken:
        verify_journal(hub.node)
    assert "as the hash at entry 2" in broken.value.what


def test_the_archive_command_says_what_it_did_and_takes_whole_days_only(hub, tmp_path):
    done = run(hub, tmp_path, "archive")
    assert (done.returncode, done.stderr) == (0, "")
    assert "the archive is as it was" in done.stdout
    refused = run(hub, tmp_path, "archive", "--older-than", "0")
    assert refused.returncode == 2
    assert "--older-than" in refused.stderr
