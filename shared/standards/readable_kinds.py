"""The kinds of schema 2 as people read them. Pure."""

from __future__ import annotations

from shared.standards.dashboard_kind import Dashboard, Tile
from shared.standards.product_kinds import Practice, Product, Range, Substitution, TestDemand
from shared.standards.section import Section
from shared.standards.work_kinds import DataCollection, DataItem, Instruction, Reason, ReasonTree

Described = Dashboard | Product | Practice | Substitution | ReasonTree | DataCollection | Instruction


def describe(document: Described) -> list[Section]:
    """What the document says beside its frame."""
    if isinstance(document, Product):
        return _product(document)
    if isinstance(document, Practice):
        return [_practice(document)]
    if isinstance(document, Dashboard):
        return [_dashboard(document)]
    if isinstance(document, Substitution):
        return [_substitution(document)]
    if isinstance(document, ReasonTree):
        return [_tree(document)]
    return [_collection(document) if isinstance(document, DataCollection) else _instruction(document)]


def _product(document: Product) -> list[Section]:
    paper = "No certificate" if document.certificate == "none" else f"Certificate EN 10204 type {document.certificate}"
    said = (
        f"Grades: {', '.join(document.grades)}.",
        f"{paper}; the mass that counts is {document.mass_basis}.",
        f"Made by {', '.join(document.routes)}." if document.routes else "",
        f"Source: {document.source}" if document.source else "",
    )
    ranges = [("dimension", r) for r in document.dimensions] + [("property", r) for r in document.properties]
    rows = tuple((what, r.name, *_bounds(r), r.unit) for what, r in ranges)
    found = [Section("What it is", tuple(s for s in said if s), ("What", "Name", "From", "To", "Unit"), rows)]
    if document.tests:
        found.append(Section("Tests", (), ("Test", "Method", "How often"), tuple(map(_test, document.tests))))
    return found


def _test(test: TestDemand) -> tuple[str, ...]:
    return test.name, test.method, f"{test.samples} a {test.per}"


def _bounds(r: Range) -> tuple[str, str]:
    return "" if r.min is None else str(r.min), "" if r.max is None else str(r.max)


def _practice(document: Practice) -> Section:
    columns = tuple(f"{c.name} {c.unit}".strip() for c in document.columns)
    rows = tuple(tuple(str(value) for value in row) for row in document.rows)
    return Section("Table", (f"For equipment of class {document.at}.",), columns, rows)


def _dashboard(document: Dashboard) -> Section:
    rows = tuple(
        (t.name, t.show, " at ".join(part for part in (t.kpi, t.at.replace("_", " ")) if part), _span(t), _target(t))
        for t in document.tiles
    )
    return Section("Tiles", (f"A {document.use}.",), ("Tile", "Shows", "Of", "Over", "Target"), rows)


def _span(tile: Tile) -> str:
    if tile.show == "holds":
        return "now"
    return "the day" if tile.days == 1 else f"{tile.days} days"


def _target(tile: Tile) -> str:
    return "" if tile.target_milli is None else f"{tile.target_milli / 1000:g}"


def _substitution(document: Substitution) -> Section:
    rows = tuple(
        (s.grade, str(s.order), s.by, "as a downgrade" if s.downgrade else "", s.note)
        for s in sorted(document.substitutes, key=lambda s: (s.grade, s.order))
    )
    return Section("What may serve for what", (), ("Grade", "Order", "Served by", "How", "Note"), rows)


def _tree(document: ReasonTree) -> Section:
    parents = {reason.code: reason for reason in document.reasons}
    rows = tuple((_path(leaf, parents), leaf.code, "planned" if leaf.planned else "") for leaf in document.leaves)
    return Section("Reasons", (f"Reasons of a {document.of}.",), ("Reason", "Code", ""), rows)


def _path(leaf: Reason, known: dict[str, Reason]) -> str:
    words, at = [leaf.text], leaf
    while at.parent:
        at = known[at.parent]
        words.append(at.text)
    return " › ".join(reversed(words))


def _collection(document: DataCollection) -> Section:
    rows = tuple((i.text, i.name, _allowed(i), i.source.replace("_", " "), i.basis) for i in document.items)
    said = f"Of each {document.per} at equipment of class {document.at}."
    return Section("What is recorded", (said,), ("What", "Name", "Allowed", "Collected by", "Basis"), rows)


def _allowed(item: DataItem) -> str:
    if item.choices:
        return " | ".join(item.choices)
    if item.type != "whole":
        return "yes or no" if item.type == "yes_no" else "text"
    low, high = ("" if bound is None else str(bound) for bound in (item.min, item.max))
    return f"{low} to {high} {item.unit}".strip() if low or high else f"whole number {item.unit}".strip()


def _instruction(document: Instruction) -> Section:
    rows = tuple(
        (str(n), step.text, step.danger, "confirm" if step.confirm else "") for n, step in enumerate(document.steps, 1)
    )
    said = f"A {document.use} for {document.role} at equipment of class {document.at}."
    return Section("Steps", (said,), ("Step", "What", "Danger", ""), rows)
