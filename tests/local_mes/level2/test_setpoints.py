"""Set-points of people through the real ports: sent, confirmed, refused, late; never for a held piece or too late."""

from __future__ import annotations

import asyncio
import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from level2_line import Line
from level2_peers import Site, collecting, until
from opcua_peers import AsyncuaServer
from sqlalchemy import select
from test_primary_data import collecting as collecting_line
from test_primary_data import connect, line  # noqa: F401  the pickling line

from local_mes.app import create_console
from local_mes.level2 import down, setpoint_record, setpoints
from local_mes.level2.interpret import Interpreter, get_position
from local_mes.level2.links import load_links
from local_mes.level2.outbox import pass_on
from local_mes.level2.primary_data import named_in, why_held
from local_mes.level2.setpoint_record import SetPointRecorder
from local_mes.level2.spool import Incoming, append, get_key
from local_mes.plant import Plant
from local_mes.quality.service import PlaceHold, place_hold
from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.errors import BadSetup, StrandlineError, Unavailable
from shared.journal.fact import decode
from shared.journal.tables import fact
from shared.ports import free_port
from shared.setpoints.facts import SetPointGiven, SetPointSettled
from sync.incidents import list_open
from sync.tables import incident

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import Person, sign_in

PAGE = "/level2/setpoints/"
SHOWN_S = 5.0
SPEED = {"link": "CLD-PL", "message": "PL2020", "field-line": "PL1", "field-speed_m_min": "180"}


async def shown_within(person: Person, words: Callable[[str], bool]) -> float:
    """Seconds until the live part, asked every second as a browser does, says it."""
    begin = monotonic()
    while not words((await asyncio.to_thread(person.client.get, PAGE, headers={"HX-Request": "true"})).text):
        assert monotonic() - begin < 40
        await asyncio.sleep(1)
    return monotonic() - begin


def test_a_set_point_is_confirmed_refused_or_late_and_the_page_says_so_in_time(line: Any) -> None:  # noqa: F811
    app = create_console(line.plant)
    operator = sign_in(app, line.plant.node, "operator", "operator")
    assert "Line speed" in operator.page(PAGE)
    # the layout's width is one of bytes: two of them carry more than two digits
    assert re.search(r'name="field-speed_m_min" [^>]*maxlength="40"', operator.page(PAGE))
    assert 'hx-trigger="every 1s"' in operator.page(PAGE)

    async def play() -> None:
        async with collecting_line(line):
            peer = await connect(line)
            answer = await asyncio.to_thread(lambda: operator.post(PAGE, PAGE, **SPEED))
            assert answer.status_code == 302, answer.text
            await peer.until(lambda: len(peer.received) == 1)
            sequence, name, _, fields = peer.received[0]
            assert (name, fields) == ("PL2020", {"line": "PL1", "coil_in": "", "speed_m_min": 180})
            await peer.send("AK9000", {"ack_sequence": sequence, "code": 0}, 0)
            assert await shown_within(operator, lambda text: ">confirmed<" in text) < SHOWN_S
            body = {"command_id": "s2", "link": "CLD-PL", "message": "PL2020", "piece": "C6-00002"}
            body |= {"fields": {"line": "PL1", "coil_in": "C6-00002", "speed_m_min": 90}}
            sent = [operator.api("POST", "/api/v1/setpoints", json=body).json for _ in range(2)]
            assert sent[0]["down_id"] == sent[1]["down_id"]  # the same command is one set-point
            await peer.until(lambda: len(peer.received) == 2)
            await peer.send("AK9000", {"ack_sequence": peer.received[1][0], "code": 30}, 0)
            assert await shown_within(operator, lambda text: ">refused<" in text and "code 30" in text) < SHOWN_S
            third = await asyncio.to_thread(lambda: operator.post(PAGE, PAGE, **SPEED))
            assert third.status_code == 302
            assert await shown_within(operator, lambda text: ">late, sent<" in text) < SHOWN_S
            peer.writer.close()

    asyncio.run(play())
    assert "coil_in <b>–</b>" in operator.page(PAGE), "what was left empty is seen to be empty"
    rows = operator.api("GET", "/api/v1/setpoints/sent").json["items"]
    assert [row["state"] for row in rows] == ["sent", "refused", "confirmed"]
    assert rows[1]["piece"] == "C6-00002"
    assert ">operator<" in operator.page(PAGE)
    late = rows[0]["down_id"]
    assert operator.post(f"{PAGE}{late}/withdraw", PAGE).status_code == 302
    assert down.get_down(line.plant.spool, late).answer == "withdrawn by a person"
    assert operator.api("POST", f"/api/v1/setpoints/sent/{late}/withdraw", json={"command_id": "w1"}).status_code == 409
    assert operator.api("POST", "/api/v1/setpoints/sent/99/withdraw", json={"command_id": "w2"}).status_code == 404
    check_record(line.plant, operator)


