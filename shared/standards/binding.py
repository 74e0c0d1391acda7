"""Binding documents to a plant: its units and their values give the effective set, or a list of what is missing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.standards.canonical import canonical_bytes, sha256
from shared.standards.check import TRANSPORT
from shared.standards.documents import AnyStandard, Parameter, Routing, Step
from shared.standards.facts import InstalledStandard
from shared.standards.queries import Deviation
from shared.standards.route_steps import Alternative


@dataclass(frozen=True)
class Equipment:
    """A unit as standards see it: its class, the plant's own values, and what it can do beyond its class."""

    unit: str
    unit_class: str
    values: Mapping[str, object] = field(default_factory=dict)
    capabilities: frozenset[str] = frozenset()


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
    missing = [f"{document.id}: no unit of class {name}" for name in document.needs if name not in has]
    if isinstance(document, Routing):
        missing = list(dict.fromkeys([*missing, *_lacking(document, equipment)]))
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


def segments(document: Routing) -> list[list[Step]]:
    """The route cut at its transports: what one plant after another must be able to do, step by step."""
    parts: list[list[Step]] = [[]]
    for step in document.steps:
        if TRANSPORT in step.classes:
            parts.append([])
        else:
            parts[-1].append(step)
    return [part for part in parts if part]


def _lacking(document: Routing, equipment: Sequence[Equipment]) -> list[str]:
    """What the segments lack that this plant takes part in, all where it takes part in none.

    A step needs one of its ways whole; where the plant has none, what its usual way lacks is said. Another firm's
    equipment is not asked for.
    """
    has = {unit.unit_class for unit in equipment}
    parts = segments(document)
    mine = [part for part in parts if any(step.all_classes & has for step in part)] or parts
    lacking: list[str] = []
    for step in (step for part in mine for step in part if not step.outside):
        ways = [_lacks(way, equipment) for way in step.ways]
        lacking += ways[0] if all(ways) else []
    return [f"{document.id}: {what}" for what in dict.fromkeys(lacking)]


def _lacks(way: Alternative, equipment: Sequence[Equipment]) -> list[str]:
    able = [(unit.unit_class, unit.capabilities) for unit in equipment]
    found = []
    for name in sorted(way.classes):
        if name not in (unit_class for unit_class, _ in able):
            found.append(f"no unit of class {name}")
        elif not any(unit_class == name and can >= set(way.requires) for unit_class, can in able):
            found.append(f"no {name} that can do {', '.join(sorted(way.requires))}")
    return found


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
