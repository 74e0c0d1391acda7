"""What an outside party says is recorded once, in its name, or waits for a person; whatever way it came."""

from __future__ import annotations

import io
from typing import Any

import pytest
from browse import Person, sign_in
from outside_bench import ITEM, PROCESSOR, OutsideBench
from sqlalchemy import select

from local_mes.app import create_console
from local_mes.outside import service
from local_mes.outside.domain import Said, Statement, name_of
from local_mes.outside.epcis_reading import Malformed, read_event
from local_mes.outside.queries import count_open, list_events
from local_mes.transfers.service import LineCommand, take_back
from shared.db.engine import read
from shared.errors import Refused
from shared.journal.fact import decode
from shared.journal.tables import fact
from shared.material.queries import get_piece
from shared.material.trace import ancestor_places, trace
from shared.outside.queries import find_words
from shared.transfers.queries import custody_numbers
from shared.web.pieces.epcis import urn

AT = 1_773_205_200_000
EVENT = {
    "type": "ObjectEvent",
    "eventID": "urn:uuid:0b4b8a3e-4b1a-4a55-8a0a-111111111111",
    "eventTime": "2026-03-11T09:00:00+01:00",
    "eventTimeZoneOffset": "+01:00",
    "action": "OBSERVE",
    "bizStep": "receiving",
    "epcList": ["https://id.slitco.example/21/C6-00001"],
}


def weighing(kilograms: Any) -> dict[str, Any]:
    report = {"type": "gs1:Mass", "value": kilograms, "uom": "KGM"}
    return {"sensorElementList": [{"sensorReport": [report]}]}


def document(*events: Any, **more: Any) -> dict[str, Any]:
    body = {"type": "EPCISDocument", "schemaVersion": "2.0", "epcisBody": {"eventList": list(events)}}
    return body | more


def said(event_id: str, kind: str, *pieces: str, **more: Any) -> Statement:
    return Statement(event_id=event_id, kind=kind, at_ms=AT, pieces=tuple(Said(piece=one) for one in pieces), **more)


@pytest.fixture
def there(bench: OutsideBench) -> dict[str, Any]:
    """Two coils on their way to the processor."""
    bench.agree_processor()
    ids = {number: bench.coil(number, 10_000) for number in ("C6-00001", "C6-00002")}
    return {"load": bench.send("C6-00001", "C6-00002", party=PROCESSOR), "ids": ids}


class Program:
    """A party's program at the door, with its token."""

    def __init__(self, bench: OutsideBench) -> None:
        self.client = create_console(bench.plant).test_client()
        self.token = service.give_token(bench.plant, PROCESSOR, "test", actor="p1")

    def send(self, path: str, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.client.post(f"/outside/v1/{path}", headers=headers, **more)


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("urn:uuid:0195e7a1-0000-7000-8000-00000000abcd", "0195e7a10000700080000000" + "0000abcd"),
        ("https://id.example/01/0614/21/G6-1%2F2?x=1#y", "G6-1/2"),
        ("urn:epc:id:sgtin:0614141.107346.2017", "2017"),
        ("urn:slitco:coil:S-7", "S-7"),
        (" G6-00001 ", "G6-00001"),
    ],
)
def test_a_piece_is_named_by_many_forms_of_uri(uri: str, name: str) -> None:
    assert name_of(uri) == name


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"eventID": None}, "eventID"),
        ({"eventID": ""}, "eventID is missing"),
        ({"eventTime": "2026-03-11T09:00:00"}, "no zone"),
        ({"eventTime": "yesterday"}, "is no time"),
        ({"epcList": []}, "epcList is missing"),
        ({"epcList": ["a", "a"]}, "names a piece twice"),
        ({"epcList": [7]}, "no list of at most"),
        ({"action": 7}, "action is no text"),
        ({"strandline:pieces": [{"epc": "C6-1", "mass_g": -1}], "epcList": ["C6-1"]}, "mass_g is no mass"),
        ({"strandline:pieces": ["C6-1"]}, "no list of objects"),
        (weighing("1E+900000"), "a mass is not from 0 to 400000 kg"),
        (weighing("1E+999998"), "a mass is not from 0 to 400000 kg"),
        (weighing(-1), "a mass is not from 0 to 400000 kg"),
        (weighing("NaN"), "a mass is no number"),
        (weighing("1" * 21), "a mass has more than 20 characters"),
    ],
)
def test_a_malformed_event_is_refused_and_says_why(change: dict[str, Any], why: str) -> None:
    with pytest.raises(Malformed, match=why):
        read_event(EVENT | change)


