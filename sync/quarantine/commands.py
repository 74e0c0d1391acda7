"""strandline plant|hub quarantine …: what is set aside, at the command line. Heavy things are imported when one runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shared.node import Node
    from sync.commands import Door

config = click.option(
    "--config", "file", required=True, type=click.Path(path_type=Path), help="The node's settings file (TOML)."
)
LISTED = 200


@click.group()
def quarantine() -> None:
    """Facts that were received and could not be applied."""


@quarantine.command("list")
@config
@click.option("--author", default="", help="Only facts of this node.")
@click.option("--state", default="", type=click.Choice(["", "quarantined", "parked", "held"]))
@click.option("--limit", default=LISTED, show_default=True, type=click.IntRange(1, 10_000))
@click.pass_obj
def list_all(door: Door, file: Path, author: str, state: str, limit: int) -> None:
    """Counts, authors that are stopped, and the facts in order of place."""
    from shared.db.engine import read
    from shared.journal.stopping import find_stops
    from sync.quarantine.reads import count_set_aside, list_set_aside

    here = door.open(file)
    with read(here.engine) as conn:
        for code, counts in count_set_aside(conn).items():
            click.echo(f"{code}: " + ", ".join(f"{number} {name}" for name, number in counts.items()))
        for stopped in find_stops(conn).values():
            click.echo(f"{stopped.author} is not applied: {stopped.reason}")
        for row in list_set_aside(conn, {"author": author, "state": state}, limit=limit):
            what = f"{row['stream']} {row['seq']} {row['type']} v{row['version']}"
            click.echo(f"{row['author']} {row['fact_id']} {row['state']} {what}: {row['reason']}")


@quarantine.command()
@config
@click.option("--author", default="", help="Only facts of this node.")
@click.pass_obj
def retry(door: Door, file: Path, author: str) -> None:
    """Try again what is set aside, in order: after a fix or an upgrade."""
    from sync.quarantine.service import retry as try_again

    done = try_again(door.open(file), author or None, "command line")
    click.echo(f"{done.applied} applied, {done.quarantined} quarantined, {done.parked} parked, {done.held} held.")


@quarantine.command()
@config
@click.option("--author", required=True)
@click.pass_obj
def resume(door: Door, file: Path, author: str) -> None:
    """Go on applying an author that was stopped because too much of it could not be read."""
    from sync.quarantine.service import resume_author

    was = resume_author(door.open(file), author, "command line")
    click.echo(f"{author} is applied again." if was else f"{author} was not stopped.")


@quarantine.command()
@config
@click.argument("author")
@click.argument("fact_id")
@click.option("--reason", default="", help="Why; needed by the one who proposes.")
@click.option("--login", required=True, help="Who you are: an engineer of this node.")
@click.option("--password", prompt=True, hide_input=True)
@click.pass_obj
def discard(door: Door, file: Path, author: str, fact_id: str, reason: str, login: str, password: str) -> None:
    """Discard a fact: the first engineer proposes with a reason, a second one confirms by the same command."""
    from sync.quarantine.service import confirm_discard, propose_discard

    here = door.open(file)
    who = sign_in_engineer(here, login, password)
    if reason:
        propose_discard(here, author, fact_id, reason, who)
        click.echo("Proposed. Nothing is discarded until a second engineer runs this without --reason.")
        return
    done = confirm_discard(here, author, fact_id, who)
    click.echo(f"Discarded at {here.code} for good. Applied of what waited for it: {done.applied}.")


def sign_in_engineer(here: Node, login: str, password: str) -> str:
    """The person's id; Denied for a wrong password or a person without the role."""
    from shared.errors import Denied
    from shared.web.accounts import sign_in
    from sync.quarantine.service import ROLES

    person = sign_in(here.engine, here.clock, here.settings.web, login, password)
    if person is None or not person.may(ROLES):
        raise Denied(
            "quarantine.who", "Login, password or role do not allow this.", todo=f"It takes the role {ROLES[0]}."
        )
    return person.person_id
