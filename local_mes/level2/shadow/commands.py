"""Commands of a pilot."""

from __future__ import annotations

from pathlib import Path

import click

from sync.commands import config


@click.command()
@config
def tee(file: Path) -> None:
    """Forward Level 2 to the old MES byte for byte, and give Strandline a copy. FILE is the tee's own (docs/pilot.md)."""
    from local_mes.level2.shadow.tee import run_tee

    run_tee(file)
