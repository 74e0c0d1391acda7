"""Search, piece and trace pages over a slab that became a coil that was slit, with a mark, a finding and a hold."""

from __future__ import annotations

import html
import re

import pytest
from flask.testing import FlaskClient

from shared.clock import FixedClock
from shared.db.engine import write
from shared.journal.fact import Draft, Occurred, Payload
from shared.material.facts import (
    Consumed,
    Edge,
    Loss,
    MarkPlaced,
    Mass,
    MaterialCreated,
    MaterialTransformed,
    NewAlias,
    NewMaterial,
    Size,
)
from shared.node import build_node, create_tables, make_folder
from shared.quality.facts import ElementResult, HoldPlaced, SampleAnalysed
from shared.settings import NodeSettings, check
from shared.subjects import REGISTERS
from shared.web import accounts
from shared.web.app import create_app
from shared.web.features import Face
from shared.web.pieces import views

M, MM = 1_000_000, 1_000
NO_SIZE = Size()
HEAT, SLAB, COIL = (f"{n:032x}" for n in (1, 2, 3))
SLITS = {letter: f"{n:032x}" for n, letter in enumerate("ABCDEFGHIJ", start=16)}
NOW_MS = 1_773_226_800_000
PASSWORD = "long enough to type"


def made(material_id: str, kind: str, numbers: tuple[str, ...], kg: int, size: Size = NO_SIZE) -> NewMaterial:
    aliases = tuple(NewAlias(f"test.{kind}", number) for number in numbers)
    return NewMaterial(
        material_id=material_id,
        kind=kind,
        aliases=aliases,
        mass=Mass(kg * 1000, "weighed", "WS1", 1),
        size=size,
        grade="L06",
        place="YA",
    )


def transformed(
    name: str, parent: str, children: tuple[NewMaterial, ...], edges: tuple[Edge, ...]
) -> MaterialTransformed:
    return MaterialTransformed(
        operation_id=f"{len(name):032x}",
        operation=name,
        unit="U1",
        started_at_ms=1,
        ended_at_ms=NOW_MS - 600_000,
        parents=(Consumed(parent, 20_000_000),),
        children=children,
        edges=edges,
        losses=(Loss("scale", 155_000), Loss("zinc", -20_000, True)),
    )


def facts() -> list[tuple[Payload, str]]:
    heat = made(HEAT, "heat", ("261604",), 127_500)
    slab = made(SLAB, "slab", ("261604-2-3", "BS6-08817"), 20_640, Size(220 * MM, 1280 * MM, 9_310 * MM))
    coil = made(COIL, "coil", ("B6-09962",), 20_300, Size(2_500, 1280 * MM, 931 * M))
    cast = Edge(
        parent_id=HEAT,
        child_id=SLAB,
        parent_from_um=20 * M,
        parent_to_um=20 * M + 9_310 * MM,
        child_from_um=0,
        child_to_um=9_310 * MM,
        mass_g=20_640_000,
        share_ppm=750_000,
    )
    rolled = Edge(
        parent_id=SLAB,
        child_id=COIL,
        parent_from_um=0,
        parent_to_um=9_310 * MM,
        child_from_um=0,
        child_to_um=931 * M,
        parent_right_um=1280 * MM,
        child_right_um=1280 * MM,
        mass_g=20_300_000,
        flip_length=True,
        flip_width=True,
    )
    width = 128 * MM
    slits = tuple(
        made(i, "slit", (f"B6-09962-{letter}",), 2_030, Size(2_500, width, 931 * M)) for letter, i in SLITS.items()
    )
    cuts = tuple(
        Edge(
            parent_id=COIL,
            child_id=i,
            parent_from_um=0,
            parent_to_um=931 * M,
            child_from_um=0,
            child_to_um=931 * M,
            parent_left_um=n * width,
            parent_right_um=(n + 1) * width,
            child_right_um=width,
            mass_g=2_030_000,
        )
        for n, i in enumerate(SLITS.values())
    )
    mark = MarkPlaced(
        mark_id="a" * 32,
        material_id=SLAB,
        kind="mould_level",
        from_um=4_100 * MM,
        to_um=4_600 * MM,
        value=14,
        text="+14 mm",
        rule="QR-CAST-01",
    )
    sliver = MarkPlaced(
        mark_id="b" * 32,
        material_id=COIL,
        kind="sliver",
        from_um=500 * M,
        to_um=501 * M,
        left_um=300 * MM,
        right_um=310 * MM,
    )
    sample = SampleAnalysed(
        sample_id="c" * 32,
        sample_number="S-1",
        material_id=HEAT,
        place="LFF",
        taken_at_ms=NOW_MS,
        results=(ElementResult("C", 450), ElementResult("Cu", 2_700, "<")),
    )
    hold = HoldPlaced(hold_id="d" * 32, material_id=SLITS["C"], reason="spot 228 < 235 g/m2", rule_id="QR-CGL-01")
    return [
        (MaterialCreated(material=heat, origin="made"), HEAT),
        (transformed("cast", HEAT, (slab,), (cast,)), SLAB),
        (transformed("roll!", SLAB, (coil,), (rolled,)), COIL),
        (mark, SLAB),
        (sliver, COIL),
        (sample, HEAT),
        (transformed("slit it", COIL, slits, cuts), SLITS["A"]),
        (hold, SLITS["C"]),
    ]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    settings = check(
        NodeSettings, {"code": "BRK", "name": "Mill", "folder": tmp_path_factory.mktemp("pages") / "brk"}, "test"
    )
    make_folder(settings)
    clock = FixedClock(NOW_MS)
    node = build_node(settings, REGISTERS, clock)
    create_tables(node.engine)
    with node.journal.work() as tx:
        tx.record(*(Draft(payload, (subject,), "p1", Occurred(NOW_MS, "test")) for payload, subject in facts()))
    with write(node.engine) as conn:
        accounts.add_person(conn, clock, "reader", "Reader", ("operator",), PASSWORD, {"operator": ""})
    face = Face("plant", "BRK", "Mill", "Europe/Berlin", "pieces.pieces", {"operator": ""}, search="pieces.search")
    client = create_app(node, face, (views.FEATURE,)).test_client()
    found = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/sign-in").text)
    assert found
    client.post("/sign-in", data={"login": "reader", "password": PASSWORD, "csrf_token": found[1]})
    return client


