"""What the wire does to batches, and what nodes that are wrong or hostile send: nothing is lost, doubled or believed."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
import requests
import zstandard
from sqlalchemy import select

from shared.db.engine import read
from shared.ids import derived_id, random_key
from shared.journal.quarantine import count_by_state, find_set_aside
from shared.journal.tables import entry, fact
from shared.keys import new_key
from sync import desk
from sync.errors import BadSeal, Malformed, OutOfStep, OverLimit, PeerHeld, StaleSession, Unreachable
from sync.messages import RECEIPT, Hello, Receipt
from sync.outgoing import Addressed, seal_run
from sync.pack import decompress, split
from sync.peers import set_state
from sync.seal import open_signed, sign
from sync.tables import incident, position


@dataclass
class Wire:
    """A transport with a will of its own: drops requests or answers, and remembers what went through."""

    inner: object
    lose_answer: set[str] = field(default_factory=set)
    lose_request: set[str] = field(default_factory=set)
    seen: list[tuple[str, bytes]] = field(default_factory=list)

    def send(self, door, body):
        self.seen.append((door, body))
        if door in self.lose_request:
            raise Unreachable("test.lost", "request lost")
        answer = self.inner.send(door, body)
        if door in self.lose_answer:
            raise Unreachable("test.lost", "answer lost")
        return answer


@pytest.fixture(params=["memory", "http"])
def way(request, kit):
    """(plant, hub, transport) on each transport."""
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    inner = kit.memory(hub) if request.param == "memory" else kit.http(kit.serve(hub))
    return plant, hub, inner


def body_of(caller, session, entries_max=2_000) -> bytes:
    """The next batch as it would be sent."""
    run = caller.next_run(entries_max)
    to = Addressed(caller.code, "HUB", session.incarnation, session.id, caller.key)
    return seal_run(run, 1, to, 1).body


@pytest.mark.fault(1)
def test_a_lost_request_is_sent_again(kit, way):
    plant, hub, inner = way
    plant.create(3)
    wire = Wire(inner, lose_request={"push"})
    with pytest.raises(Unreachable):
        kit.drain(kit.caller(plant, wire))
    assert hub.entries_of("ALD") == 0
    wire.lose_request.clear()
    kit.drain(kit.caller(plant, wire))
    assert hub.entries_of("ALD") == 3


@pytest.mark.fault(2)
def test_a_lost_receipt_means_a_second_push_and_no_second_effect(kit, way):
    plant, hub, inner = way
    plant.create(3)
    wire = Wire(inner, lose_answer={"push"})
    caller = kit.caller(plant, wire)
    session = caller.hello()
    for _ in range(3):
        with pytest.raises(Unreachable):
            caller.push(session, caller.next_run(2_000))
        assert hub.entries_of("ALD") == 3
    wire.lose_answer.clear()
    assert caller.push(session, caller.next_run(2_000)).durable == 3
    assert hub.apply() == 3
    assert hub.hash_of("ALD") == plant.hash_of("ALD")


@pytest.mark.fault(3)
def test_the_same_batch_from_many_sides_at_once_is_stored_once_and_acknowledged_alike(kit, way):
    plant, hub, inner = way
    plant.create(40)
    caller = kit.caller(plant, inner)
    body = body_of(caller, caller.hello())
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: inner.send("push", body), range(12)))
    receipts = [open_signed(a, RECEIPT, Receipt, caller.peer.trusted, "ALD") for a in answers]
    assert {(r.answer, r.durable, r.hash) for r in receipts} == {("stored", 40, receipts[0].hash)}
    assert hub.entries_of("ALD") == 40


def test_overlapping_batches_meet_without_a_seam(kit, way):
    plant, hub, inner = way
    plant.create(10)
    caller = kit.caller(plant, inner)
    session = caller.hello()
    small, large = body_of(caller, session, 4), body_of(caller, session, 10)
    inner.send("push", small)
    inner.send("push", large)
    inner.send("push", small)
    assert hub.entries_of("ALD") == 10
    kit.drain(caller)
    hub.apply()
    assert hub.hash_of("ALD") == plant.hash_of("ALD")


def test_any_changed_byte_of_a_batch_is_refused_and_commits_nothing(kit, way):
    plant, hub, inner = way
    plant.create(3)
    caller = kit.caller(plant, inner)
    body = body_of(caller, caller.hello())
    step = max(1, len(body) // 150)
    for at in [*range(0, len(body), step), len(body) - 1]:
        broken = body[:at] + bytes([body[at] ^ 0x40]) + body[at + 1 :]
        if unpacks_alike(broken, body):
            continue  # a spare bit of the compression's own header: the sealed bytes themselves are whole
        with pytest.raises((Malformed, BadSeal, OverLimit)):
            inner.send("push", broken)
    assert hub.entries_of("ALD") == 0
    assert hub.count(position) == 0


def unpacks_alike(left: bytes, right: bytes) -> bool:
    try:
        (head, frame), (other_head, other_frame) = split(left), split(right)
        return head == other_head and decompress(frame) == decompress(other_frame)
    except (Malformed, OverLimit):
        return False


def test_entries_changed_under_a_good_seal_are_named(kit, way):
    plant, _hub, inner = way
    plant.create(3)
    caller = kit.caller(plant, inner)
    body = body_of(caller, caller.hello())
    head = body[: 8 + int.from_bytes(body[4:8], "big")]
    with pytest.raises(Malformed, match="entries 1-3 of ALD are not the ones that were sealed"):
        inner.send("push", head + zstandard.ZstdCompressor().compress(b"other entries"))


@pytest.mark.fault(6)
def test_a_body_cut_anywhere_commits_nothing(kit, way):
    plant, hub, inner = way
    plant.create(3)
    caller = kit.caller(plant, inner)
    body = body_of(caller, caller.hello())
    for end in range(0, len(body), max(1, len(body) // 100)):
        with pytest.raises((Malformed, BadSeal)):
            inner.send("push", body[:end])
    assert hub.entries_of("ALD") == 0


def test_a_session_that_ends_while_its_batch_is_unpacked_stores_nothing(kit, way, monkeypatch):
    plant, hub, inner = way
    plant.create(2)
    caller = kit.caller(plant, inner)
    body = body_of(caller, caller.hello())
    unpacked = desk.unpack

    def meanwhile(*parts):
        batch = unpacked(*parts)
        caller.hello()
        return batch

    monkeypatch.setattr(desk, "unpack", meanwhile)
    with pytest.raises(StaleSession):
        inner.send("push", body)
    assert hub.entries_of("ALD") == 0


@pytest.mark.fault(4)
def test_a_delayed_push_of_an_older_session_changes_nothing(kit, way):
    plant, hub, inner = way
    plant.create(2)
    caller = kit.caller(plant, inner)
    late = body_of(caller, caller.hello())
    caller.hello()
    with pytest.raises(StaleSession):
        inner.send("push", late)
    assert hub.entries_of("ALD") == 0


@pytest.mark.fault(5)
def test_a_gap_is_answered_with_the_receivers_signed_position(kit, way):
    plant, hub, inner = way
    plant.create(6)
    caller = kit.caller(plant, inner)
    session = caller.hello()
    caller.push(session, caller.next_run(2))
    run = caller.next_run(2)
    to = Addressed("ALD", "HUB", session.incarnation, session.id, plant.node.key)
    caller.push(session, run)
    with read(plant.node.engine) as conn:
        from sync.outgoing import read_run
        from sync.positions import Span

        later = read_run(conn, Span("ALD", run.epoch, 6, 6), 10, 1 << 20)
    with pytest.raises(OutOfStep) as refusal:
        inner.send("push", seal_run(later, 1, to, 1).body)
    receipt = open_signed(refusal.value.receipt, RECEIPT, Receipt, caller.peer.trusted, "ALD")
    assert (receipt.answer, receipt.durable) == ("gap", 4)
    kit.drain(caller)
    assert hub.entries_of("ALD") == 6


def test_a_different_past_is_a_fork_kept_out_and_noted_once(kit, way):
    plant, hub, inner = way
    caller = kit.caller(plant, inner)
    session = caller.hello()
    epoch = random_key()
    inner.send("push", kit.forge(plant, session, [kit.raw_fact(1), kit.raw_fact(2)], epoch=epoch))
    for _ in range(3):
        with pytest.raises(OutOfStep) as refusal:
            inner.send("push", kit.forge(plant, session, [kit.raw_fact(1), kit.raw_fact(3)], epoch=epoch))
        receipt = open_signed(refusal.value.receipt, RECEIPT, Receipt, caller.peer.trusted, "ALD")
        assert (receipt.answer, receipt.durable) == ("fork", 2)
    assert hub.entries_of("ALD") == 2
    assert hub.count(incident) == 1


@pytest.mark.fault(61)
def test_poison_is_stored_set_aside_and_delays_only_its_own_subject(kit, way):
    plant, hub, inner = way
    caller = kit.caller(plant, inner)
    session = caller.hello()
    facts = [
        kit.raw_fact(1),
        b"\x00\xff this is no JSON",
        kit.raw_fact(2, payload={"material_id": 5}),  # breaks its schema
        kit.raw_fact(3, subjects=[{"id": "m2", "prev": None}]),  # speaks of the same subject as the broken one
        kit.raw_fact(4, type="InventedLater"),
        kit.raw_fact(5, version=99, subjects=[{"id": "m9", "prev": None}]),
        kit.raw_fact(6, author="BRK"),  # speaks for somebody else
        b'{"fact_id":"short"}',
        kit.raw_fact(7),
    ]
    inner.send("push", kit.forge(plant, session, facts))
    assert hub.apply() == 2
    with read(hub.node.engine) as conn:
        assert count_by_state(conn, "ALD") == {"quarantined": 4, "parked": 2, "held": 1}
        aside = {row["seq"]: (row["state"], row["reason"]) for row in find_set_aside(conn)}
        kept = [
            bytes(b)
            for b in conn.execute(
                select(fact.c.body).join(entry, entry.c.fact_id == fact.c.fact_id).order_by(entry.c.seq)
            ).scalars()
        ]
    assert kept == facts
    assert aside[2][0] == "quarantined"
    assert "place" in aside[3][1] or "material_id" in aside[3][1]
    assert aside[4] == ("held", "waits for an earlier fact about the same subject")
    assert aside[5] == ("parked", "InventedLater v1 is newer than this node")
    assert aside[6][0] == "parked"
    assert sorted(aside) == [2, 3, 4, 5, 6, 7, 8]
    assert hub.apply() == 0


@pytest.mark.fault(58)
def test_one_id_with_two_bodies_keeps_the_first_and_sets_the_second_aside(kit, way):
    plant, hub, inner = way
    session = kit.caller(plant, inner).hello()
    first, second = kit.raw_fact(1), kit.raw_fact(1, payload={"material_id": "m1", "place": "elsewhere"})
    inner.send("push", kit.forge(plant, session, [first, second, first]))
    hub.apply()
    with read(hub.node.engine) as conn:
        (aside,) = find_set_aside(conn)
        held = conn.execute(select(fact.c.body).where(fact.c.fact_id == derived_id(1_001, "raw", 1))).scalar_one()
    assert bytes(held) == first
    assert (aside["seq"], aside["state"]) == (2, "quarantined")


@pytest.mark.fault(65)
def test_a_bomb_is_413_and_nothing_is_kept(kit, way):
    plant, hub, inner = way
    session = kit.caller(plant, inner).hello()
    good = kit.forge(plant, session, [kit.raw_fact(1)])
    head = good[: 8 + int.from_bytes(good[4:8], "big")]
    with pytest.raises(OverLimit):
        inner.send("push", head + zstandard.ZstdCompressor().compress(b"\0" * (64 << 20)))
    with pytest.raises(OverLimit):
        inner.send("push", head + b"x" * (8 << 20))
    assert hub.entries_of("ALD") == 0


@pytest.mark.parametrize(
    "changes",
    [{"stream": "BRK"}, {"node": "BRK"}, {"stream": "HUB>ALD"}, {"stream": "ALD>BRK"}, {"audience": "HUB2"}],
)
def test_a_plant_speaks_only_for_itself_and_to_this_hub(kit, way, changes):
    plant, hub, inner = way
    session = kit.caller(plant, inner).hello()
    with pytest.raises(BadSeal):
        inner.send("push", kit.forge(plant, session, [kit.raw_fact(1)], **changes))
    assert hub.count(entry) == 0


def test_an_epoch_that_grew_from_entries_not_held_is_refused(kit, way):
    plant, hub, inner = way
    session = kit.caller(plant, inner).hello()
    parent = {"epoch": random_key(), "seq": 4, "hash": "a" * 64}
    from sync.messages import Branch

    with pytest.raises(OutOfStep):
        inner.send("push", kit.forge(plant, session, [kit.raw_fact(1)], parent=Branch(**parent)))
    assert hub.count(entry) == 0


@pytest.mark.fault(89)
def test_strangers_and_held_nodes_are_turned_away_and_keep_their_facts(kit, way):
    from shared.db.engine import write

    plant, hub, inner = way
    plant.create(1)
    stranger = kit.plant("CLD")
    from sync.peers import trust_peer

    with write(stranger.node.engine) as conn:
        trust_peer(conn, "HUB", hub.node.key.public, 0)
    with pytest.raises(BadSeal, match="enrolled"):
        kit.caller(stranger, inner).hello()
    with write(hub.node.engine) as conn:
        set_state(conn, "ALD", "revoked", 0)
    with pytest.raises(PeerHeld, match="revoked"):
        kit.drain(kit.caller(plant, inner))
    with write(hub.node.engine) as conn:
        set_state(conn, "ALD", "active", 0)
    kit.drain(kit.caller(plant, inner))
    assert hub.entries_of("ALD") == 1


@pytest.mark.fault(67)
def test_nodes_without_a_common_protocol_say_so(kit, way):
    plant, _hub, inner = way
    caller = kit.caller(plant, inner)
    from sync.errors import WrongProtocol
    from sync.messages import HELLO

    hello = Hello(
        proto=9,
        oldest_proto=8,
        node="ALD",
        audience="HUB",
        sent_ms=1,
        instance=random_key(),
        nonce=random_key(),
        epochs=(),
        copies=(),
        facts={},
    )
    with pytest.raises(WrongProtocol, match="8-9"):
        caller.transport.send("hello", sign(plant.node.key, HELLO, hello))


class Impostor:
    """Answers in the peer's place."""

    def __init__(self, inner, answer):
        self.inner = inner
        self.answer = answer

    def send(self, door, body):
        self.inner.send(door, body)
        return self.answer


