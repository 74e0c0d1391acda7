"""Lines of every kind over real sockets: who calls, how it acknowledges, how it counts; what a link's history says."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from level2_peers import Peer, Site, collecting, connect, cut, until
from sqlalchemy import select

from local_mes.level2 import down
from local_mes.level2.link_course import STRANGER, Entry, Span, spans
from local_mes.level2.link_state import find_history, load_state
from local_mes.level2.links import load_links
from local_mes.level2.replay import ClockFile
from local_mes.level2.spool_tables import link_course
from local_mes.level2.telegram_server import TelegramSettings
from local_mes.level2.telegrams.codec import decode_body
from local_mes.level2.telegrams.frame import Frame, Framer, encode_telegram
from local_mes.level2.telegrams.layout import LayoutSet
from local_mes.level2.telegrams.layout_files import load_folder
from shared.clock import Clock, FileClock, FixedClock
from shared.db.engine import read
from shared.errors import BadSetup

MakeSite = Callable[..., Site]
OWN = Path(__file__).parent / "layouts"
SLAB = {"slab": "161843-2-3", "mass_kg": 20558}
LINK = """
[[link]]
code = "OTHER"
kind = "telegram"
address = "127.0.0.1:{port}"
telegrams = "{folder}"
heartbeat_s = 0.4
resend_s = 0.3
  [link.settings]
  {settings}
  [link.map]
  {message} = "ignore"
