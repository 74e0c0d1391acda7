"""What a unit's parameters may be: the ranges of the standards in force, beside the model's own values."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from local_mes.model.domain import PlantModel, Unit
from local_mes.plant_model.parameters import Value
from shared.errors import BadInput
from shared.standards.documents import Parameter
from shared.standards.queries import find_document, list_in_force

OWN = "plant model"
WHOLE = re.compile(r"-?[0-9]{1,18}")
GROUPED = re.compile(r"-?[0-9]{1,3}([, \u202f][0-9]{3})+(\.[0-9]+)?")
"""A number written in groups of three digits; any other comma may be meant as a decimal point and is asked about."""


@dataclass(frozen=True)
class Asked:
    """A parameter that a standard in force asks of a unit's class, and the standard's name."""

    standard: str
    parameter: Parameter


@dataclass(frozen=True)
class Setting:
    """A parameter of a unit: the model's value (None: it has none, the default counts), and who asks for it in which range.

    chosen_elsewhere: the value is a caster's granularity, which the model writes outside the unit
    """

    name: str
    value: Value | None
    asked: Sequence[Asked]
    chosen_elsewhere: bool = False

    @property
    def unit(self) -> str:
        """The unit of measure, where a standard says one."""
        return self.asked[0].parameter.unit if self.asked else ""

    @property
    def in_force(self) -> Value | None:
        """The value that counts."""
        return self.value if self.value is not None or not self.asked else self.asked[0].parameter.default

    @property
    def text(self) -> str:
        """The model's value as it is typed; empty where it has none."""
        return as_typed(self.value)

    @property
    def in_force_text(self) -> str:
        """The value that counts, in the same way."""
        return as_typed(self.in_force)

    @property
    def permitted(self) -> dict[str, str]:
        """The ranges, each once, with the standards that ask for it."""
        found: dict[str, str] = {}
        for asked in self.asked:
            said = asked.parameter.range_text()
            found[said] = f"{found[said]}, {asked.standard}" if said in found else asked.standard
        return found

    def fault(self, value: Value | None) -> str:
        """Why a standard does not permit a value; empty when all do."""
        for asked in self.asked:
            if value is not None and (isinstance(value, bool | float) or not asked.parameter.allows(value)):
                return f"{self.name} {value} is outside {asked.parameter.range_text()} ({asked.standard})"
        return ""


def settings_of(conn: Connection, plant: str, model: PlantModel, unit: Unit) -> list[Setting]:
    """A unit's parameters: those that standards in force ask for first, then the model's own."""
    asked: dict[str, list[Asked]] = {}
    for adopted in list_in_force(conn, plant):
        document = find_document(conn, adopted.standard_id, adopted.version, adopted.sha256)
        for parameter in document.parameters if document else ():
            if parameter.of == unit.unit_class:
                asked.setdefault(parameter.name, []).append(
                    Asked(f"{adopted.standard_id} v{adopted.version}", parameter)
                )
    told = model.granularity.get(unit.code)
    found = [
        Setting(name, told if name == "granularity" else unit.parameters.get(name), who, name == "granularity")
        for name, who in sorted(asked.items())
    ]
    return found + [Setting(name, value, ()) for name, value in unit.parameters.items() if name not in asked]


def as_typed(value: Value | None) -> str:
    """A value as people write it and the model file has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def read_value(setting: Setting, typed: str) -> Value | None:
    """What was typed as a value of the kind this parameter has, within its range; None: nothing, so the default counts."""
    text = typed.strip()
    if not text:
        return None
    value = _typed(setting, text)
    fault = setting.fault(value)
    if fault:
        raise BadInput("model.range", f"{fault}.", todo="Choose a permitted value, or declare a deviation.")
    return value


def _typed(setting: Setting, text: str) -> Value:
    if isinstance(setting.value, bool):
        return _truth(setting.name, text)
    if isinstance(setting.value, str) or any(asked.parameter.choices for asked in setting.asked):
        return text
    plain = re.sub(r"[, \u202f]", "", text) if GROUPED.fullmatch(text) else text
    if WHOLE.fullmatch(plain):
        return int(plain)
    if isinstance(setting.value, float):
        try:
            number = float(plain)
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            return number
        raise BadInput(
            "model.number", f"{setting.name} {text!r} is no number.", todo="Write it with a point, for example 1.5."
        )
    raise BadInput("model.number", f"{setting.name} {text!r} is no whole number.", todo="Type digits only.")


def _truth(name: str, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise BadInput("model.truth", f"{name} {text!r} is neither true nor false.", todo="Type true or false.")
    return text.lower() == "true"
