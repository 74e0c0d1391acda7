"""The gate's page, pictures, routes of incoming pieces, and the forms for pieces that changed on their way."""

from __future__ import annotations

import base64
import io

import pytest
from browse import Person, sign_in
from steel_group import SteelGroup

from local_mes.app import create_console
from local_mes.transfers import photos
from local_mes.transfers.photos import PHOTO_BYTES_MAX, PHOTOS_A_RECEIPT_MAX, photo_file
from shared.db.engine import read
from shared.material.queries import get_piece
from shared.quality.queries import open_holds

PNG = b"\x89PNG\r\n\x1a\n" + b"picture"


@pytest.fixture
def yard(group: SteelGroup) -> Person:
    return sign_in(create_console(group.plants["BRK"]), group.plants["BRK"].node, "yard.brk", "yard")


@pytest.fixture
def sender(group: SteelGroup) -> Person:
    return sign_in(create_console(group.plants["ALD"]), group.plants["ALD"].node, "lead.ald", "lead")


def announce(group: SteelGroup, *numbers: str) -> None:
    for number in numbers:
        group.stock("ALD", number, 20_000)
    group.ship("ALD", "BRK", "RT-1", list(numbers), vehicle="train 4711")
    group.sync()


def text(photo: bytes) -> str:
    return base64.b64encode(photo).decode()


def test_the_shell_and_the_worker_are_public_and_know_nobody_and_nothing(group: SteelGroup, yard: Person) -> None:
    announce(group, "S-1")
    stranger = create_console(group.plants["BRK"]).test_client()
    shell = stranger.get("/transfers/gate/shell")
    assert shell.status_code == 200
    assert 'data-shell="yes"' in shell.text
    assert "S-1" not in shell.text
    worker = stranger.get("/transfers/gate/worker.js")
    assert worker.mimetype == "text/javascript"
    assert "/static/queue.js?v=" in worker.text
    assert "/transfers/gate/shell" in worker.text
    assert stranger.get("/transfers/gate/").status_code == 302
    assert stranger.get("/api/v1/gate").status_code == 401
    assert 'data-name="yard.brk"' in yard.page("/transfers/gate/")
    (load,) = yard.api("GET", "/api/v1/gate").json["loads"]  # type: ignore[index]
    assert (load["number"], load["sender"], load["pieces"][0]["numbers"]) == ("RT-1", "ALD", ["S-1"])


def test_a_picture_is_bounded_kept_under_its_digest_and_served_only_where_a_receipt_tells_of_it(
    group: SteelGroup, yard: Person
) -> None:
    announce(group, "S-1")
    body = {"shipment": "RT-1", "piece": "S-1", "mass_g": 20_000_000, "place": "YB", "damage": "edge bent"}
    for photo, code in ((b"<svg>", "transfers.no_photo"), (PNG + b"x" * PHOTO_BYTES_MAX, "transfers.photo_large")):
        refused = yard.api("POST", "/api/v1/receipts", json=dict(command_id=code, photo=text(photo), **body))
        assert (refused.status_code, refused.json["code"]) == (422, code)  # type: ignore[index]
    for _ in range(2):
        done = yard.api("POST", "/api/v1/receipts", json=dict(command_id="c1", photo=text(PNG), **body))
        assert done.status_code == 201
    told = done.json
    assert told is not None
    page = f"/transfers/receipts/{told['receipt_id']}"
    address = yard.page(page).split('<img src="')[1].split('"')[0]
    shown = yard.client.get(address)
    assert (shown.data, shown.mimetype, shown.headers["X-Content-Type-Options"]) == (PNG, "image/png", "nosniff")
    digest = address.rpartition("/")[2]
    assert photo_file(group.plants["BRK"], digest).read_bytes() == PNG
    assert yard.client.get("/transfers/gate/photos/" + "a" * 64).status_code == 404
    assert yard.client.get("/transfers/gate/photos/..%2f..%2fanchor.json").status_code == 404
    added = yard.post(
        f"/transfers/gate/receipts/{told['receipt_id']}/photos", page, photo=(io.BytesIO(PNG + b"2"), "b.png")
    )
    assert added.status_code == 302
    assert yard.page(page).count("<img") == 2
    group.sync()
    group.pass_time(3_600_000)
    group.sync()
    assert address in yard.page("/transfers/loads/RT-1"), "the case of the damage shows the picture"


