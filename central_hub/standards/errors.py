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


def goes_out_already(standard_id: str, version: int) -> Refused:
    """One version at a time goes out in waves."""
    return Refused(
        "standards.goes_out_already",
        f"{standard_id} v{version} goes out in waves; another version cannot be approved beside it.",
        todo="Complete that rollout or roll it back first.",
    )


def bad_plan(faults: list[str]) -> BadInput:
    """The waves do not make a plan."""
    return BadInput("standards.bad_plan", f"The plan has faults: {'; '.join(faults)}.", todo="Mend the waves.")


def no_rollout(standard_id: str, version: int) -> Refused:
    """It does not go out in waves, or does no more."""
    return Refused(
        "standards.no_rollout",
        f"{standard_id} v{version} is in no rollout that could go on.",
        todo="Open its page to see how it stands.",
    )


def not_the_next_wave(standard_id: str, version: int, wave: int) -> Refused:
    """Waves begin in their order, each once."""
    return Refused(
        "standards.not_the_next_wave",
        f"Wave {wave} of {standard_id} v{version} is not the next one.",
        todo="Open its page to see which is.",
    )


def not_signed_yet(standard_id: str, version: int) -> Refused:
    """Nothing unsigned goes to a plant."""
    return Refused(
        "standards.not_signed_yet",
        f"{standard_id} v{version} is in no signed catalogue yet.",
        todo="Ask the holders of standards keys to sign the open request.",
    )


def waves_left(standard_id: str, version: int, wave: int) -> Refused:
    """A rollout is complete behind its last wave."""
    return Refused(
        "standards.waves_left",
        f"Wave {wave} of {standard_id} v{version} has not begun.",
        todo="Begin it first, or roll the version back.",
    )


def no_proposal(proposal_id: str) -> NotFound:
    """No such proposal."""
    return NotFound("standards.no_proposal", f"There is no proposal {proposal_id}.", todo="Look in the list.")


def answered_already(answer: str) -> Refused:
    """The office has one word."""
    return Refused("standards.answered_already", f"This proposal was {answer} already.", todo="Look in the list.")


def unknown_person(logins: list[str]) -> BadInput:
    """Nobody would read it."""
    return BadInput(
        "standards.unknown_person",
        f"Nobody here is called {', '.join('@' + login for login in logins)}.",
        todo="Write the name as people sign in with it.",
    )


def roll_it_back(standard_id: str, version: int) -> Refused:
    """A withdrawal would leave its waves behind."""
    return Refused(
        "standards.goes_out",
        f"{standard_id} v{version} goes out in waves.",
        todo="Roll it back: that ends its waves too.",
    )


def no_number(name: str, value: str) -> BadInput:
    """The parameter is a number in the version that would be changed, and the plant's value is none."""
    return BadInput(
        "standards.value",
        f"{name} is a whole number; {value!r} is none.",
        todo="Decline it and write the draft by hand.",
    )


def unknown_kind(kind: str) -> NotFound:
    """No such kind of standard."""
    return NotFound("standards.unknown_kind", f"There is no kind of standard {kind!r}.", todo="Choose one of the list.")


def name_twice() -> BadInput:
    """Of two rows of one name only one could be kept."""
    return BadInput("standards.twice", "A name stands twice in one list.", todo="Rename one of the two, or remove it.")


def another_kind(standard_id: str, kind: str) -> Refused:
    """An id stays with its kind: plants, rights and figures know a standard by it."""
    return Refused(
        "standards.another_kind",
        f"{standard_id} is a {kind.replace('_', ' ')}, its next version too.",
        todo="Write it under an id of its own.",
    )


def not_theirs(may: str, kind: str) -> Denied:
    """The setting `office` gives it to others."""
    return Denied(
        "standards.not_theirs",
        f"You may not {may} a {kind.replace('_', ' ')} of this area.",
        todo="Ask who may, or have the hub's setting `office` changed.",
    )


def no_deviation(plant: str) -> NotFound:
    """No such deviation in force."""
    return NotFound(
        "standards.no_deviation", f"{plant} has no such deviation in force now.", todo="Look in the list of deviations."
    )


def renewed_meanwhile() -> Refused:
    """What is approved must be what was read."""
    return Refused(
        "standards.changed", "The deviation was renewed after it was shown to you.", todo="Read it again, then decide."
    )
