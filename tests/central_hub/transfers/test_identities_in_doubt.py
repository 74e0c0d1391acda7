"""Pieces mixed up in a furnace or a yard are held as a set until people say which is which; rows, traces and heats follow."""

from __future__ import annotations

from typing import Any

import pytest
from steel_group import HOUR, SteelGroup

from local_mes.production.correcting import correct
from local_mes.production.correction_domain import Asked
from local_mes.production.identity import (
    Doubt,
    Nameless,
    doubt,
    give_number,
    identify,
    resolve,
    take_in_nameless,
)
from local_mes.production.identity_domain import permutation
from local_mes.production.manual import Booking, book
from local_mes.production.packing import pack
from local_mes.production.person import Command
from local_mes.stock import service as stock
from shared.db.engine import read
from shared.errors import BadInput, NotFound, Refused
from shared.journal.content_hash import content_hash
from shared.journal.fact import Draft, Occurred
from shared.material.correction_queries import find_bearer
from shared.material.facts import Mass, MaterialCreated, NewAlias, NewMaterial, Size
from shared.material.history import history
from shared.material.queries import find_by_number, get_material, get_piece
from shared.material.trace import trace
from shared.quality.queries import open_holds
from shared.transfers.case_queries import find_cases


def command(group: SteelGroup) -> Command:
    return Command(group.command(), "p5")


def slab(group: SteelGroup, number: str, heat: str, carbon: int, place: str) -> str:
    """A slab of a heat in BRK's yard."""
    material_id = number.encode().hex().ljust(32, "0")
    size = Size(220_000, 1_280_000, 9_300_000)
    alias = (NewAlias("BRK.slab", number),)
    new = NewMaterial(
        material_id=material_id,
        kind="slab",
        aliases=alias,
        mass=Mass(20_640_000, "weighed", "", 1),
        size=size,
        place=place,
    )
    fact = MaterialCreated(material=new, origin="migrated", heat_number=heat, chemistry_e6={"C": carbon})
    with group.plants["BRK"].journal.work() as tx:
        tx.record(Draft(fact, (material_id,), "p1", Occurred(tx.now_ms(), "manual")))
    return material_id


def piece(group: SteelGroup, number: str) -> Any:
    with read(group.plants["BRK"].node.engine) as conn:
        return get_piece(conn, number, "BRK")


def test_a_mix_up_in_a_furnace_is_resolved_and_what_was_made_follows(group: SteelGroup) -> None:
    plant = group.plants["BRK"]
    a, b = slab(group, "S-A", "H1", 400, "YA-1"), slab(group, "S-B", "H2", 900, "YA-2")
    since = group.clock.now_ms()
    group.pass_time(HOUR)
    book(plant, Booking("b1", "p1", "FM", "S-A", 20_500_000, number="C-1"))
    coil = piece(group, "C-1").material_id
    group.ship("BRK", "CLD", "BRK-1", ["C-1"])
    group.sync()
    group.receive("CLD", "C-1", 20_500, "BRK-1")
    made = doubt(plant, command(group), Doubt(("S-A", "S-B"), "RF1", "rows confused", since_ms=since))
    with pytest.raises(Refused) as held:
        book(plant, Booking("b2", "p1", "FM", "S-B", 20_500_000))
    assert held.value.code == "production.held"
    with pytest.raises(BadInput):
        doubt(plant, command(group), Doubt(("S-A", "S-B"), "RF1", "again"))
    said = {"S-A": "S-B", "S-B": "S-A"}
    done = resolve(plant, command(group), made["set_id"], said, "analysis of the coil", labels=False)
    assert {(m["booked"], m["truly"]) for m in done["moved"]} == {(a, b), (b, a)}
    with read(plant.node.engine) as conn:
        # slab B was rolled; slab A is where B was booked, under its own number
        rows = {m: get_material(conn, "BRK", m) for m in (a, b, coil)}
        assert (rows[b].state, rows[a].state, rows[a].place, rows[a].number) == ("consumed", "live", "YA-2", "S-A")
        assert (rows[coil].heat_number, rows[coil].chemistry) == ("H2", '{"C": 900}')
        assert {step.parent_id for step in trace(conn, coil, "backward").edges} == {b}
        assert open_holds(conn, a) == []
        assert open_holds(conn, coil) == []
        told = [event.text for event in history(conn, a) if event.what == "identified"]
        assert told == ["what was booked for it since belongs to S-B: analysis of the coil"]
    group.sync()
    with read(group.hub.node.engine) as hub, read(plant.node.engine) as here:
        assert content_hash(hub, "BRK") == content_hash(here, "BRK")
        (case,) = find_cases(hub, kind="identity")
        assert (case.from_plant, case.to_plant, case.piece_number) == ("BRK", "CLD", "C6-00001")
    with pytest.raises(NotFound):
        resolve(plant, command(group), made["set_id"], said, "again", labels=False)


