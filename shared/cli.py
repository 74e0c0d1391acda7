"""The command `strandline`: sub-commands are found by entry point and loaded only when named, so it starts at once."""

from __future__ import annotations

import os
import sys
from importlib.metadata import entry_points

import click

from shared.errors import StrandlineError
from shared.interpreter import tune

EXIT_REFUSED = 2
PRIVATE = 0o077
"""Databases hold the key that signs sessions, hashes and people's names: files a node makes are its user's alone."""


class LazyGroup(click.Group):
    """A click group whose sub-commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all installed sub-commands."""
        return sorted(point.name for point in entry_points(group="strandline.commands"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one sub-command, or None."""
        for point in entry_points(group="strandline.commands", name=cmd_name):
            command: click.Command = point.load()
            return command
        return None


@click.command(cls=LazyGroup)
def cli() -> None:
    """Strandline: plants, hub and standards of a steel group."""


def main() -> None:
    """Run the command line; an error of ours is one paragraph and exit code 2."""
    os.umask(PRIVATE)
    tune()
    try:
        cli(standalone_mode=False)
    except StrandlineError as error:
        click.echo(f"strandline: {error}", err=True)
        sys.exit(EXIT_REFUSED)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_REFUSED)
