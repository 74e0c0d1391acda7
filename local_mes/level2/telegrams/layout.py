"""Layout files: what the fields of a telegram or event are, read from TOML and checked before anything is sent by them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.errors import BadSetup

BINARY_SIZES = {"u8": 1, "u16": 2, "u32": 4, "i16": 2, "i32": 4}
TYPES = {"ascii": {"N", "A", "group"}, "binary": {*BINARY_SIZES, "char", "group"}, "json": {"number", "text", "group"}}
_FIELD_KEYS = {
    "name",
    "type",
    "width",
    "decimals",
    "unit",
    "min",
    "max",
    "values",
    "codes",
    "required",
    "optional",
    "description",
    "example",
    "count",
    "max_count",
    "fields",
}
_FILE_KEYS = {"id", "ids", "title", "direction", "encoding", "when", "fields"}

ID_WIDTH = {"ascii": 6, "binary": 6, "json": 64}

ACKNOWLEDGE = "AK9000"
HEARTBEAT = "HB0001"
HEADER = "HEADER"


@dataclass(frozen=True)
class Field:
    """One field. width in bytes; a group repeats `fields` as often as the field named `count` says.

    low, high, values, required  what is plausible, in the field's own unit
    codes                        binary only: number on the wire -> text in the fields
    """

    name: str
    type: str
    width: int = 0
    decimals: int = 0
    unit: str = ""
    low: float | None = None
    high: float | None = None
    values: tuple[Any, ...] = ()
    codes: Mapping[int, str] = field(default_factory=dict)
    required: bool = False
    optional: bool = False
    description: str = ""
    example: Any = None
    count: str = ""
    max_count: int = 0
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True)
class Layout:
    """The body of a message (or the header, id HEADER); several messages may share one layout."""

    ids: tuple[str, ...]
    title: str
    direction: str
    encoding: str
    when: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class LayoutSet:
    """All layouts of a link kind: one header, one encoding, messages by id."""

    header: Layout
    messages: Mapping[str, Layout]

    @property
    def encoding(self) -> str:
        """'ascii' or 'binary'."""
        return self.header.encoding


def load_folder(folder: Path) -> LayoutSet:
    """Read every *.toml of a folder; BadSetup names file, field and what is wrong."""
    if not folder.is_dir():
        raise BadSetup(
            "level2.no_layouts",
            f"There is no folder {folder} with telegram layouts.",
            todo="Give `telegrams` of the link in the plant model a folder of layout files.",
        )
    header: Layout | None = None
    messages: dict[str, Layout] = {}
    for path in sorted(folder.glob("*.toml")):
        layout = load_file(path)
        if layout.ids == (HEADER,):
            header = layout
        for message in layout.ids if layout.ids != (HEADER,) else ():
            if message in messages:
                raise _bad(path, f"message {message} has a layout in another file already")
            messages[message] = layout
    if header is None or ACKNOWLEDGE not in messages or HEARTBEAT not in messages:
        raise BadSetup(
            "level2.no_header",
            f"{folder} needs layouts of {HEADER}, {ACKNOWLEDGE} and {HEARTBEAT}.",
            todo="Add the missing files; docs/level2-interfaces.md shows them.",
        )
    strangers = sorted(i for i, layout in messages.items() if layout.encoding != header.encoding)
    if strangers:
        raise BadSetup(
            "level2.mixed_encoding",
            f"{', '.join(strangers)} in {folder} differ from the header's encoding {header.encoding!r}.",
            todo="Keep one folder for each kind of link.",
        )
    return LayoutSet(header, messages)


def load_events(folder: Path) -> dict[str, Layout]:
    """Layouts of OPC UA events by message, such as `EAF1.Tap` or `*.State`; a group is a list without a count."""
    if not folder.is_dir():
        raise BadSetup(
            "level2.no_layouts",
            f"There is no folder {folder} with event layouts.",
            todo="Give `telegrams` of the link a folder of layout files, or leave it out.",
        )
    events: dict[str, Layout] = {}
    for path in sorted(folder.glob("*.toml")):
        layout = load_file(path)
        if layout.encoding != "json" or layout.direction != "up":
            raise _bad(path, "an event needs encoding json and direction up")
        for name in layout.ids:
            if name in events:
                raise _bad(path, f"event {name} has a layout in another file already")
            events[name] = layout
    return events


def load_file(path: Path) -> Layout:
    """One layout file."""
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _bad(path, str(error)) from error
    unknown = sorted(set(content) - _FILE_KEYS)
    if unknown:
        raise _bad(path, f"unknown key {unknown[0]!r}")
    ids = tuple(content["ids"]) if "ids" in content else (content.get("id", ""),)
    encoding = str(content.get("encoding"))
    if not all(isinstance(i, str) and 0 < len(i) <= ID_WIDTH.get(encoding, 0) for i in ids):
        raise _bad(
            path,
            "`encoding` ascii, binary or json and an `id` (or `ids`) of at most 6 characters (json: 64) are needed",
        )
    direction = content.get("direction", "both")
    if direction not in ("up", "down", "both"):
        raise _bad(path, f"direction {direction!r} is none of up, down, both")
    fields = tuple(_read_fields(path, encoding, content.get("fields", [])))
    return Layout(ids, content.get("title", ids[0]), direction, encoding, content.get("when", ""), fields)


def _read_fields(path: Path, encoding: str, rows: list[dict[str, Any]]) -> Iterator[Field]:
    seen: dict[str, Field] = {}
    for row in rows:
        name = row.get("name", "")
        unknown = sorted(set(row) - _FIELD_KEYS)
        if not name or name in seen or unknown:
            raise _bad(path, f"field {name!r} has no name, comes twice or has unknown keys {unknown}")
        made = _read_field(path, encoding, row)
        counted = encoding == "json" or made.count in seen
        if made.type == "group" and (not counted or made.max_count < 1 or not made.fields):
            raise _bad(path, f"group {name!r} needs fields, max_count and a count field before it")
        seen[name] = made
        yield made


def _read_field(path: Path, encoding: str, row: dict[str, Any]) -> Field:
    kind, width = row.get("type", ""), row.get("width", 0)
    if kind not in TYPES[encoding]:
        raise _bad(path, f"field {row['name']!r}: type {kind!r} is none of {', '.join(sorted(TYPES[encoding]))}")
    if kind in ("N", "A", "char") and not 0 < width <= 4000:
        raise _bad(path, f"field {row['name']!r}: width must be 1 to 4,000")
    if not 0 <= row.get("decimals", 0) < 10:
        raise _bad(path, f"field {row['name']!r}: decimals must be 0 to 9")
    return Field(
        name=row["name"],
        type=kind,
        width=BINARY_SIZES.get(kind, width),
        decimals=row.get("decimals", 0),
        unit=row.get("unit", ""),
        low=row.get("min"),
        high=row.get("max"),
        values=tuple(row.get("values", ())),
        codes={int(number): text for number, text in row.get("codes", {}).items()},
        required=row.get("required", False),
        optional=row.get("optional", False),
        description=row.get("description", ""),
        example=row.get("example"),
        count=row.get("count", ""),
        max_count=row.get("max_count", 0),
        fields=tuple(_read_fields(path, encoding, row.get("fields", []))),
    )


def _bad(path: Path, why: str) -> BadSetup:
    return BadSetup(
        "level2.bad_layout",
        f"The telegram layout {path} cannot be used: {why}.",
        todo="Correct the file; docs/level2-interfaces.md describes the format.",
    )