@pytest.mark.parametrize(
    "change",
    [{"errorDeclaration": {}}, {"type": "AssociationEvent"}, {"bizStep": "storing"}, {"bizStep": None}],
)
def test_what_is_well_formed_and_means_nothing_here_goes_to_a_person(change: dict[str, Any]) -> None:
    assert read_event(EVENT | change).unclear


def test_events_are_taken_once_and_unknown_pieces_wait(bench: OutsideBench, there: dict[str, Any]) -> None:
    door = Program(bench)
    ours = urn(there["ids"]["C6-00001"])
    weighed = EVENT | {
        "epcList": [ours],
        "disposition": "https://ref.gs1.org/cbv/Disp-damaged",
        **weighing(10.0125e3),
        "bizTransactionList": [{"type": "desadv", "bizTransaction": urn(there["load"]["shipment_id"])}],
    }
    unknown = EVENT | {"eventID": "e-2", "epcList": ["C6-09999"]}
    bad = EVENT | {"eventID": "e-3", "eventTime": "?"}
    answer = door.send("epcis/capture", json=document(weighed, unknown, bad))
    assert answer.status_code == 422
    assert [item["state"] for item in answer.json["items"]] == ["done", "open", "refused"]
    assert "C6-09999 is not on any load to SLITCO" in answer.json["items"][1]["reason"]
    again = door.send("epcis/capture", json=document(weighed, unknown))
    assert (again.status_code, again.json["again"]) == (200, 2)
    other = door.send("epcis/capture", json=document(weighed | {"epcList": ["C6-00002"]}))
    assert other.json["items"][0]["reason"] == "an event of this id was sent before and said something else"
    line = bench.lines(there["load"]["shipment_id"])["C6-00001"]
    assert (line.state, line.receiver_mass_g, line.damage) == ("received_with_exceptions", 10_012_500, "damaged")
    with read(bench.plant.node.engine) as conn:
        (word,) = find_words(conn, "CLD", kind="received")
        assert (word.custody_no, word.mass_g, word.way) == (1, 10_012_500, "epcis")
        assert count_open(conn) == 1
        assert get_piece(conn, "C6-00001", "CLD").state == "shipped"  # its own row stays its own
        body = conn.execute(select(fact.c.body).where(fact.c.fact_id == word.fact_id)).scalar_one()
        assert decode(body).actor == "party:SLITCO"


def test_a_person_settles_what_waits(bench: OutsideBench, there: dict[str, Any]) -> None:
    opened = service.take(bench.plant, PROCESSOR, said("e-1", "received", "S-77"), "epcis")
    assert opened.state == "open"
    still = service.settle(bench.plant, opened.statement_id, {"S-77": "C6-08888"}, actor="p1")
    assert (still.state, "C6-08888" in still.reason) == ("open", True)
    done = service.settle(bench.plant, opened.statement_id, {"S-77": "C6-00001"}, actor="p1")
    assert done.state == "done"
    with pytest.raises(Refused, match="done already"):
        service.drop(bench.plant, opened.statement_id, "no", actor="p1")
    assert service.take(bench.plant, PROCESSOR, said("e-1", "received", "S-77"), "epcis").state == "again"
    assert bench.lines(there["load"]["shipment_id"])["C6-00001"].state == "received"
    twice = service.take(bench.plant, PROCESSOR, said("e-9", "received", "C6-00001"), "epcis")
    assert "was received already" in twice.reason  # another event: a contradiction, not a repetition
    service.drop(bench.plant, twice.statement_id, "sent twice by their program", actor="p1")
    with read(bench.plant.node.engine) as conn:
        assert [row.state for row in list_events(conn)] == ["dropped", "done"]


