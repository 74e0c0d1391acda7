"""Pages and API of passports: the sender's papers, and the gate of a plant whose network is away."""

from __future__ import annotations

import shutil
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from browse import Person, sign_in
from passports_bench import send, under_a_root
from sqlalchemy import select
from steel_group import SteelGroup

from local_mes.app import create_console
from local_mes.level2.spool import create_spool
from local_mes.level2.spool_tables import down
from shared.db.engine import read
from shared.material.queries import get_piece
from shared.passports.coding import PREFIX


@pytest.fixture
def rooted(group: SteelGroup) -> SteelGroup:
    return under_a_root(group)


def person(group: SteelGroup, plant: str) -> Person:
    return sign_in(create_console(group.plants[plant]), group.plants[plant].node, f"yard.{plant.lower()}", "yard")


def test_a_load_is_worked_off_by_its_file_at_a_gate_without_a_network(rooted: SteelGroup) -> None:
    send(rooted, "S1", "S2")
    sender, gate = person(rooted, "ALD"), person(rooted, "BRK")
    assert "/transfers/loads/RT-1/passports" in sender.page("/transfers/loads/RT-1")
    page = sender.page("/transfers/loads/RT-1/passports")
    assert page.count('class="qr"') == 1
    assert "S1" in page
    assert 'class="qr"' in sender.page("/transfers/loads/RT-1/passports/S1")
    file = sender.client.get("/transfers/loads/RT-1/passports.slp")
    assert file.headers["Content-Disposition"] == 'attachment; filename="RT-1.slp"'
    texts = file.text.splitlines()
    assert len(texts) == 3
    assert all(text.startswith(PREFIX) for text in texts)
    downloads = {"papers.pdf": b"%PDF", "labels.pdf": b"%PDF", "labels.zpl": b"^XA", "labels.zpl?piece=S2": b"^XA"}
    for name, begins in downloads.items():
        answer = sender.client.get(f"/transfers/loads/RT-1/{name}")
        assert answer.status_code == 200
        assert answer.data.startswith(begins)
    assert sender.client.get("/transfers/loads/RT-1/passports/S9").status_code == 404
    assert sender.client.get("/transfers/loads/RT-9/passports").status_code == 404
    items = sender.api("GET", "/api/v1/shipments/RT-1/passports").get_json()
    assert [item["number"] for item in items["items"]] == ["S1", "S2"]
    assert items["load"] == texts[0]

    here = "/transfers/passport"
    assert "Keys of the plants as of" in gate.page(here)
    listed = gate.post(f"{here}/read", here, file=(BytesIO(file.data), "RT-1.slp"))
    assert "Load RT-1 from ALD" in listed.text
    assert "Take in S2" in listed.text
    assert [listed.text.count(text) for text in texts] == [1, 2, 2], "the file once, and a button a piece"
    one = gate.post(f"{here}/piece", here, passport=texts[1], rest="\n".join(texts))
    assert "L06" in one.text
    assert "C 0.045" in one.text
    form = {"passport": texts[1], "basis": "weighed", "rest": "\n".join(texts)}
    wrong = gate.post(f"{here}/take", here, mass_kg="heavy", place="YB", **form)
    assert wrong.status_code == 422
    assert "is no number" in wrong.text
    done = gate.post(f"{here}/take", here, mass_kg="20670", place="YB", **form)
    assert "The piece is here as BS6-" in done.text
    assert "Here already" in done.text
    last = gate.post(f"{here}/take", here, mass_kg="", place="YB", passport=texts[2], basis="as_told")
    assert last.status_code == 302
    assert "S2" in gate.page(last.headers["Location"])
    with read(rooted.plants["BRK"].node.engine) as conn:
        assert get_piece(conn, "S1", "BRK").mass_g == 20_670_000
        assert get_piece(conn, "S2", "BRK").mass_basis == "advised"


def test_refusals_on_the_page_and_in_the_api(rooted: SteelGroup) -> None:
    texts = send(rooted, "S1")
    gate = person(rooted, "BRK")
    here, text = "/transfers/passport", texts["S1"]
    broken = gate.post(f"{here}/read", here, passport=text[:-3] + ":")
    assert "This passport is not accepted" in broken.text
    assert "by the number painted on it" in broken.text
    assert gate.post(f"{here}/read", here, passport="").status_code == 422
    assert gate.post(f"{here}/read", here, file=(BytesIO(b"x" * 900_000), "big")).status_code == 422
    assert gate.post(f"{here}/read", here, file=(BytesIO(b"a\n" * 600), "long")).status_code == 422
    said = gate.api("POST", "/api/v1/passports/check", json={"passport": text})
    assert (said.status_code, said.get_json()["piece"]["number"]) == (200, "S1")
    load = gate.api("POST", "/api/v1/passports/check", json={"passport": texts[""]})
    assert load.get_json()["piece"] is None
    body = {"command_id": "c-1", "passport": text, "place": "YB"}
    done = gate.api("POST", "/api/v1/receipts/passport", json=body)
    assert (done.status_code, done.get_json()["standing"]) == (201, "good")
    again = gate.api("POST", "/api/v1/receipts/passport", json=body | {"command_id": "c-2"})
    assert (again.status_code, again.get_json()["code"]) == (409, "passport.replayed")


PRINTER = """
[[link]]
code = "LP9"
kind = "printer"
unit = "LP9"
address = "127.0.0.1:9"
  [link.settings.label]
  width_mm = 104
  height_mm = 150
  dots_mm = 12
"""


def test_labels_go_to_a_printer_whose_paper_is_large_enough(rooted: SteelGroup, tmp_path: Path) -> None:
    send(rooted, "S1", "S2")
    plant = rooted.plants["ALD"]
    folder = shutil.copytree(plant.settings.model.parent, tmp_path / "model")
    small = PRINTER.replace("LP9", "LP1").replace("height_mm = 150", "height_mm = 60")
    with (folder / "model.toml").open("a") as file:
        file.write(PRINTER + small)
    settings = plant.settings.model_copy(update={"model": folder / "model.toml"})
    plant = rooted.plants["ALD"] = replace(plant, settings=settings)
    create_spool(plant.spool, rooted.clock)
    sender, page = person(rooted, "ALD"), "/transfers/loads/RT-1/passports"
    assert "Print all 2 labels" in sender.page(page)
    assert "LP1" not in sender.page(page)
    assert sender.post("/transfers/loads/RT-1/labels/print", page, device="LP1", piece="").status_code == 404
    assert sender.post("/transfers/loads/RT-1/labels/print", page, device="LP9", piece="").status_code == 302
    with read(plant.spool) as conn:
        orders = [msgspec.json.decode(row.fields) for row in conn.execute(select(down).where(down.c.link == "LP9"))]
    assert [order["text"] for order in orders] == ["S1", "S2"]
    assert all("^PW1200" in order["zpl"] and "^GFA" in order["zpl"] for order in orders)
