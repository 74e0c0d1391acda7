"""Values of elements: the integers of the tables (g, um, ms, 1e-6) as the text an element holds, and back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

DAY_MS = 86_400_000
WHOLE_MAX = 2**53
"""Beyond it a figure is a mistake, and JSON readers lose digits."""
OUT_OF_RANGE = -1
TEXT_MAX = 80
"""Characters of an element, unless its mapping says otherwise: X12's own numbers and codes have at most 80."""
FIGURE_MAX = 20
"""Characters of a figure: the largest with every digit has fewer."""
SEPARATORS = "*~:^\r\n"


class Broken(ValueError):
    """Text that is no X12, or says something else than the mapping reads; names segment and element."""


def write_value(value: Any, form: str) -> str:
    """A value as element text; separators within a text become blanks."""
    if value in (None, ""):
        return ""
    if form == "text":
        return "".join(" " if letter in SEPARATORS else letter for letter in str(value)).strip()
    return _WRITE[form](int(value))


def read_value(text: str, form: str, most: int = TEXT_MAX) -> Any:
    """Element text of at most so many characters as a value; empty gives an empty text or 0. Broken: no such value."""
    if len(text) > most:
        raise Broken(f"{text[:40]!r}… has more than {most} characters")
    if form == "text":
        return text.strip()
    if not text.strip():
        return 0
    if len(text.strip()) > FIGURE_MAX:
        raise Broken(f"{text[:40]!r} is longer than any {_NAMES[form]}")
    try:
        found = _READ[form](text.strip())
    except (ValueError, ArithmeticError):
        raise Broken(f"{text[:40]!r} is no {_NAMES[form]}") from None
    if not 0 <= found <= WHOLE_MAX:
        raise Broken(f"{text[:40]!r} is out of range")
    return found


def _decimal(value: int, places: int) -> str:
    return (
        f"{Decimal(value).scaleb(-places):f}".rstrip("0").rstrip(".")
        if value % 10**places
        else str(value // 10**places)
    )


def _scaled(text: str, places: int) -> int:
    """OUT_OF_RANGE where it is: known before it is scaled, for 1E+900000 as an integer takes seconds."""
    value = Decimal(text)
    return int(value.scaleb(places).to_integral_value()) if 0 <= value <= WHOLE_MAX else OUT_OF_RANGE


def _date(text: str) -> int:
    return int(datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC).timestamp() * 1000)


def _time(text: str) -> int:
    at = datetime.strptime(text, "%H%M%S" if len(text) > 4 else "%H%M")
    return (at.hour * 3600 + at.minute * 60 + at.second) * 1000


_WRITE: dict[str, Callable[[int], str]] = {
    "whole": str,
    "kg": lambda value: _decimal(value, 3),
    "mm": lambda value: _decimal(value, 3),
    "percent": lambda value: _decimal(value, 4),
    "date": lambda value: datetime.fromtimestamp(value / 1000, UTC).strftime("%Y%m%d"),
    "time": lambda value: datetime.fromtimestamp(value / 1000, UTC).strftime("%H%M%S"),
}
_READ: dict[str, Callable[[str], int]] = {
    "whole": int,
    "kg": lambda text: _scaled(text, 3),
    "mm": lambda text: _scaled(text, 3),
    "percent": lambda text: _scaled(text, 4),
    "date": _date,
    "time": _time,
}
_NAMES = {
    "whole": "whole number",
    "kg": "mass",
    "mm": "length",
    "percent": "share",
    "date": "date as YYYYMMDD",
    "time": "time as HHMM or HHMMSS",
}
