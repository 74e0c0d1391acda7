"""Data collections that fill themselves: whatever Level 2 tells of a piece at a unit is recorded where a standard asks.

An item names a signal of the plant (the last word of its name) or, on links without a mapping, a field of the message.
A value that the standard does not allow is not recorded: it stays missing, and a person is asked. One that is told again
as it is known already is not recorded again: some links tell everything every second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from local_mes.level2.mapping.signals import exact
from local_mes.level2.operations import Message, Signalled, Told, Work, follower
from local_mes.model.domain import Unit
from shared.execution.collecting import read_records
from shared.material.queries import find_piece
from shared.rules.measures import UnitError, convert, measure
from shared.standards.documents import AnyStandard
from shared.standards.queries import Adopted, list_documents_in_force
from shared.standards.work_kinds import DataCollection, DataItem
from shared.tasks.facts import DataCollected

NAMES = ("coil_out", "coil", "coil_no", "slab", "coil_in")
"""Fields by which messages name a piece; what was made goes before what it was made of."""
DATA_COLLECTION = "data_collection"
Value = int | str | bool


@follower
def keep_data(work: Work, told: Told) -> None:
    """Record what the collections in force at the message's unit ask, as far as the message says it."""
    unit = _unit(work)
    if unit is None:
        return
    for adopted, document in _in_force(work):
        if not isinstance(document, DataCollection) or document.at != unit.unit_class or document.per == "shift":
            continue
        values = values_of(document, told.signals, told.received.fields)
        number = _number(work.message, told.received, document.per) if values else ""
        piece = find_piece(work.conn, number, work.plant.code) if number else None
        if piece is not None and not _is_known(work, document, piece.material_id, values):
            record_id = work.new_id()
            fact = DataCollected(
                record_id=record_id, unit=unit.code, material_id=piece.material_id, of=number, values=values
            )
            work.record(fact, (piece.material_id,), standard=adopted.ref)


def _in_force(work: Work) -> Sequence[tuple[Adopted, AnyStandard]]:
    """Data collections in force, asked once for all messages of one transaction."""
    kept = work.tx.read_once
    if DATA_COLLECTION not in kept:
        kept[DATA_COLLECTION] = list_documents_in_force(work.conn, work.plant.code, DATA_COLLECTION)
    return cast(Sequence[tuple[Adopted, AnyStandard]], kept[DATA_COLLECTION])


def _is_known(work: Work, document: DataCollection, material_id: str, values: Mapping[str, Value]) -> bool:
    """Whether what is on record up to the message's time says the same."""
    records = read_records(work.conn, work.plant.code, [material_id], work.message.occurred.at_ms)
    return values.items() <= records.get((document.id, material_id), {}).items()


def values_of(
    document: DataCollection, signals: Mapping[str, Signalled], fields: Mapping[str, Any]
) -> dict[str, Value]:
    """What of a collection was told and passes, by item. Pure."""
    found: dict[str, Value] = {}
    for item in document.items:
        value = _value(item, signals, fields) if item.told_as else None
        if value is not None and not item.fault(value):
            found[item.name] = value
    return found


def _value(item: DataItem, signals: Mapping[str, Signalled], fields: Mapping[str, Any]) -> Value | None:
    signal = signals.get(item.told_as)
    told = signal.value if signal else fields.get(item.told_as)
    if told is None or item.type != "whole" or isinstance(told, bool | str):
        return told if isinstance(told, bool | str | int) else None
    try:
        given, wanted = (signal.measure, measure(item.unit)) if signal else (measure(""), measure(""))
        return round(convert(exact(told), given, wanted))
    except (UnitError, ValueError, OverflowError):
        return None


def _unit(work: Work) -> Unit | None:
    """The unit that the message is about, None where neither it nor its link says."""
    message = work.message
    named = (message.at_unit, str(message.fields.get("line") or ""), message.name.rpartition(".")[0])
    units = {unit.code: unit for unit in work.plant.model.unit}
    found = next((units[name] for name in named if name in units), None)
    return found or next((unit for unit in units.values() if unit.link == message.link), None)


def _number(read: Message, received: Message, per: str) -> str:
    """The number of the heat or piece that a message is about, empty where it names none."""
    names = ("heat",) if per == "heat" else NAMES
    told = (fields.get(name) for name in names for fields in (read.fields, received.fields))
    return next((str(value) for value in told if value), "")
