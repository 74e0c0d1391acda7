"""Waiting until what was told has been taken in, by looking at the figures every node gives of itself.

Waits are bounded in real time. A bound that is hit is no error by itself: the play goes on and the judge finds what
is missing;
the sentence about it is kept with the run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from demo.simulator.people import Desk

LOOK_S, LOOK_MAX_S = 0.01, 0.1
RUNNING = {"runs_it", "deviates"}
"""States of conformance in which a plant has adopted the version."""
SPOOL_S, SETTLE_S, SHIPMENT_S, STANDARDS_S, EPISODE_S = 60.0, 60.0, 30.0, 60.0, 20.0
QUIET_S = 0.6
"""Figures that have not moved for this long will not move by themselves."""


def wait_for(look: Callable[[], bool], limit_s: float) -> bool:
    """Look until it is so, at first often and then less so: each look costs those who are waited for. False when it is
    not so within the limit."""
    deadline, pause_s = time.monotonic() + limit_s, LOOK_S
    while not look():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause_s)
        pause_s = min(1.5 * pause_s, LOOK_MAX_S)
    return True


def wait_interpreted(desk: Desk) -> bool:
    """The plant has interpreted its spool; what waits for a later message or a mender does not count."""

    def interpreted() -> bool:
        figures = desk.get("status")
        return figures["spool_open"] == 0 or bool(figures["spool_at_rest"])

    return wait_for(interpreted, SPOOL_S)


def wait_settled(desks: Mapping[str, Desk], hub: str, plants: Sequence[str]) -> bool:
    """Hub and these plants hold and have applied all of each other, and nothing moves any more."""
    state: dict[str, Any] = {"figures": None, "since": 0.0}

    def settled() -> bool:
        figures = {code: desks[code].get("status") for code in (hub, *plants)}
        moving = {
            code: {k: v for k, v in status.items() if k not in ("as_of", "complete_through_ms")}
            for code, status in figures.items()
        }
        if moving != state["figures"]:
            state.update(figures=moving, since=time.monotonic())
        known = all(_is_known(figures[hub], figures[plant], plant) for plant in plants)
        return known and time.monotonic() - state["since"] > QUIET_S

    return wait_for(settled, SETTLE_S)


def _is_known(hub: Mapping[str, Any], plant: Mapping[str, Any], code: str) -> bool:
    recorded = plant["recorded"]
    return bool(
        plant["backlog"] == 0
        and hub["received_from"].get(code, 0) == recorded
        and hub["applied_from"].get(code, 0) + hub["quarantined_from"].get(code, 0) >= recorded
    )


def wait_shipment(desk: Desk, number: str) -> bool:
    """The receiver knows the load from the hub."""
    return wait_for(lambda: any(row["number"] == number for row in desk.items("shipments")), SHIPMENT_S)


def wait_adopted(hub: Desk, code: str, version: int, plants: Sequence[str]) -> bool:
    """The hub has the plants' word that they run this version."""

    def adopted() -> bool:
        rows = hub.items("conformance")
        running = {
            row["plant"]
            for row in rows
            if row["standard_id"] == code and row["version"] == version and row["state"] in RUNNING
        }
        return running >= set(plants)

    return wait_for(adopted, STANDARDS_S)


def wait_episode(hub: Desk, load: str, lines: int) -> bool:
    """The hub shows the load's receipts as awaiting the sender's data."""
    return wait_for(
        lambda: any(row["shipment_number"] == load and row["lines"] >= lines for row in hub.items("episodes")),
        EPISODE_S,
    )


def complete_through(hub: Desk, plant: str) -> int:
    """Up to when the hub knows all of a plant, ms."""
    return int(hub.get("status")["complete_through_ms"].get(plant, 0))
