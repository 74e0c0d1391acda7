"""The same steel, once with every line up and once with the receiver away: the same material graph in the end."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from random import Random

from real_sync import SealedGroup
from sqlalchemy import select
from steel_group import HOUR, MINUTE

from campaign.history import seeded_ids
from local_mes.transfers.service import close_receipt
from shared.clock import FixedClock
from shared.db.engine import read
from shared.journal.fact import Draft, Occurred
from shared.material.facts import Consumed, Edge, Mass, MaterialTransformed, NewAlias, NewMaterial
from shared.material.queries import get_piece
from shared.material.tables import alias, edge, material
from shared.transfers.case_queries import find_cases
from shared.transfers.lines import LineFilter, find_lines

DAY_D_MS = 1_773_205_200_000
SLABS = {"161738-1-1": 20_558, "161738-1-2": 20_569, "161738-1-3": 20_536}


def graph(group: SealedGroup) -> str:
    """What every piece is, by its names: where it is, of what mass and steel, and from what it was made.

    What only tells how it came to be known is left out: identities that were provisional for a time, and times.
    """
    with read(group.hub.node.engine) as conn:
        m = material.c
        pieces = conn.execute(
            select(m.author, m.material_id, m.kind, m.state, m.mass_g, m.mass_basis, m.grade, m.order_item, m.chemistry,
                   m.thickness_um, m.width_um, m.length_um, m.place).where(m.state != "identified")
        ).all()  # fmt: skip
        known = {row.material_id for row in pieces}
        names = [
            tuple(row)
            for row in conn.execute(select(alias.c.author, alias.c.material_id, alias.c.scheme, alias.c.value))
            if row.material_id in known
        ]
        e = edge.c
        made = conn.execute(
            select(e.author, e.parent_id, e.child_id, e.mass_g, e.share_ppm).where(e.kind == "transform")
        ).all()
    said = [sorted(map(repr, map(tuple, rows))) for rows in (pieces, names, made)]
    return sha256(repr(said).encode()).hexdigest()


def play(folder: Path, *, away: bool) -> SealedGroup:
    """Three slabs go from ALD to BRK, are taken in, one is rolled and its coil goes on to CLD."""
    group = SealedGroup(folder, FixedClock(DAY_D_MS))
    with seeded_ids(Random("the steel")):
        for number, kg in SLABS.items():
            group.stock("ALD", number, kg)
    group.sync()
    group.cut = {"BRK"} if away else set()
    with seeded_ids(Random("the load")):
        group.ship("ALD", "BRK", "RT-1", list(SLABS))
    group.pass_time(8 * HOUR)
    group.sync()
    own = [
        group.receive("BRK", number, kg + 30, "RT-1", from_plant="ALD")["own_number"] for number, kg in SLABS.items()
    ]
    group.pass_time(3 * HOUR)
    group.sync()
    group.cut = set()
    for _ in range(3):
        group.pass_time(MINUTE)
        group.sync()
    close_receipt(group.plants["BRK"], "RT-1", actor="p2", command_id=group.command())
    roll(group, own[0])
    group.ship("BRK", "CLD", "RC-1", ["B6-9001"])
    group.sync()
    group.receive("CLD", "B6-9001", 20_000, "RC-1", scale="CW2")
    group.pass_time(2 * HOUR)
    group.sync()
    return group


def roll(group: SealedGroup, number: str) -> None:
    with group.plants["BRK"].node.journal.work() as tx:
        slab = get_piece(tx.conn, number, "BRK").material_id
        coil = slab[::-1]
        made = NewMaterial(
            material_id=coil, kind="coil", aliases=(NewAlias("BRK.coil", "B6-9001"),), mass=Mass(20_000_000, "weighed"),
            order_item="stock", grade="L06",
        )  # fmt: skip
        one = Edge(
            parent_id=slab, child_id=coil, parent_from_um=0, parent_to_um=1, child_from_um=0, child_to_um=1, mass_g=1
        )
        rolled = MaterialTransformed(
            operation_id=slab[:16] * 2, operation="roll", unit="FM", started_at_ms=1, ended_at_ms=2,
            parents=(Consumed(slab, 20_000_000),), children=(made,), edges=(one,),
        )  # fmt: skip
        tx.record(Draft(rolled, (slab, coil), "p1", Occurred(tx.now_ms(), "manual")))


def test_a_receiver_that_was_away_ends_with_the_same_material_graph(tmp_path: Path) -> None:
    there, away = play(tmp_path / "there", away=False), play(tmp_path / "away", away=True)
    try:
        assert graph(there) == graph(away)
        for group in (there, away):
            with read(group.hub.node.engine) as conn:
                assert find_cases(conn) == []
                assert {line.state for line in find_lines(conn, LineFilter())} == {"received"}
        with read(away.hub.node.engine) as conn:
            assert all(line.came_unlisted for line in find_lines(conn, LineFilter(sender="ALD"))), "nobody had told it"
    finally:
        there.close()
        away.close()
