"""A hub's database on PostgreSQL kept by Patroni and etcd: its primary is killed under load, a standby takes over by itself,
and nothing that a plant has a receipt for is lost. They are set up by the files that the role `failover` writes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from shared.db.engine import read
from shared.journal.verify import verify
from shared.ports import free_ports
from sync.marks import list_holdings
from tools.postgres import find_programs, other_user

PATIENCE_S = 240.0
NODES = 2
MISSING = [name for name in ("patroni", "etcd") if shutil.which(name) is None]

TEMPLATES = Path(__file__).parents[2] / "ansible" / "roles" / "failover" / "templates"
SECRET = 'a word o\' this "test"'


def write_settings(folder: Path, node: int, programs: Path, etcd: int, port: int, rest: int) -> None:
    """What the role `failover` puts on a host, for one of several on this machine."""
    host = {"strandline_failover_address": "127.0.0.1"}
    values = {
        "ansible_managed": "by a test",
        "inventory_hostname": f"pg{node}",
        "hostvars": {"pg0": host, "pg1": host},
        "failover_programs": {"stdout": str(programs)},
        "strandline_user": "strandline",
        "strandline_database_password": SECRET,
        "strandline_database_from": ["127.0.0.1/32"],
        "strandline_failover_hosts": ["pg0"],
        "strandline_failover_address": "127.0.0.1",
        "strandline_failover_password": SECRET,
        "strandline_failover_ttl_s": 10,
        "strandline_failover_port": port,
        "strandline_failover_rest_port": rest,
        "strandline_failover_listen": "127.0.0.1",
        "strandline_failover_etcd": [f"127.0.0.1:{etcd}"],
        "strandline_failover_folder": f"{folder}/data{node}",
        "strandline_failover_sockets": str(folder),
        "strandline_failover_begin": f"{folder}/begin",
    }
    made = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, trim_blocks=True, autoescape=False
    )
    made.filters["to_json"] = json.dumps
    (folder / f"{node}.yml").write_text(made.get_template("patroni.yml.j2").render(values))
    begin = folder / "begin"
    begin.write_text(made.get_template("begin.j2").render(values))
    begin.chmod(0o755)


@dataclass
class Cluster:
    """Two PostgreSQL servers, a Patroni beside each, and one etcd that says who is the primary."""

    folder: Path
    ports: list[int]
    rests: list[int]
    running: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """All servers; the connection looks for the one that may be written."""
        hosts, ports = ",".join(["127.0.0.1"] * NODES), ",".join(map(str, self.ports))
        return (
            f"postgresql+psycopg://strandline:{quote(SECRET)}@/strandline?host={hosts}&port={ports}"
            "&target_session_attrs=read-write&connect_timeout=3"
        )

    def start(self, node: int) -> None:
        with (self.folder / f"patroni{node}.log").open("ab") as log:
            self.running[node] = subprocess.Popen(
                [*other_user(), "patroni", str(self.folder / f"{node}.yml")],
                stdout=log, stderr=log, start_new_session=True, cwd=self.folder,
            )  # fmt: skip

    def kill(self, node: int) -> None:
        """Patroni and its server with all its processes, as when the machine loses its power."""
        os.killpg(self.running.pop(node).pid, signal.SIGKILL)
        with suppress(OSError):  # it did not get so far
            pid = int((self.folder / f"data{node}" / "postmaster.pid").read_text().split()[0])
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            for one in (pid, *map(int, children)):
                with suppress(ProcessLookupError):
                    os.kill(one, signal.SIGKILL)

    def says(self, node: int, what: str) -> bool:
        """What a Patroni answers with 200: whether its server is `primary`, or `sync`, which may take over."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.rests[node]}/{what}", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def primary(self) -> int | None:
        return next((node for node in self.running if self.says(node, "primary")), None)

    def has_standby(self) -> bool:
        """Whether a commit waits for a second disk, and all know which that is."""
        return any(self.says(node, "sync") for node in self.running)

    def begin(self) -> None:
        """A table of the node's user, as it may make them: the hub's are then made too, not copied from another database."""
        engine = create_engine(self.url)
        with engine.begin() as conn:
            conn.execute(text("CREATE TABLE beside (x integer)"))
        engine.dispose()

    def answers(self) -> bool:
        engine = create_engine(self.url)
        try:
            with engine.connect():
                return True
        except OperationalError:
            return False
        finally:
            engine.dispose()


@pytest.fixture
def cluster():
    programs = find_programs()
    assert programs is not None
    folder = Path(tempfile.mkdtemp(prefix="patroni-", dir="/tmp"))
    numbers = free_ports(2 * NODES + 2)
    etcd_client, etcd_peer = numbers[:2]
    made = Cluster(folder, numbers[2 : 2 + NODES], numbers[2 + NODES :])
    for node in range(NODES):
        write_settings(folder, node, programs, etcd_client, made.ports[node], made.rests[node])
    if user := other_user():
        shutil.chown(folder, user[2])
    client, peer = f"http://127.0.0.1:{etcd_client}", f"http://127.0.0.1:{etcd_peer}"
    with (folder / "etcd.log").open("wb") as log:
        etcd = subprocess.Popen(
            [
                "etcd", "--name", "e", "--data-dir", str(folder / "etcd"), "--unsafe-no-fsync",
                "--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
                "--initial-advertise-peer-urls", peer, "--initial-cluster", f"e={peer}",
            ],
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield made
    finally:
        for node in list(made.running):
            made.kill(node)
        etcd.kill()
        etcd.wait()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.skipif(bool(MISSING), reason=f"not installed here: {', '.join(MISSING)}")
def test_a_primary_that_is_killed_under_load_gives_way_by_itself_and_nothing_receipted_is_lost(kit, cluster):
    cluster.start(0)
    until(cluster.answers, "the first server does not begin")
    cluster.start(1)
    until(cluster.has_standby, "no standby follows")
    cluster.begin()
    hub, plant = kit.hub(cluster.url), kit.plant()
    kit.enrol(plant, hub)
    exchange = kit.exchange(plant, kit.http(kit.serve(hub)))
    exchange.start()
    for _ in range(2):
        before = receipted(plant)
        plant.create(10)
        until(lambda n=before: receipted(plant) > n, "nothing is sent")
        killed = cluster.primary()
        assert killed is not None
        cluster.kill(killed)
        began = time.monotonic()
        promised = receipted(plant)
        plant.create(10)  # production goes on
        until(lambda n=killed: cluster.primary() not in (None, n), "nobody takes over")
        until(lambda n=promised: receipted(plant) >= n + 10, "the plant's line does not come back")
        print(f"written again {time.monotonic() - began:.1f} s after the primary was killed")
        assert hub.entries_of("ALD") >= promised
        cluster.start(killed)
        until(cluster.has_standby, "the one that was killed does not follow again")
    until(lambda: receipted(plant) == 40, "not all is sent")
    exchange.stop()
    hub.apply()
    assert hub.hash_of("ALD") == plant.hash_of("ALD")
    with read(hub.node.engine) as conn:
        assert verify(conn).findings == ()
    hub.node.engine.dispose()


def receipted(plant):
    with read(plant.node.engine) as conn:
        return sum(copy.seq for copy in list_holdings(conn, "HUB", ["ALD"]))


def until(condition, what):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.2)