def test_a_picture_that_is_refused_takes_no_room_on_the_disk(
    group: SteelGroup, yard: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce(group, "S-1", "S-2")
    folder = group.plants["BRK"].settings.folder / "photos"
    numbers = iter(range(1_000))

    def send(address: str, **body: object) -> tuple[int, str]:
        """A picture unlike all others: status and the refusal's code."""
        at = next(numbers)
        sent = yard.api("POST", address, json=dict(command_id=f"c{at}", photo=text(PNG + bytes([at])), **body))
        assert sent.json is not None
        return sent.status_code, sent.json.get("code", "")

    def kept() -> int:
        return sum(file.is_file() for file in folder.rglob("*"))

    piece = {"shipment": "RT-1", "piece": "S-1", "mass_g": 20_000_000, "place": "YB"}
    taken = yard.api("POST", "/api/v1/receipts", json=dict(command_id="first", **piece))
    assert taken.json is not None
    pictures = f"/api/v1/receipts/{taken.json['receipt_id']}/photos"
    assert send("/api/v1/receipts", **piece) == (409, "transfers.received_already")
    assert send("/api/v1/receipts/unknown/photos") == (404, "transfers.unknown_receipt")
    assert kept() == 0
    assert [send(pictures)[0] for _ in range(PHOTOS_A_RECEIPT_MAX)] == [201] * PHOTOS_A_RECEIPT_MAX
    assert send(pictures) == (409, "transfers.photos_enough")
    monkeypatch.setattr(photos, "PHOTOS_MAX", PHOTOS_A_RECEIPT_MAX)
    assert send("/api/v1/receipts", **piece | {"piece": "S-2"}) == (409, "transfers.photos_full")
    assert kept() == PHOTOS_A_RECEIPT_MAX
    lost = next(file for file in folder.rglob("*") if file.is_file())
    content = lost.read_bytes()
    lost.unlink()
    again = yard.api("POST", pictures, json={"command_id": "again", "photo": text(content)})
    assert (again.status_code, lost.read_bytes()) == (201, content)


def test_an_incoming_piece_takes_our_route_by_rule_and_a_person_may_change_it(group: SteelGroup, yard: Person) -> None:
    announce(group, "S-1", "S-2")
    taken = yard.api(
        "POST", "/api/v1/receipts", json=dict(command_id="c1", shipment="RT-1", piece="S-1", mass_g=20_000_000)
    )
    assert taken.json["route"] == "R-HRC"  # type: ignore[index]
    page = f"/transfers/receipts/{taken.json['receipt_id']}"  # type: ignore[index]
    assert "by the rule SLAB of the plant model" in yard.page(page)
    number = taken.json["own_number"]  # type: ignore[index]
    done = yard.post(
        page.replace("receipts", "gate/receipts") + "/route", page, piece=number, route="R-GI", reason="zinc"
    )
    assert done.status_code == 302
    assert '<b class="code">R-GI</b>: zinc' in yard.page(page)
    wrong = yard.api(
        "POST", "/api/v1/receipts/route", json=dict(command_id="c2", piece=number, route="R-NONE", reason="x")
    )
    assert (wrong.status_code, wrong.json["code"]) == (422, "transfers.unknown_route")  # type: ignore[index]
    named = yard.api(
        "POST",
        "/api/v1/receipts",
        json=dict(command_id="c3", shipment="RT-1", piece="S-2", mass_g=20_000_000, route="R-GI"),
    )
    assert named.json["route"] == "R-GI"  # type: ignore[index]


def test_pieces_that_changed_on_their_way_have_their_forms(group: SteelGroup, yard: Person, sender: Person) -> None:
    announce(group, "S-1", "S-2", "S-3")
    load = "/transfers/loads/RT-1"
    cut = yard.post(
        "/transfers/receive/RT-1/parts", load, whole="S-1", masses="9400 10600", parts_place="YB", command_id="parts"
    )
    assert cut.status_code == 302
    wrong = yard.post("/transfers/receive/RT-1/parts", load, whole="S-2", masses="9400 x", parts_place="YB")
    assert (wrong.status_code, "is no mass in kg" in wrong.text) == (422, True)
    form = "/transfers/receive/piece"
    stray = yard.post(form, form, piece="X-9", mass_kg="20000", basis="weighed", place="YB")
    receipt = stray.headers["Location"]
    assert "It was renamed on its way" in yard.page(receipt)
    tied = yard.post(f"{receipt}/match", receipt, shipment="RT-1", piece="S-2", note="heat stamp and size")
    assert tied.status_code == 302
    group.sync()
    amended = sender.post(f"{load}/amend", load, amended="S-2", chemistry="C 620, Mn=12000", reason="second analysis")
    assert amended.status_code == 302
    group.sync()
    with read(group.plants["BRK"].node.engine) as conn:
        row = get_piece(conn, "S-2", "BRK")
        assert any("second analysis" in held.reason for held in open_holds(conn, row.material_id))
    on = sender.post(f"{load}/divert", load, to="cld", pieces="S-3", hours="6", why="no room")
    assert on.status_code == 302
    assert "CLD" in sender.page(on.headers["Location"])
    assert "Sent on to another plant" in sender.page(load)
