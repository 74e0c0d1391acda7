"""Facts of quality as rows: total, in bulk, and the same whichever of a hold and its release can be read first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact
from shared.quality.facts import CheckDecided, HoldPlaced, HoldReleased, SampleAnalysed
from shared.quality.tables import decision, hold, sample, sample_value

_json = msgspec.json.Encoder(order="deterministic")
_PLACED = ("material_id", "reason", "rule_id", "decision_id", "inherited_from", "placed_at_ms", "placed_by")
_RELEASED = ("released_at_ms", "released_by", "disposition", "note", "only_for")
_BLANK: dict[str, Any] = {
    "reason": "",
    "rule_id": "",
    "decision_id": "",
    "inherited_from": "",
    "placed_at_ms": None,
    "placed_by": "",
    "released_at_ms": None,
    "released_by": "",
    "disposition": "",
    "note": "",
    "only_for": "",
}


def register(appliers: Appliers) -> None:
    """Give the journal the appliers of this subject."""
    appliers.add(SampleAnalysed, apply_sample_analysed)
    appliers.add(CheckDecided, apply_check_decided)
    appliers.add(HoldPlaced, apply_hold_placed)
    appliers.add(HoldReleased, apply_hold_released)


def apply_sample_analysed(conn: Connection, facts: Sequence[AppliedFact[SampleAnalysed]]) -> None:
    """A sample and its values; a later fact on the same sample (a corrected result) replaces them element by element."""
    upsert(
        conn,
        sample,
        [
            {
                "author": x.author,
                "sample_id": x.payload.sample_id,
                "sample_number": x.payload.sample_number,
                "material_id": x.payload.material_id,
                "place": x.payload.place,
                "taken_at_ms": x.payload.taken_at_ms,
                "analysed_at_ms": x.occurred.at_ms,
            }
            for x in facts
        ],
        update=["sample_number", "material_id", "place", "taken_at_ms", "analysed_at_ms"],
    )
    upsert(
        conn,
        sample_value,
        [
            {
                "author": x.author,
                "sample_id": x.payload.sample_id,
                "element": r.element,
                "value_e6": r.value_e6,
                "operator": r.operator,
                "digits": r.digits,
            }
            for x in facts
            for r in x.payload.results
        ],
        update=["value_e6", "operator", "digits"],
    )


def apply_check_decided(conn: Connection, facts: Sequence[AppliedFact[CheckDecided]]) -> None:
    """A decision, never changed afterwards."""
    upsert(
        conn,
        decision,
        [
            {
                "author": x.author,
                "decision_id": x.payload.decision_id,
                "rule_id": x.payload.rule_id,
                "rule_version": x.payload.rule_version,
                "rule_hash": x.payload.rule_hash,
                "material_id": x.payload.material_id,
                "outcome": x.payload.outcome,
                "inputs": _json.encode(x.payload.inputs).decode(),
                "explanation": x.payload.explanation,
                "decided_at_ms": x.occurred.at_ms,
                "decided_by": x.actor,
            }
            for x in facts
        ],
    )


def apply_hold_placed(conn: Connection, facts: Sequence[AppliedFact[HoldPlaced]]) -> None:
    """A hold; one that was released already (see below) keeps its end."""
    upsert(
        conn,
        hold,
        [
            _BLANK
            | {
                "author": x.author,
                "hold_id": x.payload.hold_id,
                "material_id": x.payload.material_id,
                "reason": x.payload.reason,
                "rule_id": x.payload.rule_id,
                "decision_id": x.payload.decision_id,
                "inherited_from": x.payload.inherited_from,
                "placed_at_ms": x.occurred.at_ms,
                "placed_by": x.actor,
            }
            for x in facts
        ],
        update=_PLACED,
    )


def apply_hold_released(conn: Connection, facts: Sequence[AppliedFact[HoldReleased]]) -> None:
    """A hold's end; where its placing could not be read yet, the row waits for it."""
    upsert(
        conn,
        hold,
        [
            _BLANK
            | {
                "author": x.author,
                "hold_id": x.payload.hold_id,
                "material_id": x.payload.material_id,
                "released_at_ms": x.occurred.at_ms,
                "released_by": x.actor,
                "disposition": x.payload.disposition,
                "note": x.payload.note,
                "only_for": x.payload.only_for,
            }
            for x in facts
        ],
        update=_RELEASED,
    )
