"""… sync export and import: bundles at the command line, for plant and hub. Heavy imports wait for the command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shared.errors import BadSetup, StrandlineError
from sync.commands import Door, config

if TYPE_CHECKING:
    from shared.node import Node
    from sync.bundles.export import Road


MakeRoad = Callable[[Path, str], "Road"]
path = click.Path(path_type=Path, dir_okay=False)


def bundle_commands(make_road: MakeRoad, *, to_one_peer: bool) -> click.Group:
    """The group `sync`. make_road opens the node and its way to the peer of this code (empty: the only one)."""

    @click.group("sync")
    def group() -> None:
        """Sites without a network: what would go over the line, in files that a person carries."""

    @click.argument("target", metavar="FILE", type=path)
    @config
    def export(file: Path, target: Path, code: str = "") -> None:
        """Write what the other side lacks, and what is held of it, as signed bundles: FILE, FILE-2, ..."""
        for line in export_files(make_road(file, code), target):
            click.echo(line)

    @click.argument("files", metavar="FILE...", nargs=-1, required=True, type=path)
    @config
    @click.pass_obj
    def take_in(door: Door, file: Path, files: tuple[Path, ...]) -> None:
        """Read bundles from the other side, in any order; a file read twice changes nothing."""
        import_files(door.open(file), files, click.echo)

    group.command("export")(export if to_one_peer else click.argument("code", metavar="CODE")(export))
    group.command("import")(take_in)
    return group


def export_files(road: Road, target: Path) -> list[str]:
    """Write bundles and say, a line a file, what is in them."""
    from sync.bundles.export import export

    lines = [
        f"{done.file}: {done.head.entries} facts of {road.stream} for {road.peer}, {done.size} bytes."
        for done in export(road, target)
    ]
    return [*lines, f"Until a bundle of {road.peer} is read here, the next export starts at the same place."]


def import_files(node: Node, files: Sequence[Path], say: Callable[[str], None]) -> None:
    """Read bundles in whatever order fits; the first that cannot be taken whole is raised after all others were tried."""
    waiting: list[tuple[Path, StrandlineError | None]] = [(file, None) for file in files]
    while True:
        failed = list[tuple[Path, StrandlineError]]()
        for file, _ in waiting:
            try:
                say(f"{file}: {_take(node, file)}")
            except StrandlineError as error:
                failed.append((file, error))
        if len(failed) in (0, len(waiting)):
            break
        waiting = list(failed)
    for file, other in failed[1:]:
        say(f"{file}: {other}")
    if failed:
        file, first = failed[0]
        first.what = f"{file}: {first.what}"
        raise first


def _take(node: Node, file: Path) -> str:
    from sync.bundles.take import take, tell

    try:
        with file.open("rb") as source:
            return tell(take(node, source))
    except OSError as error:
        raise BadSetup(
            "bundle.unreadable", f"The bundle cannot be read: {error.strerror}.", todo="Name the file on the stick."
        ) from error
