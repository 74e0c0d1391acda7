"""Signed messages: what a signature covers, what is refused before and after it, in pure functions."""

from __future__ import annotations

import base64
from dataclasses import dataclass

import msgspec
import pytest

from shared.keys import new_key
from sync.errors import BadSeal, Malformed, OverLimit
from sync.limits import HEAD_BYTES_MAX
from sync.messages import ENROL, PULL, SEAL, ZERO_HASH, Enrol, Pull, Seal
from sync.seal import digest, open_seal, open_self_signed, open_signed, parse, read_envelope, sign

HEX = "0123456789abcdef" * 2


def make_seal(**changes) -> Seal:
    values = dict(
        proto=1,
        node="ALD",
        audience="HUB",
        sent_ms=1,
        kind="batch",
        stream="ALD",
        epoch=HEX,
        parent=None,
        first=1,
        last=2,
        prev=ZERO_HASH,
        head="a" * 64,
        bytes=digest(b"entries"),
        complete_through=5,
        incarnation=HEX,
        session=HEX,
        key="k",
    )
    return Seal(**{**values, **changes})


@dataclass
class Keys:
    mine = new_key()
    other = new_key()

    @property
    def trusted(self):
        return {self.mine.id: self.mine.public}


@pytest.fixture(scope="module")
def keys():
    return Keys()


def test_a_seal_comes_back_as_it_was_signed(keys):
    seal = make_seal()
    assert open_seal(sign(keys.mine, SEAL, seal), keys.trusted, "HUB") == seal


def test_from_and_to_are_the_words_on_the_wire(keys):
    envelope = msgspec.json.decode(sign(keys.mine, SEAL, make_seal()))
    payload = msgspec.json.decode(base64.b64decode(envelope["payload"]))
    assert (payload["from"], payload["to"]) == (1, 2)
    assert "first" not in payload


def test_every_single_flipped_byte_of_an_envelope_is_refused(keys):
    raw = sign(keys.mine, SEAL, make_seal())
    for at in range(len(raw)):
        broken = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        with pytest.raises((BadSeal, Malformed)):
            open_seal(broken, keys.trusted, "HUB")


def test_a_strangers_signature_counts_for_nothing_even_under_a_trusted_key_id(keys):
    envelope = msgspec.json.decode(sign(keys.other, SEAL, make_seal()))
    envelope["signatures"][0]["keyid"] = keys.mine.id
    with pytest.raises(BadSeal):
        open_seal(msgspec.json.encode(envelope), keys.trusted, "HUB")


@pytest.mark.fault(86)
def test_a_message_for_another_node_is_not_taken(keys):
    with pytest.raises(BadSeal, match="Signed for 'HUB'"):
        open_seal(sign(keys.mine, SEAL, make_seal()), keys.trusted, "HUB2")


@pytest.mark.fault(87)
def test_a_signature_over_one_kind_of_message_is_none_over_another(keys):
    with pytest.raises(BadSeal):
        open_signed(sign(keys.mine, SEAL, make_seal()), PULL, Pull, keys.trusted, "HUB")


@pytest.mark.parametrize(
    "changes",
    [
        {"first": 0},  # entries are numbered from 1
        {"first": 3, "last": 2},  # an empty batch must call itself a heartbeat
        {"first": 9, "last": 2},  # runs backwards
        {"kind": "heartbeat"},  # a heartbeat with a range
        {"kind": "heartbeat", "first": 3, "head": "b" * 64},  # a heartbeat that moves the hash
        {"last": 1 << 63},
        {"last": -1},
        {"epoch": "no epoch"},
        {"head": "A" * 64},
        {"stream": "a stream"},
        {"stream": ""},
        {"complete_through": 1 << 60},
        {"kind": "other"},
    ],
)
@pytest.mark.fault(66)
def test_a_seal_that_contradicts_itself_or_the_bounds_is_malformed(keys, changes):
    with pytest.raises(Malformed):
        open_seal(sign(keys.mine, SEAL, make_seal(**changes)), keys.trusted, "HUB")


