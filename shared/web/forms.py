"""Forms: reading what was typed into the integers of the tables, and keeping it on the page when it is refused."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import g, make_response, request

from shared.errors import BadInput, StrandlineError
from shared.web.formats import whole

P = ParamSpec("P")
R = TypeVar("R")
TEXT_MAX = 500


def keeps_input(show: Callable[..., Any]) -> Callable[[Callable[P, R]], Callable[P, Any]]:
    """For a POST view: when the service refuses, show the form again with the error above and everything as typed.

    `show` is the view of the form's page; it gets the same address arguments.
    """

    def keep(view: Callable[P, R]) -> Callable[P, Any]:
        @wraps(view)
        def kept(*args: P.args, **kwargs: P.kwargs) -> Any:
            try:
                return view(*args, **kwargs)
            except StrandlineError as error:
                g.form_error = error
                answer = make_response(show(*args, **kwargs))
                answer.status_code = error.status
                return answer

        return kept

    return keep


def read_text(name: str, label: str, *, most: int = TEXT_MAX, needed: bool = True) -> str:
    """A line of text, trimmed."""
    text = request.form.get(name, "").strip()
    if needed and not text:
        raise BadInput("form.missing", f"{label} is missing.", todo=f"Fill in {label.lower()}.")
    if len(text) > most:
        raise BadInput("form.long", f"{label} has {len(text)} characters.", todo=f"Use at most {most}.")
    return text


def read_number(name: str, label: str, *, least: int, most: int, unit: str = "", scale: int = 1) -> int:
    """A figure within least..most (in the unit shown), as an integer of unit/scale: kg with scale 1000 gives grams."""
    text = read_text(name, label).replace(",", "").replace(" ", "").replace("\u202f", "")
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise BadInput("form.number", f"{label} {text!r} is no number.", todo="Type digits only.") from None
    span = f"{whole(least)} to {whole(most)} {unit}".strip()
    if not value.is_finite() or not least <= value <= most:
        raise BadInput(
            "form.range",
            f"{label} {text} {unit} is outside what is possible.".replace("  ", " "),
            todo=f"The permitted range is {span}.",
        )
    scaled = value * scale
    if scaled != scaled.to_integral_value():
        raise BadInput("form.digits", f"{label} {text} has more digits than are kept.", todo="Round it.")
    return int(scaled)


def find_number(name: str, label: str, *, least: int, most: int, unit: str = "", scale: int = 1) -> int | None:
    """Like read_number for a field that may stay empty."""
    if not request.form.get(name, "").strip():
        return None
    return read_number(name, label, least=least, most=most, unit=unit, scale=scale)


def read_choice(name: str, label: str, choices: Any) -> str:
    """One of the offered values."""
    text = read_text(name, label)
    if text not in choices:
        raise BadInput("form.choice", f"{label} {text!r} is not offered.", todo="Choose one of the list.")
    return text


def command_id() -> str:
    """The id under which this command is done once, minted when the form was shown."""
    return read_text("command_id", "Command id", most=64)
