"""Findings of a surface inspection, read from a file and placed on pieces: for trials with real defects.

The file is that of the public data set "Steel Plates Faults" (UCI 198): boxes in camera pixels. X counts across the
strip, which is Length_of_Conveyer pixels wide; Y counts along the whole campaign. A pixel is as long as it is wide. The
campaign is laid over the chosen pieces one after the other, each as long as its share of their common length.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Row

from local_mes.plant import Plant
from local_mes.quality.errors import bad_defects
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred
from shared.material.facts import MarkPlaced
from shared.material.queries import MaterialFilter, list_materials

KINDS = {
    "Pastry_Fault": "pastry",
    "Z_Scratch_Fault": "z_scratch",
    "K_Scatch_Fault": "k_scratch",
    "Stains_Fault": "stains",
    "Dirtiness_Fault": "dirtiness",
    "Bumps_Fault": "bumps",
    "Other_Faults": "other_defect",
}
"""Class of the data set -> kind of mark."""
COLUMNS = ("X_Minimum", "X_Maximum", "Y_Minimum", "Y_Maximum", "Length_of_Conveyer", "Pixels_Areas", *KINDS)
RULE = "surface"
PORTION = 200
"""Marks that are recorded in one transaction."""
PIECES_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Defect:
    """One box in pixels. wide: pixels across the strip; area: pixels that are the defect."""

    ordinal: int
    kind: str
    x_from: int
    x_to: int
    y_from: int
    y_to: int
    wide: int
    area: int


@dataclass(frozen=True, slots=True)
class Target:
    """A piece that findings are placed on; um."""

    material_id: str
    number: str
    length_um: int
    width_um: int


def read_defects(text: str) -> list[Defect]:
    """All boxes of a file; BadInput naming the line that cannot be read."""
    reader = csv.DictReader(io.StringIO(text))
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise bad_defects(f"The file has no column {', '.join(missing)}")
    return [_defect(n, row, reader.line_num) for n, row in enumerate(reader)]


def _defect(ordinal: int, row: dict[str, str], line: int) -> Defect:
    try:
        numbers = [int(float(row[name])) for name in COLUMNS[:6]]
        kind = next(KINDS[name] for name in KINDS if float(row[name]))
    except (TypeError, ValueError, StopIteration):
        raise bad_defects(f"Line {line} is no box of a defect") from None
    x_from, x_to, y_from, y_to, wide, area = numbers
    if not (0 <= x_from <= x_to and 0 <= y_from <= y_to and wide > 0):
        raise bad_defects(f"Line {line} is no box of a defect")
    return Defect(ordinal, kind, x_from, x_to, y_from, y_to, wide, area)


def place(defects: Sequence[Defect], targets: Sequence[Target]) -> Iterator[tuple[Target, MarkPlaced]]:
    """Each defect on the piece its place along the campaign falls on. Ids are those of the marks' places in the file."""
    ends = list(accumulate(target.length_um for target in targets))
    campaign = max((defect.y_to for defect in defects), default=0) + 1
    for defect in defects:
        along_um = ends[-1] * defect.y_from // campaign
        n = next(i for i, end in enumerate(ends) if along_um < end)
        target = targets[n]
        yield target, _mark(defect, target, along_um - (ends[n] - target.length_um))


def _mark(defect: Defect, target: Target, from_um: int) -> MarkPlaced:
    long_um = max(1, defect.y_to - defect.y_from) * target.width_um // defect.wide
    left, right = (min(target.width_um, target.width_um * x // defect.wide) for x in (defect.x_from, defect.x_to))
    return MarkPlaced(
        mark_id="",
        material_id=target.material_id,
        kind=defect.kind,
        from_um=from_um,
        to_um=min(target.length_um, from_um + long_um),
        left_um=left,
        right_um=right,
        value=defect.area,
        text=f"{defect.area:,} pixels",
        rule=RULE,
    )


def find_targets(conn: Connection, plant: Plant, kind: str, count: int) -> list[Target]:
    """The first so many pieces of a kind that are here and have a size, by number."""
    rows, _ = list_materials(conn, MaterialFilter(author=plant.code, kind=kind, state="live"), limit=PIECES_MAX)
    sized: list[Row[Any]] = [row for row in rows if row.length_um and row.width_um]
    chosen = sorted(sized, key=lambda row: row.number)[:count]
    return [Target(row.material_id, row.number, row.length_um, row.width_um) for row in chosen]


def load(plant: Plant, actor: str, text: str, targets: Sequence[Target]) -> int:
    """Record the findings as marks and return how many are new; the same file on the same pieces again records none."""
    defects = read_defects(text)
    if not targets:
        raise bad_defects("No piece with a length and a width is here")
    placed = list(place(defects, targets))
    born_ms, new = plant.clock.now_ms(), 0
    for at in range(0, len(placed), PORTION):
        with plant.journal.work() as tx:
            for n, (target, mark) in enumerate(placed[at : at + PORTION], start=at):
                before = len(tx.recorded)
                tx.record(_draft(plant, actor, n, target, mark, born_ms))
                new += len(tx.recorded) - before
    return new


def _draft(plant: Plant, actor: str, n: int, target: Target, mark: MarkPlaced, now_ms: int) -> Draft[Any]:
    # 0: not when it is loaded but what it is makes the id, so that loading it twice is once
    mark_id = derived_id(0, plant.code, RULE, target.material_id, n, mark.kind, mark.from_um, mark.left_um)
    fact = replace(mark, mark_id=mark_id)
    occurred = Occurred(now_ms, "inspection", plant.model.calendar.offset_min(now_ms))
    return Draft(fact, (target.material_id,), actor, occurred, fact_id=derived_id(0, plant.code, "fact", mark_id))
