"""Between hello and push: whatever a restore has parted is mended before anything more is sent (sync-protocol.md, 1.3).

First the network: where chains part is looked for, and what is to be taken is fetched and proved. Of a long history the
rows are made beside (beside.py). Then one transaction in this node's database takes it over. Then the anchor. A node that
dies anywhere in between says hello again and goes on; what it fetched is still there. Recording goes on meanwhile, but
for that one transaction.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from shared.db.engine import read, write
from shared.journal.highest import Outside, ahead_of, jump
from shared.journal.journal import Journal
from shared.journal.reading import hash_at
from shared.logs import get
from sync.beside import Beside, beside
from sync.caller import Caller, Session
from sync.foreseeing import foresee
from sync.giving_back import give_back
from sync.mending import mend
from sync.messages import EpochState
from sync.peers import open_incident
from sync.recovery import Probe, meeting, plan
from sync.staging import fetch

log = get("recovery")


class Recovery:
    """Mends this node's own stream against what its peer holds of it.

    write_anchor brings the anchor file level with the database; in folder is room for rows that are made beside.
    """

    def __init__(
        self,
        caller: Caller,
        journal: Journal,
        outside: Outside,
        write_anchor: Callable[[], None],
        folder: Path | None = None,
    ) -> None:
        self._caller = caller
        self._journal = journal
        self._outside = outside
        self._write_anchor = write_anchor
        self._folder = folder or Path(tempfile.gettempdir())

    def settle(self, session: Session) -> bool:
        """Compare and mend; True when this node's epochs changed, so that a new hello must show them.

        Unproven, OutOfStep, Unreachable: nothing was changed, and the same is tried again after the next hello.
        """
        if "history" not in session.can:
            return False
        meets = self._meets(session)
        found = plan(session.said, session.holds, meets)
        if found.clean:
            self._pass_marks(session)
            give_back(self._caller, session)
            return False
        for step in found.steps:
            fetch(self._caller, session, step)
        with read(self._caller.engine) as conn:
            seen = foresee(conn, self._caller.code, session.holds, meets)
        now, appliers = self._caller.clock.now_ms(), self._journal.appliers
        with beside(self._caller.engine, appliers, self._caller.code, seen, self._folder, now) as made:
            what = self._carry_out(session, meets, made)
            self._journal.notify()
            self._write_anchor()
            if made is not None:
                made.settle(self._caller.engine)
        log.warning("history mended", what=what)
        return True

    def _carry_out(self, session: Session, meets: dict[str, int], made: Beside | None) -> str:
        """The one transaction, and what it says for people."""
        with write(self._caller.engine) as conn:
            mended = mend(conn, self._journal, self._outside, session, meets, made)
            what, evidence = mended.tell()
            open_incident(
                conn,
                self._caller.clock,
                self._caller.peer.code,
                "recovered",
                what,
                level="attention",
                evidence=evidence,
            )
        return what

    def _meets(self, session: Session) -> dict[str, int]:
        """For every epoch that both know, the last place where the chains agree."""
        ours = {state.epoch: state for state in session.said}
        return {
            theirs.epoch: meeting(
                ours[theirs.epoch],
                theirs,
                partial(self._own_hash, theirs.epoch),
                self._probe(session, theirs),
            )
            for theirs in session.holds
            if theirs.epoch in ours
        }

    def _own_hash(self, epoch: str, place: int) -> str | None:
        with read(self._caller.engine) as conn:
            return hash_at(conn, self._caller.code, epoch, place)

    def _probe(self, session: Session, theirs: EpochState) -> Probe:
        return lambda places: self._caller.probe(session, theirs.epoch, places)

    def _pass_marks(self, session: Session) -> None:
        """Numbers that the peer heard of and we did not give out in this life: they are on steel, and never again."""
        with read(self._caller.engine) as conn:
            names = ahead_of(conn, self._outside, session.counters)
        if not names:
            return
        with write(self._caller.engine) as conn:
            jump(conn, self._outside, session.counters)
            what = f"{self._caller.peer.code} knows higher numbers than this node: {', '.join(names)} jumped."
            evidence = str({name: session.counters[name] for name in names})
            open_incident(conn, self._caller.clock, self._caller.peer.code, "numbers_ahead", what, evidence=evidence)
        self._write_anchor()