def test_a_heartbeat_at_the_head_is_in_order(keys):
    seal = make_seal(kind="heartbeat", first=3, last=2, prev="a" * 64)
    assert open_seal(sign(keys.mine, SEAL, seal), keys.trusted, "HUB").complete_through == 5


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"proto":1}',
        b"\xff\xfe",
        b'{"proto":NaN}',
        b"[" * 100_000,
        b'{"proto":1,"proto":1}',
        b'{"a":"\\ud800"}',
    ],
)
def test_bytes_that_are_no_message_are_malformed(payload):
    with pytest.raises(Malformed):
        parse(payload, Seal)


@pytest.mark.parametrize("depth", [1, 100_000])
def test_an_envelope_of_strange_depth_is_malformed_before_anyone_is_known(depth):
    strange = b'{"x":' + b"[" * depth + b"]" * depth + b"}"
    with pytest.raises(Malformed):
        read_envelope(strange)


@pytest.mark.fault(66)
def test_a_repeated_key_is_malformed_even_if_both_values_agree():
    text = msgspec.json.encode(make_seal())
    with pytest.raises(Malformed, match="twice"):
        parse(text[:-1] + b',"proto":1}', Seal)


def test_fields_of_later_releases_are_read_past():
    text = msgspec.json.encode(make_seal())
    assert parse(text[:-1] + b',"invented_later":[1]}', Seal) == make_seal()


def test_a_seal_over_the_limit_is_refused_by_its_size_alone(keys):
    with pytest.raises(OverLimit):
        open_seal(b" " * (HEAD_BYTES_MAX + 1), keys.trusted, "HUB")


def test_a_message_that_brings_its_own_key_must_be_signed_by_it(keys):
    request = Enrol(
        proto=1,
        node="ALD",
        audience="hub",
        sent_ms=1,
        token="t" * 32,
        public_key=keys.mine.public.hex(),
        name="Alder",
        nonce=HEX,
    )
    assert open_self_signed(sign(keys.mine, ENROL, request), ENROL, Enrol, "hub") == request
    with pytest.raises(BadSeal):
        open_self_signed(sign(keys.other, ENROL, request), ENROL, Enrol, "hub")


@pytest.mark.parametrize("payload", ["e30=!", "e3 0=", "e30", "\u00e9"])
def test_an_enrolment_whose_payload_is_not_base64_is_no_envelope(keys, payload):
    envelope = msgspec.json.decode(sign(keys.mine, ENROL, make_seal()))
    with pytest.raises(Malformed) as refused:
        open_self_signed(msgspec.json.encode(envelope | {"payload": payload}), ENROL, Enrol, "hub")
    assert refused.value.code == "sync.no_envelope"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"first": 0, "last": 2}, "sync.bad_range"),
        ({"kind": "heartbeat", "first": 3, "last": 3, "prev": "a" * 64}, "sync.bad_range"),
        ({"kind": "heartbeat", "first": 3, "last": 2, "prev": "b" * 64}, "sync.bad_range"),
        ({"first": 3, "last": 2}, "sync.bad_range"),
        ({"first": 2, "last": 2}, ""),
        ({"first": 1, "last": 1}, ""),
        ({"kind": "heartbeat", "first": 1, "last": 0, "prev": "a" * 64}, ""),
    ],
)
def test_the_numbers_of_a_seal_agree_with_each_other(keys, change, code):
    raw = sign(keys.mine, SEAL, make_seal(**change))
    if not code:
        assert open_seal(raw, keys.trusted, "HUB") == make_seal(**change)
        return
    with pytest.raises(Malformed) as refused:
        open_seal(raw, keys.trusted, "HUB")
    assert refused.value.code == code


def test_a_digest_is_sha_256_in_hex():
    assert digest(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
