"""The six order items of the day (scenario section 4), released by Level 4 to every plant on the first morning."""

from __future__ import annotations

from typing import Any

from demo.scenario.moments import at
from demo.scenario.script import Script, grams, um

PROFILES, DUCTING, S235, RACKING, TRAILER, DD11 = (
    "710045/10",
    "710047/10",
    "710051/10",
    "710058/20",
    "710060/10",
    "710066/10",
)
STOCK = "stock"

# item, customer, product, internal grade, thickness, width, t, route, due
ROWS = (
    (PROFILES, "Halvorsen Profiles", "DX51D+Z275-M-A slit ID 508", "L06", 0.80, 308, 180, "R-GISLIT", "2026-03-13"),
    (DUCTING, "Merrin Ducting", "DX51D+Z275-M-A coil", "L06", 0.80, 1250, 740, "R-GI", "2026-03-25"),
    (S235, "Tarrant Steel Service", "S235JR hot coil mill edge", "M15", 4.00, 1250, 480, "R-HRC", "2026-03-19"),
    (RACKING, "Ostrava Racking", "S350GD+Z275 coil", "H35", 1.50, 1250, 120, "R-GI", "2026-03-25"),
    (TRAILER, "Lindqvist Trailer", "S355MC hot coil", "H35", 3.00, 1250, 120, "R-HRC", "2026-03-20"),
    (DD11, "Tarrant Steel Service", "DD11 hot coil", "L06", 3.00, 1250, 160, "R-HRC", "2026-03-25"),
)

# thickness and width (mm) that the hot mill rolls for an order
ROLLED = {
    PROFILES: (2.50, 1270),
    DUCTING: (2.50, 1270),
    STOCK: (2.50, 1270),
    S235: (4.00, 1250),
    TRAILER: (3.00, 1250),
    DD11: (3.00, 1250),
    RACKING: (3.00, 1270),
}


def order_items() -> list[dict[str, Any]]:
    """The items as the orders API takes them."""
    return [
        {
            "item": item,
            "customer": customer,
            "product": product,
            "grade": grade,
            "thickness_um": um(t),
            "width_um": um(w),
            "mass_g": grams(tonnes * 1000),
            "route": route,
            "due": due,
        }
        for item, customer, product, grade, t, w, tonnes, route, due in ROWS
    ]


def release_orders(script: Script, when_ms: int = 0) -> None:
    """Level 4 sends the items to each plant."""
    start = when_ms or at("03-02 04:00")
    for n, plant in enumerate(("ALD", "BRK", "CLD")):
        script.post(start + n * 1000, plant, "erp", "/api/v1/orders", {"items": order_items()})
