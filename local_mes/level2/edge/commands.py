"""strandline plant edge …: the collector alone on site, and its token at the plant. Heavy imports when a command runs."""

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


@click.group()
def edge() -> None:
    """A collector on site whose MES is elsewhere (docs/operations.md, Edge)."""


@edge.command()
@config
def init(file: Path) -> None:
    """Make a new edge: folder, key, database, spool."""
    from local_mes.level2.edge.site import init_edge
    from shared.keys import fingerprint

    made = init_edge(_settings(file))
    click.echo(f"{made.code} is ready in {made.settings.folder}. Key fingerprint {fingerprint(made.node.key.public)}")


@edge.command()
@config
def upgrade(file: Path) -> None:
    """Bring an edge's database to the schema of this release; stop it first."""
    from local_mes.level2.edge.hosting import MIGRATIONS
    from local_mes.level2.edge.site import build_edge
    from shared.db import migrate

    here = build_edge(_settings(file))
    migrate.upgrade(here.node.engine, MIGRATIONS)
    click.echo(f"{here.code} has the schema of this release.")


@edge.command()
@config
@click.option("--token", required=True, help="The one-time token that the plant gave out for this edge.")
def enrol(file: Path, token: str) -> None:
    """Enter the plant: give it this edge's key, take the plant's."""
    from local_mes.level2.edge.site import build_edge
    from sync.enrolment import enrol as enrol_node
    from sync.lines import routed_transport

    here = build_edge(_settings(file))
    done = enrol_node(here.node, token, routed_transport(here.node, here.settings))
    click.echo(
        f"{here.code} is enrolled at {done.hub}. Compare by voice: plant {done.hub_fingerprint}, "
        f"edge {done.own_fingerprint}. An edge that is running follows within seconds."
    )


@edge.command()
@config
def run(file: Path) -> None:
    """Run the collector on site and carry what it hears to the plant."""
    from local_mes.level2.edge.site import run_edge

    run_edge(_settings(file))


@edge.command()
@config
def token(file: Path) -> None:
    """At the plant: a one-time token for the edge that its settings name."""
    from local_mes.level2.edge.enrolment import HOURS, issue_token
    from local_mes.level2.edge.hosting import open_desk
    from local_mes.wiring import build_plant
    from shared.errors import BadSetup
    from shared.keys import fingerprint

    settings = _settings(file)
    if not settings.edge:
        raise BadSetup(
            "edge.none", f"The settings of {settings.code} name no edge.", todo='Write edge = "CODE" into them.'
        )
    desk = open_desk(build_plant(settings))
    made = issue_token(desk, settings.edge)
    shown = fingerprint(desk.key.public)
    click.echo(f"Token for {settings.edge}, good once, for {HOURS} h: {made}\nThe plant's fingerprint: {shown}")


@edge.command()
@config
def release(file: Path) -> None:
    """At the plant: let an edge speak again that was held because two installations of it took turns."""
    from local_mes.level2.edge.hosting import open_desk
    from local_mes.wiring import build_plant
    from shared.db.engine import write
    from sync.meeting import forget_visits
    from sync.peers import ACTIVE, set_state

    settings = _settings(file)
    desk = open_desk(build_plant(settings))
    with write(desk.engine) as conn:
        set_state(conn, settings.edge, ACTIVE, desk.clock.now_ms())
        forget_visits(conn, settings.edge)
    click.echo(f"{settings.edge} may speak. Make sure that the other installation is stopped for good.")


@edge.command()
@config
@click.option(
    "--accept", "fingerprint", default="", help="Believe this one from now on; compare it with the supplier's."
)
@click.option("--who", default="", help="Who accepts it.")
def certificates(file: Path, fingerprint: str, who: str) -> None:
    """Certificates that OPC UA servers on site have shown; --accept lets a server in."""
    from local_mes.level2.opcua.trust import TrustStore
    from shared.clock import SystemClock

    store = TrustStore(_settings(file).folder)
    if fingerprint:
        if not who:
            raise click.UsageError("--who says who accepts it.")
        store.accept(fingerprint, actor=who, now_ms=SystemClock().now_ms())
    for one in store.find():
        click.echo(f"{one.fingerprint} {one.subject}")
