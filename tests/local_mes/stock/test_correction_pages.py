"""Corrections and the balance of a day on pages and over the API, as a shift lead meets them."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient
from production_bench import Bench

from local_mes.production.manual import Booking, book
from shared.journal.fact import Draft, Occurred
from shared.material.facts import MarkPlaced
from shared.material.tables import loss, mark

SignIn = Callable[[str], str]


def test_a_lead_corrects_on_the_page_and_sees_both_versions(client: FlaskClient, yard: Bench, sign_in: SignIn) -> None:
    yard.take_in("BS6-1", "slab", 20_640, (220_000, 1_280_000, 9_310_000))
    book(yard.plant, Booking("b", "p", "FM", "BS6-1", 20_200_000, 100_000, "surface", "B6-00042", 800_000_000))
    csrf = sign_in("lead")
    form = client.get("/production/corrections/piece/B6-00042").text
    assert "Withdraw the step" in form
    fact = form.split('name="fact"><option value="')[1].split('"')[0]
    url, more = "/production/corrections/piece/B6-00042", {"csrf_token": csrf, "reason": "misread"}
    refused = client.post(url, data=more | {"what": "mass", "fact": fact, "mass_kg": "", "command_id": "1"})
    assert refused.status_code == 422
    assert "Give the right mass" in refused.text
    done = client.post(url, data=more | {"what": "mass", "fact": fact, "mass_kg": "20,210", "command_id": "2"})
    assert done.status_code == 302
    assert "mass was 20,200 kg until then; now 20,210 kg, because misread (by Lead)" in client.get(done.location).text
    losses = {"what": "losses", "loss_kind": ["scrap", ""], "loss_kg": ["90.5", ""], "command_id": "3"}
    client.post(url, data=more | losses)
    assert [(row.kind, row.g, row.weighed) for row in yard.rows(loss)] == [("scrap", 90_500, True)]
    size = {"what": "size", "thickness_mm": "", "width_mm": "1270.5", "length_mm": "", "command_id": "4"}
    client.post(url, data=more | size)
    assert yard.piece("B6-00042").width_um == 1_270_500
    part = {"what": "interval", "parent": yard.piece("BS6-1").material_id, "from_mm": "0", "to_mm": "9000"}
    client.post(url, data=more | part | {"left_mm": "", "right_mm": "", "command_id": "5"})
    charge = {"what": "consumption", "parent": part["parent"], "charged_kg": "20600", "rest": "1", "command_id": "6"}
    client.post(url, data=more | charge)
    assert yard.piece("BS6-1").mass_g == 40_000
    client.post(url, data=more | {"what": "number", "number": "B6-00043", "command_id": "7"})
    moved = (
        client.get(url.replace("00042", "00043")).text.split('id="f-move" name="fact"><option value="')[1].split('"')[0]
    )
    move = {"what": "move", "fact": moved, "place": "YB-2", "command_id": "8"}
    assert "place was" in client.get(client.post(url.replace("00042", "00043"), data=more | move).location).text
    page = client.get("/production/corrections/").text
    assert page.count("misread") >= 7
    assert "B6-00043" in page


def test_what_stands_in_the_way_is_a_case_on_the_list(
    client: FlaskClient, yard: Bench, token: Callable[[str], dict[str, str]], sign_in: SignIn
) -> None:
    yard.take_in("BS6-1", "slab", 20_640, (220_000, 1_280_000, 9_310_000))
    book(yard.plant, Booking("b", "p", "FM", "BS6-1", 20_200_000, number="B6-00042"))
    body = {"command_id": "1", "what": "mass", "piece": "BS6-1", "reason": "misread", "mass_g": 20_700_000}
    assert client.post("/api/v1/corrections", json=body, headers=token("yard")).status_code == 403
    said = client.post("/api/v1/corrections", json=body, headers=token("lead"))
    assert (said.status_code, said.json["state"]) == (201, "case")
    open_cases = client.get("/api/v1/correction-cases?state=open", headers=token("lead")).json["items"]
    assert [case["blockers"][0]["why"] for case in open_cases] == ["was used up"]
    csrf = sign_in("lead")
    assert "was used up" in client.get("/production/corrections/").text
    case = f"/production/corrections/cases/{said.json['case_id']}"
    still = client.post(case, data={"how": "carried_out", "note": "", "command_id": "2", "csrf_token": csrf})
    assert still.status_code == 409
    settled = {"how": "stands", "note": "the coil was weighed", "csrf_token": csrf}
    client.post(case, data=settled | {"command_id": "3"})
    assert "the coil was weighed" in client.get(case).text
    body |= {"command_id": "4", "piece": "B6-00042", "mass_g": 20_100_000}
    assert client.post("/api/v1/corrections", json=body, headers=token("lead")).json["state"] == "corrected"
    first = client.get("/api/v1/corrections?limit=1", headers=token("lead")).json
    assert (first["items"][0]["was"], first["next"]) == ("20,200 kg", None)


def test_the_balance_page_lists_what_is_open_and_closes_the_day(
    client: FlaskClient, yard: Bench, token: Callable[[str], dict[str, str]], sign_in: SignIn
) -> None:
    yard.take_in("BS6-1", "slab", 20_640, (220_000, 1_280_000, 9_310_000))
    book(yard.plant, Booking("b", "p", "FM", "BS6-1", 20_200_000, number="B6-00042"))
    csrf = sign_in("lead")
    page = client.get("/figures/balance/?day=2026-03-11").text
    assert "B6-00042" in page
    assert "The day still runs" in page
    operation_id = page.split('name="operation_id" value="')[1].split('"')[0]
    form = {"csrf_token": csrf, "day": "2026-03-11"}
    early = client.post("/figures/balance/close", data=form | {"reason": "x", "command_id": "1"})
    assert early.status_code == 409
    explained = {"operation_id": operation_id, "reason": "crops lay beside the scale", "command_id": "2"}
    client.post("/figures/balance/explain", data=form | explained)
    yard.clock.advance(30 * 3_600_000)
    signed = {"reason": "crops not weighed that day", "command_id": "3"}
    client.post("/figures/balance/close", data=form | signed)
    assert "crops not weighed that day" in client.get("/figures/balance/").text
    found = client.get("/api/v1/mass-balance?day=2026-03-11", headers=token("lead")).json
    assert (found["state"], found["open"], found["classes"][0]["unexplained_g"]) == ("signed", [], 440_000)
    assert client.get("/api/v1/day-closes", headers=token("lead")).json["items"][0]["state"] == "signed"


def test_work_by_hand_on_its_page(client: FlaskClient, yard: Bench, sign_in: SignIn) -> None:
    yard.take_in("C-1", "coil", 9_300, (2_000, 1_280_000, 9_300_000))
    csrf = sign_in("lead")
    assert "Only what is here" not in client.get("/production/work/C-1").text
    form = {"operation": "cut", "unit": "FM", "csrf_token": csrf}
    wrong = client.post("/production/work/C-1/divide", data=form | {"parts": "two metres", "command_id": "1"})
    assert wrong.status_code == 422
    assert "mm; number; kg" in wrong.text
    cut = {"parts": "3,100; X-1; 3100\n6200; X-2", "command_id": "2"}
    client.post("/production/work/C-1/divide", data=form | cut)
    assert (yard.piece("X-1").mass_basis, yard.piece("X-2").mass_g) == ("weighed", 6_200_000)
    packed = {"others": "X-2", "new_number": "PK-7", "mass_kg": "9310", "command_id": "3", "csrf_token": csrf}
    client.post("/production/work/X-1/pack", data=packed)
    assert "Take the pack apart" in client.get("/production/work/PK-7").text
    client.post("/production/work/PK-7/open", data={"command_id": "4", "csrf_token": csrf})
    weld = {"others": "X-2", "unit": "FM", "new_number": "W-1", "command_id": "5", "csrf_token": csrf}
    client.post("/production/work/X-1/weld", data=weld)
    melt = {"bay": "BAY-1", "scrap_grade": "own", "reason": "trial", "command_id": "6", "csrf_token": csrf}
    client.post("/production/work/W-1/remelt", data=melt)
    assert yard.piece("W-1").state == "scrapped"
    assert "to BAY-1 as own" in client.get("/piece/W-1").text


def test_which_is_which_is_said_on_a_page(
    client: FlaskClient, yard: Bench, token: Callable[[str], dict[str, str]], sign_in: SignIn
) -> None:
    ids = [yard.take_in(number, "slab", 20_640, (220_000, 1_280_000, 9_310_000)) for number in ("BS6-1", "BS6-2")]
    csrf = sign_in("lead")
    form = {"csrf_token": csrf}
    doubt = {"candidates": "BS6-1 BS6-2", "reason": "labels fell off", "place": "YB", "command_id": "1"}
    opened = client.post("/production/identity/doubt", data=form | doubt)
    assert "What was booked as BS6-1 is" in client.get(opened.location).text
    assert "labels fell off" in client.get("/production/identity/").text
    said = {"is_0": ids[1], "is_1": ids[0], "borne": "labels", "evidence": "stamped", "command_id": "2"}
    client.post(opened.location, data=form | said)
    assert yard.piece("BS6-1").material_id == ids[1]
    assert "belongs to" in client.get(opened.location).text
    (found,) = client.get("/api/v1/identity-sets?state=resolved", headers=token("lead")).json["items"]
    assert {one["truly"] for one in found["candidates"]} == set(ids)
    nameless = {"kind": "slab", "place": "YB-3", "mass_kg": "20000", "command_id": "3"}
    page = client.get(client.post("/production/identity/nameless", data=form | nameless).location).text
    number = "?" + page.split("<title>?")[1].split(" ")[0]
    known = {"number": number, "known_as": "BS6-1", "evidence": "stamped", "command_id": "4"}
    client.post("/production/identity/identify", data=form | known)
    assert yard.piece(number).material_id == ids[1]


def test_a_mark_of_one_place_or_of_the_whole_width_is_corrected_and_what_is_not_said_stays(
    client: FlaskClient, yard: Bench, token: Callable[[str], dict[str, str]], sign_in: SignIn
) -> None:
    coil = yard.take_in("B6-00042", "coil", 20_200, (2_500, 1_270_000, 800_000_000))
    weld, scab = "a" * 32, "b" * 32
    with yard.plant.journal.work() as tx:
        for placed in (
            MarkPlaced(mark_id=weld, material_id=coil, kind="weld", from_um=4_000_000, to_um=4_000_000),
            MarkPlaced(
                mark_id=scab, material_id=coil, kind="surface_defect", from_um=5_000_000, to_um=6_000_000,
                left_um=100_000, right_um=300_000, text="scab",
            ),
        ):  # fmt: skip
            tx.record(Draft(placed, (coil, placed.mark_id), "p", Occurred(yard.plant.clock.now_ms(), "manual")))

    def corrected(mark_id: str, **said: object) -> tuple[int, str]:
        body = {"command_id": str(said), "what": "mark", "piece": "B6-00042", "reason": "r", "fact": mark_id, **said}
        answer = client.post("/api/v1/corrections", json=body, headers=token("lead"))
        return answer.status_code, answer.json.get("code", "")

    def stands() -> list[tuple[int, int, int, int, str]]:
        rows = sorted(yard.rows(mark), key=lambda row: row.from_um)
        return [(row.from_um, row.to_um, row.left_um, row.right_um, row.text) for row in rows]

    assert corrected(weld, from_um=3_000_000, to_um=3_000_000) == (201, "")
    assert corrected(scab, text="sliver") == (201, "")
    assert stands() == [(3_000_000, 3_000_000, 0, 0, ""), (5_000_000, 6_000_000, 100_000, 300_000, "sliver")]
    wrong = ({"from_um": 2, "to_um": 1}, {"from_um": 900_000_000, "to_um": 900_000_000}, {"left_um": 5, "right_um": 5})
    assert [corrected(scab, **said) for said in wrong] == [(422, "material.outside")] * 3
    assert corrected(scab, text="sliver", from_um=5_000_000, to_um=6_000_000) == (422, "correction.nothing_changes")
    page = "/production/corrections/piece/B6-00042"
    typed = {"what": "mark", "fact": scab, "from_mm": "", "to_mm": "6500", "left_mm": "", "right_mm": "", "text": ""}
    done = client.post(page, data=typed | {"reason": "r", "command_id": "p", "csrf_token": sign_in("lead")})
    assert done.status_code == 302
    assert stands()[1] == (5_000_000, 6_500_000, 100_000, 300_000, "sliver")
    assert "surface defect sliver, 5" in client.get(page).text
