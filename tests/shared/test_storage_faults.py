"""What a full, a read-only and a lying disk do to a node: on a real small file system, and with a real failing fsync."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from shared import disk, storage
from shared.clock import FixedClock
from shared.db.engine import open_engine, read
from shared.db.types import metadata
from shared.disk import BALLAST, DiskWatch, check_extras, look
from shared.errors import Unavailable
from shared.journal.apply import Appliers
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Journal
from shared.journal.tables import fact
from shared.journal.verify import verify
from shared.material import projection as material
from shared.material.facts import MaterialMoved
from shared.storage import NoRoom, ReadOnlyDisk, write_durably

MEBI = 1 << 20
Mount = Callable[[int], Path]

NO_FSYNC = """
#include <errno.h>
#include <unistd.h>
/* fails while the file named by FAIL_FSYNC exists */
#include <stdlib.h>
static int bad(void) { const char *f = getenv("FAIL_FSYNC"); return f && access(f, F_OK) == 0; }
int fsync(int fd) { (void)fd; if (bad()) { errno = EIO; return -1; } return 0; }
int fdatasync(int fd) { (void)fd; if (bad()) { errno = EIO; return -1; } return 0; }
"""


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """mount(MiB) -> a file system of its own of that size."""
    made: list[Path] = []

    def make(size: int) -> Path:
        place = tmp_path / f"disk{len(made)}"
        place.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}m", "none", place], capture_output=True)
        if done.returncode:
            pytest.skip("mounting a small file system needs root")
        made.append(place)
        return place

    yield make
    for place in made:
        subprocess.run(["umount", "-l", place], check=True)


def open_journal(folder: Path, clock: FixedClock, fresh: bool = True) -> Journal:
    engine = open_engine(f"sqlite:///{folder / 'node.sqlite'}")
    if fresh:
        metadata.create_all(engine)
    appliers = Appliers()
    material.register(appliers)
    return Journal("ALD", engine, clock, appliers)


def move(journal: Journal, note: str = "yard", times: int = 1) -> None:
    with journal.work() as tx:
        for _ in range(times):
            payload = MaterialMoved(material_id="m", place=note)
            tx.record(Draft(payload=payload, subjects=("m",), actor="p", occurred=Occurred(1, "manual")))


def count(journal: Journal) -> int:
    with read(journal.engine) as conn:
        return conn.execute(select(func.count()).select_from(fact)).scalar_one()


def fill(folder: Path, leave: int = 0) -> Path:
    """Take all room but `leave` bytes."""
    file = folder / "filler"
    with file.open("wb") as out:
        os.posix_fallocate(out.fileno(), 0, max(look(folder).free - leave, 1))
    return file


def fill_to(folder: Path, part: float) -> Path:
    now = look(folder)
    return fill(folder, int(now.total * (1 - part)))


@pytest.mark.fault(30)
def test_a_full_disk_refuses_a_business_step_whole_and_in_words(mount: Mount, clock: FixedClock) -> None:
    folder = mount(8)
    journal = open_journal(folder, clock)
    move(journal)
    filler = fill(folder)
    recorded = 1
    refused: NoRoom | None = None
    while refused is None and recorded < 1_000:
        try:
            move(journal, times=20)
            recorded += 20
        except NoRoom as error:
            refused = error
    assert refused is not None
    assert refused.status == 507
    assert "The disk is full" in str(refused)
    assert "Make room" in str(refused)
    with read(journal.engine) as conn:
        found = verify(conn)
    assert (found.entries, found.findings) == (recorded, ())
    assert count(journal) == recorded
    filler.unlink()
    move(journal)  # and goes on without a restart
    assert count(journal) == recorded + 1


@pytest.mark.fault(30)
@pytest.mark.fault(31)
def test_the_levels_of_a_filling_disk(mount: Mount, clock: FixedClock) -> None:
    folder = mount(20)
    journal = open_journal(folder, clock)
    watch = DiskWatch(folder)
    journal.admit_by(watch.admit)
    watch.settle()
    ballast = folder / BALLAST
    assert ballast.stat().st_size == pytest.approx(20 * MEBI * 0.01, abs=4096)
    for part, level in ((0.5, "calm"), (0.82, "warn"), (0.92, "spare"), (0.96, "alarm")):
        filler = fill_to(folder, part)
        assert look(folder).level == level
        move(journal)  # facts go on
        if part > 0.9:
            with pytest.raises(NoRoom):
                check_extras(folder)
        else:
            check_extras(folder)
        filler.unlink()
    filler = fill_to(folder, 0.985)
    before = count(journal)
    with pytest.raises(NoRoom, match="nothing is recorded"):
        move(journal)
    assert count(journal) == before
    assert not ballast.exists()
    assert look(folder).used < disk.STOP  # the ballast gave room for an end in order,
    with pytest.raises(NoRoom):
        move(journal)  # not for more facts
    filler.unlink()
    move(journal)
    watch.settle()
    assert ballast.exists()


@pytest.mark.fault(37)
def test_a_read_only_file_system_is_named_and_recording_goes_on_after_it(mount: Mount, clock: FixedClock) -> None:
    folder = mount(8)
    journal = open_journal(folder, clock)
    move(journal)
    journal.engine.dispose()
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    with pytest.raises(Unavailable) as refused:
        move(journal)
    assert isinstance(refused.value, ReadOnlyDisk)
    assert "cannot be written" in str(refused.value)
    with pytest.raises(ReadOnlyDisk):
        write_durably(folder / "anchor.json", b"{}")
    subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
    move(journal)
    assert count(journal) == 2


@pytest.mark.fault(30)
def test_a_file_that_does_not_fit_leaves_the_old_one(mount: Mount) -> None:
    folder = mount(4)
    write_durably(folder / "f", b"old")
    fill(folder)
    with pytest.raises(NoRoom):
        write_durably(folder / "f", bytes(MEBI))
    assert (folder / "f").read_bytes() == b"old"
    assert not (folder / "f.new").exists()


@pytest.fixture(scope="module")
def failing_fsync(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library to load before all others, whose fsync fails with EIO while a named file exists."""
    folder = tmp_path_factory.mktemp("shim")
    (folder / "shim.c").write_text(NO_FSYNC)
    command = ["cc", "-shared", "-fPIC", "-o", str(folder / "shim.so"), str(folder / "shim.c")]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no C compiler to make a failing fsync with")
    return folder / "shim.so"


