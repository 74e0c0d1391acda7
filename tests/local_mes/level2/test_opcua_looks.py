"""What a look into a server shows of names and levels that are larger than anybody needs."""

from __future__ import annotations

import msgspec
import pytest

from local_mes.level2.edge.look_facts import Level2Answered
from local_mes.level2.looks import NODE_CHARS_MAX, Child, Level
from local_mes.level2.opcua.browse import CHILDREN_MAX, NAME_CHARS, fitted
from shared.journal.fact import FACT_BYTES_MAX, encode_payload


@pytest.mark.timeout(60)
def test_a_look_fits_an_edges_line_however_long_the_servers_names_are() -> None:
    alone = fitted(Level("i=85", "x" * 200_000, (), more=False))
    assert (len(alone.name), alone.more) == (NAME_CHARS, False)

    named = Child("ns=2;s=1", "y" * 200_000, "Object")
    unasked = Child("ns=2;s=" + "z" * NODE_CHARS_MAX, "too long to be asked for", "Object")
    level = fitted(Level("i=85", "Objects", (named, unasked), more=False))
    assert [len(one.name) for one in level.children] == [NAME_CHARS]
    assert level.more, "a child is not shown"

    quotes = [Child(f"s={n}", '"' * 80, "Variable", "String", '"' * 80, "good") for n in range(CHILDREN_MAX)]
    for count in (300, 350, CHILDREN_MAX):
        level = fitted(Level("i=85", "Objects", tuple(quotes[:count]), more=False))
        answer = msgspec.json.encode(level).decode()
        assert len(encode_payload(Level2Answered(look="x" * 32, answer=answer))) < FACT_BYTES_MAX
        assert level.children, "so many as fit"
