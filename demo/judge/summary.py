"""The JSON that a run ends with: figures a plant, transfers, cases, standards, trace depth, lost and doubled."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
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
    return depth_of([(e["parent_id"], e["child_id"], e["operation"] == "identify") for e in edges])


def depth_of(edges: Iterable[tuple[str, str, bool]]) -> int:
    """Generations of a family: parent, child, and whether the two are one piece under two identities, as a piece has that
    was taken in before its papers had come. Between those there is no generation."""
    parents: dict[str, set[str]] = defaultdict(set)
    same: dict[str, set[str]] = defaultdict(set)
    for parent, child, is_one in edges:
        if is_one:
            same[parent].add(child)
            same[child].add(parent)
        else:
            parents[child].add(parent)
    depth, layer = 0, _as_one(set(parents) - {p for ps in parents.values() for p in ps}, same)
    while layer := _as_one({p for child in layer for p in parents.get(child, ())}, same):
        depth += 1
    return depth


def _as_one(pieces: set[str], same: Mapping[str, set[str]]) -> set[str]:
    """The pieces with all their other identities."""
    found, new = set(pieces), set(pieces)
    while new := {other for piece in new for other in same.get(piece, ())} - found:
        found |= new
    return found
