"""Where a piece stands on its route: what is done, where it is, what comes. Pure.

What was done is read from what happened, not from a counter that somebody must keep: operations that made the piece and
what it was made of, and the units it was in. So a step that nobody planned counts, one that Level 2 forgot to tell is
passed when a later one is told, and a plant that never saw the melt shop knows all the same where its own part begins.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from shared.standards.check import TRANSPORT
from shared.standards.route_steps import Rework, Step

State = Literal["done", "passed", "elsewhere", "here", "next", "later"]
YIELDS = {
    "slab_caster": "slab",
    "billet_caster": "billet",
    "finishing_mill": "coil",
    "plate_mill": "plate",
    "bar_mill": "bundle",
    "slitter": "slit",
}
"""What kind of piece comes of a class first: a coil that nobody knows the past of was rolled all the same."""
THIN = 1.1
"""Up to so much of a step's thickness a piece has been through it: rolling tolerance and the zinc on thin strip."""


@dataclass(frozen=True)
class Seen:
    """The piece, or what it was made of, was in a unit: worked there (made), or moved there."""

    unit: str
    unit_class: str
    at_ms: int
    made: bool = False


@dataclass(frozen=True)
class Trail:
    """What is known of a piece's way, oldest first.

    inside     the class of the unit that it is in and that has not made it; empty: in a yard, on its way
    sent_back  when people sent it, or what it was made of, to rework
    since_ms   when it came into the unit that it is in, None outside
    line       ids of the piece and of all that it was made of
    thickness_um  of the piece as it is, 0 where nobody knows it
    """

    kind: str
    seen: tuple[Seen, ...] = ()
    inside: str = ""
    sent_back: tuple[int, ...] = ()
    since_ms: int | None = None
    line: frozenset[str] = frozenset()
    thickness_um: int = 0


@dataclass(frozen=True)
class Stage:
    """One step of the route for one piece. passed: a later one is known, this one was not told."""

    step: Step
    state: State
    unit: str = ""
    at_ms: int | None = None


@dataclass(frozen=True)
class Way:
    """A piece on its route.

    loop     the rework that it is on
    blocked  why it goes nowhere, in words
    goal     where it goes: the next step, or the one it is in as long as a class of it is still to be seen
    left     classes of the goal that it has not seen yet
    """

    stages: tuple[Stage, ...]
    loop: Rework | None = None
    blocked: str = ""
    goal: Stage | None = None
    left: frozenset[str] = frozenset()

    @property
    def next(self) -> Stage | None:
        """The step that comes, None when the route is at its end."""
        return next((stage for stage in self.stages if stage.state == "next"), None)

    @property
    def here(self) -> Stage | None:
        """The step it is in."""
        return next((stage for stage in self.stages if stage.state == "here"), None)

    @property
    def last(self) -> Stage | None:
        """The latest step that is behind it here."""
        return next((stage for stage in reversed(self.stages) if stage.state in ("done", "passed")), None)


def follow(steps: Sequence[Step], trail: Trail, has: Collection[str]) -> Way:
    """Where a piece stands at a plant that has these classes of equipment."""
    loop, since, blocked = _sent_back(steps, trail)
    first = steps.index(next(s for s in steps if s.number == loop.to)) if loop else 0
    told = _told(steps, trail.seen)
    if loop:
        told = {at: seen for at, seen in told.items() if at < first or seen[-1].at_ms > since}
    whole = [at for at, seen in told.items() if _is_whole(steps[at], seen)]
    behind = max([*whole, first - 1 if loop else max(_floor(steps, trail), _before_mine(steps, has))])
    here = next((at for at, s in enumerate(steps) if at >= behind and trail.inside in s.all_classes), None)
    here = here if trail.inside else None
    comes = max(behind, -1 if here is None else here) + 1
    mine = _mine(steps, has)
    stages = tuple(
        Stage(step, _state(at, behind, here, comes, at in told, at in mine), *_when(told.get(at)))
        for at, step in enumerate(steps)
    )
    at, left = _goal(steps, trail, here, comes, told)
    return Way(stages, loop, blocked, stages[at] if at < len(steps) else None, left)


