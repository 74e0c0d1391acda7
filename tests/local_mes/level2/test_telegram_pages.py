"""Pages of one link: its state and history with gaps hatched, what it says now, each message in bytes, its interface."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import level2_operations  # noqa: F401  registers the operations of the test model
import msgspec
import pytest
from level2_line import Line
from level2_peers import PLANTS, Site, collecting, connect, cut, until

from local_mes.app import create_console
from local_mes.level2 import down
from local_mes.level2.capture import read_capture
from local_mes.level2.interface import make_document
from local_mes.level2.link_state import load_state, real_ms, save_states
from local_mes.level2.links import load_links
from local_mes.level2.telegram_server import TelegramSettings
from local_mes.level2.telegrams.frame import encode_telegram
from local_mes.level2.telegrams.layout_files import load_folder
from local_mes.level2.telegrams.spots import spots
from shared.clock import FixedClock
from shared.db.engine import write
from shared.errors import BadSetup

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import Person, sign_in

MakeSite = Callable[..., Site]
OWN = Path(__file__).parent / "layouts"
OPCUA = """
[[link]]
code = "MELT"
kind = "opcua"
address = "opc.tcp://127.0.0.1:4841"
security = "None"
  [link.map]
  "*.Tap" = "ignore"
"""


@pytest.fixture
def line(make_site: MakeSite, clock: FixedClock) -> Iterator[Line]:
    made = Line(make_site(more=OPCUA), clock)
    yield made
    made.plant.node.engine.dispose()
    made.plant.spool.dispose()


@pytest.fixture
def engineer(line: Line) -> Person:
    return sign_in(create_console(line.plant), line.plant.node, "engineer", "engineer")


def receive(line: Line, sequence: int, **more: object) -> int:
    """A CC1060 as the collector stores it, bytes and all."""
    fields = cut(sequence % 99, **more)
    raw = encode_telegram(
        line.site.layouts,
        "CC1060",
        fields,
        sequence=sequence,
        claimed="20260311060000000",
        sender="CC1",
        receiver="MES",
    )
    spool_id = line.comes("CC1060", fields)
    with write(line.plant.spool) as conn:
        conn.exec_driver_sql("DROP TRIGGER IF EXISTS message_no_update")
        conn.exec_driver_sql("UPDATE message SET raw = ? WHERE spool_id = ?", (raw, spool_id))
    return spool_id


def test_a_link_that_never_ran_says_how_to_begin(engineer: Person) -> None:
    text = engineer.page("/level2/links/CC1")
    assert "strandline plant level2" in text
    assert "Nothing was received on this link yet." in text
    assert "Nothing changed in this time." in text


def test_state_history_and_messages_of_a_link(line: Line, clock: FixedClock, engineer: Person) -> None:
    state = load_state(line.plant.spool, "CC1", "telegram", "127.0.0.1:7111", clock)
    clock.advance(3_600_000)
    state.happened("opened", peer="10.1.2.3:4000")
    clock.advance(3_600_000)
    state.happened("silent", "Nothing heard for 3 heartbeats.")
    clock.advance(3_600_000)
    state.happened("heard")
    for sequence in (417, 421):
        receive(line, sequence)
        state.stored("CC1060", clock.now_ms(), repeated=False)
        state.heard(sequence, sequence)
    receive(line, 422, width_head_mm=12800)
    clock.advance(60_000)
    with write(line.plant.spool) as conn:
        save_states(conn, [state.row(real_ms())], [state.course()])
    text = engineer.page("/level2/links/CC1?hours=8")
    live = re.search(r'hx-get="([^"]+)" hx-trigger="every 3s"', text)
    assert live
    assert live[1] == "/level2/links/CC1?hours=8"
    assert "Sequence 418 to 420 missing." in text
    assert "missing: 418 to 420" in text
    assert text.count('fill="url(#gap-history)"') == 3  # before anything was known, away, no data
    assert text.count('class="area"') == 2
    assert "Nothing heard for 3 heartbeats." in text
    assert "heat 161843, strand 2" in text
    assert "width_head_mm is 12800 mm, above" in text
    part = engineer.client.get(live[1], headers={"HX-Request": "true"}).text
    assert "<html" not in part
    assert "Sequence 418 to 420 missing." in part
    whole = engineer.page("/level2/links")
    assert 'href="/level2/links/CC1"' in whole
    assert "418 to 420" in whole


def test_the_same_is_had_as_json(line: Line, clock: FixedClock, engineer: Person) -> None:
    state = load_state(line.plant.spool, "CC1", "telegram", "127.0.0.1:7111", clock)
    state.happened("opened", peer="10.1.2.3:4000")
    for sequence in (417, 421):
        receive(line, sequence)
        state.heard(sequence, sequence)
    began = clock.now_ms()
    clock.advance(3_600_000)
    with write(line.plant.spool) as conn:
        save_states(conn, [state.row(real_ms())], [state.course()])
    told = engineer.api("GET", "/api/v1/links/CC1/history").json
    assert [(s["state"], s["from_ms"], s["to_ms"]) for s in told["items"]] == [
        ("stopped", began + 3_600_000 - 86_400_000, began),
        ("connected", began, None),
    ]
    assert [(b["kind"], b["first"], b["last"]) for b in told["breaks"]] == [("gap", 418, 420)]
    first = engineer.api("GET", "/api/v1/links/CC1/messages?limit=1").json
    assert first["items"][0]["fields"] == cut(421 % 99)
    rest = engineer.api("GET", f"/api/v1/links/CC1/messages?before={first['next']}").json
    assert [(m["title"], m["wrong"]) for m in rest["items"]] == [("Slab cut", "")]
    assert engineer.api("GET", "/api/v1/links/NONE/messages").status_code == 404


def test_a_message_is_shown_byte_by_byte_with_what_is_wrong(line: Line, engineer: Person) -> None:
    text = engineer.page(f"/level2/messages/{receive(line, 422, width_head_mm=12800)}")
    assert re.search(r'<td class="num">44</td><td><span class="code">heat</span></td><td>161843</td>', text)
    assert "31 36 31 38 34 33" in text
    assert "width_head_mm is 12800 mm, above 1700 mm" in text
    engineer.page("/level2/messages/99", 404)


def test_a_message_that_its_layout_cannot_read_is_shown_all_the_same(line: Line, engineer: Person) -> None:
    text = engineer.page(f"/level2/messages/{line.comes('CC1060', cut(3))}")  # its bytes are the word raw
    assert "The bytes cannot be read by the layout" in text
    assert "72 61 77" in text


def test_the_interface_document_has_a_page_for_each_telegram(line: Line, engineer: Person) -> None:
    text = engineer.page("/level2/links/CC1/interface")
    told = re.findall(r'<section class="sheet" id="(\w+)"', text)
    up, down_to_it = ["CC1050", "CC1060", "CC1070", "LB1010"], ["CC2010", "CC2020", "CC2030", "CC2040"]
    assert told == ["HEADER", *up, *down_to_it, "AK9000", "HB0001"]
    assert "the plant listens on 127.0.0.1:" in text
    sheet = text.partition('id="CC1060"')[2].partition("</section>")[0]
    assert '<td class="num">44</td><td class="num">6</td><td class="code">heat</td>' in sheet
    assert "800 to 1,700" in sheet
    assert "zero-filled" in sheet
    assert "answered by AK9000" in sheet
    example = re.search(r'<pre class="wrap">([0-9a-f ]+)</pre>', sheet)
    assert example
    found = spots(line.site.layouts, bytes.fromhex(example[1]))
    assert [(spot.start, spot.value) for spot in found if spot.path == "heat"] == [(44, "161843")]


def test_the_document_of_a_link_has_only_what_that_link_says(line: Line, engineer: Person) -> None:
    """The folder of layouts belongs to caster and laboratory; the laboratory's document knows nothing of the caster."""
    model = line.site.settings.model
    laboratory = (
        '\n[[link]]\ncode = "LAB"\nkind = "telegram"\naddress = "127.0.0.1:1"\nmessages = ["LB1010"]\nsends = []\n'
        f'telegrams = "{PLANTS / "ald" / "telegrams"}"\npeer = "LAB"\n'
    )
    model.write_text(model.read_text() + laboratory)
    text = engineer.page("/level2/links/LAB/interface")
    assert re.findall(r'<section class="sheet" id="(\w+)"', text) == ["HEADER", "LB1010", "AK9000", "HB0001"]
    assert "this machine alone" in text
    alone = engineer.client.get("/level2/links/LAB/interface.html")
    assert "attachment; filename=LAB.html" in alone.headers["Content-Disposition"]
    assert "<script" not in alone.text
    assert "<nav" not in alone.text
    assert re.findall(r'<section class="sheet" id="(\w+)"', alone.text) == ["HEADER", "LB1010", "AK9000", "HB0001"]


