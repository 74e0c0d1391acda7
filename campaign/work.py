"""Ordinary work of a group, and the small mishaps in it: late requests, plain crashes, wrong clocks, odd facts."""

from __future__ import annotations

from random import Random

from campaign.site import HUB, PLANTS, Site
from campaign.world import Violation, World
from sync.errors import SyncError

HOUR_MS = 3_600_000
YEARS_10_MS = 10 * 365 * 24 * HOUR_MS
TO_1970_MS = -1_773_000_000_000
SKEWS_MS = (0, 0, HOUR_MS, -HOUR_MS, 20 * 60_000, YEARS_10_MS, -YEARS_10_MS, TO_1970_MS)


def write(world: World, dice: Random) -> str:
    """A plant works: one to three facts. The anchor follows, unless the step ends before it is written."""
    site = world.plant(dice)
    count = dice.randint(1, 3)
    for _ in range(count):
        record_one(world, site, dice)
    if dice.random() < 0.15:
        return f"{name_of(world, site)} commits {count}, its anchor lags"
    world.anchor(site)
    return f"{name_of(world, site)} commits {count}"


def exchange(world: World, dice: Random) -> str:
    """A plant and the hub meet, over a rough line."""
    site = world.plant(dice)
    return f"{name_of(world, site)} meets the hub: {try_exchange(world, site, dice)}"


def apply(world: World, dice: Random) -> str:
    """A node applies what arrived."""
    site = dice.choice(list(world.everyone()))
    site.apply()
    return f"{name_of(world, site)} applies"


def deliver_late(world: World, dice: Random) -> str:
    """A request of long ago arrives at the hub."""
    lines = [line for line in world.lines.values() if line.late]
    if not lines:
        return "nothing is under way"
    line = dice.choice(lines)
    line.dice = dice
    line.deliver_late()
    return "a request of long ago arrives"


def write_down(world: World, dice: Random) -> str:
    """The hub says something to a plant: a fact of its own, or one of another plant."""
    hub, plant = world.hub, dice.choice(PLANTS)
    other = next(code for code in PLANTS if code != plant)
    known = sorted(hub.applied(other))
    if known and dice.random() < 0.6:
        fact_id = dice.choice(known)
    else:
        written = hub.record(dice, [])
        world.commit(hub, written)
        fact_id = written.fact_id
    world.group.relay(fact_id, plant)
    if dice.random() > 0.15:
        world.anchor(hub)
    return f"the hub sends {fact_id[-6:]} down to {plant}"


def restart(world: World, dice: Random) -> str:
    """A node stops between commit and anchor and starts again: no new life may come of that."""
    site = dice.choice(list(world.everyone()))
    world.anchor(site)
    if site is not world.hub:
        record_one(world, site, dice)
    before = _epochs(site)
    site.boot()
    if _epochs(site) != before:
        raise Violation("I1", f"{name_of(world, site)} opened an epoch after a plain restart")
    return f"{name_of(world, site)} crashes before its anchor is written and starts again"


def set_clock(world: World, dice: Random) -> str:
    """Somebody's clock is wrong from now on, by minutes or by decades, or right again."""
    site = dice.choice(list(world.everyone()))
    ahead = dice.choice(SKEWS_MS)
    site.set_clock(ahead)
    site.tick(world.now_ms)
    return f"the clock of {name_of(world, site)} is {ahead // 1000} s ahead"


def write_poison(world: World, dice: Random) -> str:
    """A plant commits a fact that nobody can read."""
    site = world.plant(dice)
    written = site.record_poison(dice)
    world.commit(site, written)
    world.poison.add(written.fact_id)
    world.anchor(site)
    return f"{name_of(world, site)} commits a fact that cannot be read"


def write_newer(world: World, dice: Random) -> str:
    """A plant of the new release commits a fact that the old one does not know, and speaks of its subject again."""
    site = world.plant(dice)
    if site.old:
        return write(world, dice)
    world.commit(site, site.record_newer(dice))
    world.anchor(site)
    return f"{name_of(world, site)} commits a fact of a newer version"


def upgrade(world: World, dice: Random) -> str:
    """A node gets the new release."""
    site = dice.choice(list(world.everyone()))
    if site.old:
        site.upgrade()
    return f"{name_of(world, site)} runs the new release"


def try_exchange(world: World, site: Site, dice: Random) -> str:
    """An exchange in the history's weather; 'well', or the code of what came in between."""
    try:
        world.exchange(site, dice, world.weather)
    except SyncError as error:
        return error.code
    finally:
        world.anchor(site)
    return "well"


def record_one(world: World, site: Site, dice: Random) -> None:
    """One fact, entered into the ledger."""
    others = [piece for code in PLANTS if code != site.code for piece in world.sites[code][0].pieces()[-4:]]
    world.commit(site, site.record(dice, others))


def name_of(world: World, site: Site) -> str:
    """The plant, or its clone."""
    found = world.sites.get(site.code, [])
    return f"{site.code}'s clone" if site in found[1:] else site.code


def _epochs(site: Site) -> int:
    streams = [f"{HUB}>{code}" for code in PLANTS] if site.code == HUB else [site.code]
    return sum(len(site.tips(stream)) for stream in streams)
