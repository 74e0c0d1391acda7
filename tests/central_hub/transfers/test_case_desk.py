"""A case is looked after, talked about, ended and confirmed: at the hub and at both plants, through their pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browse import Person, sign_in
from sqlalchemy import event, select
from steel_group import HOUR, SteelGroup, rows

from central_hub.app import create_portal
from central_hub.hub import Hub
from central_hub.transfers.deadlines import Due, read_deadlines
from central_hub.transfers.desk import Charge, assign, say
from central_hub.transfers.service import resolve_case
from local_mes.app import create_console
from local_mes.cases.service import confirm
from local_mes.cases.service import say as say_here
from local_mes.transfers.service import close_receipt
from shared.db.engine import read
from shared.errors import BadInput, NotFound, Refused
from shared.journal.fact import Draft, Occurred, StandardRef
from shared.standards.as_yaml import read_text
from shared.standards.canonical import body_of
from shared.standards.check import document_faults
from shared.standards.documents import parse_document
from shared.standards.facts import StandardPublished
from shared.transfers.tables import case_charge, case_word, transfer_case


@pytest.fixture
def short(group: SteelGroup) -> SteelGroup:
    """Two pieces left BRK for CLD; one of them is short."""
    for number in ("B6-1", "B6-2"):
        group.stock("BRK", number, 20_180, kind="coil")
    group.ship("BRK", "CLD", "RC-1", ["B6-1", "B6-2"], mode="truck")
    group.pass_time(HOUR)
    group.sync()
    group.receive("CLD", "B6-1", 20_180, "RC-1")
    close_receipt(group.plants["CLD"], "RC-1", actor="p3", command_id="close")
    group.pass_time(HOUR)
    group.sync()
    return group


def only_case(group: SteelGroup) -> str:
    with read(group.hub.node.engine) as conn:
        return str(conn.execute(select(transfer_case.c.case_id)).scalar_one())


def test_a_case_is_handed_over_talked_about_ended_and_confirmed_by_both_plants(short: SteelGroup) -> None:
    desk = sign_in(create_portal(short.hub), short.hub.node, "logistics.group", "logistics")
    yard = sign_in(create_console(short.plants["CLD"]), short.plants["CLD"].node, "yard.cld", "yard")
    lead = sign_in(create_console(short.plants["BRK"]), short.plants["BRK"].node, "lead.brk", "lead")
    case = only_case(short)
    here, there = f"/transfers/cases/{case}", f"/cases/{case}"
    page = desk.page(here)
    for text in ("nobody looks after it", "the turn of <b>HUB</b>", "stays on the way on the sender", "Conversation"):
        assert text in page
    me = _id_in(page, "logistics.group")
    assert desk.post(f"{here}/charge", here, owner=me, party="CLD", hours="4").status_code == 302
    assert desk.post(f"{here}/charge", here, owner=me, party="ALD", hours="4").status_code == 422
    assert desk.post(f"{here}/words", here, text="CLD, please look in bay 3.").status_code == 302
    short.sync()
    page = yard.page(there)
    for text in ("the turn of <b>this plant</b>", "please look in bay 3", "a person of HUB", "not taken in"):
        assert text in page
    assert "this plant" in yard.page("/cases?turn=here")
    assert "books are not seen from here" in lead.page(there)
    assert yard.post(f"{there}/words", there, text="It stands in bay 7, label torn.").status_code == 302
    assert yard.post(f"{there}/confirm", there, answer="agree", note="").status_code == 409
    short.sync()
    assert "bay 7, label torn" in desk.page(here)
    assert "bay 7, label torn" in lead.page(there)
    assert desk.post(here, here, resolution="received_late", note="Found in bay 7.").status_code == 302
    assert "CLD has not confirmed it yet" in desk.page(here)
    assert "B6-2" in desk.page("/transfers/cases?state=to_confirm")
    short.sync()
    assert "It was found and taken in" in lead.page(there)
    assert lead.post(f"{there}/confirm", there, answer="object", note="").status_code == 422
    assert lead.post(f"{there}/confirm", there, answer="object", note="We have it here.").status_code == 302
    assert yard.post(f"{there}/confirm", there, answer="agree", note="").status_code == 302
    short.sync()
    assert "BRK objects" in desk.page(here)
    assert "BRK objects" in yard.page(there)
    assert "B6-2" in desk.page("/transfers/cases?state=objected")
    assert desk.post(f"{here}/reopen", here, why=" ").status_code == 422
    assert desk.post(f"{here}/reopen", here, why="BRK has it in its yard.").status_code == 302
    assert desk.api("POST", f"/api/v1/cases/{case}/reopen", json={"command_id": "r", "note": "x"}).status_code == 409
    for page in (desk.page(here), desk.page("/transfers/cases")):
        assert "B6-2" in page
    assert "opens it again" in desk.page(here)
    short.sync()
    page = yard.page(there)
    for text in ("BRK has it in its yard.", "the turn of <b>HUB</b>"):
        assert text in page
    assert "Nothing matches" in desk.page("/transfers/cases?state=objected")
    assert desk.post(here, here, resolution="did_not_occur", note="It stands at BRK.").status_code == 302
    short.sync()
    assert "CLD has not confirmed it yet" in yard.page(there)
    assert "BRK objects" not in desk.page(here)
    assert yard.post(f"{there}/confirm", there, answer="agree", note="").status_code == 302
    assert lead.post(f"{there}/confirm", there, answer="agree", note="Another coil.").status_code == 302
    short.sync()
    page = desk.page(here)
    assert "BRK confirmed it" in page
    assert "CLD confirmed it" in page
    for state in ("to_confirm", "objected"):
        assert "Nothing matches" in desk.page(f"/transfers/cases?state={state}")
    for plant in ("BRK", "CLD"):
        engine = short.plants[plant].node.engine
        assert rows(engine, case_word) == rows(short.hub.node.engine, case_word)
        assert rows(engine, case_charge) == rows(short.hub.node.engine, case_charge)
    assert rows(short.plants["ALD"].node.engine, case_word) == []


def test_the_desk_over_the_api(short: SteelGroup) -> None:
    desk = sign_in(create_portal(short.hub), short.hub.node, "logistics.group", "logistics")
    yard = sign_in(create_console(short.plants["CLD"]), short.plants["CLD"].node, "yard.cld", "yard")
    here = f"/api/v1/cases/{only_case(short)}"
    due = short.clock.now_ms() + HOUR
    body = {"command_id": "c1", "party": "CLD", "deadline_ms": due}
    assert desk.api("POST", f"{here}/charge", json=body).json["deadline_ms"] == due  # type: ignore[index]
    assert desk.api("POST", f"{here}/words", json={"command_id": "c2", "text": "Seen?"}).status_code == 200
    short.sync()
    short.pass_time(60_000)
    assert yard.api("POST", f"{here}/words", json={"command_id": "c3", "text": "In bay 7."}).status_code == 200
    short.pass_time(60_000)
    end = {"command_id": "c4", "resolution": "received_late", "note": "bay 7"}
    assert desk.api("POST", f"{here}/resolve", json=end).status_code == 200
    short.sync()
    assert yard.api("POST", f"{here}/confirm", json={"command_id": "c5"}).status_code == 200
    short.sync()
    told = desk.api("GET", f"{here}/words").json
    assert told is not None
    assert [word["text"] for word in told["items"]] == ["Seen?", "In bay 7.", ""]
    assert (told["due_ms"], told["party"], told["owner"]) == (due, "CLD", "")
    assert {one["plant"]: one["kind"] for one in told["standings"]} == {"BRK": "", "CLD": "confirmed"}
    assert desk.api("GET", "/api/v1/cases/nothing/words").status_code == 404
    lanes = desk.api("GET", "/api/v1/lanes").json
    assert lanes is not None
    assert [(lane["lane"], lane["shipped"], lane["received"]) for lane in lanes["items"]] == [("BRK-CLD", 2, 1)]
    assert (lanes["pairs"][0]["count"], lanes["pairs"][0]["low_ppm"]) == (1, None)


def test_a_published_workflow_says_until_when_a_case_is_to_end(short: SteelGroup) -> None:
    hub, now_ms = short.hub, short.clock.now_ms()
    file = Path(__file__).parents[3] / "demo" / "standards" / "library" / "W-MISSING-v1.yaml"
    body = body_of(parse_document(read_text(file.read_text())))
    fact = StandardPublished(
        standard_id="W-MISSING", version=1, kind="workflow", title="x", sha256="a" * 64, body=body.decode()
    )
    with read(hub.node.engine) as conn:
        assert read_deadlines(conn, "HUB", now_ms).due("short", now_ms) == Due(now_ms + 24 * HOUR)
    with hub.journal.work() as tx:
        tx.record(Draft(fact, ("W-MISSING",), "p", Occurred(now_ms, "manual")))
    with read(hub.node.engine) as conn:
        due = read_deadlines(conn, "HUB", now_ms)
    assert due.due("short", now_ms) == Due(now_ms + 24 * HOUR, StandardRef("W-MISSING", 1, "a" * 64))
    assert due.due("mass", now_ms) == Due(now_ms + 72 * HOUR)
    _endless(hub, read_text(file.read_text()), now_ms)
    desk = sign_in(create_portal(hub), hub.node, "logistics.group", "logistics")
    page = desk.page(f"/transfers/cases/{only_case(short)}")
    for text in ("What is to be done, by W-MISSING version 1", "Ask the carrier", "within"):
        assert text in page


def _endless(hub: Hub, text: Any, now_ms: int) -> None:
    """A time without an end is refused to its author; of one published before there was a bound 60 days count."""
    text |= {"trigger": "case.mass", "actions": [text["actions"][0] | {"within_min": 10**15}]}
    document = parse_document(text)
    assert "86400 at most" in " ".join(document_faults(document))
    body = body_of(document).decode()
    fact = StandardPublished(standard_id="W-LONG", version=1, kind="workflow", title="x", sha256="b" * 64, body=body)
    with hub.journal.work() as tx:
        tx.record(Draft(fact, ("W-LONG",), "p", Occurred(now_ms, "manual")))
    with read(hub.node.engine) as conn:
        due = read_deadlines(conn, "HUB", now_ms).due("mass", now_ms)
    assert due == Due(now_ms + 60 * 24 * HOUR, StandardRef("W-LONG", 1, "b" * 64))


def _id_in(page: str, name: str) -> str:
    at = page.index(f">{name}</option>")
    return page[:at].rsplit('value="', 1)[1].split('"')[0]


def test_who_may_say_what_about_a_case(short: SteelGroup) -> None:
    case, now_ms = only_case(short), short.clock.now_ms()
    for wrong in (
        Charge("nobody known", "CLD", now_ms + HOUR),
        Charge("", "ALD", now_ms + HOUR),
        Charge("", "CLD", now_ms),
        Charge("", "CLD", now_ms + 61 * 24 * HOUR),
    ):
        with pytest.raises(BadInput):
            assign(short.hub, case, wrong, actor="p", command_id=short.command())
    with pytest.raises(NotFound):
        say(short.hub, "0" * 32, "x", actor="p", command_id=short.command())
    with pytest.raises(NotFound):
        say_here(short.plants["ALD"], case, "not ours", actor="p", command_id=short.command())
    with pytest.raises(BadInput):
        say_here(short.plants["CLD"], case, " ", actor="p", command_id=short.command())
    first = say_here(short.plants["CLD"], case, "seen", actor="p", command_id="same")
    assert say_here(short.plants["CLD"], case, "seen", actor="p", command_id="same") == first
    with pytest.raises(Refused):
        confirm(short.plants["CLD"], case, agrees=True, note="", actor="p", command_id=short.command())
    resolve_case(short.hub, case, "lost", "gone", actor="p", command_id="end")
    with pytest.raises(Refused):
        assign(short.hub, case, Charge("", "CLD", now_ms + HOUR), actor="p", command_id=short.command())


def test_the_desk_sorts_filters_and_pages_by_age_and_deadline_in_few_statements(group: SteelGroup) -> None:
    names = [f"B6-{n}" for n in range(8)]
    for number in names:
        group.stock("BRK", number, 20_180, kind="coil")
    for at, number in enumerate(names):
        group.ship("BRK", "CLD", f"RC-{at}", [number], mode="truck")
    group.sync()
    for at in range(len(names)):
        group.pass_time(60_000)
        close_receipt(group.plants["CLD"], f"RC-{at}", actor="p3", command_id=f"close-{at}")
    group.pass_time(HOUR)
    group.sync()
    desk = sign_in(create_portal(group.hub), group.hub.node, "logistics.group", "logistics")
    with read(group.hub.node.engine) as conn:
        rows_of_cases = conn.execute(select(transfer_case.c.piece_number, transfer_case.c.case_id)).all()
    cases = {row.piece_number: row.case_id for row in rows_of_cases}
    assert len(cases) == len(names)
    group.pass_time(HOUR)
    assign(group.hub, cases["B6-5"], Charge("", "CLD", group.clock.now_ms() + HOUR), actor="p", command_id="a")
    group.pass_time(2 * HOUR)
    assert _pieces(desk, "/transfers/cases?state=overdue") == ["B6-5"]
    assert _pieces(desk, "/transfers/cases?party=CLD") == ["B6-5"]
    assert _pieces(desk, "/transfers/cases?owner=mine") == []
    assert _pieces(desk, "/transfers/cases?sort=due_ms&limit=3")[0] == "B6-5"
    oldest = _pieces(desk, "/transfers/cases?sort=since_ms")
    assert oldest == names
    assert _pieces(desk, "/transfers/cases") == oldest[::-1]
    assert _all_pages(desk, "/transfers/cases?sort=-due_ms&limit=3")[-1] == "B6-5"
    assert sorted(_all_pages(desk, "/transfers/cases?limit=3")) == sorted(names)
    few, many = _statements(desk, group, "limit=2"), _statements(desk, group, "limit=50")
    assert many == few


def _pieces(person: Person, address: str) -> list[str]:
    lines = person.client.get(address + ("&" if "?" in address else "?") + "format=csv").text.splitlines()
    return [line.split(",")[1] for line in lines[1:]]


def _all_pages(person: Person, address: str) -> list[str]:
    """The pieces of all pages, as a person turns them."""
    found: list[str] = []
    while address:
        page = person.page(address)
        found += [part.split("<")[0] for part in page.split('class="code">B6-')[1:]]
        address = ""
        if 'rel="next" href="' in page:
            address = page.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    return [f"B6-{piece}" for piece in dict.fromkeys(found)]


def _statements(person: Person, group: SteelGroup, query: str) -> int:
    said: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        said.append(statement)

    event.listen(group.hub.node.engine, "before_cursor_execute", note)
    person.page(f"/transfers/cases?{query}")
    event.remove(group.hub.node.engine, "before_cursor_execute", note)
    return len(said)
