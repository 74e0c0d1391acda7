"""What hostile requests of an enrolled node cost the receiver: refused before its memory grew by 16 MiB.

Measured in a process of its own: the peak of its resident memory (VmHWM, reset before each request) above what it held.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import zstandard

from shared.ids import random_key
from sync.limits import HELLO_BYTES_MAX, PROTOCOL
from sync.messages import HELLO, SEAL, ZERO_HASH, EpochState, Hello, Seal
from sync.pack import MAGIC
from sync.seal import sign

GROWTH_MAX_KIB = 16 << 10
MIB = 1 << 20

RECEIVER = """
import gc, json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from shared.clock import FixedClock
from shared.db.engine import write
from shared.errors import StrandlineError
from shared.material import projection as material
from shared.node import build_node
from shared.settings import NodeSettings
from sync import marks
from sync.station import build_called

folder = Path(sys.argv[2])
settings = NodeSettings(code="HUB", name="HUB", folder=folder)
node = build_node(settings, [material.register], FixedClock(1773205200000))
desk = build_called(node, 500).desk
with write(node.engine) as conn:  # a start ends all sessions; this one is taken up again
    marks.open_session(conn, "ALD", sys.argv[4], "0" * 32, 0, 0, 0)

def peak():
    lines = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
    return int(lines["VmHWM"].split()[0]), int(lines["VmRSS"].split()[0])

def attempt(door, file):
    body = Path(file).read_bytes()
    gc.collect()
    open("/proc/self/clear_refs", "w").write("5")
    before = peak()[1]
    try:
        getattr(desk, door)(body)
        status = 200
    except StrandlineError as error:
        status = error.status
    return status, peak()[0] - before

jobs = json.loads(sys.argv[3])
attempt(*jobs[0])  # what is imported and allocated once
print(json.dumps([attempt(*job) for job in jobs]))
"""


def zeros(size: int, **parameters: int) -> bytes:
    """A frame that unpacks to so many zeros, made in pieces."""
    chosen = zstandard.ZstdCompressionParameters.from_level(3, **parameters)
    packer = zstandard.ZstdCompressor(compression_params=chosen).compressobj()
    made = [packer.compress(bytes(MIB)) for _ in range(size // MIB)]
    return b"".join([*made, packer.flush()])


def batch(plant, session, frame: bytes, entries: int) -> bytes:
    seal = Seal(
        proto=PROTOCOL,
        node="ALD",
        audience="HUB",
        sent_ms=1,
        kind="batch",
        stream="ALD",
        epoch=random_key(),
        parent=None,
        first=1,
        last=entries,
        prev=ZERO_HASH,
        head=ZERO_HASH,
        bytes=ZERO_HASH,
        complete_through=1,
        incarnation=session.incarnation,
        session=session.id,
        key=plant.node.key.id,
    )
    head = sign(plant.node.key, SEAL, seal)
    return MAGIC + len(head).to_bytes(4, "big") + head + frame


def hello(plant, epochs: int) -> bytes:
    """As many epochs as the limit of a hello lets through."""
    value = Hello(
        proto=PROTOCOL,
        node="ALD",
        audience="HUB",
        sent_ms=1,
        oldest_proto=PROTOCOL,
        instance=random_key(),
        nonce=random_key(),
        epochs=tuple(EpochState("ALD", random_key(), 1, ZERO_HASH) for _ in range(epochs)),
        copies=(),
        facts={},
    )
    return sign(plant.node.key, HELLO, value)


def deep(plant) -> bytes:
    """Signed nonsense, nested as deep as it fits."""
    payload = b"[" * (HELLO_BYTES_MAX // 2)
    return msgspec.json.encode(plant.node.key.seal(HELLO, payload))


@pytest.mark.fault(65)
def test_hostile_requests_are_refused_before_memory_grows(kit, tmp_path: Path) -> None:
    plant, hub = kit.plant(), kit.hub()
    kit.enrol(plant, hub)
    session = kit.caller(plant, kit.memory(hub)).hello()
    full = hello(plant, 4_500)
    assert HELLO_BYTES_MAX * 0.8 < len(full) <= HELLO_BYTES_MAX
    claims = zstandard.ZstdCompressor(write_content_size=True).compressobj(size=10 << 30)
    bodies = {
        "a bomb of 1 GiB": ("push", batch(plant, session, zeros(1 << 30), 2_000), 413),
        "a million empty entries": ("push", batch(plant, session, zeros(8 * MIB), 1_000_000), 413),
        "2,001 entries": ("push", batch(plant, session, zstandard.compress(bytes(8 * 2_001)), 2_001), None),
        "a window of 128 MiB": ("push", batch(plant, session, zeros(MIB, window_log=27), 2_000), 400),
        "a frame that claims 10 GiB": ("push", batch(plant, session, claims.compress(b"x" * 999), 2_000), 400),
        "deep nonsense": ("hello", deep(plant), 400),
        "the fullest hello": ("hello", full, 200),
    }
    jobs = []
    for number, (door, body, _) in enumerate(bodies.values()):
        file = tmp_path / f"body{number}"
        file.write_bytes(body)
        jobs.append((door, str(file)))
    hub.node.engine.dispose()
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            RECEIVER,
            str(Path(__file__).parents[2]),
            str(tmp_path / "HUB"),
            json.dumps(jobs),
            session.id,
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    found = dict(zip(bodies, json.loads(done.stdout.splitlines()[-1]), strict=True))
    grown = {name: growth for name, (_, growth) in found.items()}
    assert {name: growth for name, growth in grown.items() if growth >= GROWTH_MAX_KIB} == {}
    for name, (_, _, status) in bodies.items():
        assert found[name][0] == status or (status is None and found[name][0] in (400, 413)), name
