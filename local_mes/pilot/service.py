"""The daily comparison: read what the old MES left, compare it piece by piece, keep every difference with a hint.

It writes nothing but its own tables. Their files are only read, never moved; a corrected file of a day replaces that
day. A day is compared again when its file or that of the day after comes, because pieces at the turn of the day stand
in the one here and in the other there.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert

from local_mes.level2.drivers.records import FileError
from local_mes.level2.link_state import real_ms
from local_mes.level2.spoken import read_spoken
from local_mes.pilot import queries
from local_mes.pilot.causes import Cause, explain
from local_mes.pilot.domain import DIFFERS, MISSING_HERE, MISSING_THERE, Difference, OurPiece, compare
from local_mes.pilot.rules import PilotRules, TheirPiece, load_rules, read_pieces
from local_mes.pilot.tables import pilot_day, pilot_difference, pilot_file, pilot_piece
from local_mes.plant import Plant
from shared import logs
from shared.clock import to_datetime
from shared.db.engine import read, write
from shared.db.upsert import upsert
from shared.errors import BadSetup

HOUR_MS = 3_600_000
AROUND_MS = 2 * HOUR_MS
"""Messages of the hours about the day are looked at too: what made a piece came before it was booked."""
UNFINISHED = (".tmp", ".part", ".partial", ".filepart", "~")
log = logs.get("pilot")


@dataclass(frozen=True)
class Found:
    """What a comparison came to."""

    theirs: int
    ours: int
    same: int
    differences: tuple[tuple[Difference, Cause], ...]

    def pieces(self, kind: str) -> int:
        """How many pieces have a difference of this kind."""
        return len({one.number for one, _ in self.differences if one.kind == kind})


def follow(plant: Plant) -> None:
    """`look`, as a step among others: what a pilot lacks is said on every page and must not hold up production's steps."""
    try:
        look(plant)
    except (OSError, BadSetup) as error:
        log.warning("the old MES's files were not looked at", why=str(error)[:300])


def look(plant: Plant) -> list[str]:
    """Take in what is new in their folder and compare the days it concerns; returns those days. OSError, BadSetup."""
    if plant.settings.pilot is None:
        return []
    rules = load_rules(plant.settings.pilot)
    with read(plant.node.engine) as conn:
        known = queries.marks_of_files(conn)
    days: set[str] = set()
    for path, mark in _finished(plant.settings.pilot.parent / rules.folder, rules):
        if known.get(path.name) != mark:
            days |= _take_in(plant, rules, path, mark)
    with read(plant.node.engine) as conn:
        concerned = sorted(day for day in days | {_shift_day(day, -1) for day in days} if queries.find_day(conn, day))
    for day in concerned:
        compare_day(plant, rules, day)
    return sorted(days)


def compare_day(plant: Plant, rules: PilotRules, day: str) -> Found:
    """Compare one day anew and keep what was found in place of what was."""
    from_ms, to_ms = plant.model.calendar.day_bounds(day)
    spoken = read_spoken(plant, from_ms - AROUND_MS, to_ms + AROUND_MS)
    with read(plant.node.engine) as conn:  # reading and comparing take a while: production must be able to write
        rows = queries.find_pieces(conn, day)
        theirs = {row.number: msgspec.json.decode(row.said) for row in rows if not row.problem}
        ours = queries.find_ours(conn, plant.code, list(theirs))
        lacking = _lacking_there(conn, plant, rules, day, ours)
    found = [_compare_one(number, ours.get(number), said, rules) for number, said in theirs.items()]
    differences = [one for some in found for one in some]
    differences += [Difference(piece.number, MISSING_THERE) for piece in lacking]
    by_number, zone = ours | {piece.number: piece for piece in lacking}, plant.model.calendar.zone
    explained = tuple((one, explain(spoken, one, by_number.get(one.number), zone)) for one in differences)
    result = Found(len(theirs), len(ours) + len(lacking), sum(not some for some in found), explained)
    with write(plant.node.engine) as conn:
        _keep(conn, day, result, problems=sum(bool(row.problem) for row in rows), now_ms=plant.clock.now_ms())
    log.info("compared with the old MES", day=day, theirs=result.theirs, same=result.same, found=len(explained))
    return result


def last_due_day(plant: Plant, rules: PilotRules) -> str:
    """The production day whose file should be there by now."""
    now = plant.clock.now_ms()
    today = plant.model.calendar.production_day(now)
    local = to_datetime(now).astimezone(plant.model.calendar.zone)
    return _shift_day(today, -1 if f"{local:%H:%M}" >= rules.due or local.date().isoformat() > today else -2)


def _compare_one(number: str, ours: OurPiece | None, said: dict[str, Any], rules: PilotRules) -> list[Difference]:
    if ours is None:
        return [Difference(number, MISSING_HERE)]
    return compare(number, ours.values, said, rules.compared, rules.tolerance)


