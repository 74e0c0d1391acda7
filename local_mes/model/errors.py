"""Errors of the plant model."""

from __future__ import annotations

from shared.errors import BadSetup, NotFound


def unknown_unit(code: str, plant: str) -> NotFound:
    """A unit that the model does not describe."""
    return NotFound("model.unknown_unit", f"{plant} has no unit {code!r}.", todo="Use a unit code of the plant model.")


def missing_parameter(unit: str, name: str, kind: str) -> BadSetup:
    """A unit parameter that an operation needs."""
    return BadSetup(
        "model.parameter",
        f"Unit {unit} needs the parameter {name!r} ({kind}).",
        todo=f"Add it under [unit.parameters] of {unit} in the plant model.",
    )


def no_unit_speaks(link: str, plant: str) -> BadSetup:
    """A telegram came over a link that belongs to no unit."""
    return BadSetup(
        "model.no_unit",
        f"No unit of {plant} speaks over the link {link!r}.",
        todo=f'Write link = "{link}" under the unit in the plant model.',
    )


def unknown_scheme(code: str, plant: str) -> BadSetup:
    """A number was asked for that the model does not say how to write."""
    return BadSetup(
        "model.numbering",
        f"The plant model of {plant} has no numbering {code!r}.",
        todo=f'Add a [[numbering]] with code = "{code}".',
    )


def bad_file(path: object, reason: str, todo: str) -> BadSetup:
    """The model file cannot be used; reason names the key."""
    return BadSetup(
        "model.bad_file", f"The plant model {path} cannot be used: {reason}.", kept="Nothing was started.", todo=todo
    )
