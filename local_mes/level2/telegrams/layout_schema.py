"""The form of a layout file: which keys there are and what each may be. What a file of this form means: layout_files.py."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from shared.errors import BadSetup

Name = Annotated[str, Meta(pattern="^[A-Za-z][A-Za-z0-9_]{0,63}$")]
Encoding = Literal["ascii", "ebcdic", "binary", "delimited", "json"]
ByteOrder = Literal["big", "little"]
CodePage = Literal["ascii", "latin-1", "cp1252", "cp037", "cp273", "cp500", "cp1140"]
Width = Annotated[int, Meta(ge=1, le=4000)]
Whole = Annotated[int, Meta(ge=0)]
End = Annotated[str, Meta(max_length=8)]


class FieldForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One row of `fields`."""

    name: Name
    type: str
    width: Width | None = None
    offset: Whole | None = None
    decimals: Annotated[int, Meta(ge=0, le=9)] = 0
    scale: Annotated[float, Meta(gt=0)] | Annotated[int, Meta(gt=0)] | None = None
    encoding: CodePage | ByteOrder | None = None
    fill: Literal["zero", "space"] | None = None
    point: bool | None = None
    signed: bool = True
    unit: str = ""
    min: float | int | None = None
    max: float | int | None = None
    values: list[int | float | str] = []
    codes: dict[str, str] = {}
    required: bool = False
    optional: bool = False
    description: str = ""
    example: int | float | str | None = None
    constant: int | float | str | None = None
    count: str = ""
    max_count: Whole = 0
    times: Whole = 0
    fields: list[FieldForm] = []


class ProtocolForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """The table `[protocol]` of the header's file."""

    border: Literal["length", "end"] = "length"
    length_counts: Literal["telegram", "body"] = "telegram"
    bytes_max: Annotated[int, Meta(ge=16, le=1_000_000)] | None = None
    acknowledge: Literal["none", "positive", "code", "reply"] = "code"
    acknowledge_id: str | None = None
    heartbeat_id: str | None = None
    sequence_first: Whole = 1
    sequence_last: Annotated[int, Meta(ge=2)] = 9999
    time_format: str = "YYYYMMDDhhmmssmmm"
    resent: str = "R"
    resent_bit: Annotated[int, Meta(ge=1)] = 1


class FileForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A whole file."""

    id: str | None = None
    ids: list[str] = []
    title: str = ""
    direction: Literal["up", "down", "both"] = "both"
    encoding: Encoding
    byte_order: ByteOrder = "big"
    code_page: CodePage | None = None
    delimiter: Annotated[str, Meta(min_length=1, max_length=4)] | None = None
    end: End = ""
    size: Whole = 0
    reply: str = ""
    when: str = ""
    protocol: ProtocolForm | None = None
    fields: list[FieldForm] = []


def read_form(path: Path, content: dict[str, Any]) -> FileForm:
    """A file's content in its form; BadSetup names the file, the field and what is wrong."""
    try:
        return msgspec.convert(content, FileForm)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at ")
        raise bad_layout(path, f"{_place(content, where)}{what}") from error


def bad_layout(path: Path, why: str) -> BadSetup:
    """A layout file that cannot be used."""
    return BadSetup(
        "level2.bad_layout",
        f"The telegram layout {path} cannot be used: {why.rstrip('.')}.",
        todo="Correct the file; docs/level2-interfaces.md describes the format.",
    )


def _place(content: dict[str, Any], where: str) -> str:
    """`$.fields[2].width` as the field's own name and the key."""
    here: Any = content
    said: list[str] = []
    for key, index in re.findall(r"\.(\w+)|\[(\d+)\]", where):
        try:
            here = here[int(index)] if index else here.get(key)
        except (IndexError, AttributeError):
            break
        if index and isinstance(here, dict):
            said.append(f"field {here.get('name', int(index) + 1)!r}: ")
    last = re.search(r"\.(\w+)`?$", where)
    return "".join(said) + (f"`{last[1]}`: " if last and last[1] != "fields" else "")
