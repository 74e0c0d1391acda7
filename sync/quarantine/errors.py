"""Why something about a fact that is set aside is refused."""

from __future__ import annotations

from shared.errors import BadInput, NotFound, Refused


class NotSetAside(NotFound):
    """There is no such fact among those set aside."""

    def __init__(self, author: str, fact_id: str) -> None:
        super().__init__(
            "quarantine.unknown",
            f"No fact {fact_id} of {author} is set aside here.",
            todo="It may have been applied or discarded meanwhile: look at the list.",
        )


class OnlyHeld(Refused):
    """A held fact is in order; what is before it is not."""

    def __init__(self) -> None:
        super().__init__(
            "quarantine.only_held",
            "This fact is in order and only waits for an earlier one.",
            kept="It stays held.",
            todo="Deal with the fact that it waits for.",
        )


class NoProposal(NotFound):
    """Nobody proposed to discard this fact."""

    def __init__(self) -> None:
        super().__init__(
            "quarantine.no_proposal", "Nobody has proposed to discard this fact.", todo="Propose it, with a reason."
        )


class SamePerson(Refused):
    """It takes two people."""

    def __init__(self) -> None:
        super().__init__(
            "quarantine.same_person",
            "Who proposed to discard a fact cannot confirm it.",
            kept="The proposal stands.",
            todo="Ask a second engineer to confirm it.",
        )


class BadReason(BadInput):
    """A reason that says nothing, or too much."""

    def __init__(self, most: int) -> None:
        super().__init__(
            "quarantine.reason", "The reason is missing or too long.", todo=f"Write 1 to {most} characters."
        )
