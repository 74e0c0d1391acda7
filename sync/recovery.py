"""What an author must mend after a restore, decided from positions (sync-protocol.md, 1.3). Pure: no database, no wire.

Two nodes hold chains of the same stream, an author its own and a reader a copy. Either may have been put back to an
older state, the author may have written on from there, or two installations of one author may both be running. Chains
of one epoch agree up to some entry and nowhere after it, so everything follows from that one number an epoch:

    forgotten   the reader holds an epoch we do not know: take it whole, before the epochs that it does not know
    fork        both wrote on from the same entry: ours go aside, the reader's are taken, our facts are carried
    behind      the reader holds more of what we have: take the rest
    superseded  the reader knows a child of an epoch that we wrote on in, or has taken a later one since: our rest goes
                aside, its facts are carried

To carry is to give the same facts (same id, same bytes) new places at the end of the newest epoch. What was taken stays
in the journal: a restored reader may need it back. Whenever the present epoch is known to the reader and is touched, or
an epoch was forgotten, a child epoch is opened, so that no place is ever given twice. Applying a plan makes the two
sides agree in every epoch that both know; so the same comparison never asks for it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sync.messages import ZERO_HASH, EpochState

Cause = Literal["forgotten", "fork", "behind", "superseded"]

OwnHash = Callable[[int], str | None]
"""Place -> our chain's hash there."""

Probe = Callable[[Sequence[int]], Sequence[str]]
"""Places -> the reader's hashes there."""

PROBED_AT_ONCE = 64
"""Places asked in one probe: a chain of 16 million entries is searched in four."""


@dataclass(frozen=True)
class Step:
    """One epoch to mend.

    state the reader's: its last entry, that entry's hash, the epoch's parent
    keep  our entries after this place go aside and their facts are carried
    take  the reader's entries keep+1..take become ours; take == keep when there are none
    """

    cause: Cause
    state: EpochState
    keep: int
    take: int

    @property
    def epoch(self) -> str:
        """The epoch's id."""
        return self.state.epoch

    @property
    def head(self) -> str:
        """The reader's hash at its last entry."""
        return self.state.hash


@dataclass(frozen=True)
class Rebase:
    """An epoch of ours that stands on another entry from now on: the one it grew from goes aside, or went long ago."""

    epoch: str
    parent: str
    seq: int


@dataclass(frozen=True)
class Plan:
    """All that is to be done, in one transaction.

    order   our epochs afterwards, oldest first, without the child
    steps   in that order
    rebased epochs whose branch point moves
    parent  the epoch from whose last entry a new present epoch grows; empty when none is opened
    folded  epochs of ours that are given up whole, their facts carried
    """

    order: tuple[str, ...]
    steps: tuple[Step, ...]
    rebased: tuple[Rebase, ...]
    parent: str
    folded: tuple[str, ...] = ()

    @property
    def child(self) -> bool:
        """Whether a new epoch is opened."""
        return bool(self.parent)

    @property
    def clean(self) -> bool:
        """Whether there is nothing to do."""
        return not self.steps and not self.rebased


def meeting(own: EpochState, held: EpochState, own_hash: OwnHash, probe: Probe) -> int:
    """The last place of an epoch where our chain and the reader's agree; `probe` is asked only where they part."""
    top = min(own.seq, held.seq)
    theirs = held.hash if held.seq <= own.seq else held.meets
    if top == 0 or own_hash(top) == theirs:
        return top
    return last_equal(0, top, own_hash, probe)