def test_what_is_on_its_way_when_a_doubt_is_resolved_is_a_case_too(group: SteelGroup) -> None:
    plant, since = group.plants["BRK"], group.clock.now_ms()
    slab(group, "S-A", "H1", 400, "YA-1")
    slab(group, "S-B", "H2", 900, "YA-2")
    group.pass_time(HOUR)
    for number, coil in (("S-A", "C-1"), ("S-B", "C-2")):
        book(plant, Booking(f"b{coil}", "p1", "FM", number, 20_500_000, number=coil))
    group.ship("BRK", "CLD", "BRK-1", ["C-1"])
    made = doubt(plant, command(group), Doubt(("S-A", "S-B"), "RF1", "rows confused", since_ms=since))
    group.pass_time(HOUR)
    resolve(plant, command(group), made["set_id"], {"S-A": "S-B", "S-B": "S-A"}, "analysis", labels=False)
    group.pass_time(HOUR)
    group.ship("BRK", "CLD", "BRK-2", ["C-2"])  # with the right papers
    group.sync()
    with read(group.hub.node.engine) as hub:
        (case,) = find_cases(hub, kind="identity")
    assert (case.from_plant, case.to_plant, case.piece_number) == ("BRK", "CLD", "C-1")
    assert "C-1 on its way to CLD may be of another heat" in case.summary


def test_swapped_labels_go_with_the_steel_and_a_lost_piece_stays_held(group: SteelGroup) -> None:
    plant = group.plants["BRK"]
    a, b, c = (slab(group, f"S-{n}", f"H{n}", 400, f"YA-{n}") for n in "ABC")
    asked = Doubt(("S-A", "S-B", "S-C"), "YA", "labels burnt off", ("S-A", "S-B"), group.clock.now_ms())
    made = doubt(plant, command(group), asked)
    for said, evidence in (({"S-A": b}, "x"), ({"S-A": b, "S-B": b}, "x"), ({"S-A": b, "S-B": c}, " ")):
        with pytest.raises(BadInput) as refusal:
            resolve(plant, command(group), made["set_id"], said, evidence, labels=True)
        assert refusal.value.code == "identity.bad"
    done = resolve(plant, command(group), made["set_id"], {"S-A": b, "S-B": c}, "stamped heat", labels=True)
    assert done["lost"] == [a]
    with read(plant.node.engine) as conn:
        assert [find_by_number(conn, number, "BRK")[0].material_id for number in ("S-A", "S-B")] == [b, c]
        assert [get_material(conn, "BRK", m).place for m in (b, c)] == ["YA-A", "YA-B"]
        assert [bool(open_holds(conn, m)) for m in (a, b, c)] == [True, False, False]
    group.sync()
    with read(group.hub.node.engine) as hub:
        assert find_cases(hub, kind="identity") == []  # nobody else has any of them


def test_a_nameless_piece_is_identified_and_a_piece_gets_a_further_number(group: SteelGroup) -> None:
    plant = group.plants["BRK"]
    a = slab(group, "S-A", "H1", 400, "YA-1")
    made = take_in_nameless(plant, command(group), Nameless("slab", "YB-9", 20_000_000))
    assert made["number"].startswith("?")
    with pytest.raises(Refused):
        book(plant, Booking("b2", "p1", "FM", made["number"], 19_900_000))
    said = identify(plant, command(group), made["number"], "S-A", "stamped number under the scale")
    assert said["material_id"] == a
    assert (piece(group, "S-A").place, piece(group, "S-A").state) == ("YB-9", "live")
    assert piece(group, made["number"]).material_id == a
    give_number(plant, command(group), "S-A", "S-A2")
    assert piece(group, "S-A2").material_id == a
    stock.scrap(plant, stock.Command(group.command(), "p1"), "S-A", "bent")
    other = take_in_nameless(plant, command(group), Nameless("slab", "YB-9", 20_000_000))["number"]
    for number, known, evidence in ((other, "S-A", "x"), (other, other, "x"), ("S-A", other, "x"), (other, "S-A", " ")):
        with pytest.raises(BadInput):
            identify(plant, command(group), number, known, evidence)
    with pytest.raises(BadInput):
        take_in_nameless(plant, command(group), Nameless("slab", "YB-9", 0))
    with pytest.raises(Refused):
        give_number(plant, command(group), "S-A", "S-A3")


