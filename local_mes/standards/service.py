"""What other features and the wiring call: reads of what is in force, and (see adopt.py) taking in what arrived."""

from __future__ import annotations

from local_mes.standards.in_force import Checked, RuleInForce, check, find_kpi, find_rule, parameter, standard_ref

__all__ = ["Checked", "RuleInForce", "check", "find_kpi", "find_rule", "parameter", "standard_ref"]
