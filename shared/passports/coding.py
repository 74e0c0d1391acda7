"""A passport as text of the 45 characters that a QR code packs two in eleven bits (RFC 9285), and back. Pure."""

from __future__ import annotations

from shared.errors import BadInput

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES = {char: value for value, char in enumerate(ALPHABET)}
PREFIX = "SLP1:"
END = ":"
"""The last character: a text may end in a blank, which scanners and forms cut off."""


def to_text(wire: bytes) -> str:
    """The text of a passport: what its QR code says and a line of its file."""
    return f"{PREFIX}{encode45(wire)}{END}"


def from_text(text: str, most: int) -> bytes:
    """The bytes of a passport's text, at most so many. BadInput for anything else."""
    said = text.strip()
    if not said.startswith(PREFIX) or not said.endswith(END) or len(said) <= len(PREFIX):
        raise _unreadable(f"a passport's text begins with {PREFIX} and ends with {END!r}")
    body = said[len(PREFIX) : -len(END)]
    if len(body) > length45(most):
        raise _unreadable(f"it has {len(said)} characters, more than any passport")
    return decode45(body)


def length45(size: int) -> int:
    """Characters of so many bytes: three for two, two for a single last one."""
    return size // 2 * 3 + size % 2 * 2


def encode45(raw: bytes) -> str:
    """Bytes as base45."""
    out = []
    for at in range(0, len(raw) - 1, 2):
        pair, first = divmod(raw[at] * 256 + raw[at + 1], 45)
        third, second = divmod(pair, 45)
        out.append(ALPHABET[first] + ALPHABET[second] + ALPHABET[third])
    if len(raw) % 2:
        second, first = divmod(raw[-1], 45)
        out.append(ALPHABET[first] + ALPHABET[second])
    return "".join(out)


def decode45(text: str) -> bytes:
    """base45 as bytes. BadInput for a letter or a group that no encoder writes."""
    try:
        digits = [_VALUES[char] for char in text]
    except KeyError as error:
        raise _unreadable(f"{error.args[0]!r} stands in no passport") from error
    out = bytearray()
    for at in range(0, len(digits), 3):
        group = digits[at : at + 3]
        value = sum(digit * 45**place for place, digit in enumerate(group))
        size = len(group) - 1
        if size == 0 or value >= 256**size:
            raise _unreadable("a part of it is cut off or changed")
        out += value.to_bytes(size, "big")
    return bytes(out)


def _unreadable(why: str) -> BadInput:
    return BadInput(
        "passport.unreadable",
        f"This is no passport: {why}.",
        todo="Scan the code again, or hand in the file. The piece can be taken in by the number painted on it.",
    )
