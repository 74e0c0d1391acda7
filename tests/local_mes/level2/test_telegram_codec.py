"""Every layout of the example plants carries every value it allows, both ways, byte for byte."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from local_mes.level2.telegrams.codec import FormatError, decode_body, encode_body
from local_mes.level2.telegrams.frame import decode_head, encode_telegram
from local_mes.level2.telegrams.layout import SIZED, TEXTS, Field, Layout, Protocol
from local_mes.level2.telegrams.layout_files import _layout, load_folder
from local_mes.level2.telegrams.layout_schema import read_form
from local_mes.level2.telegrams.plausible import check
from local_mes.level2.telegrams.times import claimed_ms, local_text
from shared.errors import BadSetup

PLANTS = Path(__file__).parents[3] / "demo" / "plants"
OWN = Path(__file__).parent / "layouts"
SETS = {code: load_folder(PLANTS / code / "telegrams") for code in ("ald", "cld")}
SETS |= {folder.name: load_folder(folder) for folder in sorted(OWN.iterdir())}
HEADERS = [pytest.param(s.header, id=f"{code}-header") for code, s in SETS.items()]
LAYOUTS = HEADERS + [pytest.param(s.messages[m], id=f"{code}-{m}") for code, s in SETS.items() for m in s.messages]
UNHURRIED = settings(deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
"""Seeded by the test itself; a busy machine is no fault of the codec."""


def printable(code_page: str) -> str:
    """All characters of a code page that a text may hold."""
    return "".join(c for c in bytes(range(256)).decode(code_page, "ignore") if c.isprintable() and c not in ";\r\n")


def scalar(f: Field) -> st.SearchStrategy[object]:
    if f.type in ("A", "char"):
        return st.text(st.sampled_from(printable(f.code_page)), max_size=f.width).map(lambda t: t.rstrip(" "))
    if f.type == "hex":
        return st.binary(min_size=f.width, max_size=f.width).map(bytes.hex)
    if f.type in ("f32", "f64"):
        return st.floats(width=8 * f.width, allow_nan=False, allow_infinity=False)  # type: ignore[arg-type]
    if f.codes:
        return st.sampled_from(list(f.codes.values()))
    low, high = limits(f)
    numbers = st.integers(low, high).map(
        lambda n: n * f.numerator if f.denominator == 1 else n * f.numerator / f.denominator
    )
    return st.none() | numbers if f.optional else numbers


def limits(f: Field) -> tuple[int, int]:
    """The whole numbers on the wire that a field has room for."""
    if f.type == "N":
        digits = f.width - f.point
        return -(10 ** (digits - 1)) + 1, 10**digits - 1
    if f.type == "packed":
        most: int = 10 ** (2 * f.width - 1) - 1
        return -most if f.signed else 0, most
    if f.type == "bcd":
        return 0, 10 ** (2 * f.width) - 1
    bits = 8 * f.width
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if f.type[0] == "i" else (0, 2**bits - 1)


def values_of(fields: tuple[Field, ...]) -> st.SearchStrategy[dict[str, object]]:
    counts = {f.count for f in fields if f.type == "group"}
    parts = {f.name: rows_of(f) if f.type == "group" else scalar(f) for f in fields if f.name not in counts}
    return st.fixed_dictionaries(parts)


def rows_of(f: Field) -> st.SearchStrategy[object]:
    return st.lists(values_of(f.fields), min_size=f.times, max_size=f.times or min(f.max_count, 5))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_encoded_decodes_to_the_same_and_back(layout: Layout) -> None:
    @UNHURRIED
    @given(values_of(layout.fields))
    def both_ways(values: dict[str, object]) -> None:
        raw = encode_body(layout, values)
        decoded = decode_body(layout, raw)
        assert {name: decoded[name] for name in values} == values
        assert encode_body(layout, decoded) == raw

    both_ways()


ENCODINGS = ("ascii", "ebcdic", "binary", "delimited")
PAGES = ("ascii", "latin-1", "cp1252", "cp037", "cp273", "cp500", "cp1140")
NAMED = st.sampled_from([*SIZED, *TEXTS, "N", "packed", "bcd", "hex"])


@st.composite
def made_up_field(draw: st.DrawFn, name: str, encoding: str) -> dict[str, object]:
    """A field as a file would say it, of any type that this encoding takes."""
    kind = draw(st.sampled_from(["N", "A"]) if encoding == "delimited" else NAMED)
    row: dict[str, object] = {"name": name, "type": kind}
    if kind not in SIZED:
        row["width"] = draw(st.integers(6, 9) if encoding == "delimited" else st.integers(1, 7))
    if kind in ("N", "packed", "bcd", "u16", "i32"):
        row["decimals"] = draw(st.integers(0, 3))
    if kind == "N" and encoding != "delimited":
        row["fill"] = draw(st.sampled_from(["zero", "space"]))
    if kind == "packed":
        row["signed"] = draw(st.booleans())
    if kind in SIZED:
        row["encoding"] = draw(st.sampled_from(["big", "little"]))
    if kind in TEXTS:
        row["encoding"] = draw(st.sampled_from(PAGES))
    return row


@st.composite
def made_up_layouts(draw: st.DrawFn, encoding: str) -> Layout:
    """A layout that nobody has drawn up: any fields, and often rows of them."""
    fields = [draw(made_up_field(f"f{n}", encoding)) for n in range(draw(st.integers(1, 5)))]
    if draw(st.booleans()):
        rows = [draw(made_up_field(f"r{n}", encoding)) for n in range(draw(st.integers(1, 3)))]
        fields.append({"name": "count", "type": "N", "width": 2})
        fields.append({"name": "rows", "type": "group", "count": "count", "max_count": 9, "fields": rows})
    content = {"id": "X1", "encoding": encoding, "fields": fields}
    content |= {"delimiter": ";", "end": "\n"} if encoding == "delimited" else {}
    content |= {"byte_order": draw(st.sampled_from(["big", "little"]))} if encoding == "binary" else {}
    try:
        return _layout(Path("made_up.toml"), read_form(Path("made_up.toml"), content), None)
    except BadSetup:
        reject()  # decimals without room for them, and the like: a file says so at the start


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_any_layout_of_any_encoding_carries_what_it_allows_both_ways(encoding: str) -> None:
    @UNHURRIED
    @given(st.data())
    def both_ways(data: st.DataObject) -> None:
        layout = data.draw(made_up_layouts(encoding))
        values = data.draw(values_of(layout.fields))
        raw = encode_body(layout, values)
        decoded = decode_body(layout, raw)
        assert {name: decoded[name] for name in values} == values
        assert encode_body(layout, decoded) == raw

    both_ways()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_any_bytes_decode_to_the_same_bytes_or_are_refused(layout: Layout) -> None:
    @UNHURRIED
    @given(st.binary(max_size=120))
    def strict(raw: bytes) -> None:
        try:
            decoded = decode_body(layout, raw)
        except FormatError:
            return
        assert encode_body(layout, decoded) == raw

    strict()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_examples_of_the_layout_files_are_plausible_and_fit(layout: Layout) -> None:
    values = example(layout.fields)
    assert check(layout, values) == []
    assert decode_body(layout, encode_body(layout, values)) == values


def example(fields: tuple[Field, ...]) -> dict[str, object]:
    values = {f.name: [example(f.fields)] * (f.times or 1) if f.type == "group" else sample(f) for f in fields}
    return values | {f.count: 1 for f in fields if f.type == "group" and f.count}


def sample(f: Field) -> object:
    return f.constant if f.example is None else f.example


def test_ascii_header_is_the_44_bytes_of_the_interface() -> None:
    raw = encode_telegram(
        SETS["ald"],
        "CC1070",
        {"slab": "161843-2-3", "ok": "Y"},
        sequence=417,
        claimed="20260311065530120",
        sender="CC1",
        receiver="MES",
        resent=True,
    )
    assert raw == b"00055CC107020260311065530120CC1 MES 0417R   161843-2-3Y"
    head = decode_head(SETS["ald"], raw[:44])
    assert (head.message, head.length, head.sequence, head.claimed, head.resent) == (
        "CC1070",
        55,
        417,
        "20260311065530120",
        True,
    )


def test_binary_header_is_big_endian_with_prefix_and_number() -> None:
    raw = encode_telegram(
        SETS["cld"],
        "CG1040",
        {"line": "CG1", "coil_out": "G6-03128", "mass_kg": 20429},
        sequence=9999,
        claimed="20260311081030005",
        sender="",
        receiver="",
    )
    assert raw[:18] == bytes.fromhex("0026 03 01 0410 07ea 03 0b 08 0a 1e 00 0005 270f".replace(" ", ""))
    assert raw[18:] == b"CG1 G6-03128    " + (20429).to_bytes(4, "big")
    assert decode_head(SETS["cld"], raw[:18]).message == "CG1040"


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (b"161843N03", "strand"),
        (b"161843103000", "head_mm"),
        (b"161843-0", "strand"),
        (b"16\xff843103", "heat"),
    ],
)
def test_a_field_that_cannot_be_read_is_named(raw: bytes, field: str) -> None:
    with pytest.raises(FormatError, match=field):
        decode_body(SETS["ald"].messages["CC1060"], raw)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"slab": "161843-2-33", "ok": "Y"}, "slab"),
        ({"slab": "161843-2-3", "ok": "ä"}, "ok"),
        ({"slab": "x", "ok": "Y", "colour": "red"}, "colour"),
    ],
)
def test_values_that_do_not_fit_are_refused_when_sending(values: dict[str, object], text: str) -> None:
    with pytest.raises(FormatError, match=text):
        encode_body(SETS["ald"].messages["CC1070"], values)


def test_a_count_that_contradicts_its_group_is_refused() -> None:
    with pytest.raises(FormatError, match="count: says 2"):
        encode_body(SETS["ald"].messages["CC1110"], {"heat": "161843", "count": 2, "slabs": []})


@pytest.mark.parametrize("slabs", [None, 3, "x", [None], [{}] * 41])
def test_a_group_that_is_no_list_of_rows_is_refused(slabs: object) -> None:
    with pytest.raises(FormatError, match="slabs"):
        encode_body(SETS["ald"].messages["CC1110"], {"heat": "161843", "slabs": slabs})


@pytest.mark.parametrize("raw", [b"00012" + b" " * 39, b"x" * 44, b"99999CC106020260311065530120CC1 MES 0417    "])
def test_a_header_without_a_possible_length_is_refused(raw: bytes) -> None:
    with pytest.raises(FormatError):
        decode_head(SETS["ald"], raw)


def test_sequence_wraps_from_9999_to_1() -> None:
    assert [Protocol().next_sequence(n) for n in (0, 1, 9998, 9999)] == [1, 2, 9999, 1]


WARSAW = ZoneInfo("Europe/Warsaw")
AUTUMN_MS = 1792888200_000  # 2026-10-25T00:30Z, 02:30 summer time; an hour later the wall clock says the same


@pytest.mark.parametrize("at_ms", [1773208530_120, AUTUMN_MS, AUTUMN_MS + 3_600_000])
def test_local_time_comes_back_as_the_moment_it_was(at_ms: int) -> None:
    assert claimed_ms(local_text(at_ms, WARSAW), WARSAW, received_ms=at_ms + 400) == at_ms


@pytest.mark.parametrize("text", ["", "20261399000000000", "yesterday", "99999999999999999"])
def test_a_time_that_is_none_is_none(text: str) -> None:
    assert claimed_ms(text, WARSAW, received_ms=0) is None


def test_iso_with_and_without_zone() -> None:
    assert claimed_ms("2026-03-11T06:55:30.120", WARSAW, 0) == 1773208530_120
    assert claimed_ms("2026-03-11T05:55:30.120+00:00", WARSAW, 0) == 1773208530_120
