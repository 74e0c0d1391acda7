"""Bodies on the wire: round trip, bounds, and every way of being cut short."""

from __future__ import annotations

import resource
import struct

import pytest
import zstandard

from sync.errors import Malformed, OverLimit
from sync.limits import BODY_BYTES_LIMIT, ENTRIES_MAX, HEAD_BYTES_MAX, RAW_BYTES_LIMIT
from sync.pack import MAGIC, Origin, PackedEntry, decompress, join, pack_entries, split, unpack_entries

ORIGIN = Origin("ALD", "0123456789abcdef" * 2, 7)
ENTRIES = [PackedEntry(b'{"a":1}'), PackedEntry(b"\x00\xff not json", ORIGIN), PackedEntry(b"")]


def test_entries_come_back_byte_for_byte_with_their_origin():
    head, frame = split(join(b"head", pack_entries(ENTRIES)))
    assert head == b"head"
    assert unpack_entries(decompress(frame)) == ENTRIES


def test_a_heartbeat_has_no_frame_at_all():
    assert split(join(b"head", b"")) == (b"head", b"")
    assert decompress(b"") == b""


def test_every_cut_of_the_packed_entries_is_malformed_or_fewer_entries():
    raw = pack_entries(ENTRIES)
    whole = [len(pack_entries(ENTRIES[:n])) for n in range(len(ENTRIES) + 1)]
    for end in range(len(raw)):
        if end in whole:
            assert len(unpack_entries(raw[:end])) == whole.index(end)
        else:
            with pytest.raises(Malformed):
                unpack_entries(raw[:end])


def test_every_cut_of_a_body_fails_or_gives_fewer_bytes():
    body = join(b"head", pack_entries(ENTRIES))
    for end in range(len(body) - 1):
        try:
            _, frame = split(body[:end])
            raw = decompress(frame)
        except Malformed:
            continue
        assert raw != pack_entries(ENTRIES)


@pytest.mark.fault(65)
def test_a_bomb_that_lies_about_its_size_is_refused_before_memory_grows():
    bomb = zstandard.ZstdCompressor(level=19).compress(b"\0" * (400 << 20))
    assert len(bomb) < 100_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(OverLimit):
        decompress(bomb)
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 16 << 10


def test_a_frame_that_wants_a_giant_window_is_refused():
    parameters = zstandard.ZstdCompressionParameters(window_log=27, enable_ldm=True)
    huge = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    body = huge.compress(b"x" * 1_000) + huge.flush()
    with pytest.raises(Malformed):
        decompress(body)


def test_one_byte_over_the_raw_limit_is_over_and_the_limit_itself_is_not():
    compress = zstandard.ZstdCompressor(level=1).compress
    assert len(decompress(compress(b"x" * RAW_BYTES_LIMIT))) == RAW_BYTES_LIMIT
    with pytest.raises(OverLimit):
        decompress(compress(b"x" * (RAW_BYTES_LIMIT + 1)))


def test_more_entries_than_the_protocol_allows_are_refused_while_reading():
    assert len(unpack_entries(pack_entries([PackedEntry(b"1")] * ENTRIES_MAX))) == ENTRIES_MAX
    with pytest.raises(OverLimit):
        unpack_entries(pack_entries([PackedEntry(b"1")] * (ENTRIES_MAX + 1)))
    with pytest.raises(OverLimit):
        unpack_entries(b"\0" * 8 * 1_000_000)


def test_what_hides_in_a_second_frame_counts_towards_the_limit_too():
    compress = zstandard.ZstdCompressor().compress
    half = b"x" * (RAW_BYTES_LIMIT // 2 + 1)
    with pytest.raises(OverLimit):
        decompress(compress(half) + compress(half))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", Malformed),
        (b"<html>hello", Malformed),
        (MAGIC, Malformed),
        (MAGIC + struct.pack(">I", 5) + b"abc", Malformed),
        (MAGIC + struct.pack(">I", HEAD_BYTES_MAX + 1) + b"x" * 20_000, OverLimit),
        (b"x" * (BODY_BYTES_LIMIT + 1), OverLimit),
    ],
)
def test_bodies_that_are_none(body, error):
    with pytest.raises(error):
        split(body)


def test_garbage_in_place_of_the_frame_is_malformed():
    with pytest.raises(Malformed):
        decompress(b"not a frame at all")


def test_a_head_that_is_too_long_is_never_sent():
    with pytest.raises(OverLimit):
        join(b"x" * (HEAD_BYTES_MAX + 1), b"")


def test_an_origin_that_cannot_be_read_is_malformed():
    raw = struct.pack(">I", 3) + b"{}!" + struct.pack(">I", 1) + b"1"
    with pytest.raises(Malformed):
        unpack_entries(raw)
