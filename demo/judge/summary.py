"""The JSON that a run ends with: figures a plant, transfers, cases, standards, trace depth, lost and doubled."""

from __future__ import annotations

from collections import Counter
from typing import Any

from demo.judge.journal import RUNNING
from demo.judge.ledger import World
from demo.judge.product import Picture, View
from demo.judge.verdict import Verdict


def summary(world: World, picture: Picture, verdict: Verdict) -> dict[str, Any]:
    """Everything in one object; `content` is the verdict."""
    by_check = Counter(f.check for f in verdict.findings)
    return {
        "content": verdict.content,
        "plants": {code: _plant(code, view, picture) for code, view in picture.plants.items()},
        "transfers": dict(Counter(row["state"] for row in picture.apis[picture.hub.code].list("transfers"))),
        "cases": dict(Counter(f"{c['kind']} {c['state']}" for c in picture.cases)),
        "awaiting_episodes": len(picture.episodes),
        "standards_adopted": dict(Counter(r["plant"] for r in picture.conformance if r["state"] in RUNNING)),
        "trace_depth": _trace_depth(world, picture),
        "lost": by_check["lost"],
        "doubled": by_check["doubled"],
        "looked_at": verdict.looked_at,
        "findings": [{"check": f.check, "subject": f.subject, "text": f.text} for f in verdict.findings],
    }


def _plant(code: str, view: View, picture: Picture) -> dict[str, Any]:
    hub = picture.hub.status
    return {
        "recorded": view.status["recorded"],
        "received": hub["received_from"].get(code, 0),
        "applied": hub["applied_from"].get(code, 0),
        "quarantined": view.status["quarantined"] + hub["quarantined_from"].get(code, 0),
        "materials": dict(Counter(row["kind"] for row in view.own)),
        "content_hash": view.content_hash.get(code),
        "content_hash_at_hub": picture.hub.content_hash.get(code),
    }


def _trace_depth(world: World, picture: Picture) -> int:
    """Generations from the golden slit coil back to its heat, as the hub tells them."""
    golden = [line["piece"] for line in world.of("position")]
    if not golden:
        return 0
    edges = picture.apis[picture.hub.code].get(f"traces/{golden[0]}", direction="backward")["edges"]
    parents: dict[str, set[str]] = {}
    for edge in edges:
        if edge["operation"] != "identify":
            parents.setdefault(edge["child_id"], set()).add(edge["parent_id"])
    children = set(parents) - {p for ps in parents.values() for p in ps}
    depth, layer = 0, children
    while layer := {p for child in layer for p in parents.get(child, ())}:
        depth += 1
    return depth