def last_equal(equal: int, differs: int, own_hash: OwnHash, probe: Probe) -> int:
    """Between a place where the chains agree and a later one where they do not: the last where they agree."""
    while differs - equal > 1:
        width = max(1, (differs - equal) // (PROBED_AT_ONCE + 1))
        places = list(range(equal + width, differs, width))[:PROBED_AT_ONCE]
        hashes = probe(places)
        if len(hashes) != len(places):
            raise ValueError("a probe was answered with another number of hashes")
        for place, theirs in zip(places, hashes, strict=True):
            if own_hash(place) != theirs:
                differs = place
                break
            equal = place
    return equal


def plan(own: Sequence[EpochState], held: Sequence[EpochState], meets: Mapping[str, int]) -> Plan:
    """What is to be done.

    own    our epochs, oldest first, the last is the present one
    held   what the reader holds of each, in its order
    meets  for every epoch that both know: the last place where the chains agree
    """
    branched = {state.parent.epoch for state in held if state.parent is not None}
    theirs = {state.epoch: state for state in held}
    # a child of an epoch that was still empty is known without its parent
    theirs |= {s.epoch: _empty(s) for s in own if s.epoch in branched and s.epoch not in theirs}
    ours = {state.epoch: state for state in own}
    order = merge(own, held)
    ended = branched | _followed(order, theirs)
    found = (
        _step(theirs[epoch], ours.get(epoch), meets.get(epoch, 0), epoch in ended) for epoch in order if epoch in theirs
    )
    steps = tuple(step for step in found if step is not None)
    return Plan(order, steps, _rebased(own, theirs, steps), _parent_of_child(own, theirs, order, steps))


def fold(found: Plan, own: Sequence[EpochState], held: Sequence[EpochState]) -> Plan:
    """The same plan with every epoch that only we know given up whole: its facts begin again in the child.

    For epochs written after a restore that repeat, with other bytes, facts which the reader holds: the same causes were
    read again. Nobody has seen those epochs, so nothing but a clean new one need remain of them.
    """
    seen = {state.epoch for state in held}
    order = tuple(epoch for epoch in found.order if epoch in seen)
    folded = tuple(state.epoch for state in own if state.epoch not in seen)
    steps = tuple(step for step in found.steps if step.epoch in seen)
    return Plan(order, steps, (), order[-1], folded)


def merge(own: Sequence[EpochState], held: Sequence[EpochState]) -> tuple[str, ...]:
    """One order of epochs: ours, with each that only the reader knows after its predecessor there and its parent.

    So what the reader has seen (and perhaps applied) comes before what nobody has seen but us. The author's order
    counts: the reader takes it over from the next hello.
    """
    order = [state.epoch for state in own]
    at = 0
    for state in held:
        if state.epoch not in order:
            parent = state.parent.epoch if state.parent is not None else ""
            at = max(at, order.index(parent) + 1 if parent in order else 0)
            order.insert(at, state.epoch)
        at = order.index(state.epoch) + 1
    return tuple(order)


def _followed(order: Sequence[str], theirs: Mapping[str, EpochState]) -> set[str]:
    """Epochs with a later one of which the reader holds entries, and perhaps applied them: what would come to these now
    would come before that. An author rolled back to before a later epoch writes on in one of them, without knowing."""
    last = max((place for place, epoch in enumerate(order) if epoch in theirs and theirs[epoch].seq), default=0)
    return set(order[:last])


def _empty(state: EpochState) -> EpochState:
    return EpochState(state.stream, state.epoch, 0, ZERO_HASH, state.parent)


def _step(theirs: EpochState, ours: EpochState | None, meets: int, ended: bool) -> Step | None:
    if ours is None:
        return Step("forgotten", theirs, 0, theirs.seq)
    if meets < theirs.seq:
        return Step("fork" if ours.seq > meets else "behind", theirs, meets, theirs.seq)
    if ended and ours.seq > theirs.seq:
        return Step("superseded", theirs, theirs.seq, theirs.seq)
    return None


def _rebased(own: Sequence[EpochState], theirs: Mapping[str, EpochState], steps: Sequence[Step]) -> tuple[Rebase, ...]:
    """Where we and the reader say otherwise what an epoch grew from, it came to the reader after a move that we have
    lost since: the reader's word counts. What the reader does not know moves off entries that go aside."""
    keep = {step.epoch: step.keep for step in steps}
    found = []
    for state in own:
        parent, said = state.parent, theirs.get(state.epoch)
        if parent is None:
            continue
        if said is None:
            if parent.seq > keep.get(parent.epoch, parent.seq):
                found.append(Rebase(state.epoch, parent.epoch, keep[parent.epoch]))
        elif said.parent is not None and said.parent != parent:
            found.append(Rebase(state.epoch, said.parent.epoch, said.parent.seq))
    return tuple(found)


def _parent_of_child(
    own: Sequence[EpochState], theirs: Mapping[str, EpochState], order: Sequence[str], steps: Sequence[Step]
) -> str:
    if not own:
        return order[-1] if steps else ""
    present = own[-1].epoch
    touched = any(step.cause == "forgotten" or step.epoch == present for step in steps)
    return present if touched and present in theirs else ""
