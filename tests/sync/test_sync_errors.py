"""From an HTTP status to what it means for the exchange, and back."""

from __future__ import annotations

import pytest

from sync import errors
from sync.errors import from_status


@pytest.mark.parametrize(
    ("status", "name", "again"),
    [
        (400, "Malformed", False),
        (401, "BadSeal", False),
        (403, "PeerHeld", False),
        (408, "TooSlow", True),
        (409, "OutOfStep", True),
        (412, "StaleSession", True),
        (413, "OverLimit", False),
        (426, "WrongProtocol", False),
        (429, "Busy", True),
        (503, "Busy", True),
        (507, "StorageFull", True),
        (200, "Unreachable", True),  # a portal's page
        (302, "Unreachable", True),
        (404, "Unreachable", True),
        (500, "Unreachable", True),
        (502, "Unreachable", True),
    ],
)
def test_a_peers_status_means_one_error_and_says_whether_to_try_again(status: int, name: str, again: bool) -> None:
    made = from_status(status, "sync.refused", "No.")
    assert (type(made).__name__, made.again, made.code, made.what) == (name, again, "sync.refused", "No.")
    assert made.kept == "Every fact is kept in the journal."
    assert made.spoken is False  # until somebody knows that a node of ours said so


@pytest.mark.parametrize("status", [400, 401, 403, 408, 409, 412, 413, 426, 429, 507])
def test_an_error_that_is_answered_goes_out_under_the_status_it_is_read_from(status: int) -> None:
    assert from_status(status, "c", "w").status == status


def test_what_has_no_status_of_its_own_is_503() -> None:
    assert (errors.Unreachable("c", "w").status, errors.NotConnected("c", "w").status) == (503, 503)
    assert errors.SyncError("c", "w", kept="k", todo="t").todo == "t"


def test_a_receivers_position_and_wish_for_a_pause_travel_with_the_error() -> None:
    assert errors.OutOfStep("c", "w", receipt=b"signed").receipt == b"signed"
    assert errors.OutOfStep("c", "w").receipt == b""
    assert (errors.Busy("c", "w").after_s, errors.StorageFull("c", "w").after_s) == (0.0, 0.0)
