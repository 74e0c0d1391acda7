"""Rows of material: what each author says of its pieces. Integers in g, um, ms; JSON as text with sorted keys."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, text

from shared.db.types import Code, Id, Int, Words, projection_table

STATES = ("live", "consumed", "scrapped", "shipped", "identified", "withdrawn", "packed", "opened")

BEARING = ("live", "packed")
"""States in which a piece is here and its numbers are its own."""

material = projection_table(
    "material",
    Column("material_id", Id, primary_key=True),
    Column("kind", Code, nullable=False),
    # the number this author calls the piece by; all numbers are in alias
    Column("number", Code, nullable=False),
    Column("grade", Code, nullable=False),
    Column("order_item", Code, nullable=False),
    Column("state", Code, nullable=False),
    Column("mass_g", Int, nullable=False),
    Column("mass_basis", Code, nullable=False),
    Column("mass_scale", Code, nullable=False),
    Column("mass_at_ms", Int, nullable=False),
    Column("thickness_um", Int, nullable=False),
    Column("width_um", Int, nullable=False),
    Column("length_um", Int, nullable=False),
    Column("place", Code, nullable=False),
    Column("origin", Code, nullable=False),
    Column("heat_number", Code, nullable=False),
    Column("chemistry", Words, nullable=False),
    Column("attributes", Words, nullable=False),
    # set when this identity was provisional and was found to be another
    Column("identified_as", Id),
    Column("born_at_ms", Int, nullable=False),
    Column("ended_at_ms", Int),
    Column("last_fact", Id, nullable=False),
    Index("ix_material_material_id", "material_id"),
    Index("ix_material_state", "author", "state", "kind"),
    Index("ix_material_number", "number"),
)

alias = projection_table(
    "alias",
    Column("value", Code, primary_key=True),
    Column("scheme", Code, primary_key=True),
    Column("material_id", Id, primary_key=True),
    Column("given_at_ms", Int, nullable=False),
    Index("ix_alias_value", "value"),
    # by bytes, whatever the database's language: the beginning of a number is then a range of this index
    Index("ix_alias_value_bytes", text('value COLLATE "C"')).ddl_if(dialect="postgresql"),
    # with all that a trace asks of it: the numbers of a piece, oldest first, without a look at their rows
    Index("ix_alias_of_piece", "material_id", "given_at_ms", "value"),
)

edge = projection_table(
    "edge",
    Column("operation_id", Id, primary_key=True),
    Column("ordinal", Int, primary_key=True),
    Column("kind", Code, nullable=False),  # transform | identity
    Column("parent_id", Id, nullable=False),
    Column("child_id", Id, nullable=False),
    Column("parent_from_um", Int, nullable=False),
    Column("parent_to_um", Int, nullable=False),
    Column("child_from_um", Int, nullable=False),
    Column("child_to_um", Int, nullable=False),
    Column("parent_left_um", Int, nullable=False),
    Column("parent_right_um", Int, nullable=False),
    Column("child_left_um", Int, nullable=False),
    Column("child_right_um", Int, nullable=False),
    Column("mass_g", Int, nullable=False),
    Column("share_ppm", Int, nullable=False),
    Column("flip_length", Boolean, nullable=False),
    Column("flip_width", Boolean, nullable=False),
    Column("flip_face", Boolean, nullable=False),
    Index("ix_edge_parent_id", "parent_id", "child_id"),
    Index("ix_edge_child_id", "child_id", "parent_id"),
)

operation = projection_table(
    "operation",
    Column("operation_id", Id, primary_key=True),
    Column("operation", Code, nullable=False),
    Column("unit", Code, nullable=False),
    Column("started_at_ms", Int, nullable=False),
    Column("ended_at_ms", Int, nullable=False),
    Column("charged_g", Int, nullable=False),
    Column("produced_g", Int, nullable=False),
    Column("loss_g", Int, nullable=False),
    Column("added_g", Int, nullable=False),
    # charged + added - produced - loss: what no scale and no rule accounts for
    Column("unexplained_g", Int, nullable=False),
    Column("notes", Words, nullable=False),
    Column("source", Code, nullable=False),
    Column("actor", Code, nullable=False),
    Column("standard_id", Code),
    Column("standard_version", Int),
    Column("fact_id", Id, nullable=False),
    Index("ix_operation_unit", "author", "unit", "ended_at_ms"),
)

loss = projection_table(
    "loss",
    Column("operation_id", Id, primary_key=True),
    Column("ordinal", Int, primary_key=True),
    Column("kind", Code, nullable=False),
    Column("g", Int, nullable=False),
    Column("weighed", Boolean, nullable=False),
)

process_value = projection_table(
    "process_value",
    Column("operation_id", Id, primary_key=True),
    Column("name", Code, primary_key=True),
    Column("value", Int, nullable=False),
)

mixture = projection_table(
    # the heats of a transition slab by interval of the strand: facts.Mixture as JSON text
    "mixture",
    Column("material_id", Id, primary_key=True),
    Column("operation_id", Id, nullable=False),
    Column("told", Words, nullable=False),
    Index("ix_mixture_material_id", "material_id"),
)

mark = projection_table(
    "mark",
    Column("mark_id", Id, primary_key=True),
    Column("material_id", Id, nullable=False),
    Column("kind", Code, nullable=False),
    Column("from_um", Int, nullable=False),
    Column("to_um", Int, nullable=False),
    Column("left_um", Int, nullable=False),
    Column("right_um", Int, nullable=False),
    Column("value", Int, nullable=False),
    Column("text", Words, nullable=False),
    Column("rule", Code, nullable=False),
    Column("placed_at_ms", Int, nullable=False),
    Index("ix_mark_material_id", "material_id"),
    Index("ix_mark_mark_id", "mark_id"),
    Index("ix_mark_kind", "kind", "placed_at_ms"),
)

mass_history = projection_table(
    "mass_history",
    Column("fact_id", Id, primary_key=True),
    Column("material_id", Id, primary_key=True),
    Column("mass_g", Int, nullable=False),
    Column("basis", Code, nullable=False),
    Column("scale", Code, nullable=False),
    Column("at_ms", Int, nullable=False),
    Column("reason", Words, nullable=False),
    Index("ix_mass_history_material_id", "material_id"),
)

place_history = projection_table(
    "place_history",
    Column("fact_id", Id, primary_key=True),
    Column("material_id", Id, primary_key=True),
    Column("place", Code, nullable=False),
    Column("at_ms", Int, nullable=False),
    Column("actor", Code, nullable=False),
    Index("ix_place_history_material_id", "material_id"),
    # what was moved in a time: reshuffles of a yard
    Index("ix_place_history_at", "author", "at_ms"),
)

deviation_raised = projection_table(
    "deviation_raised",
    Column("deviation_id", Id, primary_key=True),
    Column("rule", Code, nullable=False),
    Column("text", Words, nullable=False),
    Column("material_id", Id, nullable=False),
    Column("at_ms", Int, nullable=False),
    Index("ix_deviation_raised_material_id", "material_id"),
)

piece_label = projection_table(
    # what a device put on a piece for people and scanners to read
    "piece_label",
    Column("label_id", Id, primary_key=True),
    Column("material_id", Id, nullable=False),
    Column("means", Code, nullable=False),
    Column("device", Code, nullable=False),
    Column("text", Words, nullable=False),
    Column("outcome", Code, nullable=False),
    Column("read", Words, nullable=False),
    Column("copies", Int, nullable=False),
    Column("reason", Words, nullable=False),
    Column("at_ms", Int, nullable=False),
    Index("ix_piece_label_material_id", "material_id"),
)

alias_end = projection_table(
    # numbers that were given wrongly: they still find the piece, and are free for another
    "alias_end",
    Column("value", Code, primary_key=True),
    Column("scheme", Code, primary_key=True),
    Column("material_id", Id, primary_key=True),
    Column("ended_at_ms", Int, nullable=False),
    Column("fact_id", Id, nullable=False),
    Index("ix_alias_end_value", "value"),
)

correction = projection_table(
    # what a fact said of a piece before it was corrected, and what holds since
    "correction",
    Column("fact_id", Id, primary_key=True),
    Column("ordinal", Int, primary_key=True),
    Column("corrects", Id, nullable=False),
    Column("type", Code, nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    Column("material_id", Id, nullable=False),
    Column("what", Code, nullable=False),
    Column("was", Words, nullable=False),
    Column("now", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("actor", Code, nullable=False),
    Column("at_ms", Int, nullable=False),
    Index("ix_correction_material_id", "material_id"),
    Index("ix_correction_corrects", "corrects"),
)

correction_case = projection_table(
    "correction_case",
    Column("case_id", Id, primary_key=True),
    Column("state", Code, nullable=False),  # open | settled
    Column("corrects", Id, nullable=False),
    Column("type", Code, nullable=False),
    Column("reason", Words, nullable=False),
    # JSON texts: the changes, the pieces that stand in the way, what was asked for
    Column("changes", Words, nullable=False),
    Column("blockers", Words, nullable=False),
    Column("asked", Words, nullable=False),
    Column("asked_by", Code, nullable=False),
    Column("asked_at_ms", Int, nullable=False),
    Column("fact_id", Id, nullable=False),
    Column("how", Code, nullable=False),
    Column("note", Words, nullable=False),
    Column("settled_by", Code, nullable=False),
    Column("settled_at_ms", Int),
    Index("ix_correction_case_state", "state", "asked_at_ms"),
)

pack_member = projection_table(
    # which pieces were in which pack, from when until when
    "pack_member",
    Column("pack_id", Id, primary_key=True),
    Column("material_id", Id, primary_key=True),
    Column("ordinal", Int, nullable=False),
    Column("packed_at_ms", Int, nullable=False),
    Column("opened_at_ms", Int),
    Index("ix_pack_member_material_id", "material_id"),
)

remelted = projection_table(
    # pieces that went back to the melt shop: the mass and the alloys that go on
    "remelted",
    Column("fact_id", Id, primary_key=True),
    Column("material_id", Id, nullable=False),
    Column("mass_g", Int, nullable=False),
    Column("bay", Code, nullable=False),
    Column("scrap_grade", Code, nullable=False),
    Column("chemistry", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("at_ms", Int, nullable=False),
    Index("ix_remelted_material_id", "material_id"),
    Index("ix_remelted_bay", "author", "bay", "at_ms"),
)

identity_set = projection_table(
    # numbers that may be any of a set's candidates, and what people found
    "identity_set",
    Column("set_id", Id, primary_key=True),
    Column("state", Code, nullable=False),  # open | resolved
    Column("numbers", Words, nullable=False),
    Column("place", Code, nullable=False),
    Column("reason", Words, nullable=False),
    Column("since_ms", Int, nullable=False),
    Column("doubted_by", Code, nullable=False),
    Column("doubted_at_ms", Int, nullable=False),
    Column("evidence", Words, nullable=False),
    Column("found", Words, nullable=False),
    Column("resolved_by", Code, nullable=False),
    Column("resolved_at_ms", Int),
    Index("ix_identity_set_state", "author", "state"),
)

identity_candidate = projection_table(
    "identity_candidate",
    Column("set_id", Id, primary_key=True),
    Column("material_id", Id, primary_key=True),
    # what was booked for it since belongs to this piece; empty while nobody knows
    Column("truly", Id),
    Index("ix_identity_candidate_material_id", "material_id"),
)
