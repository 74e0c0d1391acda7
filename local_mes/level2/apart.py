"""A part of a transaction that is undone alone when it is refused: what stands around it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared.journal.journal import Work


@contextmanager
def apart(tx: Work) -> Iterator[None]:
    """What is done within is wholly there, or, when it raises, not at all; the error goes on."""
    recorded = len(tx.recorded)
    try:
        with tx.conn.begin_nested():
            yield
    except BaseException:
        del tx.recorded[recorded:]
        raise
