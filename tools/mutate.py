"""python -m tools.mutate: how many small faults in journal, sync and the shared projections do their tests notice?

Works on a copy of the tree. One run of all the tests under coverage tells which tests come past which line; then each
drawn fault (a mutant) is written into its module and only those tests run, until one fails. mutmut was tried first: it
copies function by function, so it does not reach classes, tables and registrations, must run the whole suite before it
begins, and cannot draw a sample; a full run here would take days. SURVIVED lines name where a test is missing; which
changes count as no fault is said in tools/faults.py.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import pytest

from tools.faults import faults

ROOT = Path(__file__).parents[1]
COPIED = ("shared", "sync", "local_mes", "central_hub", "campaign", "demo", "tools", "tests", "pyproject.toml")
SOURCES = ("shared/journal/*.py", "sync/**/*.py", "shared/*/projection.py", "shared/*/*rows.py")
TESTS = {
    "journal": ("tests/shared/journal", "tests/shared/db", "tests/sync"),
    "sync": (
        "tests/sync",
        "tests/shared/db",
        "tests/central_hub/plants",
        "tests/central_hub/portal",
        "tests/local_mes/console",
        "tests/sim/test_cases_content.py",
        "tests/sim/test_cases_network.py",
        "tests/sim/test_cases_restore.py",
    ),
    "material": ("tests/shared/material", "tests/local_mes/production"),
    "orders": ("tests/shared/orders", "tests/local_mes/orders"),
    "performance": ("tests/shared/performance", "tests/local_mes/performance"),
    "quality": ("tests/shared/quality", "tests/local_mes/quality"),
    "standards": ("tests/shared/standards", "tests/local_mes/standards", "tests/central_hub/standards"),
    "transfers": ("tests/shared/transfers", "tests/local_mes/transfers", "tests/central_hub/transfers"),
}
PLUGIN, SEEN, FAILED = "tools.context_of_tests", "seen.json", "failed_tests.txt"
LEFT_OUT = "not kill and not postgres and not slow"
"""Processes of their own are not seen by the coverage, and a mutant is to cost seconds."""
AT_MOST_TESTS = 40
FILES_THAT_NAME = 6
SCHEMA = "tests/shared/db/test_migrations.py"
"""Compares the tables in the code with the schema: decides about what only runs at import, declarations of tables."""
LIBRARIES = (
    "alembic.autogenerate",
    "alembic.command",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
    "flask_openapi",
    "flask_login",
    "flask_wtf",
    "hypothesis",
    "msgspec",
    "pydantic",
    "requests",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite",
    "structlog",
    "werkzeug.serving",
    "zstandard",
)
"""Loaded once, before the forks: half the time of a mutant."""
WHOLE = 0
"""Stands for all lines of a module: lines that run at its import belong to no test."""
EVERYWHERE = ("", WHOLE)
"""Modules of nothing but declarations: the tests that come past most decide."""
COVERAGE = "[run]\nconcurrency = thread\nsource = shared,sync\n"


def main() -> int:
    """Exit 0 when the score reaches --least, 1 when not, 2 when the tests fail without any fault."""
    args = _arguments()
    for library in LIBRARIES:
        import_module(library)
    with tempfile.TemporaryDirectory(prefix="strandline-mutate-") as folder:
        tree = Path(folder)
        _copy(tree)
        chosen = args.room or sorted(TESTS)
        paths = [p for p in sorted({path for room in chosen for path in TESTS[room]}) if (ROOT / p).exists()]
        drawn = _draw(_sources(args.module) if args.module else [p for p in _sources() if _room(p) in chosen], args)
        seen = _seen(tree, paths, args.seen)
        if _try(tree, seen[EVERYWHERE][:AT_MOST_TESTS], args.seconds) != SURVIVED:
            sys.exit("Tests fail in a fork although the code is sound; a mutation score says nothing then.")
        words = _run_all(tree, drawn, seen, args.seconds)
    return 0 if _tell(words) >= args.least else 1


def _tell(words: list[tuple[str, str]]) -> int:
    """Print the score of every room and of all, from (room, word) of each mutant; the last one, per cent."""
    score = 0
    for name in (*sorted({room for room, _ in words}), "all"):
        of_room = [word for room, word in words if name in (room, "all")]
        survived = of_room.count(SURVIVED)
        score = 100 * (len(of_room) - survived) // max(1, len(of_room))
        print(f"{name}: {len(of_room)} mutants, {survived} survived, score {score} %")
    return score


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.mutate", description=__doc__)
    parser.add_argument("--sample", type=int, default=200, help="how many mutants to draw; 0 = all")
    parser.add_argument("--each", type=int, default=0, help="draw so many from every module instead")
    parser.add_argument("--module", action="append", help="only these modules, by path or end of it (may be repeated)")
    parser.add_argument("--seen", type=Path, help="keep the coverage in this folder; read it when it is there")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=120.0, help="a mutant that hangs this long counts as noticed")
    parser.add_argument("--least", type=int, default=70, help="the score that must be reached, per cent")
    parser.add_argument("--room", action="append", choices=sorted(TESTS), help="only these (may be repeated)")
    return parser.parse_args()


def _sources(ends: Sequence[str] = ("",)) -> list[Path]:
    found = {p.relative_to(ROOT) for pattern in SOURCES for p in ROOT.glob(pattern)}
    return sorted(p for p in found if p.name != "__init__.py" and str(p).endswith(tuple(ends)))


def _room(path: Path) -> str:
    return path.parts[0] if path.parts[0] == "sync" else path.parts[1]


def _copy(tree: Path) -> None:
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "vendor"))
        else:
            shutil.copy(ROOT / name, tree / name)


def _seen(tree: Path, paths: list[str], kept: Path | None) -> dict[tuple[str, int], list[str]]:
    """(module, line) -> the tests that come past it, those that come past least first."""
    folder = kept or tree
    if not (folder / SEEN).exists():
        _cover(tree, paths)
        for file in (SEEN, FAILED) if kept else ():
            shutil.copy(tree / file, folder / file)
    shaky = set((folder / FAILED).read_text().split())
    print(f"Tests that fail on sound code and are left out: {', '.join(sorted(shaky)) or 'none'}.", flush=True)
    lines: dict[tuple[str, int], list[str]] = defaultdict(list)
    for module, found in json.loads((folder / SEEN).read_text())["files"].items():
        for line, contexts in found["contexts"].items():
            lines[module, int(line)] = [test for test in contexts if test and test not in shaky]
    busy: dict[str, int] = defaultdict(int)
    for test in (t for tests in lines.values() for t in tests):
        busy[test] += 1
    for (module, _), tests in list(lines.items()):
        lines[module, WHOLE] += tests
        lines[EVERYWHERE] += tests
    return {place: sorted(set(tests), key=lambda t: busy[t]) for place, tests in lines.items()}


def _cover(tree: Path, paths: list[str]) -> None:
    """Run the tests on sound code: which lines each comes past, and which fail all the same and so decide nothing."""
    (tree / "coverage.ini").write_text(COVERAGE)
    _python(tree, ["coverage", "run", "--rcfile=coverage.ini", "-m", *_pytest(["-p", PLUGIN, *paths])])
    _python(tree, ["coverage", "json", "-q", "--show-contexts", "-o", SEEN, "--rcfile=coverage.ini"])


SURVIVED = "SURVIVED"
NOTHING_RUN = 5
"""pytest's exit code when it found no test."""
Drawn = tuple[Path, int, str, Callable[[], str]]


