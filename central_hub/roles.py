"""Roles that people can have at the hub; by themselves, because commands about people need no web face."""

from __future__ import annotations

ROLES = {
    "author": "drafts standards",
    "approver": "approves other people's drafts",
    "planner": "releases orders of plants that gave that to the centre",
    "quality": "decides on held pieces of plants that gave that to the centre",
    "logistics": "resolves cases of transfers",
    "owner": "owns processes: conformance, comparison",
    "engineer": "registers plants, watches links and quarantine",
    "auditor": "reads everything, changes nothing",
    "metrics": "reads /metrics and nothing else: for the token of a monitoring program",
}
"""Roles of the group. A person has one or more."""
