"""Commands of Level 2 beside running it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sync.commands import config

if TYPE_CHECKING:
    from shared.settings import PlantSettings


def _settings(file: Path) -> PlantSettings:
    from shared import logs
    from shared.settings import PlantSettings, load

    settings = load(PlantSettings, file)
    logs.set_up(settings.log_level)
    return settings


@click.command()
@config
@click.option("--link", "links", multiple=True, help="Only this link; again for more. Without it: all.")
@click.option("--from", "begin", required=True, help="From when, as 2026-03-11T06:00: local time of the plant.")
@click.option("--to", "end", required=True, help="Up to when, not included.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file to write.")
def capture(file: Path, links: tuple[str, ...], begin: str, end: str, out: Path) -> None:
    """Write what links said in a stretch of time to a file that can be replayed."""
    from local_mes.level2.capture import capture as lines
    from local_mes.level2.capture import parse_moment
    from local_mes.level2.heard import find_link
    from local_mes.level2.links import load_links
    from shared.db.engine import open_engine

    settings = _settings(file)
    plan = load_links(settings)
    for link in links:
        find_link(plan, link)
    span = parse_moment(begin, plan.zone), parse_moment(end, plan.zone)
    count = -2  # the first line and the last are no messages
    with out.open("wb") as to:
        for line in lines(open_engine(settings.spool), settings.code, links, *span):
            to.write(line)
            count += 1
    click.echo(f"{count} messages of {', '.join(links) or 'all links'} are in {out}.")


@click.command()
@config
def mapping(file: Path) -> None:
    """Check what messages mean, and list it: signals by name, entries with their operations."""
    from local_mes.level2.links import load_links
    from local_mes.level2.mapping.following import check_meanings
    from local_mes.production import operations as _operations  # noqa: F401 - registers what messages can mean

    plan = load_links(_settings(file))
    check_meanings(plan)
    signals = [one for found in plan.mappings.by_link.values() for one in found.signals]
    for signal in signals:
        sources = ", ".join(f"{message}.{field}" for message, field in signal.sources)
        click.echo(f"{signal.name}  {signal.measure.name or signal.type}  {signal.link}: {sources}")
    for found in plan.mappings.by_link.values():
        for entry in found.entries:
            click.echo(f"{found.file}: {entry.message} is {entry.operation} ({entry.name})")
    click.echo(f"{len(signals)} signals, {len(plan.links)} links: every message can be used.")


@click.command()
@config
@click.argument("captured", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--speed", default=10.0, show_default=True, type=click.FloatRange(0.1, 1e9), help="Times real time.")
def replay(file: Path, captured: Path, speed: float) -> None:
    """Play a capture into a plant made for it, which runs, and whose settings name a clock_file."""
    from local_mes.level2.capture import read_capture
    from local_mes.level2.replay import replay as play
    from local_mes.level2.replaying import check_clock, check_made_for_it, target_of
    from local_mes.wiring import build_plant

    settings = _settings(file)
    check_clock(settings)
    with captured.open("rb") as lines:
        title, messages = read_capture(lines)
    plant = build_plant(settings)
    check_made_for_it(plant)

    def told(done: int) -> None:
        if done % 100 == 0:
            click.echo(f"{done} of {len(messages)}")

    count = play(target_of(plant), messages, speed, told)
    click.echo(f"{count} messages of {title.plant} were replayed into {settings.code} at {speed:g} times the speed.")


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
