"""hub sync history and plant sync recover: a restored plant's own history on a stick. Heavy imports wait."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from shared.errors import BadSetup
from sync.commands import Door, config

path = click.Path(path_type=Path, dir_okay=False)
Recover = Callable[[Path, Sequence[Path]], str]
"""(settings file, files of an answer) -> what came of it."""


@click.command("history")
@config
@click.argument("question", metavar="BUNDLE", type=path)
@click.argument("target", metavar="FILE", type=path)
@click.option("--whole", is_flag=True, help="All that is held, not only what the plant lacks as its bundle says.")
@click.pass_obj
def history_command(door: Door, file: Path, question: Path, target: Path, whole: bool) -> None:
    """Write for a restored plant, whose BUNDLE this is, what is held of its own history: FILE, FILE-2, ..."""
    from sync.bundles.history import write_history

    node = door.open(file)
    try:
        source = question.open("rb")
    except OSError as error:
        raise BadSetup(
            "bundle.unreadable", f"The bundle cannot be read: {error.strerror}.", todo="Name the file on the stick."
        ) from error
    with source:
        for name, head in write_history(node, source, target, whole=whole):
            click.echo(f"{name}: {head.entries} entries of {head.audience}.")
    click.echo(f"At {head.audience}, stopped: strandline plant sync recover, with all of these files.")


def recover_command(recover: Recover) -> click.Command:
    """The plant's half; recover works on a node that does not run."""

    @click.command("recover")
    @config
    @click.argument("files", metavar="FILE...", nargs=-1, required=True, type=path)
    def command(file: Path, files: tuple[Path, ...]) -> None:
        """Take this plant's own history back from the FILEs that `hub sync history` wrote; stop the plant first."""
        click.echo(recover(file, files))

    return command
