"""The bounds of the protocol, each from both sides: what is exactly at one passes, one more is refused."""

from __future__ import annotations

import os
import struct

import msgspec
import pytest
import zstandard

from shared.errors import BadInput
from shared.journal import fact as facts
from shared.journal.fact import Fact, Occurred, encode
from shared.keys import new_key
from sync import limits
from sync.errors import Malformed, OverLimit
from sync.messages import ENROL, EpochState, Pull
from sync.pack import MAGIC, PackedEntry, decompress, join, pack_entries, split, unpack_entries
from sync.seal import open_self_signed, read_envelope

MIB = 1024 * 1024
HEX = "0123456789abcdef" * 2


def test_the_numbers_that_peers_of_other_releases_rely_on() -> None:
    """sync-protocol 1.4: a batch of 2,000 entries and 2 MiB, a seal of 8 KiB, a fact of 256 KiB, polls of 25 s."""
    assert (limits.ENTRIES_MAX, limits.RAW_BYTES_MAX, limits.HEAD_BYTES_MAX) == (2_000, 2 * MIB, 8 * 1024)
    assert (limits.FACT_BYTES_MAX, facts.FACT_BYTES_MAX) == (256 * 1024, 256 * 1024)
    assert (limits.PROTOCOL_OLDEST, limits.PROTOCOL) == (1, 1)
    assert (limits.POLL_MAX_S, limits.CONNECT_S, limits.READ_S) == (25, 5, 60)
    assert (limits.RAW_BYTES_LIMIT, limits.HELLO_BYTES_MAX) == (2 * MIB + 320 * 1024, MIB)
    assert limits.WINDOW_BYTES_MAX == 8 * MIB


def test_the_fullest_batch_of_steel_that_does_not_compress_fits_a_body() -> None:
    framing = 8 * limits.ENTRIES_MAX
    one = os.urandom(limits.FACT_BYTES_MAX)
    rest = (limits.RAW_BYTES_MAX - 1) // (limits.ENTRIES_MAX - 1)
    raw = pack_entries([*(PackedEntry(os.urandom(rest)) for _ in range(limits.ENTRIES_MAX - 1)), PackedEntry(one)])
    assert len(raw) > limits.RAW_BYTES_MAX + limits.FACT_BYTES_MAX - framing
    body = join(b"h" * limits.HEAD_BYTES_MAX, raw)
    head, frame = split(body)
    assert len(head) == limits.HEAD_BYTES_MAX
    assert len(unpack_entries(decompress(frame))) == limits.ENTRIES_MAX


def test_a_body_at_the_limit_is_read_and_one_byte_more_is_not() -> None:
    start = MAGIC + struct.pack(">I", 1) + b"h"
    full = start + b"f" * (limits.BODY_BYTES_LIMIT - len(start))
    assert split(full) == (b"h", full[len(start) :])
    with pytest.raises(OverLimit) as refused:
        split(full + b"f")
    assert refused.value.code == "sync.body_too_large"


def test_a_seal_at_the_limit_is_read_and_sent_and_one_byte_more_is_neither() -> None:
    full = b"h" * limits.HEAD_BYTES_MAX
    assert split(join(full, b"")) == (full, b"")
    with pytest.raises(OverLimit) as refused:
        join(full + b"h", b"")
    assert refused.value.code == "sync.head_too_large"
    with pytest.raises(OverLimit):
        split(MAGIC + struct.pack(">I", len(full) + 1) + full + b"h")


def test_the_shortest_body_is_a_magic_word_a_length_and_an_empty_seal() -> None:
    assert split(MAGIC + struct.pack(">I", 0)) == (b"", b"")
    with pytest.raises(Malformed) as refused:
        split(MAGIC + b"\0\0\0")
    assert refused.value.code == "sync.no_batch"


def test_a_seal_that_fills_the_body_to_its_end_is_whole_and_one_byte_short_is_cut() -> None:
    with pytest.raises(Malformed) as refused:
        split(MAGIC + struct.pack(">I", 4) + b"abc")
    assert refused.value.code == "sync.cut_short"
    assert split(MAGIC + struct.pack(">I", 4) + b"abcd") == (b"abcd", b"")


