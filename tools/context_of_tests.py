"""A pytest plugin for tools.mutate: notes under each line the tests that come past it, in whichever thread, and who fails.

coverage's own way asks every thread for itself which test it runs; a server or a background thread runs none.
"""

from __future__ import annotations

from pathlib import Path

import coverage
import pytest

FAILED = Path("failed_tests.txt")
"""In the folder the tests run in: a line a test that fails."""


def pytest_configure() -> None:
    """Nothing has failed yet."""
    FAILED.write_text("")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """From here on, its fixtures included, lines belong to this test; parameters are left out of its name."""
    measured = coverage.Coverage.current()
    if measured is not None:
        measured.switch_context(item.nodeid.partition("[")[0])


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A test that fails on sound code must not decide about a mutant."""
    if report.failed:
        with FAILED.open("a") as out:
            out.write(report.nodeid.partition("[")[0] + "\n")
