"""strandline plant defects: findings of a surface inspection onto pieces."""

from __future__ import annotations

from pathlib import Path

import click

from sync.commands import config


@click.command()
@config
@click.argument("defects", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--kind", default="coil", show_default=True, help="Kind of pieces that they are placed on.")
@click.option("--pieces", default=20, show_default=True, type=click.IntRange(1, 1_000), help="On so many, by number.")
def defects(file: Path, defects: Path, kind: str, pieces: int) -> None:
    """Place the defects of a file (Steel Plates Faults, UCI 198) on pieces that are here, as findings with positions."""
    from local_mes.quality.surface import find_targets, load
    from local_mes.wiring import build_plant
    from shared import logs
    from shared.db.engine import read
    from shared.settings import PlantSettings
    from shared.settings import load as load_settings

    settings = load_settings(PlantSettings, file)
    logs.set_up(settings.log_level)
    here = build_plant(settings)
    with read(here.node.engine) as conn:
        targets = find_targets(conn, here, kind, pieces)
    new = load(here, "cli", defects.read_text("utf-8-sig"), targets)
    click.echo(f"{new} findings are on {len(targets)} pieces, {targets[0].number} to {targets[-1].number}.")
