"""Level 2's times: local, without zone, each supplier's way of writing them, and the moment they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from shared.clock import to_datetime, to_ms

CLOCK_PARTS = (("year", 4), ("month", 2), ("day", 2), ("hour", 2), ("minute", 2), ("second", 2), ("millisecond", 3))
NORMAL = "YYYYMMDDhhmmssmmm"
_TOKENS = {"YYYY": "year", "YY": "year", "MM": "month", "DD": "day", "hh": "hour", "mmm": "millisecond"} | {
    "mm": "minute",
    "ss": "second",
}
_MINUTE_MS = 60_000


def read_claimed(values: Mapping[str, Any], form: str) -> str:
    """The header's time as `YYYYMMDDhhmmssmmm`, its own text where that is none, nothing where the header has none."""
    if "time" in values:
        text = str(values["time"])
        return text if form == NORMAL else _rewrite(text, form)
    if "year" not in values:
        return ""
    return "".join(f"{_year(values.get(name) or 0, name):0{digits}d}" for name, digits in CLOCK_PARTS)


def write_claimed(claimed: str, form: str) -> dict[str, Any]:
    """The same the other way: the field `time`, and the parts for a header that has those."""
    parts: dict[str, Any] = {}
    at = 0
    for name, digits in CLOCK_PARTS:
        parts[name] = int(claimed[at : at + digits])
        at += digits
    if form == NORMAL:
        return parts | {"time": claimed}
    return parts | {"time": _token_pattern().sub(lambda found: _written(parts, found[0]), form)}


def local_text(at_ms: int, zone: ZoneInfo) -> str:
    """A moment as a header says it: local wall clock, milliseconds, no zone."""
    return _minute_text(at_ms // _MINUTE_MS, zone) + f"{at_ms % _MINUTE_MS:05d}"


def zone_offset_min(at_ms: int, zone: ZoneInfo) -> int:
    """Minutes the zone is ahead of UTC at a moment."""
    return _minute_offset(at_ms // _MINUTE_MS, zone)


def claimed_ms(claimed: str, zone: ZoneInfo, received_ms: int) -> int | None:
    """The moment a local text means (header form or ISO); in the doubled hour of autumn the one nearer to receipt.

    None when the text is no time: the message counts all the same, at the time it was received.
    """
    try:
        if len(claimed) == 17 and claimed.isascii() and claimed.isdigit() and claimed[12] < "6":
            first, second = _minute_choices(claimed[:12], zone)
            rest = int(claimed[12:])
            if first == second:
                return first + rest
            choices = first + rest, second + rest
        else:
            moment = datetime.fromisoformat(claimed)
            if moment.tzinfo is not None:
                return to_ms(moment)
            choices = _choices(moment, zone)
    except (ValueError, OverflowError):
        return None
    return min(choices, key=lambda ms: abs(ms - received_ms))


@lru_cache(maxsize=1024)
def _minute_choices(text: str, zone: ZoneInfo) -> tuple[int, int]:
    return _choices(datetime.strptime(text, "%Y%m%d%H%M"), zone)


def _choices(moment: datetime, zone: ZoneInfo) -> tuple[int, int]:
    return to_ms(moment.replace(tzinfo=zone, fold=0)), to_ms(moment.replace(tzinfo=zone, fold=1))


@lru_cache(maxsize=1024)
def _minute_text(minute: int, zone: ZoneInfo) -> str:
    return to_datetime(minute * _MINUTE_MS).astimezone(zone).strftime("%Y%m%d%H%M")


@lru_cache(maxsize=1024)
def _minute_offset(minute: int, zone: ZoneInfo) -> int:
    offset = to_datetime(minute * _MINUTE_MS).astimezone(zone).utcoffset() or timedelta()
    return round(offset.total_seconds() / 60)


def _year(value: int, name: str) -> int:
    return value + 2000 if name == "year" and value < 100 else value


@lru_cache(maxsize=64)
def _form_pattern(form: str) -> re.Pattern[str]:
    pattern = ""
    for literal, token in re.findall(r"(.*?)(YYYY|YY|MM|DD|hh|mmm|mm|ss|$)", form):
        pattern += re.escape(literal) + (f"(?P<{_TOKENS[token]}>[0-9]{{{len(token)}}})" if token else "")
    return re.compile(pattern)


def _token_pattern() -> re.Pattern[str]:
    return re.compile("YYYY|YY|MM|DD|hh|mmm|mm|ss")


def _rewrite(text: str, form: str) -> str:
    found = _form_pattern(form).fullmatch(text)
    if not found:
        return text
    values = {name: int(digits) for name, digits in found.groupdict().items()}
    return "".join(f"{_year(values.get(name, 0), name):0{digits}d}" for name, digits in CLOCK_PARTS)


def _written(parts: Mapping[str, int], token: str) -> str:
    value = parts[_TOKENS[token]]
    return f"{value % 100 if token == 'YY' else value:0{len(token)}d}"
