"""Product, route, rules and their cases out of a wish and a published product that is like it. Pure.

What the wish does not say is the template's. Rules: the analysis of the ladle by the wish's limits, and the thickness of
the hot strip around its aim; each with cases at its limits, so that the draft is tried before anybody reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from central_hub.launch.wish import ElementRange, Wish
from shared.errors import BadInput
from shared.standards.documents import Routing
from shared.standards.product_kinds import Product

MAKERS = "ladle_furnace"
ROLLERS = "finishing_mill"
ID_MAX = 40
"""Characters of a standard's id."""
ROLL = "hot roll"
"""The step of a route whose aims say how thick the strip is."""


def documents_of(
    wish: Wish, product: Product, route: Routing | None, having: Mapping[str, Sequence[str]]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Drafts as plain documents, the product first, and which rules are left out and why.

    having: class of equipment -> plants that report such a unit. BadInput where an id would be too long.
    """
    tail = wish.product_id.removeprefix("P-")
    route_id = _id("R-", tail)
    rules, left_out = _rules(wish, tail, product, having)
    made = [_product(wish, product, route_id if route else "")]
    if route is not None:
        made.append(_route(wish, route, route_id))
    return [*made, *rules], left_out


def _id(prefix: str, tail: str) -> str:
    """Never cut: two products would share what is cut alike."""
    made = f"{prefix}{tail}"
    if len(made) > ID_MAX:
        raise BadInput(
            "launch.long_id",
            f"{made} is longer than {ID_MAX} characters.",
            todo=f"Choose a product_id that is {len(made) - ID_MAX} shorter.",
        )
    return made


def _product(wish: Wish, like: Product, route_id: str) -> dict[str, Any]:
    routes = [route_id] if route_id else list(like.routes)
    said: dict[str, Any] = {
        "grades": wish.grades,
        "dimensions": _over(like.dimensions, wish.dimensions),
        "properties": _over(like.properties, wish.properties),
        "tests": wish.tests or like.tests,
    }
    plain = {name: [p if isinstance(p, str) else p.model_dump() for p in parts] for name, parts in said.items()}
    return {
        **like.model_dump(mode="json"),
        **{name: parts for name, parts in plain.items() if parts},
        "id": wish.product_id,
        "version": 1,
        "title": wish.title,
        "purpose": _purpose(wish, like.id),
        "routes": routes,
        "depends": routes,
        "source": wish.reference or like.source,
    }


def _over(template: Sequence[Any], said: Sequence[Any]) -> list[Any]:
    """The template's ranges, with those that the wish names in their place or behind them."""
    named = {one.name: one for one in said}
    kept = [named.pop(one.name, one) for one in template]
    return [*kept, *named.values()]


def _route(wish: Wish, like: Routing, route_id: str) -> dict[str, Any]:
    document = like.model_dump(mode="json")
    unknown = sorted(set(wish.aims) - {step.name for step in like.steps})
    if unknown:
        raise BadInput(
            "launch.unknown_step",
            f"The route {like.id} has no step {', '.join(unknown)}.",
            todo=f"Its steps are {', '.join(step.name for step in like.steps)}.",
        )
    for step in document["steps"]:
        if step["name"] in wish.aims:
            step["aims"] = {**step["aims"], **wish.aims[step["name"]]}
            step["result"] = ""
    purpose = _purpose(wish, like.id)
    return {**document, "id": route_id, "version": 1, "title": wish.title, "product": wish.title, "purpose": purpose}


def _purpose(wish: Wish, like: str) -> str:
    reference = f", {wish.reference}" if wish.reference else ""
    return f"Launched from {wish.source.upper()}{reference}, like {like}."


def _rules(
    wish: Wish, tail: str, like: Product, having: Mapping[str, Sequence[str]]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Each for the plants that can be asked: elsewhere its binding would hold up all that is assigned."""
    rules = [_analysis(wish, tail)] if wish.chemistry else []
    rules += [_thickness(wish, tail)] if wish.aims.get(ROLL, {}).get("thickness_um") else []
    left_out = []
    for rule in rules:
        needed = rule["needs"][0]
        able = [plant for plant in having.get(needed, ()) if plant in like.scope.plants or not like.scope.plants]
        rule["scope"] = {"plants": able}
        left_out += [] if able else [f"{rule['id']}: no plant of the product reports a {needed}."]
    return [rule for rule in rules if rule["scope"]["plants"]], left_out


def _frame(wish: Wish, rule_id: str, title: str, needs: str) -> dict[str, Any]:
    return {
        "kind": "quality_rule",
        "id": rule_id,
        "version": 1,
        "title": f"{title} of {wish.title}"[:200],
        "purpose": _purpose(wish, wish.like),
        "owner": "product office",
        "takes_hold": "next_heat",
        "needs": [needs],
    }


def _analysis(wish: Wish, tail: str) -> dict[str, Any]:
    limits = [limit.model_dump(exclude_none=True) for limit in wish.chemistry]
    check = {"kind": "limits", "grades": [{"grade": wish.grade, "limits": limits}]}
    middle = {"grade": wish.grade, **{limit.element: _middle(limit) for limit in wish.chemistry}}
    cases = [{"name": "middle of the analysis", "inputs": middle, "outcome": "in_order"}]
    for limit in wish.chemistry:
        over = {**middle, limit.element: limit.max_e6 + 1}
        cases.append({"name": f"{limit.element} above its limit", "inputs": over, "outcome": "violated"})
    note = f"A heat outside its analysis is not used as {wish.grade} before quality has decided."
    rule = {"when": ["sample_final"], "check": check, "otherwise": {"action": "hold", "note": note}}
    return {**_frame(wish, _id("QR-CHE-", tail), "Ladle analysis", MAKERS), "rule": rule, "cases": cases}


def _middle(limit: ElementRange) -> int:
    return ((limit.min_e6 or 0) + limit.max_e6) // 2


def _thickness(wish: Wish, tail: str) -> dict[str, Any]:
    """A twentieth of the aim to either side until the mill knows better: a draft is there to be corrected."""
    aim = wish.aims[ROLL]["thickness_um"]
    low, high = aim * 95 // 100, aim * 105 // 100
    check = {
        "kind": "expression",
        "variables": [{"name": "grade", "type": "text"}, {"name": "thickness", "unit": "mm"}],
        "applies": f"grade == '{wish.grade}'",
        "condition": f"thickness >= {low / 1000:g} && thickness <= {high / 1000:g}",
    }
    cases = [
        {"name": name, "inputs": {"grade": wish.grade, "thickness": value}, "outcome": outcome}
        for name, value, outcome in (("at its aim", aim, "in_order"), ("too thick", high + 1_000, "violated"))
    ]
    rule = {"when": ["coil_done"], "check": check, "otherwise": {"action": "hold", "note": "Measure, then decide."}}
    return {**_frame(wish, _id("QR-THK-", tail), "Thickness", ROLLERS), "rule": rule, "cases": cases}
