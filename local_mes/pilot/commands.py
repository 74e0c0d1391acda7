"""strandline plant pilot: whether it may end."""

from __future__ import annotations

from pathlib import Path

import click

from sync.commands import config


@click.command()
@config
def pilot(file: Path) -> None:
    """Say what speaks against ending the pilot; exit code 1 while anything does (docs/pilot.md, section 4)."""
    from local_mes.pilot.readiness import DAYS, find_obstacles
    from local_mes.wiring import build_plant
    from shared import logs
    from shared.settings import PlantSettings, load

    settings = load(PlantSettings, file)
    logs.set_up(settings.log_level)
    obstacles = find_obstacles(build_plant(settings))
    for words in obstacles:
        click.echo(words)
    if obstacles:
        raise SystemExit(1)
    click.echo(f"{DAYS} days alike, nothing to repair, nothing missing: the pilot may end.")
