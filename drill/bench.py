"""strandline bench …: data at full size to measure on, on any machine. Heavy imports wait for the command."""

from __future__ import annotations

from pathlib import Path

import click

MATERIALS_MAX = 10_000_000
SAID_EVERY = 100_000


@click.group()
def bench() -> None:
    """Data at full size to measure on; no node of yours is touched."""


@bench.command()
@click.option("--materials", default=100_000, show_default=True, type=click.IntRange(1_000, MATERIALS_MAX))
@click.option("--facts", default=0, show_default=True, help="So many facts at least, the oldest, go through journals.")
@click.option(
    "--times", default=1, show_default=True, type=click.IntRange(1, 200), help="So many groups of these pieces."
)
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same rows.")
@click.option("--database", required=True, help="An empty database: a SQLite file, or postgresql+psycopg://…")
def generate(materials: int, facts: int, times: int, seed: int, database: str) -> None:
    """Make up a group of ten years: heats, slabs, coils, slit coils of three plants, transfers, welds, crops, findings."""
    import shared.subjects  # noqa: F401 - the tables of all of them: recalls ask for holds too
    from drill.history.multiplying import multiply
    from drill.history.writing import END_MS, hurry, write_history
    from shared.db.engine import open_engine, read
    from shared.errors import Refused
    from shared.material.queries import MaterialFilter, count_materials
    from shared.node import create_tables

    engine = open_engine(database if "://" in database else f"sqlite:///{Path(database).resolve()}")
    hurry(engine)
    create_tables(engine)
    with read(engine) as conn:
        if count_materials(conn, MaterialFilter())[0]:
            raise Refused("bench.not_empty", "This database holds pieces already.", todo="Name an empty one.")
    said = 0

    def tell(pieces: int) -> None:
        nonlocal said
        if pieces // SAID_EVERY > said:
            said = pieces // SAID_EVERY
            click.echo(f"{pieces:,} pieces", err=True)

    written = write_history(engine, materials, seed, recorded=facts, told=tell)
    if times > 1:
        click.echo(f"{times - 1} copies of them, for searches, traces and recalls …", err=True)
        multiply(engine, times)
    click.echo(f"{written.materials * times:,} pieces told by {written.facts:,} facts, up to {END_MS} ms since 1970.")
