"""Commands of Level 2 beside running it."""

from __future__ import annotations

from pathlib import Path

import click

from sync.commands import config


@click.command("opcua-certificate")
@config
@click.option("--days", default=1095, show_default=True, type=click.IntRange(1, 3650), help="How long it is good.")
def opcua_certificate(file: Path, days: int) -> None:
    """Make this plant's certificate for OPC UA servers; an older one is replaced."""
    from local_mes.level2.opcua.own import make_certificate
    from local_mes.level2.opcua.settings import OWN_CERTIFICATE
    from shared.clock import to_datetime
    from shared.settings import PlantSettings, load

    settings = load(PlantSettings, file)
    made = make_certificate(settings.folder, settings.code, days)
    click.echo(
        f"{settings.folder / OWN_CERTIFICATE} is good until {to_datetime(made.not_after_ms):%Y-%m-%d}. "
        f"Fingerprint {made.fingerprint}. Let each OPC UA server trust it."
    )