@pytest.mark.fault(88)
def test_an_answer_that_the_peer_did_not_sign_counts_as_none(kit, way):
    plant, hub, inner = way
    plant.create(2)
    caller = kit.caller(plant, inner)
    session = caller.hello()
    stranger = new_key()
    forged = Receipt(
        proto=1,
        node="HUB",
        audience="ALD",
        sent_ms=1,
        answer="stored",
        incarnation=session.incarnation,
        session=session.id,
        stream="ALD",
        epoch=random_key(),
        durable=2,
        hash="a" * 64,
        seal="a" * 64,
    )
    for answer in (
        b"",
        b"<html>Please sign in to the guest network</html>",
        sign(stranger, RECEIPT, forged),
        sign(hub.node.key, RECEIPT, forged),
    ):
        liar = kit.caller(plant, Impostor(inner, answer))
        with pytest.raises(Unreachable):
            liar.push(session, liar.next_run(10))
        assert liar.next_run(10) is not None
    with pytest.raises(Unreachable):
        kit.caller(plant, Impostor(inner, b"<html>")).hello()
    session = caller.hello()
    with pytest.raises(Unreachable):
        kit.caller(plant, Impostor(inner, b"<html>")).pull(session, 0)


def test_a_replayed_welcome_is_not_believed(kit, way):
    plant, _hub, inner = way
    wire = Wire(inner)
    caller = kit.caller(plant, wire)
    caller.hello()
    old = inner.send("hello", wire.seen[0][1])
    with pytest.raises(Unreachable, match="another hello"):
        kit.caller(plant, Impostor(inner, old)).hello()


