"""Cases that a restored hub has back from its plants, where restores took what they rested on from everybody."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from campaign.custody.commands import Load, make, saying, shipping, take_in
from campaign.custody.judge import judge
from campaign.custody.sites import CustodyGroup
from campaign.custody.world import HOUR_MS, Piece, World
from campaign.history import seeded_ids
from campaign.network import CLEAR
from campaign.site import HUB
from central_hub.transfers.cases import open_cases
from central_hub.transfers.desk_reads import read_evidence
from central_hub.transfers.domain import Contradiction
from central_hub.transfers.settling import read_since
from local_mes.transfers.service import write_off
from shared.db.engine import read
from shared.transfers.case_queries import find_cases


class Found:
    """Of two pieces from ALD to BRK the first was given up by both, and is found; the second simply came."""

    def __init__(self) -> None:
        self.world = World(CustodyGroup(), Random("found"), CLEAR)
        self.pieces = [Piece("1-1", "is_given_up", 20_000_000), Piece("1-2", "arrives", 20_000_000)]
        self.world.pieces += self.pieces
        self.load = Load("L1", "ALD", "BRK", self.pieces)
        self.world.must("ALD", lambda plant: make(plant, self.pieces), "take stock")
        self.world.must("ALD", shipping(self.world, self.load, self.pieces), "ship")
        self.meet()
        for side in ("ALD", "BRK"):
            self.world.must(side, saying(self.world, write_off, self.load, self.pieces[0]), "write off")
        take_in(self.world, self.load, self.pieces[1])
        self.meet()
        self.before = {code: self.world.site(code).save() for code in (HUB, "BRK")}
        take_in(self.world, self.load, self.pieces[0])
        self.meet()

    def meet(self, hours: int = 1) -> None:
        for _ in range(2):
            self.world.pass_to(self.world.now_ms + hours * HOUR_MS)
            for code in ("ALD", "BRK"):
                assert self.world.meet(code, CLEAR) == "well"

    def forget(self) -> None:
        """Hub and receiver are put back to before it was found; the sender gives the hub's word back."""
        for code, image in self.before.items():
            self.world.put_back(code, image, "machine")
        self.meet(hours=30)

    def cases(self):
        with read(self.world.group.hub.machine.engine) as conn:
            return {case.kind: case for case in find_cases(conn)}


@pytest.fixture
def found() -> Iterator[Found]:
    with seeded_ids(Random("found ids")):
        yield Found()


def test_a_case_that_was_true_stays_although_nobody_has_the_receipt_any_more(found: Found) -> None:
    assert judge(found.world) == []
    found.forget()
    case = found.cases()["found_again"]
    with read(found.world.group.hub.machine.engine) as conn:
        since = read_since(conn, [case])[case.case_id]
        assert since.receipt is None
        assert "has to be taken in again" in since.settled
        assert len(read_evidence(conn, [case.fact_id])) == 1, "its page can be read"
    assert judge(found.world) == []
    assert take_in(found.world, found.load, found.pieces[0]) is not None, "as the desk says"
    found.meet()
    assert judge(found.world) == []


def test_a_case_that_came_back_and_was_never_true_is_false_all_the_same(found: Found) -> None:
    with found.world.group.hub.desk.journal.work() as tx:
        piece = found.pieces[1].material_id
        made_up = Contradiction("damage", tx.now_ms(), (piece,), ("ALD", "BRK"), "made up", material_id=piece)
        open_cases(tx, HUB, [made_up])
    found.meet()
    found.forget()
    assert judge(found.world) == ["false case: damage of 1-2 (arrives)"]


def test_a_case_is_not_excused_by_what_the_hub_did_not_hold(found: Found) -> None:
    found.forget()
    found.world.desks.clear()
    assert judge(found.world) == ["false case: found_again of 1-1 (is_given_up)"]
