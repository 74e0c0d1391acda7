"""What can go wrong on the pages of the mapping, in sentences."""

from __future__ import annotations

from shared.errors import BadInput, NotFound, Refused


def unreadable(why: str) -> BadInput:
    """What was pasted is no message."""
    return BadInput(
        "level2.not_a_message",
        f"The message cannot be tried: {why}.",
        kept="Nothing was recorded.",
        todo="Choose one of the link's messages, or paste one whole.",
    )


def no_mapping(link: str) -> NotFound:
    """The link has no mapping file."""
    return NotFound(
        "level2.no_mapping",
        f"The link {link} names no mapping file.",
        todo='Write mapping = "mapping/<name>.toml" under the link in the plant model, and start again.',
    )


def changed_meanwhile(file: str) -> Refused:
    """Somebody else saved it first."""
    return Refused(
        "level2.mapping_changed",
        f"The mapping {file} was changed since this page was opened.",
        kept="What was saved meanwhile stays.",
        todo="Open the page again and make your change there.",
    )


def not_writable(file: str, why: str) -> Refused:
    """The plant's process may not write the model's folder."""
    return Refused(
        "level2.mapping_not_written",
        f"The mapping {file} cannot be saved: {why}.",
        kept="The mapping in force stays in force.",
        todo="Let the plant's user write the model's folder, or change the file where it is kept and deploy it.",
    )
