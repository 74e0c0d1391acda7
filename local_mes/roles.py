"""Roles that people can have at a plant; by themselves, because commands about people need no web face."""

from __future__ import annotations

ROLES = {
    "operator": "runs a unit and books what it made",
    "yard": "moves, ships and receives pieces at yard and gate",
    "quality": "decides on holds and releases",
    "lead": "leads a shift: plan, stops, handover",
    "engineer": "keeps model, links, repairs and standards of the plant",
    "planner": "enters orders and schedules, imports stock",
    "metrics": "reads /metrics and nothing else: for the token of a monitoring program",
}
"""Roles of a plant. A person has one or more."""
