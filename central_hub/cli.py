"""strandline hub …: the hub from the command line. Everything heavy is imported when a command runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from central_hub.hub import Hub
    from shared.settings import HubSettings

config = click.option(
    "--config", "file", required=True, type=click.Path(path_type=Path), help="The hub's settings file (TOML)."
)


def _settings(file: Path) -> HubSettings:
    from shared import logs
    from shared.settings import HubSettings, load

    settings = load(HubSettings, file)
    logs.set_up(settings.log_level)
    return settings


def _hub(file: Path) -> Hub:
    from central_hub.wiring import build_hub

    return build_hub(_settings(file))


@click.group()
def hub() -> None:
    """The group's hub: portal, transfers, standards."""


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
def run(file: Path) -> None:
    """Run the hub: portal, API, sync endpoint, reconciliation."""
    from central_hub.wsgi import serve

    serve(_settings(file))


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


@hub.group()
def journal() -> None:
    """The hub's journal: its own facts and all copies."""


@journal.command()
@config
def verify(file: Path) -> None:
    """Recompute every chain; names what was changed, exit code 2."""
    from sync.journal_commands import verify_journal

    click.echo(verify_journal(_hub(file).node))


@journal.command()
@config
def rebuild(file: Path) -> None:
    """Make all projected rows again from the journal, to the same content hash."""
    from sync.journal_commands import rebuild_journal

    click.echo(rebuild_journal(_hub(file).node))


@hub.command("user-add")
@config
@click.option("--login", required=True)
@click.option("--name", required=True)
@click.option("--role", "roles", multiple=True, required=True)
@click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True)
def user_add(file: Path, login: str, name: str, roles: tuple[str, ...], password: str) -> None:
    """Add a person who may sign in."""
    from central_hub.app import ROLES
    from shared.db.engine import write
    from shared.web.accounts import add_person

    here = _hub(file)
    with write(here.node.engine) as conn:
        add_person(conn, here.clock, login, name, roles, password, ROLES)
    click.echo(f"{login} may sign in at {here.code}.")


@hub.command("people-add")
@config
@click.option(
    "--file", "people", required=True, type=click.Path(path_type=Path, dir_okay=False), help="[[person]] entries."
)
def people_add(file: Path, people: Path) -> None:
    """Add many people from a TOML file; prints `login token` for those who get one."""
    from central_hub.app import ROLES
    from shared.db.engine import write
    from shared.web.people_file import add_people, read_people

    listed = read_people(people)
    here = _hub(file)
    with write(here.node.engine) as conn:
        for login, token in add_people(conn, here.clock, listed, ROLES):
            click.echo(f"{login} {token}")


@hub.command("token-add")
@config
@click.option("--login", required=True)
@click.option("--title", required=True, help="What the token is for.")
def token_add(file: Path, login: str, title: str) -> None:
    """Give a person's program a token; it is shown once."""
    from shared.db.engine import write
    from shared.web.accounts import issue_token

    here = _hub(file)
    with write(here.node.engine) as conn:
        click.echo(issue_token(conn, here.clock, login, title))


@hub.command("user-password")
@config
@click.option("--login", required=True)
@click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True)
def user_password(file: Path, login: str, password: str) -> None:
    """Give a person another password; ends their sessions."""
    from shared.db.engine import write
    from shared.web.accounts import set_password

    here = _hub(file)
    with write(here.node.engine) as conn:
        set_password(conn, login, password)
    click.echo(f"{login} has a new password at {here.code}.")


@hub.command("user-end")
@config
@click.option("--login", required=True)
def user_end(file: Path, login: str) -> None:
    """Shut a person out: sign-in, sessions and tokens. What they booked stays."""
    from shared.db.engine import write
    from shared.web.accounts import end_person

    here = _hub(file)
    with write(here.node.engine) as conn:
        end_person(conn, here.clock, login)
    click.echo(f"{login} is shut out at {here.code}.")
