"""One value to its bytes and back: what each type of field does, made once for each field. Pure.

Decoding is strict: bytes that decode are exactly the bytes that the value encodes to. So a telegram can be mended and
told again without changing anything else in it, and what a supplier fills differently is seen on the first day.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import Any

from local_mes.level2.telegrams.layout import FLOATS, INTEGERS, TEXTS, Field

FORMATS = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q", "i8": "b", "i16": "h", "i32": "i", "i64": "q"} | {
    "f32": "f",
    "f64": "d",
}
ASCII_PAGES = ("ascii", "latin-1", "cp1252")
"""Code pages in which bytes 0x20 to 0x7E are the letters of ASCII."""
TEXTS_KEPT, OFTEN_WIDTH = 256, 16
"""Texts of a field that are read once, and up to which width in bytes such a field is likely to repeat itself."""
Decode = Callable[[Any], Any]
Encode = Callable[[Any], bytes]


@dataclass(frozen=True)
class ValueCodec:
    """struct's letter for the bytes, what to make of what struct gives (None: take it as it is), and the way back.

    is_digits: bytes that are all digits are simply that number; `decode` is for the others
    """

    format: str
    decode: Decode | None
    encode: Encode
    is_digits: bool = False


def codec_of(f: Field, delimited: bool) -> ValueCodec:
    """How one field's value travels; ValueError or TypeError of its functions say what is wrong with a value."""
    if f.type in TEXTS:
        return _text(f, delimited)
    if f.type == "N":
        return _digits(f, delimited)
    if f.type in INTEGERS:
        return _integer(f)
    if f.type in FLOATS:
        return _float(f)
    return {"packed": _packed, "bcd": _bcd, "hex": _hex}[f.type](f)


def _text(f: Field, delimited: bool) -> ValueCodec:
    page, width = f.code_page, 0 if delimited else f.width
    bad = f"holds bytes that are no printable {page.upper()}"

    def decode(raw: bytes) -> str:
        try:
            text = raw.decode(page)
        except UnicodeDecodeError:
            raise ValueError(bad) from None
        if not text.isprintable():
            raise ValueError(bad)
        return text if delimited else text.rstrip(" ")

    def encode(value: Any) -> bytes:
        text = "" if value is None else str(value)
        if not text.isprintable():
            raise ValueError(f"only printable {page.upper()}")
        return text.ljust(width).encode(page)

    # names and codes are the same again and again; times and remarks are not
    often = lru_cache(maxsize=TEXTS_KEPT)(decode) if f.width <= OFTEN_WIDTH else decode
    return ValueCodec(f"{f.width}s", often, encode)


def _digits(f: Field, delimited: bool) -> ValueCodec:
    page, optional, width = f.code_page, f.optional, 0 if delimited else f.width
    pattern, value_of, number_of = _number_pattern(f), _value_of(f), _number_of(f)
    is_plain = f.numerator == f.denominator == 1 and not (f.codes or f.point) and f.fill == "0" and page in ASCII_PAGES
    written = b"%%0%dd" % width

    def decode(raw: bytes) -> Any:
        text = raw.decode(page, "replace")
        if optional and not text.strip(" ") and len(text) == width:
            return None
        if not pattern.fullmatch(text):
            raise ValueError("is no number")
        number = int(text.replace(".", "") if f.point else text)
        if number == 0 and "-" in text:
            raise ValueError("is minus nothing")
        return value_of(number)

    def encode(value: Any) -> bytes:
        if is_plain and type(value) is int:  # nearly always
            return written % value
        if value is None and optional:
            return (" " * width).encode(page)
        text = _written(number_of(value), f)
        return (text.zfill(width) if f.fill == "0" else text.rjust(width)).encode(page)

    return ValueCodec(f"{f.width}s", decode, encode, is_plain)


def _number_pattern(f: Field) -> re.Pattern[str]:
    whole = {"0": "-?[0-9]+", " ": " *-?(?:0|[1-9][0-9]*)", "": "-?(?:0|[1-9][0-9]*)"}[f.fill]
    return re.compile(f"{whole}\\.[0-9]{{{f.decimals}}}" if f.point else whole)


def _written(number: int, f: Field) -> str:
    if not f.point:
        return str(number)
    whole, part = divmod(abs(number), 10**f.decimals)
    return f"{'-' if number < 0 else ''}{whole}.{part:0{f.decimals}d}"


