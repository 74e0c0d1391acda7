"""The fault catalogue is whole: each case has a test or says why not, each mark names a case, the page is up to date."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tools.fault_page import PAGE, find_tests, make_page, read_cases, read_results, without_outcomes


def test_every_case_has_a_test_or_says_why_not() -> None:
    named = {number for test in find_tests() for number in test.numbers}
    cases = read_cases()
    assert [case.number for case in cases] == list(range(1, 121))
    assert [c.number for c in cases if c.number not in named and not c.left_out] == []
    assert [c.number for c in cases if c.number in named and c.left_out] == []
    assert named <= {case.number for case in cases}


def test_the_page_is_what_the_tests_say() -> None:
    page = without_outcomes(PAGE.read_text(encoding="utf-8"))
    assert page == make_page(read_cases(), find_tests()), "run python -m tools.fault_page"


def test_outcomes_are_beside_the_tests_and_nowhere_else() -> None:
    results = {test.test: Counter(passed=2, skipped=1) for test in find_tests()[::2]}
    told = make_page(read_cases(), find_tests(), results)
    assert ": 2 passed, 1 skipped" in told
    assert ": not in this run" in told
    assert without_outcomes(told) == make_page(read_cases(), find_tests())


def test_marks_are_found_on_functions_parameters_and_whole_modules(tmp_path: Path) -> None:
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "test_marked.py").write_text(
        "import pytest\npytestmark = pytest.mark.fault(7)\n"
        "@pytest.mark.slow\n@pytest.mark.fault(1, 2)\ndef test_one(): ...\n"
        "@pytest.mark.parametrize('x', [pytest.param(1, marks=pytest.mark.fault(9))])\ndef test_two(x): ...\n"
        "def helper(): ...\n",
        encoding="utf-8",
    )
    found = {test.test: (test.numbers, test.slow) for test in find_tests(folder, tmp_path)}
    assert found == {"test_one": ((1, 2, 7), True), "test_two": ((7, 9), False)}


def test_outcomes_come_from_the_report_of_a_run(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        "<testsuites><testsuite>"
        '<testcase name="test_a[sqlite]"/><testcase name="test_a[http]"><failure/></testcase>'
        '<testcase name="test_b"><skipped/></testcase></testsuite></testsuites>',
        encoding="utf-8",
    )
    results = read_results(report)
    assert {name: dict(ended) for name, ended in results.items()} == {
        "test_a": {"passed": 1, "failed": 1},
        "test_b": {"skipped": 1},
    }
