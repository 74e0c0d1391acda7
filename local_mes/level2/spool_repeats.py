"""Which sequence numbers a link cannot have used lately, known without asking the spool.

A repeat is a message whose number and content lie among the link's last messages. Nearly every message has a number
that none of them has: a table of when each number was last stored says so at once, and only the others are looked up.
The table may say "perhaps" of a number that was not used (two numbers share a place), never "no" of one that was.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from sqlalchemy import Connection

from shared.db.driver import execute

REPEAT_WINDOW = 5_000
"""Messages of a link in which a repeat is recognised: hours of the busiest; fewer where its numbers come round sooner."""
PLACES = 16_384
"""A power of two, above the usual range of numbers (9,999) so that each has a place: 128 KiB a link."""

# the plus keeps SQLite from going through the whole window by its ordinals: each sequence is looked up
_STORED = """
SELECT m.sequence, m.digest, m.spool_id FROM message AS m
WHERE m.link = ? AND m.sequence IN (SELECT value FROM json_each(?)) AND +m.ordinal > ?
"""
_SINCE = "SELECT ordinal, sequence FROM message WHERE link = ? AND ordinal > ?"


class LinkNumbers:
    """The numbers of one link's last messages, up to `last`, its newest ordinal."""

    def __init__(self) -> None:
        self.last = 0
        self._ordinals = array("q", bytes(8 * PLACES))

    def note(self, ordinal: int, sequence: int) -> None:
        """A message is stored."""
        self.last = ordinal
        self._ordinals[sequence % PLACES] = ordinal

    def may_have(self, sequence: int) -> bool:
        """Whether one of the last messages could have this number."""
        return self._ordinals[sequence % PLACES] > max(0, self.last - REPEAT_WINDOW)


class Numbers:
    """The numbers of every link that writes through one thread; others may write to the spool meanwhile."""

    def __init__(self) -> None:
        self._links: dict[str, LinkNumbers] = {}

    def of(self, conn: Connection, link: str, last: int) -> LinkNumbers:
        """A link's, brought up to its newest ordinal `last`."""
        found = self._links.get(link)
        if found is None or found.last > last:
            found = self._links[link] = LinkNumbers()
        if found.last < last:
            since = max(found.last, last - REPEAT_WINDOW)
            for ordinal, sequence in execute(conn, _SINCE, (link, since)):
                found.note(ordinal, sequence)
        return found

    def forget(self) -> None:
        """What was noted was not stored: begin again."""
        self._links.clear()


def find_stored(
    conn: Connection, link: str, sequences: Sequence[int], last: int, window: int
) -> dict[tuple[int, str], int]:
    """The spool's ids of the link's last `window` messages with these numbers, by number and digest."""
    numbers = "[" + ",".join(map(str, sequences)) + "]"
    rows = execute(conn, _STORED, (link, numbers, last - window))
    return {(sequence, digest): spool_id for sequence, digest, spool_id in rows}