def test_a_permutation_leaves_nothing_of_either_history() -> None:
    booked = {"1": "a", "2": "b"}
    assert permutation("abc", booked, {"1": "a", "2": "b"}) == {"a": "a", "b": "b", "c": "c"}
    assert permutation("abc", booked, {"1": "c", "2": "b"}) == {"a": "c", "b": "b", "c": "a"}
    found = permutation("abcd", booked, {"1": "b", "2": "c"})
    assert sorted(found.values()) == ["a", "b", "c", "d"]
    assert found["d"] == "d"  # nobody spoke of it


def test_a_step_withdrawn_after_a_mix_up_was_resolved_gives_back_what_was_truly_used(group: SteelGroup) -> None:
    plant, since = group.plants["BRK"], group.clock.now_ms()
    a, b = slab(group, "S-A", "H1", 400, "YA-1"), slab(group, "S-B", "H2", 900, "YA-2")
    group.pass_time(HOUR)
    book(plant, Booking("b1", "p1", "FM", "S-A", 20_500_000, number="C-1"))
    made = doubt(plant, command(group), Doubt(("S-A", "S-B"), "RF1", "rows confused", since_ms=since))
    resolve(plant, command(group), made["set_id"], {"S-A": "S-B", "S-B": "S-A"}, "analysis", labels=False)
    asked = Asked(what="step", piece="C-1", reason="booked twice")
    correct(plant, asked, actor="p5", command_id=group.command())
    with read(plant.node.engine) as conn:
        assert [get_material(conn, "BRK", m).state for m in (a, b)] == ["live", "live"]


def test_what_is_packed_is_no_candidate(group: SteelGroup) -> None:
    """Its pack's list says where it is; exchanged with another, it would be at two places."""
    plant = group.plants["BRK"]
    slab(group, "S-A", "H1", 400, "YA-1")
    slab(group, "S-B", "H2", 900, "YA-2")
    pack(plant, command(group), ["S-A"])
    with pytest.raises(BadInput) as refusal:
        doubt(plant, command(group), Doubt(("S-A", "S-B"), "YA", "mixed up"))
    assert "is packed" in refusal.value.what


def test_a_mass_of_one_piece_weighed_in_doubt_is_not_kept_by_both(group: SteelGroup) -> None:
    plant, since = group.plants["BRK"], group.clock.now_ms()
    a, b = slab(group, "S-A", "H1", 400, "YA-1"), slab(group, "S-B", "H2", 900, "YA-2")
    group.pass_time(HOUR)
    stock.weigh(plant, stock.Command(group.command(), "p1"), "S-A", 15_000_000)
    made = doubt(plant, command(group), Doubt(("S-A", "S-B"), "RF1", "rows confused", since_ms=since))
    resolve(plant, command(group), made["set_id"], {"S-A": "S-B", "S-B": "S-A"}, "analysis", labels=False)
    group.sync()
    with read(plant.node.engine) as conn, read(group.hub.node.engine) as hub:
        assert [get_material(conn, "BRK", m).mass_g for m in (a, b)] == [20_640_000, 15_000_000]
        told = [[event.text for event in history(hub, m) if event.what == "mass"][-1] for m in (a, b)]
        assert "20640000 g weighed, as before they were mixed up" in told[0]
        assert told[1].startswith("15000000 g weighed")
        assert told[1].endswith("weighed as S-A while they were mixed up")
        assert content_hash(hub, "BRK") == content_hash(conn, "BRK")


def test_a_label_given_to_the_wrong_piece_and_back_is_nobody_elses(group: SteelGroup) -> None:
    plant = group.plants["BRK"]
    a, b = slab(group, "S-A", "H1", 400, "YA-1"), slab(group, "S-B", "H2", 900, "YA-2")
    for true in ({"S-A": b, "S-B": a}, {"S-A": a, "S-B": b}):
        made = doubt(plant, command(group), Doubt(("S-A", "S-B"), "YA", "labels", ("S-A", "S-B"), group.clock.now_ms()))
        resolve(plant, command(group), made["set_id"], true, "stamps read", labels=True)
        with read(plant.node.engine) as conn:
            bearers = [find_bearer(conn, "BRK", number) for number in ("S-A", "S-B")]
        assert [row.material_id for row in bearers if row is not None] == list(true.values())