def test_the_document_as_pdf_has_the_same_pages(line: Line, engineer: Person) -> None:
    text = engineer.page("/level2/links/CC1/interface")
    answer = engineer.client.get("/level2/links/CC1/interface.pdf")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.data.startswith(b"%PDF-1.")
    assert len(re.findall(rb"/Type /Page\b", answer.data)) == 1 + text.count('<section class="sheet" id=')
    assert b"Interface CC1" in answer.data


def test_an_order_that_a_link_does_not_send_is_refused_and_a_link_must_know_what_it_sends(
    line: Line, clock: FixedClock
) -> None:
    model = line.site.settings.model
    model.write_text(model.read_text().replace('peer = "CC1"', 'peer = "CC1"\nsends = ["CC2030"]', 1))
    refused = down.queue_telegram(line.plant.spool, clock, "CC1", "CC2010", {}, key="a")

    async def scene() -> None:
        async with collecting(line.site, clock):
            peer = await connect(line.site)
            await until(lambda: down.get_down(line.plant.spool, refused).state == "refused")
            peer.writer.close()

    asyncio.run(scene())
    assert "none of what this link sends" in down.get_down(line.plant.spool, refused).answer
    model.write_text(model.read_text().replace("CC2030", "CC2099"))
    with pytest.raises(BadSetup, match="CC2099, which has no layout"):
        load_links(line.site.settings)


