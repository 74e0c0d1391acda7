"""Rows about outside parties; their author is the plant that answers for them. Integers in g, ms, ppm."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index

from shared.db.types import Code, Id, Int, Words, projection_table

party = projection_table(
    "party",
    Column("code", Code, primary_key=True),
    Column("name", Words, nullable=False),
    Column("kind", Code, nullable=False),  # customer | processor
    Column("address", Words, nullable=False),
    Column("confirms", Boolean, nullable=False),
    Column("hours", Int, nullable=False),
    Column("ended", Boolean, nullable=False),
    Column("agreed_at_ms", Int, nullable=False),
)

order_terms = projection_table(
    "order_terms",
    Column("item", Code, primary_key=True),
    Column("mass_basis", Code, nullable=False),
    Column("certificate", Code, nullable=False),
    Column("rules", Words, nullable=False),  # JSON list of rule ids
    Column("packed", Boolean, nullable=False),
    Column("tolerance_ppm", Int, nullable=False),
    Column("agreed_at_ms", Int, nullable=False),
)

delivery = projection_table(
    "delivery",
    Column("shipment_id", Id, primary_key=True),
    Column("shipment_number", Code, nullable=False),
    Column("note_number", Code, nullable=False),
    Column("party", Code, nullable=False),
    Column("party_name", Words, nullable=False),
    Column("address", Words, nullable=False),
    Column("left_at_ms", Int, nullable=False),
    Index("ix_delivery_note_number", "note_number"),
)

delivery_line = projection_table(
    "delivery_line",
    Column("shipment_id", Id, primary_key=True),
    Column("material_id", Id, primary_key=True),
    Column("number", Code, nullable=False),
    Column("order_item", Code, nullable=False),
    Column("mass_g", Int, nullable=False),
    Column("mass_basis", Code, nullable=False),
    Column("certificate", Code, nullable=False),
    Column("left_at_ms", Int, nullable=False),
    Index("ix_delivery_line_order_item", "order_item"),
)

party_word = projection_table(
    # what an outside party says of a piece, in the stream of the plant that answers for it
    "party_word",
    Column("fact_id", Id, primary_key=True),
    Column("material_id", Id, primary_key=True),
    Column("kind", Code, nullable=False),  # received | missed | shipped
    Column("party", Code, nullable=False),
    Column("statement_id", Id, nullable=False),
    Column("shipment_id", Id, nullable=False),
    Column("custody_no", Int, nullable=False),  # 0 where the word answers no departure
    Column("printed_number", Code, nullable=False),
    Column("own_number", Code, nullable=False),
    Column("mass_g", Int, nullable=False),  # 0: not weighed
    Column("mass_basis", Code, nullable=False),
    Column("scale", Code, nullable=False),
    Column("damage", Words, nullable=False),
    Column("note", Words, nullable=False),  # why it is missing; the party's own load
    Column("way", Code, nullable=False),
    Column("said_at_ms", Int, nullable=False),
    Column("recorded_at_ms", Int, nullable=False),
    Index("ix_party_word_line", "shipment_id", "material_id"),
    Index("ix_party_word_recorded", "author", "recorded_at_ms"),
    Index("ix_party_word_material_id", "material_id"),
)
