"""What can happen in a history: ordinary work and every fault we know, each a deed with a weight.

A history draws some of the faults and leaves the others out (a rare one comes up often somewhere), then draws its
steps from those. A deed returns what it came to, in words, for the trace of a violation.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from campaign.disk import MODES, Mode
from campaign.world import HUB, PLANTS, Site, Violation, World
from sync.errors import SyncError

Deed = Callable[[World, Random], str]

HOUR_MS = 3_600_000
YEARS_10_MS = 10 * 365 * 24 * HOUR_MS
TO_1970_MS = -1_773_000_000_000
SKEWS_MS = (0, 0, HOUR_MS, -HOUR_MS, 20 * 60_000, YEARS_10_MS, -YEARS_10_MS, TO_1970_MS)


def write(world: World, dice: Random) -> str:
    """A plant works: one to three facts. The anchor follows, unless the step ends before it is written."""
    site = world.plant(dice)
    count = dice.randint(1, 3)
    for _ in range(count):
        _record(world, site, dice)
    if dice.random() < 0.15:
        return f"{_name(world, site)} commits {count}, its anchor lags"
    world.anchor(site)
    return f"{_name(world, site)} commits {count}"


def exchange(world: World, dice: Random) -> str:
    """A plant and the hub meet, over a rough line."""
    site = world.plant(dice)
    return f"{_name(world, site)} meets the hub: {_try_exchange(world, site, dice)}"


def apply(world: World, dice: Random) -> str:
    """A node applies what arrived."""
    site = dice.choice(list(world.everyone()))
    site.apply()
    return f"{_name(world, site)} applies"


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
        _record(world, site, dice)
    before = _epochs(site)
    site.boot()
    if _epochs(site) != before:
        raise Violation("I1", f"{_name(world, site)} opened an epoch after a plain restart")
    return f"{_name(world, site)} crashes before its anchor is written and starts again"


def keep_copy(world: World, dice: Random) -> str:
    """A backup of a node is put on the shelf."""
    site = dice.choice([world.hub, world.sites[dice.choice(PLANTS)][0]])
    world.shelves[site.code].keep(site.save())
    return f"a backup of {_name(world, site)}"


def restore_plant(world: World, dice: Random) -> str:
    """A plant is put back to a backup: its database, its whole machine, or its database without an anchor."""
    code = dice.choice(PLANTS)
    site, image, mode = world.sites[code][0], world.shelves[code].choose(dice), dice.choice(MODES)
    if image is None:
        return f"{code} has no backup"
    site.load(image, mode)
    site.boot()
    _after_restore(world, site, mode)
    return f"{_name(world, site)} is restored ({mode})"


def restore_plant_twice(world: World, dice: Random) -> str:
    """Two restores in a row, from different backups as it may be, with or without work in between."""
    first = restore_plant(world, dice)
    between = write(world, dice) if dice.random() < 0.5 else "nothing"
    return f"{first}; {between}; {restore_plant(world, dice)}"


def roll_back_superseded(world: World, dice: Random) -> str:
    """A plant loses its anchor and lives on in a new epoch; then its machine is rolled back to before that and writes
    on in the old epoch, of which the hub knows a child by now."""
    code = dice.choice(PLANTS)
    site = world.sites[code][0]
    said = [_try_exchange(world, site, dice)]
    before = site.save()
    for mode in (MODES[2], MODES[1]):
        site.load(before, mode)
        site.boot()
        _after_restore(world, site, mode)
        _record(world, site, dice)
        said.append(_try_exchange(world, site, dice) if mode == MODES[2] else "writes on")
    return f"{code} opens an epoch, then its machine is rolled back to before ({', '.join(said)})"


def restore_hub(world: World, dice: Random) -> str:
    """The hub is put back to any retained backup."""
    image, mode = world.shelves[HUB].choose(dice), dice.choice(MODES)
    if image is None:
        return "the hub has no backup"
    world.hub.load(image, mode)
    world.hub.boot()
    world.tops.clear()
    for site in world.everyone():
        if site is not world.hub and not world.group.knows(site):
            world.group.enrol(site)
    _after_hub(world)
    return f"the hub is restored ({mode})"


def empty_hub(world: World, _dice: Random) -> str:
    """The hub's disk is gone; a new one is installed and the plants are enrolled again."""
    world.hub.wipe()
    world.tops.clear()
    for site in world.everyone():
        if site is not world.hub:
            world.group.enrol(site)
    _after_hub(world)
    return "the hub is installed anew, its nodes are enrolled again"


def lose_plant(world: World, dice: Random) -> str:
    """A plant's disk is gone; it is installed anew and let in again under its old code."""
    code = dice.choice(PLANTS)
    site = world.sites[code][0]
    del world.sites[code][1:]
    site.wipe()
    world.connect(site)
    world.group.enrol(site)
    world.cloned.add(code)
    _after_restore(world, site, "no anchor")
    return f"{code} is installed anew and enrolled again"