@pytest.mark.parametrize("number", ["261604-2-3", "BS6-08817", " BS6-08817 "])
def test_any_number_on_any_label_leads_to_the_piece(pages: FlaskClient, number: str) -> None:
    answer = pages.get("/search", query_string={"q": number})
    assert answer.status_code == 302
    page = pages.get(answer.headers["Location"]).text
    assert "Slab" in page
    assert "20,640 kg" in page


def test_a_part_of_a_number_offers_what_contains_it(pages: FlaskClient) -> None:
    page = pages.get("/search?q=09962-").text
    assert "B6-09962-C" in page
    assert "No piece here bears" in pages.get("/search?q=nothing").text
    assert "Type or scan" in pages.get("/search").text


def test_the_piece_page_says_what_holds_it_and_what_it_is_made_of(pages: FlaskClient) -> None:
    page = pages.get("/piece/B6-09962-C").text
    for expected in ("Held", "QR-CGL-01", "spot 228 &lt; 235 g/m2", "Slit coil B6-09962-C", "B6-09962", "(gained)"):
        assert expected in page
    heat = pages.get("/piece/261604").text
    assert "0.045" in heat
    assert "&lt;0.27" in heat
    assert "261604" in page
    assert "0.045" in page
    assert "75.0" in pages.get("/piece/261604-2-3").text
    unknown = pages.get("/piece/1-2-3")
    assert unknown.status_code == 404
    assert "No piece with the number" in unknown.text


def test_a_place_on_the_slit_is_carried_to_slab_and_strand(pages: FlaskClient) -> None:
    """Metre 500.5 of slit C lies at 430.5 m from the other end of the slab's scale: 4.305 m, 975 mm from the left."""
    page = pages.get("/trace/B6-09962-C?at_mm=500500&left_mm=49").text
    rows = {
        match[1]: match[0]
        for match in re.finditer(r'<tr[^>]*><td><a class="code"[^>]*>([^<]+)</a>.*?</tr>', page, re.S)
    }
    assert "<b>500.50</b>" in rows["B6-09962-C"]
    assert "<b>500.50</b>" in rows["B6-09962"]
    assert ">305<" in rows["B6-09962"]
    assert "sliver" in rows["B6-09962"]
    slab = rows["261604-2-3"]
    assert "<b>4.30</b>" in slab or "<b>4.31</b>" in slab
    assert ">975<" in slab
    assert "mould level" in slab
    assert "head became tail, left became right" in page
    assert page.count('class="chosen"') >= 6


def test_the_trace_reads_without_a_place_and_refuses_nonsense(pages: FlaskClient) -> None:
    page = pages.get("/trace/B6-09962").text
    assert "What it came from" in page
    assert "<svg" in page
    assert page.count('class="share hit-able"') == len(SLITS)
    assert pages.get("/trace/B6-09962?at_mm=far").status_code == 422
    assert pages.get("/trace/B6-09962?at_mm=-1").status_code == 422
    assert pages.get("/trace/261604").status_code == 200


def test_the_graph_folds_many_pieces_of_one_operation_and_opens_them(pages: FlaskClient) -> None:
    page = pages.get("/trace/B6-09962").text
    graph = page.split('id="graph"')[1].split("What it became")[0]
    assert f"{len(SLITS)} slit coils" in graph
    assert "75 %" in graph
    assert "B6-09962-C" not in graph
    opens = html.unescape(re.findall(r'href="([^"]*open=[^"]*)"', graph)[0])
    opened = pages.get(opens).text.split('id="graph"')[1].split("What it became")[0]
    assert all(f"B6-09962-{slit}" in opened for slit in ("A", "C"))
    assert "Fold slit coils" in opened
    one = pages.get("/trace/B6-09962-C").text.split('id="graph"')[1]
    assert one.count("node-chosen") == 1
    assert one.count("node-held") == 1
    assert "style=" not in page.split("<main")[1]


def test_the_list_filters_and_marks_what_is_held(pages: FlaskClient) -> None:
    page = pages.get("/pieces?kind=slit").text
    assert page.count("<tr>") == len(SLITS) + 1
    assert page.count("badge-held") == 1
    assert "B6-09962-C" in pages.get("/pieces?q=962-C&format=csv").text
