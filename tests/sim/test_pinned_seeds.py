"""Histories that once found a fault, kept for ever as the steps that were left when they were made short.

Each is played in both worlds: a fault of the rules was found in memory, one of their use on SQLite.
"""

from __future__ import annotations

import pytest

from campaign.history import play, steps_of
from campaign.worlds import MEMORY, SQLITE

PINNED = {
    "a clock back at 1970 after a restore": (
        19,
        "2 keep_copy, 10 set_clock, 17 write, 20 exchange, 24 restore_plant, 32 write",
    ),
    "the hub restored to before an enrolment": (35, "1 keep_copy, 15 lose_plant, 19 restore_hub"),
    "a hello long under way counted as a second installation": (
        114,
        "27 keep_copy, 30 exchange, 31 write, 35 exchange, 36 restore_plant, 38 exchange",
    ),
    "places of a way down used again after a restore of the hub": (
        209,
        "2 write, 3 write_down, 9 keep_copy, 14 exchange, 16 apply, 26 write_down, 28 exchange, 29 restore_hub,"
        " 30 write_down",
    ),
    "an epoch that grew after a later one was applied": (
        1341,
        "3 write, 8 clone_plant, 9 restart, 12 exchange, 17 exchange, 19 restart, 25 exchange, 26 write, 27 write,"
        " 28 apply",
    ),
    "sessions of a backup were valid again": (
        1482,
        "4 write, 8 exchange, 13 keep_copy, 18 exchange, 25 restore_hub",
    ),
    "a stream wholly gone whose anchor names an empty epoch": (
        3244,
        "1 keep_copy, 9 write, 13 exchange, 14 restore_plant_twice, 17 exchange, 19 restore_plant_twice, 30 write",
    ),
    "a machine rolled back to before an epoch that the hub has": (
        23977,
        "2 keep_copy, 6 write, 8 keep_copy, 9 exchange, 10 restore_plant, 11 write, 19 exchange, 21 apply,"
        " 25 restore_plant, 36 write",
    ),
    "the same, with the later epoch from an empty journal": (
        13145,
        "6 keep_copy, 11 write, 26 exchange, 27 write, 41 keep_copy, 43 restore_plant_twice, 44 exchange, 48 apply,"
        " 49 restore_plant_twice",
    ),
    "the same, with an epoch in between that the hub never heard of": (
        20908,
        "1 write_poison, 2 write_down, 3 write, 4 keep_copy, 6 exchange, 8 keep_copy, 12 write, 24 keep_copy,"
        " 30 restore_plant_twice, 39 roll_back_superseded, 40 restore_plant_twice, 41 apply",
    ),
    "a promise made after a backup that lacks no entry": (
        8348,
        "1 write, 11 set_clock, 12 keep_copy, 16 exchange, 17 restore_plant, 18 write",
    ),
    "seals of a way down whose entries went aside": (
        16,
        "16 write_down, 17 exchange, 27 keep_copy, 35 write_down, 38 exchange, 45 restore_hub",
    ),
    "an epoch with two parents after its move was lost": (
        11155,
        "3 write, 18 keep_copy, 21 exchange, 22 write, 26 keep_copy, 32 restore_plant, 39 exchange, 42 restore_plant,"
        " 44 keep_copy, 48 exchange, 53 restore_plant",
    ),
    "a watermark before the head where times do not rise": (
        33260,
        "10 write, 15 write, 16 keep_copy, 19 set_clock, 25 write, 27 clone_plant, 28 exchange, 29 exchange,"
        " 34 set_clock, 36 restore_plant, 37 exchange, 38 write, 48 empty_hub, 51 exchange",
    ),
    "numbers of a life whose stream is gone": (
        33731,
        "1 keep_copy, 7 clone_plant, 11 clone_plant, 12 restore_plant_twice, 20 clone_plant, 24 lose_plant,"
        " 27 exchange, 30 restore_plant, 49 restart",
    ),
}


@pytest.mark.parametrize("kind", [MEMORY, SQLITE], ids=lambda kind: kind.name)
@pytest.mark.parametrize("what", PINNED)
def test_history(kind, what):
    seed, said = PINNED[what]
    outcome = play(kind.open_group, seed, steps_of(seed, said))
    assert outcome.violation == "", "\n".join(outcome.trace)
