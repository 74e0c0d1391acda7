"""A group is never upgraded in one moment: the previous release at the plants with this one at the hub, and reversed."""

from __future__ import annotations

import signal
from typing import Any

import pytest

pytestmark = [pytest.mark.xdist_group("releases"), pytest.mark.timeout(1_200)]


PASSPORTS = 1
"""Facts of a departure that the previous release does not know: the one that tells its passports."""


def slab(number: int, plant: str = "ALD") -> dict[str, Any]:
    return {
        "number": f"{plant}-S{number}",
        "kind": "slab",
        "place": "YA" if plant == "ALD" else "YB",
        "grade": "L06",
        "mass_g": 20_000_000 + number,
        "mass_basis": "weighed",
        "thickness_um": 250_000,
        "width_um": 1_500_000,
        "length_um": 9_000_000,
        "chemistry": {"C": 450, "Cu": 1_200},
    }


def equal(hub: Any, plant: Any, set_aside: int) -> bool:
    """Everything the plant recorded is applied at the hub, to the same rows, or is of a kind that it sets aside."""
    there, here = hub.get("status"), plant.get("status")
    if set_aside:
        return bool(there["received_from"].get(plant.code, 0) == here["recorded"] and there["parked"] == set_aside)
    if there["applied_from"].get(plant.code, 0) != here["recorded"]:
        return False
    return bool(hub.get("content-hash").get(plant.code) == plant.get("content-hash").get(plant.code))


def settle(hub: Any, *plants: Any, set_aside: int = 0) -> None:
    """Wait until hub and plants are equal, or the hub has all and this many are of kinds it does not know yet."""
    try:
        hub.until(lambda: all(equal(hub, plant, set_aside) for plant in plants))
    except AssertionError as late:
        seen = [(node.code, node.get("status"), node.get("content-hash")) for node in (hub, *plants)]
        raise AssertionError(f"{seen}\n{[plant.log for plant in plants]}") from late


def make_group(pair: Any, hub_release: Any, plant_release: Any, database: str = "") -> tuple[Any, Any, Any]:
    """A hub and two plants, enrolled by token and running."""
    hub = pair.node("HUB", hub_release, database=database)
    hub.init()
    hub.start()
    plants = [pair.node(code, plant_release, hub) for code in ("ALD", "BRK")]
    for plant in plants:
        plant.init()
        token = hub.command("enrol-token", plant.code).splitlines()[0].strip()
        plant.command("enrol", "--token", token)
        plant.launch()
    for plant in plants:
        plant.wait_up()
    return hub, *plants


def play(hub: Any, ald: Any, brk: Any, set_aside: int = 0) -> None:
    """Stock, a load from one plant to the other by way of the hub, a hold; then a restart and a kill in mid-work.

    set_aside: facts of the newer plants that the hub does not know yet.
    """
    ald.post("stock/import", rows=[slab(number) for number in range(1, 7)])
    brk.post("stock/import", rows=[slab(1, "BRK")])
    ald.post("shipments", number="RT-1", to="BRK", lines=[{"piece": "ALD-S1"}, {"piece": "ALD-S2"}])
    brk.until(lambda: any(item["number"] == "RT-1" for item in brk.get("shipments")["items"]))
    brk.post("receipts", shipment="RT-1", piece="ALD-S1", mass_g=20_000_001, place="YB")
    brk.post("holds", piece="BRK-S1", reason="edge crack seen")
    settle(hub, ald, brk, set_aside=set_aside)
    ald.stop()
    brk.stop(signal.SIGKILL)
    start_all(ald, brk)
    hub.stop()
    ald.post("pieces/ALD-S3/move", place="CAST")
    brk.post("receipts", shipment="RT-1", piece="ALD-S2", mass_g=20_000_002, place="YB")
    hub.start()
    settle(hub, ald, brk, set_aside=set_aside)


def check(hub: Any, ald: Any, brk: Any, set_aside: int = 0) -> None:
    assert {item["code"]: item["state"] for item in hub.get("plants")["items"]} == {"ALD": "online", "BRK": "online"}
    assert {line["state"] for line in hub.get("transfers")["items"]} == {"received"}
    for node in (hub, ald, brk):
        status = node.get("status")
        assert (status["quarantined"], status["parked"]) == (0, set_aside if node is hub else 0)
    for node in (ald, brk, hub):
        node.stop()
        assert "holds" in node.command("journal", "verify")


def go_on(hub: Any, ald: Any, brk: Any, kept: dict[str, str]) -> None:
    """After the upgrade: what was there is there, and work goes on."""
    start_all(hub, ald, brk)
    assert hub.get("status")["recorded"] >= 0
    assert {code: hub.get("content-hash")[code] for code in kept} == kept
    ald.post("stock/import", rows=[slab(number) for number in range(10, 13)])
    ald.post("shipments", number="RT-2", to="BRK", lines=[{"piece": "ALD-S10"}])
    brk.until(lambda: any(item["number"] == "RT-2" for item in brk.get("shipments")["items"]))
    brk.post("receipts", shipment="RT-2", piece="ALD-S10", mass_g=20_000_010, place="YB")
    settle(hub, ald, brk)


def start_all(*nodes: Any) -> None:
    for node in nodes:
        node.launch()
    for node in nodes:
        node.wait_up()


@pytest.mark.fault(69, 71)
def test_plants_of_the_previous_release_at_a_hub_of_this_one_and_their_upgrade(pair: Any) -> None:
    hub, ald, brk = group = make_group(pair, hub_release=pair.new, plant_release=pair.old)
    play(*group)
    kept = hub.get("content-hash")
    check(*group)
    ald.upgrade_to(pair.new, kills=2)
    brk.upgrade_to(pair.new, kills=0)
    go_on(*group, kept)
    check(*group)


@pytest.mark.fault(68, 71)
@pytest.mark.parametrize(
    "where", ["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.slow])]
)
def test_plants_of_this_release_at_a_hub_of_the_previous_one_and_its_upgrade(
    pair: Any, where: str, request: pytest.FixtureRequest
) -> None:
    database = request.getfixturevalue("postgres_url") if where == "postgresql" else ""
    group = make_group(pair, hub_release=pair.old, plant_release=pair.new, database=database)
    play(*group, set_aside=PASSPORTS)
    hub = group[0]
    kept = hub.get("content-hash")
    check(*group, set_aside=PASSPORTS)
    hub.upgrade_to(pair.new, kills=2)
    kept.pop("ALD")  # its passports are applied now
    go_on(*group, kept)
    check(*group)