def _state(at: int, behind: int, here: int | None, comes: int, is_told: bool, is_mine: bool) -> State:
    if at == here:
        return "here"
    if at < comes:
        return "done" if is_told else "passed" if is_mine else "elsewhere"
    return "next" if at == comes else "later"


def _told(steps: Sequence[Step], seen: Sequence[Seen]) -> dict[int, tuple[Seen, ...]]:
    """Step by position -> what was seen of it. A class that several steps name is counted: one piece of work a step."""
    found: dict[int, tuple[Seen, ...]] = {}
    for at, step in enumerate(steps):
        of_step: list[Seen] = []
        for name in step.all_classes:
            own = [one for one in seen if one.unit_class == name]
            shared = [n for n, other in enumerate(steps) if name in other.all_classes]
            if len(shared) > 1:
                worked = [one for one in own if one.made]
                turn = shared.index(at)
                own = worked[turn : turn + 1] if at != shared[-1] else worked[turn:]
            of_step += own
        if of_step:
            found[at] = tuple(sorted(of_step, key=lambda one: one.at_ms))
    return found


def _is_whole(step: Step, seen: Sequence[Seen]) -> bool:
    classes = {one.unit_class for one in seen}
    return any(classes >= set(way.classes) for way in step.ways)


def _when(seen: Sequence[Seen] | None) -> tuple[str, int | None]:
    return (seen[-1].unit, seen[-1].at_ms) if seen else ("", None)


def _goal(
    steps: Sequence[Step], trail: Trail, here: int | None, comes: int, told: dict[int, tuple[Seen, ...]]
) -> tuple[int, frozenset[str]]:
    """Position of the step it goes to, and the classes of it that are still to be seen."""
    if here is not None:
        seen = {one.unit_class for one in told.get(here, ())} | {trail.inside}
        if not any(seen >= set(way.classes) for way in steps[here].ways):
            return here, steps[here].all_classes - seen
    if trail.kind == "heat" and any(name in YIELDS for step in steps[:comes] for name in step.all_classes):
        return len(steps), frozenset()  # its pieces go on, the heat itself is at its end
    seen = {one.unit_class for one in told.get(comes, ())}
    return comes, steps[comes].all_classes - seen if comes < len(steps) else frozenset()


def _floor(steps: Sequence[Step], trail: Trail) -> int:
    """The step that must be behind a piece of this kind, and one as thin as this; -1 when none says so."""
    made = (at for at, step in enumerate(steps) if any(YIELDS.get(name) == trail.kind for name in step.all_classes))
    thin = [at for at, step in enumerate(steps) if 0 < trail.thickness_um <= step.aims.get("thickness_um", 0) * THIN]
    return max([next(made, -1), *thin])


def _mine(steps: Sequence[Step], has: Collection[str]) -> set[int]:
    """Positions of the steps in the parts of the route, cut at its transports, that this plant takes part in."""
    parts: list[list[int]] = [[]]
    for at, step in enumerate(steps):
        if TRANSPORT in step.all_classes:
            parts.append([])
        else:
            parts[-1].append(at)
    return {at for part in parts if any(steps[at].all_classes & set(has) for at in part) for at in part}


def _before_mine(steps: Sequence[Step], has: Collection[str]) -> int:
    """The last step before this plant's first part: done elsewhere, else the piece would not be here."""
    return min(_mine(steps, has), default=0) - 1


def _sent_back(steps: Sequence[Step], trail: Trail) -> tuple[Rework | None, int, str]:
    """The loop of the latest word that sent the piece to rework, when that was, and why it cannot be followed."""
    if not trail.sent_back:
        return None, 0, ""
    since = trail.sent_back[-1]
    before = _told(steps, [one for one in trail.seen if one.at_ms <= since])
    reached = max(before, default=_floor(steps, trail))
    loops = [(step, loop) for step in steps[: reached + 1] for loop in step.rework]
    if not loops:
        return None, since, "It was sent to rework, and its route says nowhere how: a person must decide."
    step, loop = loops[-1]
    if len(trail.sent_back) > loop.at_most:
        rounds = len(trail.sent_back)
        return loop, since, f"Sent to rework {rounds} times; behind step {step.number} {loop.at_most} is the most."
    return loop, since, ""
