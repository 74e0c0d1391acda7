"""What an outside party says, in one form whatever way it came, and the rules that need nothing but what it says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

import msgspec

from shared.transfers.domain import MassLimits
from shared.web.body import MOMENT_MAX_MS

NAME_MAX = 64
"""Characters of a number or code, as the tables have it."""
FIGURES = ("thickness_um", "width_um", "length_um", "from_um", "to_um", "left_um", "right_um")
UM_MAX = 100_000_000_000
"""Longer than any strip: a slip of units is caught."""
GRAMS_MAX = 400_000_000
"""Heavier than any piece that moves: a slip of units is caught, a big ingot is not."""
BASES = ("weighed", "theoretical")
WORDS = {
    "received": "received",
    "missed": "did not come",
    "shipped": "sent back",
    "produced": "produced",
    "reapplied": "re-applied",
    "other": "not understood",
}
WAYS = {"epcis": "EPCIS event", "csv": "CSV file", "link": "web link", "x12": "X12 message"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""They break lines: of a file's name in a header, of a label, of a message."""
_UUID = re.compile(r"urn:uuid:([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})", re.IGNORECASE)


class Area(msgspec.Struct, frozen=True):
    """A part of a piece: from and to along it, left and right across, in um."""

    from_um: int
    to_um: int
    left_um: int
    right_um: int


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One piece as the party calls it; grams, 0 where it was not weighed.

    A product's sizes, and where it lay in the piece that was charged, in um; 0 where that was not told.
    """

    piece: str
    own_number: str = ""
    mass_g: int = 0
    mass_basis: str = "weighed"
    damage: str = ""
    note: str = ""
    kind: str = ""
    thickness_um: int = 0
    width_um: int = 0
    length_um: int = 0
    from_um: int = 0
    to_um: int = 0
    left_um: int = 0
    right_um: int = 0

    @property
    def area(self) -> Area | None:
        """Where it lay; right_um 0: up to the other edge. None where that was not told."""
        told = self.from_um or self.to_um or self.left_um or self.right_um
        return Area(self.from_um, self.to_um, self.left_um, self.right_um) if told else None

    @property
    def sizes_told(self) -> bool:
        """Whether any of its sizes was."""
        return bool(self.thickness_um or self.width_um or self.length_um)


class Statement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing said at one time. event_id: the party's own, by which a repetition is known.

    load: ours, by number or id. number: the party's own load or report. inputs and scrap_g: of a production.
    """

    event_id: str
    kind: str
    at_ms: int
    pieces: tuple[Said, ...] = ()
    load: str = ""
    number: str = ""
    vehicle: str = ""
    inputs: tuple[Said, ...] = ()
    scrap_g: int = 0
    operation: str = ""
    order_item: str = ""
    unclear: str = ""
    """Why it cannot be taken as it stands, where that is known already when it is read."""


class Balance(msgspec.Struct, frozen=True):
    """A production's masses in grams: what was charged, what came out, what is open and what is allowed."""

    charged_g: int
    produced_g: int
    scrap_g: int

    @property
    def open_g(self) -> int:
        """Charged less everything that came out."""
        return self.charged_g - self.produced_g - self.scrap_g

    @property
    def allowed_g(self) -> int:
        """As for two weighings of one piece: 0.3 % and at least 40 kg."""
        return MassLimits().allowed_g(self.charged_g, "weighed", "weighed")

    @property
    def holds(self) -> bool:
        """Whether it closes."""
        return abs(self.open_g) <= self.allowed_g


def find_unfit(statement: Statement) -> str:
    """What no table could keep or no page could show, in words; empty: all of it fits."""
    if not 0 <= statement.at_ms <= MOMENT_MAX_MS:
        return "its time is no possible time"
    names = (statement.load, statement.number, statement.order_item, statement.vehicle)
    if any(len(text) > NAME_MAX or _CONTROL.search(text) for text in names):
        return f"a load, number, order item or vehicle has at most {NAME_MAX} characters, and no control character"
    for said in (*statement.inputs, *statement.pieces):
        if not 0 <= said.mass_g <= GRAMS_MAX:
            return f"{said.piece[:NAME_MAX]} cannot weigh that much"
        if any(not 0 <= getattr(said, name) <= UM_MAX for name in FIGURES):
            return f"{said.piece[:NAME_MAX]} cannot be that large"
        if said.mass_basis not in BASES:
            return f"a mass is weighed or theoretical, not {said.mass_basis[:NAME_MAX]}"
        if any(len(text) > NAME_MAX or _CONTROL.search(text) for text in (said.piece, said.own_number, said.kind)):
            return f"{said.piece[:NAME_MAX]}: a number has at most {NAME_MAX} characters, and no control character"
    return ""


def name_of(uri: str) -> str:
    """The number or id that a URI names: our ids as they are, else the last part of path, EPC or URN."""
    uri = uri.strip()
    ours = _UUID.fullmatch(uri)
    if ours:
        return "".join(ours.groups()).lower()
    if "://" in uri:
        return unquote(uri.split("#")[0].split("?")[0].rstrip("/").rsplit("/", 1)[-1])
    if uri.startswith("urn:epc:"):
        return unquote(uri.rsplit(".", 1)[-1])
    return unquote(uri.rsplit(":", 1)[-1]) if uri.startswith("urn:") else uri


def renamed(statement: Statement, names: Mapping[str, str]) -> Statement:
    """The same with other names of pieces, as a person at the work-list found them to be."""

    def changed(said: tuple[Said, ...]) -> tuple[Said, ...]:
        return tuple(msgspec.structs.replace(one, piece=names.get(one.piece, one.piece)) for one in said)

    return msgspec.structs.replace(
        statement, pieces=changed(statement.pieces), inputs=changed(statement.inputs), unclear=""
    )
