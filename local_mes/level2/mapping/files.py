"""A mapping file as it stands on disk: signals, lookups, entries. What each key means: docs/plant-model.md.

One file belongs to one link, which names it (`mapping = "mapping/caster.toml"`). This is the form only; what the names
and expressions mean together is checked where they are compiled.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from shared.errors import BadSetup

SIGNALS_MAX, ENTRIES_MAX, LOOKUP_MAX = 2_000, 500, 5_000
"""Bounds of one file: checking and the page stay quick."""
VariableName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Words = Annotated[str, Meta(min_length=1, max_length=120)]
Source = Annotated[str, Meta(max_length=2_000)]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the file; a key that is not known is a mistake."""


class SignalLine(Part, frozen=True, kw_only=True):
    """One signal: its name in the plant, and where the link tells it.

    message, messages   which message; `*.Tap` that of any unit (then the name's unit is `*`)
    field               the message's field, the name's last part if not said; `slabs[].width` in each row of a list
    node, topic, register   instead of a message: what the link's settings watch
    """

    name: Annotated[str, Meta(max_length=200)]
    type: Literal["number", "text", "flag"] = "number"
    unit: Annotated[str, Meta(max_length=20)] = ""
    message: str = ""
    messages: tuple[str, ...] = ()
    field: str = ""
    node: str = ""
    topic: str = ""
    register: str = ""
    min: float | None = None
    max: float | None = None
    default: bool | int | float | str | None = None
    lookup: str = ""
    description: Annotated[str, Meta(max_length=400)] = ""


class LookupLine(Part, frozen=True, kw_only=True):
    """A table: what is told -> what it means. otherwise: of everything else; without it, that goes to repair."""

    values: dict[str, bool | int | float | str]
    otherwise: bool | int | float | str | None = None


class UseLine(Part, frozen=True, kw_only=True):
    """A signal that another message tells: the last one within the time, of the same piece where `same` says so.

    same   signal of that message -> name in this entry whose value it must have
    needed   true: without it the message goes to repair when the reorder window is over; false: it goes on without
    """

    signal: str
    within_s: Annotated[float, Meta(gt=0, le=7 * 86_400)] = 600
    same: dict[str, VariableName] = {}
    needed: bool = True


class EachLine(Part, frozen=True, kw_only=True):
    """Rows of an operation out of the rows of a message's list."""

    each: str
    when: Source = ""
    fields: dict[str, Source]


class EntryLine(Part, frozen=True, kw_only=True):
    """Which message means which operation.

    keep   the message's own fields go along as they came; computed ones replace them
    use    names in this entry: of a signal by its full name, or of one that another message tells
    after  names of `use` that are waited for, whether an expression uses them or not
    """

    name: Words
    message: str
    operation: str
    when: Source = ""
    unit: str = ""
    keep: bool = False
    use: dict[VariableName, str | UseLine] = {}
    after: tuple[VariableName, ...] = ()
    fields: dict[str, Source] = {}
    rows: dict[str, EachLine | list[dict[str, Source]]] = {}


class MappingFile(Part, frozen=True, kw_only=True):
    """The whole file."""

    signal: Annotated[tuple[SignalLine, ...], Meta(max_length=SIGNALS_MAX)] = ()
    lookup: dict[str, LookupLine] = {}
    operation: Annotated[tuple[EntryLine, ...], Meta(max_length=ENTRIES_MAX)] = ()


def read_text(path: Path) -> str:
    """The file's text; BadSetup when there is none."""
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise bad_mapping(path.name, f"it cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise bad_mapping(path.name, "it is not UTF-8 text") from error


def parse(text: str, name: str) -> MappingFile:
    """The form of a mapping file; BadSetup names file and place."""
    try:
        content: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise bad_mapping(name, f"it is not TOML: {error}") from error
    try:
        made = msgspec.convert(content, MappingFile)
    except msgspec.ValidationError as error:
        raise bad_mapping(name, _placed(content, str(error))) from error
    for code, table in made.lookup.items():
        if len(table.values) > LOOKUP_MAX:
            raise bad_mapping(name, f"lookup {code!r} has more than {LOOKUP_MAX} values")
    return made


def messages_of(path: Path) -> tuple[str, ...]:
    """The messages a file has entries or signals for, without looking at what they mean; for what a link accepts."""
    file = parse(read_text(path), path.name)
    told = [message for line in file.signal for message in (line.message, *line.messages) if message]
    return tuple(dict.fromkeys([*(line.message for line in file.operation), *told]))


def bad_mapping(file: str, why: str, todo: str = "") -> BadSetup:
    """A mapping that cannot be used; why begins with the entry."""
    return BadSetup(
        "level2.bad_mapping",
        f"The mapping {file} cannot be used: {why}.",
        kept="What was in force before stays in force; at a start, nothing was started.",
        todo=todo or "Correct the entry; docs/plant-model.md, section Mapping, says what each key may be.",
    )


_KINDS = (
    ("`float | null`", "a number"),
    ("`float`", "a number"),
    ("`int`", "a number"),
    ("`str`", "a text"),
    ("`bool`", "true or false"),
    ("`array`", "a list"),
    ("`object`", "a table"),
    ("Object contains", "it has the"),
    ("Object missing", "it lacks the"),
    ("Expected", "expected"),
    ("required field", "key"),
    ("unknown field", "unknown key"),
)
"""The decoder's words -> those of the people who write the file."""


def _placed(content: Any, said: str) -> str:
    """`$.operation[2].fields` as people find it: by the name of the entry."""
    what, _, where = said.partition(" - at `$")
    for word, meaning in _KINDS:
        what = what.replace(word, meaning)
    for kind in ("signal", "operation"):
        if where.startswith(f".{kind}["):
            number, _, rest = where[len(kind) + 2 :].partition("]")
            try:
                name = content[kind][int(number)].get("name", f"number {int(number) + 1}")
            except (LookupError, ValueError, AttributeError):  # `[...]`: of any of them
                name = "one of them"
            return f"{kind} {name!r}{', ' + rest.strip('.`') if rest.strip('.`') else ''}: {what}"
    return f"{where.strip('.`')}: {what}" if where.strip(".`") else what
