"""What can go wrong when a message is mended, in sentences."""

from __future__ import annotations

from collections.abc import Mapping

from shared.clock import to_datetime
from shared.errors import BadInput, BadSetup, NotFound, Refused, Unavailable

NOTHING_SENT = "Nothing was sent."
KEPT = "The message stays in the repair queue as it was."


def unknown_repair(repair_id: str) -> NotFound:
    """No such message in repair."""
    return NotFound(
        "level2.no_repair",
        f"There is no message {repair_id!r} in the repair queue.",
        todo="Open the list of repairs; it may have been mended meanwhile.",
    )


def closed_already(state: str) -> Refused:
    """Somebody was quicker."""
    return Refused("level2.closed", f"This message was {state} already.", todo="Look at who did it and how.")


def still_wrong(reason: str) -> BadInput:
    """The mended message is still one that cannot be right."""
    return BadInput("level2.still_wrong", reason, kept=KEPT, todo="Correct the field named and try again.")


def still_too_early(reason: str) -> Refused:
    """The mended message is plausible, but what it builds on is missing."""
    return Refused(
        "level2.too_early",
        f"What the message builds on is not known: {reason}.",
        kept=KEPT,
        todo="Book what is missing first (or mend that message), then try again.",
    )


def spool_gone(spool_id: int) -> Refused:
    """The message lay in a spool that this plant no longer has."""
    return Refused(
        "level2.spool_gone",
        f"Message {spool_id} lay in a spool that is not here any more.",
        kept=KEPT,
        todo="Book what it said by hand, then dismiss it with that reason.",
    )


def unknown_link(code: str) -> NotFound:
    """The plant model has no such link."""
    return NotFound(
        "level2.no_link", f"The plant model has no link {code!r}.", todo="Open the list of links and choose one."
    )


def unknown_setpoint(link: str, message: str) -> NotFound:
    """The plant model lets nobody send it."""
    return NotFound(
        "level2.no_setpoint",
        f"The link {link!r} has no set-point {message!r} that people may send.",
        kept=NOTHING_SENT,
        todo="Choose one of the page Set-points; `setpoints` of the link in the plant model names them.",
    )


def bad_setpoint(reason: str) -> BadInput:
    """Its layout does not let these values through."""
    return BadInput("level2.bad_setpoint", reason, kept=NOTHING_SENT, todo="Correct the value and send it again.")


def piece_is_held(why: str) -> Refused:
    """Nothing is set for a piece that nobody may process."""
    return Refused(
        "level2.piece_held",
        f"The piece is held: {why}.",
        kept=NOTHING_SENT,
        todo="Have the hold released first, or send it for another piece.",
    )


def no_such_piece(number: str) -> BadInput:
    """What it is said to be for is not here."""
    return BadInput(
        "level2.no_piece",
        f"No live piece of this plant has the number {number!r}.",
        kept=NOTHING_SENT,
        todo="Correct the number, or leave it empty where the set-point is for no piece.",
    )


def only_listens(link: str) -> Refused:
    """In shadow mode the old MES speaks to Level 2."""
    return Refused(
        "level2.shadow",
        f"The link {link} only listens, beside the old MES.",
        kept=NOTHING_SENT,
        todo="Set it where the plant is run from now: in the old MES or at the unit.",
    )


def unknown_order(down_id: int) -> NotFound:
    """No set-point has this number."""
    return NotFound("level2.no_order", f"There is no set-point {down_id}.", todo="Open the page Set-points.")


def already_settled(state: str) -> Refused:
    """Level 2 was quicker."""
    return Refused("level2.settled", f"It is {state} already.", todo="Send another with the value you want now.")


def unknown_message(spool_id: int) -> NotFound:
    """The spool has no such message."""
    return NotFound(
        "level2.no_message",
        f"There is no message {spool_id} in this plant's spool (any more).",
        todo="Open the link and choose one of its messages; old ones are given up after `spool_days`.",
    )


def unknown_refused(refused_id: int) -> NotFound:
    """No such telegram is kept among the refused."""
    return NotFound(
        "level2.no_refused",
        f"There is no refused telegram {refused_id} (any more): only the newest of a link are kept.",
        todo="Open the link and choose one of its refused telegrams.",
    )


