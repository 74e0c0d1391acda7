"""What people do with steel: loads leave, and each piece meets its fate on the way.

A fate is a script. What follows from it for the hub's desk is not said here: reference.py derives that from the facts
that are left at the end, so that a fact which a restore took with it is not asked for.
"""

from __future__ import annotations

from collections.abc import Callable

from campaign.custody.commands import (
    ACTOR,
    Load,
    correcting,
    knows,
    make,
    other_plant,
    saying,
    shipping,
    take_in,
    taking,
)
from campaign.custody.sites import LANE_HOURS
from campaign.custody.world import HOUR_MS, MINUTE_MS, Piece, Script, World
from local_mes.transfers.service import close_receipt, match_by_hand, refuse, take_back, write_off
from shared.errors import StrandlineError


def drive(world: World, load: Load) -> Script:
    """A load leaves, its pieces meet their fates, its receiver closes it."""
    if not load.carried:
        world.must(load.sender, lambda plant: make(plant, load.pieces), "take stock")
        yield MINUTE_MS
    listed = [piece for piece in load.pieces if not piece.fate.startswith("unlisted")]
    if load.carried:
        gone = yield from world.insist(load.sender, shipping(world, load, listed))
    else:
        gone = world.must(load.sender, shipping(world, load, listed), f"ship {load.number}")
    if gone is None:
        return  # a restore took its pieces from the books, and nobody went to look
    load.travel_ms = world.dice.randrange(4 * HOUR_MS, (LANE_HOURS + 1) * HOUR_MS)
    for piece in load.pieces:
        world.run(FATES[piece.fate](world, load, piece), after_ms=load.travel_ms + world.dice.randrange(HOUR_MS))
    yield load.travel_ms + HOUR_MS + world.dice.randrange(MINUTE_MS, 3 * HOUR_MS)
    yield from world.insist(
        load.receiver, lambda plant: close_receipt(plant, load.number, actor=ACTOR, command_id=world.command())
    )


def arrives(world: World, load: Load, piece: Piece) -> Script:
    """It comes and is taken in; many go on from there some time later."""
    got = take_in(world, load, piece)
    if got is not None and world.dice.random() < 0.3:
        yield world.dice.randrange(4 * HOUR_MS, 40 * HOUR_MS)
        here = load.receiver
        onward = Load(f"{load.number}-{piece.number}", here, other_plant(world, here), [piece], carried=True)
        piece.number, piece.fate = got["own_number"], "arrives"
        world.run(drive(world, onward))
    yield from ()


def arrives_late(world: World, load: Load, piece: Piece) -> Script:
    """It comes days after all others."""
    yield world.dice.randrange(30, 90) * HOUR_MS
    take_in(world, load, piece)


def is_lost(world: World, load: Load, piece: Piece) -> Script:
    """Nobody ever sees it again."""
    yield from ()


