"""The words of the protocol as the first release wrote them: read for ever, and written so where nothing new is said."""

from __future__ import annotations

import json

import msgspec
import pytest

from sync import messages
from sync.messages import Enrol, Enrolled, Hello, Message, Pull, Receipt, Seal, Welcome

E, N, S, H, K = "e" * 32, "0" * 32, "5" * 32, "a" * 64, "b" * 64
ENVELOPE = {"proto": 1, "node": "ALD", "audience": "HUB", "sent_ms": 1_773_205_200_000}
BRANCH = {"epoch": "d" * 32, "seq": 9, "hash": H}
STATE = {"stream": "ALD", "epoch": E, "seq": 4, "hash": K, "parent": BRANCH}
WORDS: dict[type[Message], dict[str, object]] = {
    Hello: {
        "oldest_proto": 1,
        "instance": N,
        "nonce": S,
        "epochs": [STATE],
        "copies": [{"stream": "HUB>ALD", "epoch": E, "seq": 2, "hash": H}],
        "facts": {"MaterialMoved": 1},
        "backlog": 3,
        "standards": "7",
    },
    Welcome: {
        "nonce": N,
        "incarnation": E,
        "session": S,
        "holds": [STATE],
        "epochs": [],
        "entries_max": 2_000,
        "raw_bytes_max": 2_097_152,
        "facts": {},
    },
    Seal: {
        "kind": "batch",
        "stream": "ALD",
        "epoch": E,
        "parent": None,
        "from": 1,
        "to": 4,
        "prev": "0" * 64,
        "head": K,
        "bytes": H,
        "complete_through": 5,
        "incarnation": E,
        "session": S,
        "key": "k",
    },
    Receipt: {
        "answer": "stored",
        "incarnation": E,
        "session": S,
        "stream": "ALD",
        "epoch": E,
        "durable": 4,
        "hash": K,
        "seal": H,
        "credit": 200,
    },
    Pull: {
        "incarnation": E,
        "session": S,
        "stream": "HUB>ALD",
        "copies": [],
        "wait_ms": 25_000,
        "entries_max": 2_000,
        "nonce": N,
    },
    Enrol: {"token": "t" * 8, "public_key": H, "name": "Alder", "nonce": N},
    Enrolled: {"public_key": H, "nonce": N, "standards_root": "r", "plant_fingerprint": "f"},
}


@pytest.mark.parametrize("kind", WORDS, ids=lambda kind: kind.__name__)
def test_a_message_of_the_first_release_is_read_and_written_alike(kind: type[Message]) -> None:
    words = ENVELOPE | WORDS[kind]
    message = msgspec.json.decode(json.dumps(words), type=kind)
    assert json.loads(msgspec.json.encode(message)) == words


@pytest.mark.parametrize("kind", WORDS, ids=lambda kind: kind.__name__)
def test_a_message_that_lacks_a_word_is_none(kind: type[Message]) -> None:
    words = ENVELOPE | WORDS[kind]
    for name in words.keys() - {"backlog", "standards", "credit"}:
        with pytest.raises(msgspec.ValidationError, match=name):
            msgspec.json.decode(json.dumps({k: v for k, v in words.items() if k != name}), type=kind)


def test_what_a_first_release_left_out_means_nothing() -> None:
    hello = msgspec.json.decode(
        json.dumps(ENVELOPE | {k: v for k, v in WORDS[Hello].items() if k not in ("backlog", "standards")}), type=Hello
    )
    assert (hello.backlog, hello.standards) == (0, "")
    receipt = ENVELOPE | {k: v for k, v in WORDS[Receipt].items() if k != "credit"}
    assert msgspec.json.decode(json.dumps(receipt), type=Receipt).credit == 0


@pytest.mark.parametrize("answer", ["stored", "gap", "fork", "superseded"])
def test_a_receipt_gives_one_of_four_answers(answer: str) -> None:
    words = ENVELOPE | WORDS[Receipt] | {"answer": answer}
    assert msgspec.json.decode(json.dumps(words), type=Receipt).answer == answer
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(json.dumps(words | {"answer": answer.upper()}), type=Receipt)


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({"token": "t" * 8}, True),
        ({"token": "t" * 7}, False),
        ({"token": "t" * 200}, True),
        ({"token": "t" * 201}, False),
        ({"name": "n" * 200}, True),
        ({"name": "n" * 201}, False),
        ({"public_key": "A" * 64}, False),
    ],
)
def test_an_enrolment_is_read_within_its_bounds(change: dict[str, str], fits: bool) -> None:
    words = json.dumps(ENVELOPE | WORDS[Enrol] | change)
    if fits:
        assert json.loads(msgspec.json.encode(msgspec.json.decode(words, type=Enrol)))[next(iter(change))]
    else:
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(words, type=Enrol)


def test_each_message_is_signed_under_a_type_of_its_own_that_never_changes() -> None:
    """A peer of another release verifies over these very words."""
    kinds = ("hello", "welcome", "seal", "receipt", "pull", "enrol", "enrolled")
    assert [getattr(messages, kind.upper()) for kind in kinds] == [
        f"application/vnd.strandline.{kind}+json" for kind in kinds
    ]
    assert (messages.ANY_HUB, messages.ZERO_HASH) == ("hub", "0" * 64)
