"""No day of the demo piles more coils than the plant model allows: what the yard map flags is what trouble was made of."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

import pytest

from demo.scenario.day import build
from demo.scenario.next_day import build_next

MODEL = Path(__file__).parents[3] / "demo" / "plants" / "brk" / "model.toml"


@pytest.mark.parametrize(
    ("size", "days"), [("small", 4), pytest.param("full", 3, marks=[pytest.mark.slow, pytest.mark.timeout(600)])]
)
def test_coils_are_never_piled_higher_than_the_model_allows(size: str, days: int) -> None:
    most = {s["code"]: s["max_layers"] for s in tomllib.loads(MODEL.read_text())["storage"] if s["kinds"] == ["coil"]}
    where: dict[str, str] = {}
    stacked = 0
    for day in range(days):
        played = build_next(1, day, size, "strand") if day else build(1, size)
        for line in (line for event in played.events for line in event.ledger):
            if line["what"] in ("piece", "place", "consumed", "scrapped"):
                at = line.get("place", "") if line.get("plant") == "BRK" else ""
                where[line["piece"]] = at if at.partition("-")[0] in most and "-" in at else ""
        piles = Counter(filter(None, where.values()))
        assert {place: n for place, n in piles.items() if n > most[place.partition("-")[0]]} == {}, day
        stacked = max(stacked, sum(piles.values()))
    assert stacked > 5
