"""The releases of a trial: this tree's last commit, the one before, and one that cannot start."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

from tools.bundle import make_bundle
from tools.rollout.machines import Failed

ROOT = Path(__file__).resolve().parents[2]
ASSETS = Path("shared/web/static/vendor")
BROKEN = '\nraise RuntimeError("this release cannot serve")\n'


def tree_of(commit: str, into: Path) -> Path:
    """A commit's files, with the web assets that `make assets` brought here."""
    taken = subprocess.run(["git", "archive", "--format=tar", commit], cwd=ROOT, capture_output=True, check=False)
    if taken.returncode:
        raise Failed(f"{commit} is not in this clone's history: {taken.stderr.decode()[:200]}")
    with tarfile.open(fileobj=io.BytesIO(taken.stdout)) as archive:
        archive.extractall(into, filter="data")
    if (ROOT / ASSETS).is_dir():
        shutil.copytree(ROOT / ASSETS, into / ASSETS, dirs_exist_ok=True)
    return into


def bundle_of(commit: str, name: str, folder: Path, cache: Path, *, broken: bool = False) -> Path:
    """The bundle of a commit under a name of its own; broken: its processes end as soon as they begin to serve."""
    wanted = folder / f"strandline-{name}.tar"
    if wanted.exists():
        return wanted
    source = tree_of(commit, folder / f"source-{name}")
    if broken:
        for module in ("local_mes/wsgi.py", "central_hub/wsgi.py"):
            with (source / module).open("a") as file:
                file.write(BROKEN)
    made = make_bundle(source, folder, cache, release=name)
    shutil.rmtree(source)
    return made