def test_a_processor_produces_sends_back_and_the_piece_is_ours_again(
    bench: OutsideBench, there: dict[str, Any]
) -> None:
    made = Statement(
        event_id="p-1", kind="produced", at_ms=AT, number="R-1", scrap_g=150_000, operation="slit",
        inputs=(Said(piece="C6-00001"),),
        pieces=(Said(piece="S-1", mass_g=4_900_000, kind="slit"), Said(piece="S-2", mass_g=4_950_000, kind="slit")),
    )  # fmt: skip
    thin = service.take(bench.plant, PROCESSOR, Statement(
        event_id="p-0", kind="produced", at_ms=AT, inputs=made.inputs, pieces=made.pieces[:1]), "x12")  # fmt: skip
    assert "it does not balance: charged 10,000 kg, products 4,900 kg" in thin.reason
    assert service.take(bench.plant, PROCESSOR, made, "x12").state == "done"
    with read(bench.plant.node.engine) as conn:
        parent, child = get_piece(conn, "C6-00001", "CLD"), get_piece(conn, "S-1", "CLD")
        assert (parent.state, child.state, child.grade, child.place) == ("consumed", "shipped", "L06", PROCESSOR)
        assert {row.number for row in trace(conn, child.material_id, "backward").rows} >= {"C6-00001", "S-1"}
        assert custody_numbers(conn, child.material_id) == [1]
    sent = said("s-1", "shipped", "S-1", number="SL-9")
    assert service.take(bench.plant, PROCESSOR, sent, "epcis").state == "done"
    with read(bench.plant.node.engine) as conn:
        (word,) = find_words(conn, "CLD", kind="shipped")
        load = word.shipment_id
    command = LineCommand("back-1", "p1", load, "S-1", "back", place="YC-1-1")
    take_back(bench.plant, command)
    with read(bench.plant.node.engine) as conn:
        piece = get_piece(conn, "S-1", "CLD")
        assert (piece.state, piece.place, max(custody_numbers(conn, piece.material_id))) == ("live", "YC-1-1", 2)
    assert bench.lines(load)["S-1"].state == "returned"
    late = service.take(bench.plant, PROCESSOR, said("s-2", "missed", "S-1"), "epcis")
    assert late.state == "open"  # it is not there any more
    missing = service.take(bench.plant, PROCESSOR, said("m-1", "missed", "C6-00002"), "epcis")
    assert missing.state == "done"
    assert bench.lines(there["load"]["shipment_id"])["C6-00002"].state == "short"


M, MM = 1_000_000, 1_000
SLITS = [
    {"epc": "S-1", "mass_g": 4_900_000, "kind": "slit", "from_um": 100 * MM, "to_um": 9 * M, "right_um": 600 * MM},
    {"epc": "S-2", "mass_g": 4_950_000, "kind": "slit", "to_um": 9_380 * MM, "left_um": 600 * MM, "width_um": 640 * MM},
]  # the coil is 9.3 m by 1,280 mm


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            {"to_um": 9_400 * MM},
            "S-2 is said to be of 0.000 to 9.400 m and 600 to 1,280 mm across of C6-00001, which is 9.300",
        ),
        ({"left_um": 580 * MM}, "S-1 and S-2 are said to be of the same place of C6-00001"),
    ],
)
def test_places_within_the_piece_that_cannot_be_wait_for_a_person(
    bench: OutsideBench, there: dict[str, Any], change: dict[str, int], why: str
) -> None:
    found = service.take(bench.plant, PROCESSOR, read_event(slitting(SLITS[0], SLITS[1] | change)), "epcis")
    assert found.state == "open"
    assert why in found.reason


def slitting(*pieces: dict[str, Any]) -> dict[str, Any]:
    made = {
        "type": "TransformationEvent",
        "inputEPCList": ["C6-00001"],
        "outputEPCList": [one["epc"] for one in pieces],
    }
    return EVENT | made | {"strandline:scrap_g": 150_000, "strandline:pieces": list(pieces)}


