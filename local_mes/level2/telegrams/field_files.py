"""The fields of a layout file: types, places, widths and scales, checked against each other."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

from local_mes.level2.telegrams.layout import FLOATS, INTEGERS, SIZED, TEXTS, Field
from local_mes.level2.telegrams.layout_schema import ByteOrder, FieldForm, FileForm, bad_layout
from local_mes.level2.telegrams.values import codec_of

FIXED = {"N", *TEXTS, *SIZED, "packed", "bcd", "hex", "group"}
TYPES = {
    "ascii": FIXED,
    "ebcdic": FIXED,
    "binary": FIXED,
    "delimited": {"N", "A", "group"},
    "json": {"number", "text", "group"},
}
CODE_PAGES = {"ascii": "ascii", "ebcdic": "cp037", "binary": "ascii", "delimited": "ascii", "json": "ascii"}
EXACT_DIGITS = 15
"""A scaled number of more digits would not come back from a float as it was."""


class _Wrong(Exception):
    """What is wrong with a field."""


def read_fields(path: Path, form: FileForm) -> tuple[tuple[Field, ...], int | None]:
    """The fields and how many bytes they take, None where a group makes that change; BadSetup names the field."""
    return _read_rows(path, form, form.fields)


def _read_rows(path: Path, form: FileForm, rows: Sequence[FieldForm]) -> tuple[tuple[Field, ...], int | None]:
    made: dict[str, Field] = {}
    at: int | None = None if form.encoding in ("delimited", "json") else 0
    for row in rows:
        try:
            if row.name in made:
                raise _Wrong("the name comes twice")
            f, at = _read_one(path, form, row, made, at)
        except _Wrong as error:
            raise bad_layout(path, f"field {row.name!r}: {error}") from error
        made[row.name] = f
    return tuple(made.values()), at


def _read_one(
    path: Path, form: FileForm, row: FieldForm, before: dict[str, Field], at: int | None
) -> tuple[Field, int | None]:
    if row.type not in TYPES[form.encoding]:
        raise _Wrong(f"type {row.type!r} is none of {', '.join(sorted(TYPES[form.encoding]))}")
    gap = _gap(row, at)
    start = None if at is None else at + gap
    if row.type == "group":
        inner, size = _read_rows(path, form, row.fields)
        f = _group(form, row, inner, before, gap, start)
        return f, start + f.times * size if start is not None and size is not None and f.times else None
    f = _plain(form, row, gap, start)
    if form.encoding != "json":
        _check_samples(f, form)
    return f, None if start is None else start + f.width


def _gap(row: FieldForm, at: int | None) -> int:
    if row.offset is None:
        return 0
    if at is None:
        raise _Wrong("`offset` has no meaning in delimited text or behind a group of changing size")
    if row.offset < at:
        raise _Wrong(f"`offset` {row.offset} lies within the field before it, which ends at {at}")
    return row.offset - at


def _group(
    form: FileForm,
    row: FieldForm,
    inner: tuple[Field, ...],
    before: dict[str, Field],
    gap: int,
    start: int | None,
) -> Field:
    counted = before.get(row.count)
    most = row.times or row.max_count
    if form.encoding != "json" and not row.times:
        if counted is None:
            raise _Wrong("a group needs `times`, or a `count` field before it")
        if counted.type not in (*INTEGERS, "N", "packed", "bcd") or counted.codes or counted.optional:
            raise _Wrong(f"its count field {row.count!r} is no whole number")
        if (counted.numerator, counted.denominator) != (1, 1):
            raise _Wrong(f"its count field {row.count!r} has a scale")
    if most < 1 or not inner:
        raise _Wrong("a group needs `fields` and `max_count`")
    if gap:
        raise _Wrong("`offset` of a group goes to its first field")
    return Field(
        name=row.name,
        type="group",
        offset=start,
        description=row.description,
        optional=row.optional,
        required=row.required,
        count=row.count,
        max_count=most,
        times=row.times,
        fields=inner,
    )


def _plain(form: FileForm, row: FieldForm, gap: int, start: int | None) -> Field:
    if row.fields or row.count or row.times or row.max_count:
        raise _Wrong("`fields`, `count`, `times` and `max_count` belong to groups")
    if row.min is not None and row.max is not None and row.min > row.max:
        raise _Wrong("`min` is above `max`")
    width = SIZED.get(row.type, row.width or 0)
    if form.encoding != "json" and not 0 < width <= 4000:
        raise _Wrong("`width` must be 1 to 4,000")
    scale = Fraction(str(row.scale or 1)) / 10**row.decimals
    _check_scale(row, scale, width)
    return Field(
        name=row.name,
        type=row.type,
        width=width,
        offset=start,
        gap=gap,
        decimals=row.decimals,
        numerator=scale.numerator,
        denominator=scale.denominator,
        byte_order=_byte_order(form, row),
        code_page=_code_page(form, row),
        fill=_fill(form, row),
        point=_point(form, row),
        signed=row.signed,
        unit=row.unit,
        low=row.min,
        high=row.max,
        values=tuple(row.values),
        codes=_codes(row),
        required=row.required,
        optional=row.optional,
        description=row.description,
        example=row.example,
        constant=row.constant,
    )


def _check_scale(row: FieldForm, scale: Fraction, width: int) -> None:
    if row.optional and row.type not in ("N", "number", "text", *TEXTS):
        raise _Wrong(f"type {row.type} cannot be left empty, so it is not `optional`")
    if scale == 1:
        return
    if row.type in (*TEXTS, *FLOATS, "hex", "text") or row.codes:
        raise _Wrong("`scale` and `decimals` are for whole numbers without `codes`")
    digits = {"N": width, "packed": 2 * width - 1, "bcd": 2 * width}.get(row.type, 10 if width <= 4 else 20)
    if digits > EXACT_DIGITS and row.type != "number":
        raise _Wrong(f"a number of more than {EXACT_DIGITS} digits has neither `scale` nor `decimals`")


def _byte_order(form: FileForm, row: FieldForm) -> Any:
    if row.type in SIZED and row.encoding:
        if row.encoding not in get_args(ByteOrder):
            raise _Wrong(f"`encoding` of type {row.type} is big or little")
        return row.encoding
    return form.byte_order


def _code_page(form: FileForm, row: FieldForm) -> str:
    page = row.encoding if row.type not in SIZED and row.encoding else form.code_page or CODE_PAGES[form.encoding]
    if page in get_args(ByteOrder):
        raise _Wrong(f"`encoding` of type {row.type} is a code page")
    if form.encoding == "delimited" and page in ("cp037", "cp273", "cp500", "cp1140"):
        raise _Wrong("delimited text is ASCII or a code page that holds it")
    return page


def _fill(form: FileForm, row: FieldForm) -> str:
    if row.fill and (row.type != "N" or form.encoding == "delimited"):
        raise _Wrong("`fill` is for type N of fixed width")
    return "" if form.encoding == "delimited" else " " if row.fill == "space" else "0"


def _point(form: FileForm, row: FieldForm) -> bool:
    if row.point and (row.type != "N" or not row.decimals):
        raise _Wrong("`point` is for type N with `decimals`")
    return row.point if row.point is not None else form.encoding == "delimited" and row.decimals > 0


def _codes(row: FieldForm) -> dict[int, str]:
    try:
        return {int(number): text for number, text in row.codes.items()}
    except ValueError as error:
        raise _Wrong(f"`codes`: {error}") from error


def _check_samples(f: Field, form: FileForm) -> None:
    """An example or a constant that its own field cannot carry is a mistake in the file."""
    encode = codec_of(f, form.encoding == "delimited").encode
    for key, value in (("example", f.example), ("constant", f.constant)):
        try:
            if value is not None and len(encode(value)) > f.width:
                raise _Wrong(f"`{key}` {value!r} is longer than {f.width}")
        except (TypeError, ValueError, OverflowError, struct.error) as error:
            raise _Wrong(f"`{key}` {value!r} does not fit: {error}") from error
