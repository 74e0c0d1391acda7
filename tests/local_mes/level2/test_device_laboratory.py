"""Spectrometer against an analyser on ASTM and on delimited text, and hand scanners: half messages, repeats, garbage."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress

import pytest
from device_site import fields, link, talking
from level2_peers import Site, collecting, until

from demo.simulator.devices.scanner import HandScanner
from demo.simulator.devices.spectrometer import Spectrometer
from local_mes.level2.devices.burns import Value, average, read_element, read_value
from local_mes.level2.devices.scan import GS, has_check_digit, read_scan
from local_mes.level2.links import load_links
from shared.clock import FixedClock
from shared.errors import BadSetup
from shared.ports import free_port

MakeSite = Callable[..., Site]
BURNS = ({"C": "0.0451", "Mn": "1.402"}, {"C": "0.0453", "Mn": "1.398"}, {"C": "0.0920", "Mn": "1.110"})
RESULT = '"*.Result" = "spectrometer_result"'
SCANNED = '"*.Scanned" = "piece_scanned"'


def lab(port: int, more: str = "") -> str:
    return link("spectrometer", "OES1", port, RESULT, f'side = "server"\n  {more}')


def test_burns_become_a_mean_that_is_on_disk_before_the_last_frame_is_acknowledged(
    make_site: MakeSite, clock: FixedClock
) -> None:
    analyser = Spectrometer(free_port())
    site = make_site(more=lab(analyser.port, 'place = "LFF"'))
    analyser.result("S-1", BURNS, heat="161843", rejected=[3])
    analyser.result("S-2", [{"N": "45", "B": "<3"}], unit="ppm", time="20260311062000", mean={"N": "44", "B": "<3"})
    analyser.spoil = 2  # two frames leave with a wrong checksum

    async def scene() -> None:
        async with collecting(site, clock):
            analyser.call()
            await until(lambda: not analyser.waiting)
            assert len(fields(site)) == 2
            assert analyser.answers.count(b"\x15") == 2
            analyser.result("S-1", BURNS, heat="161843", rejected=[3])  # sent again: it lost our last answer
            analyser.result("S-1", [BURNS[0]], heat="161843", time="20260311063000")  # measured again
            await until(lambda: not analyser.waiting)
            await until(lambda: site.state("OES1").repeated == 1)
        await analyser.stop()

    asyncio.run(scene())
    first, second, corrected = fields(site)
    assert first["results"] == [
        {"element": "C", "op": "", "value_e6": 452, "digits": 4},
        {"element": "Mn", "op": "", "value_e6": 14_000, "digits": 3},
    ]
    assert (first["heat"], first["place"], first["mean_of"], first["count"]) == ("161843", "LFF", "2 burns", 2)
    assert [(one["burn"], one["rejected"]) for one in first["burns"]] == [(1, False), (2, False), (3, True)]
    assert second["results"] == [
        {"element": "N", "op": "", "value_e6": 44, "digits": 4},
        {"element": "B", "op": "<", "value_e6": 3, "digits": 4},
    ]
    assert second["mean_of"] == "analyser"
    assert corrected["results"][0]["value_e6"] == 451
    assert site.spooled()[0].claimed == "2026-03-11T06:15:00"


def test_a_message_cut_in_the_middle_is_taken_when_it_comes_whole(make_site: MakeSite, clock: FixedClock) -> None:
    analyser = Spectrometer(free_port())
    analyser.frame_text = 16
    site = make_site(more=lab(analyser.port, 'place = "LFF"'))

    async def scene() -> None:
        async with collecting(site, clock):
            await until(lambda: site.state_name("OES1") != "")
            reader, writer = await asyncio.open_connection("127.0.0.1", analyser.port)
            writer.write(b"noise\x05\x021H|half a fra")
            assert await reader.readexactly(1) == b"\x06"
            writer.transport.abort()
            analyser.result("S-1", BURNS, heat="161843")
            analyser.call()
            await until(lambda: len(analyser.answers) > 8)
            analyser.hang_up()  # between two frames
            await until(lambda: not analyser.waiting)
            analyser.waiting.append(["H|\\^&|||X", "L|1|N"])
            analyser.waiting.append(["H|\\^&|||X", "O|1|S-3", "R|1|^^^Qq9^1|0.1|%", "R|2|^^^C^1|much|%", "L|1|N"])
            await until(lambda: not analyser.waiting)
        await analyser.stop()

    asyncio.run(scene())
    rows = site.spooled()
    assert [json.loads(row.fields).get("sample") for row in rows] == ["S-1", None, "S-3"]
    assert "no order record" in rows[1].problem
    assert "'Qq9' is no element" in rows[2].problem
    assert "'much' is no value" in rows[2].problem


def test_lines_of_an_analyser_are_one_sample_up_to_its_mean(make_site: MakeSite, clock: FixedClock) -> None:
    port = free_port()
    site = make_site(more=lab(port, 'format = "text"\n  answer = "ACK {sample}"'))
    whole = b"S-1;161843;LFF;1;C;0.045;%;Mn;1.40;%\r\nS-1;161843;LFF;AVG;C;0.045;%;Mn;1.40;%\r\n"

    async def scene() -> None:
        async with collecting(site, clock):
            reader, writer = await _dial(port)
            writer.write(whole[:50])
            await writer.drain()
            writer.transport.abort()
            await until(lambda: site.state("OES1").gaps == 1)
            reader, writer = await _dial(port)
            writer.write(whole)
            assert await reader.readline() == b"ACK S-1\r\n"
            writer.write(whole + b"S-2;161844;;AVG;C;0.05\r\n")
            assert await reader.readline() == b"ACK S-1\r\n"
            assert await reader.readline() == b"ACK S-2\r\n"
            writer.close()

    asyncio.run(scene())
    rows = site.spooled()
    assert [json.loads(row.fields)["sample"] for row in rows] == ["S-1", "S-2"]
    assert "element, value and unit" in rows[1].problem
    assert site.state("OES1").repeated == 1


async def _dial(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with asyncio.timeout(40):
        while True:
            with suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", port)
            await asyncio.sleep(0.02)


def test_figures_of_a_laboratory_in_their_units() -> None:
    assert read_value("0,0452", "%") == Value(452, "", 4)
    assert read_value("<0.001", "wt%") == Value(10, "<", 3)
    assert read_value("12.5", "ppm") == Value(13, "", 5)
    assert average([{"C": Value(1, "<")}, {"C": Value(2, "<")}, {"C": Value(9)}]) == {"C": Value(4, "<")}
    assert [read_element(name) for name in ("AL", "Al(sol)", "al_tot", "c")] == ["Al", "Al_sol", "Al", "C"]
    for text, unit in (("", "%"), ("nan", "%"), ("101", "%"), ("-1", "ppm"), ("1", "mol")):
        with pytest.raises(ValueError, match=r"no value|fraction|none of"):
            read_value(text, unit)


def test_a_trigger_pulled_twice_is_one_scan_and_the_beep_comes_from_the_disk(
    make_site: MakeSite, clock: FixedClock
) -> None:
    scanner = HandScanner(free_port())
    more = 'acknowledge = true\n  place = "CC1"\n  symbologies = ["code128", "gs1-128", "datamatrix"]'
    site = make_site(more=link("scanner", "GATE", scanner.port, SCANNED, more))

    async def scene() -> None:
        async with talking(site, clock, scanner, link="GATE"):
            scanner.scan("C-1001")
            scanner.scan("C-1001")
            scanner.scan(f"10CHARGE7{GS}21C-1002", prefix="]C1")
            scanner.scan("https://elsewhere.example/1", prefix="]Q1")
            scanner.scan("C-10", prefix="]d", end="")
            await until(lambda: len(scanner.beeps) == 4)
            scanner.hang_up()  # in the middle of a scan
            await until(lambda: scanner.connections == 2)
            scanner.scan("C-1003", prefix="]d1", end="\r")
            await until(lambda: len(scanner.beeps) == 5)

    asyncio.run(scene())
    assert [one["number"] for one in fields(site)] == ["C-1001", "C-1002", "", "C-1003"]
    assert fields(site)[1]["content"] == {"10": "CHARGE7", "21": "C-1002"}
    assert "only code128" in site.spooled()[2].problem
    assert scanner.beeps == [b"\x06", b"\x06", b"\x06", b"\x15", b"\x06"]
    assert site.state("GATE").repeated == 1


@pytest.mark.parametrize(
    ("said", "symbology", "number", "wrong"),
    [
        ("C-1001", "typed", "C-1001", ""),
        ("]C0C-1001\r\n", "code128", "C-1001", ""),
        ("]A0C-1001", "code39", "C-1001", ""),
        ("]d2010400638133393121C-7", "gs1-datamatrix", "C-7", ""),
        (f"]Q3{GS}3103012345250C-8", "gs1-qr", "C-8", ""),
        ("]C100123456789012345675", "gs1-128", "", "none of the identifiers"),
        ("]C1010400638133393221C-7", "gs1-128", "", "check digit of identifier 01"),
        ("]C1004", "gs1-128", "", "identifier 00 has 1 of 18"),
        ("]C1ZZ", "gs1-128", "", "no identifier"),
        ("]C1310312345", "gs1-128", "", "identifier 3103 has 5 of 6"),
        (f"]C121{'X' * 21}", "gs1-128", "", "identifier 21 has 21 of 20"),
        ("]C0\x07\x07", "code128", "", "no content"),
        ("", "typed", "", "no content"),
    ],
)
def test_what_a_code_says(said: str, symbology: str, number: str, wrong: str) -> None:
    scan = read_scan(said, ("21", "250"))
    assert (scan.symbology, scan.number) == (symbology, number)
    assert wrong in scan.wrong
    assert bool(scan.wrong) == bool(wrong)


def test_a_pattern_takes_the_number_out_of_an_address() -> None:
    pattern = r"(?:https?://[^/]+/pieces/)?(?P<number>[A-Z0-9-]+)"
    assert read_scan("]Q1https://mes.plant/pieces/C-1001", (), pattern).number == "C-1001"
    assert read_scan("]Q1C-1001", (), pattern).number == "C-1001"
    assert "label of a piece" in read_scan("]Q1hello world", (), pattern).wrong
    assert has_check_digit("4006381333931")
    assert not has_check_digit("4006381333930")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('pattern = "("', "`pattern` is none"),
        ('pattern = "x"', "no group `number`"),
        ('symbologies = ["hieroglyphs"]', "hieroglyphs"),
        ('number_from = ["6666"]', "6666"),
    ],
)
def test_a_scanners_settings_are_refused_by_name(make_site: MakeSite, more: str, said: str) -> None:
    with pytest.raises(BadSetup, match=said):
        load_links(make_site(more=link("scanner", "GATE", 9, SCANNED, more)).settings)