def test_a_place_on_a_processors_product_is_found_on_our_piece(bench: OutsideBench, there: dict[str, Any]) -> None:
    event = read_event(slitting(*SLITS))
    assert service.take(bench.plant, PROCESSOR, event, "epcis").state == "done"
    with read(bench.plant.node.engine) as conn:
        first, second = get_piece(conn, "S-1", "CLD"), get_piece(conn, "S-2", "CLD")
        assert (first.width_um, first.length_um, second.width_um, second.length_um) == (
            600 * MM,
            8_900 * MM,
            640 * MM,
            9_300 * MM,
        )
        coil = there["ids"]["C6-00001"]
        on_it = [
            [(one.at_um, one.left_um) for one in ancestor_places(conn, made, 1 * M, left) if one.material_id == coil]
            for made, left in ((first.material_id, 50 * MM), (second.material_id, 320 * MM))
        ]
        assert on_it == [[(1_100 * MM, 50 * MM)], [(1 * M, 940 * MM)]]  # the second's 640 mm are 680 of ours
    with pytest.raises(Malformed, match="to_um is no length in um"):
        read_event(slitting(SLITS[0] | {"to_um": "9 m"}))


def test_a_production_makes_and_destroys_no_steel(bench: OutsideBench, there: dict[str, Any]) -> None:
    def produced(event_id: str, out_g: int, *inputs: Said) -> service.Outcome:
        statement = Statement(
            event_id=event_id, kind="produced", at_ms=AT, inputs=inputs, pieces=(Said(piece="S-1", mass_g=out_g),)
        )
        return service.take(bench.plant, PROCESSOR, statement, "epcis")

    coil, id_ = Said(piece="C6-00001"), there["ids"]["C6-00001"]
    for event_id, charged_g in (("more", 400_000_000), ("less", 40_000), ("a-little", 10_041_000)):
        found = produced(event_id, charged_g, Said(piece="C6-00001", mass_g=charged_g))
        assert "the books say 10,000 kg, and 40 kg of difference are allowed" in found.reason
    for event_id, other in (("twice", coil), ("two-names", Said(piece=id_))):
        assert produced(event_id, 20_000_000, coil, other).reason == "it names C6-00001 more than once"
    away = Statement(event_id="s", kind="shipped", at_ms=AT, number="SL-1", pieces=(coil, Said(piece=id_)))
    assert service.take(bench.plant, PROCESSOR, away, "epcis").reason == "it names C6-00001 more than once"
    with read(bench.plant.node.engine) as conn:
        assert get_piece(conn, "C6-00001", "CLD").state == "shipped"
    assert produced("weighed", 10_030_000, Said(piece="C6-00001", mass_g=10_040_000)).state == "done"


def test_a_report_has_a_number_of_its_own_and_its_load_a_file_of_any_name(
    bench: OutsideBench, there: dict[str, Any]
) -> None:
    assert there

    def produced(event_id: str, number: str, at: int) -> service.Outcome:
        statement = Statement(
            event_id=event_id, kind="produced", at_ms=AT, number=number, inputs=(Said(piece=f"C6-0000{at}"),),
            pieces=(Said(piece=f"S-{at}", mass_g=10_000_000),),
        )  # fmt: skip
        return service.take(bench.plant, PROCESSOR, statement, "epcis")

    assert produced("p-1", 'R"; x=é 1', 1).state == "done"
    assert (
        produced("p-2", 'R"; x=é 1', 2).reason
        == 'load SLITCO-R"; x=é 1 is there already: a report has a number of its own'
    )
    bench.coil("C6-00003")
    bench.send("C6-00003", party=PROCESSOR)
    # without a number each has one from its own id, also in one millisecond
    assert [produced("p-3", "", 2).state, produced("p-4", "", 3).state] == ["done", "done"]
    lead = sign_in(create_console(bench.plant), bench.plant.node, "lead", "lead")
    answer = lead.client.get('/outside/loads/SLITCO-R"; x=é 1/870.x12')
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == 'attachment; filename="SLITCO-R___x___1-870.x12"'


