"""What can happen in a history: ordinary work and every fault we know, each a deed with a weight.

A history draws some of the faults and leaves the others out (a rare one comes up often somewhere), then draws its
steps from those. A deed returns what it came to, in words, for the trace of a violation.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from campaign import disasters, work
from campaign.world import World

Deed = Callable[[World, Random], str]

ORDINARY: dict[str, tuple[int, Deed]] = {
    "write": (30, work.write),
    "exchange": (30, work.exchange),
    "apply": (8, work.apply),
    "write_down": (7, work.write_down),
    "keep_copy": (7, disasters.keep_copy),
}
FAULTS: dict[str, tuple[int, Deed]] = {
    "deliver_late": (6, work.deliver_late),
    "restart": (4, work.restart),
    "restore_plant": (6, disasters.restore_plant),
    "restore_plant_twice": (3, disasters.restore_plant_twice),
    "roll_back_superseded": (3, disasters.roll_back_superseded),
    "restore_hub": (5, disasters.restore_hub),
    "empty_hub": (2, disasters.empty_hub),
    "lose_plant": (2, disasters.lose_plant),
    "clone_plant": (4, disasters.clone_plant),
    "set_clock": (4, work.set_clock),
    "write_poison": (2, work.write_poison),
    "write_newer": (4, work.write_newer),
    "upgrade": (2, work.upgrade),
}
LATER: dict[str, Deed] = {"restore_after_promise": disasters.restore_after_promise}
"""Faults that were thought of later: in some histories they take the place of some restores, so that the histories of
other seeds stay as they were when one of them found something."""
LATER_SHARE = 0.25
DEEDS: dict[str, Deed] = {name: deed for name, (_, deed) in {**ORDINARY, **FAULTS}.items()}
DEEDS |= LATER
DEEDS["stop_clone"] = disasters.stop_clone


def draw_deeds(dice: Random, count: int) -> list[str]:
    """The deeds of one history, in order: all of the ordinary ones, some of the faults."""
    chosen = dict(ORDINARY)
    share = dice.choice((0.15, 0.35, 0.6, 1.0))
    chosen |= {name: fault for name, fault in FAULTS.items() if dice.random() < share}
    drawn = dice.choices(list(chosen), [weight for weight, _ in chosen.values()], k=count)
    if dice.random() >= LATER_SHARE:
        return drawn
    return [dice.choice((name, *LATER)) if name.startswith("restore_plant") else name for name in drawn]
