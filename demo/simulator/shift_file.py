"""A caster whose process computer tells nothing but a file a shift: the same things as its telegrams, in the file's own
words and units (metres, tonnes, centimetres, kinds of cut as numbers). demo/plants/ald/mapping/cc1-shift.toml reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

COLUMNS = (
    *("REC", "TIME", "HEAT", "SEQ", "POS", "TONS", "CROPS", "M1", "M2", "DT"),
    *("STR", "CUT", "HEAD", "LEN", "STRANDLEN", "THK", "WID", "KIND", "ORDER", "CODE", "VALUE"),
)
KINDS = {"N": "1", "C": "2", "S": "3"}
SHIFTS = (6, 14, 22)
"""Local hours at which a shift ends and its file is written."""


@dataclass(frozen=True)
class Told:
    """One telegram of the caster: when, which, what."""

    at_ms: int
    message: str
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class ShiftFile:
    """A shift's file: when it is written, its name, its text."""

    at_ms: int
    name: str
    text: str


def shift_files(told: Iterable[Told], zone: ZoneInfo) -> list[ShiftFile]:
    """What would have been telegrams, as the files of their shifts; telegrams a shift's file does not have are left out."""
    by_end: dict[datetime, list[str]] = {}
    for one in sorted(told, key=lambda t: t.at_ms):
        row = _row(one, zone)
        if row:
            by_end.setdefault(_shift_end(one.at_ms, zone), []).append(";".join(row.get(c, "") for c in COLUMNS))
    return [
        ShiftFile(
            round(end.timestamp() * 1000),
            f"CC1-{end:%Y%m%d-%H%M}.csv",
            "\r\n".join([";".join(COLUMNS), *lines]) + "\r\n",
        )
        for end, lines in sorted(by_end.items())
    ]


def drop(file: ShiftFile, folder: Path) -> Path:
    """Write it under another name and move it in whole, as a sender should."""
    beside = folder / f"{file.name}.tmp"
    beside.write_text(file.text, encoding="utf-8", newline="")
    return beside.rename(folder / file.name)


def _shift_end(at_ms: int, zone: ZoneInfo) -> datetime:
    local = datetime.fromtimestamp(at_ms / 1000, tz=UTC).astimezone(zone)
    day = local.replace(minute=0, second=0, microsecond=0)
    ends = [day.replace(hour=hour) for hour in SHIFTS]
    return next((end for end in ends if end > local), ends[0] + timedelta(days=1))


def _row(one: Told, zone: ZoneInfo) -> dict[str, str]:
    local = datetime.fromtimestamp(one.at_ms / 1000, tz=UTC).astimezone(zone)
    time = local.strftime("%Y-%m-%dT%H:%M:%S.") + f"{one.at_ms % 1000:03d}"
    kinds = {"CC1020": _opens, "CC1030": _shuts, "CC1040": _warm, "CC1050": _swung, "CC1060": _cut, "CC1080": _ends}
    found = dict(kinds[one.message](one.fields)) if one.message in kinds else {}
    return {"TIME": time, **found} if found else {}


def _opens(f: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from {"REC": "OPEN", "HEAT": f["heat"], "SEQ": f["sequence"], "POS": str(f["position"])}.items()
    yield from {"TONS": _milli(f["tundish_kg"]), "M1": _milli(f["strand1_mm"]), "M2": _milli(f["strand2_mm"])}.items()


def _shuts(f: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from {"REC": "SHUT", "HEAT": f["heat"], "TONS": _milli(f["cast_kg"])}.items()


def _warm(f: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from {"REC": "TEMP", "HEAT": f["heat"], "DT": str(f["superheat_c"])}.items()


def _swung(f: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from {"REC": "MOULD", "STR": str(f["strand"]), "CODE": f["code"], "VALUE": str(f["value"])}.items()
    yield from {"HEAD": _milli(f["from_mm"]), "STRANDLEN": _milli(f["to_mm"] - f["from_mm"])}.items()


def _cut(f: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from {"REC": "CUT", "HEAT": f["heat"], "STR": str(f["strand"]), "CUT": str(f["cut"])}.items()
    yield from {"HEAD": _milli(f["head_mm"]), "LEN": _milli(f["hot_length_mm"])}.items()
    yield from {"STRANDLEN": _milli(f["tail_mm"] - f["head_mm"]), "THK": str(f["thickness_mm"])}.items()
    yield from {"WID": f"{f['width_head_mm'] / 10:.1f}", "KIND": KINDS[f["kind"]], "ORDER": f["order"]}.items()


def _ends(f: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from {"REC": "END", "SEQ": f["sequence"], "CROPS": _milli(f["crops_kg"])}.items()
    yield "TONS", _milli(f["tundish_rest_kg"])


def _milli(value: int) -> str:
    """mm as m, kg as t, with the decimal comma of where it comes from."""
    return f"{value / 1000:.3f}".replace(".", ",")
