"""What a plant finds in its own database that no fact put there."""

from __future__ import annotations

from shared.journal.fact import Payload, fact


@fact("StandardsFoundEdited")
class StandardsFoundEdited(Payload, frozen=True, kw_only=True):
    """Rows of standards in the plant's database are not what it adopted: somebody wrote them past the journal.

    differences: standard -> its fields in words; empty: all of it is again as adopted.
    """

    differences: dict[str, tuple[str, ...]]
