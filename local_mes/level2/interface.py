"""The interface document of a telegram link: one page a telegram, made from its layouts, for the Level-2 supplier. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from local_mes.level2.hosts import ANY
from local_mes.level2.links import Link
from local_mes.level2.telegram_server import TelegramSettings
from local_mes.level2.telegrams.codec import fixed_size
from local_mes.level2.telegrams.frame import encode_telegram, header_size
from local_mes.level2.telegrams.layout import Field, Layout, LayoutSet, Protocol
from local_mes.level2.telegrams.spots import Spot, range_words, spots, type_words

EXAMPLE_TIME = "20260311065530120"


@dataclass(frozen=True)
class FieldRow:
    """A field as the document shows it. offset counts from the telegram's first byte; level: depth of a group."""

    name: str
    offset: str
    width: str
    form: str
    unit: str
    allowed: str
    description: str
    level: int = 0


@dataclass(frozen=True)
class TelegramPage:
    """One telegram. example: its bytes and what each says."""

    ids: tuple[str, ...]
    title: str
    direction: str
    when: str
    answered: str
    size: str
    rows: Sequence[FieldRow]
    example: bytes
    spots: Sequence[Spot]


@dataclass(frozen=True)
class Document:
    """The whole: the rules of the line, the header, a page for each telegram of the link."""

    link: Link
    rules: Sequence[tuple[str, str]]
    header: Sequence[FieldRow]
    pages: Sequence[TelegramPage]


def make_document(link: Link, settings: TelegramSettings, layouts: LayoutSet) -> Document:
    """The document of one link: what it accepts, what goes down to it, and the messages of the line itself."""
    used = _used(link, settings, layouts)
    seen: list[Layout] = []
    for message, layout in layouts.messages.items():
        if message in used and layout not in seen:
            seen.append(layout)
    order = {"up": 0, "down": 1, "both": 2}
    seen.sort(key=lambda layout: (order[layout.direction], layout.ids))
    pages = [_page(layout, used, link, layouts) for layout in seen]
    header = list(_rows(layouts.header, 0))
    rules = [*_rules(link, settings, layouts), ("State of the layouts", _state(header, pages))]
    return Document(link, rules, header, pages)


def _used(link: Link, settings: TelegramSettings, layouts: LayoutSet) -> set[str]:
    """The messages of this link alone, out of a folder that several links may share."""
    hears_only = settings.silent or link.shadow
    down = {message for message, layout in layouts.messages.items() if layout.direction == "down"}
    sends = set() if hears_only else down - layouts.service_ids if link.sends is None else set(link.sends)
    used = {message for message in link.accepts if message in layouts.messages} | sends
    rules = layouts.protocol
    if not hears_only:
        used |= {layouts.messages[message].reply for message in used if rules.acknowledge == "reply"}
        used |= {rules.acknowledge_id} if rules.acknowledge in ("positive", "code") else set()
    return (used | {rules.heartbeat_id}) & set(layouts.messages)


def _state(header: Sequence[FieldRow], pages: Sequence[TelegramPage]) -> str:
    """Changes with whatever changes in what is sent: tells a supplier's copy from a newer one."""
    said = repr((header, [(page.ids, page.size, page.rows) for page in pages]))
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def _page(layout: Layout, used: set[str], link: Link, layouts: LayoutSet) -> TelegramPage:
    ids = tuple(i for i in layout.ids if i in used)
    up = layout.direction == "up"
    raw = encode_telegram(
        layouts,
        ids[0],
        _example(layout.fields),
        sequence=0 if ids[0] in layouts.service_ids else layouts.protocol.sequence_first + 416,
        claimed=EXAMPLE_TIME,
        sender=link.peer if up else link.name,
        receiver=link.name if up else link.peer,
    )
    between = len(layouts.header.delimiter)
    start = None if between else header_size(layouts)
    way = {"up": f"{link.peer or 'Level 2'} to {link.name}", "down": f"{link.name} to {link.peer or 'Level 2'}"}
    return TelegramPage(
        ids=ids,
        title=layout.title,
        direction=way.get(layout.direction, "both ways"),
        when=layout.when,
        answered=_answered(ids[0], layout, layouts),
        size=_size_words(layout, layouts),
        rows=list(_rows(layout, start)),
        example=raw,
        spots=spots(layouts, raw),
    )


