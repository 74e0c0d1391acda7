"""Hosts to roll out to: a Debian tree made once, booted with real systemd and sshd in systemd-nspawn, a bridge between.

A host's disk is an overlay on the tree, so a bare host is there in a moment and a destroyed one leaves nothing.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PACKAGES = (
    "systemd,systemd-sysv,dbus,openssh-server,python3,python3-venv,python3-apt,iproute2,nftables,nginx-light,sudo,openssl,"
    "ca-certificates,procps,prometheus-node-exporter,prometheus,postgresql,postgresql-client,mosquitto,mosquitto-clients,"
    "wireguard-tools,wireguard-go"
)
"""A host's base system and what roles ask apt for: a site has a mirror, these hosts have nothing but the tree."""
OFF = ("nginx", "nftables", "mosquitto", "prometheus-node-exporter", "prometheus", "postgresql")
BRIDGE, NET = "strandline0", "10.77.0"
UP_S = 60.0


class Failed(SystemExit):
    """A step of the rollout did not do what it should."""


def need_root_and_tools() -> str:
    """'' where hosts can be made here, else what is missing, in words."""
    if subprocess.run(["id", "-u"], capture_output=True, text=True, check=True).stdout.strip() != "0":
        return "only root can boot hosts"
    missing = [tool for tool in ("debootstrap", "systemd-nspawn", "ssh", "ip") if shutil.which(tool) is None]
    return (
        f"not installed: {', '.join(missing)} (apt-get install debootstrap systemd-container openssh-client)"
        if missing
        else ""
    )


APT = Path("/etc/apt")


def own_mirror(apt: Path = APT) -> str:
    """The Debian mirror that this machine's apt names first; "" where it names none."""
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    text = "\n".join(file.read_text() for file in files if file.is_file())
    found = re.search(r"^(?:URIs:|deb(?:\s+\[[^\]]*\])?)\s+(https?://\S+)", text, re.MULTILINE)
    return found.group(1) if found else ""


def make_tree(tree: Path, mirror: str) -> None:
    """The Debian tree that all hosts stand on; made once and kept, until it takes other packages."""
    ready = tree / ".ready"
    if not ready.exists() or ready.read_text() != PACKAGES:
        shutil.rmtree(tree, ignore_errors=True)
        run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(tree), mirror)
    (tree / "etc/systemd/network").mkdir(parents=True, exist_ok=True)
    for unit in ("systemd-networkd.service", "ssh.service"):
        run("systemctl", f"--root={tree}", "enable", "--quiet", unit)
    # services of packages that no role has set up yet are off, as on a bare host
    for unit in OFF:
        subprocess.run(["systemctl", f"--root={tree}", "disable", "--quiet", unit], check=False, capture_output=True)
    ready.write_text(PACKAGES)


@dataclass
class Machine:
    """One host: its name, its address, and where its disk lies."""

    name: str
    number: int
    folder: Path
    tree: Path
    key: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def address(self) -> str:
        """In the bridge's network."""
        return f"{NET}.{self.number}"

    @property
    def root(self) -> Path:
        """The host's file system as it is seen here."""
        return self.folder / self.name / "root"

    def boot(self) -> None:
        """A bare host, or one that was stopped, with sshd answering."""
        if not self.root.is_mount():
            self._mount()
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    "systemd-nspawn", "--quiet", f"--directory={self.root}", f"--machine={self.name}", "--register=no",
                    "--keep-unit", f"--network-bridge={BRIDGE}", "--resolv-conf=off", "--timezone=off", "--boot",
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        end = time.monotonic() + UP_S
        while self.ssh("true", check=False).returncode:
            if time.monotonic() > end:
                raise Failed(f"{self.name} does not answer by ssh; see {log.name}")
            time.sleep(0.3)

    def stop(self) -> None:
        """An orderly end, as from a power button."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            self._cut()
        self.process = None

    def destroy(self) -> None:
        """The host and its disk are gone."""
        self._cut()
        for _ in range(20):
            if not self.root.is_mount():
                break
            subprocess.run(["umount", "--recursive", str(self.root)], check=False, capture_output=True)
            time.sleep(0.2)
        shutil.rmtree(self.folder / self.name)

    def _cut(self) -> None:
        """The power goes: the host's first process is killed, and everything in it with that."""
        if self.process is None:
            return
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for child in children.read_text().split() if children.exists() else ():
            os.kill(int(child), signal.SIGKILL)
        self.process.wait(30)
        self.process = None

    def ssh(self, command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command on the host as root."""
        done = subprocess.run(
            ["ssh", "-i", str(self.key), *SSH_OPTIONS, f"root@{self.address}", command],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if check and done.returncode:
            raise Failed(f"{self.name}: {command}: {done.stdout[-1500:]}{done.stderr[-1500:]}")
        return done

    def keep_journal(self) -> None:
        """What its services said, beside the logs of the run: for whoever asks why a step failed."""
        said = subprocess.run(
            ["journalctl", f"--directory={self.root}/var/log/journal", "--no-pager", "--lines=2000"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        (self.folder / f"{self.name}.journal").write_text(said.stdout + said.stderr)

    def _mount(self) -> None:
        upper, work = (self.folder / self.name / part for part in ("upper", "work"))
        for place in (upper, work, self.root):
            place.mkdir(parents=True)
        options = f"lowerdir={self.tree},upperdir={upper},workdir={work}"
        run("mount", "-t", "overlay", "overlay", "-o", options, str(self.root))
        network = f"[Match]\nName=host0\n[Network]\nAddress={self.address}/24\nLinkLocalAddressing=no\n"
        (self.root / "etc/systemd/network/10-host0.network").write_text(network)
        (self.root / "etc/hostname").write_text(self.name + "\n")
        (self.root / "etc/machine-id").write_text("")
        (self.root / "var/log/journal").mkdir(parents=True, exist_ok=True)  # kept on the disk, to be read from here
        authorised = self.root / "root/.ssh"
        authorised.mkdir(mode=0o700, exist_ok=True)
        (authorised / "authorized_keys").write_text(self.key.with_suffix(".pub").read_text())


SSH_OPTIONS = (
    "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=3",
)  # fmt: skip


@contextlib.contextmanager
def bridge() -> Iterator[None]:
    """The network of the hosts; this machine is .1 in it."""
    subprocess.run(["ip", "link", "delete", BRIDGE], check=False, capture_output=True)
    run("ip", "link", "add", BRIDGE, "type", "bridge")
    run("ip", "address", "add", f"{NET}.1/24", "dev", BRIDGE)
    run("ip", "link", "set", BRIDGE, "up")
    try:
        yield
    finally:
        subprocess.run(["ip", "link", "delete", BRIDGE], check=False, capture_output=True)


def run(*command: str, cwd: Path | None = None) -> str:
    """A command of this machine; Failed with what it said."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)
    if done.returncode:
        raise Failed(f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout
