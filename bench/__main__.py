"""python -m bench: run every timing and print a table of medians."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import click

from bench.journal_work import JournalRun, measure_journal
from bench.sync_backlog import Run, measure_backlog

Row = tuple[str, float, str, float | None]
"""(what, median, unit, median of the reference in the same runs)."""


@click.command()
@click.option("--facts", default=10_000, show_default=True, type=click.IntRange(100), help="Facts in the backlog.")
@click.option("--runs", default=3, show_default=True, type=click.IntRange(1), help="Runs; the median is printed.")
def main(facts: int, runs: int) -> None:
    """Timings, medians of several runs. Machines are noisy: compare ratios within one run."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    click.echo(f"{'what':58} {'median':>9}  {'unit':8} {'reference':>9} {'ratio':>6}")
    with tempfile.TemporaryDirectory() as folder:
        for what, value, unit, reference in _rows(Path(folder), facts, runs):
            beside = f"{reference:9,.0f} {value / reference:6.2f}" if reference else ""
            click.echo(f"{what:58} {value:9,.0f}  {unit:8} {beside}".rstrip())


def _rows(folder: Path, facts: int, runs: int) -> Iterator[Row]:
    yield from _journal([measure_journal(folder, f"J{n}", facts // 5) for n in range(runs)])
    for database, done in measure_backlog(folder, facts, runs):
        yield from _backlog(database, done)


def _journal(runs: list[JournalRun]) -> Iterator[Row]:
    plain = median(r.reference for r in runs)
    yield "recorded and durable, a fact a transaction", median(r.recorded for r in runs), "facts/s", plain
    yield "chain verified", median(r.verified for r in runs), "facts/s", None
    yield "all rows made again", median(r.rebuilt for r in runs), "facts/s", None


def _backlog(database: str, runs: list[Run]) -> Iterator[Row]:
    plain = median(r.reference for r in runs)
    yield f"backlog received and durable, hub on {database}", median(r.shipped for r in runs), "facts/s", plain
    yield f"backlog applied afterwards, hub on {database}", median(r.applied for r in runs), "facts/s", None
    yield f"on the wire, hub on {database}", median(r.wire_bytes for r in runs), "bytes/f", None


if __name__ == "__main__":
    main()
