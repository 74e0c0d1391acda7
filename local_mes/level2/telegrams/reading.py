"""A whole telegram's bytes as message and fields. Pure."""

from __future__ import annotations

from typing import Any

from local_mes.level2.telegrams.codec import FormatError, decode_body
from local_mes.level2.telegrams.frame import Frame, Framer
from local_mes.level2.telegrams.layout import Layout, LayoutSet


def read_frame(layouts: LayoutSet, raw: bytes) -> tuple[Frame, Layout]:
    """The telegram taken apart, with its layout; FormatError says why it cannot be."""
    frame = next(iter(Framer(layouts).feed(raw)), None)
    if frame is None or frame.head is None or frame.why:
        raise FormatError(frame.why if frame and frame.why else "the telegram is not whole")
    layout = layouts.messages.get(frame.head.message)
    if layout is None:
        raise FormatError(f"{frame.head.message} has no layout")
    return frame, layout


def read_telegram(layouts: LayoutSet, raw: bytes) -> tuple[str, dict[str, Any]]:
    """Name and fields."""
    frame, layout = read_frame(layouts, raw)
    assert frame.head is not None
    return frame.head.message, dict(decode_body(layout, frame.body))
