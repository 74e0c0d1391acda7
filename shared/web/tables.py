"""Local tables of the web face: people, what they may do, tokens, failed sign-ins. Never facts, never synced."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index

from shared.db.types import Code, Id, Int, Words, local_table

person = local_table(
    "person",
    Column("person_id", Id, primary_key=True),
    Column("login", Code, nullable=False, unique=True),
    Column("name", Words, nullable=False),
    Column("password_hash", Words, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("session_key", Id, nullable=False),  # part of every session; a new one signs the person out everywhere
    Column("created_at_ms", Int, nullable=False),
)

person_role = local_table(
    "person_role",
    Column("person_id", Id, ForeignKey("person.person_id"), primary_key=True),
    Column("role", Code, primary_key=True),
)

api_token = local_table(
    "api_token",
    Column("token_id", Id, primary_key=True),
    Column("person_id", Id, ForeignKey("person.person_id"), nullable=False),
    Column("title", Words, nullable=False),
    Column("secret_hash", Code, nullable=False),  # SHA-256: the secret is 192 random bits, so it needs no slow hash
    Column("created_at_ms", Int, nullable=False),
    Column("revoked_at_ms", Int),
    Index("ix_api_token_person_id", "person_id"),
)

sign_in_failure = local_table(
    "sign_in_failure",
    Column("login", Code, primary_key=True),
    Column("failures", Int, nullable=False),
    Column("locked_until_ms", Int, nullable=False),
)

web_secret = local_table(
    "web_secret",
    Column("name", Code, primary_key=True),
    Column("secret", Words, nullable=False),
)
