"""Rows of yard and stores: what each author says of its cranes, counts, goods and take-overs."""

from __future__ import annotations

from sqlalchemy import Column, Index

from shared.db.types import Code, Id, Int, Words, projection_table

crane_job = projection_table(
    "crane_job",
    Column("job_id", Id, primary_key=True),
    Column("crane", Code, nullable=False),
    Column("kind", Code, nullable=False),
    Column("position", Int, nullable=False),
    Column("material_id", Id, nullable=False),
    Column("number", Code, nullable=False),
    Column("to_place", Code, nullable=False),
    Column("why", Words, nullable=False),
    Column("state", Code, nullable=False),  # open | done | dropped
    Column("reason", Words, nullable=False),
    Column("planned_at_ms", Int, nullable=False),
    Column("closed_at_ms", Int),
    Column("closed_by", Code, nullable=False),
    Index("ix_crane_job_crane", "author", "state", "crane", "position"),
    Index("ix_crane_job_material_id", "material_id"),
)

stock_take = projection_table(
    "stock_take",
    Column("take_id", Id, primary_key=True),
    Column("area", Code, nullable=False),
    Column("state", Code, nullable=False),  # open | closed | dropped
    Column("opened_at_ms", Int, nullable=False),
    Column("opened_by", Code, nullable=False),
    Column("closed_at_ms", Int),
    Column("closed_by", Code, nullable=False),
    Column("expected", Int, nullable=False),
    Column("counted", Int, nullable=False),
    Column("missing", Int, nullable=False),
    Column("found", Int, nullable=False),
    Column("elsewhere", Int, nullable=False),
    Column("reason", Words, nullable=False),
    Index("ix_stock_take_opened", "author", "opened_at_ms"),
)

stock_difference = projection_table(
    "stock_difference",
    Column("difference_id", Id, primary_key=True),
    Column("take_id", Id, nullable=False),
    Column("kind", Code, nullable=False),
    Column("number", Code, nullable=False),
    Column("material_id", Id, nullable=False),
    Column("expected_place", Code, nullable=False),
    Column("found_place", Code, nullable=False),
    Column("reason", Words, nullable=False),
    Column("posted_at_ms", Int, nullable=False),
    Column("posted_by", Code, nullable=False),
    Index("ix_stock_difference_take_id", "take_id"),
)

goods = projection_table(
    "goods",
    Column("item", Code, primary_key=True),
    Column("name", Words, nullable=False),
    Column("kind", Code, nullable=False),
    Column("unit", Code, nullable=False),
    Column("least", Int, nullable=False),
)

goods_stock = projection_table(
    "goods_stock",
    Column("item", Code, primary_key=True),
    Column("place", Code, primary_key=True),
    Column("quantity", Int, nullable=False),
    Column("booked_at_ms", Int, nullable=False),
)

goods_booking = projection_table(
    "goods_booking",
    Column("booking_id", Id, primary_key=True),
    Column("item", Code, nullable=False),
    Column("place", Code, nullable=False),
    Column("kind", Code, nullable=False),
    Column("change", Int, nullable=False),
    Column("balance", Int, nullable=False),
    Column("reference", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("at_ms", Int, nullable=False),
    Column("actor", Code, nullable=False),
    Index("ix_goods_booking_item", "author", "item", "at_ms"),
)

take_over = projection_table(
    "take_over",
    Column("take_over_id", Id, primary_key=True),
    Column("title", Words, nullable=False),
    Column("pieces", Int, nullable=False),
    Column("operations", Int, nullable=False),
    Column("state", Code, nullable=False),  # begun | done | reversed
    Column("begun_at_ms", Int, nullable=False),
    Column("ended_at_ms", Int),
    Column("actor", Code, nullable=False),
    Column("reason", Words, nullable=False),
)
