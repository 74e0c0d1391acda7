"""Puts the pre-history and day D together: `build(seed, size, caster)` gives every event in time order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from demo.scenario import ald_day, brk_day, cld_day, prehistory, takeover
from demo.scenario.chance import Chance
from demo.scenario.faults import sprinkle
from demo.scenario.finishing import LineState
from demo.scenario.library import library
from demo.scenario.moments import at
from demo.scenario.orders import release_orders
from demo.scenario.script import Event, Script

BEGINS = at("03-02 03:55")
DAY_BEGINS = at("03-11 02:00")
"""From here a paced demo runs at its chosen speed; everything before is played as fast as the product follows."""
ENDS = at("03-11 23:00")
ALL = ["ALD", "BRK", "CLD"]
CASTERS = ("strand", "summary", "file")
"""How much the caster's Level 2 tells: every event, a summary a heat, a file a shift (demo/simulator/by_file.py)."""

Released = tuple[str, int, tuple[str, ...]]
"""A standard, its version, and the plants that must run it by the end of the day."""

FIRST_STANDARDS: tuple[Released, ...] = (
    ("R-GISLIT", 7, ("ALD", "BRK", "CLD")),
    ("R-GI", 4, ("ALD", "BRK", "CLD")),
    ("R-HRC", 4, ("ALD", "BRK")),
    ("QR-CHE-01", 5, ("ALD",)),
    ("QR-RES-01", 2, ("ALD",)),
    ("QR-CAST-01", 3, ("ALD",)),
    ("QR-TRN-01", 1, ("ALD",)),
    ("QR-HSM-01", 4, ("BRK",)),
    ("QR-CGL-01", 2, ("CLD",)),
    ("QR-RCV-01", 2, ("ALD", "BRK", "CLD")),
    ("W-KNIFE", 1, ("CLD",)),
    ("RT-DELAY", 1, ("ALD", "BRK", "CLD")),
    ("WI-TUNDISH", 1, ("ALD",)),
    ("DC-COATING", 1, ("CLD",)),
    ("KPI-TPH", 1, ("ALD", "BRK", "CLD")),
    ("KPI-YLD", 2, ("ALD", "BRK", "CLD")),
)
NEW_KPI = ("KPI-YLD", 3, ("ALD", "BRK", "CLD"))


@dataclass(frozen=True)
class Scenario:
    """All that happens, and between which moments."""

    seed: int
    size: str
    caster: str
    begins_ms: int
    day_begins_ms: int
    ends_ms: int
    events: tuple[Event, ...]


def build(seed: int, size: str = "full", caster: str = "strand") -> Scenario:
    """The whole first day with its pre-history. size: full | small (a true subset); caster: of CASTERS."""
    small, summary = size == "small", caster == "summary"
    chance, script = Chance(seed, "day"), Script()
    lines = {code: LineState(code) for code in ("PL", "CM", "CG", "SL")}
    release_orders(script)
    _standards(script, small)
    history = prehistory.play(script, chance, small, summary, lines)
    stocks = _take_over(script, chance, small)
    ald_day.play(script, chance, small, summary)
    ald_day.trains(script, chance, small, stocks.yard)
    brk_day.play(script, chance, small, history, stocks)
    cld_day.play(script, chance, small, history.golden, stocks, lines)
    script.act(ENDS, "HUB", "settle", "end", {"plants": ALL}, {"what": "end", "day": 0, "size": size, "seed": seed})
    events = [e for e in sprinkle(script.sorted_events(), chance) if e.at_ms <= ENDS]
    return Scenario(seed, size, caster, BEGINS, DAY_BEGINS, ENDS, tuple(events))


def _take_over(script: Script, chance: Chance, small: bool) -> takeover.Stocks:
    if small:
        return takeover.take_over(script, takeover.SMALL, chance, 3, 2, (ald_day.SMALL_T2_SUM, ald_day.SMALL_T3_SUM))
    return takeover.take_over(script, takeover.FULL, chance, 15, 15, (ald_day.T2_SUM, ald_day.T3_SUM))


def _standards(script: Script, small: bool) -> None:
    """Released in the first morning's small hours, in a full day with the library; KPI-YLD v3 on day D while Aldermoor
    is cut off."""
    _release(script, at("03-02 04:50"), FIRST_STANDARDS, replaced=NEW_KPI[0])
    if not small:
        _release(script, at("03-02 04:51"), library())
    script.act(at("03-02 04:55"), "HUB", "wait_standards", "adopted", {"plants": ALL, "code": NEW_KPI[0], "version": 2})
    code, version, _ = NEW_KPI
    _release(script, at("03-11 10:00"), [NEW_KPI])
    script.act(
        at("03-11 10:01"),
        "HUB",
        "wait_standards",
        "adopted",
        {"plants": ["BRK", "CLD"], "code": code, "version": version},
    )
    script.act(
        at("03-11 19:11"), "HUB", "wait_standards", "adopted", {"plants": ["ALD"], "code": code, "version": version}
    )


def _release(script: Script, when_ms: int, standards: Sequence[Released], replaced: str = "") -> None:
    """Released together; each is said to run at the end of the day, but for the one that is replaced before."""
    script.act(
        when_ms,
        "HUB",
        "standards",
        "release",
        {"documents": [f"{code} v{version}" for code, version, _ in standards]},
        *(
            {"what": "standard", "code": code, "version": version, "plants": list(plants)}
            for code, version, plants in standards
            if code != replaced
        ),
    )
