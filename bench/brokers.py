"""What a plant would otherwise send its facts with: NATS JetStream and a Mosquitto bridge, the same bytes, this machine.

Each is measured where its programs are installed (Debian: nats-server, mosquitto, mosquitto-clients) and left out where not.
NATS: every publish acknowledged by a file store, 256 in flight. Mosquitto: a persistent QoS 1 bridge, as messages come
and catching up after its far side was away. It keeps them in memory and writes a file now and then: a power cut loses
what came since, where the others and ours lose nothing that was acknowledged. So it catches up twice: once to a reader
that only counts, and once to one that has each message on the disk before it acknowledges it (bench/mqtt_reader.py),
which is what ours means by received.
"""

from __future__ import annotations

import asyncio
import base64
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.nodes import port_answers, wait_until
from shared.ports import free_port

IN_FLIGHT = 256
START_S = 20.0


def measure_nats(folder: Path, bodies: Sequence[bytes]) -> float | None:
    """Facts a second, each acknowledged; None where the server or its client library is not installed."""
    program = shutil.which("nats-server")
    try:
        import nats
    except ImportError:
        return None
    if program is None:
        return None
    port = free_port()
    store = folder / "jetstream"
    with _running([program, "-js", "-sd", str(store), "-a", "127.0.0.1", "-p", str(port)], port):

        async def publish() -> float:
            client = await nats.connect(f"nats://127.0.0.1:{port}")
            stream = client.jetstream()
            await stream.add_stream(name="FACTS", subjects=["facts"])
            room = asyncio.Semaphore(IN_FLIGHT)

            async def one(body: bytes) -> None:
                async with room:
                    await stream.publish("facts", body)

            began = time.perf_counter()
            await asyncio.gather(*(one(body) for body in bodies))
            seconds = time.perf_counter() - began
            await client.close()
            return seconds

        seconds = asyncio.run(publish())
    shutil.rmtree(store, ignore_errors=True)
    return len(bodies) / seconds


@dataclass(frozen=True)
class Bridged:
    """Facts a second through a bridge: as they come, caught up after its far side was away, and caught up by a reader
    that stores before it acknowledges (None without PostgreSQL)."""

    steady: float
    late: float
    stored: float | None


def measure_mosquitto(folder: Path, bodies: Sequence[bytes], database: str = "") -> Bridged | None:
    """None where it is not installed. database: where the reader stores, a fresh one."""
    programs = [shutil.which(name) for name in ("mosquitto", "mosquitto_pub", "mosquitto_sub")]
    if None in programs:
        return None
    broker, publish, subscribe = (str(program) for program in programs)
    near, far = free_port(), free_port()
    lines = b"".join(base64.b64encode(body)[: len(body)] + b"\n" for body in bodies)
    put = [publish, "-p", str(near), "-q", "1", "-t", "facts", "-l"]
    take = [subscribe, "-p", str(far), "-q", "1", "-t", "facts", "-C", str(len(bodies)), "-F", "%U"]
    near_side = [broker, "-c", str(_near_file(folder, near, far))]
    far_side = [broker, "-c", str(_far_file(folder, far))]
    with _running(near_side, near):
        with _running(far_side, far), _taking(take) as steady:
            wait_until(lambda: _is_bridged(subscribe, near), START_S, what="the bridge")
            subprocess.run(put, input=lines, check=True)
            came = _rate(steady)
        subprocess.run(put, input=lines, check=True)
        with _running(far_side, far), _taking(take) as late:
            caught = _rate(late)
        if not database:
            return Bridged(came, caught, None)
        subprocess.run(put, input=lines, check=True)
    store = [sys.executable, "-m", "bench.mqtt_reader", str(far), str(len(bodies)), database]
    with _running(far_side, far), _taking(store) as reader:
        assert reader.stdout is not None
        reader.stdout.readline()  # it listens; only now the near side comes back with what it kept
        with _running(near_side, near):
            return Bridged(came, caught, len(bodies) / float(reader.communicate(timeout=600)[0].split()[-1]))


def _is_bridged(subscribe: str, near: int) -> bool:
    """The broker itself says of each of its bridges whether it is up."""
    ask = [subscribe, "-p", str(near), "-t", "$SYS/broker/connection/+/state", "-C", "1", "-W", "1"]
    return subprocess.run(ask, capture_output=True, text=True, check=False).stdout.strip() == "1"


@contextmanager
def _taking(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=20)


def _rate(taker: subprocess.Popen[str]) -> float:
    """Messages a second, from the first that came to the last."""
    seen = taker.communicate(timeout=600)[0].split()
    return (len(seen) - 1) / max(1e-6, float(seen[-1]) - float(seen[0]))


def _near_file(folder: Path, near: int, far: int) -> Path:
    return _write(
        folder / "near.conf",
        f"listener {near} 127.0.0.1",
        *_common(folder / "near"),
        "connection plant",
        f"address 127.0.0.1:{far}",
        "topic facts out 1",
        "cleansession false",
        "restart_timeout 1",
    )


def _far_file(folder: Path, far: int) -> Path:
    return _write(folder / "far.conf", f"listener {far} 127.0.0.1", *_common(folder / "far"))


def _common(store: Path) -> list[str]:
    store.mkdir()
    store.chmod(0o777)
    return [
        "user root",  # only heeded when started as root
        "allow_anonymous true",
        "persistence true",
        f"persistence_location {store}/",
        "max_queued_messages 0",
        "max_inflight_messages 0",
    ]


def _write(file: Path, *lines: str) -> Path:
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


@contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: port_answers(port), START_S, what=command[0])
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)
