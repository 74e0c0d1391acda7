"""Binding documents to a plant: its units and their values give the effective set, or a list of what is missing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.standards.canonical import canonical_bytes, sha256
from shared.standards.check import TRANSPORT
from shared.standards.documents import AnyStandard, Parameter, Routing
from shared.standards.facts import InstalledStandard
from shared.standards.queries import Deviation


@dataclass(frozen=True)
class Equipment:
    """A unit as standards see it: its class and the plant's own values."""

    unit: str
    unit_class: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Bound:
    """A document bound to a plant. values: "UNIT.parameter" -> value in force; missing: sentences, empty when complete."""

    values: dict[str, int | str]
    missing: tuple[str, ...]


def bind(
    document: AnyStandard, plant: str, equipment: Sequence[Equipment], deviations: Sequence[Deviation] = ()
) -> Bound:
    """The plant's values for a document; a declared deviation may go outside the range, nothing else may."""
    has = {unit.unit_class for unit in equipment}
    missing = [f"{document.id}: no unit of class {name}" for name in _needed(document, has) if name not in has]
    if document.scope.plants and plant not in document.scope.plants:
        missing.append(f"{document.id}: not for plant {plant}")
    declared = {d.parameter: d.value for d in deviations if d.standard_id == document.id}
    values: dict[str, int | str] = {}
    for parameter in document.parameters:
        for unit in (unit for unit in equipment if unit.unit_class == parameter.of):
            name = f"{unit.unit}.{parameter.name}"
            value, fault = _value(parameter, unit.values.get(parameter.name), declared.get(name))
            values[name] = value
            missing += [f"{document.id}: {name} {fault}"] if fault else []
    return Bound(values, tuple(missing))


def segments(document: Routing) -> list[list[frozenset[str]]]:
    """The route cut at its transports: what one plant after another must be able to do, step by step."""
    parts: list[list[frozenset[str]]] = [[]]
    for step in document.steps:
        if TRANSPORT in step.classes:
            parts.append([])
        else:
            parts[-1].append(frozenset(step.classes))
    return [part for part in parts if part]


def _needed(document: AnyStandard, has: set[str]) -> list[str]:
    """Classes this plant must have: those the document names, and every class of a route's segments it takes part in."""
    needed = list(document.needs)
    if isinstance(document, Routing):
        mine = [part for part in segments(document) if any(step & has for step in part)]
        needed += sorted({name for part in mine for step in part for name in step})
        if not mine:
            needed += sorted({name for part in segments(document) for step in part for name in step})
    return list(dict.fromkeys(needed))


def _value(parameter: Parameter, chosen: object, declared: str | None) -> tuple[int | str, str]:
    if declared is not None:
        return _typed(parameter, declared), ""
    if chosen is None:
        return parameter.default, ""
    if isinstance(chosen, bool) or not isinstance(chosen, int | str) or not parameter.allows(chosen):
        return parameter.default, f"is {chosen} in the plant model, allowed is {parameter.range_text()}"
    return chosen, ""


def _typed(parameter: Parameter, text: str) -> int | str:
    return text if parameter.choices else int(text)


def effective_hash(standards: Iterable[InstalledStandard], deviations: Iterable[str]) -> str:
    """One hash over everything that is in force: versions, bodies, bound values and the ids of deviations."""
    listed = [
        {"id": s.standard_id, "version": s.version, "sha256": s.sha256, "values": dict(s.values)}
        for s in sorted(standards, key=lambda s: s.standard_id)
    ]
    return sha256(canonical_bytes({"standards": listed, "deviations": sorted(deviations)}))