@pytest.mark.parametrize("answer", [(200, "<html>portal</html>"), (302, ""), (500, "oops"), (404, "")])
@pytest.mark.fault(11)
def test_captive_portals_redirects_and_broken_proxies_are_no_answer(kit, answer):
    from http.server import BaseHTTPRequestHandler, HTTPServer

    from sync.transport import HttpTransport

    class Portal(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(answer[0])
            self.send_header("Location", "http://127.0.0.1:1/")
            self.send_header("Content-Length", str(len(answer[1])))
            self.end_headers()
            self.wfile.write(answer[1].encode())

        def log_message(self, *_args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Portal)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    kit.closing.append(server.shutdown)
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    with pytest.raises(Unreachable):
        kit.caller(plant, HttpTransport(f"http://127.0.0.1:{server.server_port}")).hello()


def test_the_environment_cannot_redirect_the_exchange(kit, monkeypatch):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nonexistent")
    assert kit.caller(plant, kit.http(kit.serve(hub))).hello().id


def test_a_body_over_the_limit_is_refused_by_its_declared_size(kit):
    hub = kit.hub()
    server = kit.serve(hub)
    answer = requests.post(server.url + "/sync/v1/hello", data=b"x" * (2 << 20), timeout=10)
    assert answer.status_code == 413
    assert answer.json()["code"] == "sync.body_too_large"


@pytest.mark.fault(66)
def test_garbage_at_every_door_is_refused_in_words(kit):
    server = kit.serve(kit.hub())
    for door in ("hello", "push", "pull"):
        for body in (b"", b"\xff" * 100, b"{}", b'{"payloadType":"x","payload":"!!","signatures":[]}'):
            answer = requests.post(f"{server.url}/sync/v1/{door}", data=body, timeout=10)
            assert answer.status_code in (400, 401)
            assert answer.json()["detail"]
