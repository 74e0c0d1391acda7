"""Commands of the sender: what may leave, what is refused and by which rule, what is corrected afterwards."""

from __future__ import annotations

import pytest
from steel_group import SteelGroup

from local_mes.transfers.service import CorrectDeparture, ListedPiece, correct_departure
from shared.db.engine import read
from shared.errors import BadInput, NotFound, Refused
from shared.ids import new_id
from shared.journal.fact import Draft, Occurred
from shared.journal.tables import fact
from shared.material.facts import Mass, MaterialCreated, MaterialScrapped, NewAlias, NewMaterial
from shared.material.queries import get_material
from shared.quality.facts import HoldPlaced, HoldReleased
from shared.transfers.lines import LineFilter, find_lines
from shared.transfers.queries import custody_numbers, get_piece


def record(group: SteelGroup, plant: str, payload: object, *subjects: str) -> None:
    with group.plants[plant].journal.work() as tx:
        tx.record(Draft(payload, subjects, "p1", Occurred(group.clock.now_ms(), "manual")))  # type: ignore[type-var]


def hold(group: SteelGroup, plant: str, piece: str) -> str:
    hold_id = new_id(group.clock)
    record(group, plant, HoldPlaced(hold_id=hold_id, material_id=piece, reason="Cu 0.27 > 0.22"), piece, hold_id)
    return hold_id


def correct(group: SteelGroup, plant: str, shipment: str, piece: str, kind: str) -> dict[str, object]:
    return correct_departure(
        group.plants[plant], CorrectDeparture(group.command(), "p1", shipment, piece, kind, "seen")
    )


def test_a_load_departs_with_all_that_the_receiver_must_know(group: SteelGroup) -> None:
    piece = group.stock("ALD", "161738-1-1", 20_558)
    done = group.ship("ALD", "BRK", "RT-260310-2", ["161738-1-1"], vehicle="train 4711")
    with read(group.plants["ALD"].node.engine) as conn:
        (line,) = find_lines(conn, LineFilter(sender="ALD"))
        told = get_piece(conn, "ALD", done["shipment_id"], piece)
        row = get_material(conn, "ALD", piece)
    assert (line.state, line.position, line.custody_no, line.lane, line.mode) == (
        "in_transit",
        "W1",
        1,
        "ALD-BRK",
        "rail",
    )
    assert line.eta_ms - line.departed_at_ms == 9 * 3_600_000
    assert (told.mass.g, told.mass.basis, told.quality) == (20_558_000, "theoretical", "free")
    assert (told.heats, told.chemistry_e6) == ({"161738": 1_000_000}, {"C": 450, "Cu": 1500})
    assert row.state == "shipped"
    assert done["mass_g"] == 20_558_000


def test_the_same_command_ships_once(group: SteelGroup) -> None:
    group.stock("ALD", "161738-1-1", 20_558)
    first = group.ship("ALD", "BRK", "RT-1", ["161738-1-1"], command_id="again")
    assert group.ship("ALD", "BRK", "RT-1", ["161738-1-1"], command_id="again") == first


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"lines": ()}, "transfers.empty_load"),
        ({"to": "CLD"}, "transfers.no_lane"),
        ({"to": "ALD"}, "transfers.to_itself"),
        ({"lane": "by the canal"}, "transfers.unknown_lane"),
        ({"lines": (ListedPiece("161738-1-1"), ListedPiece("161738-1-1"))}, "transfers.twice_on_load"),
        ({"lines": (ListedPiece("no such"),)}, "material.unknown_number"),
    ],
)
def test_wrong_loads_are_refused_whole(group: SteelGroup, change: dict[str, object], code: str) -> None:
    group.stock("ALD", "161738-1-1", 20_558)
    with pytest.raises((BadInput, Refused, NotFound)) as refused:
        group.ship("ALD", "BRK", "RT-1", ["161738-1-1"], **change)
    assert refused.value.code == code
    with read(group.plants["ALD"].node.engine) as conn:
        assert find_lines(conn, LineFilter()) == []


def test_only_the_custodian_ships_and_only_once(group: SteelGroup) -> None:
    group.stock("ALD", "161738-1-1", 20_558)
    gone = group.stock("ALD", "161738-1-2", 20_569)
    record(group, "ALD", MaterialScrapped(material_id=gone, mass_g=1, reason="crack"), gone)
    group.ship("ALD", "BRK", "RT-1", ["161738-1-1"])
    for number, load in (("161738-1-1", "RT-2"), ("161738-1-2", "RT-3")):
        with pytest.raises(Refused) as refused:
            group.ship("ALD", "BRK", load, [number])
        assert refused.value.code == "transfers.not_custodian"
    group.stock("ALD", "161738-1-3", 20_536)
    with pytest.raises(Refused, match="RT-1 left already"):
        group.ship("ALD", "BRK", "RT-1", ["161738-1-3"])