def is_lighter(world: World, load: Load, piece: Piece) -> Script:
    """The receiver's scale says two per cent less."""
    take_in(world, load, piece, mass_g=piece.mass_g * 98 // 100)
    yield from ()


def is_damaged(world: World, load: Load, piece: Piece) -> Script:
    """It fell off the fork."""
    take_in(world, load, piece, damage="edge crushed")
    yield from ()


def is_refused(world: World, load: Load, piece: Piece) -> Script:
    """The gate sends it away, and it is its sender's again."""
    yield from world.insist(load.receiver, saying(world, refuse, load, piece))
    yield 20 * HOUR_MS
    yield from world.insist(load.sender, saying(world, take_back, load, piece))


def turns_back(world: World, load: Load, piece: Piece) -> Script:
    """The lorry turns back before the gate; the piece leaves again with another, under a new custody number. Its
    receiver may know of the first departure only, or of both: then the old label is refused."""
    if (yield from world.insist(load.sender, saying(world, take_back, load, piece))) is None:
        return
    yield world.dice.randrange(HOUR_MS, 9 * HOUR_MS)
    again = Load(f"{load.number}-2", load.sender, load.receiver, [piece], carried=True)
    if (yield from world.insist(load.sender, shipping(world, again, [piece]))) is None:
        return
    yield world.dice.randrange(4 * HOUR_MS, LANE_HOURS * HOUR_MS)
    if knows(world, load.receiver, again.number):
        old = world.do(load.receiver, taking(world, again, piece, custody_no=1))
        if not isinstance(old, StrandlineError):
            world.stale_taken.append(piece.number)
            return
    take_in(world, again, piece, custody_no=again.labels[piece.number])


def unlisted(world: World, load: Load, piece: Piece) -> Script:
    """It is on the vehicle and not on the list, and nobody ever says so."""
    take_in(world, load, piece)
    yield from ()


def unlisted_soon(world: World, load: Load, piece: Piece) -> Script:
    """The sender says so a minute later."""
    yield from _announced_after(world, load, piece, MINUTE_MS)


def unlisted_late(world: World, load: Load, piece: Piece) -> Script:
    """The sender says so more than a day later."""
    yield from _announced_after(world, load, piece, 30 * HOUR_MS)


def stays_soon(world: World, load: Load, piece: Piece) -> Script:
    """It is on the list and never left; the sender says so before the load is closed."""
    world.do(load.sender, correcting(world, load, piece, "did_not_occur"))
    yield from ()


def stays_late(world: World, load: Load, piece: Piece) -> Script:
    """The sender finds it days later."""
    yield 60 * HOUR_MS
    world.do(load.sender, correcting(world, load, piece, "did_not_occur"))


def is_denied(world: World, load: Load, piece: Piece) -> Script:
    """The sender says that it never left, and it comes."""
    world.do(load.sender, correcting(world, load, piece, "did_not_occur"))
    yield 5 * MINUTE_MS
    take_in(world, load, piece)


def goes_astray(world: World, load: Load, piece: Piece) -> Script:
    """Another plant takes it in."""
    astray = Load(load.number, load.sender, other_plant(world, load.sender, load.receiver), [piece])
    take_in(world, astray, piece)
    yield from ()


def is_relabelled(world: World, load: Load, piece: Piece) -> Script:
    """It comes under a number nobody knows; a person finds out days later which one it was."""
    listed = piece.number
    piece.number = f"X-{listed}"
    got = take_in(world, load, piece)
    yield 60 * HOUR_MS
    if got is not None and world.dice.random() < 0.7:
        yield from world.insist(
            load.receiver,
            lambda plant: match_by_hand(
                plant, got["receipt_id"], load.number, listed, note="rubbed", actor=ACTOR, command_id=world.command()
            ),
        )


def is_given_up(world: World, load: Load, piece: Piece) -> Script:
    """Both sides write it off; sometimes it is found after all."""
    yield 72 * HOUR_MS
    for side in (load.sender, load.receiver):
        yield from world.insist(side, saying(world, write_off, load, piece))
    yield 40 * HOUR_MS
    if world.dice.random() < 0.5:
        take_in(world, load, piece)


def is_scanned_again(world: World, load: Load, piece: Piece) -> Script:
    """It is taken in; where a restore has made the plant forget that, it is taken in once more before anybody calls."""
    take_in(world, load, piece)
    for _ in range(12):
        yield 8 * HOUR_MS
        restored = [code for at_ms, code in world.restores if at_ms > world.now_ms - 8 * HOUR_MS]
        if load.receiver in restored:
            world.do(load.receiver, taking(world, load, piece))


FATES: dict[str, Callable[[World, Load, Piece], Script]] = {
    "arrives": arrives,
    "arrives_late": arrives_late,
    "is_lost": is_lost,
    "is_lighter": is_lighter,
    "is_damaged": is_damaged,
    "is_refused": is_refused,
    "turns_back": turns_back,
    "unlisted": unlisted,
    "unlisted_soon": unlisted_soon,
    "unlisted_late": unlisted_late,
    "stays_soon": stays_soon,
    "stays_late": stays_late,
    "is_denied": is_denied,
    "goes_astray": goes_astray,
    "is_relabelled": is_relabelled,
    "is_given_up": is_given_up,
    "is_scanned_again": is_scanned_again,
}
ORDINARY = 45
"""How many of a hundred pieces simply arrive; the others share what is left."""


def draw_fate(world: World) -> str:
    """What happens to a piece."""
    return "arrives" if world.dice.random() * 100 < ORDINARY else world.dice.choice(list(FATES))


def _announced_after(world: World, load: Load, piece: Piece, after_ms: int) -> Script:
    take_in(world, load, piece)
    yield after_ms
    world.do(load.sender, correcting(world, load, piece, "late"))
