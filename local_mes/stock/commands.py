"""strandline plant take-over: check an old system's files, record them, take them back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sync.commands import config

if TYPE_CHECKING:
    from local_mes.plant import Plant
    from local_mes.stock.take_over_plan import Plan

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FAULTS_SHOWN = 100


def _plant(file: Path) -> Plant:
    from local_mes.wiring import build_plant
    from shared import logs
    from shared.settings import PlantSettings, load

    settings = load(PlantSettings, file)
    logs.set_up(settings.log_level)
    return build_plant(settings)


@click.group("take-over")
def take_over() -> None:
    """Take over stock, open heats and genealogy from an old system (docs/take-over.md)."""


@take_over.command()
@config
@click.option("--stock", type=FILE, help="What lies here.")
@click.option("--heats", type=FILE, help="Open heats, and those that steps used.")
@click.option("--steps", type=FILE, help="Recent genealogy.")
@click.option("--count", type=FILE, help="What people saw in the yard, to compare.")
@click.option("--title", help="Record it under this title if nothing is wrong; without it: only check.")
def check(file: Path, title: str | None, **files: Path | None) -> None:
    """Check files as a whole; with --title record them. Exit code 1 while anything is wrong."""
    from local_mes.stock import take_over as service
    from local_mes.stock.service import Command
    from local_mes.stock.take_over_api import read_csv
    from shared.ids import new_id

    here = _plant(file)
    rows = {name: read_csv(path.read_text("utf-8-sig")) for name, path in files.items() if path is not None}
    take_over_id = service.hand_in(here, Command(new_id(here.clock), "cli"), rows)
    with here.node.engine.connect() as conn:
        plan = service.check(conn, here, take_over_id)
    _report(plan)
    if plan.faults:
        service.forget(here, take_over_id)
        raise SystemExit(1)
    if title is None:
        service.forget(here, take_over_id)
        return
    click.echo(f"Recording {take_over_id}; if it is interrupted: strandline plant take-over go-on {take_over_id}")
    service.record(here, Command(new_id(here.clock), "cli"), take_over_id, title)
    click.echo(f"Recorded as {take_over_id}.")


@take_over.command("go-on")
@config
@click.argument("take_over_id")
def go_on(file: Path, take_over_id: str) -> None:
    """Record what an interrupted take-over has left."""
    from local_mes.stock import take_over as service
    from local_mes.stock.service import Command
    from shared.ids import new_id

    here = _plant(file)
    service.record(here, Command(new_id(here.clock), "cli"), take_over_id, "")
    click.echo(f"{take_over_id} is complete.")


@take_over.command()
@config
@click.argument("take_over_id")
@click.option("--reason", required=True, help="Why it is taken back.")
def reverse(file: Path, take_over_id: str, reason: str) -> None:
    """Take everything out of the books again, as long as nothing of the plant's own builds on it."""
    from local_mes.stock import take_over as service
    from local_mes.stock.service import Command
    from shared.ids import new_id

    here = _plant(file)
    done = service.reverse(here, Command(new_id(here.clock), "cli"), take_over_id, reason)
    click.echo(f"{done['pieces']} pieces are out of the books again.")


def _report(plan: Plan) -> None:
    """A line a fault, then the totals."""
    for fault in plan.faults[:FAULTS_SHOWN]:
        click.echo(f"{fault.file} line {fault.line}, {fault.column}: {fault.what}. {fault.todo}")
    if len(plan.faults) > FAULTS_SHOWN:
        click.echo(f"and {len(plan.faults) - FAULTS_SHOWN} more")
    for one in plan.counted[:FAULTS_SHOWN]:
        click.echo(
            f"count: {one.kind} {one.number}: old system {one.expected_place or '-'}, seen {one.found_place or '-'}"
        )
    t = plan.totals
    click.echo(
        f"{t['stock']} pieces in stock ({t['mass_g'] / 1e6:,.1f} t), {t['heats']} heats, {t['used_up']} used up,"
        f" {t['steps']} steps, {len(plan.faults)} faults, {len(plan.counted)} differences from the count."
    )
