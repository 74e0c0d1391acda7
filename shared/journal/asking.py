"""What is being asked for while a command runs: a digest that binds the command's id to who asked and for what.

The web face sets it for each request; work that nobody asked for by a request (Level 2, jobs) has none.
"""

from __future__ import annotations

from contextvars import ContextVar

_asked: ContextVar[str] = ContextVar("asked", default="")


def set_asked(digest: str) -> None:
    """From now on, in this thread or task, this is asked for; '' = nothing."""
    _asked.set(digest)


def get_asked() -> str:
    """The digest of what is being asked for; '' when nobody asks."""
    return _asked.get()