def test_a_held_piece_stays_and_a_restricted_one_goes_to_its_use_only(group: SteelGroup) -> None:
    piece = group.stock("ALD", "161843-1-1", 20_580)
    hold_id = hold(group, "ALD", piece)
    with pytest.raises(Refused, match=r"Cu 0.27 > 0.22"):
        group.ship("ALD", "BRK", "RT-1", ["161843-1-1"])
    record(
        group, "ALD", HoldReleased(hold_id=hold_id, material_id=piece, disposition="reapply", only_for="DD11"), piece
    )
    with pytest.raises(Refused) as refused:
        group.ship("ALD", "BRK", "RT-1", ["161843-1-1"])
    assert refused.value.code == "transfers.restricted"
    other = group.stock("ALD", "161843-1-2", 20_580)
    second = hold(group, "ALD", other)
    record(
        group, "ALD", HoldReleased(hold_id=second, material_id=other, disposition="downgrade", only_for="L06"), other
    )
    done = group.ship("ALD", "BRK", "RT-1", ["161843-1-2"])
    with read(group.plants["ALD"].node.engine) as conn:
        told = get_piece(conn, "ALD", done["shipment_id"], other)
    assert (told.quality, told.attributes["only_for"]) == ("restricted", "L06")


def test_a_departure_that_did_not_occur_gives_the_piece_back_under_a_new_custody_number(group: SteelGroup) -> None:
    piece = group.stock("BRK", "B6-10375", 20_180, kind="coil")
    group.ship("BRK", "CLD", "RC-1", ["B6-10375"])
    correct(group, "BRK", "RC-1", "B6-10375", "did_not_occur")
    engine = group.plants["BRK"].node.engine
    with read(engine) as conn:
        assert get_material(conn, "BRK", piece).state == "live"
        assert find_lines(conn, LineFilter())[0].state == "did_not_occur"
    with pytest.raises(Refused) as refused:
        correct(group, "BRK", "RC-1", "B6-10375", "did_not_occur")
    assert refused.value.code == "transfers.withdrawn_already"
    group.ship("BRK", "CLD", "RC-2", ["B6-10375"])
    with read(engine) as conn:
        assert sorted(custody_numbers(conn, piece)) == [1, 2]


def test_a_departure_cannot_be_denied_once_the_piece_came_back_or_went_on(group: SteelGroup) -> None:
    piece = group.stock("BRK", "B6-10375", 20_180, kind="coil")
    group.ship("BRK", "CLD", "RC-1", ["B6-10375"])
    # the receiver sent it back, and here it was taken in again
    with group.plants["BRK"].journal.work() as tx:
        back = MaterialCreated(
            material=NewMaterial(
                material_id=piece, kind="coil", aliases=(NewAlias("BRK.coil", "B6-10375"),), mass=Mass(20, "weighed")
            ),
            origin="made",
        )
        tx.record(Draft(back, (piece,), "p1", Occurred(tx.now_ms(), "manual")))
    with pytest.raises(Refused) as here:
        correct(group, "BRK", "RC-1", "B6-10375", "did_not_occur")
    group.ship("BRK", "CLD", "RC-2", ["B6-10375"])
    with pytest.raises(Refused) as on_the_way:
        correct(group, "BRK", "RC-1", "B6-10375", "did_not_occur")
    assert {here.value.code, on_the_way.value.code} == {"transfers.left_since"}
    with read(group.plants["BRK"].node.engine) as conn:
        assert get_material(conn, "BRK", piece).state == "shipped"


def test_a_late_departure_lists_even_a_held_piece(group: SteelGroup) -> None:
    group.stock("ALD", "161739-1-1", 20_580)
    taken = group.stock("ALD", "161739-1-3", 20_536)
    hold(group, "ALD", taken)
    shipped = group.ship("ALD", "BRK", "RT-1", ["161739-1-1"])
    correct(group, "ALD", "RT-1", "161739-1-3", "late")
    with read(group.plants["ALD"].node.engine) as conn:
        late = find_lines(conn, LineFilter(material_id=taken))[0]
        assert get_piece(conn, "ALD", shipped["shipment_id"], taken).quality == "held"
        assert get_material(conn, "ALD", taken).state == "shipped"
    assert (late.entered, late.departed_at_ms) == ("late", group.clock.now_ms())
    for piece, kind, code in (
        ("161739-1-3", "late", "transfers.on_load_already"),
        ("161739-1-1", "never", "transfers.correction_kind"),
        ("161739-9-9", "did_not_occur", "material.unknown_number"),
    ):
        with pytest.raises((BadInput, Refused, NotFound)) as refused:
            correct(group, "ALD", "RT-1", piece, kind)
        assert refused.value.code == code


def test_refusals_record_nothing(group: SteelGroup) -> None:
    with pytest.raises(NotFound):
        correct(group, "ALD", "RT-9", "161739-1-3", "late")
    with read(group.plants["ALD"].node.engine) as conn:
        assert conn.execute(fact.select()).all() == []
