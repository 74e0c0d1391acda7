"""What a plant asks of a server on an edge's site, and what was seen there. In the two journals of that line alone."""

from __future__ import annotations

from shared.journal.fact import Payload, fact


@fact("Level2Asked")
class Level2Asked(Payload, frozen=True, kw_only=True):
    """Somebody at the plant wants to look into a link's server, at a node.

    asked_real_ms  since when, by the clock of the plant's machine
    """

    look: str
    link: str
    node: str
    asked_real_ms: int | None = None


@fact("Level2Answered")
class Level2Answered(Payload, frozen=True, kw_only=True):
    """What was seen, as JSON, or why nothing was."""

    look: str
    answer: str = ""
    fault: str = ""
