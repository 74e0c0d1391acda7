"""A trace as files for other programs: steps as CSV, the graph as GraphML."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from shared.material.trace import Trace
from shared.material.walk import Step
from shared.web.listing import plain_cell
from shared.web.pieces.graph import first_rows

NODE_KEYS = {
    "number": "string", "kind": "string", "author": "string", "state": "string", "grade": "string",
    "order_item": "string", "place": "string", "mass_g": "long", "thickness_um": "long", "width_um": "long",
    "length_um": "long", "born_at_ms": "long",
}  # fmt: skip
EDGE_NAMES = Step._fields[:-1]
DONE_KEYS = ("operation", "unit", "ended_at_ms")


def as_csv(found: Trace, operations: dict[tuple[str, str], Any]) -> str:
    """A line a step: both pieces by number and id, the operation, intervals in um, mass in g. Raw values."""
    rows, out = first_rows(found.rows), io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["parent", "child", *DONE_KEYS, *EDGE_NAMES])
    for step in found.edges:
        numbers = [rows[piece].number if piece in rows else "" for piece in (step.parent_id, step.child_id)]
        writer.writerow([plain_cell(value) for value in (*numbers, *_done(step, operations).values(), *_plain(step))])
    return out.getvalue()


def as_graphml(found: Trace, operations: dict[tuple[str, str], Any]) -> Iterator[str]:
    """The graph, from parent to child, in lines: pieces with what is known of them, steps with intervals and shares."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
    kinds = {name: _kind(name) for name in (*DONE_KEYS, *EDGE_NAMES)}
    for target, keys in (("node", NODE_KEYS), ("edge", kinds)):
        for name, kind in keys.items():
            yield f'<key id="{target}.{name}" for="{target}" attr.name="{name}" attr.type="{kind}"/>\n'
    yield '<graph edgedefault="directed">\n'
    rows = first_rows(found.rows)
    for piece in sorted({found.material_id, *(i for s in found.edges for i in (s.parent_id, s.child_id))}):
        known = {name: getattr(rows[piece], name) for name in NODE_KEYS} if piece in rows else {}
        yield f"<node id={quoteattr(piece)}>{_values('node', known)}</node>\n"
    for n, step in enumerate(dict.fromkeys(found.edges)):
        values = _done(step, operations) | dict(zip(EDGE_NAMES, _plain(step), strict=True))
        ends = f"source={quoteattr(step.parent_id)} target={quoteattr(step.child_id)}"
        yield f'<edge id="e{n}" {ends}>{_values("edge", values)}</edge>\n'
    yield "</graph>\n</graphml>\n"


def _kind(name: str) -> str:
    if name.startswith("flip_"):
        return "boolean"
    return "long" if name.endswith(("_um", "_g", "_ppm", "_ms")) or name == "ordinal" else "string"


def _done(step: Step, operations: dict[tuple[str, str], Any]) -> dict[str, Any]:
    done = operations.get((step.author, step.operation_id))
    return {name: getattr(done, name) if done is not None else None for name in DONE_KEYS}


def _plain(step: Step) -> list[Any]:
    return [bool(value) if name.startswith("flip_") else value for name, value in zip(EDGE_NAMES, step, strict=False)]


def _values(target: str, values: dict[str, Any]) -> str:
    known = {name: str(value).lower() if isinstance(value, bool) else value for name, value in values.items()}
    return "".join(
        f'<data key="{target}.{name}">{escape(str(value))}</data>'
        for name, value in known.items()
        if value not in (None, "")
    )
