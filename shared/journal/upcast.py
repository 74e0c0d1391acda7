"""From an older version of a payload to the next: pure steps on the decoded payload, kept for ever.

    @upcast("MaterialTurned", 1)
    def with_face(old: dict[str, Any]) -> dict[str, Any]:
        return {**old, "face": "top"}

A fact's bytes never change; whoever reads an old one takes the steps up to the version of today. A step knows only what
the payload says: no clock, no database, and it does not change its argument.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

Upcast = Callable[[dict[str, Any]], dict[str, Any]]

_STEPS: dict[tuple[str, int], Upcast] = {}


def upcast(name: str, version: int) -> Callable[[Upcast], Upcast]:
    """Register the step from `version` of a type to `version + 1`."""

    def register(step: Upcast) -> Upcast:
        if (name, version) in _STEPS:
            raise TypeError(f"{name} v{version} has an upcast already")
        _STEPS[name, version] = step
        return step

    return register


def steps() -> dict[tuple[str, int], Upcast]:
    """All steps by (name, version they start from)."""
    return dict(_STEPS)


def needs_upcast(name: str, version: int) -> bool:
    """Whether this version is an old one that has a step up."""
    return (name, version) in _STEPS


def lift(name: str, version: int, payload: bytes) -> tuple[int, dict[str, Any]]:
    """(newest version, payload as it would say it). msgspec.DecodeError for a payload that no step can take."""
    value: dict[str, Any] = msgspec.json.decode(payload, type=dict[str, Any])
    while (step := _STEPS.get((name, version))) is not None:
        try:
            value, version = step(value), version + 1
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise msgspec.DecodeError(f"{name} v{version} cannot be read as v{version + 1}: {error!r}") from error
    return version, value
