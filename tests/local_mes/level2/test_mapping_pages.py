"""Pages of the mapping: the namespace, what a message means, a trial that records nothing, a mapping mended on screen."""

from __future__ import annotations

import html
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import level2_operations  # noqa: F401  registers the operations of the test model
import pytest
from level2_line import Line
from level2_peers import Site, cut
from sqlalchemy import select

from local_mes.app import create_console
from local_mes.level2.links import load_links
from local_mes.level2.tables import repair
from shared.clock import FixedClock
from shared.db.engine import read

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import Person, sign_in

MakeSite = Callable[..., Site]
FILE = """
[[signal]]
name = "CC/LINE/CC1/torch_width"
unit = "mm"
message = "CC1060"
field = "width_head_mm"
max = {most}
description = "at the head"

[[operation]]
name = "a cut, as it comes"
message = "CC1060"
when = "torch_width > 0"
operation = "test_cut"
keep = true
"""


@pytest.fixture
def line(make_site: MakeSite, clock: FixedClock, tmp_path: Path) -> Iterator[Line]:
    (tmp_path / "cc1.toml").write_text(FILE.format(most=1200))
    site = make_site()
    model = tmp_path / "model.toml"
    model.write_text(model.read_text().replace('peer = "CC1"', 'peer = "CC1"\nmapping = "cc1.toml"'))
    made = Line(site, clock)
    yield made
    made.plant.node.engine.dispose()
    made.plant.spool.dispose()


@pytest.fixture
def engineer(line: Line) -> Person:
    return sign_in(create_console(line.plant), line.plant.node, "engineer", "engineer")


def open_repairs(line: Line) -> list[Any]:
    with read(line.plant.node.engine) as conn:
        return list(conn.execute(select(repair).where(repair.c.state == "open")))


def test_the_namespace_page_and_its_csv(line: Line, engineer: Person) -> None:
    line.comes("CC1060", cut(width_head_mm=1100))
    text = engineer.page("/level2/namespace")
    for words in ("CC/LINE/CC1/torch_width", "1100", "CC1060.width_head_mm", "a cut, as it comes"):
        assert words in text
    assert "torch_width" not in engineer.page("/level2/namespace?q=casting")
    csv = engineer.page("/level2/namespace?format=csv")
    assert "CC/LINE/CC1/torch_width,1100,mm" in csv
    (row,) = engineer.api("GET", "/api/v1/namespace?q=width").json["items"]
    assert (row["value"], row["unit"], row["used_by"]) == (1100, "mm", "a cut, as it comes")


def test_a_mapping_is_mended_on_its_page_and_what_lay_in_repair_goes_through(line: Line, engineer: Person) -> None:
    for number in (1, 2):
        line.comes("CC1060", cut(number))
    line.run()
    assert len(open_repairs(line)) == 2
    shown = html.unescape(engineer.page(f"/level2/repairs/{open_repairs(line)[0].repair_id}"))
    assert "above 1200 mm" in shown
    assert "Interpret again, as received" in shown
    address = "/level2/mappings/CC1"
    assert "a cut, as it comes" in engineer.page(address)
    mark = engineer.page(address).partition('name="mark" value="')[2][:16]

    wrong = engineer.post(address, address, text=FILE.format(most="'wide'"), mark=mark)
    assert wrong.status_code == 422
    assert "signal 'CC/LINE/CC1/torch_width', max: expected a number, got a text" in html.unescape(wrong.text)
    assert "max = 'wide'" in html.unescape(wrong.text)
    assert (line.site.folder / "cc1.toml").read_text() == FILE.format(most=1200)

    good = FILE.format(most=1700)
    checked = engineer.post(address, address, text=good, mark=mark, check="1")
    assert "It is not saved yet" in checked.text
    assert len(open_repairs(line)) == 2
    saved = engineer.post(address, address, text=good.replace("\n", "\r\n"), mark=mark)
    assert saved.status_code == 302
    assert "2 messages in repair went through" in engineer.page(address)
    assert (line.site.folder / "cc1.toml").read_text() == good
    assert (line.site.folder / "cc1.toml.before").read_text() == FILE.format(most=1200)
    assert open_repairs(line) == []
    assert {(fact.actor, fact.occurred.source) for fact in line.facts()} == {("l2:CC1", "l2:CC1")}

    late = engineer.post(address, address, text=good, mark=mark)
    assert late.status_code == 409
    assert "was changed since this page was opened" in late.text


