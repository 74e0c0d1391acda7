"""python -m bench: run the timings and print a table of medians, each beside its reference of the same run."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import click
from sqlalchemy import select

from bench.brokers import measure_mosquitto, measure_nats
from bench.journal_work import measure_journal
from bench.level2 import measure_level2
from bench.material import sizes
from bench.material_writes import measure_rebuild, measure_slow_disk, measure_writes
from bench.memory import measure_memory
from bench.online import measure_many, measure_online
from bench.opcua import measure_opcua
from bench.standards import CHECKS, PLANTS, STANDARDS, measure_standards
from bench.sync_backlog import Run, backlog, database, measure_backlog, measure_shipping, measure_wire, plain
from shared.db.engine import read
from shared.interpreter import tune
from shared.journal.tables import fact
from shared.node import Node
from tools.postgres import find_programs, temporary_cluster

Row = tuple[str, float | None, str, float | None]
"""(what, median, unit, median of the reference in the same runs); None = not installed here."""


def journal(folder: Path, facts: int, runs: int) -> Iterator[Row]:
    """A plant by itself."""
    done = [measure_journal(folder, f"J{n}", facts // 25) for n in range(runs)]
    plain = median(r.reference for r in done)
    yield "recorded and durable, a fact a transaction", median(r.recorded for r in done), "facts/s", plain
    yield "chain verified", median(r.verified for r in done), "facts/s", None
    yield "all rows made again", median(r.rebuilt for r in done), "facts/s", None


def shipped(folder: Path, facts: int, runs: int) -> Iterator[Row]:
    """A backlog; the reference is PostgreSQL logical replication of the same rows."""
    for where, done in measure_backlog(folder, facts, runs):
        yield f"shipped and durable, {where}", median(r.shipped for r in done), "facts/s", _reference(done)
        if all(r.applied for r in done):
            yield f"applied afterwards, {where}", median(r.applied for r in done), "facts/s", None
        if all(r.together for r in done):
            yield f"shipped and applied meanwhile, {where}", median(r.together for r in done), "facts/s", None
        yield f"on the wire, {where}", median(r.wire_bytes for r in done), "bytes/f", None


def wire(folder: Path, facts: int, _runs: int) -> Iterator[Row]:
    """What a fact of a mill's day takes on the line."""
    sent, own = measure_wire(_fresh(folder), facts)
    yield f"on the wire, batches of facts of {own:.0f} bytes", sent, "bytes/f", own


def brokers(folder: Path, facts: int, runs: int) -> Iterator[Row]:
    """What else would carry the same bytes, each the reference of our own shipping in the same runs."""
    plant = backlog(folder, "CLD", facts)
    bodies = _bodies(plant)
    nats = _median([measure_nats(_fresh(folder), bodies) for _ in range(runs)])
    programs = find_programs()
    if programs is None:
        ours, bridged = None, [measure_mosquitto(_fresh(folder), bodies) for _ in range(runs)]
    else:
        with temporary_cluster(programs, fsync=True) as url:
            bases = [plain(database(url, f"bridged{n}")) for n in range(runs)]
            bridged = [measure_mosquitto(_fresh(folder), bodies, base) for base in bases]
            ours = median(measure_shipping(plant, folder, url, n) for n in range(runs))
    steady, late, stored = (_median([getattr(m, name, None) for m in bridged]) for name in ("steady", "late", "stored"))
    yield "shipped; reference: NATS JetStream, acknowledged, 256 in flight", ours, "facts/s", nats
    yield "shipped; reference: Mosquitto bridge, QoS 1, steady", ours, "facts/s", steady
    yield "shipped; reference: Mosquitto bridge, QoS 1, catch-up", ours, "facts/s", late
    yield "shipped; reference: the same, stored before acknowledged", ours, "facts/s", stored


def online(folder: Path, _facts: int, runs: int) -> Iterator[Row]:
    """A plant with a line."""
    done = [measure_online(_fresh(folder)) for _ in range(runs)]
    yield "recorded to applied at the hub, median", median(r.latency_p50_ms for r in done), "ms", None
    yield "recorded to applied at the hub, p95", median(r.latency_p95_ms for r in done), "ms", None
    up = median(r.commit_up_p99_ms for r in done)
    yield "commit p99, hub down (reference: hub up)", median(r.commit_down_p99_ms for r in done), "ms", up
    yield "commit p99, hub down to hub up, median of five pairs", median(r.commit_ratio for r in done), "times", None


def many(folder: Path, _facts: int, runs: int) -> Iterator[Row]:
    """Twenty plants come back at once."""
    done = [measure_many(_fresh(folder)) for _ in range(runs)]
    slowest, usual = median(r.slowest for r in done), median(r.mean for r in done)
    yield "20 plants at once: the slowest (reference: their mean)", slowest, "facts/s", usual


def memory(folder: Path, facts: int, _runs: int) -> Iterator[Row]:
    """The shipping process; give --facts 1000000 for the long form."""
    found = measure_memory(folder, facts)
    for number, most in enumerate(found.fifths_mb[1:], start=2):
        yield f"memory of shipping, most in fifth {number} (reference: the first)", most, "MB", found.fifths_mb[0]