def _integer(f: Field) -> ValueCodec:
    order: Any = f.byte_order
    width, signed, number_of = f.width, f.type.startswith("i"), _number_of(f)

    def encode(value: Any) -> bytes:
        return number_of(value).to_bytes(width, order, signed=signed)

    plain = f.numerator == f.denominator == 1 and not f.codes
    return ValueCodec(FORMATS[f.type], None if plain else _value_of(f), encode)


def _float(f: Field) -> ValueCodec:
    letter = FORMATS[f.type]
    pack = struct.Struct(("<" if f.byte_order == "little" else ">") + letter).pack

    def decode(value: float) -> float:
        if not isfinite(value):
            raise ValueError("is no number")
        return value

    def encode(value: Any) -> bytes:
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise TypeError("is no number")
        return pack(value)

    return ValueCodec(letter, decode, encode)


def _packed(f: Field) -> ValueCodec:
    signs = {"c": 1, "d": -1} if f.signed else {"f": 1}
    plus, minus = ("c", "d") if f.signed else ("f", "")
    digits, value_of, number_of = 2 * f.width - 1, _value_of(f), _number_of(f)

    def decode(raw: bytes) -> Any:
        text, sign = raw.hex()[:-1], signs.get(raw.hex()[-1], 0)
        number = sign * int(text) if sign and text.isdigit() else None
        if number is None or (number == 0 and sign < 0):
            raise ValueError("is no packed number")
        return value_of(number)

    def encode(value: Any) -> bytes:
        number = number_of(value)
        if number < 0 and not minus:
            raise ValueError("is below 0")
        text = f"{abs(number):0{digits}d}"
        if len(text) > digits:
            raise ValueError(f"more than {digits} digits")
        return bytes.fromhex(text + (minus if number < 0 else plus))

    return ValueCodec(f"{f.width}s", decode, encode)


def _bcd(f: Field) -> ValueCodec:
    digits, value_of, number_of = 2 * f.width, _value_of(f), _number_of(f)

    def decode(raw: bytes) -> Any:
        text = raw.hex()
        if not text.isdigit():
            raise ValueError("is no binary coded decimal")
        return value_of(int(text))

    def encode(value: Any) -> bytes:
        text = f"{number_of(value):0{digits}d}"
        if len(text) > digits or not text.isdigit():
            raise ValueError(f"not 0 to {'9' * digits}")
        return bytes.fromhex(text)

    return ValueCodec(f"{f.width}s", decode, encode)


def _hex(f: Field) -> ValueCodec:
    def encode(value: Any) -> bytes:
        if not isinstance(value, str):
            raise TypeError("is no hex text")
        return bytes.fromhex(value)

    return ValueCodec(f"{f.width}s", bytes.hex, encode)


def _value_of(f: Field) -> Callable[[int], Any]:
    """The field's value of the whole number on the wire."""
    top, below, codes = f.numerator, f.denominator, f.codes
    if codes:

        def coded(number: int) -> str:
            if number not in codes:
                raise ValueError(f"none of the codes {', '.join(map(str, codes))}")
            return codes[number]

        return coded
    if below == 1:
        return (lambda number: number * top) if top != 1 else (lambda number: number)
    return lambda number: number * top / below


def _number_of(f: Field) -> Callable[[Any], int]:
    """The whole number on the wire; a value with more decimals than the field is refused, not rounded away."""
    top, below = f.numerator, f.denominator
    numbers = {text: number for number, text in f.codes.items()}

    def number_of(value: Any) -> int:
        if numbers:
            if value not in numbers:
                raise ValueError(f"none of {', '.join(numbers)}")
            return numbers[value]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError("is no number")
        if top == below == 1 and isinstance(value, int):
            return value
        exact = value * below / top
        number = round(exact)
        # what a float of 15 digits cannot tell from the whole number is no further decimal
        if abs(exact - number) > max(1e-4, abs(exact) * 2**-50):
            raise ValueError(f"is no whole number of {top / below:g}")
        return number

    return number_of


def shown(raw: object) -> str:
    """What stood in a field, for people: printable text between quotes, other bytes by their hexadecimal digits."""
    if not isinstance(raw, bytes):
        return str(raw)
    text = raw.decode("ascii", "replace")
    return f'"{text}"' if raw.isascii() and text.isprintable() else f"bytes {raw.hex(' ')}"