def _example(fields: Sequence[Field]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for f in fields:
        if f.type == "group":
            values[f.name] = [_example(f.fields)] * (f.times or 1)
            if f.count:
                values[f.count] = 1
        else:
            values[f.name] = _sample(f)
    return values


def _sample(f: Field) -> Any:
    if f.example is not None or f.constant is not None:
        return f.constant if f.example is None else f.example
    if f.values:
        return f.values[0]
    if f.codes:
        return next(iter(f.codes.values()))
    if f.type == "hex":
        return "00" * f.width
    return "" if f.type in ("A", "char") else f.low or 0


def _rows(layout: Layout, start: int | None, fields: Sequence[Field] = (), level: int = 0) -> Iterator[FieldRow]:
    for f in fields or layout.fields:
        place = "" if start is None or f.offset is None or level else str(start + f.offset)
        if f.type == "group":
            times = f"{f.times} times" if f.times else f"as often as {f.count} says, at most {f.max_count} times"
            yield FieldRow(f.name, place, "", f"group, {times}", "", "", f.description, level)
            yield from _rows(layout, start, f.fields, level + 1)
        else:
            width = f"at most {f.width}" if layout.delimiter else str(f.width)
            form = type_words(f, layout)
            yield FieldRow(f.name, place, width, form, f.unit, range_words(f), f.description, level)


def _size_words(layout: Layout, layouts: LayoutSet) -> str:
    if layout.delimiter:
        return "as long as its text"
    head = header_size(layouts)
    if any(f.type == "group" for f in layout.fields):
        return f"{head} bytes of header and a body that its groups make longer"
    return f"{head + fixed_size(layout.fields) + layout.tail} bytes with its header"


def _answered(message: str, layout: Layout, layouts: LayoutSet) -> str:
    how = layouts.protocol.acknowledge
    if message in layouts.service_ids or how == "none":
        return "not answered"
    return f"answered by {layout.reply or 'nothing' if how == 'reply' else layouts.protocol.acknowledge_id}"


def _rules(link: Link, settings: TelegramSettings, layouts: LayoutSet) -> Iterator[tuple[str, str]]:
    rules = layouts.protocol
    plant_listens = settings.side == "server"
    yield "Connection", f"TCP; {'the plant listens on' if plant_listens else 'the plant connects to'} {link.address}"
    if plant_listens:
        who = ", ".join(settings.hosts) or "this machine alone"
        yield "May connect", "whoever reaches the port" if settings.hosts == (ANY,) else who
    yield "Encoding", _encoding_words(layouts)
    yield "Border", _border_words(rules)
    yield "Acknowledgement", _acknowledge_words(rules, link)
    has = {f.name for f in layouts.header.fields}
    if "sequence" in has:
        yield (
            "Sequence",
            f"{rules.sequence_first} to {rules.sequence_last} and then {rules.sequence_first} again, "
            "each direction its own count; 0 in messages of the line itself. A repeat keeps its number.",
        )
    if "time" in has:
        yield "Time", f"{rules.time_format}, local time of the sender, without zone"
    beat = rules.heartbeat_id
    silence = f"nothing heard for {3 * link.heartbeat_s:g} s: no data; for {6 * link.heartbeat_s:g} s: closed"
    yield "Heartbeat", f"{beat} every {link.heartbeat_s:g} s both ways, not answered; {silence}" if beat else "none"
    if rules.acknowledge != "none":
        yield (
            "Sent again",
            f"after {link.resend_s:g} s without an answer and after a reconnect: same number, same content",
        )


def _encoding_words(layouts: LayoutSet) -> str:
    words = {"ascii": "text of fixed width, ASCII", "ebcdic": "text of fixed width, EBCDIC", "binary": "binary"}
    if layouts.encoding == "delimited":
        return f"text, fields between {layouts.header.delimiter.decode('latin-1')!r}"
    return words[layouts.encoding]


def _border_words(rules: Protocol) -> str:
    if rules.border == "end":
        return f"each telegram ends with the bytes {rules.end.hex(' ')}"
    what = "the whole telegram, header included" if rules.length_counts == "telegram" else "what follows the header"
    return f"by the field length of the header: {what}; at most {rules.bytes_max:,} bytes"


def _acknowledge_words(rules: Protocol, link: Link) -> str:
    return {
        "none": "none",
        "positive": f"{rules.acknowledge_id} when the telegram is on the plant's disk",
        "code": f"{rules.acknowledge_id} with code 00 when the telegram is on the plant's disk, 10 unknown message, "
        "20 bad format; with 10 and 20 it was not taken",
        "reply": "each telegram by the one it names, when it is on the plant's disk",
    }[rules.acknowledge] + f". Up to 32 may be open at once; {link.name} answers in their order."