def clone_plant(world: World, dice: Random) -> str:
    """A copy of a plant's machine runs beside it, as of now or of a backup."""
    code = dice.choice(PLANTS)
    if len(world.sites[code]) > 1:
        return stop_clone(world, dice)
    original = world.sites[code][0]
    image = (world.shelves[code].choose(dice) if dice.random() < 0.3 else None) or original.save()
    twin = world.group.twin(code)
    twin.load(image, "machine")
    twin.boot()
    twin.tick(world.now_ms)
    world.sites[code].append(twin)
    world.connect(twin)
    world.cloned.add(code)
    world.promised -= world.alive[code]
    return f"a clone of {code} runs beside it"


def stop_clone(world: World, dice: Random) -> str:
    """Of two installations of a plant people stop one; what only that one knew is lost."""
    codes = [code for code in PLANTS if len(world.sites[code]) > 1]
    if not codes:
        return "no clone runs"
    code = dice.choice(codes)
    stopped = world.sites[code].pop(dice.randrange(2))
    (left,) = world.sites[code]
    world.group.release(code)
    _after_restore(world, left, "machine")
    return f"one of two {code} is stopped ({'the clone' if stopped is not world.group.plants[code] else 'the first'})"


def set_clock(world: World, dice: Random) -> str:
    """Somebody's clock is wrong from now on, by minutes or by decades, or right again."""
    site = dice.choice(list(world.everyone()))
    ahead = dice.choice(SKEWS_MS)
    site.set_clock(ahead)
    site.tick(world.now_ms)
    return f"the clock of {_name(world, site)} is {ahead // 1000} s ahead"


def write_poison(world: World, dice: Random) -> str:
    """A plant commits a fact that nobody can read."""
    site = world.plant(dice)
    written = site.record_poison(dice)
    world.commit(site, written)
    world.poison.add(written.fact_id)
    world.anchor(site)
    return f"{_name(world, site)} commits a fact that cannot be read"


def write_newer(world: World, dice: Random) -> str:
    """A plant of the new release commits a fact that the old one does not know, and speaks of its subject again."""
    site = world.plant(dice)
    if site.old:
        return write(world, dice)
    world.commit(site, site.record_newer(dice))
    world.anchor(site)
    return f"{_name(world, site)} commits a fact of a newer version"


def upgrade(world: World, dice: Random) -> str:
    """A node gets the new release."""
    site = dice.choice(list(world.everyone()))
    if site.old:
        site.upgrade()
    return f"{_name(world, site)} runs the new release"


ORDINARY: dict[str, tuple[int, Deed]] = {
    "write": (30, write),
    "exchange": (30, exchange),
    "apply": (8, apply),
    "write_down": (7, write_down),
    "keep_copy": (7, keep_copy),
}
FAULTS: dict[str, tuple[int, Deed]] = {
    "deliver_late": (6, deliver_late),
    "restart": (4, restart),
    "restore_plant": (6, restore_plant),
    "restore_plant_twice": (3, restore_plant_twice),
    "roll_back_superseded": (3, roll_back_superseded),
    "restore_hub": (5, restore_hub),
    "empty_hub": (2, empty_hub),
    "lose_plant": (2, lose_plant),
    "clone_plant": (4, clone_plant),
    "set_clock": (4, set_clock),
    "write_poison": (2, write_poison),
    "write_newer": (4, write_newer),
    "upgrade": (2, upgrade),
}
DEEDS: dict[str, Deed] = {name: deed for name, (_, deed) in {**ORDINARY, **FAULTS}.items()}
DEEDS["stop_clone"] = stop_clone


def draw_deeds(dice: Random, count: int) -> list[str]:
    """The deeds of one history, in order: all of the ordinary ones, some of the faults."""
    chosen = dict(ORDINARY)
    share = dice.choice((0.15, 0.35, 0.6, 1.0))
    chosen |= {name: fault for name, fault in FAULTS.items() if dice.random() < share}
    return dice.choices(list(chosen), [weight for weight, _ in chosen.values()], k=count)


def _try_exchange(world: World, site: Site, dice: Random) -> str:
    try:
        world.exchange(site, dice, world.weather)
    except SyncError as error:
        return error.code
    finally:
        world.anchor(site)
    return "well"


def _record(world: World, site: Site, dice: Random) -> None:
    others = [piece for code in PLANTS if code != site.code for piece in world.sites[code][0].pieces()[-4:]]
    world.commit(site, site.record(dice, others))


def _after_restore(world: World, site: Site, mode: Mode) -> None:
    world.forget_lost(site.code)
    if mode != "database" or id(site) in world.lagging:
        world.lagging.discard(id(site))
        world.blind.add(id(site))
        world.once_blind.add(site.code)
        world.forget_labels(site.code)


def _after_hub(world: World) -> None:
    """What only the hub knew is lost; and a promise that plant and hub have both forgotten may come back to it."""
    world.hub_restored = True
    for code in (*PLANTS, HUB):
        world.forget_lost(code)
        if world.blind & {id(site) for site in world.sites.get(code, [])}:
            world.forget_labels(code)


def _epochs(site: Site) -> int:
    streams = [f"{HUB}>{code}" for code in PLANTS] if site.code == HUB else [site.code]
    return sum(len(site.tips(stream)) for stream in streams)


def _name(world: World, site: Site) -> str:
    found = world.sites.get(site.code, [])
    return f"{site.code}'s clone" if site in found[1:] else site.code
