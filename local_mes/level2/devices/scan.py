"""What a hand scanner read: the symbology by its AIM prefix, the number in it. Pure.

AIM prefixes are of ISO/IEC 15424; application identifiers and check digits are GS1's (General Specifications, 3 and 7.9).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

GS = "\x1d"
"""FNC1 within a GS1 code, as scanners send it."""
SYMBOLOGIES = {
    "C0": "code128",
    "C1": "gs1-128",
    "C2": "code128",
    "A": "code39",
    "d0": "datamatrix",
    "d1": "datamatrix",
    "d2": "gs1-datamatrix",
    "Q0": "qr",
    "Q1": "qr",
    "Q2": "qr",
    "Q3": "gs1-qr",
    "E": "ean",
    "e0": "gs1-databar",
    "I": "interleaved25",
    "L": "pdf417",
    "z": "aztec",
    "X": "typed",
}
"""By letter and digit, or by letter alone."""
FIXED = {"00": 18, "01": 14, "02": 14, "03": 14, "11": 6, "12": 6, "13": 6, "15": 6, "16": 6, "17": 6, "20": 2} | {
    f"41{n}": 13 for n in range(8)
}
"""Application identifiers whose values have one length; those of 31nn to 36nn (measures) have six digits."""
CHECKED = ("00", "01", "02", "03")
"""Their last digit is a check digit."""
VARIABLE = {"10": 20, "21": 20, "22": 20, "30": 8, "37": 8} | {
    name: 30 for name in ("240", "241", "250", "251", "400", "403", "8004")
}
OWN = tuple(str(n) for n in range(90, 100))
TEXT_MAX = 512


@dataclass(frozen=True)
class Scan:
    """symbology: `typed` where no prefix says; content: by application identifier; wrong: why it cannot be used."""

    text: str
    symbology: str
    number: str
    content: dict[str, str] = field(default_factory=dict)
    wrong: str = ""


def read_scan(said: str, number_from: Sequence[str], pattern: str = r"(?P<number>.+)") -> Scan:
    """A scan as it came. number_from: application identifiers, the first that is there names the piece.

    pattern: what other codes look like, the number in its group `number`.
    """
    symbology, text = _symbology(said.strip("\r\n\t "))
    try:
        if not text or len(text) > TEXT_MAX or not all(char.isprintable() or char == GS for char in text):
            raise ValueError("it has no content that can be read")
        if symbology.startswith("gs1") or text.startswith(GS):
            content = read_gs1(text.lstrip(GS))
            number = next((content[name] for name in number_from if content.get(name)), "")
            if not number:
                raise ValueError(f"none of the identifiers {', '.join(number_from)} is in it")
            return Scan(text, symbology, number, content)
        hit = re.fullmatch(pattern, text)
        if hit is None:
            raise ValueError("it does not look like a label of a piece")
        return Scan(text, symbology, hit["number"].strip())
    except ValueError as error:
        return Scan(text, symbology, "", wrong=str(error))


def _symbology(said: str) -> tuple[str, str]:
    if len(said) < 3 or said[0] != "]" or not said[1].isalpha():
        return "typed", said
    prefix = said[1:3]
    return SYMBOLOGIES.get(prefix) or SYMBOLOGIES.get(prefix[0]) or f"]{prefix}", said[3:]


def read_gs1(text: str) -> dict[str, str]:
    """Values by application identifier. ValueError says what is wrong."""
    content: dict[str, str] = {}
    while text:
        name, size, fixed = _identifier(text)
        rest = text[len(name) :]
        value = rest[:size] if fixed else rest.partition(GS)[0]
        if not value or (fixed and len(value) < size) or len(value) > size or GS in value:
            raise ValueError(f"identifier {name} has {len(value)} of {size} characters")
        if name in CHECKED and not has_check_digit(value):
            raise ValueError(f"the check digit of identifier {name} is wrong")
        content[name] = value
        text = rest[len(value) :].removeprefix(GS)
    return content


def _identifier(text: str) -> tuple[str, int, bool]:
    """Name, longest length, and whether every value has it."""
    if re.match(r"3[1-6]\d\d", text):
        return text[:4], 6, True
    for length in (4, 3, 2):
        name = text[:length]
        if name in FIXED:
            return name, FIXED[name], True
        if name in VARIABLE:
            return name, VARIABLE[name], False
        if name in OWN:
            return name, 90, False
    raise ValueError(f"{text[:4]!r} begins with no identifier that is known")


def has_check_digit(digits: str) -> bool:
    """GS1's modulo 10: weights 3 and 1 from the right, the check digit included with 1."""
    if not (digits.isascii() and digits.isdigit()):
        return False
    return sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(reversed(digits))) % 10 == 0
