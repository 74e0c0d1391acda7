"""Who misses what: arithmetic on positions, without a database. No function changes its arguments.

A position says how far one epoch of one stream goes. The author's positions are its heads; the reader's are what it
holds durably. The reader's word always wins, also when it is lower than what it once acknowledged: then it was
restored from a backup and wants the rest again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sync.messages import ZERO_HASH, EpochState


@dataclass(frozen=True)
class Span:
    """Entries first..last of one epoch that the reader does not hold yet."""

    stream: str
    epoch: str
    first: int
    last: int

    @property
    def entries(self) -> int:
        """How many entries that is."""
        return self.last - self.first + 1


def missing(heads: Sequence[EpochState], held: Iterable[EpochState]) -> tuple[Span, ...]:
    """What the reader lacks, oldest epoch first (the order of `heads`). A reader that is ahead lacks nothing."""
    have = {(h.stream, h.epoch): h.seq for h in held}
    spans = (Span(h.stream, h.epoch, have.get((h.stream, h.epoch), 0) + 1, h.seq) for h in heads)
    return tuple(span for span in spans if span.last >= span.first)


def waiting(heads: Sequence[EpochState], held: Iterable[EpochState]) -> int:
    """How many entries the reader lacks."""
    return sum(span.entries for span in missing(heads, held))


def ahead(heads: Sequence[EpochState], held: Iterable[EpochState]) -> tuple[EpochState, ...]:
    """Epochs of which the reader holds more than their author: the author was restored from a backup."""
    top = {(h.stream, h.epoch): h.seq for h in heads}
    return tuple(h for h in held if h.seq > top.get((h.stream, h.epoch), 0))


def in_tree_order(epochs: Iterable[EpochState]) -> tuple[EpochState, ...]:
    """Parents before children, otherwise as given; an epoch whose parent is not among them counts as a root."""
    given = list(epochs)
    known = {(e.stream, e.epoch) for e in given}
    placed: dict[tuple[str, str], EpochState] = {}
    while given:
        rest = [e for e in given if not _parent_is_placed(e, known, placed)]
        for epoch in given:
            if epoch not in rest:
                placed[epoch.stream, epoch.epoch] = epoch
        if len(rest) == len(given):
            raise ValueError("the epochs form a ring")
        given = rest
    return tuple(placed.values())


def start(stream: str, epoch: str) -> EpochState:
    """The position before the first entry of an epoch."""
    return EpochState(stream, epoch, 0, ZERO_HASH)


def _parent_is_placed(
    epoch: EpochState, known: set[tuple[str, str]], placed: dict[tuple[str, str], EpochState]
) -> bool:
    if epoch.parent is None:
        return True
    key = (epoch.stream, epoch.parent.epoch)
    return key in placed or key not in known
