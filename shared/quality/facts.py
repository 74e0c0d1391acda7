"""Samples, results, decisions, holds, dispositions."""

from __future__ import annotations

import msgspec

from shared.journal.fact import Payload, fact


class ElementResult(msgspec.Struct, frozen=True):
    """One element: value in 1e-6 mass fraction, operator '' or '<', digits after the point as reported in %."""

    element: str
    value_e6: int
    operator: str = ""
    digits: int = 3


@fact("SampleAnalysed")
class SampleAnalysed(Payload, frozen=True, kw_only=True):
    """A sample's result arrived. place: EAF | LFA | LFF (counts) | TUN | product."""

    sample_id: str
    sample_number: str
    material_id: str
    place: str
    taken_at_ms: int
    results: tuple[ElementResult, ...]


@fact("CheckDecided")
class CheckDecided(Payload, frozen=True, kw_only=True):
    """A rule was evaluated. outcome: pass | hold | mark | case | pending | no_rule; inputs and explanation as shown."""

    decision_id: str
    rule_id: str
    rule_version: int
    rule_hash: str
    material_id: str
    outcome: str
    inputs: dict[str, int | float | str]
    explanation: str


@fact("HoldPlaced")
class HoldPlaced(Payload, frozen=True, kw_only=True):
    """A piece (or a heat, before its slabs exist) may not be released, consumed or shipped by command."""

    hold_id: str
    material_id: str
    reason: str
    rule_id: str = ""
    decision_id: str = ""
    inherited_from: str = ""
    """hold_id of the parent's hold, when born held."""


@fact("HoldReleased")
class HoldReleased(Payload, frozen=True, kw_only=True):
    """A person ends a hold. disposition: prime | downgrade | reapply | rework | scrap; only_for: grade or order limit."""

    hold_id: str
    material_id: str
    disposition: str
    note: str = ""
    only_for: str = ""
