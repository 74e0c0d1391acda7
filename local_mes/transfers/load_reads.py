"""What the pages of loads that have not left show."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from local_mes.transfers.loading import vehicles_of
from local_mes.transfers.reads import read_ready
from shared.transfers.plan_queries import find_plan, loaded_on, open_plans, pieces_of


def read_plan(conn: Connection, here: str, load: str) -> dict[str, Any]:
    """A planned load: its vehicles with limit and what lies on them (g, over all loads that share them), its pieces."""
    plan = find_plan(conn, here, load)
    if plan is None:
        return {}
    lies = loaded_on(conn, here, plan.vehicle)
    rows = [dict(row._mapping) for row in pieces_of(conn, here, plan.shipment_id)]
    told = dict(plan._mapping) | {
        "vehicles": [
            {"code": v.code, "limit_g": v.limit_g, "loaded_g": lies.get(v.code, 0)} for v in vehicles_of(plan)
        ],
        "loaded": [row for row in rows if row["loaded_at_ms"]],
        "waiting": [row for row in rows if not row["loaded_at_ms"]],
    }
    told["loaded_g"] = sum(row["mass_g"] for row in told["loaded"])
    return told


def read_loading(conn: Connection, here: str, load: str) -> dict[str, Any]:
    """The same for the tablet's page: with pieces that could go too, and other open loads on the same vehicle."""
    plan = read_plan(conn, here, load)
    if not plan:
        return {}
    on_it = {row["material_id"] for row in (*plan["loaded"], *plan["waiting"])}
    ready = [row for row in read_ready(conn, here, "") if row.material_id not in on_it]
    others = [
        row
        for row in open_plans(conn, here)
        if row.vehicle == plan["vehicle"] and row.shipment_id != plan["shipment_id"]
    ]
    return {"plan": plan, "ready": ready, "others": others}
