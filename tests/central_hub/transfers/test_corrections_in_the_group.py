"""A plant corrects what it recorded: rows and figures follow at plant and hub alike, both versions stay, and what stands
on the wrong fact in another's hands becomes a case instead."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from steel_group import SteelGroup

from local_mes.production.correcting import correct, settle
from local_mes.production.correction_domain import Asked
from local_mes.production.manual import Booking, book
from local_mes.stock import service as stock
from shared.db.engine import read, write
from shared.errors import BadInput, NotFound, Refused
from shared.journal.content_hash import content_hash
from shared.journal.fact import Draft, Occurred
from shared.journal.rebuild import rebuild
from shared.material.correction_queries import list_cases, standing_places
from shared.material.facts import Loss, MarkPlaced
from shared.material.history import history
from shared.material.queries import find_by_number, find_piece, live_numbers
from shared.material.tables import edge, operation
from shared.material.trace import projected_marks, trace
from shared.performance.queries import sums
from shared.transfers.case_queries import find_cases


def ask(group: SteelGroup, what: str, piece: str, reason: str = "read wrongly", **more: Any) -> dict[str, Any]:
    asked = Asked(what=what, piece=piece, reason=reason, **more)
    return correct(group.plants["BRK"], asked, actor="p7", command_id=group.command())


def piece(group: SteelGroup, number: str) -> Any:
    with read(group.plants["BRK"].node.engine) as conn:
        return find_piece(conn, number, "BRK")


def figures(group: SteelGroup) -> dict[str, int]:
    with read(group.plants["BRK"].node.engine) as conn:
        return sums(conn, author="BRK").get(("BRK", "FM"), {})


def one_operation(group: SteelGroup) -> Any:
    with read(group.plants["BRK"].node.engine) as conn:
        return conn.execute(select(operation)).one()


@pytest.fixture
def rolled(group: SteelGroup) -> SteelGroup:
    """A slab of 20,640 kg became a coil of 20,200 kg, with 100 kg of scrap, booked by hand."""
    group.stock("BRK", "S-1", 20_640)
    booking = Booking("b1", "p1", "FM", "S-1", 20_200_000, 100_000, "surface", "B6-00007", 825_000_000)
    book(group.plants["BRK"], booking)
    return group


def test_rows_and_figures_follow_a_correction_at_plant_and_hub(rolled: SteelGroup) -> None:
    plant = rolled.plants["BRK"]
    coil = piece(rolled, "B6-00007").material_id
    said = ask(rolled, "mass", "B6-00007", "two digits swapped", mass_g=20_020_000)
    assert said["state"] == "corrected"
    assert piece(rolled, "B6-00007").mass_g == 20_020_000
    assert one_operation(rolled).unexplained_g == 340_000 + 180_000
    assert figures(rolled)["good_g"] == figures(rolled)["prime_g"] == 20_020_000
    ask(rolled, "size", "B6-00007", length_um=820_000_000)
    ask(rolled, "interval", "B6-00007", from_um=100_000, to_um=9_200_000)
    with read(plant.node.engine) as conn:
        made = conn.execute(select(edge)).one()
        assert (made.child_to_um, made.parent_from_um, made.parent_to_um) == (820_000_000, 100_000, 9_200_000)
        assert made.mass_g == 20_020_000
        told = {event.what: event for event in history(conn, coil) if event.actor}
        assert told["corrected"].actor == "p7"
        texts = " ".join(event.text for event in history(conn, coil))
    assert "mass was 20,200 kg until then; now 20,020 kg, because two digits swapped" in texts
    assert "20200000 g weighed by hand, corrected since" in texts
    ask(rolled, "losses", "B6-00007", losses=(Loss("scrap", 120_000, True), Loss("scale", 150_000)))
    assert one_operation(rolled).unexplained_g == 350_000
    assert (figures(rolled)["scrap_g"], figures(rolled)["scale_g"]) == (120_000, 150_000)
    ask(rolled, "consumption", "B6-00007", charged_g=20_300_000, whole=False)
    assert (piece(rolled, "S-1").state, piece(rolled, "S-1").mass_g) == ("live", 340_000)
    assert figures(rolled)["charged_g"] == 20_300_000
    rolled.sync()
    hub = rolled.hub.node
    with read(plant.node.engine) as here, read(hub.engine) as there:
        before = content_hash(here, "BRK")
        assert before == content_hash(there, "BRK")
        assert history(there, coil) == history(here, coil)
    with write(hub.engine) as conn:
        rebuild(conn, hub.journal.appliers, 0)
        assert content_hash(conn, "BRK") == before


def test_a_move_and_a_mark_are_put_right_and_both_versions_stay(rolled: SteelGroup) -> None:
    brk = rolled.plants["BRK"]
    coil = piece(rolled, "B6-00007").material_id
    born = piece(rolled, "B6-00007").place
    for place in ("CB1-1-1", "CB1-1-2"):
        stock.move(brk, stock.Command(rolled.command(), "p1"), "B6-00007", place)
    mark = MarkPlaced(
        mark_id="m" * 32, material_id=coil, kind="sliver", from_um=5_000_000, to_um=6_000_000, right_um=90_000
    )
    with brk.journal.work() as tx:
        tx.record(Draft(mark, (coil, mark.mark_id), "p1", Occurred(tx.now_ms(), "manual")))
    ask(rolled, "move", "B6-00007", "misread", place="CB1-1-3")
    assert piece(rolled, "B6-00007").place == "CB1-1-3"
    with read(brk.node.engine) as conn:
        first, second = list(standing_places(conn, "BRK", coil))[-2:]
    ask(rolled, "move", "B6-00007", "it was another", fact=first.fact_id, withdrawn=True)
    assert piece(rolled, "B6-00007").place == "CB1-1-3"  # it was moved since, and lies where that says
    ask(rolled, "move", "B6-00007", "nobody moved it", fact=second.fact_id, withdrawn=True)
    assert piece(rolled, "B6-00007").place == born
    width = {"left_um": 100_000, "right_um": 190_000}
    ask(rolled, "mark", "B6-00007", "wrong end", fact=mark.mark_id, from_um=7_000_000, to_um=8_000_000, **width)
    with read(brk.node.engine) as conn:
        assert [(m.from_um, m.left_um) for m in projected_marks(conn, coil)] == [(7_000_000, 100_000)]
    ask(rolled, "mark", "B6-00007", "a shadow", fact=mark.mark_id, withdrawn=True)
    rolled.sync()
    with read(brk.node.engine) as here, read(rolled.hub.node.engine) as there:
        assert not projected_marks(here, coil)
        assert content_hash(here, "BRK") == content_hash(there, "BRK")
        told = " ".join(event.text for event in history(there, coil))
    assert "place was CB1-1-2 until then; now CB1-1-3, because misread" in told
    assert "mark was sliver at 7.00 to 8.00 m, 100 to 190 mm until then; now none, because a shadow" in told


def test_a_weighing_that_did_not_happen_leaves_the_one_before(rolled: SteelGroup) -> None:
    stock.weigh(rolled.plants["BRK"], stock.Command(rolled.command(), "p1"), "B6-00007", 30_000_000, "WS9")
    ask(rolled, "mass", "B6-00007", "another coil lay on the scale")
    assert piece(rolled, "B6-00007").mass_g == 20_200_000
    assert figures(rolled)["good_g"] == 20_200_000
    # and of the two that are left, the older one can still be named
    with pytest.raises(Refused, match="No other mass") as refusal:
        ask(rolled, "mass", "B6-00007")
    assert refusal.value.code == "correction.no_earlier_mass"


def test_a_withdrawn_step_gives_its_parents_back(rolled: SteelGroup) -> None:
    coil = piece(rolled, "B6-00007").material_id
    ask(rolled, "step", "B6-00007", "booked for the wrong slab")
    assert (piece(rolled, "S-1").state, piece(rolled, "S-1").mass_g) == ("live", 20_640_000)
    assert piece(rolled, coil).state == "withdrawn"
    assert not any(figures(rolled).values())
    with read(rolled.plants["BRK"].node.engine) as conn:
        assert not trace(conn, coil, "both").edges
        assert "did not happen" in " ".join(event.text for event in history(conn, coil))
    booking = Booking("b2", "p1", "FM", "S-1", 20_200_000, 100_000, "surface", "B6-00007", 825_000_000)
    assert book(rolled.plants["BRK"], booking)["material_id"] != coil


def test_a_wrong_number_still_finds_the_piece_and_is_free_for_another(rolled: SteelGroup) -> None:
    coil = piece(rolled, "B6-00007").material_id
    ask(rolled, "number", "B6-00007", number="B6-00008")
    rolled.stock("BRK", "S-2", 20_640)
    with read(rolled.plants["BRK"].node.engine) as conn:
        assert live_numbers(conn, "BRK", ["B6-00007", "B6-00008"]) == {"B6-00008"}
        assert find_by_number(conn, "B6-00007")[0].material_id == coil
    book(rolled.plants["BRK"], Booking("b3", "p1", "FM", "S-2", 20_300_000, number="B6-00007"))
    with read(rolled.plants["BRK"].node.engine) as conn:
        assert [row.material_id == coil for row in find_by_number(conn, "B6-00007")] == [False, True]
    with pytest.raises(Refused) as refusal:
        ask(rolled, "number", "B6-00008", number="B6-00007")
    assert refusal.value.code == "production.number_taken"


def test_scrap_is_taken_back_from_scrap(rolled: SteelGroup) -> None:
    stock.scrap(rolled.plants["BRK"], stock.Command(rolled.command(), "p1"), "B6-00007", "wrong coil")
    ask(rolled, "scrap", "B6-00007", "the other coil was meant")
    assert piece(rolled, "B6-00007").state == "live"
    with pytest.raises(Refused) as refusal:
        ask(rolled, "scrap", "B6-00007")
    assert refusal.value.code == "correction.not_scrapped"


def test_what_went_on_makes_a_case_at_the_plant_and_at_the_hub(rolled: SteelGroup) -> None:
    plant = rolled.plants["BRK"]
    stock.move(plant, stock.Command(rolled.command(), "p1"), "B6-00007", "CB3")
    moved = ask(rolled, "step", "B6-00007")
    assert [blocker["why"] for blocker in moved["blockers"]] == ["was moved since it was made"]
    rolled.sync()
    with read(rolled.hub.node.engine) as conn:
        assert find_cases(conn, kind="correction") == []  # all of it is the plant's own
    rolled.ship("BRK", "CLD", "BRK-1", ["B6-00007"])
    rolled.receive("CLD", "B6-00007", 20_200, "BRK-1")
    shipped = ask(rolled, "mass", "B6-00007", mass_g=20_020_000)
    assert [(b["why"], b["plant"]) for b in shipped["blockers"]] == [("was shipped to CLD", "CLD")]
    assert piece(rolled, "B6-00007").mass_g == 20_200_000  # nothing was changed
    rolled.sync()
    with read(rolled.hub.node.engine) as conn:
        (case,) = find_cases(conn, kind="correction")
        assert (case.from_plant, case.to_plant, case.piece_number) == ("BRK", "CLD", "B6-00007")
        assert "from 20,200 kg to 20,020 kg" in case.summary
        assert len(list_cases(conn, author="BRK", state="open")) == 2
    with pytest.raises(Refused) as refusal:
        settle(plant, shipped["case_id"], "carried_out", "", actor="p7", command_id=rolled.command())
    assert refusal.value.code == "correction.blocked"
    command = rolled.command()
    for _ in range(2):  # done once
        settle(plant, shipped["case_id"], "stands", "CLD books what it weighs", actor="p7", command_id=command)
    with pytest.raises(Refused) as ended:
        settle(plant, shipped["case_id"], "stands", "again", actor="p7", command_id=rolled.command())
    assert ended.value.code == "correction.settled"
    with pytest.raises(NotFound):
        settle(plant, "f" * 32, "stands", "x", actor="p7", command_id=rolled.command())


def test_a_case_is_carried_out_once_nothing_stands_on_it(rolled: SteelGroup) -> None:
    plant = rolled.plants["BRK"]
    stock.scrap(plant, stock.Command(rolled.command(), "p1"), "B6-00007", "wrong coil")
    case = ask(rolled, "mass", "B6-00007", mass_g=20_020_000)
    ask(rolled, "scrap", "B6-00007")
    done = settle(plant, case["case_id"], "carried_out", "", actor="p7", command_id=rolled.command())
    assert (done["state"], piece(rolled, "B6-00007").mass_g) == ("corrected", 20_020_000)


def test_a_case_about_a_weighing_is_not_carried_out_on_the_next_one(rolled: SteelGroup) -> None:
    plant = rolled.plants["BRK"]
    stock.scrap(plant, stock.Command(rolled.command(), "p1"), "B6-00007", "cobble")
    case = ask(rolled, "mass", "B6-00007", mass_g=20_020_000)
    ask(rolled, "scrap", "B6-00007", "it was another one")
    stock.weigh(plant, stock.Command(rolled.command(), "p1"), "B6-00007", 20_100_000)
    with pytest.raises(BadInput, match="stated anew"):
        settle(plant, case["case_id"], "carried_out", "", actor="p7", command_id=rolled.command())
    assert piece(rolled, "B6-00007").mass_g == 20_100_000


def test_a_number_is_taken_with_blanks_around_it_too(rolled: SteelGroup) -> None:
    rolled.stock("BRK", "B6-00008", 20_000, "coil")
    with pytest.raises(Refused) as taken:
        ask(rolled, "number", "B6-00007", number=" B6-00008 ")
    assert taken.value.code.endswith("number_taken")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"what": "mass", "mass_g": 20_200_000}, "correction.nothing_changes"),
    ({"what": "mass", "mass_g": 500_000_000}, "correction.bad"),
    ({"what": "mass", "mass_g": 1, "reason": " "}, "correction.bad"),
    ({"what": "luck"}, "correction.bad"),
    ({"what": "size"}, "correction.nothing_changes"),
    ({"what": "interval", "from_um": 0, "to_um": 99_000_000}, "material.outside"),
    ({"what": "interval", "from_um": 0, "to_um": 1, "parent": "B6-00007"}, "correction.no_parent"),
    ({"what": "consumption", "charged_g": 30_000_000}, "correction.bad"),
    ({"what": "losses", "losses": (Loss("scrap", 10**9),)}, "correction.bad"),
    ({"what": "number"}, "correction.bad"),
    ({"what": "step", "piece": "S-1"}, "correction.not_made_here"),
    ({"what": "move", "place": "nowhere"}, "stock.unknown_place"),
    ({"what": "move", "withdrawn": True}, "correction.bad"),
    ({"what": "move", "place": "YB-1", "reason": " "}, "correction.bad"),
    ({"what": "mark", "fact": "0" * 32}, "correction.bad"),
]


def test_what_cannot_be_is_refused_by_its_rule(rolled: SteelGroup) -> None:
    for asked, code in REFUSED:
        given = {"piece": "B6-00007", "reason": "x", **asked}
        with pytest.raises((BadInput, Refused)) as refusal:
            ask(rolled, given.pop("what"), given.pop("piece"), given.pop("reason"), **given)
        assert refusal.value.code == code, asked
