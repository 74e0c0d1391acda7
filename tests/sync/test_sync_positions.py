"""Who misses what, as literal tables; and when to try again."""

from __future__ import annotations

import copy

import pytest

from sync.backoff import Backoff, BatchSize
from sync.messages import Branch, EpochState
from sync.positions import Span, ahead, in_tree_order, missing, start, waiting


def at(epoch: str, seq: int, parent: str | None = None, stream: str = "ALD") -> EpochState:
    return EpochState(stream, epoch, seq, f"{epoch}{seq}", Branch(parent, 1, "h") if parent else None)


@pytest.mark.parametrize(
    ("heads", "held", "spans"),
    [
        ([], [], []),  # nothing written, nothing missing
        ([at("e1", 0)], [], []),  # an epoch without entries is no work
        ([at("e1", 3)], [], [Span("ALD", "e1", 1, 3)]),  # a new reader wants all
        ([at("e1", 3)], [at("e1", 3)], []),  # level
        ([at("e1", 5)], [at("e1", 2)], [Span("ALD", "e1", 3, 5)]),  # what came since
        ([at("e1", 5)], [at("e1", 9)], []),  # a reader that is ahead lacks nothing
        ([at("e1", 5), at("e2", 2)], [at("e1", 4)], [Span("ALD", "e1", 5, 5), Span("ALD", "e2", 1, 2)]),  # oldest first
        ([at("e1", 5)], [at("eX", 5)], [Span("ALD", "e1", 1, 5)]),  # an epoch of a life we forgot does not count
        ([at("e1", 5)], [at("e1", 5, stream="BRK")], [Span("ALD", "e1", 1, 5)]),  # nor does another stream
    ],
)
def test_missing(heads, held, spans):
    before = copy.deepcopy((heads, held))
    assert list(missing(heads, held)) == spans
    assert waiting(heads, held) == sum(span.last - span.first + 1 for span in spans)
    assert (heads, held) == before


def test_ahead_names_what_the_reader_has_and_the_author_has_not():
    held = [at("e1", 9), at("e2", 1), at("e3", 0)]
    assert ahead([at("e1", 5), at("e2", 1)], held) == (at("e1", 9),)
    assert ahead([at("e1", 9)], held) == (at("e2", 1),)


def test_tree_order_puts_parents_first_and_keeps_the_given_order_otherwise():
    root, left, right, leaf = at("r", 1), at("a", 1, "r"), at("b", 1, "r"), at("c", 1, "a")
    assert in_tree_order([leaf, right, left, root]) == (root, right, left, leaf)
    assert in_tree_order([left, right]) == (left, right)  # a parent that is not among them


def test_a_ring_of_epochs_is_an_error_and_no_endless_loop():
    with pytest.raises(ValueError, match="ring"):
        in_tree_order([at("a", 1, "b"), at("b", 1, "a")])


def test_start_is_before_the_first_entry():
    assert (start("ALD", "e").seq, start("ALD", "e").hash) == (0, "0" * 64)


@pytest.mark.parametrize(("failures", "most"), [(0, 0), (1, 1), (2, 2), (3, 4), (9, 256), (10, 300), (10_000, 300)])
def test_back_off_doubles_up_to_its_bound_with_full_jitter(failures, most):
    assert Backoff(1, 300, lambda: 1.0).wait_s(failures) == most
    assert Backoff(1, 300, lambda: 0.25).wait_s(failures) == most / 4
    assert Backoff(1, 300, lambda: 0.0).wait_s(failures) == 0


def test_batches_halve_down_to_one_and_grow_back():
    size = BatchSize(10)
    for expected in (10, 5, 2, 1, 1):
        assert size.entries == expected
        size.came_to_nothing()
    for expected in (1, 2, 4, 8, 10, 10):
        assert size.entries == expected
        size.went_through()
