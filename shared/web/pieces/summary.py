"""Figures of a piece's making as steel people read them: the unit of a stored name becomes a unit beside the figure."""

from __future__ import annotations

from shared.web.formats import percent, whole, words

SPELT = {"ft": "finishing temperature", "ct": "coiling temperature", "avg": "mean", "window": "within its window"}
UNITS = {
    "mc": (1_000, "°C"),
    "c": (1, "°C"),
    "um": (1_000, "mm"),
    "mm": (1, "mm"),
    "g": (1_000, "kg"),
    "kg": (1, "kg"),
    "kwh": (1, "kWh"),
    "wh": (1_000, "kWh"),
    "ms": (1_000, "s"),
    "s": (1, "s"),
    "min": (1, "min"),
}
"""Ending of a name -> how many of it are one of the unit that is shown."""


def as_read(name: str, value: int) -> tuple[str, str]:
    """('Finishing temperature mean', '874 °C') of ('ft_avg_mc', 874000); a name without a unit as it is."""
    *parts, ending = name.split("_")
    if not parts or ending not in (*UNITS, "ppm"):
        return words(name).capitalize(), whole(value)
    title = " ".join(SPELT.get(part, part) for part in parts)
    title = title[:1].upper() + title[1:]
    if ending == "ppm":
        return title, f"{percent(value)} %"
    scale, unit = UNITS[ending]
    return title, f"{value / scale:,.{0 if value % scale == 0 else 1}f} {unit}"
