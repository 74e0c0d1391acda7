"""What was recorded at once and of which a restore lost the last part: a receipt is finished, and no case is made of it."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from campaign.custody.commands import Load, make, shipping, take_in
from campaign.custody.judge import judge
from campaign.custody.sites import CustodyGroup
from campaign.custody.world import HOUR_MS, Piece, World
from campaign.history import seeded_ids
from campaign.network import CLEAR
from local_mes.transfers.service import ReceiveCommand, receive
from sync.errors import SyncError, Unreachable


class Slow(Random):
    """Draws the first: batches of one entry."""

    def choice(self, seq):
        return seq[0]


class CutAfter:
    """A line that goes on for some pushes."""

    def __init__(self, line, pushes: int) -> None:
        self.line, self.left = line, pushes

    def call(self, request):
        self.left -= request[0] == "push"
        if self.left < 0:
            raise Unreachable("test.cut", "The line is cut.")
        return self.line.call(request)


class Torn:
    """A piece that came to BRK before its sender's data, and what BRK tells of it entry by entry."""

    def __init__(self) -> None:
        self.world = World(CustodyGroup(), Random("torn"), CLEAR)
        self.brk = self.world.group.plants["BRK"]
        self.piece = Piece("1-1", "arrives", 20_000_000)
        self.world.pieces.append(self.piece)
        self.load = Load("L1", "ALD", "BRK", [self.piece])
        self.world.must("ALD", lambda plant: make(plant, [self.piece]), "take stock")
        self.world.must("ALD", shipping(self.world, self.load, [self.piece]), "ship")
        self.world.pass_to(self.world.now_ms + 8 * HOUR_MS)

    def tell(self, pushes: int) -> None:
        with pytest.raises(SyncError):
            self.brk.exchange(CutAfter(self.world.group.line("BRK"), pushes), Slow())
        self.world.group.hub.follow()

    def settle(self) -> None:
        for _ in range(3):
            self.world.pass_to(self.world.now_ms + HOUR_MS)
            for code in ("ALD", "BRK"):
                assert self.world.meet(code, CLEAR) == "well"

    def of(self, query: str):
        return self.brk.machine.raw.execute(query).fetchall()


@pytest.fixture
def torn() -> Iterator[Torn]:
    with seeded_ids(Random("torn ids")):
        yield Torn()


STATES = "SELECT state FROM material WHERE author = 'BRK' ORDER BY state"
HELD = "SELECT rule_id, released_at_ms IS NULL FROM hold WHERE author = 'BRK' ORDER BY rule_id"


@pytest.mark.parametrize("told", [1, 2])
def test_a_piece_that_was_tied_and_not_identified_is_not_two_pieces(torn: Torn, told: int) -> None:
    """The hub had heard of the tie when the plant was put back to before it, and of nothing that was said with it."""
    take_in(torn.world, torn.load, torn.piece)
    torn.world.meet("BRK", CLEAR)
    before = torn.brk.save()
    torn.world.meet("ALD", CLEAR)
    torn.world.meet("BRK", CLEAR)  # its sender's data come down, and the plant ties it; nobody was told yet
    assert torn.of(STATES) == [("identified",), ("live",)]
    torn.tell(told)
    torn.world.group.restore(torn.brk, before, "database")
    torn.world.restores.append((torn.world.now_ms, "BRK"))
    torn.settle()
    assert torn.of(STATES) == [("identified",), ("live",)]
    assert torn.of(HELD) == [("T-AWAIT", 0)], "nothing waits any more"
    assert judge(torn.world) == [], "nor is it a number given twice"


def test_a_piece_that_nobody_told_of_is_held_although_its_hold_was_lost(torn: Torn) -> None:
    torn.world.meet("BRK", CLEAR)
    before = torn.brk.save()
    take_in(torn.world, torn.load, torn.piece, damage="edge crushed")
    torn.tell(1)
    torn.world.group.restore(torn.brk, before, "database")
    assert torn.of(STATES) == []
    for _ in range(2):
        torn.world.meet("BRK", CLEAR)
        assert torn.of(STATES) == [("live",)]
        assert torn.of(HELD) == [("T-AWAIT", 1), ("T-DAMAGE", 1)], "once"


def test_a_piece_with_another_paper_is_held_although_its_hold_was_lost(torn: Torn) -> None:
    torn.settle()
    before = torn.brk.save()
    command = ReceiveCommand(
        torn.world.command(), "p1", torn.piece.number, 20_000_000, shipment="L1", certificate={"grade": "another"}
    )
    torn.world.must("BRK", lambda plant: receive(plant, command), "take in with another paper")
    assert torn.of(HELD) == [("T-PAPER", 1)]
    torn.tell(2)  # the receipt, and what its paper says otherwise
    torn.world.group.restore(torn.brk, before, "database")
    for _ in range(2):
        torn.world.meet("BRK", CLEAR)
        assert torn.of(STATES) == [("live",)]
        assert torn.of(HELD) == [("T-PAPER", 1)], "once"
