"""The form of a correction: what is on record of a piece, in the units people type, and what was typed as a request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import request
from sqlalchemy import Connection, Row

from local_mes.production.correction_domain import WHAT, Asked
from local_mes.production.correction_reading import Step, get_step
from shared.errors import BadInput
from shared.material.correction_queries import own_marks, standing_masses, standing_places
from shared.material.facts import Edge, Loss
from shared.material.queries import find_making, find_material, get_piece
from shared.web.forms import find_number, read_choice, read_number, read_text

KG_MAX = 400_000
MM_MAX = 10_000_000


@dataclass(frozen=True)
class ParentOnRecord:
    """One piece that went into the step."""

    row: Row[Any]
    charged_g: int
    whole: bool
    edge: Edge | None


@dataclass(frozen=True)
class Record:
    """What the plant's books say of a piece."""

    piece: Row[Any]
    masses: Sequence[Row[Any]]
    step: Step | None
    parents: Sequence[ParentOnRecord]
    places: Sequence[Row[Any]]
    marks: Sequence[Row[Any]]


def read_record(conn: Connection, plant: str, number: str) -> Record:
    """The piece, its masses (the standing one last), the step that made it here, if one did."""
    piece = get_piece(conn, number, plant)
    made = find_making(conn, plant, piece.material_id)
    step = get_step(conn, plant, piece) if made is not None else None
    own = (conn, plant, piece.material_id)
    parents = _parents(conn, plant, piece, step) if step else ()
    return Record(piece, standing_masses(*own), step, parents, standing_places(*own), own_marks(*own))


def _parents(conn: Connection, plant: str, piece: Row[Any], step: Step) -> list[ParentOnRecord]:
    found = []
    for charged in step.parents:
        row = find_material(conn, plant, charged.material_id)
        ids = (charged.material_id, piece.material_id)
        own = next((e for e in step.edges if (e.parent_id, e.child_id) == ids), None)
        if row is not None:
            found.append(ParentOnRecord(row, charged.charged_g, charged.whole, own))
    return found


def read_asked(record: Record) -> Asked:
    """What was typed, in the integers of the tables."""
    what = read_choice("what", "What is wrong", WHAT)
    reason = read_text("reason", "Reason")
    more = _READERS[what](record) if what in _READERS else {}
    return Asked(what=what, piece=record.piece.material_id, reason=reason, **more)


def _mass(record: Record) -> dict[str, Any]:
    wrong = read_choice("fact", "Weighing", [m.fact_id for m in record.masses])
    mass = find_number("mass_kg", "Mass", least=0, most=KG_MAX, unit="kg", scale=1000) or 0
    if not mass and "did_not_happen" not in request.form:
        raise BadInput("form.missing", "Mass is missing.", todo="Give the right mass, or tick that it was not weighed.")
    return {"fact": wrong, "mass_g": mass, "scale": read_text("scale", "Scale", most=64, needed=False)}


def _size(_: Record) -> dict[str, Any]:
    return _millimetres("thickness", "width", "length")


def _parent(record: Record) -> str:
    return read_choice("parent", "Piece it was made from", [p.row.material_id for p in record.parents])


def _interval(record: Record) -> dict[str, Any]:
    return {"parent": _parent(record), **_millimetres("from", "to", "left", "right")}


def _millimetres(*names: str, was: Row[Any] | None = None) -> dict[str, int]:
    """Fields in mm as um; an empty one is as it was, else 0."""
    found = {}
    for name in names:
        typed = find_number(f"{name}_mm", name.capitalize(), least=0, most=MM_MAX, unit="mm", scale=1000)
        found[f"{name}_um"] = getattr(was, f"{name}_um", 0) if typed is None else typed
    return found


def _consumption(record: Record) -> dict[str, Any]:
    charged = read_number("charged_kg", "Charged", least=0, most=KG_MAX, unit="kg", scale=1000)
    return {"parent": _parent(record), "charged_g": charged, "whole": "rest" not in request.form}


def _losses(record: Record) -> dict[str, Any]:
    found = []
    for i, kind in enumerate(request.form.getlist("loss_kind")):
        kg = request.form.getlist("loss_kg")[i : i + 1]
        if kind.strip() and kg and kg[0].strip():
            try:
                g = round(float(kg[0].replace(",", "")) * 1000)
            except ValueError:
                raise BadInput("form.number", f"Loss {kg[0]!r} is no number.", todo="Type digits only.") from None
            before = record.step.losses[i] if record.step and i < len(record.step.losses) else None
            found.append(Loss(kind.strip()[:64], g, before.weighed if before else True))
    return {"losses": tuple(found)}


def _number(_: Record) -> dict[str, Any]:
    return {"number": read_text("number", "Right number", most=64)}


def _move(record: Record) -> dict[str, Any]:
    wrong = read_choice("fact", "Move", [p.fact_id for p in record.places])
    withdrawn = "did_not_happen" in request.form
    return {"fact": wrong, "withdrawn": withdrawn, "place": read_text("place", "Place", most=64, needed=not withdrawn)}


def _mark(record: Record) -> dict[str, Any]:
    wrong = read_choice("fact", "Mark", [m.mark_id for m in record.marks])
    said = {"fact": wrong, "withdrawn": "did_not_happen" in request.form}
    was = next(m for m in record.marks if m.mark_id == wrong)
    return (
        said | _millimetres("from", "to", "left", "right", was=was) | {"text": read_text("text", "Text", needed=False)}
    )


_READERS = {
    "move": _move,
    "mark": _mark,
    "mass": _mass,
    "size": _size,
    "interval": _interval,
    "consumption": _consumption,
    "losses": _losses,
    "number": _number,
}
