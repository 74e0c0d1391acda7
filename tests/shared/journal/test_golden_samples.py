"""Every fact that any release ever wrote is read for ever, and comes to what it always came to (tools/golden.py)."""

from __future__ import annotations

import pytest

from shared.journal.fact import decode_envelope, readable, registered
from shared.journal.upcast import steps
from tools.golden import FOLDER, body_of, digest, empty_node, load, outcome, read_lock, sample_name

LOCKED = read_lock()


@pytest.fixture(scope="module")
def node():
    with empty_node() as made:
        yield made


@pytest.mark.fault(69)
@pytest.mark.parametrize("name", LOCKED)
def test_a_stored_fact_is_unchanged_is_read_and_comes_to_the_same(node, name):
    conn, appliers = node
    sample = load(name)
    assert digest(sample) == LOCKED[name], f"{name} was changed: a fact that was written once is never written again"
    envelope = decode_envelope(body_of(sample))
    assert sample_name(envelope.type, envelope.version) == name
    found = outcome(conn, appliers, body_of(sample), [body_of(load(earlier)) for earlier in sample["before"]])
    assert found == {name: sample[name] for name in found}


def test_every_type_and_version_that_is_read_has_its_sample():
    mine = {key for key in readable() if key in steps() or registered()[key].__module__.startswith("shared.")}
    missing = sorted(mine - {_key(name) for name in LOCKED})
    assert missing == [], "run python -m tools.golden"


def test_every_sample_that_was_ever_locked_is_still_there_and_still_read():
    assert sorted(path.name for path in FOLDER.glob("*.json")) == sorted(LOCKED)
    assert sorted({_key(name) for name in LOCKED} - readable()) == []


def test_every_old_version_has_its_way_up_to_the_newest():
    newest = {}
    for name, version in registered():
        newest[name] = max(version, newest.get(name, 0))
    for name, version in {_key(sample) for sample in LOCKED}:
        assert all((name, v) in steps() for v in range(version, newest[name])), f"{name} v{version} has no upcast"


def _key(name: str) -> tuple[str, int]:
    kind, version, _ = name.split(".")
    return kind, int(version.removeprefix("v"))
