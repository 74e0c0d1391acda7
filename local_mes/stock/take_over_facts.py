"""The facts of a take-over: each piece as it lies, each step of the old system as edges between them.

Ids derive from the take-over and the number or step, so that recording it again after a crash records nothing twice.
The steps charge and produce nothing in our books: their masses stand on the edges, and no figure of ours counts them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local_mes.plant import Plant
from local_mes.stock.service import new_alias
from local_mes.stock.take_over_plan import Piece, Plan, Step
from local_mes.stock.yard_domain import as_recorded
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Work
from shared.material.facts import MADE_AT, Consumed, Edge, Mass, MaterialCreated, MaterialTransformed, NewMaterial, Size
from shared.units import share_out

CREATED = "take-over:{}"
"""Source of every fact of a take-over, by its id."""
NOTE = "taken over from the old system"
WHOLE_PPM = 1_000_000

Making = Callable[[Work], Draft[Any]]


class Recorder:
    """Drafts of one take-over, made inside the transaction that records them. begun_ms: UTC, the same at each attempt."""

    def __init__(self, plant: Plant, take_over_id: str, actor: str, begun_ms: int, plan: Plan) -> None:
        self._plant, self._id, self._actor, self._begun_ms, self._plan = plant, take_over_id, actor, begun_ms, plan
        self._pieces = {piece.number: piece for piece in plan.pieces}

    def pieces(self) -> list[Making]:
        """Heats, pieces that were used up, and what lies here."""
        return [lambda tx, piece=piece: self._piece(tx, piece) for piece in self._plan.pieces]  # type: ignore[misc]

    def steps(self) -> list[Making]:
        """The old system's operations, in the order of its file."""
        return [lambda _tx, step=step: self._step(step) for step in self._plan.steps]  # type: ignore[misc]

    def material_ids(self) -> list[str]:
        """All pieces."""
        return [self._id_of(piece.number) for piece in self._plan.pieces]

    def operation_ids(self) -> list[str]:
        """All steps."""
        return [self._new_id("step", step.name) for step in self._plan.steps]

    def _id_of(self, number: str) -> str:
        return self._new_id("piece", number)

    def _new_id(self, *parts: str) -> str:
        return derived_id(self._begun_ms, self._plant.code, self._id, *parts)

    def _occurred(self, at_ms: int) -> Occurred:
        return Occurred(at_ms, CREATED.format(self._id), self._plant.model.calendar.offset_min(at_ms))

    def _piece(self, tx: Work, piece: Piece) -> Draft[Any]:
        told, material_id = piece.values, self._id_of(piece.number)
        made_ms = told.get("made_at", told.get("tapped_at"))
        numbers = (piece.number, *told.get("also_numbers", ()))
        attributes = {"supplier": told["supplier"]} if told.get("supplier") else {}
        if made_ms is not None:
            attributes[MADE_AT] = str(made_ms)
        new = NewMaterial(
            material_id=material_id,
            kind=piece.kind,
            aliases=tuple(new_alias(self._plant, tx, piece.kind, number) for number in numbers),
            grade=told.get("grade", ""),
            mass=Mass(told.get("mass_kg", 0), told.get("mass_basis", "theoretical"), "", made_ms or 0),
            size=Size(told.get("thickness_mm", 0), told.get("width_mm", 0), told.get("length_m", 0)),
            order_item=told.get("order_item", "stock"),
            place=as_recorded(told.get("place", ""), self._plant.model.storage),
            attributes=attributes,
        )
        fact = MaterialCreated(
            material=new,
            origin="purchased" if told.get("supplier") else "migrated",
            chemistry_e6=told.get("chemistry", {}),
            heat_number=told.get("heat", piece.number if piece.kind == "heat" else ""),
        )
        occurred = self._occurred(made_ms if made_ms is not None else self._begun_ms)
        return Draft(fact, (material_id,), self._actor, occurred, fact_id=self._new_id("created", piece.number))

    def _step(self, step: Step) -> Draft[Any]:
        first = step.lines[0]
        parents = list(dict.fromkeys(line["parent"] for line in step.lines))
        children = list(dict.fromkeys(line["child"] for line in step.lines))
        shares = self._shares(step.lines)
        used = tuple(Consumed(self._id_of(one), 0) for one in parents if not self._pieces[one].live)
        fact = MaterialTransformed(
            operation_id=self._new_id("step", step.name),
            operation=first["operation"],
            unit=first["unit"],
            started_at_ms=first["ended_at"],
            ended_at_ms=first["ended_at"],
            parents=used,
            children=(),
            edges=tuple(self._edge(line, share) for line, share in zip(step.lines, shares, strict=True)),
            notes=(NOTE,),
        )
        subjects = (fact.operation_id, *(self._id_of(one) for one in (*parents, *children)))
        occurred = self._occurred(first["ended_at"])
        return Draft(fact, subjects, self._actor, occurred, fact_id=self._new_id("stepped", step.name))

    def _shares(self, lines: Sequence[Mapping[str, Any]]) -> list[int]:
        """Of each child's mass, the part that came over this line, ppm; a child's parts add up exactly."""
        found = [WHOLE_PPM] * len(lines)
        for child in {line["child"] for line in lines}:
            mine = [n for n, line in enumerate(lines) if line["child"] == child]
            weights = [lines[n]["mass_kg"] for n in mine]
            parts = share_out(WHOLE_PPM, weights if sum(weights) else [1] * len(mine))
            for n, part in zip(mine, parts, strict=True):
                found[n] = part
        return found

    def _edge(self, line: Mapping[str, Any], share_ppm: int) -> Edge:
        parent, child = (self._pieces[line[name]].values for name in ("parent", "child"))
        return Edge(
            parent_id=self._id_of(line["parent"]),
            child_id=self._id_of(line["child"]),
            parent_from_um=line.get("from_m", 0),
            parent_to_um=line.get("to_m", parent.get("length_m", 0)),
            child_from_um=line.get("child_from_m", 0),
            child_to_um=line.get("child_to_m", child.get("length_m", 0)),
            parent_right_um=parent.get("width_mm", 0),
            child_right_um=child.get("width_mm", 0),
            mass_g=line["mass_kg"],
            share_ppm=share_ppm,
        )
