"""The numbers a peer gives its messages: which are missing, and when it began to count anew. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

MISSING_MAX = 100
"""Stretches of missing numbers that are remembered, so that a late one is known as such."""


OPEN_MAX = 32
"""So many may be under way at once: a count that begins again just before its end has rather lost those."""


@dataclass(frozen=True)
class Break:
    """The count did not go on. first to last are missing; none are where the peer began anew."""

    why: str
    first: int | None = None
    last: int | None = None
    count: int = 0


@dataclass
class SequenceWatch:
    """One link's count, from first to last and then first again. seen: the newest number, None before any."""

    first: int = 1
    last: int = 9999
    seen: int | None = None
    missing: list[tuple[int, int]] = field(default_factory=list)

    def hear(self, sequence: int) -> Break | None:
        """A new message (no repeat). What its number says of those before it, if anything."""
        if not self.first <= sequence <= self.last:
            return None  # no number: the message carries none
        before, self.seen = self.seen, sequence
        if before is None or sequence == before + 1 or sequence == self._after(before):
            return None
        if self._fill(sequence):
            self.seen = before
            return None
        ahead = (sequence - self._after(before)) % self._size
        if ahead > self._size // 2 or (sequence == self.first and ahead > OPEN_MAX):
            self.missing.clear()
            return Break(f"The peer counts from {sequence} again, after {before}.")
        return self._gap(self._after(before), self._before(sequence), ahead)

    @property
    def _size(self) -> int:
        return self.last - self.first + 1

    def _after(self, sequence: int) -> int:
        return self.first if sequence >= self.last else sequence + 1

    def _before(self, sequence: int) -> int:
        return self.last if sequence <= self.first else sequence - 1

    def _gap(self, first: int, last: int, count: int) -> Break:
        self.missing = [*self.missing, (first, last)][-MISSING_MAX:]
        said = str(first) if first == last else f"{first} to {last}"
        return Break(f"Sequence {said} missing.", first, last, count)

    def _fill(self, sequence: int) -> bool:
        """Whether it was missing; a stretch that wraps is remembered whole and filled only at its ends."""
        for i, (first, last) in enumerate(self.missing):
            within = first <= sequence <= last if first <= last else sequence >= first or sequence <= last
            if within:
                parts = [(first, self._before(sequence))] if sequence != first else []
                parts += [(self._after(sequence), last)] if sequence != last else []
                self.missing[i : i + 1] = parts
                return True
        return False