def test_a_signed_message_at_its_limit_is_read_and_one_byte_more_is_not() -> None:
    envelope = msgspec.json.encode(new_key().seal("t", b"{}"))
    full = envelope + b" " * (limits.HELLO_BYTES_MAX - len(envelope))
    assert read_envelope(full).payloadType == "t"
    with pytest.raises(OverLimit):
        read_envelope(full + b" ")
    with pytest.raises(OverLimit):
        read_envelope(envelope, len(envelope) - 1)
    with pytest.raises(OverLimit):
        open_self_signed(full + b" ", ENROL, msgspec.Struct, "hub")  # type: ignore[type-var]


@pytest.mark.fault(64)
def test_a_fact_at_the_limit_is_written_and_one_byte_more_is_not() -> None:
    def made(text: str) -> Fact:
        payload = msgspec.Raw(msgspec.json.encode({"text": text}))
        return Fact(
            fact_id=HEX,
            type="T",
            version=1,
            author="ALD",
            actor="p",
            subjects=(),
            occurred=Occurred(1, "manual"),
            recorded_at_ms=1,
            payload=payload,
        )

    room = limits.FACT_BYTES_MAX - len(encode(made("")))
    assert len(encode(made("x" * room))) == limits.FACT_BYTES_MAX
    with pytest.raises(BadInput) as refused:
        encode(made("x" * (room + 1)))
    assert refused.value.code == "journal.fact_too_large"


def test_the_window_that_the_sender_uses_is_within_what_a_receiver_allocates() -> None:
    wide = zstandard.ZstdCompressionParameters(window_log=23)
    body = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    assert decompress(body.compress(b"x" * 9_000) + body.flush()) == b"x" * 9_000
    wider = zstandard.ZstdCompressionParameters(window_log=24)
    body = zstandard.ZstdCompressor(compression_params=wider).compressobj()
    with pytest.raises(Malformed) as refused:
        decompress(body.compress(b"x" * 9_000) + body.flush())
    assert refused.value.code == "sync.bad_frame"


def pull(**changes: object) -> bytes:
    values: dict[str, object] = {
        "proto": 1,
        "node": "ALD",
        "audience": "HUB",
        "sent_ms": 1,
        "incarnation": HEX,
        "session": HEX,
        "stream": "HUB>ALD",
        "copies": [],
        "wait_ms": 25_000,
        "entries_max": 2_000,
        "nonce": HEX,
    }
    return msgspec.json.encode(values | changes)


@pytest.mark.fault(66)
@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("wait_ms", 0, 25_000),
        ("entries_max", 1, 2_000),
        ("proto", 1, 1_000),
        ("sent_ms", -(2**53), 2**53),
    ],
)
def test_a_number_of_a_message_is_read_within_its_bounds_and_not_beyond(name: str, least: int, most: int) -> None:
    for value in (least, most):
        assert getattr(msgspec.json.decode(pull(**{name: value}), type=Pull), name) == value
    for value in (least - 1, most + 1):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(pull(**{name: value}), type=Pull)


@pytest.mark.fault(66)
def test_a_place_in_a_stream_is_a_number_of_63_bits_and_a_name_has_64_characters() -> None:
    def state(**changes: object) -> EpochState:
        values = {"stream": "ALD", "epoch": HEX, "seq": 0, "hash": "a" * 64} | changes
        return msgspec.json.decode(msgspec.json.encode(values), type=EpochState)

    assert state(seq=2**63 - 1).seq == 2**63 - 1
    assert state(stream="a" * 64).stream == "a" * 64
    bad = ({"seq": 2**63}, {"seq": -1}, {"stream": "a" * 65}, {"stream": ""}, {"stream": "A/B"}, {"epoch": "a" * 31})
    for change in (*bad, {"epoch": "A" * 32}, {"hash": "a" * 63}, {"hash": "g" * 64}):
        with pytest.raises(msgspec.ValidationError):
            state(**change)
