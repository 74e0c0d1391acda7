"""Telegrams by the plants' layout files, as the process computers' makers would write them: from the files, not from
the plant's code."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

Field = Mapping[str, Any]
INTEGERS = {"u8": (1, False), "u16": (2, False), "u32": (4, False), "i16": (2, True), "i32": (4, True)}
ACKNOWLEDGE, HEARTBEAT = "AK9000", "HB0001"


@dataclass(frozen=True)
class Layouts:
    """Header and messages of one plant; `binary` or fixed ASCII."""

    binary: bool
    header: Sequence[Field]
    messages: Mapping[str, Sequence[Field]]

    @property
    def header_size(self) -> int:
        """Bytes of the header."""
        return sum(_width(field) for field in self.header)


@dataclass(frozen=True)
class Telegram:
    """What one telegram says."""

    message: str
    sequence: int
    fields: dict[str, Any]


def load(folder: Path) -> Layouts:
    """All layout files of a folder."""
    messages: dict[str, Sequence[Field]] = {}
    header: Sequence[Field] = ()
    binary = False
    for path in sorted(folder.glob("*.toml")):
        content = tomllib.loads(path.read_text("utf-8"))
        binary = content["encoding"] == "binary"
        for name in content.get("ids", [content.get("id")]):
            if name == "HEADER":
                header = content["fields"]
            else:
                messages[name] = content["fields"]
    return Layouts(binary, header, messages)


def encode(
    layouts: Layouts,
    message: str,
    fields: Mapping[str, Any],
    at_ms: int,
    zone: ZoneInfo,
    sequence: int,
    peer: str,
    again: bool = False,
) -> bytes:
    """A whole telegram; at_ms is what the peer's clock says."""
    body = _encode(layouts.messages[message], fields)
    local = datetime.fromtimestamp(at_ms / 1000, tz=UTC).astimezone(zone)
    head: dict[str, Any] = {"length": layouts.header_size + len(body), "sequence": sequence}
    if layouts.binary:
        head |= {"prefix": message[:2], "version": 1, "number": int(message[2:]), "flags": int(again)}
        head |= {part: getattr(local, part) for part in ("year", "month", "day", "hour", "minute", "second")}
        head["millisecond"] = at_ms % 1000
    else:
        head |= {"id": message, "sender": peer, "receiver": "MES", "flags": "R" if again else ""}
        head["time"] = local.strftime("%Y%m%d%H%M%S") + f"{at_ms % 1000:03d}"
    return _encode(layouts.header, head) + body


def length_of(layouts: Layouts, header: bytes) -> int:
    """Length of the whole telegram from its header."""
    return int(_decode(layouts.header, header)["length"])


def decode(layouts: Layouts, raw: bytes) -> Telegram:
    """A whole telegram from the plant."""
    size = layouts.header_size
    head = _decode(layouts.header, raw[:size])
    message = f"{head['prefix']}{head['number']:04d}" if layouts.binary else str(head["id"])
    return Telegram(message, int(head["sequence"]), _decode(layouts.messages[message], raw[size:]))


def _width(field: Field) -> int:
    return INTEGERS[field["type"]][0] if field["type"] in INTEGERS else int(field["width"])


def _encode(fields: Sequence[Field], values: Mapping[str, Any]) -> bytes:
    parts = []
    for field in fields:
        if field["type"] == "group":
            parts += [_encode(field["fields"], row) for row in values[field["name"]]]
        else:
            parts.append(_encode_one(field, values[field["name"]]))
    return b"".join(parts)


def _encode_one(field: Field, value: Any) -> bytes:
    kind = field["type"]
    if kind in INTEGERS:
        width, signed = INTEGERS[kind]
        if "codes" in field:
            value = next(int(number) for number, text in field["codes"].items() if text == value)
        return int(value).to_bytes(width, "big", signed=signed)
    if kind == "N":
        raw = f"{round(value * 10 ** field.get('decimals', 0)):0{field['width']}d}"
    else:
        raw = str(value).ljust(field["width"])
    if len(raw) != field["width"]:
        raise ValueError(f"{field['name']}: {value!r} is longer than {field['width']}")
    return raw.encode("ascii")


def _decode(fields: Sequence[Field], raw: bytes) -> dict[str, Any]:
    values, rest = _decode_some(fields, raw)
    if rest:
        raise ValueError(f"{len(rest)} bytes left over")
    return values


def _decode_some(fields: Sequence[Field], raw: bytes) -> tuple[dict[str, Any], bytes]:
    values: dict[str, Any] = {}
    for field in fields:
        if field["type"] == "group":
            rows = []
            for _ in range(int(values[field["count"]])):
                row, raw = _decode_some(field["fields"], raw)
                rows.append(row)
            values[field["name"]] = rows
            continue
        width = _width(field)
        if len(raw) < width:
            raise ValueError(f"the telegram ends before {field['name']}")
        values[field["name"]], raw = _decode_one(field, raw[:width]), raw[width:]
    return values, raw


def _decode_one(field: Field, raw: bytes) -> Any:
    if field["type"] in INTEGERS:
        number = int.from_bytes(raw, "big", signed=INTEGERS[field["type"]][1])
        return field["codes"].get(str(number), number) if "codes" in field else number
    text = raw.decode("ascii").rstrip()
    return (
        int(text) / 10 ** field.get("decimals", 0)
        if field["type"] == "N" and field.get("decimals")
        else (int(text) if field["type"] == "N" else text)
    )
