"""Level 2 telegrams: decoding alone, and the whole road from the socket to the disk and back as an acknowledgement.

The collector runs as the process it is; at the other end of a real socket is the simulator's quickest peer. The reference
of the throughput is a bare group commit: rows of the same bytes into the same table with its indexes, the same journal mode
and `synchronous = FULL`, as many callers waiting as the window is wide, nothing else done. Groups are alike: a whole window
lies in one commit of the reference, and of the product, whose peer sends on only when it has been answered.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from bench.collector import collecting
from demo.simulator.layouts import load
from demo.simulator.rush import make_telegrams, send_all, send_paced
from local_mes.level2.spool import create_spool
from local_mes.level2.telegrams.codec import decode_body
from local_mes.level2.telegrams.frame import Framer, encode_telegram
from local_mes.level2.telegrams.layout import Field, LayoutSet
from local_mes.level2.telegrams.layout_files import load_folder
from local_mes.level2.telegrams.plausible import check
from shared.clock import SystemClock
from shared.db.engine import open_engine
from shared.ports import free_port

PLANTS = Path(__file__).parents[1] / "demo" / "plants"
WINDOW = 32
CUT = "CC1060"
BURST = 20_000
PACED, PACED_PER_S = 1_000, 200
CLAIMED = "20260311065530120"
INSERT = "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
LINK = """
[[link]]
code = "CC1"
kind = "telegram"
address = "127.0.0.1:{port}"
telegrams = "{layouts}"
peer = "CC1"
  [link.map]
  CC1060 = "ignore"
"""


@dataclass(frozen=True)
class Level2:
    """Telegrams a second: decoded and validated, acknowledged from the disk, and the bare reference; p99 in ms."""

    decoded: float
    acknowledged: float
    bare: float
    p99_ms: float


def measure_level2(folder: Path) -> Level2:
    """One run of all."""
    layouts = load_folder(PLANTS / "ald" / "telegrams")
    decoded = _decode(layouts)
    simulated, fields = load(PLANTS / "ald" / "telegrams"), _sample(layouts.messages[CUT].fields)
    telegrams = make_telegrams(simulated, CUT, fields, ZoneInfo("Europe/Warsaw"), "CC1", range(BURST + PACED))
    with _collector(folder) as port:
        waits = asyncio.run(send_paced(port, simulated, telegrams[BURST:], PACED_PER_S))
        acknowledged = BURST / send_all(port, simulated, telegrams[:BURST], WINDOW)
    return Level2(decoded, acknowledged, _bare(folder, telegrams[0], fields), quantiles(waits, n=100)[98])


def _decode(layouts: LayoutSet) -> float:
    stream = [_telegram(layouts, name, n) for n in range(1_000) for name in layouts.messages]
    chunks = [b"".join(stream[i : i + WINDOW]) for i in range(0, len(stream), WINDOW)]
    framer, begin = Framer(layouts), time.perf_counter()
    for chunk in chunks:
        for frame in framer.feed(chunk):
            if frame.head is None:
                raise AssertionError(frame.why)
            layout = layouts.messages[frame.head.message]
            if check(layout, decode_body(layout, frame.body)):
                raise AssertionError(frame.head.message)
    return len(stream) / (time.perf_counter() - begin)


def _telegram(layouts: LayoutSet, name: str, number: int) -> bytes:
    fields = _sample(layouts.messages[name].fields)
    return encode_telegram(
        layouts,
        name,
        fields,
        sequence=number % 9999 + 1,
        claimed=f"20260311{number // 3600 % 24:02d}{number // 60 % 60:02d}{number % 60:02d}000",
        sender="CC1",
        receiver="MES",
    )


def _sample(fields: tuple[Field, ...]) -> dict[str, Any]:
    values = {f.name: [_sample(f.fields)] * 6 if f.type == "group" else f.example for f in fields}
    return values | {f.count: 6 for f in fields if f.type == "group"}


@contextmanager
def _collector(folder: Path) -> Iterator[int]:
    port = free_port()
    with collecting(folder, LINK.format(port=port, layouts=PLANTS / "ald" / "telegrams")):
        yield port


def _bare(folder: Path, raw: bytes, values: Mapping[str, Any]) -> float:
    """Group commit and nothing else: a thread commits whatever waits, as many callers wait as the window is wide."""
    fields = msgspec.json.encode(values).decode()
    engine = open_engine(f"sqlite:///{folder / 'bare.sqlite'}")
    create_spool(engine, SystemClock())
    engine.dispose()
    waiting: queue.SimpleQueue[tuple[tuple[Any, ...], Future[None]] | None] = queue.SimpleQueue()
    thread = threading.Thread(target=_commit_all, args=(folder / "bare.sqlite", waiting))
    thread.start()
    begin = time.perf_counter()
    for first in range(0, BURST, WINDOW):
        done: list[Future[None]] = [Future() for _ in range(min(WINDOW, BURST - first))]
        for n, future in enumerate(done):
            waiting.put((_bare_row(first + n + 1, raw, fields), future))
        for future in done:
            future.result()
    seconds = time.perf_counter() - begin
    waiting.put(None)
    thread.join()
    return BURST / seconds


def _bare_row(n: int, raw: bytes, fields: str) -> tuple[Any, ...]:
    return (n, "CC1", n, CUT, n % 9999, f"{n * 2654435761 % 2**128:032x}", CLAIMED, n, n, 0, 60, raw, fields, "")


def _commit_all(file: Path, waiting: queue.SimpleQueue[tuple[tuple[Any, ...], Future[None]] | None]) -> None:
    with sqlite3.connect(file, isolation_level=None) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        while (one := waiting.get()) is not None:
            batch = [one]
            while not waiting.empty() and len(batch) < WINDOW:
                more = waiting.get()
                if more is not None:
                    batch.append(more)
            database.execute("BEGIN IMMEDIATE")
            database.executemany(INSERT, [row for row, _ in batch])
            database.execute("COMMIT")
            for _, future in batch:
                future.set_result(None)
