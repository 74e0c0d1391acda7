"""Histories that once found a fault, kept for ever. What each found is said beside it.

Seeds draw their steps from the list of deeds, so a new deed makes other histories of them; what a seed found is also
written down as steps in test_cases_*.py where it is worth it.
"""

from __future__ import annotations

import pytest

from campaign.history import plan, play
from campaign.worlds import MEMORY, SQLITE

PINNED = [
    (MEMORY, 50, 114),  # a hello that was long under way counted as a second installation
    (MEMORY, 50, 209),  # a hub restored while its anchor lagged used places of its way down again
    (MEMORY, 50, 1341),  # an epoch grew after a later one was applied: rows in another order than their author's
    (MEMORY, 60, 3244),  # a stream that was wholly gone was no restore when its anchor named an empty epoch
    (MEMORY, 60, 11155),  # an epoch with two parents, after its move was lost in a restore
    (MEMORY, 60, 33260),  # a watermark before the head, where times do not rise
    (MEMORY, 60, 33731),  # numbers given out in a life whose stream is gone
    (MEMORY, 60, 1482),  # sessions of a backup were valid again
    (SQLITE, 25, 35),  # the hub restored to before an enrolment
    (SQLITE, 25, 70),  # a late hello again, on the real desk
]


@pytest.mark.parametrize(("kind", "steps", "seed"), PINNED, ids=lambda v: getattr(v, "name", str(v)))
def test_history(kind, steps, seed):
    outcome = play(kind.open_group, seed, plan(seed, steps))
    assert outcome.violation == "", "\n".join(outcome.trace)
