"""`strandline standards`: what key holders do, on a machine that need not have a network. Everything works on files:

    strandline standards keygen --out DIR --name NAME        NAME.pem (secret) and NAME.pub (to be shown)
    strandline standards root ...                            the root document, signed by the root keys
    strandline standards check FILE...                       documents checked and their cases run
    strandline standards sign --request FILE --key FILE      an answer file for the hub

A request comes from the hub's page or `GET /api/v1/standards/requests/{id}`; the answer goes back by the same page or
`POST /api/v1/standards/requests/{id}/signatures`, carried by anybody: what counts is the signature.
"""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from shared.clock import SystemClock
from shared.errors import BadInput, BadSetup
from shared.keys import fingerprint, load_key, new_key, save_key
from shared.standards.as_yaml import read_text
from shared.standards.check import document_faults
from shared.standards.documents import parse_document
from shared.standards.rooting import build_root, read_public, sign_root
from shared.standards.signing import check_request, public_file, read_request, sign_request
from shared.standards.trust import first_root

FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def standards() -> None:
    """Keys, root and signatures of standards; for key holders, away from the hub."""


@standards.command()
@click.argument("files", nargs=-1, required=True, type=FILE)
def check(files: tuple[Path, ...]) -> None:
    """Check documents (YAML or JSON) and run their cases, as the hub does when a draft is saved; for a repository."""
    faulty = 0
    for file in files:
        try:
            document = parse_document(read_text(file.read_text(encoding="utf-8")))
            faults = document_faults(document)
        except (BadInput, UnicodeDecodeError) as error:
            faults = [str(error)]
        faulty += bool(faults)
        click.echo(f"{file}: {'in order' if not faults else '; '.join(faults)}")
    if faulty:
        raise BadSetup("standards.faulty", f"{faulty} of {len(files)} documents have faults.", todo="Mend them.")


@standards.command()
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the two files."
)
@click.option("--name", required=True, help="Whose key it is; also the files' name.")
def keygen(out: Path, name: str) -> None:
    """Make a key pair: NAME.pem stays secret with its holder, NAME.pub is shown."""
    key = new_key()
    save_key(key, out / f"{name}.pem")
    _write(out / f"{name}.pub", public_file(key, name))
    click.echo(f"Key {key.id} of {name}. Compare aloud: {fingerprint(key.public)}")


@standards.command()
@click.option("--root-key", "root_keys", required=True, multiple=True, type=FILE, help="Secret root key; repeat.")
@click.option("--standards-key", "standards_keys", required=True, multiple=True, type=FILE, help=".pub file; repeat.")
@click.option("--online", required=True, help="The hub's public key, 64 hex digits (GET /api/v1/standards/root).")
@click.option(
    "--threshold", default=2, show_default=True, type=click.IntRange(1, 16), help="Standards keys that must sign."
)
@click.option(
    "--root-threshold", default=1, show_default=True, type=click.IntRange(1, 16), help="Root keys that must sign."
)
@click.option(
    "--version", default=1, show_default=True, type=click.IntRange(1), help="One more than the root in force."
)
@click.option(
    "--previous-key", "previous", multiple=True, type=FILE, help="Secret root key of the root before; repeat."
)
@click.option("--out", required=True, type=FILE, help="File for the root document.")
def root(
    root_keys: tuple[Path, ...],
    standards_keys: tuple[Path, ...],
    online: str,
    threshold: int,
    root_threshold: int,
    version: int,
    previous: tuple[Path, ...],
    out: Path,
) -> None:
    """Make the root document: which keys count for what."""
    if len(online) != 64 or any(letter not in "0123456789abcdef" for letter in online):
        raise BadSetup("standards.online_key", "--online must be 64 hex digits.", todo="Copy it from the hub.")
    keys = [load_key(path) for path in root_keys]
    document = build_root(
        version,
        SystemClock().now_ms(),
        keys,
        [read_public(path) for path in standards_keys],
        online,
        root_threshold,
        threshold,
    )
    raw = sign_root(document, [*keys, *(load_key(path) for path in previous)])
    first_root(raw)
    _write(out, raw)
    click.echo(f"Root {version}: {len(standards_keys)} standards keys, {threshold} must sign. Written to {out}.")


@standards.command()
@click.option("--request", required=True, type=FILE, help="Signing request as fetched from the hub.")
@click.option("--key", required=True, type=FILE, help="Your secret key.")
@click.option("--out", type=FILE, help="File for the answer; without it the answer goes to standard output.")
def sign(request: Path, key: Path, out: Path | None) -> None:
    """Check a signing request, show what it says, and sign it."""
    try:
        asked = read_request(request.read_bytes())
    except OSError as error:
        raise BadSetup("standards.no_file", f"{request} cannot be read: {error.strerror}.", todo="Fetch it.") from error
    catalogue, lines = check_request(asked)
    click.echo(f"Catalogue {catalogue.version} of {asked.hub}, {asked.sha256}:", err=True)
    for line in lines:
        click.echo(f"  {line}", err=True)
    answer = msgspec.json.encode(sign_request(asked, load_key(key)))
    if out:
        _write(out, answer)
    else:
        click.echo(answer.decode())


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise BadSetup(
            "standards.unwritable",
            f"{path} cannot be written: {error.strerror}.",
            todo="Choose a folder this user may write.",
        ) from error