def _lacking_there(
    conn: Connection, plant: Plant, rules: PilotRules, day: str, known: dict[str, OurPiece]
) -> list[OurPiece]:
    """Pieces of ours that their files do not name: of the day's make, or of what is there now."""
    if rules.scope == "stock":
        candidates = queries.find_there(conn, plant.code, rules.kinds)
        days = [day]
    else:
        candidates = queries.find_made(conn, plant.code, rules.kinds, *plant.model.calendar.day_bounds(day))
        days = [_shift_day(day, -1), day, _shift_day(day, 1)]
    seen = {piece.material_id for piece in known.values()}
    rest = [piece for piece in candidates if piece.material_id not in seen]
    named = queries.named_in_files(conn, days, [piece.material_id for piece in rest], plant.code)
    return [piece for piece in rest if piece.material_id not in named]


def _keep(conn: Connection, day: str, found: Found, *, problems: int, now_ms: int) -> None:
    conn.execute(delete(pilot_difference).where(pilot_difference.c.day == day))
    rows = {
        (one.number, one.field): {
            "day": day,
            "number": one.number,
            "field": one.field,
            "kind": one.kind,
            "ours": one.ours,
            "theirs": one.theirs,
            "unit": one.unit,
            "cause": cause.code,
            "hint": cause.hint[:500],
            "repair_id": cause.repair_id,
            "spool_id": cause.spool_id,
        }
        for one, cause in found.differences
    }
    if rows:
        conn.execute(insert(pilot_difference), list(rows.values()))
    counts = {
        "compared_ms": now_ms,
        "theirs": found.theirs,
        "ours": found.ours,
        "same": found.same,
        "missing_here": found.pieces(MISSING_HERE),
        "missing_there": found.pieces(MISSING_THERE),
        "differing": found.pieces(DIFFERS),
        "problems": problems,
    }
    conn.execute(pilot_day.update().where(pilot_day.c.day == day).values(**counts))


def _finished(folder: Path, rules: PilotRules) -> list[tuple[Path, str]]:
    """Their files that nobody writes to any more, the oldest first, each with its mark. OSError: no such folder."""
    found = []
    for entry in os.scandir(folder):
        name = entry.name
        if not entry.is_file() or name.startswith(".") or name.lower().endswith(UNFINISHED):
            continue
        path, state = Path(entry.path), entry.stat()
        if path.match(rules.pattern) and real_ms() - state.st_mtime * 1000 >= rules.settled_s * 1000:
            found.append((state.st_mtime_ns, name, path, f"{state.st_size}-{state.st_mtime_ns}"))
    return [(path, mark) for _, _, path, mark in sorted(found)]


def _take_in(plant: Plant, rules: PilotRules, path: Path, mark: str) -> set[str]:
    """Store a file's pieces under its day; empty where it cannot be read, and why is kept."""
    now, problem, pieces, day = plant.clock.now_ms(), "", [], ""
    try:
        day = _day_of(plant, rules, path)
        pieces = read_pieces(rules, path.read_bytes())
    except FileError as error:
        problem = f"The file {path.name} cannot be read: {error}."
        log.warning("a file of the old MES cannot be read", file=path.name, why=str(error))
    row = {"name": path.name, "mark": mark, "day": day, "read_ms": now, "problem": problem}
    with write(plant.node.engine) as conn:
        upsert(conn, pilot_file, [row], update=["mark", "day", "read_ms", "problem"])
        if problem:
            return set()
        _replace_day(conn, day, path.name, pieces, now)
    return {day}


def _replace_day(conn: Connection, day: str, name: str, pieces: list[TheirPiece], now: int) -> None:
    conn.execute(delete(pilot_piece).where(pilot_piece.c.day == day))
    rows = [
        {
            "day": day,
            "line": one.line,
            "number": one.number[:64],
            "said": msgspec.json.encode(one.values).decode(),
            "problem": one.problem,
        }
        for one in pieces
    ]
    if rows:
        conn.execute(insert(pilot_piece), rows)
    zero = dict.fromkeys(("compared_ms", "theirs", "ours", "same", *("missing_here", "missing_there", "differing")), 0)
    fresh = {"day": day, "file": name, "imported_ms": now, "problems": 0} | zero
    upsert(conn, pilot_day, [fresh], update=["file", "imported_ms"])


def _day_of(plant: Plant, rules: PilotRules, path: Path) -> str:
    if not rules.day:
        came_ms = int(path.stat().st_mtime * 1000)
        return _shift_day(plant.model.calendar.production_day(came_ms), -1)
    found = re.search(rules.day, path.name)
    if found is None:
        raise FileError(f"its name has no day as {rules.day!r} finds it")
    try:
        return date(*(int(part) for part in found.groups())).isoformat()
    except ValueError as error:
        raise FileError(f"its name has no day: {error}") from error


def _shift_day(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
