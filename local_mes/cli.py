"""strandline plant …: a plant from the command line. Everything heavy is imported when a command runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from local_mes.plant import Plant
    from shared.settings import PlantSettings

config = click.option(
    "--config", "file", required=True, type=click.Path(path_type=Path), help="The plant's settings file (TOML)."
)


def _settings(file: Path) -> PlantSettings:
    from shared import logs
    from shared.settings import PlantSettings, load

    settings = load(PlantSettings, file)
    logs.set_up(settings.log_level)
    return settings


def _plant(file: Path) -> Plant:
    from local_mes.wiring import build_plant

    return build_plant(_settings(file))


@click.group()
def plant() -> None:
    """One plant: its local MES and its Level-2 collector."""


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
    from local_mes.wiring import MIGRATIONS
    from shared.db import migrate

    here = _plant(file)
    migrate.upgrade(here.node.engine, MIGRATIONS)
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
@click.option("--token", required=True, help="The one-time token that the hub gave out for this plant.")
def enrol(file: Path, token: str) -> None:
    """Enter the group: give the hub this plant's key, take the hub's."""
    from sync.enrolment import enrol as enrol_node
    from sync.station import http_transport

    here = _plant(file)
    done = enrol_node(here.node, token, http_transport(here.node, here.settings.hub_url))
    click.echo(
        f"{here.code} is enrolled at {done.hub}. Compare by voice: hub {done.hub_fingerprint}, "
        f"plant {done.own_fingerprint}. A plant that is running follows within seconds."
    )


@plant.group()
def journal() -> None:
    """The plant's journal: its own facts and what came from the hub."""


@journal.command()
@config
def verify(file: Path) -> None:
    """Recompute every chain; names what was changed, exit code 2."""
    from sync.journal_commands import verify_journal

    click.echo(verify_journal(_plant(file).node))


@journal.command()
@config
def rebuild(file: Path) -> None:
    """Make all projected rows again from the journal, to the same content hash."""
    from sync.journal_commands import rebuild_journal

    click.echo(rebuild_journal(_plant(file).node))


@plant.command("user-add")
@config
@click.option("--login", required=True)
@click.option("--name", required=True)
@click.option("--role", "roles", multiple=True, required=True)
@click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True)
def user_add(file: Path, login: str, name: str, roles: tuple[str, ...], password: str) -> None:
    """Add a person who may sign in."""
    from local_mes.app import ROLES
    from shared.db.engine import write
    from shared.web.accounts import add_person

    here = _plant(file)
    with write(here.node.engine) as conn:
        add_person(conn, here.clock, login, name, roles, password, ROLES)
    click.echo(f"{login} may sign in at {here.code}.")


@plant.command("people-add")
@config
@click.option(
    "--file", "people", required=True, type=click.Path(path_type=Path, dir_okay=False), help="[[person]] entries."
)
def people_add(file: Path, people: Path) -> None:
    """Add many people from a TOML file; prints `login token` for those who get one."""
    from local_mes.app import ROLES
    from shared.db.engine import write
    from shared.web.people_file import add_people, read_people

    listed = read_people(people)
    here = _plant(file)
    with write(here.node.engine) as conn:
        for login, token in add_people(conn, here.clock, listed, ROLES):
            click.echo(f"{login} {token}")


@plant.command("token-add")
@config
@click.option("--login", required=True)
@click.option("--title", required=True, help="What the token is for.")
def token_add(file: Path, login: str, title: str) -> None:
    """Give a person's program a token; it is shown once."""
    from shared.db.engine import write
    from shared.web.accounts import issue_token

    here = _plant(file)
    with write(here.node.engine) as conn:
        click.echo(issue_token(conn, here.clock, login, title))


@plant.command("user-password")
@config
@click.option("--login", required=True)
@click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True)
def user_password(file: Path, login: str, password: str) -> None:
    """Give a person another password; ends their sessions."""
    from shared.db.engine import write
    from shared.web.accounts import set_password

    here = _plant(file)
    with write(here.node.engine) as conn:
        set_password(conn, login, password)
    click.echo(f"{login} has a new password at {here.code}.")


@plant.command("user-end")
@config
@click.option("--login", required=True)
def user_end(file: Path, login: str) -> None:
    """Shut a person out: sign-in, sessions and tokens. What they booked stays."""
    from shared.db.engine import write
    from shared.web.accounts import end_person

    here = _plant(file)
    with write(here.node.engine) as conn:
        end_person(conn, here.clock, login)
    click.echo(f"{login} is shut out at {here.code}.")
