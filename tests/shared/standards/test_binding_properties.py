"""Properties of binding, over made-up documents and plants: it is deterministic and knows no order, a permitted value is
bound as it is, one that is not permitted is never bound and always named, and the hash that a plant computes is the one
that its facts give at the hub."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from central_hub.conformance.domain import Reported, hash_differs
from shared.errors import BadInput
from shared.standards.binding import Equipment, bind, effective_hash
from shared.standards.canonical import body_of, sha256
from shared.standards.documents import AnyStandard, parse_body, parse_document
from shared.standards.facts import InstalledStandard
from shared.standards.frame import Parameter
from shared.standards.queries import Adopted, Deviation

CLASSES = ("eaf", "slab_caster", "pickling")
NAMES = ("speed_mm", "loss_ppm", "mode")
NUMBERS = st.integers(-50, 50)
UNHURRIED = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def parameters(draw: st.DrawFn) -> list[dict[str, Any]]:
    places = draw(st.lists(st.tuples(st.sampled_from(CLASSES), st.sampled_from(NAMES)), unique=True, max_size=5))
    return [{"of": of, "name": name, "unit": "", **draw(ranges())} for of, name in places]


@st.composite
def ranges(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        choices = draw(st.lists(st.sampled_from(["strand", "heat", "coil"]), min_size=1, unique=True))
        return {"choices": choices, "default": draw(st.sampled_from(choices))}
    low, high = sorted((draw(NUMBERS), draw(NUMBERS)))
    return {"min": low, "max": high, "default": draw(st.integers(low, high))}


@st.composite
def routes(draw: st.DrawFn) -> AnyStandard:
    steps = [{"number": n, "name": name, "classes": [name]} for n, name in enumerate(CLASSES, start=1)]
    return parse_document(
        {
            "kind": "routing", "id": draw(st.sampled_from(["R-A", "R-B", "R-C"])), "version": 1, "title": "made up",
            "owner": "o", "takes_hold": "at_once", "product": "p", "steps": steps, "parameters": draw(parameters()),
        }
    )  # fmt: skip


@st.composite
def plants(draw: st.DrawFn) -> list[Equipment]:
    values = st.dictionaries(st.sampled_from(NAMES), st.one_of(NUMBERS, st.sampled_from(["strand", "fast"])))
    classes = [*CLASSES, *draw(st.lists(st.sampled_from(CLASSES), max_size=3))]
    return [Equipment(f"U{n}", name, draw(values)) for n, name in enumerate(classes)]


@given(routes(), plants(), st.data())
@settings(UNHURRIED, max_examples=20)
def test_binding_is_deterministic_and_knows_no_order(document: AnyStandard, units: list[Equipment], data: Any) -> None:
    mixed = data.draw(st.permutations(units))
    turned = document.model_dump(mode="json")
    turned["parameters"] = data.draw(st.permutations(turned["parameters"]))
    first, again, other = (
        bind(document, "ALD", units),
        bind(parse_body(body_of(document)), "ALD", units),
        bind(parse_document(turned), "ALD", mixed),
    )
    assert first == again
    assert (first.values, sorted(first.missing)) == (other.values, sorted(other.missing))


@given(routes(), plants())
@settings(UNHURRIED, max_examples=30)
def test_a_value_is_bound_as_it_is_or_named_as_missing(document: AnyStandard, units: list[Equipment]) -> None:
    bound = bind(document, "ALD", units)
    by_unit = {unit.unit: unit for unit in units}
    for name, value in bound.values.items():
        unit, _, parameter = name.partition(".")
        of = next(p for p in document.parameters if (p.name, p.of) == (parameter, by_unit[unit].unit_class))
        chosen = by_unit[unit].values.get(parameter, of.default)
        named = [line for line in bound.missing if line.startswith(f"{document.id}: {name} ")]
        assert of.allows(value), "what is in force is permitted, whatever the plant's model says"
        assert (value == chosen and not named) or (value == of.default and len(named) == 1)
    chosen_well = [Equipment(u.unit, u.unit_class, _permitted(document, u)) for u in units]
    assert bind(document, "ALD", chosen_well).missing == ()


def _permitted(document: AnyStandard, unit: Equipment) -> dict[str, Any]:
    """The ends of every range: what a plant may just choose."""
    mine = [p for p in document.parameters if p.of == unit.unit_class]
    return {p.name: p.choices[-1] if p.choices else p.max for p in mine}


@pytest.mark.parametrize("range_", [{"min": 3, "max": 2, "default": 3}, {"choices": ["a"], "default": "b"}])
def test_a_range_that_nothing_fits_is_refused_at_its_author(range_: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Parameter(name="speed_mm", of="eaf", unit="", **range_)
    with pytest.raises(BadInput):
        parse_document(
            {
                "kind": "kpi", "id": "K", "version": 1, "title": "kpi", "owner": "o", "takes_hold": "at_once",
                "parameters": [{"name": "speed_mm", "of": "eaf", "unit": "", **range_}],
            }
        )  # fmt: skip


@given(
    st.lists(routes(), unique_by=lambda d: d.id, max_size=2),
    plants(),
    st.lists(NUMBERS, unique=True, max_size=3),
    st.data(),
)
@settings(UNHURRIED, max_examples=20)
def test_the_hash_of_the_set_is_the_same_at_plant_and_hub(
    documents: list[AnyStandard], units: list[Equipment], odd: list[int], data: Any
) -> None:
    deviations = [
        Deviation("ALD", f"{n:032x}", d.id, f"U0.{d.parameters[0].name}", str(n), "o", "r", 0, 9, None)
        for n, d in zip(sorted(odd), documents, strict=False)
        if d.parameters and not d.parameters[0].choices
    ]
    installed = [
        InstalledStandard(d.id, d.version, sha256(body_of(d)), 5, bind(d, "ALD", units, deviations).values)
        for d in documents
    ]
    ids = [deviation.deviation_id for deviation in deviations]
    at_plant = effective_hash(installed, ids)
    # as the row at the hub has it: values as JSON text, in any order
    told = [
        Adopted("ALD", s.standard_id, s.version, s.sha256, 5, 6, None, json.loads(json.dumps(s.values, sort_keys=True)))
        for s in data.draw(st.permutations(installed))
    ]
    reported = Reported(
        "ALD", None, at_plant, {a.standard_id: a for a in told}, tuple(data.draw(st.permutations(deviations)))
    )
    assert not hash_differs(reported)
    edited = next((adopted for adopted in told if adopted.values), None)
    if edited is not None:
        edited.values[next(iter(edited.values))] = "changed by hand"
        assert hash_differs(reported)
