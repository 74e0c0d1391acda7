"""Facts are brought together by type only where nothing they speak of tells the difference."""

from __future__ import annotations

import random
from itertools import groupby
from typing import Any

import msgspec
import pytest

from shared.journal.bulk_order import Read, bulk_order
from shared.journal.fact import AppliedFact, Occurred
from shared.journal.reading import Stored

KINDS = ("Born", "Moved", "Weighed")


def fact(n: int, kind: str, subjects: tuple[str, ...], mentions: tuple[str, ...] = (), actor: str = "l2") -> Read:
    """A fact as far as its order is concerned; `mentions` are ids in its payload that are no subjects."""
    body = msgspec.json.encode({"subjects": subjects, "payload": mentions, "actor": actor})
    stored = Stored("ALD", "e" * 32, n, "0" * 64, f"{n:032x}", "ALD", kind, 1, n, body, None)
    value: AppliedFact[Any] = AppliedFact(
        f"{n:032x}", kind, "ALD", actor, subjects, Occurred(n, "manual"), n, None, None
    )
    return stored, value


def order(facts: list[Read]) -> list[int]:
    return [item.seq for item, _ in bulk_order(facts)]


def piece(n: int) -> str:
    return f"{n:032x}"[::-1]


def test_facts_about_different_pieces_come_together_by_type() -> None:
    facts = [fact(n, KINDS[n % 2], (piece(n // 2),)) for n in range(40)]
    types = [value.type for _, value in bulk_order(facts)]
    assert [kind for kind, _ in groupby(types)] == ["Born", "Moved"]


def test_what_is_only_mentioned_counts_as_spoken_of() -> None:
    facts = [
        fact(1, "Moved", (piece(1),)),
        fact(2, "Born", (piece(2),), mentions=(piece(1),)),
        fact(3, "Moved", (piece(2),)),
        fact(4, "Moved", (piece(3),)),
    ]
    assert order(facts) == [1, 4, 2, 3]


def test_a_common_subject_of_words_keeps_the_order() -> None:
    facts = [fact(1, "Moved", ("order:1/10",)), fact(2, "Born", ("order:1/10",)), fact(3, "Moved", ("order:1/10",))]
    assert order(facts) == [1, 2, 3]


def test_one_person_does_not_tie_facts_together() -> None:
    person = "f" * 32
    facts = [fact(n, KINDS[n % 2], (piece(n),), actor=person) for n in range(4)]
    assert order(facts) == [0, 2, 1, 3]


def test_a_fact_that_speaks_of_nothing_stands_first_with_those_of_its_type() -> None:
    facts = [fact(1, "Born", ()), fact(2, "Moved", (piece(1),)), fact(3, "Born", (piece(2),))]
    assert order(facts) == [1, 3, 2]


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_lost_and_what_shares_a_subject_keeps_its_order(seed: int) -> None:
    rng = random.Random(seed)
    facts = [
        fact(n, rng.choice(KINDS), tuple({piece(rng.randrange(9)) for _ in range(rng.randint(1, 2))}))
        for n in range(120)
    ]
    result = bulk_order(facts)
    assert sorted(order(facts)) == list(range(120))
    for subject in {s for _, value in facts for s in value.subjects}:
        about = [value.fact_id for _, value in result if subject in value.subjects]
        assert about == sorted(about), f"seed {seed}"
    again = [value.type for _, value in result]
    assert len([*groupby(again)]) <= len([*groupby(value.type for _, value in facts)])
