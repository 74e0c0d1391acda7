"""The content of a dropped file as records: CSV, XML and fixed width. Pure; FileError says what cannot be read and where."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal
from xml.parsers import expat

import msgspec
from msgspec import Meta

RECORDS_MAX = 5_000
"""Records of one file: a file that comes again is recognised among as many."""
DEPTH_MAX = 50


class FileError(ValueError):
    """This file is not what the settings say."""


class Column(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field. at and width: characters of a fixed-width line, the first is 0. number: digits with point or comma."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    source: str = ""
    at: Annotated[int, Meta(ge=0)] = 0
    width: Annotated[int, Meta(ge=0, le=4_000)] = 0
    type: Literal["text", "number"] = "text"

    def read(self, text: str) -> Any:
        """The field's value; None for an empty number."""
        text = text.strip()
        if self.type == "text":
            return text
        try:
            number = float(text.replace(",", ".")) if text else None
        except ValueError as error:
            raise FileError(f"{self.name}: {text!r} is no number") from error
        return int(number) if number is not None and number.is_integer() else number


@dataclass(frozen=True)
class Record:
    """One record: its place in the file from 1, its fields, its bytes; problem where it cannot be read."""

    number: int
    fields: dict[str, Any]
    raw: bytes
    problem: str = ""


def read_csv(text: str, columns: tuple[Column, ...], delimiter: str) -> list[Record]:
    """Lines under a line of names. A column's source is the name there, its own name if none is given."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        head = [name.strip() for name in next(rows, [])]
        lines = [row for row in rows if row]
    except csv.Error as error:
        raise FileError(f"line {rows.line_num}: {error}") from error
    wanted = columns or tuple(Column(name=name) for name in head if name)
    missing = [one.source or one.name for one in wanted if (one.source or one.name) not in head]
    if missing:
        raise FileError(f"its first line names no column {missing[0]!r}")
    return _numbered(
        (
            (dict(zip(head, row, strict=False)), delimiter.join(row).encode())
            if len(row) == len(head)
            else (FileError(f"{len(row)} fields instead of {len(head)}"), delimiter.join(row).encode())
            for row in lines
        ),
        wanted,
    )


def read_fixed(text: str, columns: tuple[Column, ...]) -> list[Record]:
    """Lines of fixed width."""
    end = max(one.at + one.width for one in columns)

    def parts() -> Iterator[tuple[dict[str, str] | FileError, bytes]]:
        for line in text.splitlines():
            if not line.strip():
                continue
            if len(line) < end:
                yield FileError(f"{len(line)} characters instead of {end}"), line.encode()
            else:
                yield {one.source or one.name: line[one.at : one.at + one.width] for one in columns}, line.encode()

    return _numbered(parts(), columns)


def read_xml(content: bytes, record: str, columns: tuple[Column, ...]) -> list[Record]:
    """Elements named record, whose children or attributes (source `@name`) are the fields.

    A document type is refused: it is all an attack needs, and no message of a plant has one.
    """
    reader = _XmlReader(record)
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.EntityDeclHandler = _refuse_doctype
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise FileError(f"no XML: {error}") from error
    return _numbered(((found, msgspec.json.encode(found)) for found in reader.found), columns)


@dataclass
class _XmlReader:
    record: str
    found: list[dict[str, str]] = field(default_factory=list)
    path: list[str] = field(default_factory=list)
    inside: int = 0
    words: list[str] = field(default_factory=list)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        self.path.append(name)
        self.words = []
        if len(self.path) > DEPTH_MAX:
            raise FileError(f"its elements lie more than {DEPTH_MAX} deep")
        if not self.inside and name == self.record:
            self.inside = len(self.path)
            self.found.append({})
        if self.inside:
            below = self.path[self.inside :]
            self.found[-1] |= {"/".join((*below, f"@{key}")): value for key, value in attributes.items()}

    def end(self, _tag: str) -> None:
        if self.inside and len(self.path) > self.inside:
            self.found[-1].setdefault("/".join(self.path[self.inside :]), "".join(self.words).strip())
        if len(self.path) == self.inside:
            self.inside = 0
        self.path.pop()

    def text(self, words: str) -> None:
        self.words.append(words)


def _refuse_doctype(*_what: Any) -> None:
    raise FileError("it has a document type; only plain XML is read")


def _numbered(parts: Iterator[tuple[dict[str, str] | FileError, bytes]], columns: tuple[Column, ...]) -> list[Record]:
    records = []
    for number, (part, raw) in enumerate(parts, 1):
        if number > RECORDS_MAX:
            raise FileError(f"it has more than {RECORDS_MAX} records")
        records.append(_record(number, part, raw, columns))
    return records


def _record(number: int, part: dict[str, str] | FileError, raw: bytes, columns: tuple[Column, ...]) -> Record:
    """One bad record concerns itself alone."""
    try:
        if isinstance(part, FileError):
            raise part
        wanted = columns or tuple(Column(name=name) for name in part)
        absent = [one.source or one.name for one in wanted if (one.source or one.name) not in part]
        if absent:
            raise FileError(f"it has no {absent[0]}")
        return Record(number, {one.name: one.read(part[one.source or one.name]) for one in wanted}, raw)
    except FileError as error:
        known = {} if isinstance(part, FileError) else dict(part)
        return Record(number, known, raw, f"Record {number}: {error}.")
