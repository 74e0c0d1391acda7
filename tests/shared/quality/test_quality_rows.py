"""Samples, decisions and holds as rows; mixed steel; what holds a piece."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, event

from shared.db.engine import read
from shared.journal.fact import Draft, Occurred, Payload
from shared.journal.journal import Journal
from shared.material import projection as material_projection
from shared.material.facts import Consumed, Edge, Mass, MaterialCreated, MaterialTransformed, NewAlias, NewMaterial
from shared.quality import projection
from shared.quality.domain import Held, mixed_e6, open_for, quality_status
from shared.quality.facts import CheckDecided, ElementResult, HoldPlaced, HoldReleased, SampleAnalysed
from shared.quality.queries import (
    find_cast_pieces,
    find_final_analysis,
    find_hold,
    find_samples,
    get_heat_shares,
    is_held,
    list_decisions,
    list_holds,
    open_holds,
)


@pytest.fixture
def journal(make_journal: Callable[..., Journal]) -> Journal:
    return make_journal("ALD", projection.register, material_projection.register)


def record(journal: Journal, *payloads: Payload, at_ms: int | None = None) -> None:
    with journal.work() as tx:
        for payload in payloads:
            when = Occurred(tx.now_ms() if at_ms is None else at_ms, "manual")
            tx.record(Draft(payload=payload, subjects=("s",), actor="quality.ald", occurred=when))


def analysed(sample_id: str, place: str, cu: int, taken_at_ms: int = 1) -> SampleAnalysed:
    return SampleAnalysed(
        sample_id=sample_id,
        sample_number=f"161843{place}1",
        material_id="heat",
        place=place,
        taken_at_ms=taken_at_ms,
        results=(ElementResult("Cu", cu, "", 2), ElementResult("Sn", 220)),
    )


def piece(material_id: str, kind: str = "slab") -> NewMaterial:
    return NewMaterial(
        material_id=material_id, kind=kind, aliases=(NewAlias("t", material_id),), mass=Mass(1000, "theoretical")
    )


def made(operation_id: str, parents: dict[str, int], child: str) -> MaterialTransformed:
    edges = tuple(
        Edge(
            parent_id=p,
            child_id=child,
            parent_from_um=0,
            parent_to_um=10,
            child_from_um=0,
            child_to_um=10,
            mass_g=s,
            share_ppm=s,
        )
        for p, s in parents.items()
    )
    return MaterialTransformed(
        operation_id=operation_id,
        operation="cast",
        unit="CC1",
        started_at_ms=1,
        ended_at_ms=2,
        parents=tuple(Consumed(p, 1, False) for p in parents),
        children=(piece(child),),
        edges=edges,
    )


def test_the_final_analysis_is_the_latest_one_of_the_final_place(journal: Journal) -> None:
    record(
        journal,
        analysed("s1", "LFA", 2500, 1),
        analysed("s2", "LFF", 2600, 2),
        analysed("s3", "LFF", 2700, 3),
        analysed("s4", "TUN", 2690, 4),
    )
    with read(journal.engine) as conn:
        final = find_final_analysis(conn, "heat")
        assert final is not None
        assert (final.e6, final.place, final.values["Cu"].digits) == ({"Cu": 2700, "Sn": 220}, "LFF", 2)
        assert [a.place for a in find_samples(conn, "heat")] == ["LFA", "LFF", "LFF", "TUN"]
        assert find_final_analysis(conn, "another") is None


def test_a_corrected_result_replaces_the_values(journal: Journal) -> None:
    record(journal, analysed("s1", "LFF", 2700), analysed("s1", "LFF", 1500))
    with read(journal.engine) as conn:
        final = find_final_analysis(conn, "heat")
        assert final is not None
        assert final.e6["Cu"] == 1500


def test_mixed_steel_is_weighed_by_share_and_a_missing_value_is_no_zero() -> None:
    heats = {"a": {"Cu": 2700, "Sn": 220, "Nb": 10}, "b": {"Cu": 1500, "Sn": 120}}
    mixed = mixed_e6({"a": 210_000, "b": 790_000}, heats)
    assert mixed == {"Cu": 1752, "Sn": 141}
    assert mixed_e6({"a": 210_000, "c": 790_000}, heats) == {}
    assert mixed_e6({}, heats) == {}


def test_shares_of_heats_are_read_from_the_cast(journal: Journal) -> None:
    record(
        journal,
        MaterialCreated(material=piece("heat", "heat"), origin="made"),
        MaterialCreated(material=piece("next", "heat"), origin="made"),
        made("op1", {"heat": 790_000, "next": 210_000}, "slab1"),
        made("op2", {"heat": 50_000, "next": 950_000}, "slab2"),
        made("op3", {"slab1": 1_000_000}, "coil"),
    )
    with read(journal.engine) as conn:
        assert get_heat_shares(conn, "slab1") == {"heat": 790_000, "next": 210_000}
        assert get_heat_shares(conn, "coil") == {}
        assert find_cast_pieces(conn, "heat", 100_000) == [("slab1", 790_000)]
        assert find_cast_pieces(conn, "heat") == [("slab1", 790_000), ("slab2", 50_000)]


def test_a_hold_reaches_descendants_and_a_release_below_answers_it(journal: Journal) -> None:
    record(
        journal,
        MaterialCreated(material=piece("heat", "heat"), origin="made"),
        made("op1", {"heat": 1_000_000}, "slab"),
        made("op2", {"slab": 1_000_000}, "coil"),
    )
    record(journal, HoldPlaced(hold_id="h0", material_id="heat", reason="Cu"), at_ms=5)
    with read(journal.engine) as conn:
        assert not is_held(conn, "slab")  # a heat's hold comes down by share, as a hold of the slab's own
    record(journal, HoldPlaced(hold_id="h1", material_id="slab", reason="Cu", inherited_from="h0"), at_ms=6)
    with read(journal.engine) as conn:
        assert [h.hold_id for h in open_holds(conn, "coil")] == ["h1"]
    record(journal, HoldPlaced(hold_id="h2", material_id="coil", reason="Cu", inherited_from="h1"), at_ms=7)
    record(journal, HoldReleased(hold_id="h2", material_id="coil", disposition="prime"), at_ms=8)
    with read(journal.engine) as conn:
        assert open_holds(conn, "coil") == []
        assert [h.hold_id for h in open_holds(conn, "slab")] == ["h1"]
        assert [r.hold_id for r in list_holds(conn, "ALD", "open")] == ["h1", "h0"]
        assert [r.hold_id for r in list_holds(conn, state="released")] == ["h2"]
        assert [r.hold_id for r in list_holds(conn, ids=["slab", "heat"], after="h1")] == ["h0"]


def test_asking_what_holds_a_piece_does_not_read_the_whole_history(journal: Journal) -> None:
    plans: list[str] = []

    def explain(conn: Connection, cursor: object, statement: str, given: object, *_: object) -> None:
        if not statement.startswith("EXPLAIN"):
            plans.extend(row[3] for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given))

    with read(journal.engine) as conn:
        event.listen(conn, "before_cursor_execute", explain)
        open_holds(conn, "coil")
    assert any("ix_edge_child_id" in plan for plan in plans)
    assert [plan for plan in plans if plan.startswith("SCAN")] == []


def test_a_release_that_is_read_before_its_hold_is_not_lost(journal: Journal) -> None:
    record(journal, HoldReleased(hold_id="h", material_id="slab", disposition="scrap", only_for="DD11"), at_ms=9)
    with read(journal.engine) as conn:
        assert list_holds(conn) == []
    record(journal, HoldPlaced(hold_id="h", material_id="slab", reason="Sn", rule_id="QR-CHE-01"), at_ms=3)
    with read(journal.engine) as conn:
        row = find_hold(conn, "h")
        assert row is not None
        assert (row.reason, row.placed_at_ms, row.released_at_ms, row.disposition) == ("Sn", 3, 9, "scrap")
        assert not is_held(conn, "slab")


def test_decisions_keep_their_inputs(journal: Journal) -> None:
    record(
        journal,
        CheckDecided(
            decision_id="d1",
            rule_id="QR-RES-01",
            rule_version=2,
            rule_hash="ab",
            material_id="heat",
            outcome="hold",
            inputs={"Sn": 220, "Cu": 2700},
            explanation="0.446 > 0.38",
        ),
    )
    with read(journal.engine) as conn:
        row = list_decisions(conn, "ALD", "hold", ids=["heat"])[0]
        assert (row.rule_version, row.inputs, row.decided_by) == (2, '{"Cu":2700,"Sn":220}', "quality.ald")
        assert list_decisions(conn, rule_id="QR-CHE-01") == []


def test_only_the_nearest_hold_of_a_chain_counts() -> None:
    def held(hold_id: str, steps: int, above: str = "", released: int | None = None) -> Held:
        return Held("ALD", hold_id, "m", "", "", "", above, 10 - steps, released, steps)

    chain = [held("top", 2), held("middle", 1, "top", 50), held("own", 0)]
    assert [h.hold_id for h in open_for(chain)] == ["own"]
    assert [h.hold_id for h in open_for([held("top", 2), held("low", 0, "top")])] == ["low"]
    # a release above does not free what was inherited below: each piece is decided about by itself
    assert [h.hold_id for h in open_for([held("top", 1, released=3), held("low", 0, "top")])] == ["low"]
    assert (quality_status(1, "DD11"), quality_status(0, "DD11"), quality_status(0, "")) == (
        "held",
        "restricted",
        "free",
    )
