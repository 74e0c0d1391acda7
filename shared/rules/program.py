"""An expression made ready once: both conditions compiled over one set of variables, and the scale of each input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from shared.rules.cel import CelEngine
from shared.rules.condition import Condition, compile_condition
from shared.rules.port import Engine, ValueType
from shared.rules.vocabulary import INTERNAL_PER_UNIT

ENGINE: Engine = CelEngine()


@dataclass(frozen=True)
class Program:
    """What evaluation needs of a rule's expression.

    applies  for which pieces the rule speaks; None: for all
    units    name -> the unit the rule sees it in; scales: name and how many stored integers make one of that unit
    """

    applies: Condition | None
    condition: Condition
    units: Mapping[str, str]
    scales: tuple[tuple[str, int], ...]


@lru_cache(maxsize=1_000)  # conditions in force in one process: tens; compiling one takes 100 us and more
def compiled(source: str, variables: tuple[tuple[str, ValueType], ...]) -> Condition:
    """A condition compiled once a process."""
    return compile_condition(ENGINE, source, dict(variables))


def program_of(variables: tuple[tuple[str, ValueType, str], ...], applies: str, condition: str) -> Program:
    """The program of an expression; variables: name, type and unit. SourceError for what does not compile."""
    typed = tuple((name, kind) for name, kind, _ in variables)
    return Program(
        compiled(applies, typed) if applies else None,
        compiled(condition, typed),
        {name: unit for name, _, unit in variables},
        tuple((name, INTERNAL_PER_UNIT[unit]) for name, _, unit in variables),
    )
