"""Pages and API of devices: what each says, who may ask what of it, the field that a scanner types into."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from device_site import answered, link, order, scale
from flask.testing import FlaskClient
from level2_line import Line
from level2_peers import Site, collecting, until
from msgspec.structs import replace
from test_engineer_pages import signed_in, token_in

from demo.simulator.devices.printer import LabelPrinter
from demo.simulator.devices.scale import Load, SicsScale
from local_mes.level2 import outbox, tables
from local_mes.level2.spool import Incoming, append
from local_mes.production import operations  # noqa: F401  registers what the links map to
from shared.clock import FixedClock
from shared.db.engine import write
from shared.journal.fact import Draft, Occurred
from shared.material.facts import Mass, MaterialCreated, MaterialMoved, NewAlias, NewMaterial
from shared.ports import free_port

MakeSite = Callable[..., Site]
LABELLED = '"*.Printed" = "piece_labelled"\n  "*.Marked" = "piece_labelled"'
LAYOUT = 'title = "Coil labels"\n  poll_s = 0.1\n  [link.settings.label]\n  lines = ["{number}", "{grade} {held}"]'


@pytest.fixture
def plant(make_site: MakeSite, clock: FixedClock) -> Iterator[Line]:
    more = (
        scale(free_port(), until="2026-04-01")
        + link("printer", "LP1", free_port(), LABELLED, LAYOUT)
        + link("marker", "MK1", free_port(), LABELLED)
        + link("weighbridge", "WB1", free_port(), '"*.VehicleWeighed" = "vehicle_weighed"', BRIDGE)
        + link("spectrometer", "OES1", free_port(), '"*.Result" = "spectrometer_result"', 'place = "LFF"')
        + link("scanner", "DESK", free_port(), '"*.Scanned" = "piece_scanned"', 'by = "keyboard"\n  place = "CC1"')
    )
    line = Line(make_site(more=more), clock)
    piece = NewMaterial(
        material_id="c" * 32, kind="slab", aliases=(NewAlias("t", "S-1"),), mass=Mass(20_000_000, "theoretical")
    )
    fact = MaterialCreated(material=piece, origin="migrated")
    with line.plant.journal.work() as tx:
        tx.record(Draft(fact, (piece.material_id,), "p", Occurred(clock.now_ms(), "manual")))
    yield line
    line.plant.node.engine.dispose()
    line.plant.spool.dispose()


BRIDGE = 'scale = "WB-17"\n  calibrated_until = 2026-03-01\n  capacity_kg = 60000'


def post(client: FlaskClient, page: str, **fields: Any) -> Any:
    form = {
        "csrf_token": token_in(client.get("/devices/LP1").text),
        "command_id": json.dumps(fields, sort_keys=True)[:64],
    }
    return client.post(page, data=form | {name: str(value) for name, value in fields.items()})


def test_each_device_shows_its_state_and_how_its_calibration_stands(plant: Line) -> None:
    client = signed_in(plant, "operator")
    page = client.get("/devices/").text
    assert "Coil labels" in page
    assert "good until 2026-04-01" in page
    assert "expired on 2026-03-01" in page
    assert "The collector has not run it yet" in page
    assert "Test reading" not in client.get("/devices/WS1").text
    for code, said in (("WB1", "No vehicle was weighed twice yet"), ("OES1", "It has said nothing yet")):
        assert said in client.get(f"/devices/{code}").text
    assert client.get("/devices/CC1").status_code == 404
    states = {one["code"]: one["calibration"] for one in client.get("/api/v1/devices").json["items"]}  # type: ignore[index]
    assert states["WS1"] == {"scale": "WS-0815", "until": "2026-04-01", "state": "soon"}
    assert states["LP1"] is None


def test_the_burns_of_the_last_sample_stand_with_the_digits_they_came_with(plant: Line) -> None:
    burn = [{"element": "Mn", "op": "", "value_e6": 14_020, "digits": 3}]
    mean = [{"element": "Mn", "op": "<", "value_e6": 14_000, "digits": 3}]
    fields = {"sample": "S-9", "heat": "", "place": "LFF", "count": 1, "mean_of": "1 burns", "results": mean}
    with write(plant.plant.spool) as conn:
        told = Incoming("OES1", "OES1.Result", 1, "", None, 1, 0, 60, b"raw", b"raw", fields)
        told.fields["burns"] = [{"burn": 1, "rejected": True, "results": burn}]
        append(conn, told)
    page = signed_in(plant).get("/devices/OES1").text
    assert "burn 1, rejected" in page
    assert "&lt;1.400" in page
    assert "1.402" in page


def test_a_vehicle_weighed_once_waits_on_the_page_until_its_second_weighing(plant: Line) -> None:
    client = signed_in(plant)
    fields = {"ticket": "7", "vehicle": "WPR 1", "shipment": "", "scale": "WB-17", "calibrated_until": "2026-12-31"}
    for number, mass_g in enumerate((39_000_000, 14_000_000), start=1):
        told = Incoming("WB1", "WB1.VehicleWeighed", number, "", None, plant.clock.now_ms(), 0, 60, b"", b"%d" % number)
        told = replace(told, fields=fields | {"mass_g": mass_g})
        with write(plant.plant.spool) as conn:
            append(conn, told)
        plant.run()
        page = client.get("/devices/WB1").text
        assert ("Wait for their second weighing" in page) == (number == 1)
    assert "25,000" in page.replace("\u202f", ",").replace("\xa0", ",")


def test_a_plant_without_devices_is_told_how_to_get_one(make_site: MakeSite, clock: FixedClock) -> None:
    page = signed_in(Line(make_site(), clock)).get("/devices/")
    assert "This plant has no devices yet" in page.text


def test_a_label_goes_from_its_preview_to_the_printer(plant: Line, clock: FixedClock) -> None:
    client = signed_in(plant, "operator")
    assert "TEST LABEL" in client.get("/devices/LP1").text
    assert "Preview of S-1" in client.get("/devices/LP1?piece=S-1").text
    assert "/devices/LP1?piece=S-1" in client.get("/stock/S-1/handle").text
    assert "NOBODY is not known here" in client.get("/devices/LP1?piece=NOBODY").text
    assert post(client, "/devices/LP1", what="Print", piece="S-1", copies=2).status_code == 302
    refused = post(client, "/devices/LP1", what="Print", piece="NOBODY", copies=1)
    assert refused.status_code == 404
    assert "NOBODY" in refused.text
    assert post(client, "/devices/LP1", what="Print", test=1).status_code == 403
    engineer = signed_in(plant)
    assert post(engineer, "/devices/LP1", what="Print", test=1).status_code == 302
    first, second = client.get("/api/v1/device-jobs?device=LP1").json["items"]  # type: ignore[index]
    assert [first["fields"]["test"], second["fields"]["piece"]] == [True, "S-1"]
    site = plant.site
    port = next(one for one in plant.plan.links.values() if one.code == "LP1").address.rpartition(":")[2]

    async def scene() -> None:
        printer = LabelPrinter(int(port), paper=0)
        await printer.listen()
        async with collecting(site, clock):
            await until(lambda: site.state_name("LP1") == "no_data")
            assert "Paper is out." in await asyncio.to_thread(lambda: client.get("/devices/LP1").text)
            printer.paper = 10
            for job in (second, first):
                assert (await answered(site, job["key"])).state == "confirmed"
        await printer.stop()

    asyncio.run(scene())
    plant.run()
    assert "S-1 (LP1): done" in client.get("/piece/S-1").text
    assert "2 labels printed" in client.get("/devices/").text


def test_a_job_can_be_taken_back_until_the_device_answers(plant: Line) -> None:
    client = signed_in(plant, "operator")
    assert post(client, "/devices/MK1", what="Mark", piece="S-1").status_code == 302
    (job,) = client.get("/api/v1/device-jobs").json["items"]  # type: ignore[index]
    assert post(client, f"/devices/MK1/jobs/{job['down_id']}/withdraw").status_code == 302
    assert order(plant.site, job["key"]).answer == "withdrawn: by Ines Engel"
    assert post(client, f"/devices/MK1/jobs/{job['down_id']}/withdraw", again=1).status_code == 409
    assert post(client, "/devices/MK1/jobs/999/withdraw").status_code == 404
    assert post(client, "/devices/MK1", what="Zero").status_code == 409


def test_a_test_reading_is_shown_and_books_nothing(plant: Line, clock: FixedClock) -> None:
    client = signed_in(plant)
    site = plant.site
    port = next(one for one in plant.plan.links.values() if one.code == "WS1").address.rpartition(":")[2]
    post(client, "/devices/WS1", what="Weigh", test=1)
    (job,) = client.get("/api/v1/device-jobs").json["items"]  # type: ignore[index]

    async def scene() -> None:
        terminal = SicsScale(int(port))
        terminal.load = Load(kg=12_345)
        await terminal.listen()
        async with collecting(site, clock):
            await answered(site, job["key"])
            await until(lambda: site.state_name("WS1") == "connected")
            page = await asyncio.to_thread(lambda: client.get("/devices/WS1").text)
            assert "12,345" in page.replace("\u202f", ",").replace("\xa0", ",")
            assert "test, gross, asked" in page
        await terminal.stop()

    asyncio.run(scene())
    plant.run()
    assert [type(fact.payload).__name__ for fact in plant.facts()] == ["MaterialCreated"]


def test_a_scanner_that_types_finds_the_piece_and_says_where_it_is(plant: Line) -> None:
    client = signed_in(plant, "yard")
    assert "A prefix such as" in client.get("/devices/scan").text
    taken = post(client, "/devices/scan", station="DESK", code="]C0S-1")
    page = client.get(taken.headers["Location"]).text
    assert "code128" in page
    assert "/piece/S-1" in page
    plant.run()
    (moved,) = [fact.payload for fact in plant.facts() if isinstance(fact.payload, MaterialMoved)]
    assert moved.place == "CC1"
    taken = post(client, "/devices/scan", station="DESK", code="]C1ZZZ")
    assert "begins with no identifier" in client.get(taken.headers["Location"]).text
    taken = post(client, "/devices/scan", station="DESK", code="NOBODY")
    assert "No piece has the number" in client.get(taken.headers["Location"]).text
    assert post(client, "/devices/scan", station="WS1", code="S-1").status_code == 404
    assert [row.message for row in plant.site.spooled()] == ["DESK.Scanned"] * 3


def test_what_waits_for_a_recheck_is_passed_on_once(plant: Line) -> None:
    with plant.plant.journal.work() as tx:
        outbox.recheck_jobs(tx.conn, key="recheck:1")
    assert outbox.pass_on(plant.plant) == 0  # no order goes down for it
    assert plant.rows(tables.outbox) == []
