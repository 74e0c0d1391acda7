"""strandline hub history …: what plants gave back of this hub's own history. Heavy things are imported when one runs."""

from __future__ import annotations

from pathlib import Path

import click

from sync.commands import Door, config


@click.group("history")
def own_history() -> None:
    """This hub's own history, as its plants hold it."""


@own_history.command()
@config
@click.pass_obj
def waiting(door: Door, file: Path) -> None:
    """What plants gave back that is signed with a key which is not known here to have been this hub's."""
    from shared.db.engine import read
    from sync.own_keys import list_claims

    here = door.open(file)
    with read(here.engine) as conn:
        found = list_claims(conn, here.code)
    click.echo("\n".join(map(str, found)) or f"Nothing that plants gave back to {here.code} waits.")


@own_history.command()
@config
@click.argument("fingerprint")
@click.option("--login", required=True, help="Who you are: an engineer of this hub.")
@click.option("--password", prompt=True, hide_input=True)
@click.pass_obj
def accept(door: Door, file: Path, fingerprint: str, login: str, password: str) -> None:
    """FINGERPRINT was this hub's key: the first engineer proposes it, a second one confirms it by the same command.

    What it signed and plants gave back is taken over then. The fingerprint stands in each plant's papers of enrolment.
    """
    from sync.own_keys import accept_key
    from sync.quarantine.commands import sign_in_engineer

    here = door.open(file)
    click.echo(accept_key(here, fingerprint, sign_in_engineer(here, login, password)))
