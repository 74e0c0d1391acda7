"""`make bundle`: everything that a site needs, in one tar: wheels with hashes, playbooks, what is in it, and its sums.

    strandline-<release>/
      VERSION              the release's name: version and commit
      SHA256SUMS           of every other file
      sbom.cdx.json        CycloneDX: every part with version, licence and hash
      requirements.txt     exact versions with hashes; names no registry
      wheels/              of each requirement, and our own with the web assets
      ansible/ docs/       how to bring it to hosts

A site installs it with `pip install --no-index --find-links wheels --require-hashes -r requirements.txt`.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tools import requirements
from tools.sbom import make_sbom

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = ("mqtt", "modbus", "s7")
"""What a site may need beside the ground: the drivers of Level 2."""
FOLDERS = ("ansible", "docs")
EPOCH_S = 1_000_000_000
"""Every file's time in the tar, so that the same parts make the same bytes."""


def make_bundle(source: Path, into: Path, cache: Path | None = None, release: str = "") -> Path:
    """Build from a source tree; cache: a folder where the requirements' wheels are kept between bundles."""
    release = release or name_release(source)
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bundle-") as place:
        top = Path(place) / f"strandline-{release}"
        top.mkdir()
        _fill(source, top, cache, release)
        (top / "VERSION").write_text(release + "\n")
        _sum(top)
        return _pack(top, into / f"{top.name}.tar")


def name_release(source: Path) -> str:
    """Version of the project, and the commit where the tree is of a repository."""
    version = requirements.read_project(source)["version"]
    asked = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )
    inside = (source / ".git").exists() and not asked.returncode
    return f"{version}-{asked.stdout.strip()}" if inside else version


def _fill(source: Path, top: Path, cache: Path | None, release: str) -> None:
    pins = requirements.site_pins(source, EXTRAS)
    listed = top / "requirements.txt"
    listed.write_text("".join(pin.text for pin in pins))
    house = top / "wheels"
    house.mkdir()
    _collect(listed, house, cache)
    own = _build(source, house)
    with listed.open("a") as file:
        file.write(f"strandline=={own.name.split('-')[1]} \\\n    --hash=sha256:{_sha256(own)}\n")
    (top / "sbom.cdx.json").write_text(make_sbom(house, source / "package-lock.json", release))
    for name in FOLDERS:
        if (source / name).is_dir():
            shutil.copytree(
                source / name, top / name, ignore=shutil.ignore_patterns("__pycache__", "images", "*.retry")
            )


def _collect(listed: Path, house: Path, cache: Path | None) -> None:
    """Every pinned wheel, its hash checked by pip: from the cache where it has them all, else from the registry."""
    fetch = ("download", "--only-binary=:all:", "--no-deps", "--require-hashes", f"--dest={house}", "-r", str(listed))
    if cache is not None and cache.is_dir() and _pip(*fetch, "--no-index", f"--find-links={cache}", quiet=True):
        return
    if not _pip(*fetch):
        raise SystemExit("The registry did not give every wheel; what pip said stands above.")
    if cache is not None:
        shutil.copytree(house, cache, dirs_exist_ok=True)


def _build(source: Path, house: Path) -> Path:
    if not _pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", f"--wheel-dir={house}", str(source)):
        raise SystemExit("Our own wheel cannot be built; what pip said stands above.")
    (own,) = house.glob("strandline-*.whl")
    return own


def _sum(top: Path) -> None:
    lines = [f"{_sha256(file)}  {file.relative_to(top)}\n" for file in _files(top)]
    (top / "SHA256SUMS").write_text("".join(lines))


def _pack(top: Path, target: Path) -> Path:
    with tarfile.open(target, "w") as tar:
        for file in _files(top):
            content = file.read_bytes()
            member = tarfile.TarInfo(f"{top.name}/{file.relative_to(top)}")
            member.size, member.mtime, member.mode = len(content), EPOCH_S, 0o644
            tar.addfile(member, io.BytesIO(content))
    return target


def _files(top: Path) -> Iterator[Path]:
    return (file for file in sorted(top.rglob("*")) if file.is_file())


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _pip(*arguments: str, quiet: bool = False) -> bool:
    """Whether pip did it. quiet: what it says does not matter, there is another way."""
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, check=False, stderr=subprocess.DEVNULL if quiet else None).returncode == 0


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=Path, default=ROOT, help="the tree to build from")
    parser.add_argument("--into", type=Path, default=ROOT / "dist", help="where the tar is put")
    parser.add_argument("--cache", type=Path, help="a folder where wheels are kept between bundles")
    given = parser.parse_args()
    made = make_bundle(given.source.resolve(), given.into.resolve(), given.cache)
    print(f"{made} ({made.stat().st_size / 1e6:.0f} MB) sha256 {_sha256(made)}")


if __name__ == "__main__":
    main()
