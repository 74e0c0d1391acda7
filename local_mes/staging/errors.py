"""Refusals about trials in a staging copy."""

from __future__ import annotations

from shared.errors import Refused


def nothing_captured() -> Refused:
    """The spool has nothing of that day."""
    return Refused(
        "staging.nothing",
        "Of that day the spool has no message any more, or none was told.",
        todo="Choose a later day; the setting spool_days says how long messages stay.",
    )


def too_long(most: int, what: str) -> Refused:
    """A trial is bounded."""
    return Refused(
        "staging.too_long", f"There are more than {most:,} {what}.", todo="Try it on a day's decisions instead."
    )


def runs_already(what: str) -> Refused:
    """One at a time."""
    return Refused("staging.runs", f"A trial of {what} runs already.", todo="Wait for its end, or stop it.")
