"""Layout files of every encoding as telegrams on a line, and what is said of a file that cannot be used."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local_mes.level2.telegram_rules import TelegramRules
from local_mes.level2.telegrams.codec import FormatError, decode_body
from local_mes.level2.telegrams.frame import Frame, Framer, encode_telegram
from local_mes.level2.telegrams.layout import Field, LayoutSet
from local_mes.level2.telegrams.layout_files import load_folder
from local_mes.level2.telegrams.plausible import check
from local_mes.level2.telegrams.times import claimed_ms
from shared.errors import BadSetup

OWN = Path(__file__).parent / "layouts"
PLANTS = Path(__file__).parents[3] / "demo" / "plants"
SETS = {folder.name: load_folder(folder) for folder in sorted(OWN.iterdir())} | {
    code: load_folder(PLANTS / code / "telegrams") for code in ("ald", "cld")
}


def sample(fields: tuple[Field, ...]) -> dict[str, object]:
    values = {
        f.name: [sample(f.fields)] * (f.times or 1)
        if f.type == "group"
        else f.constant
        if f.example is None
        else f.example
        for f in fields
    }
    return values | {f.count: 1 for f in fields if f.type == "group" and f.count}


def told(layouts: LayoutSet, message: str, sequence: int, **more: object) -> bytes:
    return encode_telegram(
        layouts,
        message,
        sample(layouts.messages[message].fields),
        sequence=sequence,
        claimed="20260311065530000",
        sender="CC1",
        receiver="MES",
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("name", SETS)
def test_a_stream_cut_anywhere_gives_the_same_telegrams(name: str) -> None:
    layouts = SETS[name]
    names = list(layouts.messages)
    stream = b"".join(told(layouts, m, n % 90 + 1, resent=n % 2 == 1) for n, m in enumerate(names))

    @settings(deadline=None, derandomize=True, max_examples=30)
    @given(st.lists(st.integers(0, len(stream)), max_size=12))
    def cut(places: list[int]) -> None:
        framer, seen = Framer(layouts), list[Frame]()
        edges = [0, *sorted(places), len(stream)]
        for begin, end in pairwise(edges):
            seen += framer.feed(stream[begin:end])
        assert framer.is_empty
        assert b"".join(frame.raw for frame in seen) == stream
        heads = [frame.head for frame in seen if frame.head]
        assert [head.message for head in heads] == names
        has = {f.name for f in layouts.header.fields}
        assert [h.sequence for h in heads] == [n % 90 + 1 if "sequence" in has else 0 for n in range(len(names))]
        assert [h.resent for h in heads] == [n % 2 == 1 and "flags" in has for n in range(len(names))]
        assert {h.claimed for h in heads} == {"20260311065530000" if has & {"time", "year"} else ""}
        for frame, head in zip(seen, heads, strict=True):
            layout = layouts.messages[head.message]
            assert check(layout, decode_body(layout, frame.body)) == []

    cut()


@pytest.mark.parametrize("name", SETS)
def test_whatever_bytes_come_only_what_is_wrong_with_them_is_said(name: str) -> None:
    layouts = SETS[name]
    rules = TelegramRules(layouts, layouts.messages)
    stream = b"".join(told(layouts, m, n % 90 + 1) for n, m in enumerate(layouts.messages))
    assert {rules.take(frame).problem for frame in Framer(layouts).feed(stream)} == {""}

    @settings(deadline=None, derandomize=True, max_examples=150)
    @given(st.lists(st.tuples(st.integers(0, len(stream) - 1), st.binary(min_size=1, max_size=6)), max_size=8))
    def noisy(noise: list[tuple[int, bytes]]) -> None:
        bad = bytearray(stream)
        for at, put in noise:
            bad[at : at + len(put)] = put
        try:
            for frame in Framer(layouts).feed(bytes(bad)):
                taken = rules.take(frame)
                assert (taken.code != 0) == bool(taken.problem)
                claimed_ms(taken.head.claimed, ZoneInfo("Europe/Warsaw"), 0)
        except FormatError:
            return  # the border is lost: the connection ends

    noisy()


def test_ebcdic_and_packed_decimals_are_the_bytes_a_mainframe_sends() -> None:
    raw = told(SETS["ebcdic"], "MEL0010", 17)
    assert raw[:2] == (80).to_bytes(2, "big")  # counts what follows the header
    assert raw[2:10].hex() == "d4c5d3f0f0f1f040"
    assert raw[10:13].hex() == "00017f"
    body = raw[33:]
    assert body[8:20].decode("cp273") == "Müller      "
    assert body[20:24].hex() == "0152000c"
    assert body[24:26].hex() == "015d"
    assert body[26:30].hex() == "00006423"
    assert body[30:36].decode("cp273") == "1652.5"
    assert body[40:44] == b"\x40" * 4  # up to the offset of the next field
    assert len(body) == 80


def test_little_endian_counts_from_the_lowest_byte_and_a_field_may_say_otherwise() -> None:
    raw = told(SETS["little"], "7", 258)
    assert raw[:10].hex() == "aaaa" + "0700" + len(raw).to_bytes(4, "little").hex() + "0102"
    assert raw[10:16].hex() == "260311065530"
    body = raw[18:]
    assert body[10:12].hex() == "0103"
    assert int.from_bytes(body[12:16], "little") == 36501  # 18250.5 kN in steps of 0.5
    assert decode_body(SETS["little"].messages["7"], body)["force_kn"] == 18250.5


def test_delimited_text_is_the_line_a_laboratory_writes() -> None:
    line = told(SETS["delimited"], "LABRES", 17, resent=True)
    assert line == "LABRES;17;2026-03-11 06:55:30;R;161843LFF1;Jürgen;1560.5;1;Cu;27.05;\r\n".encode("latin-1")
    assert told(SETS["delimited"], "PING", 0) == b"PING;0;2026-03-11 06:55:30;\r\n"


def test_a_line_that_cannot_be_read_loses_itself_alone() -> None:
    good = told(SETS["delimited"], "ACK", 0)
    seen = list(Framer(SETS["delimited"]).feed(good + b"\xff;;what\r\n" + b"ACK;1;;\r\n" + good))
    assert [frame.head.message if frame.head else None for frame in seen] == ["ACK", None, "ACK", "ACK"]
    assert "id" in seen[1].why
    assert "ack_sequence" in seen[2].why


def test_bytes_without_an_end_are_given_up() -> None:
    with pytest.raises(FormatError, match="no end within 9999 bytes"):
        list(Framer(SETS["delimited"]).feed(b"x" * 10_000))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"a;b;1.5;0", "remark: the telegram ends before it"),
        (b"a;b;1.50;0;", 'temp_c: "1.50" is no number'),
        (b"a;b;01.5;0;", 'temp_c: "01.5" is no number'),
        (b"a;b;-0.0;0;", 'temp_c: "-0.0" is minus nothing'),
        (b"a;b;;1;Cu;", r'results\[0\].ppm: "" is no number'),
        (b"a;b;;0;;", "1 fields left over"),
        (b"a;b;;31;", "count: 31 rows, at most 30"),
        (b"a;" + b"x" * 21 + b";;0;", "who: .* is longer than 20"),
    ],
)
def test_the_field_of_a_line_that_is_wrong_is_named(body: bytes, why: str) -> None:
    with pytest.raises(FormatError, match=why):
        decode_body(SETS["delimited"].messages["LABRES"], body)


@pytest.mark.parametrize(
    ("at", "put", "why"),
    [
        (20, "0152000f", "mass_kg: .* is no packed number"),
        (20, "01520a0c", "mass_kg: .* is no packed number"),
        (24, "000d", "drift: .* is no packed number"),
        (26, "0000642a", "power_kwh: .* is no binary coded decimal"),
        (40, "4040c140", "reserved bytes: .* are not empty"),
        (44, "7fc00000", "ratio: nan is no number"),
        (72, "c1", "10 bytes left over"),
    ],
)
def test_the_field_of_a_body_that_is_wrong_is_named(at: int, put: str, why: str) -> None:
    body = bytearray(told(SETS["ebcdic"], "MEL0010", 17)[33:])
    raw = bytes.fromhex(put)
    body[at : at + len(raw)] = raw
    with pytest.raises(FormatError, match=why):
        decode_body(SETS["ebcdic"].messages["MEL0010"], bytes(body))


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("fields = [{ name = 'x', type = 'Q', width = 1 }]", "field 'x': type 'Q' is none of"),
        ("fields = [{ name = 'x', type = 'N' }]", "field 'x': `width` must be"),
        ("fields = [{ name = 'x', type = 'N', width = '4' }]", "field 'x': `width`: Expected `int"),
        ("fields = [{ name = 'x', type = 'N', width = 4, colour = 1 }]", "field 'x': .*unknown field `colour`"),
        ("fields = [{ name = 'x y', type = 'N', width = 4 }]", "field 'x y': `name`"),
        ("fields = [{ name = 'x', type = 'u8' }, { name = 'x', type = 'u8' }]", "field 'x': the name comes twice"),
        ("fields = [{ name = 'x', type = 'u32' }, { name = 'y', type = 'u8', offset = 3 }]", "field 'y': `offset` 3 lies within"),
        ("fields = [{ name = 'x', type = 'N', width = 4, min = 5, max = 4 }]", "field 'x': `min` is above"),
        ("fields = [{ name = 'x', type = 'N', width = 4, example = 12345 }]", "field 'x': `example` 12345 is longer"),
        ("fields = [{ name = 'x', type = 'N', width = 4, example = 1.5 }]", "field 'x': `example` 1.5 does not fit"),
        ("fields = [{ name = 'x', type = 'N', width = 4, codes = { one = 'a' } }]", "field 'x': `codes`"),
        ("fields = [{ name = 'x', type = 'N', width = 4, encoding = 'little' }]", "field 'x': `encoding` .* is a code page"),
        ("fields = [{ name = 'x', type = 'u16', encoding = 'cp037' }]", "field 'x': `encoding` .* big or little"),
        ("fields = [{ name = 'x', type = 'u64', decimals = 1 }]", "field 'x': a number of more than 15 digits"),
        ("fields = [{ name = 'x', type = 'f32', scale = 0.1 }]", "field 'x': `scale` and `decimals`"),
        ("fields = [{ name = 'x', type = 'u16', optional = true }]", "field 'x': type u16 cannot be left empty"),
        ("fields = [{ name = 'x', type = 'group', max_count = 2 }]", "field 'x': a group needs `times`"),
        ("fields = [{ name = 'x', type = 'group', times = 2 }]", "field 'x': a group needs `fields`"),
        ("fields = [{ name = 'g', type = 'group', fields = [{ name = 'x', type = 1 }] }]", "field 'g': field 'x': `type`"),
        ("size = 3\nfields = [{ name = 'x', type = 'N', width = 4 }]", "`size` 3: the fields take 4 bytes"),
        ("delimiter = ';'", "`delimiter` belongs to encoding delimited"),
        ("end = '→'", "`end` or `delimiter` '→' is not of single bytes"),
        ("delimiter = '–'", "`end` or `delimiter` '–' is not of single bytes"),
        ("reply = 'NO'", "its reply NO has no layout"),
        ("when = 3", "`when`: Expected `str`"),
        ("colour = 3", "unknown key 'colour'"),
        ("direction = 'sideways'", "`direction`: Invalid enum value"),
    ],
)  # fmt: skip
def test_a_bad_layout_is_named_with_file_and_field(tmp_path: Path, more: str, why: str) -> None:
    folder = shutil.copytree(PLANTS / "ald" / "telegrams", tmp_path / "telegrams")
    (folder / "bad.toml").write_text(f'id = "CC9999"\nencoding = "ascii"\n{more}\n')
    with pytest.raises(BadSetup, match=f"bad.toml cannot be used: {why}"):
        load_folder(folder)


@pytest.mark.parametrize(
    ("file", "old", "new", "why"),
    [
        ("header.toml", '"length"', '"size"', "a header needs the field `length`"),
        (
            "header.toml",
            '"sequence", type = "N"',
            '"sequence", type = "A"',
            "field 'sequence': it must be a whole number",
        ),
        ("header.toml", '"id",  ', '"idx",', "a header needs the field `id`"),
        ("ak9000_acknowledge.toml", '"code"', '"result"', "field 'result': an answer can fill"),
        ("ak9000_acknowledge.toml", '"AK9000"', '"AK9001"', "needs a layout of AK9000"),
        ("cc1070_slab_marked.toml", '"CC1070"', '"CC1070L"', "the header cannot carry the id CC1070L"),
        ("cc1070_slab_marked.toml", '"CC1070"', '"CC1060"', "message CC1060 has a layout in another file"),
        ("cc1070_slab_marked.toml", '"ascii"', '"binary"', "CC1070 in .* differ from the header's encoding"),
    ],
)
def test_a_set_that_does_not_fit_together_is_named(tmp_path: Path, file: str, old: str, new: str, why: str) -> None:
    folder = shutil.copytree(PLANTS / "ald" / "telegrams", tmp_path / "telegrams")
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))
    with pytest.raises(BadSetup, match=why):
        load_folder(folder)


def test_a_sequence_number_that_no_spool_can_keep_is_no_header(tmp_path: Path) -> None:
    folder = shutil.copytree(OWN / "little", tmp_path / "little")
    header = folder / "header.toml"
    header.write_text(header.read_text().replace('"sequence", type = "u16"', '"sequence", type = "u64"'))
    layouts = load_folder(folder)
    message = next(iter(layouts.messages))
    (frame,) = Framer(layouts).feed(told(layouts, message, 2**63 - 1))
    assert frame.head
    assert frame.head.sequence == 2**63 - 1
    with pytest.raises(FormatError, match="sequence: 9223372036854775808 is beyond"):
        list(Framer(layouts).feed(told(layouts, message, 2**63)))
