"""EPCIS 2.0 events (JSON-LD) of an outside party as statements: ObjectEvent, AggregationEvent, TransformationEvent.

Read: eventID, eventTime, bizStep (receiving, unloading: received; shipping, departing, loading: sent back), epcList or
childEPCs, parentID or a despatch advice as the load, disposition `damaged`, a mass as sensor report in KGM, and in our own
namespace `strandline:pieces` for what EPCIS has no field for. What is well-formed and means nothing here goes to people.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from local_mes.outside import errors
from local_mes.outside.domain import BASES, FIGURES, GRAMS_MAX, UM_MAX, Said, Statement, name_of
from shared.web.body import MOMENT_MAX_MS

EVENTS_MAX = 500
"""Events of one document: a processor's day; more come in several documents."""
PIECES_MAX = 200
"""Pieces of one event, as of one load."""
TEXT_MAX = 200
FIGURE_MAX = 20
"""Characters of a mass in kilograms: a binary fraction with all its digits has fewer."""
KG_MAX = GRAMS_MAX // 1000
VERSIONS = ("2.0", "2.0.0", "2.0.1")
STEPS = {
    "receiving": "received",
    "unloading": "received",
    "accepting": "received",
    "shipping": "shipped",
    "departing": "shipped",
    "loading": "shipped",
}
_LAST_WORD = re.compile(r"([A-Za-z_]+)$")


class Malformed(ValueError):
    """An event that breaks EPCIS; the text names the field."""


def read_document(document: Any) -> list[tuple[str, Statement | None, str]]:
    """(event id, statement or None, why not) for each event in its order. BadInput when it is no document at all."""
    if not isinstance(document, dict) or document.get("type") != "EPCISDocument":
        raise errors.not_epcis("its type is not EPCISDocument")
    if str(document.get("schemaVersion")) not in VERSIONS:
        raise errors.not_epcis(f"schemaVersion is {document.get('schemaVersion')!r}")
    body = document.get("epcisBody")
    events = body.get("eventList") if isinstance(body, dict) else None
    if not isinstance(events, list):
        raise errors.not_epcis("epcisBody.eventList is no list")
    if len(events) > EVENTS_MAX:
        raise errors.too_many("events", EVENTS_MAX)
    return [_one(event) for event in events]


def _one(event: Any) -> tuple[str, Statement | None, str]:
    event_id = event.get("eventID") if isinstance(event, dict) else None
    shown = event_id if isinstance(event_id, str) else ""
    try:
        return shown, read_event(event), ""
    except Malformed as why:
        return shown[:TEXT_MAX], None, str(why)


def read_event(event: Any) -> Statement:
    """One event. Malformed names what is missing or wrong."""
    if not isinstance(event, dict):
        raise Malformed("an event is no object")
    event_id = _text(event, "eventID", needed=True)
    at_ms = _moment(event)
    _text(event, "eventTimeZoneOffset", needed=True)
    kind = event.get("type")
    if "errorDeclaration" in event:
        return _unclear(event_id, at_ms, "it declares an earlier event wrong: compare and correct by hand")
    if kind == "TransformationEvent":
        return _transformed(event, event_id, at_ms)
    if kind not in ("ObjectEvent", "AggregationEvent"):
        return _unclear(event_id, at_ms, f"events of type {str(kind)[:40]} say nothing here")
    _text(event, "action", needed=True)
    step = _step(event)
    meaning = STEPS.get(step)
    if meaning is None:
        return _unclear(event_id, at_ms, f"business step {step or '(none)'} says nothing here")
    grouped = kind == "AggregationEvent"
    epcs = _names(event, "childEPCs" if grouped else "epcList")
    said = _pieces(event, epcs)
    parent = name_of(_text(event, "parentID", needed=True)) if grouped else _advice(event)
    own = meaning == "shipped"
    return Statement(
        event_id=event_id,
        kind=meaning,
        at_ms=at_ms,
        pieces=said,
        load="" if own else parent,
        number=parent if own else "",
    )


def _transformed(event: Mapping[str, Any], event_id: str, at_ms: int) -> Statement:
    inputs, outputs = _names(event, "inputEPCList"), _names(event, "outputEPCList")
    details = _details(event)
    return Statement(
        event_id=event_id,
        kind="produced",
        at_ms=at_ms,
        inputs=tuple(_said(epc, details.get(epc, {})) for epc in inputs),
        pieces=tuple(_said(epc, details.get(epc, {})) for epc in outputs),
        number=name_of(_text(event, "transformationID")),
        scrap_g=_grams(event.get("strandline:scrap_g", 0), "strandline:scrap_g"),
        operation=_text(event, "strandline:operation")[:32],
    )


