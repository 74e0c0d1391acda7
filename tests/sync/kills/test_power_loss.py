"""Power fails at a plant: what its disk had not synced is gone, and nothing that anybody was told of is lost.

A small library (forgetful.c) stands between the plant's process and its files and keeps of each what was synced last;
after the kill that is put in the place of the files.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from shared.db.engine import read
from shared.journal.anchor import read_anchor
from shared.journal.tables import epoch, fact
from shared.journal.verify import verify

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PROGRAM = HERE.parent / "node_process.py"
PATIENCE_S = 150
"""Some dozen facts take two seconds; each fsync copies the database, which a busy machine may do slowly."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("needs a C compiler and Linux: the disk that forgets is a library in C")
    made = tmp_path_factory.mktemp("forgetful") / "forgetful.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", str(made), str(HERE / "forgetful.c"), "-ldl", "-lpthread"],
        check=True,
        capture_output=True,
    )
    return made


class Disk:
    """The plant's folder, and beside it what of it would survive a power failure."""

    def __init__(self, folder: Path, kept: Path, library: Path) -> None:
        self.folder, self.kept = folder, kept
        kept.mkdir()
        self.environment = {
            "PYTHONPATH": str(ROOT),
            "LD_PRELOAD": str(library),
            "FORGETFUL_ROOT": str(folder),
            "FORGETFUL_KEPT": str(kept),
            "PATH": os.environ["PATH"],
        }
        self.seed()

    def seed(self) -> None:
        """What is there now was written long ago."""
        for file in self.folder.rglob("*"):
            if file.is_file():
                shutil.copy(file, self.kept / str(file.relative_to(self.folder)).replace("/", "%"))

    def lose_power(self) -> None:
        """Only what was synced is there."""
        for file in list(self.folder.rglob("*")):
            if file.is_file():
                file.unlink()
        for file in self.kept.iterdir():
            if file.suffix != ".part" and not file.name.endswith("-shm"):
                place = self.folder / file.name.replace("%", "/")
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, place)
                place.chmod(0o600)


@pytest.mark.fault(33)
def test_the_disk_of_this_test_forgets_what_was_not_synced(tmp_path: Path, library: Path) -> None:
    (tmp_path / "disk").mkdir()
    disk = Disk(tmp_path / "disk", tmp_path / "kept", library)
    program = (
        "import os; os.chdir(os.environ['FORGETFUL_ROOT'])\n"
        "a = open('synced', 'w'); a.write('kept'); a.flush(); os.fsync(a.fileno()); a.write(' not'); a.flush()\n"
        "b = open('never', 'w'); b.write('not'); b.flush()\n"
        "os.replace('synced', 'renamed')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", program], env=disk.environment, check=False)
    assert (disk.folder / "renamed").read_text() == "kept not"
    disk.lose_power()
    assert {file.name: file.read_text() for file in disk.folder.iterdir()} == {"synced": "kept"}


@pytest.mark.fault(33)
@pytest.mark.timeout(600)
def test_what_was_acknowledged_survives_power_failures_and_the_hub_never_knows_more(kit, library: Path) -> None:
    plant, hub = kit.plant(), kit.hub()
    kit.enrol(plant, hub)
    plant.create(1)
    plant.ground.anchoring.write_now()
    plant.node.engine.dispose()
    port = kit.serve(hub).server.server_port
    folder = kit.folder / "ALD"
    disk = Disk(folder, kit.folder / "kept", library)
    acknowledged: list[str] = []
    for seed in range(3):
        acknowledged += run_until_killed(disk, kit.folder, port, random.Random(seed).randint(20, 60))
        anchored = read_anchor(folder / "anchor.json")
        disk.lose_power()
        left = read_anchor(folder / "anchor.json")
        assert left is not None
        assert anchored is not None
    again = kit.plant()  # opens the folder as it is: a check of the file, and a new epoch if the anchor were ahead
    with read(again.node.engine) as conn:
        assert verify(conn).findings == ()
        held = set(conn.execute(select(fact.c.fact_id)).scalars())
        lives = conn.execute(select(func.count()).select_from(epoch).where(epoch.c.stream == "ALD")).scalar_one()
    assert set(acknowledged) <= held
    assert lives == 1, "the anchor lags behind the database, it is never ahead of it"
    with read(hub.node.engine) as conn:
        sent = set(conn.execute(select(fact.c.fact_id).where(fact.c.author == "ALD")).scalars())
    assert sent, "the line was up meanwhile"
    assert sent <= held, "nothing is sent that the plant could still lose"
    kit.drain_after_a_death(kit.caller(again, kit.memory(hub)))
    hub.apply()
    assert hub.hash_of("ALD") == again.hash_of("ALD")


def run_until_killed(disk: Disk, folder: Path, port: int, facts: int) -> list[str]:
    """A plant process that records and ships until so many facts were acknowledged; then the power is gone."""
    lines: list[str] = []
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), "plant", str(folder), str(port)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=disk.environment,
    )
    reader = threading.Thread(target=lambda: lines.extend(line.strip() for line in process.stdout or ()))
    reader.start()
    end = time.monotonic() + PATIENCE_S
    while len(told(lines)) < facts and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    process.kill()
    process.wait(10)
    reader.join(10)
    assert len(told(lines)) >= facts
    return told(lines)


def told(lines: list[str]) -> list[str]:
    """The facts that were acknowledged; a process says other things too, and its last line may be half of one."""
    return [line for line in list(lines) if len(line) == 32]