def check_record(plant: Plant, operator: Person) -> None:
    """Who sent what and what became of it is in the journal, told once however often the spool is looked at."""
    recorder = SetPointRecorder(plant, lambda: load_links(plant.settings))
    assert recorder.step() == 3
    assert recorder.step() == 0
    told = operator.api("GET", "/api/v1/set-points").json["items"]
    (me,) = {row["asked_by"] for row in told}
    assert {(row["state"], row["answer"], row["number"], row["settled_by"]) for row in told} == {
        ("refused", "withdrawn by a person", "", me),
        ("refused", "code 30", "C6-00002", "plant"),
        ("confirmed", "code 00", "", "plant"),
    }
    assert [type(one.payload) for one in facts_of(plant)] == 3 * [SetPointGiven] + 3 * [SetPointSettled]
    with write(plant.spool) as conn:  # the unit took what was taken back: its answer came late
        down.settle(conn, find_last(plant), plant.clock.now_ms() + 1, accepted=True, answer="code 00")
    assert recorder.step() == 1
    confirmed = operator.api("GET", "/api/v1/set-points?state=confirmed").json["items"]
    assert [row["settled_by"] for row in confirmed] == ["plant", "plant"]
    assert "Line speed" in operator.page("/set-points/")
    assert "speed_m_min 90" in operator.page("/piece/C6-00002")


def facts_of(plant: Plant) -> list[Any]:
    with read(plant.node.engine) as conn:
        found = [decode(body) for body in conn.execute(select(fact.c.body)).scalars()]
    kinds = (SetPointGiven, SetPointSettled)
    return sorted(
        (one for one in found if isinstance(one.payload, kinds)), key=lambda one: kinds.index(type(one.payload))
    )


def find_last(plant: Plant) -> int:
    return setpoints.find_sent(plant, 1)[0].down_id


def test_what_may_not_be_sent_is_refused_before_it_is_queued(line: Any) -> None:  # noqa: F811
    app = create_console(line.plant)
    lead, yard = (sign_in(app, line.plant.node, name, name) for name in ("lead", "yard"))
    place_hold(line.plant, PlaceHold("h1", "p2", "C6-00003", "surface"))

    def refusal(person: Person, **change: Any) -> tuple[int, str]:
        fields = {"line": "PL1", "coil_in": "", "speed_m_min": 180} | change.pop("fields", {})
        body = {"command_id": "c", "link": "CLD-PL", "message": "PL2020", "fields": fields} | change
        answer = person.api("POST", "/api/v1/setpoints", json=body)
        return answer.status_code, answer.json.get("code", "")

    assert refusal(yard)[0] == 403
    assert refusal(lead, message="PL2010") == (404, "level2.no_setpoint")
    assert refusal(lead, fields={"speed_m_min": 401}) == (422, "level2.bad_setpoint")
    assert refusal(lead, fields={"speed_m_min": "fast"}) == (422, "level2.bad_setpoint")
    assert refusal(lead, fields={"speed_m_min": 180.5}) == (422, "level2.bad_setpoint")
    assert refusal(lead, fields={"speed_m_min": None}) == (422, "level2.bad_setpoint")
    # a text with a control character goes nowhere: no database need keep it
    assert refusal(lead, fields={"coil_in": "C6\x00"}) == (422, "level2.bad_setpoint")
    assert refusal(lead, piece="C6-00001\x00") == (422, "level2.bad_setpoint")
    assert refusal(lead, fields={"speed": 1}) == (422, "level2.bad_setpoint")
    assert refusal(lead, fields={"coil_in": "C6-00003"}) == (409, "level2.piece_held")
    assert refusal(lead, piece="C6-00003") == (409, "level2.piece_held")
    assert refusal(lead, piece="C6-77777") == (422, "level2.no_piece")
    page = lead.post(PAGE, PAGE, **SPEED | {"field-speed_m_min": "9999"})
    assert page.status_code == 422
    assert 'value="9999"' in page.text
    assert setpoints.find_sent(line.plant, 10) == []


