"""Commands that every kind of node has: its journal, its people. A node's own group says how to open the node.

Everything heavy is imported when a command runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sync.quarantine.commands import quarantine

if TYPE_CHECKING:
    from shared.node import Node

config = click.option(
    "--config", "file", required=True, type=click.Path(path_type=Path), help="The node's settings file (TOML)."
)


@dataclass(frozen=True)
class Door:
    """How a command comes to the node it works on, and which roles people can have there."""

    open: Callable[[Path], Node]
    roles: Callable[[], Mapping[str, str]]


@click.group()
def journal() -> None:
    """This node's journal: its own facts and its copies of others'."""


@journal.command()
@config
@click.pass_obj
def verify(door: Door, file: Path) -> None:
    """Recompute every chain; names what was changed, exit code 2."""
    from sync.journal_commands import verify_journal

    click.echo(verify_journal(door.open(file)))


@journal.command()
@config
@click.pass_obj
def rebuild(door: Door, file: Path) -> None:
    """Make all projected rows again from the journal, to the same content hash."""
    from sync.journal_commands import rebuild_journal

    click.echo(rebuild_journal(door.open(file)))


@journal.command()
@config
@click.option("--older-than", "days", type=click.IntRange(1), help="Days; the setting archive_days when not given.")
@click.pass_obj
def archive(door: Door, file: Path, days: int | None) -> None:
    """Move the bytes of old, closed runs of entries to files; everything still reads them, nothing is deleted."""
    from sync.archiving import archive as put_away

    here = door.open(file)
    click.echo(put_away(here, days or here.settings.archive_days))


@click.command("user-add")
@config
@click.pass_obj
@click.option("--login", required=True)
@click.option("--name", required=True)
@click.option("--role", "roles", multiple=True, required=True)
@click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True)
def user_add(door: Door, file: Path, login: str, name: str, roles: tuple[str, ...], password: str) -> None:
    """Add a person who may sign in."""
    from shared.db.engine import write
    from shared.web.accounts import add_person

    here = door.open(file)
    with write(here.engine) as conn:
        add_person(conn, here.clock, login, name, roles, password, door.roles())
    click.echo(f"{login} may sign in at {here.code}.")


@click.command("people-add")
@config
@click.pass_obj
@click.option(
    "--file", "people", required=True, type=click.Path(path_type=Path, dir_okay=False), help="[[person]] entries."
)
def people_add(door: Door, file: Path, people: Path) -> None:
    """Add many people from a TOML file; prints `login token` for those who get one."""
    from shared.db.engine import write
    from shared.web.people_file import add_people, read_people

    listed = read_people(people)
    here = door.open(file)
    with write(here.engine) as conn:
        for login, token in add_people(conn, here.clock, listed, door.roles()):
            click.echo(f"{login} {token}")


@click.command("token-add")
@config
@click.pass_obj
@click.option("--login", required=True)
@click.option("--title", required=True, help="What the token is for.")
def token_add(door: Door, file: Path, login: str, title: str) -> None:
    """Give a person's program a token; it is shown once."""
    from shared.db.engine import write
    from shared.web.accounts import issue_token

    here = door.open(file)
    with write(here.engine) as conn:
        click.echo(issue_token(conn, here.clock, login, title))


@click.command("user-password")
@config
@click.pass_obj
@click.option("--login", required=True)
@click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True)
def user_password(door: Door, file: Path, login: str, password: str) -> None:
    """Give a person another password; ends their sessions."""
    from shared.db.engine import write
    from shared.web.accounts import set_password

    here = door.open(file)
    with write(here.engine) as conn:
        set_password(conn, login, password)
    click.echo(f"{login} has a new password at {here.code}.")


@click.command("user-end")
@config
@click.pass_obj
@click.option("--login", required=True)
def user_end(door: Door, file: Path, login: str) -> None:
    """Shut a person out: sign-in, sessions and tokens. What they booked stays."""
    from shared.db.engine import write
    from shared.web.accounts import end_person

    here = door.open(file)
    with write(here.engine) as conn:
        end_person(conn, here.clock, login)
    click.echo(f"{login} is shut out at {here.code}.")


def add_node_commands(group: click.Group) -> None:
    """Give a node's group these commands; the group's own function sets the Door as the context's object."""
    for command in (journal, quarantine, user_add, people_add, token_add, user_password, user_end):
        group.add_command(command)