"""


class Line:
    """The other end of a link of one of the tests' own layouts."""

    def __init__(self, layouts: LayoutSet, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.layouts, self._reader, self._writer, self._framer = layouts, reader, writer, Framer(layouts)
        self.seen: list[tuple[str, int, bool, dict[str, Any]]] = []

    async def say(self, message: str, fields: dict[str, Any], sequence: int, *, resent: bool = False) -> None:
        await self.raw(
            encode_telegram(
                self.layouts,
                message,
                fields,
                sequence=sequence,
                claimed="20260311060000000",
                sender="L2",
                receiver="MES",
                resent=resent,
            )
        )

    async def raw(self, content: bytes) -> None:
        self._writer.write(content)
        await self._writer.drain()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(40):
            while not condition():
                data = await self._reader.read(4096)
                assert data, "closed"
                for frame in self._framer.feed(data):
                    self._keep(frame)

    def _keep(self, frame: Frame) -> None:
        assert frame.head
        head = frame.head
        fields = decode_body(self.layouts.messages[head.message], frame.body)
        self.seen.append((head.message, head.sequence, head.resent, fields))

    def said(self, message: str) -> list[dict[str, Any]]:
        return [fields for name, _, _, fields in self.seen if name == message]

    def close(self) -> None:
        self._writer.close()


@asynccontextmanager
async def other_end(
    make_site: MakeSite, clock: Clock, kind: str, message: str, settings: str = "", host: str = "127.0.0.1"
) -> AsyncIterator[tuple[Site, Line]]:
    """The plant with a link of this kind, and a peer that is connected to it."""
    port = free()
    link = LINK.format(port=port, folder=OWN / kind, message=f'"{message}"', settings=settings)
    site = make_site(more=link if host == "127.0.0.1" else link.replace("127.0.0.1", "0.0.0.0"))
    async with collecting(site, clock):
        async with asyncio.timeout(40):
            while True:
                try:
                    reader, writer = await asyncio.open_connection(host, port)
                    break
                except OSError:
                    await asyncio.sleep(0.02)
        line = Line(load_folder(OWN / kind), reader, writer)
        try:
            yield site, line
        finally:
            line.close()


def free() -> int:
    from shared.ports import free_port

    return free_port()


def fields_of(site: Site) -> list[dict[str, Any]]:
    return [msgspec.json.decode(row.fields) for row in site.spooled()]


def test_a_line_that_acknowledges_nothing_keeps_all_and_says_nothing_but_that_it_lives(
    make_site: MakeSite, clock: FixedClock
) -> None:
    async def scene() -> None:
        async with other_end(make_site, clock, "little", "7") as (site, line):
            sample = {"coil": "B4-17", "state": "runs", "pass": 3, "force_kn": 18250.5, "gap_um": 2450, "speed": 9.75}
            sample |= {"serial": 1, "plc_word": 2, "tension": -1.5, "profile": []}
            await line.say("7", sample, 65535)
            await line.say("7", sample | {"pass": 4}, 0)  # the count wraps to 0
            await line.raw(line_of(line, "7", sample, 1)[:-2] + b"\xff\xff")  # counts more rows than it may
            await until(lambda: len(site.spooled()) == 3)
            await line.until(lambda: len(line.seen) >= 2)
            assert {name for name, *_ in line.seen} == {"1"}
            assert fields_of(site)[:2] == [sample | {"points": 0}, sample | {"pass": 4, "points": 0}]
            assert "points: 65535 rows, at most 20" in site.spooled()[2].problem
            order = down.queue_telegram(site.spool, clock, "OTHER", "7", sample, key="a")
            await line.until(lambda: len(line.said("7")) == 1)
            await until(lambda: down.get_down(site.spool, order).state == "confirmed")
            assert down.get_down(site.spool, order).answer == "sent; this line acknowledges nothing"
        assert site.state("OTHER").gaps == 0

    asyncio.run(scene())


def line_of(line: Line, message: str, fields: dict[str, Any], sequence: int) -> bytes:
    return encode_telegram(
        line.layouts, message, fields, sequence=sequence, claimed="20260311060000000", sender="", receiver=""
    )


def test_a_line_with_positive_answers_keeps_what_it_cannot_read_for_repair(
    make_site: MakeSite, clock: FixedClock
) -> None:
    fields = {"heat": "161843", "melter": "Müller", "mass_kg": 152000, "drift": -1.5, "power_kwh": 64230}
    fields |= {"temp_c": 1652.5, "wear": None, "ratio": 0.5, "rest": "00ff40c1"}
    fields["baskets"] = [{"sort": "E8", "kg": 45000}] * 3

    async def scene() -> None:
        async with other_end(make_site, clock, "ebcdic", "MEL0010") as (site, line):
            await line.say("MEL0010", fields, 17)
            bad = bytearray(line_of(line, "MEL0010", fields, 18))
            bad[33 + 23] = 0xCC  # the sign of mass_kg, and the digit before it
            await line.raw(bytes(bad))
            await line.until(lambda: len(line.said("QUIT")) == 2)
            assert line.said("QUIT") == [{"ack_sequence": 17, "text": "OKAY"}, {"ack_sequence": 18, "text": "OKAY"}]
            good, problem = site.spooled()
            assert msgspec.json.decode(good.fields) == fields
            assert good.claimed_ms == 1773205200000
            assert problem.problem.startswith("MEL0010: mass_kg: bytes ")
            assert bytes(problem.raw) == bytes(bad)

    asyncio.run(scene())


def test_a_line_of_text_refuses_one_line_and_goes_on(make_site: MakeSite, clock: FixedClock) -> None:
    async def scene() -> None:
        async with other_end(make_site, clock, "delimited", "LABRES") as (site, line):
            await line.raw(b"LABRES;1;2026-03-11 06:00:00;;161843LFF1;J\xfcrgen;;1;Cu;27.05;\r\nnonsense\r\n")
            await line.raw(b"LABRES;2;2026-03-11 06:00:00;;161843LFF1;J\xfcrgen;warm;0;\r\n")
            await line.raw(b"LABRES;1;2026-03-11 06:00:00;R;161843LFF1;J\xfcrgen;;1;Cu;27.05;\r\n")
            await line.until(lambda: len(line.said("ACK")) == 4)
            assert [(f["ack_sequence"], f["code"]) for f in line.said("ACK")] == [(1, 0), (0, 20), (2, 20), (1, 0)]
            assert [f["results"] for f in fields_of(site)] == [[{"element": "Cu", "ppm": 27.05}]]

    asyncio.run(scene())


def test_request_and_reply_both_ways(make_site: MakeSite, clock: FixedClock) -> None:
    async def scene() -> None:
        async with other_end(make_site, clock, "reply", "REQ1") as (site, line):
            await line.say("REQ1", SLAB, 998)
            await line.say("REQ1", SLAB, 999)
            await line.say("REQ1", SLAB, 1)
            await line.until(lambda: len(line.said("REP1")) == 3)
            assert line.said("REP1") == [{"ack_sequence": n, "slab": "161843-2-3", "code": 0} for n in (998, 999, 1)]
            orders = [
                down.queue_telegram(site.spool, clock, "OTHER", "SET1", {"slab": f"161843-2-{n}"}, key=str(n))
                for n in (1, 2)
            ]
            await line.until(lambda: len(line.said("SET1")) == 2)  # not answered: told again
            await line.say("SETR", {"ack_sequence": 7, "code": 0}, 0)  # the answer to something else
            await line.say("SETR", {"ack_sequence": 1, "code": 0}, 0)
            await line.until(lambda: {"slab": "161843-2-2"} in line.said("SET1"))
            await line.say("SETR", {"ack_sequence": 2, "code": 31}, 0)
            await until(lambda: down.get_down(site.spool, orders[1]).state == "refused")
            assert down.get_down(site.spool, orders[0]).state == "confirmed"
            assert down.get_down(site.spool, orders[1]).answer == "code 31"
        assert site.state("OTHER").gaps == 0

    asyncio.run(scene())


def test_a_telegram_whose_number_came_round_is_no_repeat_where_the_header_has_no_time(
    make_site: MakeSite, clock: FixedClock
) -> None:
    async def scene() -> None:
        async with other_end(make_site, clock, "reply", "REQ1") as (site, line):
            numbers = [*range(1, 1000), 1, 2, 2]  # the same slab each time; the last is told again
            await line.raw(b"".join(line_of(line, "REQ1", SLAB, number) for number in numbers))
            await line.until(lambda: len(line.said("REP1")) == len(numbers))
            assert [row.sequence for row in site.spooled()] == numbers[:-1]

    asyncio.run(scene())


def test_the_plant_calls_and_calls_again(make_site: MakeSite, clock: FixedClock) -> None:
    site = make_site(more="", heartbeat_s=0.4)
    text = site.settings.model.read_text().replace("[link.map]", '[link.settings]\n  side = "client"\n  [link.map]')
    site.settings.model.write_text(text)
    peers: asyncio.Queue[Peer] = asyncio.Queue()

    async def called(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await peers.put(Peer(reader, writer, site.layouts))

    async def scene() -> None:
        async with collecting(site, clock):
            await until(lambda: "cannot be used" in site.state().detail if site.state_name() else False)
            assert site.state_name() == "away"
            async with await asyncio.start_server(called, "127.0.0.1", site.port):
                for number in (1, 2):
                    peer = await asyncio.wait_for(peers.get(), 40)
                    await peer.send("CC1060", cut(number), number)
                    await peer.until(lambda peer=peer, number=number: (number, 0) in peer.acks and peer.beats > 0)
                    peer.writer.close()
        assert [row.sequence for row in site.spooled()] == [1, 2]

    asyncio.run(scene())


def test_only_the_hosts_of_the_link_are_let_in(make_site: MakeSite, clock: FixedClock) -> None:
    settings = 'hosts = ["10.1.0.0/16", "192.168.3.4"]'

    async def scene() -> None:
        with pytest.raises(AssertionError, match="closed"):
            async with other_end(make_site, clock, "reply", "REQ1", settings) as (site, line):
                await line.until(lambda: False)
        assert site.state("OTHER").refused == 0
        (told,) = strangers(site, clock)
        assert "127.0.0.1 wanted to connect and was not let in: its hosts are 10.1.0.0/16" in told

    asyncio.run(scene())
    for bad in ('["mill"]', '["any", "10.1.0.1"]'):
        with pytest.raises(BadSetup, match=r"OTHER.*settings"):
            asyncio.run(one_look(make_site, clock, f"hosts = {bad}"))


@pytest.mark.parametrize(
    ("hosts", "host", "let_in"),
    [
        ((), "127.0.0.1", True),
        ((), "::1", True),
        ((), "::ffff:127.0.0.1", True),
        ((), "10.1.0.7", False),
        (("10.1.0.0/16",), "10.1.0.7", True),
        (("10.1.0.0/16",), "::ffff:10.1.0.7", True),
        (("10.1.0.0/16",), "127.0.0.1", False),
        (("any",), "203.0.113.9", True),
    ],
)
def test_who_is_not_named_is_not_let_in(hosts: tuple[str, ...], host: str, let_in: bool) -> None:
    assert TelegramSettings(hosts=hosts).may_connect(host) is let_in


def test_a_link_without_hosts_takes_only_this_machine_over_a_real_network(
    make_site: MakeSite, clock: FixedClock
) -> None:
    """An address of this machine that is no loopback stands for another host."""
    outside = own_address()

    async def scene(settings: str, told: list[Site]) -> None:
        async with other_end(make_site, clock, "reply", "REQ1", settings, host=outside) as (site, line):
            told.append(site)
            await line.say("REQ1", SLAB, 7)
            await line.until(lambda: len(line.seen) > 0)

    sites: list[Site] = []
    with pytest.raises((AssertionError, OSError)):
        asyncio.run(scene("", sites))
    assert sites[0].spooled() == []
    (told,) = strangers(sites[0], clock)
    assert f"{outside} wanted to connect and was not let in: it names none" in told
    asyncio.run(scene('hosts = ["any"]', sites))
    asyncio.run(scene(f'hosts = ["{outside}"]', sites))


def test_in_a_plant_made_for_replay_this_machine_plays_the_peer(make_site: MakeSite, tmp_path: Path) -> None:
    hands = ClockFile(tmp_path / "clock.json")
    hands.show(1773205200000, 1, 1773205200000)

    async def scene() -> None:
        settings = 'hosts = ["10.1.0.0/16"]'
        async with other_end(make_site, FileClock(hands.file), "reply", "REQ1", settings) as (site, line):
            await line.say("REQ1", SLAB, 7)
            await until(lambda: len(site.spooled()) == 1)

    asyncio.run(scene())


def strangers(site: Site, clock: FixedClock) -> list[str]:
    return [e.why for e in find_history(site.spool, "OTHER", 0, clock.now_ms() + 1) if e.kind == STRANGER]


def own_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("203.0.113.1", 9))  # of a datagram socket: chooses a way, sends nothing
        except OSError:
            pytest.skip("this machine has no address but its loopback")
        return str(probe.getsockname()[0])


async def one_look(make_site: MakeSite, clock: FixedClock, settings: str) -> None:
    async with other_end(make_site, clock, "reply", "REQ1", settings):
        pass


def test_a_name_that_the_header_has_no_room_for_is_told_at_the_start(make_site: MakeSite) -> None:
    site = make_site()
    site.settings.model.write_text(site.settings.model.read_text().replace('peer = "CC1"', 'peer = "CASTER"'))
    with pytest.raises(
        BadSetup, match=r"CC1 .* its header cannot carry `name` and `peer`: receiver: 'CASTER' is longer"
    ):
        load_links(site.settings)


def test_a_silent_link_stores_and_says_nothing(make_site: MakeSite, clock: FixedClock) -> None:
    async def scene() -> None:
        async with other_end(make_site, clock, "delimited", "LABRES", "silent = true") as (site, line):
            await line.raw(b"LABRES;1;2026-03-11 06:00:00;;161843LFF1;;;0;\r\n")
            await until(lambda: len(site.spooled()) == 1)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.2):  # three heartbeats
                    await line.until(lambda: bool(line.seen))

    asyncio.run(scene())


