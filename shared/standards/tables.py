"""Rows of standards: the life of versions (the hub's), what is published, and what each plant reports of itself."""

from __future__ import annotations

from sqlalchemy import Column, String

from shared.db.types import Code, Id, Int, Words, projection_table

Hash = String(64)

standard_version = projection_table(
    "standard_version",
    Column("standard_id", Code, primary_key=True),
    Column("version", Int, primary_key=True),
    Column("kind", Code, nullable=False),
    Column("title", Words, nullable=False),
    # draft | in_review | approved | awaiting_signatures | published | withdrawn
    Column("status", Code, nullable=False),
    Column("sha256", Hash, nullable=False),
    Column("body", Words, nullable=False),
    Column("drafted_by", Code, nullable=False, default=""),
    Column("approved_by", Code, nullable=False, default=""),
    Column("note", Words, nullable=False, default=""),
    Column("release", Int, nullable=False, default=0),
    Column("catalogue_version", Int, nullable=False, default=0),
    Column("effective_from_ms", Int, nullable=False, default=0),
    # the fact that carries the body, to be laid on plants' streams; empty until published
    Column("published_fact", Code, nullable=False, default=""),
    Column("drafted_ms", Int),
    Column("submitted_ms", Int),
    Column("approved_ms", Int),
    Column("published_ms", Int),
    Column("withdrawn_ms", Int),
)

signing_request = projection_table(
    "signing_request",
    Column("request_id", Id, primary_key=True),
    # counts the hub's requests: the highest is the one that counts
    Column("number", Int, nullable=False),
    Column("catalogue_version", Int, nullable=False),
    Column("sha256", Hash, nullable=False),
    Column("catalogue", Words, nullable=False),
    Column("requested_by", Code, nullable=False),
    Column("requested_ms", Int, nullable=False),
)

catalogue_signature = projection_table(
    "catalogue_signature",
    Column("request_id", Id, primary_key=True),
    Column("keyid", Code, primary_key=True),
    Column("sig", Words, nullable=False),
    Column("given_by", Code, nullable=False),
    Column("given_ms", Int, nullable=False),
)

catalogue = projection_table(
    "standards_catalogue",
    Column("version", Int, primary_key=True),
    Column("sha256", Hash, nullable=False),
    Column("envelope", Words, nullable=False),
    Column("fact_id", Id, nullable=False),
    Column("published_ms", Int, nullable=False),
)

assignment = projection_table(
    "standards_assignment",
    Column("plant", Code, primary_key=True),
    Column("version", Int, primary_key=True),
    Column("catalogue_version", Int, nullable=False),
    Column("envelope", Words, nullable=False),
    Column("timestamp", Words, nullable=False),
    Column("issued_ms", Int, nullable=False),
)

root = projection_table(
    "standards_root",
    Column("version", Int, primary_key=True),
    Column("sha256", Hash, nullable=False),
    Column("envelope", Words, nullable=False),
    Column("trusted_ms", Int, nullable=False),
)

in_force = projection_table(
    "standard_in_force",
    Column("standard_id", Code, primary_key=True),
    Column("version", Int, primary_key=True),
    Column("sha256", Hash, nullable=False),
    Column("effective_from_ms", Int, nullable=False),
    Column("adopted_ms", Int, nullable=False),
    # when another version (or none) took its place; empty while in force
    Column("until_ms", Int),
    Column("bound", Words, nullable=False),
)

past_spell = projection_table(
    # when a version was in force before it came back: its row of standard_in_force holds the latest spell alone
    "standard_past_spell",
    Column("standard_id", Code, primary_key=True),
    Column("version", Int, primary_key=True),
    Column("adopted_ms", Int, primary_key=True),
    Column("sha256", Hash, nullable=False),
    Column("effective_from_ms", Int, nullable=False),
    Column("until_ms", Int, nullable=False),
    Column("bound", Words, nullable=False),
)

adoption = projection_table(
    # the latest adoption of each plant
    "standards_adoption",
    Column("fact_id", Id, nullable=False),
    Column("catalogue_version", Int, nullable=False),
    Column("assignment_version", Int, nullable=False),
    Column("effective_hash", Hash, nullable=False),
    Column("equipment", Words, nullable=False),
    Column("deviations", Words, nullable=False),
    Column("adopted_ms", Int, nullable=False),
)

rejection = projection_table(
    # the latest refusal of each plant, gone as soon as it adopts again
    "standards_rejection",
    Column("fact_id", Id, nullable=False),
    Column("catalogue_version", Int, nullable=False),
    Column("code", Code, nullable=False),
    Column("reason", Words, nullable=False),
    Column("missing", Words, nullable=False),
    Column("rejected_ms", Int, nullable=False),
)

rollout = projection_table(
    # a version that goes out in waves, or that was taken back
    "standard_rollout",
    Column("standard_id", Code, primary_key=True),
    Column("version", Int, primary_key=True),
    # planned | running | completed | rolled_back
    Column("state", Code, nullable=False),
    # JSON: a list of {plants, starts_ms, answer_days, started_ms}
    Column("waves", Words, nullable=False),
    Column("back_to", Int, nullable=False, default=0),
    Column("reason", Words, nullable=False, default=""),
    Column("planned_by", Code, nullable=False, default=""),
    Column("planned_ms", Int),
    Column("ended_ms", Int),
)

answer = projection_table(
    # what a plant said when it was asked
    "standard_answer",
    Column("standard_id", Code, primary_key=True),
    Column("version", Int, primary_key=True),
    # accepted | rejected
    Column("answer", Code, nullable=False),
    Column("from_ms", Int, nullable=False),
    Column("reason", Words, nullable=False),
    Column("answered_by", Code, nullable=False),
    Column("answered_ms", Int, nullable=False),
)

deviation = projection_table(
    "standard_deviation",
    Column("deviation_id", Id, primary_key=True),
    Column("standard_id", Code, nullable=False),
    Column("parameter", Code, nullable=False),
    Column("value", Words, nullable=False),
    Column("owner", Code, nullable=False),
    Column("reason", Words, nullable=False),
    Column("declared_ms", Int, nullable=False),
    Column("expires_ms", Int, nullable=False),
    Column("ended_ms", Int),
)
