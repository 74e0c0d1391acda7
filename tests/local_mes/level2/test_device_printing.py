"""Label printer and marking machine: once, loudly when not, and never twice because somebody was killed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from device_site import answered, ask, detail, fields, link, order, talking
from hypothesis import given
from hypothesis import strategies as st
from level2_peers import Site, until

from demo.simulator.devices.marker import MarkingMachine
from demo.simulator.devices.printer import LabelPrinter
from local_mes.level2.devices.code128 import bars, values
from local_mes.level2.devices.label import LabelLayout, lines_of, to_svg, to_zpl, unprintable
from local_mes.level2.devices.standing import withdraw
from local_mes.level2.links import load_links
from shared.clock import FixedClock
from shared.errors import BadSetup
from shared.ports import free_port

MakeSite = Callable[..., Site]
LABELLED = '"*.Printed" = "piece_labelled"\n  "*.Marked" = "piece_labelled"'
QUICK = "poll_s = 0.1\n  answer_s = 1"


def zpl(copies: int = 1) -> str:
    return to_zpl(LabelLayout(lines=("{number}", "{grade}")), {"number": "C-1", "grade": "L06"}, copies)


def printing(make_site: MakeSite, printer: LabelPrinter, more: str = "") -> Site:
    return make_site(more=link("printer", "LP1", printer.port, LABELLED, f"{QUICK}\n  {more}"))


def print_it(site: Site, clock: FixedClock, key: str, copies: int = 1) -> None:
    more = {"piece": "C-1", "material_id": "m1", "text": "C-1", "zpl": zpl(copies), "copies": copies}
    ask(site, clock, "LP1", "Print", key, **more)


def marking(make_site: MakeSite, machine: MarkingMachine, more: str = "") -> Site:
    return make_site(more=link("marker", "MK1", machine.port, LABELLED, more))


def mark_it(site: Site, clock: FixedClock, key: str, text: str = "S-1") -> None:
    ask(site, clock, "MK1", "Mark", key, piece="S-1", material_id="m1", text=text)


def test_labels_are_counted_by_the_printer_before_they_count(make_site: MakeSite, clock: FixedClock) -> None:
    printer = LabelPrinter(free_port())
    site = printing(make_site, printer)

    async def scene() -> None:
        async with talking(site, clock, printer, link="LP1"):
            print_it(site, clock, "one")
            print_it(site, clock, "three", copies=3)
            print_it(site, clock, "many", copies=99)
            assert (await answered(site, "one")).answer == "1 label printed"
            assert (await answered(site, "three")).answer == "3 labels printed"
            assert "at most 20" in (await answered(site, "many")).answer

    asyncio.run(scene())
    assert len(printer.labels) == 4
    assert "^FDC-1^FS" in printer.labels[0]
    assert [(one["text"], one["copies"], one["material_id"]) for one in fields(site)] == [
        ("C-1", 1, "m1"),
        ("C-1", 3, "m1"),
    ]


def test_a_label_that_the_counter_does_not_know_of_is_not_printed(make_site: MakeSite, clock: FixedClock) -> None:
    printer = LabelPrinter(free_port())
    printer.swallows = True
    site = printing(make_site, printer)

    async def scene() -> None:
        async with talking(site, clock, printer, link="LP1"):
            print_it(site, clock, "lost")
            lost = await answered(site, "lost")
            assert (lost.state, lost.answer) == ("refused", "0 of 1 labels were printed; its counter says no more")

    asyncio.run(scene())
    assert fields(site) == []


@pytest.mark.parametrize("mute", [False, True])
def test_paper_out_is_said_loudly_and_the_label_waits(make_site: MakeSite, clock: FixedClock, mute: bool) -> None:
    printer = LabelPrinter(free_port(), paper=1)
    printer.mute = mute
    site = printing(make_site, printer)

    async def scene() -> None:
        async with talking(site, clock, printer, link="LP1"):
            print_it(site, clock, "two", copies=2)
            await until(lambda: len(printer.labels) == 1)
            await until(lambda: "aper" in detail(site, "LP1"))
            assert site.state_name("LP1") == ("away" if mute else "no_data")
            assert order(site, "two").state == "sent"
            printer.paper = 10
            assert (await answered(site, "two")).answer == "2 labels printed"
            await until(lambda: site.state_name("LP1") == "connected")

    asyncio.run(scene())
    assert len(printer.labels) == 2


def test_a_label_that_waits_for_paper_can_be_withdrawn(make_site: MakeSite, clock: FixedClock) -> None:
    printer = LabelPrinter(free_port(), paper=0)
    site = printing(make_site, printer)

    async def scene() -> None:
        async with talking(site, clock, printer):
            await until(lambda: site.state_name("LP1") == "no_data")
            print_it(site, clock, "one")
            await until(lambda: order(site, "one").state == "sent")
            assert withdraw(site.spool, order(site, "one").down_id, "by Ines", clock.now_ms())
            printer.paper = 5
            print_it(site, clock, "next")
            assert (await answered(site, "next")).state == "confirmed"
            assert order(site, "one").answer == "withdrawn: by Ines"
            assert not withdraw(site.spool, order(site, "one").down_id, "again", clock.now_ms())

    asyncio.run(scene())
    assert len(printer.labels) == 1


@pytest.mark.parametrize("forgets", [False, True])
def test_a_connection_cut_while_it_prints_prints_no_label_twice(
    make_site: MakeSite, clock: FixedClock, forgets: bool
) -> None:
    printer = LabelPrinter(free_port())
    site = printing(make_site, printer)

    async def scene() -> None:
        async with talking(site, clock, printer, link="LP1"):
            print_it(site, clock, "one")
            await until(lambda: any(said.startswith("^XA") for said in printer.heard))
            printer.switch_off() if forgets else printer.hang_up()
            assert (await answered(site, "one")).state == "confirmed"
            assert order(site, "one").tries == 2

    asyncio.run(scene())
    assert len(printer.labels) == 1
    assert len(fields(site)) == 1


def test_a_printer_without_a_counter_prints_too(make_site: MakeSite, clock: FixedClock) -> None:
    printer = LabelPrinter(free_port())
    printer.counts = False
    site = printing(make_site, printer)

    async def scene() -> None:
        async with talking(site, clock, printer, link="LP1"):
            print_it(site, clock, "one")
            assert (await answered(site, "one")).state == "confirmed"

    asyncio.run(scene())
    assert len(printer.labels) == 1


def test_a_marking_is_what_the_camera_reads(make_site: MakeSite, clock: FixedClock) -> None:
    machine = MarkingMachine(free_port())
    site = marking(make_site, machine)

    async def scene() -> None:
        async with talking(site, clock, machine, link="MK1"):
            mark_it(site, clock, "good")
            assert (await answered(site, "good")).answer == "reads S-1"
            machine.misread = "S-7"
            mark_it(site, clock, "wrong")
            wrong = await answered(site, "wrong")
            assert (wrong.state, wrong.answer) == ("refused", "it reads 'S-7' and should read 'S-1'")
            machine.misread, machine.fails = "", "no paint"
            mark_it(site, clock, "failed")
            assert (await answered(site, "failed")).answer == "failed: no paint"
            machine.fails, machine.refuses = "", "busy"
            mark_it(site, clock, "refused")
            assert (await answered(site, "refused")).answer == "the machine refused it: busy"
            mark_it(site, clock, "small", text="small letters")
            assert "cannot write" in (await answered(site, "small")).answer
            machine.put(b"HELLO\r\nDONE;123;S-9\r\n")  # of a job that somebody typed in there
            await until(lambda: len(fields(site)) == 4)
            await until(lambda: "OK;123" in machine.heard)

    asyncio.run(scene())
    assert [one.get("outcome") for one in fields(site)] == ["done", "mismatch", "failed", None]
    assert "was not sent to it" in site.spooled()[3].problem
    assert machine.painted == ["S-1", "S-1"]


def test_a_marking_is_not_painted_twice_when_the_line_is_cut(make_site: MakeSite, clock: FixedClock) -> None:
    machine = MarkingMachine(free_port())
    machine.blocked = True
    site = marking(make_site, machine)

    async def scene() -> None:
        async with talking(site, clock, machine, link="MK1"):
            mark_it(site, clock, "one")
            await until(lambda: any(said.startswith("JOB") for said in machine.heard))
            machine.hang_up()
            await until(lambda: any(said.startswith("ASK") for said in machine.heard))
            machine.blocked = False
            assert (await answered(site, "one")).answer == "reads S-1"

    asyncio.run(scene())
    assert machine.painted == ["S-1"]
    assert len(fields(site)) == 1


def test_what_is_withdrawn_before_the_machine_is_there_is_never_marked(make_site: MakeSite, clock: FixedClock) -> None:
    machine = MarkingMachine(free_port())
    site = marking(make_site, machine)

    async def scene() -> None:
        mark_it(site, clock, "held")
        mark_it(site, clock, "free", text="S-2")
        assert withdraw(site.spool, order(site, "held").down_id, "the piece is held", clock.now_ms())
        async with talking(site, clock, machine):
            await answered(site, "free")

    asyncio.run(scene())
    assert machine.painted == ["S-2"]
    assert order(site, "held").state == "refused"


@pytest.mark.parametrize(
    ("kind", "more", "said"),
    [
        ("marker", 'job = "JOB {text}"', "`job` must have"),
        ("marker", 'done = "DONE"', "no group `job`"),
        ("marker", 'done = "("', "`done` is none"),
        ("marker", 'characters = "z-a"', "`characters`"),
        ("printer", '[link.settings.label]\n  lines = ["{nummer}"]', "nummer"),
        ("printer", '[link.settings.label]\n  lines = ["{"]', "its label"),
        ("printer", 'counter = "a\\"b"', "`counter`"),
    ],
)
def test_settings_are_refused_by_name(make_site: MakeSite, kind: str, more: str, said: str) -> None:
    with pytest.raises(BadSetup, match=said):
        load_links(make_site(more=link(kind, "D1", 9, LABELLED, more)).settings)


def test_a_label_is_the_same_for_printer_and_screen() -> None:
    layout = LabelLayout(lines=("{number}", "{grade} {held}", "{order}"), width_mm=100, height_mm=60)
    said = {"number": "C-1 <^>~", "grade": "L06"}
    assert [line.text for line in lines_of(layout, said)] == ["C-1 <^>~", "L06"]  # an empty line takes no room
    text, drawn = to_zpl(layout, said, 2), to_svg(layout, said)
    assert "^FDC-1 <_5E>_7E^FS" in text
    assert "^BCN" in text
    assert text.endswith("^PQ2^XZ\n")
    assert "C-1 &lt;^&gt;~" in drawn
    assert "<path" in drawn
    accent = {"number": "Größe"}
    assert "letters without accents" in unprintable(layout, accent)
    assert "Größe" in to_svg(layout, accent)
    assert unprintable(layout, said) == ""
    assert "mm wide" in unprintable(layout, {"number": "C" * 60})
    for code, command in (("qr", "^BQN"), ("datamatrix", "^BXN"), ("none", "^FDL06")):
        other = LabelLayout(lines=("{number}", "{grade}"), code=code)  # type: ignore[arg-type]
        assert command in to_zpl(other, said)
        assert to_svg(other, said).startswith("<svg")


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40))
def test_code_128_has_its_check_and_its_width(text: str) -> None:
    found = values(text)
    assert (found[0] + sum(at * value for at, value in enumerate(found[1:-2], start=1))) % 103 == found[-2]
    dark, wide = bars(text)
    assert wide == 11 * (len(text) + 2) + 13
    assert dark[-1] == (wide - 2, 2)
