"""Refusals of the gate beside the load itself: pictures of damage, routes of incoming pieces."""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import BadInput, NotFound, Refused


def photo_too_large(size_bytes: int, most: int) -> BadInput:
    """A picture straight from a big camera."""
    return BadInput(
        "transfers.photo_large",
        f"The picture has {size_bytes:,} bytes; at most {most:,} are kept.",
        todo="Take it with the gate's page, which makes it smaller, or lower the camera's resolution.",
    )


def no_photo() -> BadInput:
    """Something else than a picture that every browser shows and none runs."""
    return BadInput("transfers.no_photo", "This is no JPEG or PNG picture.", todo="Send a JPEG or a PNG.")


def photos_enough(most: int) -> Refused:
    """More pictures of one receipt than anybody looks at."""
    return Refused(
        "transfers.photos_enough", f"{most} pictures of this receipt are kept already.", todo="Choose the telling ones."
    )


def photos_full(most: int) -> Refused:
    """The plant's store of pictures has reached its bound."""
    return Refused(
        "transfers.photos_full",
        f"{most:,} pictures are kept at this plant; no more are taken.",
        kept="The receipt can be booked without a picture.",
        todo="Move old pictures away (docs/transfers.md says how).",
    )


def unknown_photo(sha256: str) -> NotFound:
    """A picture that no receipt tells of, or whose file is gone."""
    return NotFound(
        "transfers.unknown_photo",
        f"The picture {sha256[:12]} is not kept here.",
        todo="Ask the plant that took it in; pictures stay where they were taken.",
    )


def unknown_route(route: str, known: Sequence[str]) -> BadInput:
    """A route that the plant model does not name."""
    return BadInput(
        "transfers.unknown_route",
        f"{route!r} is no route of incoming pieces here.",
        todo=f"Name {' or '.join(known)}." if known else "Add [[reroute]] rules to the plant model.",
    )


def not_taken_in(piece: str) -> NotFound:
    """A route is chosen for a piece that did not come by a receipt."""
    return NotFound(
        "transfers.not_taken_in", f"{piece} was not taken in here from elsewhere.", todo="Check the number."
    )
