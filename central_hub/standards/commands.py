"""`strandline hub standards-root`: which keys count for standards; the next root document and signatures taken in by file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shared.errors import BadSetup
from sync.commands import config

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from central_hub.hub import Hub
    from shared.standards.messages import Root

ACTOR = "operator"
a_file = click.Path(path_type=Path, dir_okay=False)


def root_command(open_hub: Callable[[Path], Hub]) -> click.Command:
    """The command; open_hub opens the hub of a settings file."""

    @click.command("standards-root")
    @config
    @click.option("--take", type=a_file, help="The next root document (`strandline standards root`).")
    @click.option("--answer", "answers", type=a_file, multiple=True, help="A key holder's answer; repeat.")
    @click.option("--request", "ask", type=a_file, help="Write the open signing request to this file.")
    @click.option("--begin-anew", "anew", is_flag=True, help="The root keys before are lost: not signed by them.")
    def standards_root(file: Path, take: Path | None, answers: tuple[Path, ...], ask: Path | None, anew: bool) -> None:
        """Show which keys count for standards, and what waits for their signatures."""
        from shared.db.engine import picture

        here = open_hub(file)
        _take_in(here, take, answers, anew)
        with picture(here.node.engine) as conn:
            for line in _lines(conn, here):
                click.echo(line)
            if ask is not None:
                _write_request(conn, here, ask)

    return standards_root


def _take_in(hub: Hub, root: Path | None, answers: tuple[Path, ...], anew: bool) -> None:
    import msgspec

    from central_hub.standards.publishing import give_signature
    from central_hub.standards.trusting import trust_root
    from shared.standards.signing import SigningAnswer

    if root is not None:
        trust_root(hub, _read(root), ACTOR, anew=anew)
    for file in answers:
        try:
            answer = msgspec.json.decode(_read(file), type=SigningAnswer)
        except msgspec.DecodeError as error:
            raise BadSetup(
                "standards.no_answer", f"{file} is no answer: {error}.", todo="Name what was signed."
            ) from error
        give_signature(hub, answer, ACTOR)


def _write_request(conn: Connection, hub: Hub, file: Path) -> None:
    import msgspec

    from central_hub.standards.publishing import request_file
    from central_hub.standards.queries import find_open_request

    waiting = find_open_request(conn, hub.code)
    if waiting is not None:
        file.write_bytes(msgspec.json.encode(request_file(conn, hub, waiting.request_id)))


def _lines(conn: Connection, hub: Hub) -> Iterator[str]:
    from central_hub.standards.counting import counting, is_signed
    from central_hub.standards.queries import find_open_request, find_root
    from shared.standards.canonical import sha256

    found = find_root(conn)
    yield f"Root {found[0].version if found else 0}; --online {hub.node.key.public.hex()}"
    if found is None:
        return
    root = found[0]
    yield f"SHA-256 {sha256(found[1].encode())}"
    yield from (f"{role}: {_holders(root, role)}" for role in ("root", "standards"))
    if not is_signed(conn, hub):
        yield "SIGN AGAIN: what is published bears too few signatures of these keys; plants keep what is in force."
    waiting = find_open_request(conn, hub.code)
    if waiting is not None:
        have, needed = (
            len({one.keyid for one in counting(conn, hub, waiting.request_id)}),
            root.roles["standards"].threshold,
        )
        yield f"Request {waiting.request_id} for catalogue {waiting.catalogue_version}: {have} of {needed} signatures."


def _holders(root: Root, role: str) -> str:
    from shared.keys import fingerprint

    named = root.roles[role]  # type: ignore[index]
    keys = [root.keys[keyid] for keyid in named.keyids]
    listed = "; ".join(f"{key.holder} {fingerprint(bytes.fromhex(key.public))}" for key in keys)
    return f"{named.threshold} of {len(keys)} must sign: {listed}"


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetup(
            "standards.no_file", f"{file} cannot be read: {error}.", todo="Name the root document."
        ) from error
