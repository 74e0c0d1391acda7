"""Each safety rule taken away in turn, by patching a named function: the campaign must notice every one of them.

No setting of the product can do this; a rule whose removal no history notices would be an untested rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from unittest.mock import patch

from campaign.history import plan, play
from campaign.rules import RULES, Rule
from campaign.worlds import Kind, WorldName


@dataclass(frozen=True)
class Ablated:
    """What became of a rule's histories; first is the first seed that broke and what broke there."""

    rule: str
    histories: int
    broken: int
    first: str


def rules_of(world: WorldName) -> list[Rule]:
    """The rules that this world can be without."""
    return [rule for rule in RULES if world in rule.without]


def ablate(rule: Rule, kind: Kind, seeds: Sequence[int], enough: int | None = None) -> Ablated:
    """Play histories without a rule, until `enough` of them broke."""
    broken, first, count = 0, "", 0
    for seed in seeds:
        count += 1
        with taken_away(rule, kind.name):
            outcome = play(kind.open_group, seed, plan(seed, kind.steps))
        if outcome.number:
            broken += 1
            first = first or f"seed {seed}: {outcome.violation}"
        if broken == enough:
            break
    return Ablated(rule.name, count, broken, first)


@contextmanager
def taken_away(rule: Rule, world: WorldName) -> Iterator[None]:
    """The product without this rule."""
    with ExitStack() as stack:
        for where, name, instead in rule.without[world]():
            stack.enter_context(patch.object(where, name, instead))
        yield


def table(kind: Kind, seeds: Sequence[int]) -> str:
    """The share of histories that break without each rule, as a table in Markdown."""
    lines = [
        f"| rule taken away ({kind.name}, {len(seeds)} histories) | histories that break | first |",
        "|---|---|---|",
    ]
    for rule in rules_of(kind.name):
        found = ablate(rule, kind, seeds)
        first = found.first.replace("|", "/")[:90]
        lines.append(f"| {rule.name} | {100 * found.broken / found.histories:.1f} % | {first} |")
    return "\n".join(lines)
