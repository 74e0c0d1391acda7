"""A cell of the matrix in a few words and a sign, the same on the page and in the API."""

from __future__ import annotations

from central_hub.conformance.domain import Cell
from shared.clock import to_datetime

SIGNS = {
    "runs_it": "normal",
    "deviates": "attention",
    "asked": "attention",
    "overdue": "alarm",
    "agreed": "attention",
    "declined": "alarm",
    "on_its_way": "attention",
    "away": "stale",
    "refused": "alarm",
    "drift": "alarm",
    "not_for_it": "normal",
    "extra": "attention",
    "own": "normal",
}


def text_of(cell: Cell) -> str:
    """What a person reads: "v3", "v2, away since 08:50", "v2, refused v3"."""
    here = f"v{cell.version}" if cell.version else "nothing"
    if cell.state == "not_for_it":
        return "–"
    said = {
        "runs_it": here,
        "deviates": f"{here}, deviates",
        "drift": f"{here}, drift",
        "extra": f"{here}, no longer assigned",
        "own": f"{here}, its own",
        "refused": f"{here}, refused v{cell.wanted}",
        "on_its_way": f"{here}, v{cell.wanted} on its way",
        "asked": f"{here}, asked for v{cell.wanted}",
        "overdue": f"{here}, no answer on v{cell.wanted}",
        "agreed": f"{here}, agreed to v{cell.wanted}",
        "declined": f"{here}, declined v{cell.wanted}",
    }
    return said.get(cell.state) or f"{here}, away since {_clock(cell.away_since_ms)}"


def _clock(ms: int | None) -> str:
    return to_datetime(ms).strftime("%H:%M") if ms is not None else "the beginning"
