"""Refusals around the plant model's versions."""

from __future__ import annotations

from shared.errors import BadInput, NotFound, Refused, Unavailable

KEPT = "The model file is as it was."


def faulty(what: str, todo: str) -> BadInput:
    """The text cannot be a plant model."""
    return BadInput("model.faulty", what, kept=KEPT, todo=todo)


def too_long(length: int, most: int) -> BadInput:
    """Longer than a model is."""
    return BadInput("model.too_long", f"The text has {length} characters.", kept=KEPT, todo=f"At most {most}.")


def other_plant(code: str, mine: str) -> BadInput:
    """A plant's code stays for ever: streams, numbers and keys hang on it."""
    return BadInput("model.other_plant", f"The text is of {code}, this is {mine}.", kept=KEPT, todo=f"Write {mine}.")


def changed_meanwhile() -> Refused:
    """Somebody else was quicker, on a page or on the machine."""
    return Refused(
        "model.changed",
        "The model file is not the one you began with.",
        kept=KEPT,
        todo="Look at what stands there now, and do it again on top of that.",
    )


def unchanged() -> BadInput:
    """No version without a change."""
    return BadInput("model.unchanged", "Nothing differs from the version before.", kept=KEPT, todo="Change something.")


def not_writable(why: str) -> Unavailable:
    """The file lies where this process must not write."""
    return Unavailable(
        "model.not_writable",
        f"The model file cannot be written: {why}.",
        kept=KEPT,
        todo="Let the plant's user write the folder of the model.",
    )


def unknown_version(number: int) -> NotFound:
    """No such version."""
    return NotFound("model.no_version", f"There is no version {number} of the model.", todo="Choose one of the list.")


def by_hand(unit: str, name: str) -> BadInput:
    """The file is written in a way that a single value cannot be changed in safely."""
    return BadInput(
        "model.by_hand", f"{name} of {unit} cannot be changed alone.", kept=KEPT, todo="Change it in the model's text."
    )