def test_gaps_are_named_and_filled_over_a_restart(make_site: MakeSite, clock: FixedClock) -> None:
    site = make_site()

    async def scene(*numbers: int) -> None:
        async with collecting(site, clock):
            peer = await connect(site)
            for number in numbers:
                await peer.send("CC1060", cut(number % 99, head_mm=number), number)
            await peer.until(lambda: len(peer.acks) == len(numbers))

    asyncio.run(scene(9998, 9999, 3))
    assert site.state().gaps == 2
    asyncio.run(scene(3, 4, 1, 8))  # 3 was kept already, 1 comes late
    assert site.state().gaps == 5
    asyncio.run(scene(1))  # known
    asyncio.run(scene(700))
    assert site.state().gaps == 5 + 691
    told = [entry for entry in find_history(site.spool, "CC1", 0, clock.now_ms() + 1) if entry.kind == "gap"]
    assert [(entry.first, entry.last) for entry in told] == [(1, 2), (5, 7), (9, 699)]
    assert told[0].why == "Sequence 1 to 2 missing."
    with read(site.spool) as conn:
        row = conn.execute(select(link_course)).one()
    assert msgspec.json.decode(row.missing) == [[2, 2], [5, 7], [9, 699]]


def test_what_a_killed_collector_had_no_time_to_count_is_counted_by_the_next(
    make_site: MakeSite, clock: FixedClock
) -> None:
    site = make_site()

    async def scene(*numbers: int) -> None:
        async with collecting(site, clock):
            peer = await connect(site)
            for number in numbers:
                await peer.send("CC1060", cut(number % 99, head_mm=number), number)
            await peer.until(lambda: len(peer.acks) == len(numbers))

    asyncio.run(scene(7, 8))
    as_of_a_second_before = read_course(site)
    asyncio.run(scene(9, 12))
    with site.spool.connect() as conn:
        conn.execute(link_course.update().values(**as_of_a_second_before))
        conn.exec_driver_sql("UPDATE link_state SET gaps = 0")
        conn.exec_driver_sql("COMMIT")
    asyncio.run(scene(13))
    assert site.state().gaps == 2
    assert read_course(site)["missing"] == "[[10,11]]"


