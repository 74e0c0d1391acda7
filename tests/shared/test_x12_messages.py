"""Messages in X12's shape: our own examples, both ways by one mapping, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shared.errors import NotFound
from shared.outside.x12.engine import read_message, write_message
from shared.outside.x12.envelope import unwrap, wrap
from shared.outside.x12.mapping import load_mapping, mappings, rows_of
from shared.outside.x12.values import Broken, read_value, write_value

AT = 1_773_205_200_000  # 2026-03-11T05:00:00Z
PIECE = {
    "number": "G6-00412", "material_id": "0" * 32, "order_item": "710045/10", "heat": "161738", "certificate": "Z-77",
    "grade": "L06", "quality": "free", "mass_basis": "weighed", "mass_g": 10_120_500, "thickness_um": 800,
    "width_um": 1_250_000, "length_um": 0,
}  # fmt: skip
LOAD: dict[str, Any] = {
    "load": "CL-000017", "note": "CL-L000004", "departed_at_ms": AT, "eta_ms": AT + 90_061_000, "count": 1,
    "mass_g": 10_120_500, "vehicle": "LK 17", "from": "CLD", "from_name": "Coldharbour", "to": "SLITCO",
    "to_name": "Slitco Ltd", "at_ms": AT, "pieces": [PIECE],
}  # fmt: skip
RECEIPT = b"""ISA*00*          *00*          *ZZ*SLITCO         *ZZ*CLD            *260311*0600*U*00401*000000042*0*P*:~
GS*RC*SLITCO*CLD*20260311*0600*42*X*004010~
ST*861*0001~
BRA*W-1*20260311*00*1*060000~
REF*BM*CL-000017~
PER*IC*Somebody~
RCD*1*1*PC*****~
REF*LS*G6-00412~
REF*SE*S-1~
MEA*WT*weighed*10120.5*KG~
RCD*2*1*PC*****01~
REF*LS*G6-00413~
PID*F****edge bent~
RCD*3*0*PC~
REF*LS*G6-00414~
SE*14*0001~
GE*1*42~
IEA*1*000000042~
"""


def test_a_ship_notice_is_written_as_the_example_and_read_back() -> None:
    mapping = load_mapping("856", "out")
    text = wrap("856", mapping.group, "CLD", "SLITCO", AT, write_message(mapping, LOAD))
    lines = text.splitlines()
    assert lines[0] == (
        "ISA*00*          *00*          *ZZ*CLD            *ZZ*SLITCO         *260311*0500*U*00401*773205200*0*P*:~"
    )
    assert lines[3:8] == [
        "BSN*00*CL-000017*20260311*050000~",
        "HL*1**S~",
        "TD1*PCS*1****G*10120.5*KG~",
        "TD3*TL**LK 17~",
        "REF*DO*CL-L000004~",
    ]
    assert "DTM*017*20260312*060101~" in lines
    assert "MEA*PD*WD*1250*MM~" in lines
    assert "MEA*PD*TH*0.8*MM~" in lines
    assert not [line for line in lines if line.startswith("MEA*PD*LN")]  # nobody measured it
    (back,) = unwrap(text.encode())
    told, unread = read_message(mapping, back.segments)
    assert unread == []
    assert (told["load"], told["departed_at_ms"], told["eta_ms"]) == ("CL-000017", AT, LOAD["eta_ms"])
    assert told["pieces"] == [{name: value for name, value in PIECE.items() if name != "length_um"}]


@pytest.mark.parametrize("name", mappings())
def test_every_mapping_writes_what_it_reads(name: str) -> None:
    message, way = name.split("-")
    mapping = load_mapping(message, way)
    item = PIECE | {
        "piece": "G6-1", "own_number": "S-1", "received": 1, "condition": "01", "remark": "bent", "status": "17",
        "where": "YC", "elements": [{"element": "C", "share_e6": 450}], "made_from": [{"number": "C6-1", "mass_g": 1500}],
    }  # fmt: skip
    told = LOAD | {
        "pieces": [item, item], "inputs": [item], "number": "R-1", "operation": "slit", "scrap_g": 1_500, "plant": "CLD",
    }  # fmt: skip
    segments = write_message(mapping, told)
    read, unread = read_message(mapping, segments)
    assert unread == []
    assert write_message(mapping, read) == segments
    assert len(read["pieces"]) == 2


def test_a_receiving_advice_is_read_and_says_what_it_left_out() -> None:
    (found,) = unwrap(RECEIPT)
    assert (found.message, found.sender, found.control) == ("861", "SLITCO", "SLITCO.000000042.42.0001")
    told, unread = read_message(load_mapping("861", "in"), found.segments)
    assert unread == ["PER*IC*Somebody"]
    assert told["at_ms"] == AT + 3_600_000
    assert [(p["piece"], p["received"], p.get("condition"), p.get("mass_g", 0)) for p in told["pieces"]] == [
        ("G6-00412", 1, "", 10_120_500),
        ("G6-00413", 1, "01", 0),
        ("G6-00414", 0, "", 0),
    ]
    assert told["pieces"][1]["remark"] == "edge bent"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b"IEA*1*000000042", b"IEA*1*000000043", "cut off, or its control number differs"),
        (b"IEA*1*000000042~\n", b"", "cut off"),
        (b"SE*14*0001", b"SE*13*0001", "counts 13 segments, 14 are there"),
        (b"SE*14*0001", b"SE*14*0002", "SE closes 0002"),
        (b"SE*14*0001~\n", b"", "no SE"),
        (b"GS*RC", b"XX*RC", "outside any transaction set"),
        (b"GS*RC*SLITCO*CLD*20260311*0600*42", b"GS*RC*SLITCO*CLD*20260311*0600*" + b"4" * 81, "GS06 has more than 80"),
        (b"ST*861*0001", b"ST*861*" + b"0" * 81, "ST02 has more than 80 characters"),
        (b"GE*1*42", b"ST*861*1~SE*2*1~" * 100 + b"GE*1*42", "at most 100 transaction sets"),
        (b"ISA*00", b"UNB+00", "does not begin with an ISA"),
        (b"*P*:", b"*P*\xff", "not UTF-8"),
    ],
)
def test_a_broken_envelope_is_refused(old: bytes, new: bytes, why: str) -> None:
    with pytest.raises(Broken, match=why):
        unwrap(RECEIPT.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b"BRA*W-1", b"BRX*W-1", r"BRA\*00\*1 is missing before"),
        (b"*20260311*00*1", b"*20261341*00*1", "BRA02: '20261341' is no date"),
        (b"REF*LS*G6-00412", b"REF*XX*G6-00412", r"REF\*LS is missing"),
        (b"10120.5", b"heavy", "MEA03: 'heavy' is no mass"),
        (b"10120.5", b"-3", "MEA03: '-3' is out of range"),
        (b"10120.5", b"1E+900000", "MEA03: '1E.900000' is out of range"),
        (b"10120.5", b"1E+999998", "MEA03: '1E.999998' is out of range"),
        (b"10120.5", b"9007199254740992", "MEA03: '9007199254740992' is out of range"),
        (b"10120.5", b"1E+99999999999999999", "MEA03: '1E.99999999999999999' is (no mass|out of range)"),
        (b"REF*BM*CL-000017", b"REF*BM*" + b"C" * 81, "REF02: 'C{40}'… has more than 80 characters"),
        (b"edge bent", b"b" * 201, "PID05: 'b{40}'… has more than 200 characters"),
        (b"10120.5", b"NaN", "MEA03: 'NaN' is no mass"),
        (b"10120.5", b"10120.500000000000000", "MEA03: '10120.500000000000000' is longer than any mass"),
    ],
)
def test_a_message_that_lacks_something_names_it(old: bytes, new: bytes, why: str) -> None:
    (found,) = unwrap(RECEIPT.replace(old, new, 1))
    with pytest.raises(Broken, match=why):
        read_message(load_mapping("861", "in"), found.segments)


def test_a_message_holds_the_pieces_of_a_load_and_a_remark_of_two_hundred_characters() -> None:
    mapping = load_mapping("861", "in")
    item = {"received": 1, "condition": "01", "piece": "G6-1", "remark": "b" * 200}
    told = {"number": "W-1", "at_ms": AT, "pieces": [item] * 200}
    read, _ = read_message(mapping, write_message(mapping, told))
    assert (len(read["pieces"]), read["pieces"][199]["remark"]) == (200, "b" * 200)
    with pytest.raises(Broken, match="pieces has more than 200 items"):
        read_message(mapping, write_message(mapping, told | {"pieces": [item] * 201}))


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [(10_120_500, "kg", "10120.5"), (10_000_000, "kg", "10000"), (450, "percent", "0.045"), (1, "mm", "0.001"),
     (0, "kg", ""), (7, "whole", "7")],
)  # fmt: skip
def test_figures_are_written_exactly_and_come_back(value: int, form: str, text: str) -> None:
    assert write_value(value or None, form) == text
    assert read_value(text, form) == value


def test_separators_in_a_text_cannot_break_a_message() -> None:
    assert write_value("a*b~c:d\n", "text") == "a b c d"
    with pytest.raises(NotFound, match="no message"):
        load_mapping("../856", "out")


def test_the_documentation_lists_every_field_of_every_mapping() -> None:
    page = (Path(__file__).parents[2] / "docs" / "outside.md").read_text()
    for name in mappings():
        message, way = name.split("-")
        for place, source, form, _ in rows_of(load_mapping(message, way)):
            assert f"| {place} | {source} | {form} |" in page, (name, place)
