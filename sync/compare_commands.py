"""… sync digest: compare this plant's rows with the hub's copy, now."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sync.commands import config

if TYPE_CHECKING:
    from sync.comparing import Comparing


def digest_command(make: Callable[[Path], Comparing]) -> click.Command:
    """The command `digest`; make opens the node and its way to the hub."""

    @click.command("digest")
    @config
    def digest(file: Path) -> None:
        """Compare this plant's rows with the hub's; names what differs and puts right what is wrong here."""
        click.echo(make(file).compare())

    return digest
