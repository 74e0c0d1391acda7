"""The address of a version on pages: ID/VERSION."""

from __future__ import annotations

from central_hub.standards import errors


def parts_of(address: str) -> tuple[str, int]:
    """Id and number; NotFound when it is no such address."""
    standard_id, _, number = address.partition("/")
    if not (number.isascii() and number.isdigit() and len(number) < 8):
        raise errors.unknown_version(standard_id, 0)
    return standard_id, int(number)
