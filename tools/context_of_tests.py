"""A pytest plugin for tools.mutate: coverage notes each line under the test that runs, in whichever thread it is run.

coverage's own way asks every thread for itself which test it runs; a server or a background thread runs none.
"""

from __future__ import annotations

import coverage
import pytest


def pytest_runtest_setup(item: pytest.Item) -> None:
    """From here on, its fixtures included, lines belong to this test; parameters are left out of its name."""
    measured = coverage.Coverage.current()
    if measured is not None:
        measured.switch_context(item.nodeid.partition("[")[0])
