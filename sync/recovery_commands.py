"""What only an operator can decide after restores and copies: which peer may speak, and which history is ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sync.commands import Door, config, journal

if TYPE_CHECKING:
    from shared.node import Node


@click.group()
def peer() -> None:
    """The plants this hub exchanges with: who may speak."""


@peer.command("list")
@config
@click.pass_obj
def list_all(door: Door, file: Path) -> None:
    """Every peer with its state."""
    from shared.db.engine import read
    from sync.peers import list_peers

    with read(door.open(file).engine) as conn:
        for found in list_peers(conn):
            click.echo(f"{found.code} {found.state} key {found.key_id[:16]}")


@peer.command()
@config
@click.argument("code")
@click.pass_obj
def hold(door: Door, file: Path, code: str) -> None:
    """Take nothing more from CODE for now; it goes on producing."""
    click.echo(set_peer(door.open(file), code, "held"))


@peer.command()
@config
@click.argument("code")
@click.pass_obj
def release(door: Door, file: Path, code: str) -> None:
    """Let CODE speak again, after all but one of its installations were stopped."""
    click.echo(set_peer(door.open(file), code, "active"))


@peer.command()
@config
@click.argument("code")
@click.option("--epoch", default="", help="Of the first entry that is not CODE's own; with --from.")
@click.option("--from", "first", type=click.IntRange(1), help="Its number: it and all after it leave the stream.")
@click.pass_obj
def revoke(door: Door, file: Path, code: str, epoch: str, first: int | None) -> None:
    """Never take anything signed with CODE's present key again; it comes back by a new enrolment.

    With --epoch and --from, what was signed with it from there on lies aside and its rows are gone.
    """
    if (first is None) != (not epoch):
        raise click.UsageError("--epoch and --from go together.")
    here = door.open(file)
    click.echo(set_peer(here, code, "revoked") if first is None else take_stream_back(here, code, epoch, first))


@click.group()
def history() -> None:
    """This plant's own history, as the hub holds it."""


@history.command()
@config
@click.argument("epoch")
@click.argument("hash", metavar="HASH")
@click.pass_obj
def accept(door: Door, file: Path, epoch: str, hash: str) -> None:
    """Take over EPOCH up to HASH from the hub although no known key of this plant signed it (incident
    unproven_history names both)."""
    click.echo(accept_history(door.open(file), epoch, hash))


@journal.command()
@config
@click.pass_obj
def lost(door: Door, file: Path) -> None:
    """Entries of this node's own streams that existed before a restore and are still missing."""
    from shared.db.engine import read
    from sync.losses import list_missing

    here = door.open(file)
    with read(here.engine) as conn:
        found = list_missing(conn)
    click.echo("\n".join(map(str, found)) or f"Nothing that {here.code} wrote is known to be missing.")


def set_peer(node: Node, code: str, state: str) -> str:
    """Change what a peer may do. NotFound for a code that was never enrolled, Refused to release a revoked key."""
    from shared.db.engine import write
    from shared.errors import NotFound, Refused
    from shared.journal.reading import lives
    from sync.meeting import forget_visits
    from sync.peers import ACTIVE, REVOKED, find_peer, mark_revoked, set_state

    with write(node.engine) as conn:
        found = find_peer(conn, code)
        if found is None:
            raise NotFound("sync.no_peer", f"{node.code} has no peer {code}.", todo="See: strandline hub peer list.")
        if found.state == REVOKED and state == ACTIVE:
            raise Refused(
                "sync.revoked",
                f"The key of {code} is revoked.",
                todo=f"Enrol it again: strandline hub enrol-token {code}",
            )
        set_state(conn, code, state, node.clock.now_ms())
        if state == REVOKED:  # nothing that is not here yet is its owner's
            held = lives(conn, code)[-1:]
            mark_revoked(conn, code, held[0].epoch if held else "", held[0].seq + 1 if held else 0, node.clock.now_ms())
        if state == ACTIVE:
            forget_visits(conn, code)
    return f"{code} is {state} at {node.code}."


def take_stream_back(node: Node, code: str, epoch: str, first: int) -> str:
    """Revoke a key from an entry on. NotFound, BadInput, Refused."""
    from shared.db.engine import write
    from sync.revoking import revoke_from

    with write(node.engine) as conn:
        return str(revoke_from(conn, node, code, epoch, first))


def accept_history(node: Node, epoch: str, digest: str) -> str:
    """Note an operator's word for history that cannot be proved. BadInput."""
    import re

    from shared.db.engine import write
    from shared.db.upsert import upsert
    from shared.errors import BadInput
    from sync.tables import accepted

    if not re.fullmatch("[0-9a-f]{32}", epoch) or not re.fullmatch("[0-9a-f]{64}", digest):
        raise BadInput(
            "sync.bad_history", "An epoch has 32 hex digits, a hash 64.", todo="Copy both from the incident."
        )
    row = {"stream": node.code, "epoch": epoch, "hash": digest, "at_ms": node.clock.now_ms()}
    with write(node.engine) as conn:
        upsert(conn, accepted, [row], update=["hash", "at_ms"])
    return f"{node.code} takes epoch {epoch} over up to {digest[:12]}… at the next contact."