def test_held_meanwhile_or_too_late_it_does_not_go_down_any_more(line: Any) -> None:  # noqa: F811
    def queue(command: str, coil: str) -> int:
        fields = {"line": "PL1", "coil_in": coil, "speed_m_min": 100}
        return setpoints.send(line.plant, "CLD-PL", "PL2020", fields, piece="", actor="p", command_id=command).down_id

    held, old, fresh = queue("a", "C6-00002"), queue("b", "C6-00001"), queue("c", "C6-00001")
    place_hold(line.plant, PlaceHold("h1", "p2", "C6-00002", "surface"))
    pass_on(line.plant)
    assert down.get_down(line.plant.spool, held).answer == "withdrawn: the piece is held (surface)"
    with write(line.plant.spool) as conn:
        conn.exec_driver_sql("UPDATE down SET valid_until_real_ms = 1 WHERE down_id = ?", (old,))

    async def play() -> None:
        async with collecting_line(line):
            peer = await connect(line)
            await peer.until(lambda: len(peer.received) == 1)
            await peer.send("AK9000", {"ack_sequence": peer.received[0][0], "code": 0}, 0)
            await until(lambda: down.get_down(line.plant.spool, fresh).state == "confirmed")
            assert len(peer.received) == 1
            peer.writer.close()

    asyncio.run(play())
    assert down.get_down(line.plant.spool, old).answer == down.NEVER_SENT


def test_a_held_piece_whose_number_is_sent_as_digits_is_known(line: Any) -> None:  # noqa: F811
    line.take_in("7700123", "coil", 20_000, (2500, 1_270_000, 800_000_000))
    place_hold(line.plant, PlaceHold("h1", "p2", "7700123", "surface"))
    assert why_held(line.plant, named_in({"coil_in": 7700123, "speed_m_min": 90}, "")) == "surface"
    # any other number is a measure, not a piece's; nothing is no piece
    assert named_in({"line": "PL1", "coil_in": 0, "speed_m_min": 7700123}, "") == ["PL1"]


class OneTurn(threading.Event):
    """Lets a loop go round once."""

    turns = 0

    def is_set(self) -> bool:
        self.turns += 1
        return self.turns > 1

    def wait(self, timeout: float | None = None) -> bool:
        return True


def test_a_set_point_that_cannot_be_recorded_is_an_incident_and_holds_up_nothing(line: Any) -> None:  # noqa: F811
    plant = line.plant

    def queue(key: str, fields: dict[str, Any]) -> None:
        down.queue_setpoint(plant.spool, line.clock, "CLD-PL", "PL2020", fields, key=key, asked_by="p", piece="")

    def comes(sequence: int) -> int:
        now = line.clock.now_ms()
        with write(plant.spool) as conn:
            one = Incoming("CLD-PL", "none", sequence, "", None, now, now, 0, b"", b"", {})
            return append(conn, one).spool_id

    def read_to() -> int:
        with read(plant.node.engine) as conn:
            return get_position(conn, get_key(plant.spool))

    queue("set:bad", {"line": "PL1\x00"})
    queue("set:good", {"line": "PL1"})
    for sequence in (1, 2):  # the second time after a restart
        last = comes(sequence)
        Interpreter(plant, load_links(plant.settings), grace_s=0).run(OneTurn())
        assert read_to() == last
    assert [one.payload.values for one in facts_of(plant)] == [{"line": "PL1"}]
    with read(plant.node.engine) as conn:
        (incident,) = list_open(conn)
    assert "PL2020 of CLD-PL" in incident.what
    assert "NUL" in incident.evidence