def test_a_capture_is_had_from_the_page(line: Line, engineer: Person, clock: FixedClock) -> None:
    receive(line, 417)
    text = engineer.page("/level2/links/CC1/capture")
    found = re.search(r'name="begin"[^>]* value="([^"]+)"', text)
    assert found
    assert found[1] == "2026-03-10T06:00"  # a day ago, in Warsaw
    answer = engineer.client.get("/level2/links/CC1/capture.jsonl?begin=2026-03-10T06:00&end=2026-03-11T07:00")
    assert answer.headers["Content-Disposition"] == "attachment; filename=CC1-2026-03-10T06-00.jsonl"
    _, messages = read_capture(answer.data.splitlines())
    assert [m.message for m in messages] == ["CC1060"]
    assert "no date and time" in engineer.page("/level2/links/CC1/capture.jsonl?begin=noon&end=", 422)
    other = sign_in(create_console(line.plant), line.plant.node, "operator", "operator")
    assert (
        other.client.get("/level2/links/CC1/capture.jsonl?begin=2026-03-10T06:00&end=2026-03-11T07:00").status_code
        == 403
    )


def test_what_is_no_telegram_link_has_no_interface_document(engineer: Person) -> None:
    assert "carries no telegrams" in engineer.page("/level2/links/MELT/interface", 404)
    assert "no link" in engineer.page("/level2/links/NONE", 404)
    assert "Interface document" not in engineer.page("/level2/links/MELT")


@pytest.mark.parametrize("kind", sorted(folder.name for folder in OWN.iterdir()))
def test_every_kind_of_line_can_be_described(line: Line, kind: str) -> None:
    layouts = load_folder(OWN / kind)
    link = load_links(line.site.settings).links["CC1"]
    up = next(m for m, layout in layouts.messages.items() if layout.direction == "up" and m not in layouts.service_ids)
    document = make_document(msgspec.structs.replace(link, messages=(up,)), TelegramSettings(side="client"), layouts)
    assert document.pages[0].ids == (up,)
    assert "the plant connects to" in dict(document.rules)["Connection"]
    for page in document.pages:
        joined = b"".join(spot.raw for spot in page.spots)
        assert set(joined) <= set(page.example)
        assert all(page.example[s.start : s.start + len(s.raw)] == s.raw for s in page.spots)