def level2(folder: Path, _facts: int, runs: int) -> Iterator[Row]:
    """Telegrams of a caster."""
    done = [measure_level2(_fresh(folder)) for _ in range(runs)]
    bare = median(r.bare for r in done)
    yield "telegrams decoded and validated, one core", median(r.decoded for r in done), "tel/s", None
    yield "telegrams acknowledged from the disk, window 32", median(r.acknowledged for r in done), "tel/s", bare
    yield "acknowledgement p99 at 200/s", median(r.p99_ms for r in done), "ms", None


def opcua(folder: Path, _facts: int, runs: int) -> Iterator[Row]:
    """Data changes of one OPC UA server."""
    done = [measure_opcua(_fresh(folder)) for _ in range(runs)]
    bare = median(r.bare for r in done)
    yield (
        "OPC UA data changes on disk (reference: a handler that does nothing)",
        median(r.stored for r in done),
        "chg/s",
        bare,
    )


def material(folder: Path, facts: int, runs: int) -> Iterator[Row]:
    """A made-up group of so many pieces and a tenth of it; give --facts 10000000 for the long form, with time and room."""
    for where, small, large in sizes(_fresh(folder), facts):
        yield f"whole trace of a last piece, {where}", large.trace_ms, "ms", large.trace_bare_ms
        yield f"whole recall of a heat, {where}", large.recall_ms, "ms", large.recall_bare_ms
        yield f"the same; reference: an ORM query a node, {where}", large.recall_ms, "ms", large.orm_ms
        yield f"its p95; reference: a tenth of the pieces, {where}", large.recall_p95_ms, "ms", small.recall_p95_ms
        yield f"numbers by their beginning, p95, {where}", large.search_p95_ms, "ms", None
        yield f"recall of {large.stream_pieces:,} pieces streamed, {where}", large.streamed, "pieces/s", None
    done = [measure_writes(_fresh(folder), max(500, facts // 100)) for _ in range(runs)]
    bare = median(r.bare for r in done)
    yield f"operations of {done[0].rows:.1f} rows, one a transaction", median(r.recorded for r in done), "op/s", bare
    yield "operations in batches of 100", median(r.batched for r in done), "op/s", None
    slow = measure_slow_disk(_fresh(folder), 500)
    late = "the same, each fsync 2 ms later"
    yield late, slow.recorded if slow else None, "op/s", slow.bare if slow else None
    again = measure_rebuild(f"sqlite:///{_fresh(folder) / 'again.sqlite'}", facts)
    yield (
        f"rows made again of {again.facts:,} facts" + ("" if again.same else ": NOT THE SAME"),
        again.rate,
        "facts/s",
        None,
    )
    yield "memory at its most (reference: before it)", again.most_mb, "MB", again.before_mb


def standards(folder: Path, _facts: int, runs: int) -> Iterator[Row]:
    """Rules, binding and who runs what, of a large group."""
    done = [measure_standards(_fresh(folder)) for _ in range(runs)]
    bare = median(r.bare for r in done)
    yield "a rule asked, its explanation made (reference: the bare language)", median(r.asked for r in done), "/s", bare
    yield f"a heat's {CHECKS} checks, explanations on record", median(r.heat_ms for r in done), "ms", None
    yield f"{STANDARDS} standards bound", 1000 * median(r.binding_s for r in done), "ms", None
    yield f"who runs what, {PLANTS} plants x {STANDARDS} standards", median(r.matrix_ms for r in done), "ms", None


PARTS: dict[str, Callable[[Path, int, int], Iterator[Row]]] = {
    part.__name__: part
    for part in (journal, shipped, wire, brokers, online, many, memory, level2, opcua, material, standards)
}


@click.command()
@click.option("--facts", default=50_000, show_default=True, type=click.IntRange(1_000), help="Facts in a backlog.")
@click.option("--runs", default=3, show_default=True, type=click.IntRange(1), help="Runs; the median is printed.")
@click.option("--only", multiple=True, type=click.Choice(sorted(PARTS)), help="These parts alone.")
def main(facts: int, runs: int, only: tuple[str, ...]) -> None:
    """Timings, medians of several runs. Machines are noisy: compare ratios within one run."""
    logging.disable(logging.INFO)
    tune()  # as every process of the product
    click.echo(f"{'what':66} {'median':>9}  {'unit':8} {'reference':>9} {'ratio':>6}")
    for name, part in PARTS.items():
        if not only or name in only:
            with tempfile.TemporaryDirectory() as folder:
                for row in part(Path(folder), facts, runs):
                    click.echo(_line(row))


def _line(row: Row) -> str:
    what, value, unit, reference = row
    if value is None:
        return f"{what:66} {'not installed':>9}"
    beside = f"{reference:9,.1f} {value / reference:6.2f}" if reference else ""
    return f"{what:66} {value:9,.1f}  {unit:8} {beside}".rstrip()


def _reference(done: list[Run]) -> float | None:
    return median(r.reference for r in done) if all(r.reference for r in done) else None


def _median(found: list[float | None]) -> float | None:
    there = [value for value in found if value is not None]
    return median(there) if there else None


def _bodies(plant: Node) -> list[bytes]:
    with read(plant.engine) as conn:
        return [bytes(body) for (body,) in conn.execute(select(fact.c.body))]


def _fresh(folder: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=folder))


if __name__ == "__main__":
    main()
