"""The pages of the yard, of booking by hand and of figures, as a signed-in person meets them."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient
from production_bench import Bench

from shared.journal.fact import Draft, Occurred
from shared.performance.tables import stop
from shared.quality.facts import HoldPlaced

SignIn = Callable[[str], str]


def test_the_stock_list_shows_what_is_here_and_what_is_held(client: FlaskClient, yard: Bench, sign_in: SignIn) -> None:
    yard.take_in("BS6-1", "slab", 20_000, (220_000, 1_280_000, 9_310_000))
    held = yard.take_in("BS6-2", "slab", 20_000, (220_000, 1_280_000, 9_310_000))
    with yard.plant.journal.work() as tx:
        tx.record(Draft(HoldPlaced(hold_id="a" * 32, material_id=held, reason="x"), (held,), "q", Occurred(1, "m")))
    sign_in("yard")
    page = client.get("/stock/").text
    assert "BS6-1" in page
    assert "badge-held" in page
    only = client.get("/stock/?q=BS6-2").text
    assert "/BS6-1" not in only
    table = client.get("/stock/?format=csv").text.splitlines()
    assert table[0].startswith("number,kind,place")
    assert len(table) == 3


def test_a_move_is_booked_on_the_page_and_a_wrong_place_keeps_what_was_typed(
    client: FlaskClient, yard: Bench, sign_in: SignIn
) -> None:
    yard.take_in("BS6-1", "slab", 20_000, (220_000, 1_280_000, 9_310_000))
    csrf = sign_in("yard")
    wrong = client.post("/stock/BS6-1/move", data={"place": "MOON-7", "command_id": "1", "csrf_token": csrf})
    assert wrong.status_code == 422
    assert "MOON-7" in wrong.text
    client.post("/stock/BS6-1/move", data={"place": "YB-7", "command_id": "2", "csrf_token": csrf})
    assert yard.piece("BS6-1").place == "YB-7"
    assert "YB-7" in client.get("/stock/BS6-1/handle").text
    client.post("/stock/BS6-1/weigh", data={"mass_kg": "20,010", "scale": "WS1", "command_id": "3", "csrf_token": csrf})
    assert yard.piece("BS6-1").mass_g == 20_010_000
    client.post("/stock/BS6-1/scrap", data={"reason": "fell", "command_id": "4", "csrf_token": csrf})
    assert yard.piece("BS6-1").state == "scrapped"


def test_an_operator_books_good_scrap_and_reason_in_one_action(
    client: FlaskClient, yard: Bench, sign_in: SignIn
) -> None:
    yard.take_in("BS6-1", "slab", 20_640, (220_000, 1_280_000, 9_310_000))
    yard.schedule("FM", "BS6-1", "B6-00042", "stock", thickness_um=2500, width_um=1_270_000)
    csrf = sign_in("operator")
    assert 'value="BS6-1"' in client.get("/production/book?unit=FM").text
    form = {"unit": "FM", "piece": "BS6-1", "good_kg": "20,200", "scrap_kg": "100", "csrf_token": csrf}
    refused = client.post("/production/book", data=form | {"command_id": "1", "reason": ""})
    assert refused.status_code == 422
    done = client.post("/production/book", data=form | {"command_id": "2", "reason": "surface"})
    assert done.status_code == 302
    assert yard.piece("B6-00042").mass_g == 20_200_000


def test_figures_show_yield_and_stops_by_reason(client: FlaskClient, yard: Bench, sign_in: SignIn) -> None:
    link = "BRK-HSM"
    yard.take_in("BS6-1", "slab", 20_640, (220_000, 1_280_000, 9_310_000))
    yard.tell(link, "LINE.State", state="RUN", reason="")
    yard.tell(link, "LINE.State", 30, state="DOWN", reason="")
    yard.tell(link, "LINE.State", 22, state="RUN", reason="")
    yard.tell(link, "LINE.Cobble", slab="BS6-1", mass_kg=20_640)
    csrf = sign_in("lead")
    page = client.get("/figures/").text
    assert "no reason yet" in page
    assert "22" in page
    stop_id = yard.rows(stop)[0].stop_id
    bad = client.post(
        "/figures/stops/reason", data={"stop_id": stop_id, "reason": "tired", "command_id": "1", "csrf_token": csrf}
    )
    assert bad.status_code == 422
    client.post(
        "/figures/stops/reason",
        data={"stop_id": stop_id, "reason": "op-cob", "note": "F4", "command_id": "2", "csrf_token": csrf},
    )
    assert [(row.reason, row.note, row.to_ms - row.from_ms) for row in yard.rows(stop)] == [
        ("OP-COB", "F4", 22 * 60_000)
    ]
    assert "OP-COB" in client.get("/figures/stops?unit=LINE").text
    shown = client.get("/api/v1/performance").get_json()
    mill = next(item for item in shown["items"] if item["unit"] == "FM")
    assert (mill["measures"]["scrap_g"], mill["measures"]["apt_ms"]) == (20_640_000, 30 * 60_000)
    assert mill["figures"]["yield_ppm"] is None
    assert [(row["unit"], row["reason"]) for row in shown["stops"]] == [("LINE", "OP-COB")]
    assert shown["delays_ms"] == [{"author": "BRK", "unit": "LINE", "reasons": {"OP-COB": 22 * 60_000}}]
