"""What a unit's parameters may be: the ranges of the standards in force, beside the model's own values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from local_mes.model.domain import PlantModel, Unit
from local_mes.plant_model.parameters import Value
from shared.errors import BadInput
from shared.standards.documents import Parameter
from shared.standards.queries import find_document, list_in_force

OWN = "plant model"


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
    as_text = isinstance(setting.value, str) or any(asked.parameter.choices for asked in setting.asked)
    if isinstance(setting.value, bool):
        return text in ("true", "yes")
    if as_text:
        return text
    plain = text.replace(",", "").replace("\u202f", "").replace(" ", "")
    if plain.removeprefix("-").isdecimal():
        return int(plain)
    if isinstance(setting.value, float):
        try:
            return float(plain)
        except ValueError:
            pass
    raise BadInput("model.number", f"{setting.name} {text!r} is no whole number.", todo="Type digits only.")
