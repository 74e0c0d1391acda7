"""Writes and reads the segments of a message by its mapping; the same file serves both ways.

Reading is strict about what it reads (a constant that differs makes another segment, a missing one is named) and says what it
did not read: nothing of a message is dropped unseen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.outside.x12.envelope import Segment
from shared.outside.x12.mapping import Element, Mapping, Node
from shared.outside.x12.values import Broken, read_value, write_value

ITEMS_MAX = 200
"""Items of one loop, as of one load or one step: each input is tied to each product."""
Told = dict[str, Any]


def write_message(mapping: Mapping, told: AnyMapping[str, Any]) -> list[Segment]:
    """The segments that tell this; optional ones without any content are left out."""
    return _write(mapping.node, told, Counter())


def _write(nodes: Sequence[Node], told: AnyMapping[str, Any], counts: Counter[str]) -> list[Segment]:
    lines: list[Segment] = []
    for node in nodes:
        if node.each:
            for item in told.get(node.each, ()):
                lines += _write(node.node, item, counts)
            continue
        if node.optional and not any(told.get(e.field) for e in node.elements if e.field):
            continue
        lines.append((node.segment, *(_written(element, told, counts) for element in node.elements)))
    return lines


def _written(element: Element, told: AnyMapping[str, Any], counts: Counter[str]) -> str:
    if element.count:
        counts[element.count] += 1
        return str(counts[element.count])
    if element.const is not None:
        return element.const
    return write_value(told.get(element.field), element.form) if element.field else ""


@dataclass
class Reading:
    """Segments being read: where it stands, and what nothing read."""

    segments: Sequence[Segment]
    at: int = 0
    unread: list[str] = field(default_factory=list)

    @property
    def next(self) -> Segment | None:
        """The segment to be read, None at the end."""
        return self.segments[self.at] if self.at < len(self.segments) else None


def read_message(mapping: Mapping, segments: Sequence[Segment]) -> tuple[Told, list[str]]:
    """What the message tells, and the segments that the mapping does not read. Broken names what is missing."""
    reading = Reading(segments)
    told: Told = {}
    _read(mapping.node, told, reading, ())
    while reading.next is not None:
        _pass_over(reading)
    return told, reading.unread


def _read(nodes: Sequence[Node], told: Told, reading: Reading, later: Sequence[Node]) -> None:
    for at, node in enumerate(nodes):
        after = (*nodes[at + 1 :], *later)
        if node.each:
            _read_loop(node, told, reading, after)
        elif _advance(node, reading, after):
            _take(node, told, reading)
        elif not node.optional:
            where = reading.next
            raise Broken(f"{_name(node)} is missing before {'*'.join(where)[:40] if where else 'the end'}")


def _read_loop(node: Node, told: Told, reading: Reading, later: Sequence[Node]) -> None:
    items: list[Told] = told.setdefault(node.each, [])
    head = node.node[0]
    while _advance(head, reading, later):
        if len(items) >= ITEMS_MAX:
            raise Broken(f"{node.each} has more than {ITEMS_MAX} items")
        item: Told = {}
        _read(node.node, item, reading, (head, *later))
        items.append(item)


def _advance(node: Node, reading: Reading, later: Sequence[Node]) -> bool:
    """Whether the node's segment is next, passing over what no later node reads either."""
    while reading.next is not None:
        if _fits(node, reading.next):
            return True
        if any(_fits(other.node[0] if other.each else other, reading.next) for other in later):
            return False
        _pass_over(reading)
    return False


def _fits(node: Node, segment: Segment) -> bool:
    if node.segment != segment[0]:
        return False
    return all(
        element.const in (None, "", segment[at] if at < len(segment) else "")
        for at, element in enumerate(node.elements, start=1)
    )


def _take(node: Node, told: Told, reading: Reading) -> None:
    segment = reading.next
    assert segment is not None
    for at, element in enumerate(node.elements, start=1):
        if not element.field:
            continue
        try:
            value = read_value(segment[at] if at < len(segment) else "", element.form, element.most)
        except Broken as why:
            raise Broken(f"{node.segment}{at:02d}: {why}") from None
        # a date and a time of the same field add up to a moment
        told[element.field] = told.get(element.field, 0) + value if element.form in ("date", "time") else value
    reading.at += 1


def _pass_over(reading: Reading) -> None:
    segment = reading.next
    if segment is not None:
        reading.unread.append("*".join(segment))
    reading.at += 1


def _name(node: Node) -> str:
    return "*".join((node.segment, *(e.const for e in node.elements if e.const)))
