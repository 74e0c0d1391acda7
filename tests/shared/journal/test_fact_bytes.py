"""A fact's bytes and its place in the chain, as they were from the first release on: no release may make them otherwise."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec
import pytest

from shared.errors import BadInput
from shared.journal import fact as facts
from shared.journal.chain import GENESIS, chain, next_hash
from shared.journal.fact import (
    Fact,
    Occurred,
    Payload,
    StandardRef,
    Subject,
    UnknownFact,
    decode,
    decode_envelope,
    encode,
    encode_payload,
    fact,
    registered,
    release_of,
    type_of,
)

EPOCH = "0123456789abcdef" * 2


class Turned(Payload, frozen=True, kw_only=True):
    """A payload of these tests."""

    face: str
    by_um: int = 0


@pytest.fixture(autouse=True)
def vocabulary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "_TYPES", dict(facts._TYPES))
    monkeypatch.setattr(facts, "_NAMES", dict(facts._NAMES))
    monkeypatch.setattr(facts, "_SINCE", dict(facts._SINCE))
    fact("Turned")(Turned)


def made(**changes: Any) -> Fact:
    values: dict[str, Any] = {
        "fact_id": EPOCH,
        "type": "Turned",
        "version": 1,
        "author": "ALD",
        "actor": "p1",
        "subjects": (Subject("m1", "f" * 32), Subject("m2")),
        "occurred": Occurred(5, "l2:CC1", 60),
        "recorded_at_ms": 7,
        "causes": ("c" * 32,),
        "standard": StandardRef("QR-1", 2, "a" * 64),
        "payload": encode_payload(Turned(face="top", by_um=3)),
    }
    return Fact(**(values | changes))


BYTES = (
    b'{"fact_id":"0123456789abcdef0123456789abcdef","type":"Turned","version":1,"author":"ALD","actor":"p1",'
    b'"subjects":[{"id":"m1","prev":"ffffffffffffffffffffffffffffffff"},{"id":"m2","prev":null}],'
    b'"occurred":{"at_ms":5,"source":"l2:CC1","offset_min":60},"recorded_at_ms":7,'
    b'"causes":["cccccccccccccccccccccccccccccccc"],"standard":{"id":"QR-1","version":2,"hash":"' + b"a" * 64 + b'"},'
    b'"payload":{"face":"top","by_um":3}}'
)


def test_the_bytes_of_a_fact_are_these() -> None:
    assert encode(made()) == BYTES


def test_a_fact_comes_back_as_it_was_recorded() -> None:
    assert encode(decode_envelope(BYTES)) == BYTES
    read = decode(BYTES)
    assert (read.fact_id, read.type, read.author, read.actor, read.recorded_at_ms) == (EPOCH, "Turned", "ALD", "p1", 7)
    assert (read.subjects, read.causes) == (("m1", "m2"), ("c" * 32,))
    assert (read.occurred, read.standard) == (Occurred(5, "l2:CC1", 60), StandardRef("QR-1", 2, "a" * 64))
    assert read.payload == Turned(face="top", by_um=3)


def test_what_a_fact_need_not_say_means_nothing() -> None:
    words = json.loads(BYTES)
    for name in ("causes", "standard"):
        del words[name]
    del words["occurred"]["offset_min"], words["subjects"][0]["prev"]
    read = decode(json.dumps(words).encode())
    assert (read.causes, read.standard, read.occurred.offset_min) == ((), None, 0)
    for name in ("fact_id", "type", "version", "author", "actor", "subjects", "occurred", "recorded_at_ms", "payload"):
        with pytest.raises(msgspec.ValidationError, match=name):
            decode_envelope(json.dumps({k: v for k, v in words.items() if k != name}).encode())


@pytest.mark.parametrize("change", [{"type": "Unheard"}, {"version": 2}])
def test_a_type_or_version_never_heard_of_is_named(change: dict[str, Any]) -> None:
    with pytest.raises(UnknownFact, match=rf"{change.get('type', 'Turned')} v{change.get('version', 1)}"):
        decode(encode(made(**change)))


def test_a_name_has_one_meaning_for_ever() -> None:
    def another() -> type[Payload]:
        class Spun(Payload, frozen=True, kw_only=True):
            face: int

        return Spun

    with pytest.raises(TypeError, match="Turned v1 is registered twice"):
        fact("Turned")(another())
    fact("Turned", version=2, since="0.9.0")(another())
    assert registered()["Turned", 2].__name__ == "Spun"
    assert (registered()["Turned", 1], type_of(Turned(face="top"))) == (Turned, ("Turned", 1))
    assert (release_of("Turned", 1), release_of("Turned", 2), release_of("Turned", 3)) == ("0.1.0", "0.9.0", "")
    registered().clear()
    assert ("Turned", 1) in registered()  # what was given out was a copy


@pytest.mark.parametrize(
    ("text", "fits"),
    [("a\x00b", False), ("\\\x00", False), ("\\u0000", True), ("\\\\u0000", True), ("\x01", True)],
)
def test_a_text_with_a_nul_is_refused_and_one_that_only_looks_so_is_not(text: str, fits: bool) -> None:
    value = made(payload=encode_payload(Turned(face=text)))
    if fits:
        assert decode(encode(value)).payload.face == text
    else:
        with pytest.raises(BadInput) as refused:
            encode(value)
        assert refused.value.code == "journal.nul"


def test_the_chain_is_the_one_that_anybody_can_recompute() -> None:
    """sync-protocol 1.1, written out by hand: tag, epoch, stream, place, the hash before, the hash of the bytes."""
    parts = [b"strandline-chain-1", EPOCH.encode(), b"ALD", (258).to_bytes(8, "big"), bytes(32)]
    by_hand = hashlib.sha256(b"\x1f".join([*parts, hashlib.sha256(BYTES).digest()])).hexdigest()
    assert next_hash(EPOCH, "ALD", 258, GENESIS, BYTES) == by_hand
    others = {
        next_hash("f" * 32, "ALD", 258, GENESIS, BYTES),
        next_hash(EPOCH, "BRK", 258, GENESIS, BYTES),
        next_hash(EPOCH, "ALD", 259, GENESIS, BYTES),
        next_hash(EPOCH, "ALD", 258, "1" * 64, BYTES),
        next_hash(EPOCH, "ALD", 258, GENESIS, BYTES + b" "),
    }
    assert len(others | {by_hand}) == 6


def test_a_run_of_hashes_is_each_after_the_other() -> None:
    bodies = [BYTES, b"", b"\x1f" * 40]
    expected, previous = [], GENESIS
    for seq, body in enumerate(bodies, start=7):
        previous = next_hash(EPOCH, "ALD", seq, previous, body)
        expected.append(previous)
    assert chain(EPOCH, "ALD", 7, GENESIS, bodies) == expected
    assert chain(EPOCH, "ALD", 7, GENESIS, []) == []
