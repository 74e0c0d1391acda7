"""What the fields are called for people: labels and units from their names, a hint where a name does not say enough."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

UNITS = (
    ("_e6", "millionths of the mass"),
    ("_ppm", "ppm"),
    ("_milli", "thousandths"),
    ("_min", "min"),
    ("_ms", "ms"),
    ("_um", "µm"),
    ("_mm", "mm"),
    ("_kg", "kg"),
    ("_g", "g"),
)
LONG = frozenset({"purpose", "text", "condition", "applies", "note", "meaning", "danger", "formula", "source"})
"""Fields that want more than a line."""
HELP: Mapping[str, str] = MappingProxyType(
    {
        "id": "Capitals, digits and hyphens. It stays for ever: QR-CHE-05.",
        "version": "The next whole number.",
        "takes_hold": "When a plant begins to work by it once it has it.",
        "owner": "Who answers for it in the group.",
        "plants": "Codes, with commas between; empty: every plant.",
        "grades": "With commas between; empty: every grade.",
        "needs": "Equipment classes a plant must have, with commas between.",
        "depends": "Standards it rests on, with commas between.",
        "condition": "True when the piece is in order: Cu + 8 * Sn <= 0.38. It speaks the units of the names below.",
        "applies": "For which pieces it asks at all: grade == 'L06'. Empty: all.",
        "variables": "The names the two expressions use, each with type and unit of the event.",
        "choices": "With commas between; then no least and greatest.",
        "of": "Equipment class that carries it.",
        "inputs": "By name, in stored units: millionths of the mass, grams, micrometres.",
        "sums": "By the formula's names, in stored units.",
        "formula": "Sums first, the ratio last: 100 * good / charged.",
        "aims": "By name, whole numbers in the unit of the name.",
        "classes": "Equipment classes that do it, with commas between.",
        "workflow": "Standard that says what people do then.",
        "trigger": "The rule whose failure begins it.",
        "at": "Equipment class.",
        "parent": "Code of the reason above; empty: at the top.",
        "rows": "One row a line of the table, in the order of the columns.",
        "collect": "What is recorded, with commas between.",
    }
)
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "product": "What is sold: grades, dimensions, properties, tests, certificate.",
        "routing": "The steps that make it, by class of equipment, across plants.",
        "quality_rule": "What must be true of a heat, a piece or a receipt, and what follows if it is not.",
        "kpi": "A figure: base measures, formula, how each is collected.",
        "data_collection": "What is recorded of each heat, piece or shift.",
        "practice": "Casting, heating, rolling or annealing tables.",
        "substitution": "Which grade may serve for which.",
        "group_rule": "Asked at the hub of the facts of all plants: limits, patterns, and who is told.",
        "workflow": "What people do when a check fails.",
        "reason_tree": "Reasons of delays, defects or scrap.",
        "instruction": "How a job is done; checklists, handovers.",
        "dashboard": "Tiles, charts and lists of figures on one page, at plants and for the group.",
    }
)


def title_of(kind: str) -> str:
    """A kind in words."""
    return "KPI" if kind == "kpi" else label_of(kind)


def label_of(name: str) -> str:
    """A field's name as a label, without its unit."""
    for ending, _ in UNITS:
        if name.endswith(ending) and len(name) > len(ending):
            name = name.removesuffix(ending)
            break
    return name.replace("_", " ").capitalize()


def unit_of(name: str) -> str:
    """The unit a field's name says, empty where it says none."""
    return next((unit for ending, unit in UNITS if name.endswith(ending)), "")
