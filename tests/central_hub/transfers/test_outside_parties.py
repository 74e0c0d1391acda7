"""What the hub makes of loads that leave the group: who confirms is waited for, what is said is judged, recall finds all."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from shared.clock import FixedClock

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import sign_in
from outside_bench import CUSTOMER, PROCESSOR, OutsideBench

from central_hub.app import create_portal
from local_mes.outside.domain import Said, Statement
from local_mes.outside.service import take
from shared.db.engine import read
from shared.journal.reading import all_streams
from shared.recall.queries import read_recall
from shared.transfers.case_queries import find_cases
from shared.transfers.tables import transfer_case

DAY_MS = 86_400_000


@pytest.fixture
def bench(tmp_path: Path, clock: FixedClock) -> Iterator[OutsideBench]:
    made = OutsideBench(tmp_path, clock)
    yield made
    made.close()


def say(bench: OutsideBench, kind: str, piece: str, **more: object) -> None:
    said = Said(piece=piece, **more)  # type: ignore[arg-type]
    statement = Statement(event_id=f"{kind}-{piece}", kind=kind, at_ms=bench.clock.now_ms(), pieces=(said,))
    assert take(bench.plant, PROCESSOR, statement, "epcis").state == "done"


def cases(bench: OutsideBench) -> dict[str, str]:
    with read(bench.group.hub.node.engine) as conn:
        return {case.piece_number: case.kind for case in find_cases(conn, state="open", plant="")}


def test_what_a_confirming_party_says_is_judged_and_its_silence_too(bench: OutsideBench) -> None:
    bench.agree_processor()
    numbers = [f"C6-0000{n}" for n in range(1, 6)]
    for number in numbers:
        bench.coil(number, 10_000)
    bench.send(*numbers, party=PROCESSOR)
    bench.group.sync()
    bench.group.pass_time(DAY_MS // 2)
    say(bench, "received", numbers[0], mass_g=10_010_000)
    say(bench, "received", numbers[1], mass_g=9_000_000)
    say(bench, "received", numbers[2], damage="edge bent")
    say(bench, "missed", numbers[3])
    bench.group.sync()
    assert cases(bench) == {numbers[1]: "mass", numbers[2]: "damage", numbers[3]: "short"}
    assert bench.group.sync().cases == 0  # each once
    bench.group.pass_time(5 * DAY_MS)
    bench.group.sync()
    assert cases(bench) == {numbers[1]: "mass", numbers[2]: "damage", numbers[3]: "short", numbers[4]: "short"}
    say(bench, "received", numbers[4])  # late: the case stays with people, nothing new is opened
    assert bench.group.sync().cases == 0
    with read(bench.group.hub.node.engine) as conn:
        assert not [stream for stream in all_streams(conn) if PROCESSOR in stream]  # nobody is there to read one
        (case,) = conn.execute(select(transfer_case).where(transfer_case.c.kind == "damage")).all()
        assert (case.from_plant, case.to_plant) == ("CLD", PROCESSOR)


def test_the_hub_shows_on_time_in_full_and_where_everything_is(bench: OutsideBench) -> None:
    app = create_portal(bench.group.hub)
    reader = sign_in(app, bench.group.hub.node, "owner", "owner")
    assert "No due day is over yet" in reader.page("/on-time-in-full")
    bench.agree()
    bench.order(due="2026-03-12", kg=20_000)
    bench.coil("C6-00001", 12_000)
    bench.coil("C6-00002", 9_000)
    bench.send("C6-00001")
    bench.group.sync()
    bench.group.pass_time(2 * DAY_MS)
    bench.group.sync("CLD")
    found = reader.api("GET", "/api/v1/on-time-in-full").json
    assert found is not None
    assert [(one["customer"], one["otif_ppm"], one["short"]) for one in found["items"]] == [("Merrin Ducting", 0, 1)]
    bench.send("C6-00002")
    bench.group.sync("CLD")
    found = reader.api("GET", "/api/v1/on-time-in-full").json
    assert found is not None
    assert [(one["late"], one["short"]) for one in found["items"]] == [(1, 0)]
    assert found["as_of_ms"] == bench.clock.now_ms()
    assert "Merrin Ducting" in reader.page("/on-time-in-full")
    with read(bench.group.hub.node.engine) as conn:
        (line,) = read_recall(conn, "C6-00002").totals.lines
    assert (line.bucket, line.who, line.mass_g) == ("customer", CUSTOMER, 9_000_000)
