"""python -m tools.fault_page: writes docs/faults.md: each fault case, the tests that name it, and how they ended.

Cases are in tests/faults/cases.toml; a test names those it covers by @pytest.mark.fault(1, 2). With --results FILE, a
JUnit report of a run (pytest --junitxml), the page says how often each case's tests passed; without it, only which
tests there are.
"""

from __future__ import annotations

import argparse
import ast
import re
import tomllib
import xml.etree.ElementTree as ElementTree
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).parents[1]
CASES = ROOT / "tests" / "faults" / "cases.toml"
PAGE = ROOT / "docs" / "faults.md"
MARK = "pytest.mark.fault"
_OUTCOME = re.compile(r": (not in this run|\d+ (passed|failed|skipped)(, \d+ (passed|failed|skipped))*)(?= \||<br>)")

INTRO = """# What can go wrong, and what comes of it

Every case of the fault catalogue with the tests that name it (`@pytest.mark.fault(number)`), or why there is none.
This page is made by `python -m tools.fault_page` from the tests; a test keeps it true. "slow" tests run in
`make campaign` only.
"""


@dataclass(frozen=True)
class Case:
    """One case; left_out = why no test names it, '' where one does."""

    number: int
    group: str
    title: str
    outcome: str
    left_out: str = ""


@dataclass(frozen=True)
class Named:
    """A test and the cases that it names."""

    file: str
    test: str
    slow: bool
    numbers: tuple[int, ...]


def read_cases() -> list[Case]:
    """The catalogue, by number."""
    return [Case(**case) for case in tomllib.loads(CASES.read_text(encoding="utf-8"))["case"]]


def find_tests(folder: Path = ROOT / "tests", root: Path = ROOT) -> list[Named]:
    """Every test that names cases, by file and name."""
    found: list[Named] = []
    for file in sorted(folder.rglob("test_*.py")):
        source = file.read_text(encoding="utf-8")
        if MARK in source:
            found += _named(ast.parse(source), str(file.relative_to(root)))
    return found


def _named(module: ast.Module, file: str) -> Iterator[Named]:
    whole = [m for node in module.body if isinstance(node, ast.Assign) and _is_pytestmark(node) for m in _marks(node)]
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            marks = [*whole, *(m for decorator in node.decorator_list for m in _marks(decorator))]
            numbers = tuple(sorted({n for name, args in marks if name == MARK for n in args}))
            if numbers:
                yield Named(file, node.name, any(name == "pytest.mark.slow" for name, _ in marks), numbers)


def _is_pytestmark(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets)


def _marks(tree: ast.AST) -> Iterator[tuple[str, list[int]]]:
    """(mark, its whole numbers) of a decorator or a pytestmark; those inside pytest.param count too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == MARK:
            yield MARK, [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, int)]
        elif isinstance(node, ast.Attribute) and ast.unparse(node) == "pytest.mark.slow":
            yield "pytest.mark.slow", []


def read_results(file: Path) -> dict[str, Counter[str]]:
    """Test name -> how its runs ended (passed, failed, skipped), from a JUnit report; parameters are put together."""
    results: dict[str, Counter[str]] = defaultdict(Counter)
    for case in ElementTree.parse(file).getroot().iter("testcase"):  # our own report
        ended = {child.tag for child in case}
        outcome = "failed" if ended & {"failure", "error"} else "skipped" if "skipped" in ended else "passed"
        results[case.get("name", "").partition("[")[0]][outcome] += 1
    return results


def make_page(cases: Iterable[Case], tests: Iterable[Named], results: dict[str, Counter[str]] | None = None) -> str:
    """The whole page."""
    by_number: dict[int, list[Named]] = defaultdict(list)
    for test in tests:
        for number in test.numbers:
            by_number[number].append(test)
    listed = list(cases)
    covered = sum(bool(by_number[case.number]) for case in listed)
    parts = [INTRO, f"{covered} of {len(listed)} cases have a test; {len(listed) - covered} say why not.\n"]
    for group, members in groupby(listed, key=lambda case: case.group):
        parts.append(f"## {group}\n\n| | case | what must come of it | tests |\n|---|---|---|---|")
        parts.append("\n".join(_line(case, by_number[case.number], results) for case in members) + "\n")
    return "\n".join(parts)


def _line(case: Case, tests: list[Named], results: dict[str, Counter[str]] | None) -> str:
    said = [_test(test, results) for test in tests] or [f"none: {case.left_out}"]
    return f"| {case.number} | {case.title} | {case.outcome} | {'<br>'.join(said)} |"


def _test(test: Named, results: dict[str, Counter[str]] | None) -> str:
    words = f"[{test.test.removeprefix('test_').replace('_', ' ')}](../{test.file})" + (" (slow)" if test.slow else "")
    if results is None:
        return words
    ended = results.get(test.test, Counter())
    return words + (
        ": " + ", ".join(f"{n} {how}" for how, n in sorted(ended.items())) if ended else ": not in this run"
    )


def without_outcomes(page: str) -> str:
    """The page as it would be without a report."""
    return _OUTCOME.sub("", page)


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(prog="python -m tools.fault_page", description=__doc__)
    parser.add_argument("--results", type=Path, help="a JUnit report of the run whose outcomes the page shall tell")
    args = parser.parse_args()
    results = read_results(args.results) if args.results else None
    PAGE.write_text(make_page(read_cases(), find_tests(), results), encoding="utf-8")


if __name__ == "__main__":
    main()
