"""What befalls disks and machines: backups put back, one or two sides at once, disks lost, machines cloned."""

from __future__ import annotations

from random import Random

from campaign.disk import MODES, Mode
from campaign.site import HUB, PLANTS, Site
from campaign.work import HOUR_MS, name_of, record_one, try_exchange, write
from campaign.world import World
from sync.errors import SyncError


def keep_copy(world: World, dice: Random) -> str:
    """A backup of a node is put on the shelf."""
    site = dice.choice([world.hub, world.sites[dice.choice(PLANTS)][0]])
    world.shelves[site.code].keep(site.save())
    return f"a backup of {name_of(world, site)}"


def restore_plant(world: World, dice: Random) -> str:
    """A plant is put back to a backup: its database, its whole machine, or its database without an anchor."""
    code = dice.choice(PLANTS)
    site, image, mode = world.sites[code][0], world.shelves[code].choose(dice), dice.choice(MODES)
    if image is None:
        return f"{code} has no backup"
    site.load(image, mode)
    site.boot()
    _after_restore(world, site, mode)
    return f"{name_of(world, site)} is restored ({mode})"


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
    said = [try_exchange(world, site, dice)]
    before = site.save()
    for mode in (MODES[2], MODES[1]):
        site.load(before, mode)
        site.boot()
        _after_restore(world, site, mode)
        record_one(world, site, dice)
        said.append(try_exchange(world, site, dice) if mode == MODES[2] else "writes on")
    return f"{code} opens an epoch, then its machine is rolled back to before ({', '.join(said)})"


def restore_after_promise(world: World, dice: Random) -> str:
    """A plant tells the hub what it has, and its machine dies before the anchor's own turn came; a copy of the moment
    before is put in place, beside the anchor as it lies there, perhaps with a clock an hour back, and works on."""
    code = dice.choice(PLANTS)
    site = world.sites[code][0]
    world.anchor(site)
    before, said = site.save(), "well"
    for _ in range(dice.randrange(3)):
        record_one(world, site, dice)
    try:
        world.exchange(site, dice, world.weather)
        world.lagging.discard(id(site))  # what was promised must not be forgotten
    except SyncError as error:
        said = error.code
    if dice.random() < 0.5:
        site.set_clock(-HOUR_MS)
    site.load(before, MODES[0])
    site.boot()
    _after_restore(world, site, MODES[0])
    for _ in range(2):
        record_one(world, site, dice)
    return f"{code} promises ({said}), is put back to the moment before, and writes on"


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
    for code in world.cloned:
        if len(world.sites[code]) == 1:
            world.group.release(code)  # people decided that once; the backup does not know
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