def _pieces(event: Mapping[str, Any], epcs: Sequence[str]) -> tuple[Said, ...]:
    details = _details(event)
    measured = _measured_g(event) if len(epcs) == 1 else 0
    damaged = "damaged" if _last_word(event.get("disposition")) == "damaged" else ""
    return tuple(_said(epc, details.get(epc, {}), measured, damaged) for epc in epcs)


def _said(epc: str, detail: Mapping[str, Any], measured_g: int = 0, damaged: str = "") -> Said:
    more: dict[str, Any] = {name: _text(detail, name)[:64] for name in ("own_number", "kind")}
    more |= {name: _whole(detail[name], name, UM_MAX, "length in um") for name in FIGURES if name in detail}
    basis = _text(detail, "mass_basis") or "weighed"
    if basis not in BASES:
        raise Malformed(f"mass_basis is {basis[:20]!r}")
    return Said(
        piece=name_of(epc),
        mass_g=_grams(detail.get("mass_g", 0), "mass_g") or measured_g,
        mass_basis=basis,
        damage=_text(detail, "damage") or damaged,
        **more,
    )


def _details(event: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    listed = event.get("strandline:pieces", [])
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise Malformed("strandline:pieces is no list of objects")
    return {_text(one, "epc", needed=True): one for one in listed}


def _measured_g(event: Mapping[str, Any]) -> int:
    """The mass of a sensor report in kilograms; 0 where there is none."""
    elements = event.get("sensorElementList", [])
    for element in elements if isinstance(elements, list) else []:
        reports = element.get("sensorReport", []) if isinstance(element, dict) else []
        for report in reports if isinstance(reports, list) else []:
            if isinstance(report, dict) and _last_word(report.get("type")) == "Mass" and report.get("uom") == "KGM":
                return _kilograms(report.get("value"))
    return 0


def _kilograms(value: Any) -> int:
    text = str(value)
    if len(text) > FIGURE_MAX:
        raise Malformed(f"a mass has more than {FIGURE_MAX} characters")
    try:
        kilograms = Decimal(text)
        # looked at before it is made an integer: 1E+900000 takes seconds
        fits = 0 <= kilograms <= KG_MAX
    except (ValueError, ArithmeticError):
        raise Malformed("a mass is no number") from None
    if not fits:
        raise Malformed(f"a mass is not from 0 to {KG_MAX} kg")
    return int(kilograms * 1000)


def _grams(value: Any, name: str) -> int:
    return _whole(value, name, GRAMS_MAX, "mass in grams")


def _whole(value: Any, name: str, most: int, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise Malformed(f"{name} is no {what} from 0 to {most}")
    return value


def _advice(event: Mapping[str, Any]) -> str:
    """The load that a despatch advice among the business transactions names."""
    listed = event.get("bizTransactionList", [])
    for one in listed if isinstance(listed, list) else []:
        if isinstance(one, dict) and _last_word(one.get("type")) == "desadv":
            return name_of(_text(one, "bizTransaction", needed=True))
    return ""


def _names(event: Mapping[str, Any], key: str) -> list[str]:
    listed = event.get(key)
    if not isinstance(listed, list) or not listed:
        raise Malformed(f"{key} is missing or empty")
    if len(listed) > PIECES_MAX or not all(isinstance(one, str) and 0 < len(one) <= TEXT_MAX for one in listed):
        raise Malformed(f"{key} is no list of at most {PIECES_MAX} identifiers")
    if len(set(listed)) < len(listed):
        raise Malformed(f"{key} names a piece twice")
    return listed


def _moment(event: Mapping[str, Any]) -> int:
    text = _text(event, "eventTime", needed=True)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Malformed(f"eventTime {text[:40]!r} is no time") from None
    if at.tzinfo is None:
        raise Malformed("eventTime has no zone")
    at_ms = int(at.timestamp() * 1000)
    if not 0 <= at_ms <= MOMENT_MAX_MS:
        raise Malformed("eventTime is no possible time")
    return at_ms


def _step(event: Mapping[str, Any]) -> str:
    return _last_word(event.get("bizStep"))


def _last_word(value: Any) -> str:
    """`receiving` of a bare word, of a URN and of a Web vocabulary address."""
    found = _LAST_WORD.search(value) if isinstance(value, str) else None
    return found.group(1) if found else ""


def _text(of: Mapping[str, Any], name: str, *, needed: bool = False) -> str:
    value = of.get(name, "")
    if not isinstance(value, str) or len(value) > TEXT_MAX:
        raise Malformed(f"{name} is no text of at most {TEXT_MAX} characters")
    if needed and not value.strip():
        raise Malformed(f"{name} is missing")
    return value.strip()


def _unclear(event_id: str, at_ms: int, why: str) -> Statement:
    return Statement(event_id=event_id, kind="other", at_ms=at_ms, unclear=why)
