"""Refusals about standards of the plant's own and about deviations."""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import BadInput, Denied, NotFound, Refused


def not_own(standard_id: str, plant: str) -> BadInput:
    """The id is not one of this plant's."""
    return BadInput(
        "standards.not_own",
        f"{standard_id} is no id of this plant's own standards.",
        todo=f"Let it begin with {plant}-, for example {plant}-{standard_id}"[:300] + ".",
    )


def rule_of_hub() -> BadInput:
    """A plant has no facts of other plants."""
    return BadInput(
        "standards.hub_only", "A rule over arriving facts runs at the hub.", todo="Propose it to the group."
    )


def grades_of_group() -> BadInput:
    """Any substitution in force may allow a grade, so one of the plant's own would widen the group's rule."""
    return BadInput(
        "standards.group_only",
        "Which grade may serve for which is the group's to say.",
        todo="Propose it to the group.",
    )


def faulty(faults: Sequence[str]) -> BadInput:
    """The document says what cannot be."""
    return BadInput(
        "standards.faulty", f"The document has faults: {'; '.join(faults)}.", todo="Mend them and save again."
    )


def deployed_before(standard_id: str, version: int) -> Refused:
    """A version that was in force never changes."""
    return Refused(
        "standards.wrong_status",
        f"{standard_id} v{version} was in force already and no longer changes.",
        todo="Write the next version.",
    )


def changed_meanwhile() -> Refused:
    """What is deployed must be what was read."""
    return Refused("standards.changed", "The draft was changed after it was shown to you.", todo="Read it again.")


def does_not_bind(missing: Sequence[str]) -> Refused:
    """The plant lacks something."""
    return Refused("standards.missing", f"It cannot be bound here: {'; '.join(missing)}.", todo="Mend it, then deploy.")


def no_own(standard_id: str, version: int) -> NotFound:
    """No such version here."""
    return NotFound("standards.unknown", f"There is no own {standard_id} v{version} here.", todo="Look in the list.")


def not_deployed(standard_id: str) -> Refused:
    """Nothing of it is in force."""
    return Refused("standards.not_deployed", f"Nothing of {standard_id} is in force here.", todo="Deploy a version.")


def group_has_it(standard_id: str) -> Refused:
    """One of the group's under the same id goes before it."""
    return Refused(
        "standards.held",
        f"{standard_id} would not be as you asked: the group has a standard of that id in force here.",
        kept="What was in force still is.",
        todo="Give yours another id.",
    )


def renewed_meanwhile() -> Refused:
    """What is approved must be what was read."""
    return Refused(
        "standards.changed", "The deviation was renewed after it was shown to you.", todo="Read it again, then decide."
    )


def own_deviation() -> Denied:
    """Four eyes."""
    return Denied(
        "standards.same_person",
        "Whoever asked for a deviation cannot approve it.",
        todo="Ask a second person with the role quality or lead, or the group.",
    )
