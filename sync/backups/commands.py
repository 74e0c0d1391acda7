"""… backup, restore, key-copy, key-restore of a node, and `strandline backup verify`. Heavy imports wait for the command."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sync.commands import Door, config

if TYPE_CHECKING:
    from shared.settings import NodeSettings

Load = Callable[[Path], "NodeSettings"]
Alone = Callable[["NodeSettings"], AbstractContextManager[object]]
folder = click.Path(path_type=Path, file_okay=False)
a_file = click.Path(path_type=Path, dir_okay=False)
passphrase = click.option(
    "--passphrase-file", "secret", required=True, type=a_file, help="A file with the passphrase in its first line."
)


def add_backup_commands(group: click.Group, load: Load, alone: Alone) -> None:
    """Give a node's group these commands. load: its settings; alone: holds every lock of the node, which must be stopped."""

    @group.command()
    @config
    @click.option("--from", "source", required=True, type=folder, help="The backup's folder.")
    @click.option("--fresh-key", is_flag=True, help="The key is lost: make a new one and enrol the node again.")
    @click.option("--all", "everything", is_flag=True, help="Another machine: replace the spool that began here, too.")
    def restore(file: Path, source: Path, fresh_key: bool, everything: bool) -> None:
        """Put a backup back; stop the node first. What gives way is kept beside."""
        from shared.clock import SystemClock
        from sync.backups.putting_back import put_back

        settings = load(file)
        settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with alone(settings):
            for line in put_back(settings, source, SystemClock(), fresh_key=fresh_key, everything=everything):
                click.echo(line)

    @group.command("key-copy")
    @config
    @click.option("--to", "target", required=True, type=a_file, help="The copy; keep it apart from the backups.")
    @passphrase
    def key_copy(file: Path, target: Path, secret: Path) -> None:
        """Write a copy of this node's key, sealed with a passphrase."""
        from sync.backups.key_copy import copy_key

        click.echo(f"Copied the key with fingerprint {copy_key(load(file), target, _first_line(secret))}.")

    @group.command("key-restore")
    @config
    @click.option("--from", "source", required=True, type=a_file, help="A copy made by key-copy.")
    @passphrase
    def key_restore(file: Path, source: Path, secret: Path) -> None:
        """Put a sealed copy of this node's key in place, where there is none."""
        from sync.backups.key_copy import restore_key

        click.echo(f"Put back the key with fingerprint {restore_key(load(file), source, _first_line(secret))}.")

    group.add_command(take_backup)


@click.command("backup")
@config
@click.option("--to", "into", required=True, type=folder, help="Backups are folders below this one.")
@click.option("--keep", type=click.IntRange(1), default=24, show_default=True, help="The last so many stay.")
@click.option("--days", type=click.IntRange(0), default=30, show_default=True, help="Of so many days the first stays.")
@click.option("--check", is_flag=True, help="Restore it into a scratch place and prove its journal.")
@click.option("--scratch-url", default="", help="With --check: an empty PostgreSQL database, for a node on one.")
@click.pass_obj
def take_backup(door: Door, file: Path, into: Path, keep: int, days: int, check: bool, scratch_url: str) -> None:
    """Take a backup while the node runs, and remove old ones."""
    from sync.backups.checking import check_backup
    from sync.backups.ledger import note_checked
    from sync.backups.taking import give_up, take

    node = door.open(file)
    whole, manifest = take(node, into)
    click.echo(f"{whole}: {len(manifest.files)} files, {manifest.size} bytes.")
    if check:
        click.echo(check_backup(whole, scratch_url))
        note_checked(node)
    # only now: a backup that does not hold never drives out one that does
    gone = give_up(into, node.code, keep, days)
    if gone:
        click.echo(f"{gone} old backups removed.")


@click.group()
def backup() -> None:
    """Backups, wherever they lie."""


@backup.command("verify")
@click.argument("folders", metavar="FOLDER...", nargs=-1, required=True, type=folder)
@click.option("--scratch-url", default="", help="An empty PostgreSQL database, for backups of one.")
def verify_backups(folders: tuple[Path, ...], scratch_url: str) -> None:
    """Restore backups into a scratch place and prove their journals; the node they are of is not needed."""
    from sync.backups.checking import check_backup

    for one in folders:
        click.echo(check_backup(one, scratch_url))


def _first_line(file: Path) -> str:
    return file.read_text("utf-8").splitlines()[0].strip()
