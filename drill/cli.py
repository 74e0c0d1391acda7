"""strandline drill …: see for yourself, on this machine, what happens on a bad day. Heavy imports wait for the command."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
FACTS_A_DAY = 35_000
"""An integrated site with crane moves and delays."""


@click.group()
def drill() -> None:
    """Drills with a scratch plant and a scratch hub; no node of yours is touched."""


@drill.command("wan-cut")
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, 60), help="Days without a line.")
@click.option("--facts-per-day", default=FACTS_A_DAY, show_default=True, type=click.IntRange(1, 200_000))
@click.option("--seed", default=1, show_default=True, help="Other numbers, the same outcome.")
@click.pass_context
def wan_cut(ctx: click.Context, days: int, facts_per_day: int, seed: int) -> None:
    """Cut the line for days while the plant works, restore it, count. Exit code 1 if anything is lost or doubled."""
    from drill.wan_cut import run
    from shared import logs

    logs.set_up("ERROR")
    with tempfile.TemporaryDirectory(prefix="strandline-drill-") as folder:
        outcome = run(Path(folder), days, facts_per_day, seed, click.echo)
    for line in outcome.lines():
        click.echo(line)
    ctx.exit(0 if outcome.passed else 1)


@drill.command("restored")
@click.option("--plant", required=True, type=FOLDER, help="A backup of a plant.")
@click.option("--hub", required=True, type=FOLDER, help="A backup of its hub.")
@click.option("--plant-scratch-url", "plant_url", default="", help="For a plant on PostgreSQL: an empty database.")
@click.option("--hub-scratch-url", "hub_url", default="", help="For a hub on one. What is in them is lost.")
@click.option("--below", type=FOLDER, help="Scratch place; beside the plant's backup when not given.")
@click.pass_context
def restored(ctx: click.Context, plant: Path, hub: Path, plant_url: str, hub_url: str, below: Path | None) -> None:
    """Restore a plant and the hub from their backups, let them meet, count. Exit code 1 if they do not become the same."""
    from drill.restored import Backups, run
    from shared import logs

    logs.set_up("ERROR")
    with tempfile.TemporaryDirectory(prefix="drill-", dir=below or plant.parent) as folder:
        found = run(Path(folder), Backups(plant, hub, plant_url, hub_url), click.echo)
    for line in found.lines():
        click.echo(line)
    click.echo("PASSED" if found.sound else "FAILED")
    ctx.exit(0 if found.sound else 1)