RECORDER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from shared.clock import SystemClock
from shared.db.engine import open_engine
from shared.db.types import metadata
from shared.journal.apply import Appliers
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Journal
from shared.material import projection as material
from shared.material.facts import MaterialMoved
from shared.storage import write_durably

folder = Path(sys.argv[1])
engine = open_engine(f"sqlite:///{folder / 'node.sqlite'}")
metadata.create_all(engine)
appliers = Appliers()
material.register(appliers)
journal = Journal("ALD", engine, SystemClock(), appliers)
for line in sys.stdin:
    if line.strip() == "file":
        write_durably(folder / "anchor.json", b"{}")
    else:
        with journal.work() as tx:
            payload = MaterialMoved(material_id="m", place=line.strip())
            tx.record(Draft(payload=payload, subjects=("m",), actor="p", occurred=Occurred(1, "manual")))
    print("done", flush=True)
"""


@pytest.mark.fault(38)
@pytest.mark.parametrize("step", ["yard", "file"])
def test_an_fsync_that_fails_ends_the_process_and_the_next_start_recovers(
    failing_fsync: Path, tmp_path: Path, clock: FixedClock, step: str
) -> None:
    flag = tmp_path / "fail"
    environment = {**os.environ, "LD_PRELOAD": str(failing_fsync), "FAIL_FSYNC": str(flag)}
    node = subprocess.Popen(
        [sys.executable, "-c", RECORDER, str(tmp_path), str(Path(__file__).parents[2])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        text=True,
    )
    assert node.stdin is not None
    assert node.stdout is not None
    node.stdin.write("yard\n")
    node.stdin.flush()
    assert node.stdout.readline() == "done\n"
    flag.touch()
    node.stdin.write(f"{step}\n")
    node.stdin.flush()
    assert node.wait(30) == storage.EXIT_CODE
    assert "done" not in node.stdout.read()  # nothing was acknowledged
    again = open_journal(tmp_path, clock, fresh=False)
    assert count(again) >= 1
    move(again)
    with read(again.engine) as conn:
        assert verify(conn).findings == ()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_an_error_of_the_system_means_the_same_as_one_of_the_database(number: int) -> None:
    with pytest.raises(NoRoom):
        storage.check(OSError(number, "x"))
    storage.check(OSError(errno.ENOENT, "x"))
    storage.check(None)
