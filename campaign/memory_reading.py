"""What the judge reads of a site of the memory world."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

from campaign.site import START_MS, Tip
from campaign.store import Database


class MemoryReading:
    """A site's state, and its reads."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.old = False
        self.disk = Database()
        self.clock_ms = START_MS
        self.remakes: Counter[str] = Counter()

    def facts(self, stream: str) -> set[str]:
        """Ids of all facts in a stream."""
        return {fact.fact_id for chain in self.disk.streams().get(stream, ()) for fact in chain.facts}

    def applied(self, author: str) -> set[str]:
        """Ids of the author's facts that had their effect."""
        return set(self.disk.rows[author].done) if author in self.disk.rows else set()

    def set_aside(self, author: str) -> dict[str, str]:
        """What of the author's is kept out, and how."""
        rows = self.disk.rows.get(author)
        return {fact_id: state for fact_id, (state, _) in rows.aside.items()} if rows else {}

    def tips(self, stream: str) -> list[Tip]:
        """The epochs of a stream, in order."""
        return [
            Tip(c.epoch, c.head, c.hashes[-1], (c.parent.epoch, c.parent.seq, c.parent.hash) if c.parent else None)
            for c in self.disk.streams().get(stream, ())
        ]

    def hash_at(self, stream: str, epoch: str, seq: int) -> str | None:
        """The chain at one place."""
        return next((c.at(seq) for c in self.disk.streams().get(stream, ()) if c.epoch == epoch), None)

    def held(self) -> dict[tuple[str, str], tuple[int, str]]:
        """What is held of plants' own streams."""
        return {
            (stream, chain.epoch): (chain.head, chain.hashes[-1])
            for stream, chains in self.disk.copies.items()
            if ">" not in stream
            for chain in chains
        }

    def through(self, author: str) -> int:
        """The highest promise."""
        return self.disk.through.get(author, 0)

    def times(self, stream: str) -> dict[str, int]:
        """recorded_at of each fact."""
        return {f.fact_id: f.recorded_ms for c in self.disk.streams().get(stream, ()) for f in c.facts}

    def remade(self, author: str) -> int:
        """Since the history began."""
        return self.remakes[author]

    def repeated(self, author: str) -> list[str]:
        """By what the subjects went through."""
        rows = self.disk.rows.get(author)
        return [
            fact for facts in (rows.subjects.values() if rows else ()) for fact, n in Counter(facts).items() if n > 1
        ]

    def incidents(self) -> int:
        """How many recoveries there were."""
        return self.disk.incidents

    def findings(self) -> list[str]:
        """Places whose hash is wrong."""
        return [
            f"stream {stream}, epoch {chain.epoch[:6]}, entry {place}"
            for stream, chains in self.disk.streams().items()
            for chain in chains
            if (place := chain.broken())
        ]

    def content(self, author: str) -> str:
        """A hash over what every subject has gone through."""
        rows = self.disk.rows.get(author)
        return sha256(repr(sorted(rows.subjects.items()) if rows else []).encode()).hexdigest()

    def rebuilt(self, authors: tuple[str, ...]) -> dict[str, str]:
        """The same after a rebuild, on a copy."""
        other = MemoryReading(self.code)
        other.disk = self.disk.copy()
        other.disk.rebuild(self.old)
        return {author: other.content(author) for author in authors}
