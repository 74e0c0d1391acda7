"""What the hub's rules said, own standards and launches become rows."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection

from shared.db.upsert import upsert
from shared.journal.apply import Appliers
from shared.journal.fact import AppliedFact
from shared.standards import own_tables as tables
from shared.standards.own_facts import GroupRuleFired, OwnStandardDeployed, ProductLaunched
from shared.standards.rows import change
from shared.standards.tables import standard_version


def register(appliers: Appliers) -> None:
    """Hand the journal every applier of these."""
    appliers.add(GroupRuleFired, apply_fired)
    appliers.add(OwnStandardDeployed, apply_deployed)
    appliers.add(ProductLaunched, apply_launched)


def apply_fired(conn: Connection, group: Sequence[AppliedFact[GroupRuleFired]]) -> None:
    """A decision; it is written once."""
    rows = [
        {
            "author": f.author,
            "decision_id": f.payload.decision_id,
            "rule_id": f.payload.rule_id,
            "rule_version": f.payload.rule_version,
            "rule_hash": f.payload.rule_hash,
            "plant": f.payload.plant,
            "fact_id": f.payload.fact_id,
            "key": f.payload.key,
            "outcome": f.payload.outcome,
            "inputs": json.dumps(f.payload.inputs, sort_keys=True),
            "explanation": f.payload.explanation,
            "counted": json.dumps(f.payload.counted),
            "at_ms": f.payload.at_ms,
            "workflow_id": f.payload.workflow_id,
            "workflow_version": f.payload.workflow_version,
            "workflow_hash": f.payload.workflow_hash,
            "decided_ms": f.recorded_at_ms,
        }
        for f in group
    ]
    upsert(conn, tables.group_decision, rows)


def apply_deployed(conn: Connection, group: Sequence[AppliedFact[OwnStandardDeployed]]) -> None:
    """The plant's last word on one of its own; a version that is in force is no draft any more."""
    for f in group:
        row = {
            "author": f.author,
            "standard_id": f.payload.standard_id,
            "version": f.payload.version,
            "sha256": f.payload.sha256,
            "reason": f.payload.reason,
            "trial": f.payload.trial,
            "back": int(f.payload.back),
            "deployed_by": f.actor,
            "deployed_ms": f.recorded_at_ms,
        }
        upsert(conn, tables.own_deployment, [row], update=tuple(row)[2:])
        key = {"standard_id": f.payload.standard_id, "version": f.payload.version}
        change(conn, standard_version, f, key, status="published", published_ms=f.recorded_at_ms)


def apply_launched(conn: Connection, group: Sequence[AppliedFact[ProductLaunched]]) -> None:
    """A launch; it is written once."""
    rows = [
        {
            "author": f.author,
            "launch_id": f.payload.launch_id,
            "product_id": f.payload.product_id,
            "title": f.payload.title,
            "template": f.payload.template,
            "grade": f.payload.grade,
            "source": f.payload.source,
            "reference": f.payload.reference,
            "standards": json.dumps(f.payload.standards),
            "left_out": json.dumps(f.payload.left_out),
            "begun_by": f.actor,
            "begun_ms": f.recorded_at_ms,
        }
        for f in group
    ]
    upsert(conn, tables.product_launch, rows)
