"""Labels and papers as a scanner sees them: PDF and ZPL are drawn at 203 dpi and decoded."""

from __future__ import annotations

import re
from dataclasses import replace

import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageDraw

from local_mes.level2.devices.code128 import bars
from local_mes.passports.codes import VERSION_MAX, make_matrix, to_svg
from local_mes.passports.label import MODULE_MM_MIN, Label, make_label, to_zpl
from local_mes.passports.sheet import Paper, PaperPiece, draw_labels, draw_paper
from shared.keys import new_key
from shared.material.facts import Mass, Size
from shared.passports.coding import from_text, to_text
from shared.passports.document import LOAD, WIRE_BYTES_MAX, LoadBody, PieceBody, Shipped, open_body, seal, split
from shared.passports.issuing import Told, make_piece
from shared.transfers.facts import PieceData

NOW = 1_773_205_200_000
KEY = new_key()
SHIPPED = Shipped(
    sender="ALD", addressee="BRK", shipment_id=bytes(16), number="T-4711", lane="ALD-BRK-rail", mode="rail",
    vehicle="Train 61733", departed_ms=NOW, issued_ms=NOW, expires_ms=NOW + 1, epoch=bytes(16), seq=512,
)  # fmt: skip


def make(number: str, noise: int = 0, quality: str = "free") -> tuple[PieceBody, str]:
    """A passport and its text; noise makes it long."""
    made = PieceData(
        material_id=f"{abs(hash(number)):032x}"[-32:], kind="slab", number=number, grade="L06",
        order_item="710045/10", size=Size(220_000, 1_280_000, 9_300_000), mass=Mass(20_560_000, "theoretical"),
        chemistry_e6={"C": 450, "Mn": 2_100} | {f"E{n}": n**9 + 77 for n in range(noise)},
        heats={"161738": 800_000, "161739": 200_000}, quality=quality,
    )  # fmt: skip
    wire = make_piece(SHIPPED, Told(made, 1), KEY)
    body = open_body(split(wire))
    assert isinstance(body, PieceBody)
    return body, to_text(wire)


def read(image: Image.Image) -> dict[str, str]:
    """Text -> kind of every code on an image."""
    return {one.text: one.format.name for one in zxingcpp.read_barcodes(image)}


def as_seen(image: Image.Image) -> Image.Image:
    """As a hand scanner sees it: a little turned and smaller."""
    turned = image.convert("L").rotate(7, expand=True, fillcolor=255)
    return turned.resize((turned.width * 4 // 5, turned.height * 4 // 5))


def pages(pdf: bytes) -> list[Image.Image]:
    """A PDF's pages at 203 dpi, as a label printer or an office printer draws them."""
    document = pypdfium2.PdfDocument(pdf)
    drawn = [document[at].render(scale=203 / 72).to_pil() for at in range(len(document))]
    document.close()
    return drawn


def draw(zpl: str) -> Image.Image:
    """The codes of a ZPL label as its printer draws them: ^GFA with repeated rows, and ^BC."""
    width, height = (int(re.search(rf"\^{name}(\d+)", zpl).group(1)) for name in ("PW", "LL"))  # type: ignore[union-attr]
    image = Image.new("L", (width, height), 255)
    ink = ImageDraw.Draw(image)
    for x, y, module, high, text in re.findall(r"\^FO(\d+),(\d+)\^BY(\d)\^BCN,(\d+),Y,N,N\^FH_\^FD(.*?)\^FS", zpl):
        for at, wide in bars(text)[0]:
            left = int(x) + at * int(module)
            ink.rectangle((left, int(y), left + wide * int(module) - 1, int(y) + int(high)), fill=0)
    for x, y, total, row_bytes, picture in re.findall(r"\^FO(\d+),(\d+)\^GFA,\d+,(\d+),(\d+),([0-9A-F:]+)\^FS", zpl):
        wide, rows = int(row_bytes) * 2, []
        while picture:
            taken = 1 if picture[0] == ":" else wide
            rows.append(rows[-1] if taken == 1 else picture[:taken])
            picture = picture[taken:]
        assert len(rows) * int(row_bytes) == int(total)
        dark = Image.frombytes("1", (wide * 4, len(rows)), bytes.fromhex("".join(rows)))
        image.paste(0, (int(x), int(y)), dark)
    return image


@pytest.mark.parametrize(("number", "noise"), [("161738-1-1", 0), ("C6-250311-004/2", 20), ("S1", 38)])
def test_an_ordinary_reader_reads_both_codes_of_the_label(number: str, noise: int) -> None:
    body, text = make(number, noise)
    label = make_label(body, text)
    expected = {text: "QRCode", number: "Code128"}
    printed, drawn = draw(to_zpl(label, 2)), pages(draw_labels([label]))[0]
    assert read(printed) == read(drawn) == expected
    assert read(as_seen(printed)) == expected
    assert to_zpl(label, 2).endswith("^PQ2^XZ\n")


def test_the_largest_passport_still_fits_the_label_in_modules_of_half_a_millimetre() -> None:
    longest = to_text(bytes(range(256)) * 3 + bytes(WIRE_BYTES_MAX - 768))
    matrix = make_matrix(longest)
    assert matrix.version == VERSION_MAX
    body, text = make("161738-1-1")
    label = make_label(body, longest)
    assert label.module_dots / label.dots_mm >= MODULE_MM_MIN
    assert read(draw(to_zpl(label)))[longest] == "QRCode"
    with pytest.raises(ValueError, match="of version"):
        make_matrix(longest + longest)
    assert make_label(body, text).module_dots > label.module_dots
    fine = make_label(body, text, dots_mm=12)
    assert read(draw(to_zpl(fine))) == {text: "QRCode", "161738-1-1": "Code128"}, "a print head of 300 dpi"


def test_a_number_without_code_128_keeps_its_words_and_its_qr() -> None:
    body, text = make("Blech Ä 7")
    label = make_label(body, text)
    assert label.bar_dots == 0
    assert read(pages(draw_labels([label]))[0]) == {text: "QRCode"}
    assert "Blech Ä 7" in to_zpl(label)


def test_a_number_is_only_a_name_in_the_drawing_of_its_code() -> None:
    drawn = to_svg(make_matrix("A"), '1"><script>alert(1)</script>')
    assert 'aria-label="1&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"' in drawn


def test_what_is_held_says_so_in_letters() -> None:
    held, text = make("161738-1-1", quality="held")
    label: Label = make_label(held, text)
    assert label.texts[-1].text == "HELD"
    assert label.texts[-1].height > label.texts[-2].height
    assert "HELD" not in {one.text for one in make_label(*make("161738-1-1")).texts}


def test_every_code_of_the_load_papers_is_read() -> None:
    made = [make(f"161738-1-{n}") for n in range(1, 4)]
    load = to_text(seal(LOAD, LoadBody(shipped=SHIPPED, pieces=3, documents=bytes(32)), KEY))
    pieces = tuple(PaperPiece(body, text, "W1") for body, text in made)
    paper = Paper(SHIPPED, load, pieces, (("161738-2-9", "its number is too long"),), "Europe/Berlin", NOW)
    found: dict[str, str] = {}
    for page in pages(draw_paper(paper)):
        found |= read(page)
    assert found == {load: "QRCode"} | {text: "QRCode" for _, text in made} | {
        body.number: "Code128" for body, _ in made
    }
    assert draw_paper(paper) == draw_paper(paper)
    assert draw_paper(replace(paper, pieces=(), text=""))
    assert from_text(load, WIRE_BYTES_MAX)