def test_only_an_engineer_changes_a_mapping(line: Line, engineer: Person) -> None:
    other = sign_in(engineer.client.application, line.plant.node, "lead", "lead")
    assert "a cut, as it comes" in other.page("/level2/mappings/CC1")
    assert other.post("/level2/mappings/CC1", "/level2/mappings/CC1", text="", mark="x").status_code == 403
    assert other.client.get("/level2/try").status_code == 403
    assert other.api("POST", "/api/v1/links/CC1/try", json={"message": "CC1060", "fields": {}}).status_code == 403


def test_a_file_broken_by_hand_is_said_on_the_page_and_can_be_mended_there(line: Line, engineer: Person) -> None:
    (line.site.folder / "cc1.toml").write_text("[[operation]")
    assert "cannot be read" in engineer.page("/level2/mappings")
    text = engineer.page("/level2/mappings/CC1")
    assert "it is not TOML" in text
    assert engineer.page("/level2/links/CC1")
    mark = text.partition('name="mark" value="')[2][:16]
    assert engineer.post("/level2/mappings/CC1", "/level2/mappings/CC1", text=FILE.format(most=1700), mark=mark)
    assert load_links(line.site.settings).mappings.by_link["CC1"].entries


def test_a_message_is_tried_from_its_page_and_pasted(line: Line, engineer: Person) -> None:
    spool_id = line.comes("CC1060", cut(width_head_mm=1100))
    assert f"/level2/try?spool_id={spool_id}" in engineer.page(f"/level2/messages/{spool_id}")
    text = html.unescape(engineer.page(f"/level2/try?spool_id={spool_id}"))
    assert "goes through" in text
    assert "MaterialMoved, MaterialMoved" in text
    pasted = engineer.post("/level2/try", "/level2/try", link="CC1", message="CC1060", text='{"heat": "1"}')
    assert "would go to repair" in pasted.text
    assert "strand is empty" in pasted.text
    unread = engineer.post("/level2/try", "/level2/try", link="CC1", message="", text="<b>none</b>")
    assert (unread.status_code, "cannot be tried" in unread.text, "<b>none" in unread.text) == (422, True, False)
    answer = engineer.api("POST", "/api/v1/links/CC1/try", json={"message": "CC1060", "fields": cut()})
    assert (answer.json["state"], answer.json["at_fault"]) == ("bad", "width_head_mm")
    assert line.facts() == []


def test_all_of_a_link_in_repair_go_again_by_one_button(line: Line, engineer: Person) -> None:
    line.comes("CC1060", cut())
    line.run()
    assert "Interpret all again of CC1" in engineer.page("/level2/repairs?state=open&link=CC1")
    (line.site.folder / "cc1.toml").write_text(FILE.format(most=1700))
    answer = engineer.post("/level2/repairs-again", "/level2/repairs?state=open&link=CC1", link="CC1")
    assert answer.status_code == 302
    assert "1 message in repair went through" in engineer.page("/level2/repairs?state=open&link=CC1")
    assert open_repairs(line) == []


def test_one_in_repair_goes_again_as_received_with_those_that_waited_for_it(line: Line, engineer: Person) -> None:
    line.comes("CC1060", cut())
    line.comes("CC1070", {"slab": "161843-2-3", "ok": "Y"})
    line.run()
    line.clock.advance(700_000)
    line.run()
    assert len(open_repairs(line)) == 2
    first = next(row for row in open_repairs(line) if row.message == "CC1060")
    address = f"/level2/repairs/{first.repair_id}"
    assert "<mark>" in engineer.page(address)  # the bytes at fault
    still = engineer.post(address, address, again="1")
    assert (still.status_code, "above 1200 mm" in still.text) == (422, True)
    (line.site.folder / "cc1.toml").write_text(FILE.format(most=1700))
    assert engineer.post(address, address, again="1").status_code == 302
    assert "1 that waited for it went through too" in engineer.page("/level2/repairs?state=open")
    assert sorted(line.places()) == ["MK1", "YA", "YA1"]
