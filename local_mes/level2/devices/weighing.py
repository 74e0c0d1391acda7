"""What a weighing terminal says, as a reading in grams. Pure; no socket, no clock.

Two languages that nearly every terminal in a steel plant speaks: the *continuous output* of Mettler Toledo (status
words, indicated weight, tare; copied by most other makers) and *SICS* (a line for each question, level 0 and 1).
A reading that cannot be trusted (moving, overloaded, display expanded) is a state, never a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal

from msgspec import Meta

from local_mes.level2.devices.tcp import DeviceSettings

STABLE, MOVING, OVERLOAD, UNDERLOAD, NOT_READY = "stable", "moving", "overload", "underload", "not_ready"
GRAMS = {
    "g": Decimal(1),
    "kg": Decimal(1000),
    "t": Decimal(1_000_000),
    "lb": Decimal("453.59237"),
    "ton": Decimal("907184.74"),
}
"""Grams in a unit; lb and short ton are exact by definition (international yard and pound agreement, 1959)."""
TOLEDO_BYTES = 17
"""Of a frame from STX to CR; the optional checksum follows."""
_UNITS = {1: "g", 2: "t", 6: "ton"}


class WeighingSettings(DeviceSettings, frozen=True, kw_only=True):
    """scale: its number on the calibration certificate; calibrated_until: the last day the certificate is good for."""

    scale: Annotated[str, Meta(min_length=1, max_length=32)]
    calibrated_until: date
    warn_days: Annotated[int, Meta(ge=0, le=365)] = 30
    capacity_kg: Annotated[float, Meta(gt=0)]


@dataclass(frozen=True)
class Reading:
    """What is on the scale: mass_g is what it indicates, net when a tare is set. None where it indicates nothing.

    asked  the print key was pressed, or the device says by itself that this is a weighing
    """

    state: str
    mass_g: int | None = None
    tare_g: int = 0
    net: bool = False
    asked: bool = False

    @property
    def gross_g(self) -> int:
        """With the tare."""
        return (self.mass_g or 0) + (self.tare_g if self.net else 0)


def grams(text: str, unit: str) -> int:
    """A figure as printed, in whole grams. ValueError when it is none or the unit is unknown."""
    if unit not in GRAMS:
        raise ValueError(f"the unit {unit!r} is none of {', '.join(GRAMS)}")
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is no mass") from error
    if not value.is_finite():
        raise ValueError(f"{text!r} is no mass")
    return int((value * GRAMS[unit]).to_integral_value())


def read_toledo(frame: bytes, checksum: int | None = None) -> Reading:
    """A frame from STX to CR, and the byte behind it where the terminal sends a checksum. ValueError when it is none."""
    if len(frame) != TOLEDO_BYTES or frame[0] != 2 or frame[-1] != 13:
        raise ValueError(f"{len(frame)} bytes from STX to CR, {TOLEDO_BYTES} are a reading")
    if checksum is not None and (sum(frame) + checksum) & 0x7F:
        raise ValueError("the checksum is wrong")
    a, b, c = frame[1], frame[2], frame[3]
    if not all(word & 0x20 for word in (a, b, c)):
        raise ValueError("the status words are not what they must be")
    shift = 2 - (a & 0x07)
    unit = _UNITS.get(c & 0x07, "kg" if b & 0x10 else "lb") if c & 0x07 in (0, *_UNITS) else "?"
    state = _toledo_state(b, c)
    if state in (OVERLOAD, NOT_READY):
        return Reading(state)
    mass_g = _scaled(frame[4:10], shift, unit) * (-1 if b & 0x02 else 1)
    return Reading(state, mass_g, _scaled(frame[10:16], shift, unit), bool(b & 0x01), bool(c & 0x08))


def _toledo_state(b: int, c: int) -> str:
    if b & 0x04:
        return OVERLOAD
    if b & 0x40 or c & 0x10:  # zero not captured after power-up; display expanded: the digits mean something else
        return NOT_READY
    return MOVING if b & 0x08 else STABLE


def _scaled(digits: bytes, shift: int, unit: str) -> int:
    text = digits.decode("ascii").replace(" ", "0")
    if not text.isdigit():
        raise ValueError(f"{text!r} is no weight")
    return grams(f"{text}E{shift}", unit)


def read_sics(line: str, tare_g: int = 0) -> Reading:
    """An answer to `S`, `SI` or `SIR`: `S S     21450 kg`. tare_g: as asked for beside it. ValueError when it is none."""
    words = line.split()
    if len(words) < 2 or words[0] != "S":
        raise ValueError(f"{line!r} is no reading")
    states: dict[str, str] = {"+": OVERLOAD, "-": UNDERLOAD, "I": NOT_READY}
    if len(words) == 2 and words[1] in states:
        return Reading(states[words[1]])
    if len(words) != 4 or words[1] not in ("S", "D"):
        raise ValueError(f"{line!r} is no reading")
    mass_g = grams(words[2], words[3])
    return Reading(STABLE if words[1] == "S" else MOVING, mass_g, tare_g, tare_g != 0)


def read_sics_tare(line: str) -> int | None:
    """An answer to `TA`, in grams; None where the terminal has no tare."""
    words = line.split()
    return grams(words[2], words[3]) if len(words) == 4 and words[:2] == ["TA", "A"] else None


Validity = Literal["good", "soon", "expired"]


def validity(until: date, today: date, warn_days: int) -> Validity:
    """How a calibration stands on a day; it is good through its last day."""
    if today > until:
        return "expired"
    return "soon" if (until - today).days <= warn_days else "good"
