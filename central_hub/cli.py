"""strandline hub …: the hub from the command line. Everything heavy is imported when a command runs."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from central_hub.standards.commands import root_command
from sync.backups.commands import add_backup_commands
from sync.bundles.commands import bundle_commands
from sync.bundles.history_commands import history_command
from sync.commands import Door, add_node_commands, config
from sync.own_history_commands import own_history
from sync.recovery_commands import peer

if TYPE_CHECKING:
    from central_hub.hub import Hub
    from shared.settings import HubSettings, NodeSettings
    from sync.bundles.export import Road


def _settings(file: Path) -> HubSettings:
    from shared import logs
    from shared.settings import HubSettings, load

    settings = load(HubSettings, file)
    logs.set_up(settings.log_level)
    return settings


def _hub(file: Path) -> Hub:
    from central_hub.wiring import build_hub

    return build_hub(_settings(file))


def _roles() -> Mapping[str, str]:
    from central_hub.roles import ROLES

    return ROLES


def _road(file: Path, code: str) -> Road:
    from sync.bundles.export import road_down

    return road_down(_hub(file).node, code)


def _alone(settings: NodeSettings) -> AbstractContextManager[object]:
    from shared.web.server import hold_folder

    return hold_folder(settings.folder)


@click.group()
@click.pass_context
def hub(ctx: click.Context) -> None:
    """The group's hub: portal, transfers, standards."""
    ctx.obj = Door(lambda file: _hub(file).node, _roles)


@hub.command()
@config
def init(file: Path) -> None:
    """Make a new hub: folder, key, database."""
    from central_hub.wiring import init_hub
    from shared.keys import fingerprint

    made = init_hub(_settings(file))
    click.echo(f"{made.code} is ready in {made.settings.folder}. Key fingerprint {fingerprint(made.node.key.public)}")


@hub.command()
@config
def upgrade(file: Path) -> None:
    """Bring the database to the schema of this release; stop the hub first."""
    from central_hub.wiring import MIGRATIONS
    from shared.db import migrate

    here = _hub(file)
    migrate.upgrade(here.node.engine, MIGRATIONS)
    click.echo(f"{here.code} has the schema of this release.")


@hub.command()
@config
@click.option("--worker", type=click.IntRange(0, 31), help="Number of this process among several (PostgreSQL alone).")
def run(file: Path, worker: int | None) -> None:
    """Run the hub: portal, API, sync endpoint, reconciliation."""
    from central_hub.wsgi import serve

    serve(_settings(file), worker)


@hub.command()
@config
@click.option("--shards", type=click.IntRange(2, 1024), default=32, show_default=True, help="Parts of what was said.")
def distribute(file: Path, shards: int) -> None:
    """Spread the journal over the servers of a Citus; stop the hub first, and back it up."""
    from shared.journal.distributing import distribute as spread

    here = _hub(file)
    with _alone(here.settings):
        lines = spread(here.node.engine, shards)
    click.echo("\n".join(lines) or "The journal is spread already; nothing was changed.")


@hub.command("enrol-token")
@config
@click.argument("plant")
def enrol_token(file: Path, plant: str) -> None:
    """Make a one-time token with which PLANT (its code) enters the group; it is shown once."""
    from central_hub.plants.service import issue_token
    from shared.clock import to_datetime
    from shared.keys import fingerprint

    here = _hub(file)
    issued = issue_token(here, plant)
    click.echo(issued.token)
    click.echo(
        f"Good once for {plant}, until {to_datetime(issued.expires_at_ms):%Y-%m-%d %H:%M} UTC. "
        f"This hub's fingerprint: {fingerprint(here.node.key.public)}",
        err=True,
    )


@hub.command("enrol")
@config
@click.argument("request", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("answer", type=click.Path(path_type=Path, dir_okay=False))
def enrol(file: Path, request: Path, answer: Path) -> None:
    """Take in a plant without a line: read its REQUEST, write the ANSWER that it reads."""
    from central_hub.plants.service import enrol_plant
    from central_hub.standards.queries import find_root
    from shared.db.engine import read
    from shared.keys import fingerprint
    from sync.bundles.entering import answer_request

    here = _hub(file)
    with read(here.node.engine) as conn:
        root = find_root(conn)
    asked = answer_request(request, answer, lambda raw: enrol_plant(here, raw, root[1] if root else ""))
    click.echo(
        f"{asked.node} is enrolled. Say by voice: hub {fingerprint(here.node.key.public)}; "
        f"compare: plant {fingerprint(bytes.fromhex(asked.public_key))}. Carry {answer} back."
    )


add_node_commands(hub)
add_backup_commands(hub, _settings, _alone)
_sync = bundle_commands(_road, to_one_peer=False)
_sync.add_command(history_command)
hub.add_command(_sync)
hub.add_command(peer)
hub.add_command(own_history)
hub.add_command(root_command(_hub))
