"""A mapping mended while the plant runs: checked whole before it is saved, the version before kept beside it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from local_mes.level2.links import Link, LinkPlan
from local_mes.level2.mapping.errors import changed_meanwhile, no_mapping, not_writable
from local_mes.level2.mapping.files import read_text
from local_mes.level2.mapping.load import load_mappings
from shared import logs
from shared.errors import BadInput, BadSetup
from shared.storage import sync_folder

BEFORE = ".before"
"""Ending of the version that was in force before the last save."""

log = logs.get("level2")


def get_file(plan: LinkPlan, code: str) -> tuple[Link, Path]:
    """A link and its mapping file; NotFound where it names none."""
    link = plan.links.get(code)
    if link is None or not link.mapping:
        raise no_mapping(code)
    return link, plan.folder / link.mapping


def mark_of(text: str) -> str:
    """Names a version of the file."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def check_text(plan: LinkPlan, code: str, text: str) -> None:
    """Whether all mappings of the plant can be used with this text; BadInput names the entry that cannot."""
    get_file(plan, code)
    try:
        load_mappings(plan, instead={code: text})
    except BadSetup as error:
        raise BadInput(error.code, error.what, kept="The mapping in force stays in force.", todo=error.todo) from error


def save_text(plan: LinkPlan, code: str, text: str, mark: str, *, actor: str) -> None:
    """Check and save. Refused when the file is no longer the version `mark`, or cannot be written.

    The running plant takes it over by itself with its next message.
    """
    link, path = get_file(plan, code)
    if mark_of(read_text(path)) != mark:
        raise changed_meanwhile(link.mapping)
    check_text(plan, code, text)
    try:
        _write(path.with_name(path.name + BEFORE), path.read_bytes())
        _write(path, text.encode())
    except OSError as error:
        raise not_writable(link.mapping, error.strerror or str(error)) from error
    log.info("mapping saved", link=code, file=link.mapping, by=actor, mark=mark_of(text), before=mark)


def _write(path: Path, content: bytes) -> None:
    """The whole file or the one before, whatever happens meanwhile."""
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync_folder(path.parent)