def test_a_piece_is_re_applied_only_to_an_order_that_is_there(bench: OutsideBench, there: dict[str, Any]) -> None:
    assert there["load"]
    unknown = service.take(bench.plant, PROCESSOR, said("r-1", "reapplied", "C6-00001", order_item="9/9"), "x12")
    assert unknown.reason == "order item 9/9 is not released here"
    bench.order("720000/10")
    assert service.settle(bench.plant, unknown.statement_id, {}, actor="p1").state == "open"
    done = service.take(bench.plant, PROCESSOR, said("r-2", "reapplied", "C6-00001", order_item="720000/10"), "x12")
    assert done.state == "done"
    with read(bench.plant.node.engine) as conn:
        assert get_piece(conn, "C6-00001", "CLD").order_item == "720000/10"


def test_the_door_opens_to_a_token_in_force_and_to_nothing_else(bench: OutsideBench, there: dict[str, Any]) -> None:
    assert there
    door = Program(bench)
    engineer = sign_in(create_console(bench.plant), bench.plant.node, "eng", "engineer")
    for token in ("", "x.y", engineer.token, door.token[:-1] + "!"):
        answer = door.client.post("/outside/v1/csv", headers={"Authorization": f"Bearer {token}"}, data=b"")
        assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    # and the party's token opens nothing of the plant's own API
    for path in ("/api/v1/materials", "/api/v1/deliveries", "/api/v1/shipments"):
        assert door.client.get(path, headers={"Authorization": f"Bearer {door.token}"}).status_code == 401
    assert door.send("epcis/capture", data=b"{", content_type="application/json").status_code == 400
    assert door.send("epcis/capture", json={"type": "X"}).status_code == 422
    assert door.send("epcis/capture", json=document(schemaVersion="1.2")).status_code == 422
    with read(bench.plant.node.engine) as conn:
        assert list_events(conn) == []
    token_id = door.token.split(".")[0]
    service.revoke_token(bench.plant, token_id)
    assert door.send("csv", data=b"").status_code == 401
    tries = [
        door.client.post("/outside/v1/csv", headers={"Authorization": f"Bearer {n}.x"}).status_code for n in range(20)
    ]
    assert tries[-1] == 429
    assert 401 in tries
    other = Program(bench)
    bench.agree_processor(ended=True)
    assert other.send("csv", data=b"").status_code == 403


def test_a_file_is_checked_by_rows_and_may_be_sent_again(bench: OutsideBench, there: dict[str, Any]) -> None:
    load = there["load"]["number"]
    door = Program(bench)
    head = "what;load;piece;own_number;mass_kg;damage;at"
    rows = [
        f"received;{load};C6-00001;S-1;10120,5;;2026-03-11T14:05",
        f"received;{load};C6-00002;;heavy;;2026-03-11T14:05",
        f"lost;{load};C6-00002;;;;2026-03-11T14:05",
        "received;;C6-00002;;;;",
        "received;;C6-09999;;;;2026-03-11T14:05",
        "received;;C6-00002;;1;;2026-03-11T14:05;too;many;cells",
    ]
    answer = door.send("csv", data="\n".join([head, *rows]).encode("utf-8-sig"))
    assert [(item["line"], item["state"]) for item in answer.json["items"]] == [
        (2, "done"), (3, "refused"), (4, "refused"), (5, "refused"), (6, "open"), (7, "refused"),
    ]  # fmt: skip
    assert answer.json["items"][1]["reason"] == "mass_kg 'heavy' is no number"
    assert answer.json["items"][5]["reason"] == "it has more cells than the head"
    mended = [rows[0], rows[1].replace("heavy", "10050")]
    answer = door.send("csv", data="\n".join([head, *mended]).encode())
    assert [item["state"] for item in answer.json["items"]] == ["again", "done"]
    line = bench.lines(there["load"]["shipment_id"])["C6-00001"]
    assert (line.receiver_mass_g, line.own_number) == (10_120_500, "S-1")
    for broken in (b"\xff\xfe", b"a,b\n1,2\n", b'what,piece\n"open'):
        assert door.send("csv", data=broken).status_code == 422
    page = door.client.get("/outside/v1/csv/template", headers={"Authorization": f"Bearer {door.token}"})
    assert page.text.startswith("what,load,piece")