def _draw(paths: list[Path], args: argparse.Namespace) -> list[Drawn]:
    found: list[Drawn] = []
    for path in paths:
        found += [(path, *fault) for fault in faults((ROOT / path).read_text())]
    dice = random.Random(args.seed)
    if args.each:
        of_module = [[one for one in found if one[0] == path] for path in paths]
        drawn = [one for some in of_module for one in dice.sample(some, min(args.each, len(some)))]
    else:
        drawn = dice.sample(found, args.sample) if 0 < args.sample < len(found) else found
    print(f"{len(found)} faults are possible in {len(paths)} modules; seed {args.seed} draws {len(drawn)}.", flush=True)
    return drawn


def _run_all(
    tree: Path, drawn: list[Drawn], seen: dict[tuple[str, int], list[str]], seconds: float
) -> list[tuple[str, str]]:
    """(room, what became of it) of every mutant."""
    words = []
    for path, line, what, make in sorted(drawn, key=lambda one: (str(one[0]), one[1])):
        whole = (tree / path).read_text()
        (tree / path).write_text(make())
        _forget_bytecode(tree / path)
        word = _judge(tree, _choose(tree, seen, path, line), seconds)
        (tree / path).write_text(whole)
        _forget_bytecode(tree / path)
        words.append((_room(path), word))
        print(f"{word:8}  {path}:{line}  {what}", flush=True)
    return words