def read_course(site: Site) -> dict[str, Any]:
    with read(site.spool) as conn:
        return dict(conn.execute(select(link_course)).one()._mapping)


def test_a_peer_that_counts_anew_has_no_gap(make_site: MakeSite, clock: FixedClock) -> None:
    site = make_site()

    async def scene() -> None:
        async with collecting(site, clock):
            peer = await connect(site)
            for number, at in ((417, 1), (418, 2), (1, 3), (2, 4)):
                await peer.send("CC1060", cut(at), number)
            await peer.until(lambda: len(peer.acks) == 4)

    asyncio.run(scene())
    assert site.state().gaps == 0
    assert [e.why for e in find_history(site.spool, "CC1", 0, clock.now_ms() + 1) if e.kind == "restart"] == [
        "The peer counts from 1 again, after 418."
    ]


def test_the_history_says_when_a_collector_was_killed(make_site: MakeSite, clock: FixedClock) -> None:
    site = make_site()
    begin = clock.now_ms()

    async def scene() -> None:
        async with collecting(site, clock):
            peer = await connect(site)
            await peer.until(lambda: peer.beats > 0)
            await until(lambda: site.state_name() == "connected")
            clock.advance(60_000)
            await until(lambda: seen(site) == begin + 60_000)

    asyncio.run(scene())
    killed = make_killed(site)
    clock.advance(60_000)
    load = load_state(site.spool, "CC1", "telegram", "", clock)
    told = [(entry.at_ms - begin, entry.kind) for _, entry in load.unsaved]
    assert told == [(60_000, "stopped"), (120_000, "away")]
    assert killed == "connected"


def seen(site: Site) -> int:
    with read(site.spool) as conn:
        return conn.execute(select(link_course.c.seen_ms).where(link_course.c.link == "CC1")).scalar() or 0


def make_killed(site: Site) -> str:
    """As a collector leaves it that had no time to say that it ends."""
    with site.spool.connect() as conn:
        conn.exec_driver_sql("UPDATE link_state SET state = 'connected'")
        conn.exec_driver_sql("COMMIT")
    return site.state_name()


def test_spans_show_each_state_and_begin_with_the_one_before() -> None:
    told = [
        Entry(10, "away", "started"),
        Entry(20, "connected", "hello"),
        Entry(25, "gap", "Sequence 3 missing.", 3, 3),
        Entry(30, "no_data", "silent"),
        Entry(50, "connected", "heard"),
    ]
    assert spans(told, 22, 100) == [
        Span("connected", 22, 30, "hello"),
        Span("no_data", 30, 50, "silent"),
        Span("connected", 50, None, "heard"),
    ]
    assert spans([], 0, 100) == [Span("stopped", 0, None, "Nothing was recorded yet.")]
    assert [s.state for s in spans(told, 0, 40)] == ["stopped", "away", "connected", "no_data"]
