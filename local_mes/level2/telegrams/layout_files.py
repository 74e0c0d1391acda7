"""Layout files: telegrams and events as TOML, read and checked before anything is sent by them.

A new telegram is a new file. Whatever is wrong with one is said with the file, the field and the reason.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from local_mes.level2.telegrams.codec import FormatError
from local_mes.level2.telegrams.field_files import read_fields
from local_mes.level2.telegrams.frame import Stamp, encode_head
from local_mes.level2.telegrams.layout import HEADER, INTEGERS, Layout, LayoutSet, Protocol
from local_mes.level2.telegrams.layout_schema import FileForm, bad_layout, read_form
from local_mes.level2.telegrams.times import CLOCK_PARTS
from shared.errors import BadSetup

ID_LENGTH = {"json": 64}
"""Characters of a message's name; of a telegram the header says how many it carries, 20 at most."""
BYTES_MAX = {"binary": 4096}
"""More than this (9,999 in text) is a lost frame border, not a telegram; a header's file may say another."""
NUMBERS = frozenset({"length", "sequence", "number", *(name for name, _ in CLOCK_PARTS)})
"""Fields of a header that the line counts with."""
ANSWERS = frozenset({"ack_sequence", "ack_id", "code"})
"""Fields of an acknowledgement that the line fills by itself."""


def load_folder(folder: Path) -> LayoutSet:
    """Read every *.toml of a folder; BadSetup names file, field and what is wrong."""
    header, protocol = _load_header(folder)
    messages: dict[str, Layout] = {}
    for path in _files(folder, "telegram"):
        layout = load_file(path, header)
        for message in layout.ids if layout.ids != (HEADER,) else ():
            if message in messages:
                raise bad_layout(path, f"message {message} has a layout in another file already")
            messages[message] = layout
    made = LayoutSet(header, messages, protocol)
    _check_set(folder, made)
    return made


def load_events(folder: Path) -> dict[str, Layout]:
    """Layouts of events by message, such as `EAF1.Tap` or `*.State`; a group is a list without a count."""
    events: dict[str, Layout] = {}
    for path in _files(folder, "event"):
        layout = load_file(path)
        if layout.encoding != "json" or layout.direction == "both":
            raise bad_layout(path, "an event needs encoding json and direction up, a set-point direction down")
        for name in layout.ids:
            if name in events:
                raise bad_layout(path, f"event {name} has a layout in another file already")
            events[name] = layout
    return events


def load_file(path: Path, header: Layout | None = None) -> Layout:
    """One layout file; the header gives delimiter and end to those that name none."""
    return _layout(path, _form(path), header)


def _form(path: Path) -> FileForm:
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise bad_layout(path, str(error)) from error
    unknown = sorted(set(content) - set(FileForm.__struct_fields__))
    if unknown:
        raise bad_layout(path, f"unknown key {unknown[0]!r}")
    return read_form(path, content)


def _layout(path: Path, form: FileForm, header: Layout | None) -> Layout:
    ids = tuple(form.ids) or (form.id or "",)
    most = ID_LENGTH.get(form.encoding, 20)
    if not all(0 < len(i) <= most for i in ids):
        raise bad_layout(path, f"an `id` (or `ids`) of 1 to {most} characters is needed")
    delimiter = _bytes(path, form.delimiter) if form.delimiter else header.delimiter if header else b""
    if (form.encoding == "delimited") != bool(delimiter):
        raise bad_layout(path, "`delimiter` belongs to encoding delimited, and that needs one")
    fields, size = read_fields(path, form)
    if form.size and (size is None or form.size < size):
        raise bad_layout(path, f"`size` {form.size}: the fields take {size or 'a changing number of'} bytes")
    return Layout(
        ids=ids,
        title=form.title or ids[0],
        direction=form.direction,
        encoding=form.encoding,
        when=form.when,
        fields=fields,
        delimiter=delimiter,
        end=_bytes(path, form.end) if form.end else header.end if header else b"",
        reply=form.reply,
        file=path.name,
        tail=form.size - size if form.size and size is not None else 0,
    )


