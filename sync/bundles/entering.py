"""Entering a group without a line: the words of enrolment in two files that a person carries.

    plant   writes its request, keeps a copy of it, and is enrolled by the answer to that one alone
    hub     reads the request as if it had come over the line, and writes its answer

Over a line the hub's certificate says whom the plant speaks to. On a stick nothing does: the answer counts only with
the fingerprint that somebody at the hub said by voice.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from hmac import compare_digest
from pathlib import Path

from shared.errors import BadInput, BadSetup, Denied
from shared.keys import fingerprint
from shared.node import Node
from sync.enrolment import Enrolment, make_request, open_answer, take_answer
from sync.limits import HELLO_BYTES_MAX
from sync.messages import ENROL, Enrol
from sync.seal import parse, payload_of, read_envelope, sign

OWN_COPY = "enrolling"
"""File in the node's folder: the request that is on its way."""


def write_request(node: Node, token: str, target: Path) -> None:
    """Write the plant's request; the one before it counts no more. BadSetup where it cannot be written."""
    raw = sign(node.key, ENROL, make_request(node, token))
    check_free(target)
    _write(target, raw)
    _write(node.settings.folder / OWN_COPY, raw)


def answer_request(source: Path, target: Path, enrol: Callable[[bytes], bytes]) -> Enrol:
    """Take the plant of a request in and write the answer; enrol is the hub's door, and raises what it raises there."""
    check_free(target)
    raw = _read(source)
    _write(target, b"")  # before the token is used: it serves once, and the answer must get to the stick
    try:
        _write(target, enrol(raw))
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return parse(payload_of(read_envelope(raw)), Enrol)


def read_answer(node: Node, source: Path, said: str) -> Enrolment:
    """Trust the hub that answered if its fingerprint is the one that was said; Denied if not, and nothing changed."""
    own = node.settings.folder / OWN_COPY
    if not own.exists():
        raise BadInput(
            "bundle.no_request", f"{node.code} waits for no answer.", todo="Write a request first: plant enrol --write."
        )
    request, raw = parse(payload_of(read_envelope(_read(own))), Enrol), _read(source)
    shown = fingerprint(bytes.fromhex(open_answer(node, request, raw).public_key))
    if not compare_digest(_plain(shown), _plain(said)):
        raise Denied(
            "bundle.other_hub_key",
            f"The answer is signed by a hub with the fingerprint {shown}, not the one that was said.",
            kept="Nothing was changed.",
            todo="Ask the hub's people again by voice. If it stays another one, somebody has changed the file.",
        )
    done = take_answer(node, request, raw)
    own.unlink()
    return done


def check_free(target: Path) -> None:
    """BadSetup where a file stands already."""
    if target.exists():
        raise BadSetup("bundle.exists", f"{target} exists already.", todo="Give a name that is free.")


def _plain(words: str) -> bytes:
    return "".join(words.split()).lower().encode()


def _read(source: Path) -> bytes:
    try:
        with source.open("rb") as file:
            return file.read(HELLO_BYTES_MAX + 1)
    except OSError as error:
        raise BadSetup(
            "bundle.unreadable", f"{source} cannot be read: {error.strerror}.", todo="Name the file on the stick."
        ) from error


def _write(target: Path, raw: bytes) -> None:
    try:
        with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())  # a stick is pulled as soon as the command has ended
    except OSError as error:
        raise BadSetup(
            "bundle.unwritable",
            f"{target} cannot be written: {error.strerror}.",
            todo="Name a folder that exists, with room, that this user may write.",
        ) from error
