"""What a telegram that came is, and what answers it, by the rules of its line. Pure.

A line that can refuse (acknowledge = "code") answers what it cannot read with a code and keeps nothing: the peer knows.
One that cannot keeps such a telegram with the reason, for the repair queue: nobody else would ever hear of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal

from msgspec import Struct, field

from local_mes.level2.ring import UNREADABLE
from local_mes.level2.spool_repeats import REPEAT_WINDOW
from local_mes.level2.telegrams.codec import FormatError, decode_body
from local_mes.level2.telegrams.frame import Frame, Head
from local_mes.level2.telegrams.layout import LayoutSet

OK, UNKNOWN, BAD_FORMAT = 0, 10, 20

_ACKNOWLEDGED = ("ack_sequence", "ack_id", "code")
Kind = Literal["data", "refused", "heartbeat", "answer"]


class Taken(Struct, frozen=True, gc=False):
    """One telegram, judged. data is to be stored (problem: why it cannot be read), refused is not; code answers it."""

    kind: Kind
    message: str
    head: Head
    frame: Frame
    fields: Mapping[str, Any] = field(default_factory=dict)
    code: int = OK
    problem: str = ""


_NO_HEAD = Head(UNREADABLE, 0, 0, "", False)


def _said(layouts: LayoutSet) -> tuple[str, ...] | None:
    """What of a telegram an acknowledgement repeats; None where none is given."""
    rules = layouts.protocol
    layout = layouts.messages.get(rules.acknowledge_id) if rules.acknowledge in ("positive", "code") else None
    return None if layout is None else tuple(f.name for f in layout.fields if f.name in _ACKNOWLEDGED)


class TelegramRules:
    """One line: its layouts and the messages that a link accepts on it."""

    def __init__(self, layouts: LayoutSet, accepted: Collection[str]) -> None:
        self._layouts = layouts
        self._protocol = layouts.protocol
        self._accepted = frozenset(accepted)
        down = [layout for layout in layouts.messages.values() if layout.reply and layout.direction != "up"]
        self._answers = {layout.reply for layout in down} | {layouts.protocol.acknowledge_id}
        self._acknowledged = _said(layouts)
        names = {f.name for f in layouts.header.fields}
        self.tells_repeats = bool(names & {"sequence", "time", "year"})
        numbers = self._protocol.sequence_last - self._protocol.sequence_first + 1
        self.window = max(1, min(REPEAT_WINDOW, numbers // 2))
        """Messages in which a repeat is looked for: before its number comes round."""

    def take(self, frame: Frame) -> Taken:
        """What a telegram is and says."""
        head = frame.head
        if head is None:
            return self._bad(frame, _NO_HEAD, BAD_FORMAT, frame.why)
        message = head.message
        if message == self._protocol.heartbeat_id:
            return Taken("heartbeat", message, head, frame)
        layout = self._layouts.messages.get(message)
        answers = message in self._answers
        if layout is None or not (answers or message in self._accepted):
            return self._bad(frame, head, UNKNOWN, f"{message} is no message of this link.")
        try:
            if frame.why:
                raise FormatError(frame.why)
            fields = decode_body(layout, frame.body)
        except FormatError as error:
            return self._bad(frame, head, BAD_FORMAT, f"{message}: {error}")
        return Taken("answer" if answers else "data", message, head, frame, fields)

    def take_down(self, frame: Frame) -> Taken:
        """What a telegram to Level 2 says, overheard from whoever else talks to it; problem: why it cannot be read."""
        if frame.head is None:
            return Taken("data", UNREADABLE, _NO_HEAD, frame, problem=frame.why)
        message = frame.head.message
        layout = self._layouts.messages.get(message)
        if message == self._protocol.heartbeat_id:
            return Taken("heartbeat", message, frame.head, frame)
        if layout is None:
            return Taken("data", message, frame.head, frame, problem=f"{message} has no layout.")
        try:
            return Taken("data", message, frame.head, frame, decode_body(layout, frame.body))
        except FormatError as error:
            return Taken("data", message, frame.head, frame, problem=f"{message}: {error}")

    def _bad(self, frame: Frame, head: Head, code: int, why: str) -> Taken:
        kind: Kind = "refused" if self._protocol.acknowledge == "code" else "data"
        return Taken(kind, head.message, head, frame, code=code, problem=why)

    def answer(self, taken: Taken) -> tuple[str, Mapping[str, Any]] | None:
        """Message and fields of what answers a telegram that is stored, or refused; None where nothing does."""
        how = self._protocol.acknowledge
        known = {"ack_sequence": taken.head.sequence, "ack_id": taken.message, "code": taken.code}
        if how != "reply":
            said = self._acknowledged
            return None if said is None else (self._protocol.acknowledge_id, {name: known[name] for name in said})
        asked = self._layouts.messages.get(taken.message)
        layout = self._layouts.messages.get(asked.reply) if asked else None
        if asked is None or layout is None:
            return None
        known = {**taken.fields, **known}
        return asked.reply, {f.name: known[f.name] for f in layout.fields if f.name in known}

    def answer_to(self, message: str) -> str | None:
        """The message that answers one of ours; None where nothing does."""
        how = self._protocol.acknowledge
        if how == "none":
            return None
        return self._layouts.messages[message].reply or None if how == "reply" else self._protocol.acknowledge_id
