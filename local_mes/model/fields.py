"""Kinds of values in a model file, each with the sentence that says what is wrong with it."""

from __future__ import annotations

from datetime import time
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field

Code = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9-]{0,15}$")]
EquipmentClass = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
Name = Annotated[str, Field(min_length=1, max_length=64)]
Capability = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
LimitName = Annotated[str, Field(pattern=r"^(min|max)_(thickness_um|width_um|length_um|mass_g)$")]


def _zone(value: object) -> object:
    try:
        ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{value!r} is no time zone; write a name such as 'Europe/Warsaw'") from error
    return value


def _local_time(value: object) -> object:
    if isinstance(value, time):
        return value
    try:
        return time.fromisoformat(str(value))
    except ValueError as error:
        raise ValueError(f"{value!r} is no time of day; write '06:00'") from error


ZoneName = Annotated[str, BeforeValidator(_zone)]
LocalTime = Annotated[time, BeforeValidator(_local_time)]
