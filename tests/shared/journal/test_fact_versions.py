"""Old versions of a fact are lifted step by step to the one of today; new ones wait for an upgrade."""

from __future__ import annotations

import msgspec
import pytest

from shared.errors import BadInput
from shared.journal import fact as fact_module
from shared.journal import upcast as upcast_module
from shared.journal.fact import Payload, UnknownFact, decode, fact, readable, release_of
from shared.journal.upcast import lift, upcast


class Turned(Payload, frozen=True, kw_only=True):
    """Version 3: the mass in grams, the faces named."""

    piece: str
    mass_g: int
    faces: tuple[str, ...]


@pytest.fixture(autouse=True)
def three_versions(monkeypatch):
    """v1 said kilograms and nothing of faces, v2 one face, v3 faces."""
    for module, name in ((fact_module, "_TYPES"), (fact_module, "_NAMES"), (fact_module, "_SINCE")):
        monkeypatch.setattr(module, name, {})
    monkeypatch.setattr(upcast_module, "_STEPS", {})
    fact("Turned", version=3, since="0.3.0")(Turned)

    @upcast("Turned", 1)
    def with_face(old):
        return {"piece": old["piece"], "mass_g": old["mass_kg"] * 1000, "face": "top"}

    @upcast("Turned", 2)
    def with_faces(old):
        return {"piece": old["piece"], "mass_g": old["mass_g"], "faces": [old["face"]]}


def body(version, **payload):
    return msgspec.json.encode(
        {
            "fact_id": "f" * 32,
            "type": "Turned",
            "version": version,
            "author": "ALD",
            "actor": "p",
            "subjects": [{"id": "s", "prev": "e" * 32}],
            "occurred": {"at_ms": 1, "source": "manual"},
            "recorded_at_ms": 1,
            "payload": payload,
        }
    )


@pytest.mark.fault(69)
@pytest.mark.parametrize(
    ("version", "payload"),
    [
        (1, {"piece": "s", "mass_kg": 20}),
        (2, {"piece": "s", "mass_g": 20_000, "face": "top"}),
        (3, {"piece": "s", "mass_g": 20_000, "faces": ["top"]}),
    ],
)
def test_facts_of_three_releases_read_alike(version, payload):
    value = decode(body(version, **payload, said_later_and_not_known=1))
    assert value.payload == Turned(piece="s", mass_g=20_000, faces=("top",))
    assert value.previous == ("e" * 32,)


def test_versions_beyond_this_release_are_unknown_and_named():
    with pytest.raises(UnknownFact, match="Turned v4"):
        decode(body(4, piece="s"))
    assert readable() == {("Turned", 1), ("Turned", 2), ("Turned", 3)}
    assert (release_of("Turned", 3), release_of("Turned", 4)) == ("0.3.0", "")


@pytest.mark.parametrize("payload", [{"piece": "s"}, {"piece": "s", "mass_kg": None}])
def test_an_old_fact_that_no_step_can_take_cannot_be_read_and_is_no_crash(payload):
    with pytest.raises(msgspec.DecodeError, match="Turned v1 cannot be read as v2"):
        decode(body(1, **payload))
    with pytest.raises(msgspec.DecodeError):
        lift("Turned", 1, b"[1]")


def test_what_a_step_gives_is_checked_like_any_payload():
    with pytest.raises(msgspec.DecodeError):
        decode(body(2, piece=5, mass_g=1, face="top"))


def test_a_step_is_registered_once():
    with pytest.raises(TypeError, match="has an upcast already"):
        upcast("Turned", 1)(dict)


@pytest.mark.fault(64)
def test_a_fact_over_256_kib_is_refused_when_written_in_words(make_journal):
    from shared.db.engine import read
    from shared.journal.fact import FACT_BYTES_MAX, Draft, Occurred
    from shared.journal.tables import entry

    journal = make_journal("ALD")

    def draft(size):
        return Draft(Turned(piece="x" * size, mass_g=1, faces=()), ("s",), "p", Occurred(1, "manual"))

    with pytest.raises(BadInput, match="the limit is 262144") as refused, journal.work() as tx:
        tx.record(draft(FACT_BYTES_MAX))
    assert "store the large part as a file" in refused.value.todo
    with read(journal.engine) as conn:
        assert conn.execute(entry.select()).all() == []
    with journal.work() as tx:
        tx.record(draft(FACT_BYTES_MAX - 400))