def _judge(tree: Path, tests: list[str], seconds: float) -> str:
    """What becomes of a mutant: the likeliest tests first, the others in turn only while it survives."""
    for at in range(0, len(tests), AT_MOST_TESTS):
        if (word := _try(tree, tests[at : at + AT_MOST_TESTS], seconds)) != SURVIVED:
            return word
    return SURVIVED


def _choose(tree: Path, seen: dict[tuple[str, int], list[str]], path: Path, line: int) -> list[str]:
    """The tests that decide about a line: those of its own room first.

    What only runs at the import belongs to no test: files of tests that name the module, then who comes past it.
    """
    own = TESTS[_room(path)]
    found = seen.get((str(path), line))
    if found:
        return sorted(found, key=lambda test: not test.startswith(own[0]))
    named = re.compile(
        rf"\b{'.'.join(path.with_suffix('').parts)}\b|from {'.'.join(path.parts[:-1])} import .*\b{path.stem}\b"
    )
    files = [file for folder in own for file in (tree / folder).rglob("test_*.py")]
    files.sort(key=lambda file: (path.stem not in file.stem, file.stat().st_size, str(file)))
    naming = [str(file.relative_to(tree)) for file in files if named.search(file.read_text())]
    whole = seen.get((str(path), WHOLE)) or seen[EVERYWHERE][-AT_MOST_TESTS:]
    return [*naming[:FILES_THAT_NAME], *whole[: AT_MOST_TESTS - 1], SCHEMA]


def _try(tree: Path, tests: list[str], seconds: float) -> str:
    """Run tests in a fork of this process, which has the libraries loaded already and nothing of the product."""
    child = os.fork()
    if child == 0:
        _become_pytest(tree, tests)
    end = time.monotonic() + seconds
    while (done := os.waitpid(child, os.WNOHANG))[0] == 0:
        if time.monotonic() > end:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "hung"
        time.sleep(0.02)
    return SURVIVED if os.waitstatus_to_exitcode(done[1]) in (0, NOTHING_RUN) else "noticed"


def _become_pytest(tree: Path, tests: list[str]) -> NoReturn:
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    os.chdir(tree)
    sys.path.insert(0, str(tree))
    os.putenv("PYTHONPATH", str(tree))  # for what tests start as processes of their own
    os._exit(pytest.main(["-x", *_pytest(tests)[1:]]))


def _forget_bytecode(module: Path) -> None:
    """A mutant can have the size and the second of the sound module, which is all that bytecode is known by."""
    for compiled in (module.parent / "__pycache__").glob(f"{module.stem}.*"):
        compiled.unlink()


def _pytest(tests: list[str]) -> list[str]:
    return ["pytest", "-q", "--no-header", "-p", "no:xdist", "-k", LEFT_OUT, *tests]


def _python(tree: Path, arguments: list[str]) -> None:
    """A module run in the copy, which comes before the installed product."""
    subprocess.run(
        ["env", f"PYTHONPATH={tree}", sys.executable, "-m", *arguments],
        cwd=tree,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())
