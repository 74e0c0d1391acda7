"""Plays the life of a small group on real hosts: install, install again, enrol, make steel, upgrade, a bad release, restore."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tools.rollout.machines import Failed, Machine, bridge, make_tree, need_root_and_tools, own_mirror, run
from tools.rollout.playing import play
from tools.rollout.releases import bundle_of
from tools.rollout.site import Site
from tools.rollout.story import Story

ROOT = Path(__file__).resolve().parents[2]
PREVIOUS = "58b83ef43a6fd5d67ef8999be33c72801a060f27"
"""The release that is upgraded from: the oldest commit whose commands the playbooks use."""


def main() -> None:
    """The command line."""
    given = _arguments()
    missing = need_root_and_tools()
    if not missing and not (given.ansible / "ansible-playbook").exists():
        missing = f"no ansible-playbook in {given.ansible} (make .venv-rollout/.ready)"
    if not missing and not given.mirror:
        missing = "this machine's apt names no Debian mirror (--mirror)"
    if missing:
        print(f"The rollout was not tried: {missing}.")
        return
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="rollout-", dir="/var/tmp"))
    print(f"Folder {folder}", flush=True)
    try:
        _play(given, folder)
    except Failed as error:
        print(f"FAILED after {time.monotonic() - began:.0f} s: {error}\nLogs: {folder}", file=sys.stderr)
        raise SystemExit(1) from error
    print(f"The rollout holds, {time.monotonic() - began:.0f} s in all.")
    if not given.keep:
        shutil.rmtree(folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    cache = Path("/var/cache/strandline-rollout")
    programs = ROOT / ".venv-rollout" / "bin"
    parser.add_argument("--tree", type=Path, default=cache / "bookworm", help="kept between runs")
    parser.add_argument("--mirror", default=own_mirror(), help="where Debian comes from; by default as this machine")
    parser.add_argument("--ansible", type=Path, default=programs, help="folder of ansible-playbook")
    parser.add_argument("--cache", type=Path, default=cache / "wheels", help="wheels between runs")
    parser.add_argument("--bundles", type=Path, help="a folder of the three bundles; what is there is not made again")
    parser.add_argument("--previous", default=PREVIOUS)
    parser.add_argument("--keep", action="store_true", help="leave the folder of the run, with its logs")
    return parser.parse_args()


def _play(given: argparse.Namespace, folder: Path) -> None:
    make_tree(given.tree, given.mirror)
    with _hosts(folder, given.tree) as (hub, ald, cld):
        site = Site(folder, given.ansible, hub, {"CLD": cld, "ALD": ald}, folder / "id")
        site.prepare()
        kept = given.bundles or folder / "bundles"
        bundles = {
            "old": bundle_of(given.previous, "0.1.0-old", kept, given.cache),
            "new": bundle_of("HEAD", "0.1.0-new", kept, given.cache),
            "bad": bundle_of("HEAD", "0.1.0-bad", kept, given.cache, broken=True),
        }
        play(Story(site, bundles))


@contextlib.contextmanager
def _hosts(folder: Path, tree: Path) -> Iterator[list[Machine]]:
    key = folder / "id"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    made = [Machine(name, number, folder, tree, key) for name, number in (("group", 11), ("ald", 12), ("cld", 13))]
    with bridge():
        try:
            for machine in made:
                machine.boot()
            yield made
        except Failed:
            for machine in made:
                machine.keep_journal()
            raise
        finally:
            for machine in made:
                with contextlib.suppress(OSError):
                    machine.destroy()


if __name__ == "__main__":
    main()
