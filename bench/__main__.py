"""python -m bench: run every timing and print its lines."""

from __future__ import annotations

import click

from bench.sync_backlog import measure_all


@click.command()
@click.option("--facts", default=10_000, show_default=True, type=click.IntRange(100), help="Facts in the backlog.")
@click.option("--runs", default=3, show_default=True, type=click.IntRange(1), help="Runs; the median is printed.")
def main(facts: int, runs: int) -> None:
    """Timings, medians of several runs. Machines are noisy: compare ratios within one run."""
    for line in measure_all(facts, runs):
        click.echo(line)


main()
