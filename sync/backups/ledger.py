"""What a node remembers of its backups: the last one taken and the last one that was checked, for people and alarms.

A small file in the node's folder, written by commands and read by the running node; it is no part of a backup.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from shared.node import Node
from shared.storage import write_durably
from sync.backups.form import Manifest

LEDGER = "backups.json"


class Ledger(msgspec.Struct, frozen=True):
    """Times in ms since 1970 UTC, 0 for never."""

    folder: str = ""
    taken_ms: int = 0
    bytes: int = 0
    checked_ms: int = 0


def read_ledger(folder: Path) -> Ledger:
    """What is remembered in a node's folder; nothing where it cannot be read."""
    try:
        return msgspec.json.decode((folder / LEDGER).read_bytes(), type=Ledger)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return Ledger()


def note_taken(node: Node, whole: Path, manifest: Manifest) -> None:
    """A backup was taken."""
    before = read_ledger(node.settings.folder)
    _write(node, Ledger(str(whole), manifest.taken_ms, manifest.size, before.checked_ms))


def note_checked(node: Node) -> None:
    """A backup of this node was restored for a check, and holds."""
    before = read_ledger(node.settings.folder)
    _write(node, msgspec.structs.replace(before, checked_ms=node.clock.now_ms()))


def _write(node: Node, ledger: Ledger) -> None:
    write_durably(node.settings.folder / LEDGER, msgspec.json.encode(ledger))
