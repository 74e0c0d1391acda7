"""What a plant is: frozen values read from its model file. Standards name classes and parameters; the model names units."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from local_mes.model.calendar import Calendar, ShiftStart
from local_mes.model.errors import missing_parameter, no_unit_speaks, unknown_unit
from local_mes.model.fields import Capability, Code, EquipmentClass, LimitName, LocalTime, Name, ZoneName
from shared.rules.check import compiled
from shared.rules.port import SourceError, ValueType

ParameterValue = bool | int | float | str
ROUTE_INPUTS: tuple[tuple[str, ValueType], ...] = (
    ("sender", "text"),
    ("kind", "text"),
    ("grade", "text"),
    ("product", "text"),
    ("order_item", "text"),
    ("thickness_mm", "number"),
    ("width_mm", "number"),
    ("mass_kg", "number"),
)
"""What a rule about the route of an incoming piece may ask for; product: of its order, where this plant knows it."""


class Part(BaseModel):
    """A part of the model; a key that is not known here is a mistake in the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class ShiftLine(Part):
    """A shift's name and local start."""

    name: Name
    start: LocalTime


class PlantLine(Part):
    """Who the plant is and how its days run. The first shift must begin the production day."""

    code: Code
    name: Name
    zone: ZoneName
    production_day_start: LocalTime
    shifts: tuple[ShiftLine, ...] = Field(min_length=1, max_length=6)
    crews: tuple[Name, ...] = ()

    @model_validator(mode="after")
    def _day_begins_with_a_shift(self) -> PlantLine:
        if self.shifts[0].start != self.production_day_start:
            raise ValueError("the first shift must begin at production_day_start")
        return self


class Area(Part):
    """A part of the plant with a name people use."""

    code: Code
    name: Name