def _bytes(path: Path, text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as error:
        raise bad_layout(path, f"`end` or `delimiter` {text!r} is not of single bytes") from error


def _load_header(folder: Path) -> tuple[Layout, Protocol]:
    for path in _files(folder, "telegram"):
        form = _form(path)
        if form.id == HEADER:
            return _layout(path, form, None), _protocol(path, form)
    raise _incomplete(folder, HEADER)


def _protocol(path: Path, form: FileForm) -> Protocol:
    said = form.protocol
    plain = Protocol(
        border="end" if form.end and not said else "length",
        end=_bytes(path, form.end),
        bytes_max=BYTES_MAX.get(form.encoding, Protocol.bytes_max),
    )
    if said:
        keys = {name: getattr(said, name) for name in said.__struct_fields__}
        plain = replace(plain, **{name: value for name, value in keys.items() if value is not None})
    if (plain.border == "end") != bool(plain.end):
        raise bad_layout(path, '`end` and the border "end" belong together')
    names = {f.name for f in form.fields}
    if not ("id" in names or {"prefix", "number"} <= names):
        raise bad_layout(path, "a header needs the field `id`, or `prefix` and `number`")
    if plain.border == "length" and "length" not in names:
        raise bad_layout(path, 'a header needs the field `length`, or the protocol border = "end"')
    for f in form.fields:
        if f.type == "group":
            raise bad_layout(path, "a header has no groups")
        if f.name in NUMBERS and (f.type not in (*INTEGERS, "N", "packed", "bcd") or f.codes or f.scale or f.decimals):
            raise bad_layout(path, f"field {f.name!r}: it must be a whole number, without codes or scale")
    return plain


def _check_set(folder: Path, layouts: LayoutSet) -> None:
    protocol = layouts.protocol
    needed = [protocol.heartbeat_id, protocol.acknowledge_id if protocol.acknowledge in ("positive", "code") else ""]
    for message in filter(None, needed):
        if message not in layouts.messages:
            raise _incomplete(folder, message)
    strangers = sorted(i for i, layout in layouts.messages.items() if layout.encoding != layouts.encoding)
    if strangers:
        raise BadSetup(
            "level2.mixed_encoding",
            f"{', '.join(strangers)} in {folder} differ from the header's encoding {layouts.encoding!r}.",
            todo="Keep one folder for each kind of link; a field of another kind names its own `encoding`.",
        )
    for message, layout in layouts.messages.items():
        _check_message(folder / layout.file, message, layout, layouts)


def _check_message(path: Path, message: str, layout: Layout, layouts: LayoutSet) -> None:
    try:
        encode_head(layouts, Stamp(message, 0, "20260101000000000", "", ""), 0)
    except FormatError as error:
        raise bad_layout(path, f"the header cannot carry the id {message}: {error}") from error
    if message == layouts.protocol.acknowledge_id:
        _check_filled(path, layout, ANSWERS)
    if layout.reply:
        if layout.reply not in layouts.messages:
            raise bad_layout(path, f"its reply {layout.reply} has no layout")
        reply = layouts.messages[layout.reply]
        _check_filled(path.parent / reply.file, reply, ANSWERS | {f.name for f in layout.fields})


def _check_filled(path: Path, answer: Layout, known: frozenset[str]) -> None:
    for f in answer.fields:
        if f.name not in known and f.constant is None and not f.optional:
            raise bad_layout(path, f"field {f.name!r}: an answer can fill {', '.join(sorted(known))} and constants")


def _files(folder: Path, what: str) -> Iterator[Path]:
    if not folder.is_dir():
        raise BadSetup(
            "level2.no_layouts",
            f"There is no folder {folder} with {what} layouts.",
            todo="Give `telegrams` of the link in the plant model a folder of layout files.",
        )
    yield from sorted(folder.glob("*.toml"))


def _incomplete(folder: Path, missing: str) -> BadSetup:
    return BadSetup(
        "level2.no_header",
        f"{folder} needs a layout of {missing}.",
        todo="Add the missing file; docs/level2-interfaces.md shows them.",
    )
