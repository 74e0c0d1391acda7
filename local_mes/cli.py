"""strandline plant …: a plant from the command line. Everything heavy is imported when a command runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from local_mes.level2.commands import capture, mapping, opcua_certificate, replay
from local_mes.level2.edge.commands import edge
from local_mes.level2.shadow.commands import tee
from local_mes.pilot.commands import pilot
from local_mes.quality.commands import defects
from local_mes.stock.commands import take_over
from sync.backups.commands import add_backup_commands
from sync.bundles.commands import bundle_commands
from sync.bundles.history_commands import recover_command
from sync.commands import Door, add_node_commands, config
from sync.compare_commands import digest_command
from sync.recovery_commands import history

if TYPE_CHECKING:
    from local_mes.plant import Plant
    from shared.settings import NodeSettings, PlantSettings
    from sync.bundles.export import Road
    from sync.comparing import Comparing


def _settings(file: Path) -> PlantSettings:
    from shared import logs
    from shared.settings import PlantSettings, load

    settings = load(PlantSettings, file)
    logs.set_up(settings.log_level)
    return settings


def _plant(file: Path) -> Plant:
    from local_mes.wiring import build_plant

    return build_plant(_settings(file))


def _roles() -> Mapping[str, str]:
    from local_mes.roles import ROLES

    return ROLES


def _road(file: Path, _only: str) -> Road:
    from functools import partial

    from local_mes.level2.edge.open_since import open_since_ms
    from local_mes.model.high_marks import NumberMarks
    from sync.bundles.export import road_up

    here = _plant(file)
    return road_up(here.node, partial(open_since_ms, here), NumberMarks(here.model))


def _recover(file: Path, files: Sequence[Path]) -> str:
    from local_mes.wiring import recover_from

    here = _plant(file)
    with _alone(here.settings):
        peer, changed = recover_from(here, files)
    if not changed:
        return f"Nothing that {peer} held of {here.code} is missing here."
    return f"What {peer} held of {here.code} is back; the page of incidents tells what. Start it again."


def _comparing(file: Path) -> Comparing:
    from sync.comparing import Comparing
    from sync.lines import routed_transport

    here = _plant(file)
    return Comparing(here.node, routed_transport(here.node, here.settings))


@contextmanager
def _alone(settings: NodeSettings) -> Iterator[None]:
    """Neither the plant's process nor its collector runs, and none starts."""
    from local_mes.level2.collector import alone
    from shared.web.server import hold_folder

    with hold_folder(settings.folder), alone(settings.folder):
        yield


@click.group()
@click.pass_context
def plant(ctx: click.Context) -> None:
    """One plant: its local MES and its Level-2 collector."""
    ctx.obj = Door(lambda file: _plant(file).node, _roles)


@plant.command()
@config
def init(file: Path) -> None:
    """Make a new plant: folder, key, database, spool."""
    from local_mes.wiring import init_plant
    from shared.keys import fingerprint

    made = init_plant(_settings(file))
    click.echo(f"{made.code} is ready in {made.settings.folder}. Key fingerprint {fingerprint(made.node.key.public)}")


@plant.command()
@config
def upgrade(file: Path) -> None:
    """Bring the database to the schema of this release; stop the plant first."""
    from local_mes.level2.edge.hosting import upgrade_desk
    from local_mes.wiring import MIGRATIONS
    from shared.db import migrate

    here = _plant(file)
    migrate.upgrade(here.node.engine, MIGRATIONS)
    upgrade_desk(here)
    click.echo(f"{here.code} has the schema of this release.")


@plant.command()
@config
def run(file: Path) -> None:
    """Run the MES: pages, API, interpreter, sync."""
    from local_mes.wsgi import serve

    serve(_settings(file))


@plant.command()
@config
def level2(file: Path) -> None:
    """Run the connections to Level 2, a process of its own."""
    from local_mes.level2.collector import run_level2

    run_level2(_settings(file))