class Unit(Part):
    """A machine, yard or gate: its class is what standards ask for; parameters are this plant's values."""

    code: Code
    name: Name = ""
    unit_class: EquipmentClass = Field(alias="class")
    area: Code
    link: str = ""
    """The link over which this machine speaks, where messages do not name the unit themselves."""
    capabilities: tuple[Capability, ...] = ()
    """What it can do that not every unit of its class can; steps of routes may ask for it."""
    limits: dict[LimitName, int] = Field(default_factory=dict)
    """Figures of pieces that it takes, such as max_width_um or min_thickness_um; see shared/execution/units.py."""
    parameters: dict[str, ParameterValue] = Field(default_factory=dict)

    def whole(self, name: str) -> int:
        """A whole-number parameter; BadSetup when the model does not give it."""
        value = self.parameters.get(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise missing_parameter(self.code, name, "a whole number")
        return value

    def text(self, name: str) -> str:
        """A text parameter; BadSetup when the model does not give it."""
        value = self.parameters.get(name)
        if not isinstance(value, str):
            raise missing_parameter(self.code, name, "a text")
        return value


class Storage(Part):
    """Ground on which pieces lie in stacks: a place is <code>-<row>-<stack>; layers count from the ground.

    Masses in kg, sizes in mm, hours since the piece was cast or rolled. A limit of 0 is no limit.
    """

    code: Code
    """A unit or an area of the model."""
    bay: Name = ""
    kinds: tuple[Name, ...] = ()
    """Kinds of pieces that may lie here; none named: all."""
    rows: int = Field(ge=1, le=99)
    stacks: int = Field(ge=1, le=99)
    """Stacks in a row."""
    stack_mm: int = Field(10_000, ge=100, le=100_000)
    """From one stack to the next along the row: the scale of the picture."""
    max_layers: int = Field(1, ge=1, le=99)
    max_mass_kg: int = Field(0, ge=0)
    """What the ground under one stack bears."""
    widest_below: bool = False
    longest_below: bool = False
    overhang_mm: int = Field(0, ge=0, le=10_000)
    """By how much a piece may be wider or longer than the one below it all the same."""
    between: bool = False
    """Coils: a piece of an upper layer lies between this stack and the next one of its row, and on both."""
    hot_rows: tuple[int, ...] = ()
    """Hot pieces lie in these rows only, and no cold piece is put on one; none named: hot and cold may lie together."""
    hot_hours: float = Field(0, ge=0, le=24 * 30)
    """A piece is hot until so long after it was cast or rolled."""
    hot_charge_hours: float = Field(0, ge=0, le=24 * 30)
    """Charged within so long, a slab saves its heat; later it is charged cold."""
    cool_hours: float = Field(0, ge=0, le=24 * 30)
    """Only so long after casting or rolling it is cold enough to be sent on or worked."""


class Lane(Part):
    """A way to another plant: its mode and usual hours."""

    code: Name
    to: Code
    mode: Literal["rail", "truck", "internal"]
    hours: float = Field(gt=0, le=24 * 90)
    limit_kg: int = Field(0, ge=0, le=10_000_000)
    """What a vehicle (truck, wagon) of this way usually carries; 0: said load by load."""
    carrier: str = Field("", max_length=64)
    """Who usually drives it; a load may say another."""


class Reroute(Part):
    """Incoming pieces for which `when` is true take this plant's own route; the first rule that is true counts.

    when: a condition of the rule language over `ROUTE_INPUTS`, such as kind == "coil" && thickness_mm <= 3.
    """

    code: Name
    when: str = Field(min_length=1, max_length=500)
    route: Name

    @model_validator(mode="after")
    def _when_is_a_condition(self) -> Reroute:
        try:
            compiled(self.when, ROUTE_INPUTS)
        except SourceError as error:
            raise ValueError(f"when of {self.code}: {error}") from error
        return self


class Link(Part):
    """A connection to Level 2, as far as the plant's features care; level2 reads the rest of the entry itself.

    map: message (or `*.Event`) -> name of the operation that reads it (docs/level2-interfaces.md, 6).
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    code: Name
    kind: Name
    shadow: bool = False
    map: dict[str, str] = Field(default_factory=dict)


class Scheme(Part):
    """How one kind of number is written: prefix and a counter of `width` digits that begins at `first`."""

    code: Name
    prefix: str = Field("", max_length=16)
    width: int = Field(ge=1, le=12)
    first: int = Field(1, ge=0)

    def text(self, counter: int) -> str:
        """The number as printed."""
        return f"{self.prefix}{counter:0{self.width}d}"

    def find_counter(self, value: str) -> int | None:
        """The counter inside a printed number, or None when the number is not of this scheme."""
        digits = value.removeprefix(self.prefix)
        fits = value.startswith(self.prefix) and len(digits) == self.width and digits.isascii() and digits.isdigit()
        return int(digits) if fits else None


class PlantModel(Part):
    """One plant. granularity: unit -> how much its Level 2 tells (`strand` each event, `heat` one summary a heat)."""

    plant: PlantLine
    area: tuple[Area, ...] = Field(min_length=1)
    unit: tuple[Unit, ...] = Field(min_length=1)
    storage: tuple[Storage, ...] = ()
    lane: tuple[Lane, ...] = ()
    reroute: tuple[Reroute, ...] = ()
    link: tuple[Link, ...] = ()
    numbering: tuple[Scheme, ...] = ()
    granularity: dict[str, Literal["strand", "heat"]] = Field(default_factory=dict)
    folder: Annotated[Path, Field(exclude=True)] = Path()
    """Where the model file lies; layouts of telegrams are found from here."""

    @model_validator(mode="after")
    def _names_fit(self) -> PlantModel:
        for what, codes in (
            ("area", self.area),
            ("unit", self.unit),
            ("storage", self.storage),
            ("lane", self.lane),
            ("reroute", self.reroute),
            ("link", self.link),
            ("numbering", self.numbering),
        ):
            _distinct(what, (part.code for part in codes))
        areas, units, links = ({part.code for part in parts} for parts in (self.area, self.unit, self.link))
        for unit in self.unit:
            if unit.area not in areas:
                raise ValueError(f"unit {unit.code} lies in area {unit.area!r}, which no [[area]] describes")
            if unit.link and unit.link not in links:
                raise ValueError(f"unit {unit.code} speaks over {unit.link!r}, which no [[link]] describes")
        for name in self.granularity:
            if name not in units:
                raise ValueError(f"granularity of {name!r}: no [[unit]] describes it")
        return self

    @model_validator(mode="after")
    def _storages_fit(self) -> PlantModel:
        known = {area.code for area in self.area} | {unit.code for unit in self.unit}
        for storage in self.storage:
            if storage.code not in known:
                raise ValueError(f"storage {storage.code} is neither an [[area]] nor a [[unit]]")
            if not set(storage.hot_rows) <= set(range(1, storage.rows + 1)):
                raise ValueError(f"storage {storage.code} has hot_rows that are none of its {storage.rows} rows")
        return self

    @property
    def code(self) -> str:
        """The plant's code in the group."""
        return self.plant.code

    @cached_property
    def calendar(self) -> Calendar:
        """Production days and shifts."""
        shifts = tuple(ShiftStart(s.name, s.start) for s in self.plant.shifts)
        return Calendar(ZoneInfo(self.plant.zone), shifts, self.plant.crews)

    def get_unit(self, code: str) -> Unit:
        """The unit of this code; NotFound naming it."""
        for unit in self.unit:
            if unit.code == code:
                return unit
        raise unknown_unit(code, self.code)

    def units_of(self, unit_class: str) -> tuple[Unit, ...]:
        """All units of a class, in the model's order."""
        return tuple(unit for unit in self.unit if unit.unit_class == unit_class)

    def unit_of_link(self, link: str) -> Unit:
        """The machine that speaks over a link; BadSetup when the model names none."""
        for unit in self.unit:
            if unit.link == link:
                return unit
        raise no_unit_speaks(link, self.code)

    def find_storage(self, code: str) -> Storage | None:
        """The storage of this code, or None."""
        return next((storage for storage in self.storage if storage.code == code), None)

    def find_scheme(self, code: str) -> Scheme | None:
        """A numbering scheme by its code, such as 'BRK.slab'."""
        return next((scheme for scheme in self.numbering if scheme.code == code), None)


def _distinct(what: str, codes: Iterable[str]) -> None:
    seen: set[str] = set()
    for code in codes:
        if code in seen:
            raise ValueError(f"{what} {code!r} is described twice")
        seen.add(code)
