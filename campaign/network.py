"""The line from a plant to its hub, with its weather: what is lost, late, doubled, cut or overtaken, as the dice say."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Generic, TypeVar

from sync.errors import SyncError, Unreachable

Q = TypeVar("Q")
A = TypeVar("A")

LATE_MAX = 12
"""Requests that are under way at once: more of them are only more of the same."""


@dataclass(frozen=True)
class Weather:
    """Chances, 0 to 1, of what may happen to one request.

    late     an older request arrives now, before this one (so requests overtake each other)
    lost     it never arrives           delayed  it arrives some day, after newer ones
    cut      it arrives in part         doubled  it arrives twice, now or also later
    silent   it arrives, its answer does not
    """

    late: float = 0.0
    lost: float = 0.0
    delayed: float = 0.0
    cut: float = 0.0
    doubled: float = 0.0
    silent: float = 0.0


CLEAR = Weather()
ROUGH = Weather(late=0.12, lost=0.05, delayed=0.05, cut=0.02, doubled=0.08, silent=0.07)


class Wrong(Exception):
    """The receiver took what it must not. number is the invariant."""

    def __init__(self, number: str, what: str) -> None:
        super().__init__(f"{number}: {what}")
        self.number = number


@dataclass
class Hellos:
    """How many hellos of a plant have arrived, over all its lines: each ends the sessions before it."""

    arrived: int = 0


@dataclass
class Line(Generic[Q, A]):
    """One caller's line. deliver hands a request to whoever answers now; opens tells a hello from other requests; cut
    shortens a request (None: cannot be cut); watch is what a request of an ended session must leave as it is."""

    deliver: Callable[[Q], A]
    opens: Callable[[Q], bool]
    cut: Callable[[Q, Random], Q] | None = None
    watch: Callable[[], object] = lambda: None
    hellos: Hellos = field(default_factory=Hellos)
    dice: Random = field(default_factory=lambda: Random(0))
    weather: Weather = CLEAR
    late: list[tuple[Q, int]] = field(default_factory=list)

    def call(self, request: Q) -> A:
        """The answer. Raises Unreachable when the weather takes it, else what the receiver raises."""
        happens, weather = self._happens, self.weather
        if self.late and happens(weather.late):
            self.deliver_late()
        if happens(weather.lost):
            raise Unreachable("campaign.lost", "The request was lost.")
        if happens(weather.delayed):
            self._keep(request)
            raise Unreachable("campaign.delayed", "The request is still under way.")
        if self.cut is not None and happens(weather.cut):
            self.deliver(self.cut(request, self.dice))
            raise Wrong("I2", "a request that was cut on the way was accepted")
        answer = self._arrive(request)
        if happens(weather.doubled):
            answer = self._again(request, answer)
        if happens(weather.silent):
            raise Unreachable("campaign.silent", "The answer was lost.")
        return answer

    def deliver_late(self) -> None:
        """One of the requests under way arrives; nobody waits for its answer any more."""
        request, hellos = self.late.pop(self.dice.randrange(len(self.late)))
        ended = hellos < self.hellos.arrived and not self.opens(request)
        before = self.watch() if ended else None
        with contextlib.suppress(SyncError):
            self._arrive(request)
        if ended and self.watch() != before:
            raise Wrong("I6", "a request of an ended session changed what the hub holds")

    def _arrive(self, request: Q) -> A:
        answer = self.deliver(request)
        if self.opens(request):
            self.hellos.arrived += 1
        return answer

    def _again(self, request: Q, answer: A) -> A:
        if self.dice.random() < 0.5:
            self._keep(request)
            return answer
        return self._arrive(request)

    def _keep(self, request: Q) -> None:
        self.late.append((request, self.hellos.arrived))
        del self.late[:-LATE_MAX]

    def _happens(self, chance: float) -> bool:
        return chance > 0 and self.dice.random() < chance
