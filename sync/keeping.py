"""What a node does for its own disk and journal: watches the disk, and at night archives, verifies and compares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shared.db.engine import write
from shared.disk import DiskWatch
from shared.node import Node
from sync.archive_back import mend_files
from sync.archiving import archive
from sync.journal_commands import JournalBroken, verify_journal
from sync.nightly import Job, Nightly
from sync.peers import open_incident
from sync.refetching import Fetch, fetch_damaged, want_again
from sync.steady import Steady


class Keeper(Protocol):
    """Something with a thread of its own."""

    def start(self) -> None:
        """Begin."""
        ...

    def stop(self) -> None:
        """End soon."""
        ...


class Keeping:
    """Disk watch and nightly work of one node, and what else keeps it in order; recording asks the watch first."""

    def __init__(
        self, node: Node, jobs: Sequence[Job] = (), others: Sequence[Keeper] = (), fetch: Fetch | None = None
    ) -> None:
        self._watch = DiskWatch(node.settings.folder, run=Steady(node).run)
        self._others = others
        node.journal.admit_by(self._watch.admit)
        own: tuple[Job, ...] = (
            ("verify", lambda: verify_and_tell(node, fetch)),
            ("archive", lambda: archive(node, node.settings.archive_days)),
        )
        self._nightly = Nightly(node, (*own, *jobs))

    def start(self) -> None:
        """Look at the disk now, then follow."""
        self._watch.start()
        self._nightly.start()
        for keeper in self._others:
            keeper.start()

    def stop(self) -> None:
        """End all."""
        for keeper in self._others:
            keeper.stop()
        self._nightly.stop()
        self._watch.stop()


def verify_and_tell(node: Node, fetch: Fetch | None = None) -> str:
    """Prove the whole journal, copies included; what does not hold becomes an incident. JournalBroken.

    Own entries that the disk changed, and archive files of them, are fetched back from the peer that holds them, where
    there is a way; those of copies are wanted again of their authors.
    """
    try:
        return verify_journal(node)
    except JournalBroken as error:
        with write(node.engine) as conn:
            open_incident(conn, node.clock, node.code, "journal", error.what)
        want_again(node, error.findings)
        mended = mend_files(node, fetch)
        if fetch is not None:
            mended += fetch_damaged(node, error.findings, fetch)
        if not mended:
            raise
    return verify_journal(node)
