"""The tables that every node has.

The rules: old code must still run after this (expand first, contract a release later); small, named, tried with data
on both databases; a table of the journal is guarded by its triggers.
"""

import sqlalchemy as sa
from alembic import op

from shared.db.append_only import statements

revision = "shared_0001"
down_revision = None
branch_labels = ("shared",)
depends_on = None


def upgrade() -> None:
    """Bring the schema forward."""
    op.create_table(
        "alias",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.Column("scheme", sa.String(length=64), nullable=False),
        sa.Column("material_id", sa.String(length=32), nullable=False),
        sa.Column("given_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "value", "scheme", "material_id", name=op.f("pk_alias")),
    )
    with op.batch_alter_table("alias", schema=None) as batch_op:
        batch_op.create_index("ix_alias_material_id", ["material_id"], unique=False)
        batch_op.create_index("ix_alias_value", ["value"], unique=False)

    op.create_table(
        "applied",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("author", "fact_id", name=op.f("pk_applied")),
    )
    op.create_table(
        "apply_position",
        sa.Column("stream", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "epoch", name=op.f("pk_apply_position")),
    )
    op.create_table(
        "arrival",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.Column("shipment_id", sa.String(length=32), nullable=False),
        sa.Column("shipment_number", sa.String(length=64), nullable=False),
        sa.Column("from_plant", sa.String(length=64), nullable=False),
        sa.Column("arrived_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "fact_id", name=op.f("pk_arrival")),
    )
    with op.batch_alter_table("arrival", schema=None) as batch_op:
        batch_op.create_index("ix_arrival_shipment_id", ["shipment_id"], unique=False)

    op.create_table(
        "awaiting_episode",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("episode_id", sa.String(length=32), nullable=False),
        sa.Column("plant", sa.Text(), nullable=False),
        sa.Column("receiver", sa.String(length=64), nullable=False),
        sa.Column("shipment_number", sa.String(length=64), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("complete_to_ms", sa.BigInteger(), nullable=False),
        sa.Column("opened_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("closed_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "episode_id", name=op.f("pk_awaiting_episode")),
    )
    with op.batch_alter_table("awaiting_episode", schema=None) as batch_op:
        batch_op.create_index("ix_awaiting_episode_closed", ["closed"], unique=False)

    op.create_table(
        "blocked_subject",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("stream", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "subject", "stream", "epoch", "seq", name=op.f("pk_blocked_subject")),
    )
    op.create_table(
        "catalogue_signature",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("keyid", sa.String(length=64), nullable=False),
        sa.Column("sig", sa.Text(), nullable=False),
        sa.Column("given_by", sa.String(length=64), nullable=False),
        sa.Column("given_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "request_id", "keyid", name=op.f("pk_catalogue_signature")),
    )
    op.create_table(
        "command",
        sa.Column("command_id", sa.String(length=64), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("done_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("command_id", name=op.f("pk_command")),
    )
    op.create_table(
        "decision",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("decision_id", sa.String(length=32), nullable=False),
        sa.Column("rule_id", sa.String(length=64), nullable=False),
        sa.Column("rule_version", sa.BigInteger(), nullable=False),
        sa.Column("rule_hash", sa.String(length=64), nullable=False),
        sa.Column("material_id", sa.String(length=32), nullable=False),
        sa.Column("outcome", sa.String(length=64), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=False),
        sa.Column("decided_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("author", "decision_id", name=op.f("pk_decision")),
    )
    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.create_index("ix_decision_decision_id", ["decision_id"], unique=False)
        batch_op.create_index("ix_decision_material_id", ["material_id", "decided_at_ms"], unique=False)
        batch_op.create_index("ix_decision_outcome", ["author", "outcome", "decided_at_ms"], unique=False)

    op.create_table(
        "departure_correction",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.Column("shipment_id", sa.String(length=32), nullable=False),
        sa.Column("material_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "fact_id", name=op.f("pk_departure_correction")),
    )
    with op.batch_alter_table("departure_correction", schema=None) as batch_op:
        batch_op.create_index("ix_departure_correction_shipment_id", ["shipment_id"], unique=False)

    op.create_table(
        "deviation_raised",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("deviation_id", sa.String(length=32), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("material_id", sa.String(length=32), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "deviation_id", name=op.f("pk_deviation_raised")),
    )
    with op.batch_alter_table("deviation_raised", schema=None) as batch_op:
        batch_op.create_index("ix_deviation_raised_material_id", ["material_id"], unique=False)

    op.create_table(
        "edge",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("operation_id", sa.String(length=32), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("parent_id", sa.String(length=32), nullable=False),
        sa.Column("child_id", sa.String(length=32), nullable=False),
        sa.Column("parent_from_um", sa.BigInteger(), nullable=False),
        sa.Column("parent_to_um", sa.BigInteger(), nullable=False),
        sa.Column("child_from_um", sa.BigInteger(), nullable=False),
        sa.Column("child_to_um", sa.BigInteger(), nullable=False),
        sa.Column("parent_left_um", sa.BigInteger(), nullable=False),
        sa.Column("parent_right_um", sa.BigInteger(), nullable=False),
        sa.Column("child_left_um", sa.BigInteger(), nullable=False),
        sa.Column("child_right_um", sa.BigInteger(), nullable=False),
        sa.Column("mass_g", sa.BigInteger(), nullable=False),
        sa.Column("share_ppm", sa.BigInteger(), nullable=False),
        sa.Column("flip_length", sa.Boolean(), nullable=False),
        sa.Column("flip_width", sa.Boolean(), nullable=False),
        sa.Column("flip_face", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("author", "operation_id", "ordinal", name=op.f("pk_edge")),
    )
    with op.batch_alter_table("edge", schema=None) as batch_op:
        batch_op.create_index("ix_edge_child_id", ["child_id", "parent_id"], unique=False)
        batch_op.create_index("ix_edge_parent_id", ["parent_id", "child_id"], unique=False)

    op.create_table(
        "epoch",
        sa.Column("stream", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.String(length=32), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("parent_epoch", sa.String(length=32), nullable=True),
        sa.Column("parent_seq", sa.BigInteger(), nullable=True),
        sa.Column("parent_hash", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("opened_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "epoch", name=op.f("pk_epoch")),
        sa.UniqueConstraint("stream", "ordinal", name=op.f("uq_epoch_stream_ordinal")),
    )
    op.create_table(
        "fact",
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("fact_id", name=op.f("pk_fact")),
    )
    with op.batch_alter_table("fact", schema=None) as batch_op:
        batch_op.create_index("ix_fact_type", ["type", "recorded_at_ms"], unique=False)

    op.create_table(
        "handover",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.Column("production_day", sa.String(length=64), nullable=False),
        sa.Column("shift", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "fact_id", name=op.f("pk_handover")),
    )
    with op.batch_alter_table("handover", schema=None) as batch_op:
        batch_op.create_index("ix_handover_production_day", ["production_day", "shift"], unique=False)

    op.create_table(
        "head",
        sa.Column("stream", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("stream", name=op.f("pk_head")),
    )
    op.create_table(
        "hold",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("hold_id", sa.String(length=32), nullable=False),
        sa.Column("material_id", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("rule_id", sa.String(length=64), nullable=False),
        sa.Column("decision_id", sa.String(length=32), nullable=False),
        sa.Column("inherited_from", sa.String(length=32), nullable=False),
        sa.Column("placed_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("placed_by", sa.String(length=64), nullable=False),
        sa.Column("released_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("released_by", sa.String(length=64), nullable=False),
        sa.Column("disposition", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("only_for", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("author", "hold_id", name=op.f("pk_hold")),
    )
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.create_index("ix_hold_hold_id", ["hold_id"], unique=False)
        batch_op.create_index("ix_hold_inherited_from", ["inherited_from"], unique=False)
        batch_op.create_index("ix_hold_material_id", ["material_id", "released_at_ms"], unique=False)
        batch_op.create_index("ix_hold_open", ["author", "released_at_ms", "placed_at_ms"], unique=False)

    op.create_table(
        "loss",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("operation_id", sa.String(length=32), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("g", sa.BigInteger(), nullable=False),
        sa.Column("weighed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("author", "operation_id", "ordinal", name=op.f("pk_loss")),
    )
    op.create_table(
        "mark",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("mark_id", sa.String(length=32), nullable=False),
        sa.Column("material_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("from_um", sa.BigInteger(), nullable=False),
        sa.Column("to_um", sa.BigInteger(), nullable=False),
        sa.Column("left_um", sa.BigInteger(), nullable=False),
        sa.Column("right_um", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("rule", sa.String(length=64), nullable=False),
        sa.Column("placed_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "mark_id", name=op.f("pk_mark")),
    )
    with op.batch_alter_table("mark", schema=None) as batch_op:
        batch_op.create_index("ix_mark_material_id", ["material_id"], unique=False)

    op.create_table(
        "mass_history",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.Column("material_id", sa.String(length=32), nullable=False),
        sa.Column("mass_g", sa.BigInteger(), nullable=False),
        sa.Column("basis", sa.String(length=64), nullable=False),
        sa.Column("scale", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("author", "fact_id", "material_id", name=op.f("pk_mass_history")),
    )
    with op.batch_alter_table("mass_history", schema=None) as batch_op:
        batch_op.create_index("ix_mass_history_material_id", ["material_id"], unique=False)

    op.create_table(
        "material",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("material_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("grade", sa.String(length=64), nullable=False),
        sa.Column("order_item", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("mass_g", sa.BigInteger(), nullable=False),
        sa.Column("mass_basis", sa.String(length=64), nullable=False),
        sa.Column("mass_scale", sa.String(length=64), nullable=False),
        sa.Column("mass_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("thickness_um", sa.BigInteger(), nullable=False),
        sa.Column("width_um", sa.BigInteger(), nullable=False),
        sa.Column("length_um", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("origin", sa.String(length=64), nullable=False),
        sa.Column("heat_number", sa.String(length=64), nullable=False),
        sa.Column("chemistry", sa.Text(), nullable=False),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("identified_as", sa.String(length=32), nullable=True),
        sa.Column("born_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=True),
        sa.Column("last_fact", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("author", "material_id", name=op.f("pk_material")),
    )
    with op.batch_alter_table("material", schema=None) as batch_op:
        batch_op.create_index("ix_material_material_id", ["material_id"], unique=False)
        batch_op.create_index("ix_material_number", ["number"], unique=False)
        batch_op.create_index("ix_material_state", ["author", "state", "kind"], unique=False)

    op.create_table(
        "node_life",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_node_life")),
    )
    op.create_table(
        "operation",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("operation_id", sa.String(length=32), nullable=False),
        sa.Column("operation", sa.String(length=64), nullable=False),
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("started_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("charged_g", sa.BigInteger(), nullable=False),
        sa.Column("produced_g", sa.BigInteger(), nullable=False),
        sa.Column("loss_g", sa.BigInteger(), nullable=False),
        sa.Column("added_g", sa.BigInteger(), nullable=False),
        sa.Column("unexplained_g", sa.BigInteger(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("standard_id", sa.String(length=64), nullable=True),
        sa.Column("standard_version", sa.BigInteger(), nullable=True),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("author", "operation_id", name=op.f("pk_operation")),
    )
    with op.batch_alter_table("operation", schema=None) as batch_op:
        batch_op.create_index("ix_operation_unit", ["author", "unit", "ended_at_ms"], unique=False)

    op.create_table(
        "order_item",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("grade", sa.String(length=64), nullable=False),
        sa.Column("thickness_um", sa.BigInteger(), nullable=False),
        sa.Column("width_um", sa.BigInteger(), nullable=False),
        sa.Column("mass_g", sa.BigInteger(), nullable=False),
        sa.Column("route", sa.String(length=64), nullable=False),
        sa.Column("due", sa.String(length=64), nullable=False),
        sa.Column("released_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "item", name=op.f("pk_order_item")),
    )
    op.create_table(
        "person",
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("session_key", sa.String(length=32), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_person")),
        sa.UniqueConstraint("login", name=op.f("uq_person_login")),
    )
    op.create_table(
        "place_history",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.Column("material_id", sa.String(length=32), nullable=False),
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("author", "fact_id", "material_id", name=op.f("pk_place_history")),
    )
    with op.batch_alter_table("place_history", schema=None) as batch_op:
        batch_op.create_index("ix_place_history_material_id", ["material_id"], unique=False)

    op.create_table(
        "process_value",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("operation_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "operation_id", "name", name=op.f("pk_process_value")),
    )
    op.create_table(
        "quarantine",
        sa.Column("stream", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "epoch", "seq", name=op.f("pk_quarantine")),
    )
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.create_index("ix_quarantine_author", ["author"], unique=False)

    op.create_table(
        "receipt",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("receipt_id", sa.String(length=32), nullable=False),
        sa.Column("shipment_id", sa.String(length=32), nullable=False),
        sa.Column("shipment_number", sa.String(length=64), nullable=False),
        sa.Column("from_plant", sa.String(length=64), nullable=False),
        sa.Column("material_id", sa.String(length=32), nullable=False),
        sa.Column("taken_in_as", sa.String(length=32), nullable=False),
        sa.Column("custody_no", sa.BigInteger(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("came_unlisted", sa.Boolean(), nullable=False),
        sa.Column("printed_number", sa.String(length=64), nullable=False),
        sa.Column("own_number", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("grade", sa.String(length=64), nullable=False),
        sa.Column("order_item", sa.String(length=64), nullable=False),
        sa.Column("mass_g", sa.BigInteger(), nullable=False),
        sa.Column("mass_basis", sa.String(length=64), nullable=False),
        sa.Column("scale", sa.String(length=64), nullable=False),
        sa.Column("sender_mass_g", sa.BigInteger(), nullable=True),
        sa.Column("sender_mass_basis", sa.String(length=64), nullable=True),
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("position", sa.String(length=64), nullable=False),
        sa.Column("damage", sa.Text(), nullable=False),
        sa.Column("received_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("matched_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("author", "receipt_id", name=op.f("pk_receipt")),
    )
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.create_index("ix_receipt_load", ["shipment_id", "material_id", "author", "receipt_id"], unique=False)
        batch_op.create_index("ix_receipt_material_id", ["material_id"], unique=False)
        batch_op.create_index("ix_receipt_printed_number", ["printed_number"], unique=False)
        batch_op.create_index("ix_receipt_provisional", ["provisional"], unique=False)
        batch_op.create_index("ix_receipt_recorded", ["author", "recorded_at_ms"], unique=False)

    op.create_table(
        "receipt_close",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.Column("shipment_id", sa.String(length=32), nullable=False),
        sa.Column("shipment_number", sa.String(length=64), nullable=False),
        sa.Column("from_plant", sa.String(length=64), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("short_ids", sa.Text(), nullable=False),
        sa.Column("closed_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "fact_id", name=op.f("pk_receipt_close")),
    )
    with op.batch_alter_table("receipt_close", schema=None) as batch_op:
        batch_op.create_index("ix_receipt_close_shipment_id", ["shipment_id"], unique=False)

    op.create_table(
        "rollup",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("production_day", sa.String(length=64), nullable=False),
        sa.Column("shift", sa.String(length=64), nullable=False),
        sa.Column("measure", sa.String(length=64), nullable=False),
        sa.Column("collected", sa.String(length=64), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("last_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "author", "unit", "production_day", "shift", "measure", "collected", name=op.f("pk_rollup")
        ),
    )
    with op.batch_alter_table("rollup", schema=None) as batch_op:
        batch_op.create_index("ix_rollup_production_day", ["production_day", "unit"], unique=False)

    op.create_table(
        "sample",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("sample_id", sa.String(length=32), nullable=False),
        sa.Column("sample_number", sa.String(length=64), nullable=False),
        sa.Column("material_id", sa.String(length=32), nullable=False),
        sa.Column("place", sa.String(length=64), nullable=False),
        sa.Column("taken_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("analysed_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "sample_id", name=op.f("pk_sample")),
    )
    with op.batch_alter_table("sample", schema=None) as batch_op:
        batch_op.create_index("ix_sample_sample_id", ["sample_id"], unique=False)
        batch_op.create_index("ix_sample_material_id", ["material_id", "place"], unique=False)

    op.create_table(
        "sample_value",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("sample_id", sa.String(length=32), nullable=False),
        sa.Column("element", sa.String(length=64), nullable=False),
        sa.Column("value_e6", sa.BigInteger(), nullable=False),
        sa.Column("operator", sa.String(length=64), nullable=False),
        sa.Column("digits", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "sample_id", "element", name=op.f("pk_sample_value")),
    )
    op.create_table(
        "schedule_line",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("line_id", sa.String(length=32), nullable=False),
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("released_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("piece", sa.String(length=64), nullable=False),
        sa.Column("order_item", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("aims", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("closed_at_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("author", "line_id", name=op.f("pk_schedule_line")),
    )
    with op.batch_alter_table("schedule_line", schema=None) as batch_op:
        batch_op.create_index(
            "ix_schedule_line_next", ["author", "unit", "state", "released_at_ms", "position"], unique=False
        )
        batch_op.create_index("ix_schedule_line_piece", ["author", "piece"], unique=False)

    op.create_table(
        "shipment",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("shipment_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("to_plant", sa.String(length=64), nullable=False),
        sa.Column("lane", sa.String(length=64), nullable=False),
        sa.Column("mode", sa.String(length=64), nullable=False),
        sa.Column("vehicle", sa.String(length=64), nullable=False),
        sa.Column("departed_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("eta_ms", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("author", "shipment_id", name=op.f("pk_shipment")),
    )
    with op.batch_alter_table("shipment", schema=None) as batch_op:
        batch_op.create_index("ix_shipment_number", ["number"], unique=False)
        batch_op.create_index("ix_shipment_recorded", ["author", "recorded_at_ms"], unique=False)
        batch_op.create_index("ix_shipment_to_plant", ["to_plant", "departed_at_ms"], unique=False)

    op.create_table(
        "shipment_line",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("shipment_id", sa.String(length=32), nullable=False),
        sa.Column("material_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("grade", sa.String(length=64), nullable=False),
        sa.Column("order_item", sa.String(length=64), nullable=False),
        sa.Column("position", sa.String(length=64), nullable=False),
        sa.Column("custody_no", sa.BigInteger(), nullable=False),
        sa.Column("mass_g", sa.BigInteger(), nullable=False),
        sa.Column("mass_basis", sa.String(length=64), nullable=False),
        sa.Column("scale", sa.String(length=64), nullable=False),
        sa.Column("quality", sa.String(length=64), nullable=False),
        sa.Column("piece", sa.Text(), nullable=False),
        sa.Column("entered", sa.String(length=64), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("departed_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("author", "shipment_id", "material_id", name=op.f("pk_shipment_line")),
    )
    with op.batch_alter_table("shipment_line", schema=None) as batch_op:
        batch_op.create_index("ix_shipment_line_load", ["shipment_id", "material_id"], unique=False)
        batch_op.create_index("ix_shipment_line_material_id", ["material_id"], unique=False)
        batch_op.create_index("ix_shipment_line_recorded", ["author", "recorded_at_ms"], unique=False)

    op.create_table(
        "shipment_line_number",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("shipment_id", sa.String(length=32), nullable=False),
        sa.Column("material_id", sa.String(length=32), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("author", "shipment_id", "material_id", "value", name=op.f("pk_shipment_line_number")),
    )
    with op.batch_alter_table("shipment_line_number", schema=None) as batch_op:
        batch_op.create_index("ix_shipment_line_number_value", ["value"], unique=False)

    op.create_table(
        "sign_in_failure",
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("locked_until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("login", name=op.f("pk_sign_in_failure")),
    )
    op.create_table(
        "signing_request",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("catalogue_version", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("catalogue", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.String(length=64), nullable=False),
        sa.Column("requested_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "request_id", name=op.f("pk_signing_request")),
    )
    op.create_table(
        "standard_deviation",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("deviation_id", sa.String(length=32), nullable=False),
        sa.Column("standard_id", sa.String(length=64), nullable=False),
        sa.Column("parameter", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("declared_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("author", "deviation_id", name=op.f("pk_standard_deviation")),
    )
    op.create_table(
        "standard_in_force",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("standard_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("effective_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("adopted_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=True),
        sa.Column("bound", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("author", "standard_id", "version", name=op.f("pk_standard_in_force")),
    )
    op.create_table(
        "standard_version",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("standard_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("drafted_by", sa.String(length=64), nullable=False),
        sa.Column("approved_by", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("release", sa.BigInteger(), nullable=False),
        sa.Column("catalogue_version", sa.BigInteger(), nullable=False),
        sa.Column("effective_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("published_fact", sa.String(length=64), nullable=False),
        sa.Column("drafted_ms", sa.BigInteger(), nullable=True),
        sa.Column("submitted_ms", sa.BigInteger(), nullable=True),
        sa.Column("approved_ms", sa.BigInteger(), nullable=True),
        sa.Column("published_ms", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("author", "standard_id", "version", name=op.f("pk_standard_version")),
    )
    op.create_table(
        "standards_adoption",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.Column("catalogue_version", sa.BigInteger(), nullable=False),
        sa.Column("assignment_version", sa.BigInteger(), nullable=False),
        sa.Column("effective_hash", sa.String(length=64), nullable=False),
        sa.Column("equipment", sa.Text(), nullable=False),
        sa.Column("deviations", sa.Text(), nullable=False),
        sa.Column("adopted_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", name=op.f("pk_standards_adoption")),
    )
    op.create_table(
        "standards_assignment",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("plant", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("catalogue_version", sa.BigInteger(), nullable=False),
        sa.Column("envelope", sa.Text(), nullable=False),
        sa.Column("timestamp", sa.Text(), nullable=False),
        sa.Column("issued_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "plant", "version", name=op.f("pk_standards_assignment")),
    )
    op.create_table(
        "standards_catalogue",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("envelope", sa.Text(), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.Column("published_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "version", name=op.f("pk_standards_catalogue")),
    )
    op.create_table(
        "standards_rejection",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.Column("catalogue_version", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("missing", sa.Text(), nullable=False),
        sa.Column("rejected_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", name=op.f("pk_standards_rejection")),
    )
    op.create_table(
        "standards_root",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("envelope", sa.Text(), nullable=False),
        sa.Column("trusted_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "version", name=op.f("pk_standards_root")),
    )
    op.create_table(
        "state_change",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("production_day", sa.String(length=64), nullable=False),
        sa.Column("shift", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("author", "fact_id", name=op.f("pk_state_change")),
    )
    with op.batch_alter_table("state_change", schema=None) as batch_op:
        batch_op.create_index("ix_state_change_unit", ["author", "unit", "at_ms"], unique=False)

    op.create_table(
        "stop",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("stop_id", sa.String(length=32), nullable=False),
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("to_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("production_day", sa.String(length=64), nullable=False),
        sa.Column("shift", sa.String(length=64), nullable=False),
        sa.Column("last_fact", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("author", "stop_id", name=op.f("pk_stop")),
    )
    with op.batch_alter_table("stop", schema=None) as batch_op:
        batch_op.create_index("ix_stop_production_day", ["production_day", "unit"], unique=False)

    op.create_table(
        "subject_head",
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_subject_head")),
    )
    op.create_table(
        "sync_incident",
        sa.Column("incident_id", sa.String(length=32), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("peer", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_sync_incident")),
    )
    with op.batch_alter_table("sync_incident", schema=None) as batch_op:
        batch_op.create_index("ix_sync_incident_at_ms", ["at_ms"], unique=False)

    op.create_table(
        "sync_lease",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("until_db_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sync_lease")),
    )
    op.create_table(
        "sync_link",
        sa.Column("peer", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_contact_ms", sa.BigInteger(), nullable=False),
        sa.Column("offset_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("peer", name=op.f("pk_sync_link")),
    )
    op.create_table(
        "sync_peer",
        sa.Column("peer", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("standards_root", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("peer", name=op.f("pk_sync_peer")),
        sa.UniqueConstraint("key_id", name=op.f("uq_sync_peer_key_id")),
    )
    op.create_table(
        "sync_position",
        sa.Column("peer", sa.String(length=64), nullable=False),
        sa.Column("stream", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.String(length=32), nullable=False),
        sa.Column("durable", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("complete_through", sa.BigInteger(), nullable=False),
        sa.Column("updated_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("peer", "stream", "epoch", name=op.f("pk_sync_position")),
    )
    op.create_table(
        "sync_seal",
        sa.Column("stream", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.String(length=32), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("stream", "epoch", "last", "kind", name=op.f("pk_sync_seal")),
    )
    op.create_table(
        "sync_session",
        sa.Column("peer", sa.String(length=64), nullable=False),
        sa.Column("session", sa.String(length=32), nullable=False),
        sa.Column("instance", sa.String(length=32), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("last_contact_ms", sa.BigInteger(), nullable=False),
        sa.Column("contact_db_ms", sa.BigInteger(), nullable=False),
        sa.Column("offset_ms", sa.BigInteger(), nullable=False),
        sa.Column("backlog", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("peer", name=op.f("pk_sync_session")),
    )
    op.create_table(
        "transfer_case",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("shipment_id", sa.String(length=32), nullable=False),
        sa.Column("shipment_number", sa.String(length=64), nullable=False),
        sa.Column("material_id", sa.String(length=32), nullable=False),
        sa.Column("piece_number", sa.String(length=64), nullable=False),
        sa.Column("receipt_id", sa.String(length=32), nullable=False),
        sa.Column("from_plant", sa.String(length=64), nullable=False),
        sa.Column("to_plant", sa.String(length=64), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("opened_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.Column("resolution", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("resolved_by", sa.String(length=64), nullable=False),
        sa.Column("resolved_at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("author", "case_id", name=op.f("pk_transfer_case")),
    )
    with op.batch_alter_table("transfer_case", schema=None) as batch_op:
        batch_op.create_index("ix_transfer_case_material_id", ["material_id"], unique=False)
        batch_op.create_index("ix_transfer_case_state", ["state"], unique=False)

    op.create_table(
        "unit_state",
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("production_day", sa.String(length=64), nullable=False),
        sa.Column("shift", sa.String(length=64), nullable=False),
        sa.Column("last_fact", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("author", "unit", name=op.f("pk_unit_state")),
    )
    op.create_table(
        "web_secret",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_web_secret")),
    )
    op.create_table(
        "api_token",
        sa.Column("token_id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at_ms", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.person_id"], name=op.f("fk_api_token_person_id")),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_api_token")),
    )
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.create_index("ix_api_token_person_id", ["person_id"], unique=False)

    op.create_table(
        "entry",
        sa.Column("stream", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("fact_id", sa.String(length=32), nullable=False),
        sa.Column("origin_stream", sa.String(length=64), nullable=True),
        sa.Column("origin_epoch", sa.String(length=32), nullable=True),
        sa.Column("origin_seq", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["fact_id"], ["fact.fact_id"], name=op.f("fk_entry_fact_id")),
        sa.PrimaryKeyConstraint("stream", "epoch", "seq", name=op.f("pk_entry")),
    )
    with op.batch_alter_table("entry", schema=None) as batch_op:
        batch_op.create_index("ix_entry_fact_id", ["fact_id"], unique=False)

    op.create_table(
        "person_role",
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.person_id"], name=op.f("fk_person_role_person_id")),
        sa.PrimaryKeyConstraint("person_id", "role", name=op.f("pk_person_role")),
    )
    dialect = op.get_context().dialect.name
    for name in ("fact", "entry"):
        for statement in statements(name, dialect):
            op.execute(sa.text(statement))


def downgrade() -> None:
    """Not promised: code rolls back, recorded steel does not."""
    raise RuntimeError("schema changes are never rolled back; restore a backup instead")
