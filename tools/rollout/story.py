"""The story itself, step by step; each step asks the running hosts, never the text of a file."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tools.rollout.asking import is_open, main_pid, must, release_of, until
from tools.rollout.machines import Machine
from tools.rollout.site import LINK_PORT, Played, Site
from tools.rollout.traffic import Booking, Door, Laboratory

BARE_TO_ENROLLED_MAX_S = 20 * 60
RESTORE_MAX_S = 30 * 60
LEVEL2_MAX_S = 60.0
SPOOLED = (
    "python3 -c \"import sqlite3; print(*sqlite3.connect('/var/lib/strandline/spool.sqlite')"
    ".execute('select count(*), count(distinct sequence || digest) from message').fetchone())\""
)
WATCHED = (
    "python3 -c \"import json, urllib.request as r; said = json.load(r.urlopen('http://127.0.0.1:9090/api/v1/query?query=up'));"
    " print(*(one['value'][1] for one in said['data']['result'] if one['metric'].get('node') == 'HUB'))\""
)


@dataclass
class Story:
    """A group from bare hosts on. bundles: old, new and bad by name."""

    site: Site
    bundles: Mapping[str, Path]
    telegrams: int = 0
    """Acknowledged so far at ALD."""

    def install(self) -> str:
        """Bare hosts become a group."""
        began = time.monotonic()
        hub = self.play_book("install-hub", "old")
        plants = self.play_book("install-plant", "old")
        self._enrol()
        seconds = time.monotonic() - began
        must(seconds < BARE_TO_ENROLLED_MAX_S, f"three bare hosts took {seconds:.0f} s")
        self.settled()
        return f"three bare hosts, hub {hub.seconds:.0f} s, two plants {plants.seconds:.0f} s, enrolled after {seconds:.0f} s"

    def install_again(self) -> str:
        """Nothing changes."""
        plays = [self.play_book("install-hub", "old"), self.play_book("install-plant", "old"), self._enrol()]
        changed = {name: count for played in plays for name, count in played.changed.items() if count}
        must(not changed, f"the second run changed {changed}\n{plays[1].said[-3000:]}")
        return f"changed=0 on all, {sum(played.seconds for played in plays):.0f} s"

    def look_closely(self) -> str:
        """Services are what they promise to be."""
        ald = self.site.plants["ALD"]
        must(not is_open(ald, 8400), "the node's own port can be reached from outside")
        must(is_open(ald, 443) and is_open(ald, LINK_PORT), "proxy or link cannot be reached")
        for unit in ("strandline-plant", "strandline-level2"):
            must(ald.ssh(f"systemctl is-active {unit}").stdout.strip() == "active", f"{unit} is not active")
        inside = "runuser -u strandline -- touch /opt/strandline/current/x"
        must(ald.ssh(inside, check=False).returncode != 0, "the node's user can change the program")
        before = main_pid(ald, "strandline-level2")
        ald.ssh("systemctl restart strandline-plant")
        ald.ssh("systemctl kill --kill-whom=main --signal=KILL strandline-plant")
        self._ready(ald)
        must(main_pid(ald, "strandline-level2") == before, "a restart of the pages restarted Level 2")
        level = ald.ssh("systemd-analyze security strandline-plant --no-pager | tail -1").stdout.strip()
        ald.stop()
        ald.boot()
        self._ready(ald)
        return f"closed, least rights, back after a kill and a restart of the host; {level}"

    def upgrade_with_traffic(self) -> str:
        """Steel and telegrams go on through an upgrade of hub, canary and wave; nothing is lost or twice."""
        booking, laboratory = self._traffic()
        try:
            played = self.play_book("upgrade", "new")
        finally:
            booking.stop()
            laboratory.stop()
        for machine in self._hosts():
            must(release_of(machine) == "0.1.0-new", f"{machine.name} runs {release_of(machine)}")
        self._all_there(booking, laboratory)
        must(laboratory.longest_s < LEVEL2_MAX_S, f"a telegram waited {laboratory.longest_s:.0f} s")
        return (
            f"{played.seconds:.0f} s; {len(booking.booked)} pieces and {laboratory.sent} telegrams meanwhile, none lost or twice;"
            f" longest wait of a person {booking.longest_s:.0f} s, of a telegram {laboratory.longest_s:.1f} s"
        )

    def upgrade_to_a_bad_release(self) -> str:
        """The canary does not pass: it goes back by itself, and nobody after it was touched."""
        booking, laboratory = self._traffic(first=1_000)
        quick = {"strandline_gate_wait_s": 30}
        try:
            self.play_book("upgrade", "bad", "--limit", "canary,wave_1", fails=True, **quick)
            self.play_book("upgrade", "bad", "--limit", "hub", fails=True, **quick)
        finally:
            booking.stop()
            laboratory.stop()
        for machine in self._hosts():
            must(release_of(machine) == "0.1.0-new", f"{machine.name} runs {release_of(machine)}")
            self._ready(machine)
        self._all_there(booking, laboratory)
        return "canary and hub went back by themselves, the wave was not touched, all that was booked is there"

    def roll_back_by_hand(self) -> str:
        """To the release before, over a schema that has grown, and forwards again."""
        cld = self.site.plants["CLD"]
        self.site.play("rollback", "--limit", cld.name, strandline_rollback_to="0.1.0-old")
        must(release_of(cld) == "0.1.0-old", "it did not go back")
        self.play_book("upgrade", "new", "--limit", cld.name)
        must(release_of(cld) == "0.1.0-new", "it did not go forwards again")
        return "back to the release before and forwards again"

    def widen(self) -> str:
        """The hub as two workers and watched by Prometheus, a broker at a plant: settings alone, played again."""
        hub, ald = self.site.hub, self.site.plants["ALD"]
        self.site.more["HUB"] = {"strandline_hub_workers": 2, "strandline_prometheus": True}
        self.site.more["ALD"] = {
            "strandline_broker": True,
            "strandline_broker_users": [{"login": "gauge", "password": "trial"}],
        }
        self.site.write_inventory()
        self.play_book("install-hub", "new")
        self.play_book("install-plant", "new", "--limit", ald.name)
        hub.ssh("systemctl is-active strandline-hub@0 strandline-hub@1")
        hub.ssh("systemctl stop strandline-hub@0")
        until(lambda: bool(self.pieces("ALD", "R0-")), "nobody answers when one worker is away")
        hub.ssh("systemctl start strandline-hub@0")
        until(lambda: hub.ssh(WATCHED).stdout.split() == ["1", "1"], "Prometheus does not see both workers")
        say = f"mosquitto_pub -h {ald.address} -p 8883 --cafile /etc/strandline/authority.pem -t a -m b"
        must(ald.ssh(say, check=False).returncode != 0, "the broker takes what nobody signed in for")
        ald.ssh(f"{say} -u gauge -P trial")
        return "two workers, one of them enough; watched; a broker that asks who speaks"

    def lose_a_plant(self) -> str:
        """Backup, the host is gone with its disk, a bare one in its place, restore, converge."""
        ald = self.site.plants["ALD"]
        away = self.site.folder / "away"
        self.site.play("backup", backup_fetch_to=str(away))
        (tar,) = away.glob("ALD-*.tar")
        after = Booking(self.door("ALD"), "YA", "LATE-")
        after.book("LATE-1")
        self.settled()
        before = self.door("ALD").get("content-hash")["ALD"]
        ald.destroy()
        began = time.monotonic()
        ald.boot()
        self.play_book("install-plant", "new", "--limit", ald.name)
        key = self.site.folder / "keys" / "ALD.key"
        self.site.play("restore", "--limit", ald.name, restore_tar=str(tar), restore_key=str(key))
        self.settled()
        seconds = time.monotonic() - began
        must(seconds < RESTORE_MAX_S, f"it took {seconds:.0f} s")
        must(self.hub_door().get("content-hash")["ALD"] == before, "the rows are not what they were")
        must(self.pieces("ALD", "LATE-") == {"LATE-1"}, "what came after the backup did not come back from the hub")
        return f"a bare host is the plant again after {seconds:.0f} s, with what came after the backup; same rows at both ends"

    def change_a_key(self) -> str:
        """A new key, enrolled again, and work goes on."""
        cld = self.site.plants["CLD"]
        self.site.play("rotate-keys", "--limit", f"{cld.name},hub", enrol_fingerprints_compared="trial")
        Booking(self.door("CLD"), "YC", "NEWKEY-").book("NEWKEY-1")
        self.settled()
        said = self.site.play("status").said
        must("NOT READY" not in said, said)
        return "a plant with a new key goes on"

    def drill(self) -> str:
        """The monthly drill: a plant's and the hub's newest backups meet on another host, and nothing of them stays there."""
        ald, cld = self.site.plants["ALD"], self.site.plants["CLD"]
        said = self.site.play("drill", drill_node=ald.name, drill_spare=cld.name)
        must("PASSED" in said.said, said.said[-2000:])
        left = cld.ssh("ls /var/backups/strandline; runuser -u postgres -- psql -tAc 'SELECT datname FROM pg_database'")
        must(
            "ALD" not in left.stdout and "drill" not in left.stdout, f"of the drill stayed on the spare: {left.stdout}"
        )
        return f"ALD and hub as of their backups became the same on another host, {said.seconds:.0f} s"

    def take_a_plant_out(self) -> str:
        """A plant leaves: not by mistake, with a last backup, and nothing of it stays on its host or comes in at the hub."""
        cld, away = self.site.plants["CLD"], self.site.folder / "last"
        limit = ("--limit", f"{cld.name},hub")
        self.site.play("decommission", *limit, fails=True, decommission_sure="ALD", backup_fetch_to=str(away))
        self._ready(cld)
        self.site.play("decommission", *limit, decommission_sure="CLD", backup_fetch_to=str(away))
        must(bool(list(away.glob("CLD-*.tar"))), "its last backup did not come away")
        must(not is_open(cld, 443) and not is_open(cld, LINK_PORT), "somebody answers at its address still")
        left = cld.ssh(
            "ls -d /var/lib/strandline /etc/strandline /opt/strandline /var/backups/strandline", check=False
        ).stdout
        must(not left.strip(), f"on its host stays {left}")
        self._ready(self.site.hub)
        return "refused under another name, then gone with a last backup brought away"

    def play_book(self, book: str, bundle: str, *options: str, fails: bool = False, **given: object) -> Played:
        return self.site.play(book, *options, fails=fails, strandline_bundle=str(self.bundles[bundle]), **given)

    def _enrol(self) -> Played:
        return self.site.play("enrol-plant", enrol_fingerprints_compared="trial")

    def _hosts(self) -> list[Machine]:
        return [self.site.hub, *self.site.plants.values()]

    def _ready(self, machine: Machine) -> None:
        program = "import urllib.request as r; r.urlopen('http://127.0.0.1:8400/health/ready', timeout=20)"
        until(
            lambda: machine.ssh(f'python3 -c "{program}"', check=False).returncode == 0, f"{machine.name} is not ready"
        )

    def _traffic(self, first: int = 0) -> tuple[Booking, Laboratory]:
        booking = Booking(self.door("ALD"), "YA", f"R{first}-")
        telegrams = self.site.folder / "models" / "ALD" / "telegrams"
        laboratory = Laboratory(self.site.plants["ALD"].address, LINK_PORT, telegrams, "LAB")
        booking.start()
        laboratory.start()
        return booking, laboratory

    def _all_there(self, booking: Booking, laboratory: Laboratory) -> None:
        must(not booking.fault and not laboratory.fault, f"{booking.fault} {laboratory.fault}")
        self.settled()
        must(self.pieces("ALD", booking.prefix) == set(booking.booked), "the hub holds other pieces than were booked")
        self.telegrams += laboratory.sent
        spooled, different = map(int, self.site.plants["ALD"].ssh(SPOOLED).stdout.split())
        must(spooled == different, f"{spooled - different} telegrams are in the spool twice")
        must(spooled == self.telegrams, f"{self.telegrams} telegrams were acknowledged, {spooled} are in the spool")

    def pieces(self, plant: str, prefix: str) -> set[str]:
        hub, numbers, after = self.hub_door(), list[str](), ""
        while after is not None:
            page = hub.get(
                f"materials?author={plant}&q={prefix}&limit=100" + (f"&after={quote(after)}" if after else "")
            )
            numbers += [number for item in page["items"] for number in item["numbers"] if number.startswith(prefix)]
            after = page["next"]
        must(len(numbers) == len(set(numbers)), f"pieces are there twice: {numbers}")
        return set(numbers)

    def settled(self) -> None:
        """Hub and plants hold the same rows."""
        hub = self.hub_door()
        for code in self.site.plants:
            door = self.door(code)
            end = time.monotonic() + 300
            while True:
                here, there = door.get("status"), hub.get("status")
                same = there["applied_from"].get(code, 0) == here["recorded"]
                if same and hub.get("content-hash").get(code) == door.get("content-hash").get(code):
                    break
                must(time.monotonic() < end, f"{code} and hub do not become equal: {here} {there}")
                time.sleep(1)

    def hub_door(self) -> Door:
        return self._open_door(self.site.hub, "hub", "engineer")

    def door(self, code: str) -> Door:
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