def test_a_recorder_that_fails_altogether_does_not_stand_before_the_messages(
    line: Any,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    interpreter = Interpreter(line.plant, load_links(line.plant.settings), grace_s=0)
    turns: list[int] = []

    def turned() -> int:
        turns.append(1)
        return 1

    def fails(_recorder: SetPointRecorder) -> int:
        raise KeyError("mistake")

    def told() -> list[tuple[str, bool]]:
        with read(line.plant.node.engine) as conn:
            rows = conn.execute(
                select(incident.c.what, incident.c.ended_ms).where(incident.c.kind == "fault_setpoints")
            )
            return [(what.partition(":")[0], ended is not None) for what, ended in rows]

    monkeypatch.setattr(interpreter, "step", turned)
    with monkeypatch.context() as broken:
        broken.setattr(SetPointRecorder, "step", fails)
        interpreter.run(OneTurn())
        interpreter.run(OneTurn())
    assert turns == [1, 1]
    what = "A fault in this program stopped recording set-points"
    assert told() == [(what, False)], "told once"
    interpreter.run(OneTurn())
    assert told() == [(what, True)], "it works again"


def test_who_took_a_set_point_back_is_known_whoever_records_it(line: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    plant = line.plant
    recorder = SetPointRecorder(plant, lambda: load_links(plant.settings))
    fields = {"line": "PL1", "coil_in": "", "speed_m_min": 100}
    sent = setpoints.send(plant, "CLD-PL", "PL2020", fields, piece="", actor="p7", command_id="a")
    monkeypatch.setattr(setpoints, "record_now", lambda *_args, **_more: recorder.step())  # the interpreter is quicker
    setpoints.take_back(plant, sent.down_id, "p8")
    monkeypatch.undo()
    setpoint_record.record_now(plant, sent.down_id)
    with write(plant.spool) as conn:  # the unit took it all the same: that is not the person's word
        down.settle(conn, sent.down_id, plant.clock.now_ms() + 1, accepted=True, answer="code 00")
    assert recorder.step() == 1
    settled = [(one.actor, one.occurred.source) for one in facts_of(plant) if type(one.payload) is SetPointSettled]
    assert sorted(settled) == [("p8", "manual"), ("plant", "l2:CLD-PL")]


def test_what_was_done_in_the_spool_is_answered_though_it_cannot_be_recorded_now(
    line: Any,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plant, fields = line.plant, {"line": "PL1", "coil_in": "", "speed_m_min": 100}

    def refuses(*_: Any) -> None:
        raise Unavailable("x", "no room", todo="wait")

    with monkeypatch.context() as full:
        full.setattr(plant.journal, "_admit", refuses)
        sent = setpoints.send(plant, "CLD-PL", "PL2020", fields, piece="", actor="p", command_id="a")
    assert sent.state == "queued"
    with monkeypatch.context() as broken:
        broken.setattr(setpoint_record, "load_links", refuses)
        assert setpoints.take_back(plant, sent.down_id, "p8").state == "refused"
    assert facts_of(plant) == []
    SetPointRecorder(plant, lambda: load_links(plant.settings)).step()
    assert [(type(one.payload), one.actor) for one in facts_of(plant)] == [
        (SetPointGiven, "p"),
        (SetPointSettled, "p8"),
    ]


POWER = """
id = "Power"
title = "Power of the furnace"
direction = "down"
encoding = "json"
fields = [{ name = "set_point", type = "number", unit = "MW", min = 0, max = 90, required = true }]
"""
LINK = """
[[link]]
code = "EAF"
kind = "opcua"
address = "opc.tcp://127.0.0.1:{port}"
telegrams = "orders"
setpoints = ["Power"]
  [link.settings]
  security = "None"
  publish_ms = 20
  [[link.settings.signals]]
  message = "EAF1.Speed"
  node = "nsu=urn:strandline:level2;s=Speed"
  [link.settings.writes.Power]
  set_point = "nsu=urn:strandline:level2;s=SetPoint"
"""


def test_a_set_point_of_an_opcua_server_is_written_and_read_back(
    make_site: Callable[..., Site], tmp_path: Path, clock: FixedClock
) -> None:
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "power.toml").write_text(POWER)
    port = free_port()
    site, server = make_site(more=LINK.format(port=port)), AsyncuaServer(port, tmp_path)
    plant = Line(site, clock).plant

    def send(value: float, command: str) -> int:
        fields = {"set_point": value}
        return setpoints.send(plant, "EAF", "Power", fields, piece="", actor="p", command_id=command).down_id

    with pytest.raises(StrandlineError, match="above 90"):
        send(91, "x")

    async def play() -> None:
        async with server.running(), collecting(site, clock):
            sent = await asyncio.to_thread(send, 42, "w1")
            await until(lambda: down.get_down(site.spool, sent).state == "confirmed")
            assert down.get_down(site.spool, sent).answer == "written and read back"
            assert await server.get("SetPoint") == 42

    asyncio.run(play())
    plant.node.engine.dispose()
    plant.spool.dispose()


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ('["CC9999"]', "CC9999 has no layout"),
        ('["CC1060"]', "CC1060 must go down"),
        ('["CC2010"]', "none of what it sends"),
    ],
)
def test_a_set_point_needs_a_layout_that_goes_down(make_site: Callable[..., Site], names: str, said: str) -> None:
    site = make_site()
    model = site.settings.model
    model.write_text(
        model.read_text().replace('peer = "CC1"', f'peer = "CC1"\nsends = ["CC2030"]\nsetpoints = {names}', 1)
    )
    with pytest.raises(BadSetup, match=said):
        load_links(site.settings)
