"""A node's new key in place of one that may be known to somebody else."""

from __future__ import annotations

import os

from shared.db.engine import write
from shared.keys import fingerprint, new_key, save_key
from shared.node import Node
from sync.peers import keep_key


def renew_key(node: Node) -> str:
    """Make a new key and put the old one beside it; returns the new one's fingerprint. BadSetup.

    Old seals stay provable: the old key's public half is remembered. The peer must enrol the node again.
    """
    file = node.settings.key_file
    made = new_key()
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)  # of an attempt that was cut off
    with write(node.engine) as conn:
        keep_key(conn, node.code, node.key.public, node.clock.now_ms())
        keep_key(conn, node.code, made.public, node.clock.now_ms())
    save_key(made, fresh)
    old = file.with_name(f"{file.name}.{node.key.id[:8]}")
    old.unlink(missing_ok=True)
    os.link(file, old)  # both names, then one rename: at no moment is there no key
    fresh.replace(file)
    return fingerprint(made.public)
