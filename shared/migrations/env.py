"""Alembic's environment: runs on a connection it is handed (shared/db/migrate.py), never on one it opens itself."""

from alembic import context

from shared.db.types import metadata

options = context.config.attributes
context.configure(
    connection=options["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    include_object=options.get("include_object"),
    compare_server_default=False,
)
with context.begin_transaction():
    context.run_migrations()
