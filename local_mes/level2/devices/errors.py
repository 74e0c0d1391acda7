"""What speaks against a job for a device, in sentences."""

from __future__ import annotations

from shared.errors import NotFound, Refused

KEPT = "Nothing was sent to the device."


def unknown_device(code: str) -> NotFound:
    """The plant model has no such device."""
    return NotFound("level2.no_device", f"The plant has no device {code!r}.", todo="Open the list of devices.")


def cannot_do(code: str, kind: str, what: str) -> Refused:
    """Another kind of device does that."""
    return Refused(
        "level2.device_cannot", f"{code} is a {kind}; it takes no {what}.", kept=KEPT, todo="Choose another device."
    )


def needs_piece(what: str) -> Refused:
    """Only a test is of no piece."""
    return Refused(
        "level2.device_piece", f"Say of which piece the {what} is.", kept=KEPT, todo="Scan or type any of its numbers."
    )


def piece_gone(number: str, state: str) -> Refused:
    """Nobody can mark what is not here."""
    return Refused(
        "level2.device_gone",
        f"{number} is {state}.",
        kept=KEPT,
        todo="Look the piece up: where is it, what became of it?",
    )


def piece_held(number: str, reason: str) -> Refused:
    """A held piece gets no marking: it may have to go under another number, or nowhere."""
    return Refused(
        "level2.device_held",
        f"{number} is held: {reason}",
        kept=KEPT,
        todo="Quality releases it; then mark it.",
    )


def bad_text(text: str, why: str) -> Refused:
    """The device cannot write that."""
    return Refused(
        "level2.device_text",
        f"{text!r} cannot be written: {why}.",
        kept=KEPT,
        todo="Correct the link's templates or its `characters` in the plant model.",
    )


def no_job(down_id: int) -> NotFound:
    """No such job."""
    return NotFound("level2.no_job", f"There is no job {down_id}.", todo="Open the device and choose one.")


def job_over(state: str) -> Refused:
    """What a device has answered cannot be taken back."""
    return Refused(
        "level2.job_over",
        f"The job is {state}.",
        kept="The device has answered; nothing was changed.",
        todo="If a label or a marking is wrong, make a new one and remove the old.",
    )