@plant.command()
@config
@click.option("--token", default="", help="The one-time token that the hub gave out for this plant.")
@click.option("--write", "out", type=click.Path(path_type=Path), help="Without a line: write the request to this file.")
@click.option("--read", "back", type=click.Path(path_type=Path), help="Without a line: read the hub's answer.")
@click.option("--fingerprint", default="", help="With --read: the hub's, as its people said it by voice.")
def enrol(file: Path, token: str, out: Path | None, back: Path | None, fingerprint: str) -> None:
    """Enter the group: give the hub this plant's key, take the hub's."""
    from sync.bundles.entering import read_answer, write_request
    from sync.enrolment import enrol as enrol_node
    from sync.lines import routed_transport

    if (back is None) != bool(token) or (back is not None and (out is not None or not fingerprint)):
        raise click.UsageError("Give --token, with --write where there is no line; or --read with --fingerprint.")
    here = _plant(file)
    if out is not None:
        write_request(here.node, token, out)
        click.echo(f"Carry {out} to the hub: strandline hub enrol {out.name} ANSWER, and read its answer here.")
        return
    if back is not None:
        done = read_answer(here.node, back, fingerprint)
    else:
        done = enrol_node(here.node, token, routed_transport(here.node, here.settings))
    click.echo(
        f"{here.code} is enrolled at {done.hub}. Compare by voice: hub {done.hub_fingerprint}, "
        f"plant {done.own_fingerprint}. A plant that is running follows within seconds."
    )


@plant.command()
@config
def enrolled(file: Path) -> None:
    """Name the hub that this plant trusts, with its fingerprint; prints nothing before it is enrolled."""
    from shared.db.engine import read
    from shared.keys import fingerprint
    from sync.peers import list_peers

    with read(_plant(file).node.engine) as conn:
        for peer in list_peers(conn):
            click.echo(f"{peer.code} {' '.join(fingerprint(key) for key in peer.trusted.values())}")


@plant.command("standards-root")
@config
@click.option(
    "--begin-anew", "digest", default="", help="SHA-256 of a root not signed by the one before; compare aloud."
)
def standards_root(file: Path, digest: str) -> None:
    """Say which root of trust this plant follows, and the catalogue it verified under it."""
    from local_mes.standards.service import begin_trust_anew, trust_state
    from shared.db.engine import read

    here = _plant(file)
    if digest:
        begin_trust_anew(here, digest)
    with read(here.node.engine) as conn:
        state = trust_state(conn, here)
    if state is None:
        click.echo("Root 0; none yet.")
        return
    click.echo(f"Root {state.root_version}; catalogue {state.catalogue_version}.")


@plant.command("at-rest")
@config
def at_rest(file: Path) -> None:
    """Say whether the casters stand; exit code 2 while a sequence is being cast."""
    from local_mes.production.at_rest import check_at_rest
    from shared.db.engine import read

    here = _plant(file)
    with read(here.node.engine) as conn:
        check_at_rest(conn, here.model, here.clock.now_ms())
    click.echo(f"{here.code} casts nothing now.")


@plant.command("new-key")
@config
def renew(file: Path) -> None:
    """Make a new key because somebody may know the old one; stop the plant first, enrol it again after."""
    from shared.web.server import hold_folder
    from sync.rekeying import renew_key

    here = _plant(file)
    with hold_folder(here.settings.folder):
        shown = renew_key(here.node)
    click.echo(f"{here.code} has a new key, fingerprint {shown}. Enrol it again: strandline plant enrol --token …")


add_node_commands(plant)
add_backup_commands(plant, _settings, _alone)
_sync = bundle_commands(_road, to_one_peer=True)
_sync.add_command(digest_command(_comparing))
_sync.add_command(recover_command(_recover))
plant.add_command(_sync)
plant.add_command(history)
plant.add_command(opcua_certificate)
plant.add_command(capture)
plant.add_command(mapping)
plant.add_command(replay)
plant.add_command(tee)
plant.add_command(edge)
plant.add_command(pilot)
plant.add_command(take_over)
plant.add_command(defects)