def test_what_no_table_could_keep_waits_for_a_person(bench: OutsideBench, there: dict[str, Any]) -> None:
    assert there
    unfit = (
        (Said(piece="C6-00001", mass_g=10**12), AT, "cannot weigh that much"),
        (Said(piece="C6-00001", mass_g=1, mass_basis="guessed"), AT, "weighed or theoretical, not guessed"),
        (Said(piece="C6-00001", own_number="S" * 65), AT, "at most 64 characters"),
        (Said(piece="C6-00001", own_number="S\n1"), AT, "and no control character"),
        (Said(piece="C6-00001"), 10**15, "no possible time"),
    )
    for field in ("load", "number", "order_item", "vehicle"):
        for text in ("L" * 65, "L\r\nX: 1"):
            named = said(f"{field}-{len(text)}", "received", "C6-00001", **{field: text})
            found = service.take(bench.plant, PROCESSOR, named, "x12")
            assert (found.state, "and no control character" in found.reason) == ("open", True), (field, text)
    for at, (piece, at_ms, why) in enumerate(unfit):
        statement = Statement(event_id=f"e-{at}", kind="received", at_ms=at_ms, pieces=(piece,))
        found = service.take(bench.plant, PROCESSOR, statement, "x12")
        assert (found.state, why in found.reason) == ("open", True), why
    nothing = service.take(bench.plant, PROCESSOR, said("e\x00", "received", "C6-00001"), "epcis")
    assert nothing.state == "refused"


def test_pages_of_parties_teach_and_do_their_work(bench: OutsideBench) -> None:
    lead: Person = sign_in(create_console(bench.plant), bench.plant.node, "lead", "lead")
    assert "Nobody outside has told anything yet" in lead.page("/outside/")
    bench.agree_processor()
    at = f"/outside/parties/{PROCESSOR}"
    assert "Nothing of ours is there" in lead.page(at)
    lead.page("/outside/parties/NOBODY", 404)
    bench.coil("C6-00001")
    load = bench.send("C6-00001", party=PROCESSOR)
    given = lead.post(f"{at}/tokens", at, title="their program")
    assert "shown this once" in given.text
    assert "their program" in lead.page(at)
    content = b"what,load,piece,at\nreceived,,C6-00001,2026-03-11T05:00\nreceived,,C6-7,2026-03-11T05:00\nx,,C6-7,\n"
    hidden_page = lead.page(at)
    assert "the template" in hidden_page
    done = lead.post(f"{at}/csv", at, file=(io.BytesIO(content), "a.csv"))  # type: ignore[arg-type]
    assert done.status_code == 200
    assert "Waits for a person" in done.text
    assert "Refused" in done.text
    assert "C6-7 is not on any load" in lead.page("/outside/?state=open")
    with read(bench.plant.node.engine) as conn:
        (waiting,) = list_events(conn, state="open")
    entry = f"/outside/entries/{waiting.statement_id}"
    assert "It waits for a person" in lead.page(entry)
    again = lead.post(f"{entry}/settle", entry, said="C6-7", means="C6-8")
    assert "It still waits" in lead.page(again.headers["Location"])
    assert lead.post(f"{entry}/drop", entry, note="a coil of another mill").status_code == 302
    assert "a coil of another mill" in lead.page(entry)
    service.take(bench.plant, PROCESSOR, said("s-1", "shipped", "C6-00001", number="SL-9"), "epcis")
    assert "SL-9" in lead.page(at)
    with read(bench.plant.node.engine) as conn:
        (word,) = find_words(conn, "CLD", kind="shipped")
    back = lead.post(f"{at}/take-back", at, shipment=word.shipment_id, piece=word.material_id, place="YC-1-1")
    assert "is here again" in lead.page(back.headers["Location"])
    assert "Nothing is announced" in lead.page(at)
    page = lead.page(f"/outside/loads/{load['number']}")
    assert "No link was given" in page
    assert ITEM not in lead.page("/outside/template.csv")


