"""The story itself, step by step; each step asks the running hosts, never the text of a file."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tools.rollout.machines import Failed, Machine
from tools.rollout.site import LINK_PORT, Played, Site
from tools.rollout.traffic import Booking, Door, Laboratory

BARE_TO_ENROLLED_MAX_S = 20 * 60
RESTORE_MAX_S = 30 * 60
LEVEL2_MAX_S = 60.0
SPOOLED = (
    "python3 -c \"import sqlite3; print(*sqlite3.connect('/var/lib/strandline/spool.sqlite')"
    ".execute('select count(*), count(distinct sequence || digest) from message').fetchone())\""
)


@dataclass
class Story:
    """A group from bare hosts on. bundles: old, new and bad by name."""

    site: Site
    bundles: Mapping[str, Path]
    telegrams: int = 0
    """Acknowledged so far at ALD."""

    def play(self) -> None:
        """All of it; Failed at the first thing that is not as it should be."""
        for step in (
            self.install,
            self.install_again,
            self.look_closely,
            self.upgrade_with_traffic,
            self.upgrade_to_a_bad_release,
            self.roll_back_by_hand,
            self.lose_a_plant,
            self.change_a_key,
        ):
            began = time.monotonic()
            said = step()
            print(f"{time.monotonic() - began:6.0f} s  {step.__name__.replace('_', ' ')}: {said}", flush=True)

    def install(self) -> str:
        """Bare hosts become a group."""
        began = time.monotonic()
        hub = self._play("install-hub", "old")
        plants = self._play("install-plant", "old")
        self._enrol()
        seconds = time.monotonic() - began
        _must(seconds < BARE_TO_ENROLLED_MAX_S, f"three bare hosts took {seconds:.0f} s")
        self._settled()
        return f"three bare hosts, hub {hub.seconds:.0f} s, two plants {plants.seconds:.0f} s, enrolled after {seconds:.0f} s"

    def install_again(self) -> str:
        """Nothing changes."""
        plays = [self._play("install-hub", "old"), self._play("install-plant", "old"), self._enrol()]
        changed = {name: count for played in plays for name, count in played.changed.items() if count}
        _must(not changed, f"the second run changed {changed}\n{plays[1].said[-3000:]}")
        return f"changed=0 on all, {sum(played.seconds for played in plays):.0f} s"

    def look_closely(self) -> str:
        """Services are what they promise to be."""
        ald = self.site.plants["ALD"]
        _must(not _open(ald, 8400), "the node's own port can be reached from outside")
        _must(_open(ald, 443) and _open(ald, LINK_PORT), "proxy or link cannot be reached")
        for unit in ("strandline-plant", "strandline-level2"):
            _must(ald.ssh(f"systemctl is-active {unit}").stdout.strip() == "active", f"{unit} is not active")
        inside = "runuser -u strandline -- touch /opt/strandline/current/x"
        _must(ald.ssh(inside, check=False).returncode != 0, "the node's user can change the program")
        before = _main_pid(ald, "strandline-level2")
        ald.ssh("systemctl restart strandline-plant")
        ald.ssh("systemctl kill --kill-whom=main --signal=KILL strandline-plant")
        self._ready(ald)
        _must(_main_pid(ald, "strandline-level2") == before, "a restart of the pages restarted Level 2")
        level = ald.ssh("systemd-analyze security strandline-plant --no-pager | tail -1").stdout.strip()
        ald.stop()
        ald.boot()
        self._ready(ald)
        return f"closed, least rights, back after a kill and a restart of the host; {level}"

    def upgrade_with_traffic(self) -> str:
        """Steel and telegrams go on through an upgrade of hub, canary and wave; nothing is lost or twice."""
        booking, laboratory = self._traffic()
        try:
            played = self._play("upgrade", "new")
        finally:
            booking.stop()
            laboratory.stop()
        for machine in self._hosts():
            _must(_release(machine) == "0.1.0-new", f"{machine.name} runs {_release(machine)}")
        self._all_there(booking, laboratory)
        _must(laboratory.longest_s < LEVEL2_MAX_S, f"a telegram waited {laboratory.longest_s:.0f} s")
        return (
            f"{played.seconds:.0f} s; {len(booking.booked)} pieces and {laboratory.sent} telegrams meanwhile, none lost or twice;"
            f" longest wait of a person {booking.longest_s:.0f} s, of a telegram {laboratory.longest_s:.1f} s"
        )

    def upgrade_to_a_bad_release(self) -> str:
        """The canary does not pass: it goes back by itself, and nobody after it was touched."""
        booking, laboratory = self._traffic(first=1_000)
        quick = {"strandline_gate_wait_s": 30}
        try:
            self._play("upgrade", "bad", "--limit", "canary,wave_1", fails=True, **quick)
            self._play("upgrade", "bad", "--limit", "hub", fails=True, **quick)
        finally:
            booking.stop()
            laboratory.stop()
        for machine in self._hosts():
            _must(_release(machine) == "0.1.0-new", f"{machine.name} runs {_release(machine)}")
            self._ready(machine)
        self._all_there(booking, laboratory)
        return "canary and hub went back by themselves, the wave was not touched, all that was booked is there"

    def roll_back_by_hand(self) -> str:
        """To the release before, over a schema that has grown, and forwards again."""
        cld = self.site.plants["CLD"]
        self.site.play("rollback", "--limit", cld.name, strandline_rollback_to="0.1.0-old")
        _must(_release(cld) == "0.1.0-old", "it did not go back")
        self._play("upgrade", "new", "--limit", cld.name)
        _must(_release(cld) == "0.1.0-new", "it did not go forwards again")
        return "back to the release before and forwards again"

    def lose_a_plant(self) -> str:
        """Backup, the host is gone with its disk, a bare one in its place, restore, converge."""
        ald = self.site.plants["ALD"]
        away = self.site.folder / "away"
        self.site.play("backup", backup_fetch_to=str(away))
        (tar,) = away.glob("ALD-*.tar")
        after = Booking(self._door("ALD"), "YA", "LATE-")
        after.book("LATE-1")
        self._settled()
        before = self._door("ALD").get("content-hash")["ALD"]
        ald.destroy()
        began = time.monotonic()
        ald.boot()
        self._play("install-plant", "new", "--limit", ald.name)
        key = self.site.folder / "keys" / "ALD.key"
        self.site.play("restore", "--limit", ald.name, restore_tar=str(tar), restore_key=str(key))
        self._settled()
        seconds = time.monotonic() - began
        _must(seconds < RESTORE_MAX_S, f"it took {seconds:.0f} s")
        _must(self._hub_door().get("content-hash")["ALD"] == before, "the rows are not what they were")
        _must(self._pieces("ALD", "LATE-") == {"LATE-1"}, "what came after the backup did not come back from the hub")
        return f"a bare host is the plant again after {seconds:.0f} s, with what came after the backup; same rows at both ends"

    def change_a_key(self) -> str:
        """A new key, enrolled again, and work goes on."""
        cld = self.site.plants["CLD"]
        self.site.play("rotate-keys", "--limit", f"{cld.name},hub", enrol_fingerprints_compared="trial")
        Booking(self._door("CLD"), "YC", "NEWKEY-").book("NEWKEY-1")
        self._settled()
        said = self.site.play("status").said
        _must("NOT READY" not in said, said)
        return "a plant with a new key goes on"

    def _play(self, book: str, bundle: str, *options: str, fails: bool = False, **given: object) -> Played:
        return self.site.play(book, *options, fails=fails, strandline_bundle=str(self.bundles[bundle]), **given)

    def _enrol(self) -> Played:
        return self.site.play("enrol-plant", enrol_fingerprints_compared="trial")

    def _hosts(self) -> list[Machine]:
        return [self.site.hub, *self.site.plants.values()]

    def _ready(self, machine: Machine) -> None:
        program = "import urllib.request as r; r.urlopen('http://127.0.0.1:8400/health/ready', timeout=20)"
        _until(
            lambda: machine.ssh(f'python3 -c "{program}"', check=False).returncode == 0, f"{machine.name} is not ready"
        )

    def _traffic(self, first: int = 0) -> tuple[Booking, Laboratory]:
        booking = Booking(self._door("ALD"), "YA", f"R{first}-")
        telegrams = self.site.folder / "models" / "ALD" / "telegrams"
        laboratory = Laboratory(self.site.plants["ALD"].address, LINK_PORT, telegrams, "LAB")
        booking.start()
        laboratory.start()
        return booking, laboratory

    def _all_there(self, booking: Booking, laboratory: Laboratory) -> None:
        _must(not booking.fault and not laboratory.fault, f"{booking.fault} {laboratory.fault}")
        self._settled()
        _must(self._pieces("ALD", booking.prefix) == set(booking.booked), "the hub holds other pieces than were booked")
        self.telegrams += laboratory.sent
        spooled, different = map(int, self.site.plants["ALD"].ssh(SPOOLED).stdout.split())
        _must(spooled == different, f"{spooled - different} telegrams are in the spool twice")
        _must(spooled == self.telegrams, f"{self.telegrams} telegrams were acknowledged, {spooled} are in the spool")

    def _pieces(self, plant: str, prefix: str) -> set[str]:
        hub, numbers, after = self._hub_door(), list[str](), ""
        while after is not None:
            page = hub.get(
                f"materials?author={plant}&q={prefix}&limit=100" + (f"&after={quote(after)}" if after else "")
            )
            numbers += [number for item in page["items"] for number in item["numbers"] if number.startswith(prefix)]
            after = page["next"]
        _must(len(numbers) == len(set(numbers)), f"pieces are there twice: {numbers}")
        return set(numbers)

    def _settled(self) -> None:
        """Hub and plants hold the same rows."""
        hub = self._hub_door()
        for code in self.site.plants:
            door = self._door(code)
            end = time.monotonic() + 300
            while True:
                here, there = door.get("status"), hub.get("status")
                same = there["applied_from"].get(code, 0) == here["recorded"]
                if same and hub.get("content-hash").get(code) == door.get("content-hash").get(code):
                    break
                _must(time.monotonic() < end, f"{code} and hub do not become equal: {here} {there}")
                time.sleep(1)

    def _hub_door(self) -> Door:
        return self._open_door(self.site.hub, "hub", "engineer")

    def _door(self, code: str) -> Door:
        return self._open_door(self.site.plants[code], "plant", "planner")

    def _open_door(self, machine: Machine, kind: str, role: str) -> Door:
        """A program's token, made once a host."""
        file = "/root/trial.token"
        add = (
            f'printf \'[[person]]\\nlogin = "trial"\\nname = "Trial"\\nroles = ["{role}"]\\ntoken = "trial"\\n\''
            f" > /var/tmp/trial.toml; strandline {kind} people-add --file /var/tmp/trial.toml"
        )
        again = f"strandline {kind} token-add --login trial --title trial 2>/dev/null"
        make = f"test -s {file} || {{ {again} || {{ {add}; }}; }} | awk '{{print $NF}}' > {file}; cat {file}"
        return Door(machine.address, machine.ssh(make).stdout.strip(), self.site.folder / "ca.pem")


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Failed(otherwise)


def _until(holds: Callable[[], bool], otherwise: str, patience_s: float = 120) -> None:
    end = time.monotonic() + patience_s
    while not holds():
        _must(time.monotonic() < end, otherwise)
        time.sleep(1)


def _open(machine: Machine, port: int) -> bool:
    try:
        with socket.create_connection((machine.address, port), 5):
            return True
    except OSError:
        return False


def _main_pid(machine: Machine, unit: str) -> str:
    return machine.ssh(f"systemctl show --property=MainPID --value {unit}").stdout.strip()


def _release(machine: Machine) -> str:
    return Path(machine.ssh("readlink /opt/strandline/current").stdout.strip()).name
