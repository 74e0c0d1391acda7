"""python -m tools.mutate: how many small faults in journal, sync and the shared projections do their tests notice?

Works on a copy of the tree. One run of all the tests under coverage tells which tests come past which line; then each
drawn fault (a mutant) is written into its module and only those tests run, until one fails. mutmut was tried first: it
copies function by function, so it does not reach classes, tables and registrations, must run the whole suite before it
begins, and cannot draw a sample; a full run here would take days. SURVIVED lines name where a test is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from tools.faults import faults

ROOT = Path(__file__).parents[1]
COPIED = ("shared", "sync", "local_mes", "central_hub", "demo", "tools", "tests", "pyproject.toml")
SOURCES = ("shared/journal/*.py", "sync/*.py", "shared/*/projection.py")
TESTS = {
    "journal": ("tests/shared/journal", "tests/sync"),
    "sync": ("tests/sync", "tests/central_hub/plants", "tests/central_hub/portal", "tests/local_mes/console"),
    "material": ("tests/shared/material", "tests/local_mes/production"),
    "orders": ("tests/shared/orders", "tests/local_mes/orders"),
    "performance": ("tests/shared/performance", "tests/local_mes/performance"),
    "quality": ("tests/shared/quality", "tests/local_mes/quality"),
    "standards": ("tests/shared/standards", "tests/local_mes/standards", "tests/central_hub/standards"),
    "transfers": ("tests/shared/transfers", "tests/local_mes/transfers", "tests/central_hub/transfers"),
}
LEFT_OUT = "not kill and not postgres"
"""Processes of their own are not seen by the coverage."""
AT_MOST_TESTS = 25
WHOLE = 0
"""Stands for all lines of a module: lines that run at its import belong to no test."""
EVERYWHERE = ("", WHOLE)
"""Modules of nothing but declarations: the tests that come past most decide."""
COVERAGE = "[run]\ndynamic_context = test_function\nconcurrency = thread\nsource = shared,sync\n"


def main() -> int:
    """Exit 0 when the score reaches --least, 1 when not, 2 when the tests fail without any fault."""
    args = _arguments()
    with tempfile.TemporaryDirectory(prefix="strandline-mutate-") as folder:
        tree = Path(folder)
        _copy(tree)
        chosen = args.room or sorted(TESTS)
        paths = [p for p in sorted({path for room in chosen for path in TESTS[room]}) if (ROOT / p).exists()]
        seen = _coverage(tree, paths)
        drawn = _draw([p for p in _sources() if _room(p) in chosen], args)
        survived = _run_all(tree, drawn, seen, args.seconds)
    killed = len(drawn) - survived
    score = 100 * killed // max(1, len(drawn))
    print(f"{len(drawn)} mutants, {killed} noticed or hung, {survived} survived: score {score} %")
    return 0 if score >= args.least else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.mutate", description=__doc__)
    parser.add_argument("--sample", type=int, default=200, help="how many mutants to draw; 0 = all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=120.0, help="a mutant that hangs this long counts as noticed")
    parser.add_argument("--least", type=int, default=70, help="the score that must be reached, per cent")
    parser.add_argument("--room", action="append", choices=sorted(TESTS), help="only these (may be repeated)")
    return parser.parse_args()


def _sources() -> list[Path]:
    found = {p.relative_to(ROOT) for pattern in SOURCES for p in ROOT.glob(pattern)}
    return sorted(p for p in found if p.name != "__init__.py")


def _room(path: Path) -> str:
    return path.parts[0] if path.parts[0] == "sync" else path.parts[1]


def _copy(tree: Path) -> None:
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "vendor"))
        else:
            shutil.copy(ROOT / name, tree / name)


def _coverage(tree: Path, paths: list[str]) -> dict[tuple[str, int], list[str]]:
    """(module, line) -> the tests that come past it, those that come past least first."""
    (tree / "coverage.ini").write_text(COVERAGE)
    done = _python(tree, ["coverage", "run", "--rcfile=coverage.ini", "-m", *_pytest(paths)])
    if done.wait() != 0:
        sys.exit("The tests fail as they are; a mutation score says nothing then.")
    _python(tree, ["coverage", "json", "-q", "--show-contexts", "-o", "seen.json", "--rcfile=coverage.ini"]).wait()
    lines: dict[tuple[str, int], list[str]] = defaultdict(list)
    for module, found in json.loads((tree / "seen.json").read_text())["files"].items():
        for line, contexts in found["contexts"].items():
            lines[module, int(line)] = [_node_id(c) for c in contexts if ".test_" in c]
    busy: dict[str, int] = defaultdict(int)
    for test in (t for tests in lines.values() for t in tests):
        busy[test] += 1
    for (module, _), tests in list(lines.items()):
        lines[module, WHOLE] += tests
        lines[EVERYWHERE] += tests
    return {place: sorted(set(tests), key=lambda t: busy[t]) for place, tests in lines.items()}


def _node_id(context: str) -> str:
    module, _, function = context.rpartition(".")
    return f"{module.replace('.', '/')}.py::{function}"


SURVIVED = "SURVIVED"
NOTHING_RUN = 5
"""pytest's exit code when it found no test."""
Drawn = tuple[Path, int, str, Callable[[], str]]


def _draw(paths: list[Path], args: argparse.Namespace) -> list[Drawn]:
    found: list[Drawn] = []
    for path in paths:
        found += [(path, *fault) for fault in faults((ROOT / path).read_text())]
    print(f"{len(found)} faults are possible in {len(paths)} modules; seed {args.seed} draws {args.sample or 'all'}.")
    return random.Random(args.seed).sample(found, args.sample) if 0 < args.sample < len(found) else found


def _run_all(tree: Path, drawn: list[Drawn], seen: dict[tuple[str, int], list[str]], seconds: float) -> int:
    survived = 0
    for path, line, what, make in sorted(drawn, key=lambda one: (str(one[0]), one[1])):
        tests = seen.get((str(path), line)) or seen.get((str(path), WHOLE)) or seen[EVERYWHERE][-AT_MOST_TESTS:]
        whole = (tree / path).read_text()
        (tree / path).write_text(make())
        word = _try(tree, tests[:AT_MOST_TESTS], seconds)
        (tree / path).write_text(whole)
        survived += word == SURVIVED
        print(f"{word:8}  {path}:{line}  {what}", flush=True)
    return survived


def _try(tree: Path, tests: list[str], seconds: float) -> str:
    process = _python(tree, _pytest(tests))
    try:
        return SURVIVED if process.wait(seconds) in (0, NOTHING_RUN) else "noticed"
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return "hung"


def _pytest(tests: list[str]) -> list[str]:
    return ["pytest", "-x", "-q", "--no-header", "-p", "no:xdist", "-k", LEFT_OUT, *tests]


def _python(tree: Path, arguments: list[str]) -> subprocess.Popen[bytes]:
    """A module run in the copy, which comes before the installed product."""
    return subprocess.Popen(
        ["env", f"PYTHONPATH={tree}", "PYTHONDONTWRITEBYTECODE=1", sys.executable, "-m", *arguments],
        cwd=tree,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


if __name__ == "__main__":
    sys.exit(main())