def given_up(to_ms: int) -> Refused:
    """A stretch of time of which the spool no longer has everything."""
    return Refused(
        "level2.given_up",
        f"The spool no longer has every message up to {to_datetime(to_ms):%Y-%m-%dT%H:%M:%SZ}: the old ones were given up.",
        kept="Nothing was captured.",
        todo="Begin later. Files captured before are as good as ever; the setting spool_days says how long messages stay.",
    )


def not_a_telegram_link(code: str) -> NotFound:
    """Only telegrams have layouts of their own to be described."""
    return NotFound(
        "level2.no_telegrams",
        f"The link {code} carries no telegrams, so there is no interface document of it.",
        todo="Open one of a telegram link.",
    )


def bad_capture(line: int, why: str) -> BadInput:
    """The file is no capture of a link."""
    return BadInput(
        "level2.bad_capture",
        f"Line {line} of the capture cannot be read: {why}.",
        kept="Nothing was replayed.",
        todo="Make the capture again: strandline plant capture.",
    )


def bad_moment(text: str) -> BadInput:
    """No date and time."""
    return BadInput(
        "level2.bad_moment",
        f"{text!r} is no date and time.",
        todo="Write it as 2026-03-11T06:00, in the plant's local time or with an offset such as +00:00.",
    )


def lives_in_real_time(code: str) -> Refused:
    """A replay sets the plant's clock; a plant that makes steel has the machine's."""
    return Refused(
        "level2.live_plant",
        f"{code} runs on the machine's clock: a replay would book the past as the present.",
        todo="Replay into a plant made for it, whose settings name a `clock_file`.",
    )


def has_a_hub(code: str) -> Refused:
    """A plant of a group is nothing to play with."""
    return Refused(
        "level2.enrolled_plant",
        f"{code} is enrolled with a hub: a replay would send the past there as the present.",
        todo="Replay into a plant made for it, with a `clock_file` and no hub.",
    )


def calls_real_peers(code: str, addresses: Mapping[str, str]) -> Refused:
    """A plant that is played would do at its model's addresses what the real one does."""
    links = ", ".join(f"{link} ({address})" for link, address in addresses.items())
    return Refused(
        "level2.real_peers",
        f"{code} follows a clock file, so it is played, and would call what its plant model names: {links}.",
        kept="Nothing was called, and nothing was replayed.",
        todo="Give each of these links an address for the replay in `link_addresses` of this plant's settings"
        " (of this machine: 127.0.0.1). A plant that makes steel has no `clock_file`.",
    )


def other_plant(captured: str, here: str) -> BadInput:
    """A capture means something only with its own plant's model."""
    return BadInput(
        "level2.other_plant",
        f"The capture is of {captured}, this plant is {here}.",
        kept="Nothing was replayed.",
        todo=f"Replay it into a plant with the model of {captured}.",
    )


def no_file(name: str, folder: str) -> NotFound:
    """The file to replay is not there."""
    return NotFound("level2.no_file", f"There is no {name!r} in {folder}.", todo="Lay the capture there, or send it.")


def replays_already() -> Refused:
    """One at a time: they would set one clock."""
    return Refused("level2.replays", "A replay runs already.", todo="Wait for its end, or stop it.")


def captures_already(link: str) -> Refused:
    """One capture of a link at a time."""
    return Refused("level2.captures", f"A capture of {link} runs already.", todo="Stop it first.")


def too_many_captures(link: str, most: int) -> Refused:
    """Each keeps messages on the disk."""
    return Refused("level2.captures_max", f"{link} has {most} captures.", todo="Download and delete old ones first.")


def no_capture(capture_id: int) -> NotFound:
    """Deleted meanwhile."""
    return NotFound("level2.no_capture", f"There is no capture {capture_id}.", todo="Open the list again.")


def not_taken(link: str, name: str, why: str) -> Unavailable:
    """The replayed plant does not do its part."""
    return Unavailable(
        "level2.not_taken",
        f"{name} of {link} was not taken: {why}.",
        kept="What was replayed before stays in that plant.",
        todo="Run `strandline plant run` and `strandline plant level2` of that plant, then replay into a fresh one.",
    )


def port_taken(link: str, address: str, why: str) -> BadSetup:
    """A link cannot listen where it should."""
    return BadSetup(
        "level2.port_taken",
        f"The link {link} cannot listen on {address}: {why}.",
        kept="No link was started.",
        todo="Stop the program that uses the port, or give the link another address in the settings.",
    )
