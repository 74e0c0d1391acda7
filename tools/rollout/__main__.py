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

from tools.rollout.machines import Failed, Machine, bridge, make_tree, need_root_and_tools, run
from tools.rollout.releases import bundle_of
from tools.rollout.site import Site
from tools.rollout.story import Story

ROOT = Path(__file__).resolve().parents[2]
PREVIOUS = "58b83ef43a6fd5d67ef8999be33c72801a060f27"
"""The release that is upgraded from: the oldest commit whose commands the playbooks use."""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--tree", type=Path, default=Path("/var/cache/strandline-rollout/bookworm"), help="kept between runs"
    )
    parser.add_argument("--mirror", default="http://deb.debian.org/debian", help="where Debian comes from")
    parser.add_argument(
        "--ansible", type=Path, default=ROOT / ".venv-rollout" / "bin", help="folder of ansible-playbook"
    )
    parser.add_argument(
        "--cache", type=Path, default=Path("/var/cache/strandline-rollout/wheels"), help="wheels between runs"
    )
    parser.add_argument("--bundles", type=Path, help="a folder of the three bundles; what is there is not made again")
    parser.add_argument("--previous", default=PREVIOUS)
    parser.add_argument("--keep", action="store_true", help="leave the folder of the run, with its logs")
    given = parser.parse_args()
    missing = need_root_and_tools()
    if not missing and not (given.ansible / "ansible-playbook").exists():
        missing = f"no ansible-playbook in {given.ansible} (make .venv-rollout/.ready)"
    if missing:
        print(f"The rollout was not tried: {missing}.")
        return
    began = time.monotonic()
    make_tree(given.tree, given.mirror)
    folder = Path(tempfile.mkdtemp(prefix="rollout-", dir="/var/tmp"))
    print(f"Folder {folder}", flush=True)
    try:
        with _hosts(folder, given.tree) as (hub, ald, cld):
            site = Site(folder, given.ansible, hub, {"CLD": cld, "ALD": ald}, folder / "id")
            site.prepare()
            kept = given.bundles or folder / "bundles"
            bundles = {
                "old": bundle_of(given.previous, "0.1.0-old", kept, given.cache),
                "new": bundle_of("HEAD", "0.1.0-new", kept, given.cache),
                "bad": bundle_of("HEAD", "0.1.0-bad", kept, given.cache, broken=True),
            }
            Story(site, bundles).play()
    except Failed as error:
        print(f"FAILED after {time.monotonic() - began:.0f} s: {error}\nLogs: {folder}", file=sys.stderr)
        raise SystemExit(1) from error
    print(f"The rollout holds, {time.monotonic() - began:.0f} s in all.")
    if not given.keep:
        shutil.rmtree(folder)


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
        finally:
            for machine in made:
                with contextlib.suppress(OSError):
                    machine.destroy()


if __name__ == "__main__":
    main()
