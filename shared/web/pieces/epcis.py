"""A trace as an EPCIS 2.0 document in JSON-LD: what was made of what, what left, what came, in words of the CBV.

Pieces and events are named by their ids as urn:uuid, plants and loads by addresses of this node. What EPCIS has no field
for (intervals, flips, masses) stands in our own namespace, which the document's context names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import groupby
from typing import Any
from urllib.parse import quote

from shared.material.pack_facts import PACK_KIND
from shared.material.pack_queries import PackEvent
from shared.material.trace import Trace
from shared.material.walk import Piece, Step
from shared.transfers.moves import Arrival, Departure

CONTEXT = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
Event = dict[str, Any]
INTERVALS = (
    "parent_from_um", "parent_to_um", "child_from_um", "child_to_um",
    "parent_left_um", "parent_right_um", "child_left_um", "child_right_um", "mass_g", "share_ppm",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Names:
    """How things are called: the node's address, and the zone in which its people read times."""

    base: str
    zone: tzinfo = UTC

    def place(self, plant: str) -> dict[str, str]:
        """A plant as a read point or location."""
        return {"id": f"{self.base}plants/{quote(plant, safe='')}"}

    def load(self, shipment_id: str, number: str) -> str:
        """A load: by its id, else by its number."""
        return urn(shipment_id) if shipment_id else f"{self.base}shipments/{quote(number, safe='')}"

    def when(self, at_ms: int) -> Event:
        """Time and offset of an event."""
        at = datetime.fromtimestamp(at_ms / 1000, UTC)
        offset = at.astimezone(self.zone).utcoffset() or timedelta()
        sign, minutes = ("-" if offset < timedelta() else "+"), abs(int(offset.total_seconds())) // 60
        text = at.astimezone(timezone(offset)).isoformat(timespec="milliseconds")
        return {"eventTime": text, "eventTimeZoneOffset": f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"}


def urn(identity: str) -> str:
    """An id of 32 hex digits as a URI."""
    return f"urn:uuid:{identity[:8]}-{identity[8:12]}-{identity[12:16]}-{identity[16:20]}-{identity[20:]}"


def document(
    found: Trace,
    operations: dict[tuple[str, str], Any],
    left: Sequence[Departure],
    came: Sequence[Arrival],
    packs: Sequence[PackEvent],
    names: Names,
    now_ms: int,
) -> Event:
    """The whole document, events by time."""
    events = [
        *_births(found, names),
        *_steps(found, operations, names),
        *_departures(left, names),
        *_arrivals(came, names),
        *_packs(packs, names),
        *_ends(found, names),
    ]
    events.sort(key=lambda event: (datetime.fromisoformat(event["eventTime"]), event["eventID"]))
    return {
        "@context": [CONTEXT, {"strandline": f"{names.base}epcis#"}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds"),
        "epcisBody": {"eventList": events},
    }


def _event(kind: str, identity: str, at_ms: int, step: str, disposition: str, plant: str, names: Names) -> Event:
    return {
        "type": kind,
        "eventID": identity,
        **names.when(at_ms),
        "bizStep": step,
        "disposition": disposition,
        "readPoint": names.place(plant),
    }


def _births(found: Trace, names: Names) -> Iterable[Event]:
    """Pieces that a plant took into its books without parents here."""
    for row in found.rows:
        if (row.origin in ("made", "received") and row.kind != "heat") or (
            row.origin == "packed" and row.kind != PACK_KIND  # it came out of a pack and had been born elsewhere
        ):
            continue
        event = _event(
            "ObjectEvent", urn(row.material_id), row.born_at_ms, "commissioning", "active", row.author, names
        )
        yield event | {"action": "ADD", "epcList": [urn(row.material_id)], "ilmd": _described(row)}


def _described(row: Piece) -> Event:
    texts = {"strandline:number": row.number, "strandline:kind": row.kind, "strandline:grade": row.grade}
    return {name: value for name, value in texts.items() if value} | {"strandline:mass_g": row.mass_g}


def _steps(found: Trace, operations: dict[tuple[str, str], Any], names: Names) -> Iterable[Event]:
    key: Callable[[Step], tuple[str, str]] = lambda step: (step.author, step.operation_id)  # noqa: E731
    for (author, operation_id), group in groupby(sorted(set(found.edges), key=key), key=key):
        steps, done = list(group), operations.get((author, operation_id))
        if done is None:
            yield from (_identified(step, found, names) for step in steps if step.kind == "identity")
            continue
        event = _event(
            "TransformationEvent", urn(operation_id), done.ended_at_ms, "commissioning", "in_progress", author, names
        )
        yield event | {
            "inputEPCList": sorted({urn(step.parent_id) for step in steps}),
            "outputEPCList": sorted({urn(step.child_id) for step in steps}),
            "transformationID": urn(operation_id),
            "strandline:operation": done.operation,
            "strandline:unit": done.unit,
            "strandline:edges": [_edge(step) for step in steps],
        }


def _edge(step: Step) -> Event:
    ends = {"strandline:parent": urn(step.parent_id), "strandline:child": urn(step.child_id)}
    flips = {f"strandline:{name}": bool(getattr(step, name)) for name in ("flip_length", "flip_width", "flip_face")}
    return ends | {f"strandline:{name}": getattr(step, name) for name in INTERVALS} | flips


def _identified(step: Step, found: Trace, names: Names) -> Event:
    """A provisional identity that was found to be another: seen, and said so."""
    at_ms = max(
        (row.ended_at_ms or row.born_at_ms for row in found.rows if row.material_id == step.child_id), default=0
    )
    event = _event(
        "ObjectEvent", urn(step.operation_id), at_ms, "inspecting", "completeness_verified", step.author, names
    )
    return event | {
        "action": "OBSERVE",
        "epcList": [urn(step.child_id)],
        "strandline:identifiedAs": urn(step.parent_id),
    }


def _departures(left: Sequence[Departure], names: Names) -> Iterable[Event]:
    """Pieces of one load together: aggregated to it, then shipped."""
    key: Callable[[Departure], tuple[str, str]] = lambda one: (one.plant, one.shipment_id)  # noqa: E731
    for (plant, shipment_id), group in groupby(sorted(left, key=key), key=key):
        lines = list(group)
        at_ms, load = lines[0].at_ms, names.load(shipment_id, lines[0].number)
        pieces = sorted({urn(line.material_id) for line in lines})
        loading = _event("AggregationEvent", f"{load}#loaded", at_ms, "loading", "in_progress", plant, names)
        yield loading | {"action": "ADD", "parentID": load, "childEPCs": pieces}
        shipped = _event("ObjectEvent", f"{load}#shipped", at_ms, "shipping", "in_transit", plant, names)
        yield shipped | {
            "action": "OBSERVE",
            "epcList": pieces,
            "bizTransactionList": [{"type": "desadv", "bizTransaction": load}],
            "sourceList": [{"type": "location", "source": names.place(plant)["id"]}],
            "destinationList": [{"type": "location", "destination": names.place(lines[0].to)["id"]}],
        }


def _arrivals(came: Sequence[Arrival], names: Names) -> Iterable[Event]:
    for one in came:
        identity, load = urn(one.receipt_id), names.load(one.shipment_id, one.number)
        if one.shipment_id or one.number:
            off = _event("AggregationEvent", f"{identity}#off", one.at_ms, "unloading", "in_progress", one.plant, names)
            yield off | {"action": "DELETE", "parentID": load, "childEPCs": [urn(one.material_id)]}
        event = _event("ObjectEvent", identity, one.at_ms, "receiving", "in_progress", one.plant, names)
        yield event | {"action": "OBSERVE", "epcList": [urn(one.material_id)], "bizLocation": names.place(one.plant)}


def _packs(packs: Sequence[PackEvent], names: Names) -> Iterable[Event]:
    """Pieces aggregated to their pack, and taken out of it again."""
    for pack in packs:
        does, step = ("opened", "unpacking") if pack.opened else ("packed", "packing")
        identity = f"{urn(pack.pack_id)}#{does}-{quote(pack.author, safe='')}"
        event = _event("AggregationEvent", identity, pack.at_ms, step, "in_progress", pack.author, names)
        yield event | {
            "action": "DELETE" if pack.opened else "ADD",
            "parentID": urn(pack.pack_id),
            "childEPCs": sorted(urn(member) for member in pack.members),
        }


def _ends(found: Trace, names: Names) -> Iterable[Event]:
    for row in found.rows:
        if row.state == "scrapped" and row.ended_at_ms is not None:
            event = _event(
                "ObjectEvent", f"{urn(row.material_id)}#scrapped", row.ended_at_ms, "decommissioning", "inactive",
                row.author, names,
            )  # fmt: skip
            yield event | {"action": "DELETE", "epcList": [urn(row.material_id)]}
