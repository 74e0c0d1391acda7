"""Install the programs of others that tests talk to (tests/peers), with the machine's npm or the virtual environment's.

npm checks every package against the integrity hash in the lock file and runs no script. Without Node their tests are
skipped, with the reason.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from tools.assets import find_npm

PEERS = Path(__file__).resolve().parent.parent / "tests" / "peers"


def main() -> None:
    """Install each peer as its lock file says."""
    try:
        npm = find_npm()
    except SystemExit as error:
        print(f"Tests against programs of others are skipped. {error}")
        return
    for lock in sorted(PEERS.glob("*/package-lock.json")):
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=lock.parent, check=True)
        (lock.parent / "node_modules" / ".ready").touch()


if __name__ == "__main__":
    main()
