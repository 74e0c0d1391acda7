"""Refusals of the standards office."""

from __future__ import annotations

from shared.errors import BadInput, Denied, NotFound, Refused


def unknown_version(standard_id: str, version: int) -> NotFound:
    """No such version."""
    return NotFound(
        "standards.unknown", f"There is no {standard_id} version {version}.", todo="Look in the list of standards."
    )


def wrong_status(standard_id: str, version: int, status: str, action: str) -> Refused:
    """The version's life does not allow this step now."""
    what = f"{standard_id} v{version} is {status.replace('_', ' ')}; it cannot be {action}."
    return Refused("standards.wrong_status", what, todo="Open its page to see what the next step is.")


def same_person() -> Denied:
    """Author and approver must be two people."""
    return Denied(
        "standards.same_person",
        "The author of a version cannot approve it.",
        todo="Ask a second person with the role approver.",
    )


def not_its_author() -> Denied:
    """Only its author rewrites a draft: else two people could approve each other's words."""
    return Denied(
        "standards.not_its_author",
        "This draft belongs to another author.",
        todo="Ask its author, or begin a new version.",
    )


def changed_meanwhile() -> Refused:
    """What is approved must be what was read."""
    return Refused(
        "standards.changed", "The document is not the one you were shown.", todo="Read it again, then approve."
    )


def faulty(faults: list[str]) -> BadInput:
    """The document would not work."""
    return BadInput(
        "standards.faulty", f"The document has faults. {'; '.join(faults)}.", todo="Mend them and save again."
    )


def no_root() -> Refused:
    """Nobody's signature counts yet."""
    return Refused(
        "standards.no_root",
        "The hub has no root document, so it knows no standards keys.",
        todo="Make one with `strandline standards root` and hand it in on the keys page.",
    )
