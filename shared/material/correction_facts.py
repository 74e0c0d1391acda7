"""What is said about facts that turned out wrong: corrected, withdrawn, or not to be corrected without people.

A correction is a fact of the same author that names the fact it corrects. It states what holds from now on, whole, and
what was said before in words: rows follow the newest statement, and both stay in the journal and in the history.
"""

from __future__ import annotations

import msgspec

from shared.journal.fact import Payload, fact
from shared.material.facts import Consumed, Edge, Loss, Mass, NewAlias, Size


class Change(msgspec.Struct, frozen=True):
    """One statement about one piece, before and after, as people read it. what: mass | length | number | step ..."""

    material_id: str
    what: str
    was: str
    now: str


class PieceNow(msgspec.Struct, frozen=True, kw_only=True):
    """What holds of a piece from now on; what is empty stays as it is."""

    material_id: str
    state: str = ""
    """live: it is (again) in stock | consumed | withdrawn: it was never made"""
    mass: Mass | None = None
    size: Size | None = None
    number: NewAlias | None = None
    number_was: NewAlias | None = None
    """The number that was wrong: it still finds the piece, but is free for another."""


class WeighedNow(msgspec.Struct, frozen=True):
    """What a weighing should have said; it stands in the piece's history beside the wrong one."""

    material_id: str
    mass: Mass
    reason: str


class OperationNow(msgspec.Struct, frozen=True, kw_only=True):
    """An operation as it holds from now on, whole; withdrawn: it did not happen."""

    operation_id: str
    withdrawn: bool = False
    parents: tuple[Consumed, ...] = ()
    edges: tuple[Edge, ...] = ()
    losses: tuple[Loss, ...] = ()
    produced_g: int = 0


@fact("FactCorrected")
class FactCorrected(Payload, frozen=True, kw_only=True):
    """An earlier fact of this author said something wrong (or, withdrawn, something that did not happen)."""

    corrects: str
    """Fact id of what was wrong; of an earlier correction, where that one was."""
    type: str
    reason: str
    withdrawn: bool = False
    changes: tuple[Change, ...]
    pieces: tuple[PieceNow, ...] = ()
    weighed: tuple[WeighedNow, ...] = ()
    operation: OperationNow | None = None
    case_id: str = ""
    """The case in which it lay before it could be carried out."""


class Blocker(msgspec.Struct, frozen=True):
    """A piece that stands on what would be corrected, and why it cannot be taken from under it."""

    material_id: str
    number: str
    why: str
    plant: str = ""
    """Where it went, when that is another plant."""


@fact("CorrectionBlocked")
class CorrectionBlocked(Payload, frozen=True, kw_only=True):
    """A correction was asked for and not carried out: pieces that moved on, left or were used stand on the fact."""

    case_id: str
    corrects: str
    type: str
    reason: str
    changes: tuple[Change, ...]
    blockers: tuple[Blocker, ...]
    asked: str
    """What was asked for, as JSON, so that it can be carried out once nothing stands in its way."""


@fact("CorrectionSettled")
class CorrectionSettled(Payload, frozen=True, kw_only=True):
    """A person ends such a case. how: carried_out | stands: the fact stays as recorded | otherwise."""

    case_id: str
    how: str
    note: str


@fact("MoveCorrected")
class MoveCorrected(Payload, frozen=True, kw_only=True):
    """A piece was put somewhere else than a fact of this author says; withdrawn: it was not moved then."""

    corrects: str
    material_id: str
    was: str
    place: str
    """Where it was put; empty when withdrawn."""
    reason: str
    withdrawn: bool = False
    here: str = ""
    """Where it lies from now on; empty where a later move says so."""


@fact("MarkCorrected")
class MarkCorrected(Payload, frozen=True, kw_only=True):
    """A mark lies elsewhere on its piece than was said, or is another; withdrawn: there is none. Whole, in um."""

    corrects: str
    mark_id: str
    material_id: str
    was: str
    now: str
    """Both as people read them."""
    reason: str
    withdrawn: bool = False
    kind: str = ""
    from_um: int = 0
    to_um: int = 0
    left_um: int = 0
    right_um: int = 0
    text: str = ""
