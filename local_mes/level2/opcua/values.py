"""What a server's values are to us: plain JSON values, their time, and whether there is a value at all."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import msgspec
from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.events import Event
from asyncua.common.node import Node

from local_mes.level2.drivers.desk import number_of
from local_mes.level2.drivers.port import Heard

GOOD, UNCERTAIN, NO_DATA = "good", "uncertain", "no_data"
DEPTH_MAX = 8


@dataclass(frozen=True)
class Reading:
    """One value of a node. claimed is the server's time as ISO text in UTC, empty where it told none."""

    value: Any
    quality: str
    reason: str
    claimed: str

    def heard(self, message: str, *, late: bool = False) -> Heard:
        """As a message. Its time and value name it: the same change told twice is one."""
        content = {"value": self.value, "quality": self.quality}
        raw = msgspec.json.encode({"message": message, "time": self.claimed} | content)
        return Heard(message, content, raw, self.claimed, number_of(raw) if self.claimed else None, late=late)


def reading_of(found: ua.DataValue) -> Reading:
    """A value as a server told it; a bad one, and a measurement that is not a number, is no data."""
    moment = found.SourceTimestamp or found.ServerTimestamp
    claimed = _utc(moment).isoformat() if isinstance(moment, datetime) else ""
    status = found.StatusCode or ua.StatusCode()
    if status.is_bad():
        return Reading(None, NO_DATA, status.name, claimed)
    value = plain(found.Value.Value if found.Value is not None else None)
    if value is None:
        return Reading(None, NO_DATA, "not a number" if found.Value is not None else "no value", claimed)
    if status.is_uncertain():
        return Reading(value, UNCERTAIN, status.name, claimed)
    return Reading(value, GOOD, "", claimed)


def event_heard(message: str, event: Event, *, late: bool = False) -> Heard:
    """An event as a message with all its fields; its id among them names it for ever."""
    content = {
        name: plain(value)
        for name, value in vars(event).items()
        if not name.startswith("__") and name not in event.internal_properties
    }
    claimed = str(content["Time"]) if isinstance(getattr(event, "Time", None), datetime) else ""
    raw = msgspec.json.encode({"message": message} | content)
    return Heard(message, content, raw, claimed, number_of(raw), late=late)


def is_after(claimed: str, moment: str) -> bool:
    """Whether a time that a server told is later than another; of one that it did not tell, not."""
    return bool(claimed and moment) and datetime.fromisoformat(claimed) > datetime.fromisoformat(moment)


def overflowed(found: ua.DataValue) -> bool:
    """Whether the server says that changes before this one did not fit its queue (Part 4, 7.39: InfoBits)."""
    code = found.StatusCode.value if found.StatusCode else 0
    return code & 0x0C00 == 0x0400 and bool(code & 0x0080)


def plain(value: Any, depth: int = 0) -> Any:
    """A value that JSON has: what has no form there becomes text."""
    if value is None or isinstance(value, bool | int | str):
        return value.value if isinstance(value, Enum) else value
    for kind, to_plain in _PLAIN:
        if isinstance(value, kind):
            return to_plain(value)
    if isinstance(value, list | tuple) and depth < DEPTH_MAX:
        return [plain(one, depth + 1) for one in value]
    if is_dataclass(value) and depth < DEPTH_MAX:
        return {one.name: plain(getattr(value, one.name), depth + 1) for one in fields(value)}
    return str(value)


async def find_node(client: Client, text: str) -> Node:
    """The node of an id as written in the model; ValueError when it is none, or of a namespace the server has not."""
    if not text.startswith("nsu="):
        return client.get_node(ua.NodeId.from_string(text))
    uri, _, rest = text[4:].partition(";")
    return client.get_node(ua.NodeId.from_string(f"ns={await client.get_namespace_index(uri)};{rest}"))


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_PLAIN: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (float, lambda value: value if math.isfinite(value) else None),
    (bytes, lambda value: base64.b64encode(value).decode()),
    (datetime, lambda value: _utc(value).isoformat()),
    (ua.LocalizedText, lambda value: value.Text),
    (ua.NodeId | ua.QualifiedName, lambda value: value.to_string()),
)