ADVICE = """ISA*00*          *00*          *ZZ*SLITCO         *ZZ*CLD            *260311*0600*U*00401*000000042*0*P*:~
GS*RC*SLITCO*CLD*20260311*0600*42*X*004010~
ST*861*0001~
BRA*W-1*20260311*00*1*060000~
PER*IC*Somebody~
RCD*1*1*PC*****01~
REF*LS*C6-00001~
MEA*WT*weighed*10010*KG~
PID*F****edge bent~
RCD*2*0*PC~
REF*LS*C6-00002~
SE*10*0001~
ST*999*0002~
SE*2*0002~
GE*2*42~
IEA*1*000000042~
"""
REPORT = """ISA*00*          *00*          *ZZ*SLITCO         *ZZ*CLD            *260311*0700*U*00401*000000043*0*P*:~
GS*RS*SLITCO*CLD*20260311*0700*43*X*004010~
ST*870*0001~
BSR*3*PP*R-1*20260311***070000~
SLN*1**D**KG****SN*C6-00001~
SLN*2**A*4900*KG****SN*S-1~
SLN*3**A*4950*KG****SN*S-2~
QTY*SC*150*KG~
SE*7*0001~
GE*1*43~
IEA*1*000000043~
"""


def test_messages_in_the_shape_of_x12_come_and_go(bench: OutsideBench, there: dict[str, Any]) -> None:
    door = Program(bench)
    answer = door.send("x12", data=ADVICE.encode())
    assert [(item["message"], item["state"]) for item in answer.json["items"]] == [
        ("861", "done"), ("861", "done"), ("999", "refused"),
    ]  # fmt: skip
    # once a transaction, however many pieces it is about
    assert [item["unread"] for item in answer.json["items"]] == [["PER*IC*Somebody"], [], []]
    lines = bench.lines(there["load"]["shipment_id"])
    assert (lines["C6-00001"].damage, lines["C6-00001"].receiver_mass_g) == ("edge bent", 10_010_000)
    assert lines["C6-00002"].state == "short"
    assert door.send("x12", data=ADVICE.encode()).json["again"] == 2
    assert door.send("x12", data=REPORT.encode()).json["items"][0]["reason"] == ""
    assert door.send("x12", data=ADVICE[:-20].encode()).status_code == 422
    head, _, rest = (
        ADVICE.replace("0042*0*P", "0044*0*P").replace("IEA*1*000000042", "IEA*1*000000044").partition("RCD*")
    )
    empty = head + "SE*4*0001~\n" + rest[rest.index("ST*999") :]
    assert [(one["reason"], one["unread"]) for one in door.send("x12", data=empty.encode()).json["items"][:1]] == [
        ("it names no piece", ["PER*IC*Somebody"])
    ]
    lead = sign_in(create_console(bench.plant), bench.plant.node, "lead", "lead")
    number = there["load"]["number"]
    ship = lead.client.get(f"/outside/loads/{number}/856.x12").text
    assert f"BSN*00*{number}*" in ship
    assert "REF*LS*C6-00002~" in ship
    assert "MEA*CH*C*0.045*P1~" in lead.client.get(f"/outside/loads/{number}/863.x12").text
    made = lead.client.get(f"/outside/loads/{PROCESSOR}-R-1/870.x12").text
    assert "SLN*1**I*4900*KG****SN*C6-00001~" in made
    bench.coil("C6-00007")
    stock = lead.client.get(f"/outside/parties/{PROCESSOR}/846.x12").text
    assert "LIN*1*SN*C6-00007~" in stock
    assert "QTY*17*1*PC~" in stock
    lead.page(f"/outside/loads/{number}/861.x12", 404)
    lead.page("/outside/loads/CL-999999/856.x12", 404)
