"""What is said about a yard and its stores: jobs of cranes, stock-takes and what they found, counted goods, take-overs.

Where a piece of steel lies is MaterialMoved (shared/material). Quantities of goods are integers of their unit: grams, or
pieces.
"""

from __future__ import annotations

from shared.journal.fact import Payload, fact

GOODS_KINDS = ("alloy", "roll", "packaging", "other")
GOODS_UNITS = ("g", "pieces")


@fact("CraneJobPlanned")
class CraneJobPlanned(Payload, frozen=True, kw_only=True):
    """A crane is to fetch a piece from the yard, or to put one into it; the same job_id again replaces it."""

    job_id: str
    crane: str
    kind: str
    """fetch | put"""
    position: int
    """Its place in the crane's list; the lower first."""
    material_id: str
    number: str
    """As the crane's driver is shown it."""
    to_place: str
    why: str = ""


@fact("CraneJobClosed")
class CraneJobClosed(Payload, frozen=True, kw_only=True):
    """A job is done (the move is a fact of its own), or dropped with a reason."""

    job_id: str
    result: str
    """done | dropped"""
    reason: str = ""


@fact("StockTakeOpened")
class StockTakeOpened(Payload, frozen=True, kw_only=True):
    """People begin to count an area."""

    take_id: str
    area: str


@fact("StockTakeClosed")
class StockTakeClosed(Payload, frozen=True, kw_only=True):
    """The count is over; each difference is a fact of its own. dropped: nothing came of it, with the reason."""

    take_id: str
    expected: int
    counted: int
    missing: int
    found: int
    elsewhere: int
    dropped: bool = False
    reason: str = ""


@fact("StockDifferencePosted")
class StockDifferencePosted(Payload, frozen=True, kw_only=True):
    """Books and yard differ, and a person says why. What it does to the piece's place is MaterialMoved."""

    difference_id: str
    take_id: str
    kind: str
    """missing | found | elsewhere"""
    number: str
    material_id: str = ""
    """Empty where nobody knows the number."""
    expected_place: str = ""
    found_place: str = ""
    reason: str = ""


@fact("GoodsDescribed")
class GoodsDescribed(Payload, frozen=True, kw_only=True):
    """Goods that are counted, not followed piece by piece; a later description of the same item replaces it."""

    item: str
    name: str
    kind: str
    """alloy | roll | packaging | other"""
    unit: str
    """g | pieces"""
    least: int = 0
    """Below this quantity it is to be ordered; 0 = nobody watches."""


@fact("GoodsBooked")
class GoodsBooked(Payload, frozen=True, kw_only=True):
    """A receipt (+), an issue (-) or a count's correction of goods at a place, and what lies there after it."""

    booking_id: str
    item: str
    place: str
    kind: str
    """receipt | issue | take"""
    change: int
    balance: int
    reference: str = ""
    """Delivery note, heat, unit."""
    reason: str = ""


@fact("TakeOverBegun")
class TakeOverBegun(Payload, frozen=True, kw_only=True):
    """A running plant's stock, open heats and genealogy come from its old system; each piece is a fact of its own."""

    take_over_id: str
    title: str
    pieces: int
    operations: int


@fact("TakeOverEnded")
class TakeOverEnded(Payload, frozen=True, kw_only=True):
    """All of it is recorded."""

    take_over_id: str


@fact("TakeOverReversed")
class TakeOverReversed(Payload, frozen=True, kw_only=True):
    """A part of a take-over is taken out of the books again, before anything of the plant's own built on it."""

    take_over_id: str
    material_ids: tuple[str, ...]
    operation_ids: tuple[str, ...] = ()
    whole: bool = False
    """The last part: the take-over is gone."""
    reason: str = ""
