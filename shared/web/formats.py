"""How figures are written: pure functions, registered as Jinja filters. None is always an en dash, never a zero.

Quantities come as the integers of the tables (g, um, ms, ppm, 1e-6) and leave as text without unit, because the unit
stands in the column head; `mass` and `size` carry it for running text.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from shared.clock import to_datetime

NONE = "–"
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


EARLIEST_MS, AHEAD_MS = 946_684_800_000, 5 * 365 * DAY_MS
"""Before 2000, or more than five years ahead: no plan and no past of a plant that runs this product."""
POSSIBLE_MS = (-62_000_000_000_000, 253_000_000_000_000)
"""What a calendar of four-digit years can show."""


def is_absurd(at_ms: int, now_ms: int) -> bool:
    """Whether a time can only come from a wrong clock."""
    return at_ms < EARLIEST_MS or at_ms > now_ms + AHEAD_MS


def is_possible(at_ms: int) -> bool:
    """Whether a time can be written at all."""
    return POSSIBLE_MS[0] <= at_ms <= POSSIBLE_MS[1]


def whole(value: int | None) -> str:
    """A count with thousands separated."""
    return NONE if value is None else f"{value:,}"


def kg(mass_g: int | None) -> str:
    """Grams as whole kilograms."""
    return NONE if mass_g is None else f"{_rounded(mass_g, 1000):,}"


def tonnes(mass_g: int | None) -> str:
    """Grams as tonnes with one decimal."""
    return NONE if mass_g is None else f"{mass_g / 1_000_000:,.1f}"


def mass(mass_g: int | None) -> str:
    """Grams as kilograms with the unit."""
    return NONE if mass_g is None else f"{kg(mass_g)} kg"


def mm(size_um: int | None) -> str:
    """Micrometres as millimetres: hundredths below 100 mm (thickness), whole above (width), as they are measured."""
    if size_um is None:
        return NONE
    return f"{size_um / 1000:,.2f}" if abs(size_um) < 100_000 else f"{_rounded(size_um, 1000):,}"


def size(size_um: int | None) -> str:
    """Micrometres as millimetres with the unit."""
    return NONE if size_um is None else f"{mm(size_um)} mm"


def metres(length_um: int | None) -> str:
    """Micrometres as metres: centimetres below 100 m (slabs), decimetres above (coils)."""
    if length_um is None:
        return NONE
    return f"{length_um / 1_000_000:,.{2 if abs(length_um) < 100_000_000 else 1}f}"


def percent(share_ppm: int | None, digits: int = 1) -> str:
    """Parts per million as per cent, without the sign."""
    return NONE if share_ppm is None else f"{share_ppm / 10_000:.{digits}f}"


def chemistry(share_e6: int | None) -> str:
    """1e-6 mass fraction as per cent with at most four decimals: 450 gives 0.045."""
    if share_e6 is None:
        return NONE
    text = f"{share_e6 / 10_000:.4f}".rstrip("0")
    return text + "0" * max(0, 2 - len(text.partition(".")[2]))


def minutes(span_ms: int | None) -> str:
    """A span as whole minutes."""
    return NONE if span_ms is None else f"{_rounded(span_ms, MINUTE_MS):,}"


def age(span_ms: int | None) -> str:
    """A span in words short enough for a table: 40 s, 12 min, 3 h 05, 4 d 2 h."""
    if span_ms is None:
        return NONE
    span_ms = max(0, span_ms)
    if span_ms < MINUTE_MS:
        return f"{span_ms // 1000} s"
    if span_ms < HOUR_MS:
        return f"{span_ms // MINUTE_MS} min"
    if span_ms < DAY_MS:
        return f"{span_ms // HOUR_MS} h {span_ms % HOUR_MS // MINUTE_MS:02d}"
    return f"{span_ms // DAY_MS} d {span_ms % DAY_MS // HOUR_MS} h"


def local(at_ms: int, zone: str) -> datetime:
    """The moment as the plant's wall clock shows it."""
    return to_datetime(at_ms).astimezone(ZoneInfo(zone))


def zone_name(at_ms: int, zone: str) -> str:
    """Short name and offset of the zone at that moment, such as CET (UTC+1)."""
    moment = local(at_ms, zone)
    if moment.tzname() == "UTC":
        return "UTC"
    offset = moment.utcoffset()
    seconds = 0 if offset is None else int(offset.total_seconds())
    hours, rest = divmod(abs(seconds) // 60, 60)
    sign = "-" if seconds < 0 else "+"
    return f"{moment.tzname()} (UTC{sign}{hours}{f':{rest:02d}' if rest else ''})"


def exact(at_ms: int | None, zone: str) -> str:
    """Date, time to the second and zone: what stands in the tooltip and on paper."""
    if at_ms is None:
        return NONE
    return f"{local(at_ms, zone):%Y-%m-%d %H:%M:%S} {zone_name(at_ms, zone)}"


def moment(at_ms: int | None, now_ms: int, zone: str) -> str:
    """Relative while young ("4 min ago"), the time alone within the local day, with the date else."""
    if at_ms is None:
        return NONE
    if 0 <= now_ms - at_ms < HOUR_MS:
        return "just now" if now_ms - at_ms < MINUTE_MS else f"{(now_ms - at_ms) // MINUTE_MS} min ago"
    return clock_time(at_ms, now_ms, zone)


def clock_time(at_ms: int | None, now_ms: int, zone: str) -> str:
    """Hours and minutes local to the plant, with the day when it is not today's."""
    if at_ms is None:
        return NONE
    then, now = local(at_ms, zone), local(now_ms, zone)
    if then.date() == now.date():
        return f"{then:%H:%M}"
    day = f"{then.day} {MONTHS[then.month - 1]}"
    return f"{day} {then:%H:%M}" if then.year == now.year else f"{day} {then.year} {then:%H:%M}"


KINDS = {"slit": "slit coil"}
"""Kinds of material whose code is not yet what people say."""


def kind(code: str | None) -> str:
    """A kind of material in words."""
    return KINDS.get(code or "", words(code))


def words(code: str | None) -> str:
    """A stored code such as `on_the_way` as words."""
    return NONE if not code else code.replace("_", " ")


def _rounded(value: int, unit: int) -> int:
    """Nearest whole number of units, halves away from zero, without passing through a float."""
    sign = -1 if value < 0 else 1
    return sign * ((abs(value) * 2 + unit) // (2 * unit))


FILTERS: dict[str, Callable[..., str]] = {
    "whole": whole,
    "kg": kg,
    "tonnes": tonnes,
    "mass": mass,
    "mm": mm,
    "size": size,
    "metres": metres,
    "percent": percent,
    "chemistry": chemistry,
    "minutes": minutes,
    "age": age,
    "words": words,
    "kind": kind,
}
"""Filters that need neither clock nor zone; the others are bound to the node's in app.py."""
