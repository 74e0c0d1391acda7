"""What the piece page shows, read in one transaction: one piece as every author knows it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from shared.material import queries as material
from shared.material.history import Event, history
from shared.material.trace import trace
from shared.material.way_trace import with_way
from shared.performance.piece_yields import WayYield, read_yield
from shared.quality import queries as quality
from shared.quality.mixed import Steel, read_steel
from shared.quality.restriction import find_restriction
from shared.transfers.lines import LineFilter, TransferLine, find_lines
from shared.transfers.moves import arrivals_of
from shared.transfers.told import with_told
from shared.transfers.words import find_words
from shared.web.accounts import names_of
from shared.web.formats import kg
from shared.web.pieces.custody import Stand, tell_custody
from shared.web.pieces.elements import in_order
from shared.web.pieces.graph import first_rows
from shared.web.pieces.summary import as_read

DECISIONS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Near:
    """A parent or child of the piece, with the share of mass."""

    row: Any
    mass_g: int
    share_ppm: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """A piece as a person wants it: who has it, what it is called, what holds it, what is known of its steel."""

    row: Any
    rows: Sequence[Any]
    aliases: Sequence[Any]
    parents: Sequence[Near]
    children: Sequence[Near]
    holds: Sequence[Any]
    released: Sequence[Any]
    only_for: str
    """What its releases, or those of what it was made from, limit it to."""
    decisions: Sequence[Any]
    analyses: Sequence[Any]
    advised_e6: dict[str, int]
    """Chemistry that travels with the piece, for plants that do not know its heat."""
    heats: dict[str, str]
    steel: Steel
    """Which heats it is made of, and the analysis that follows."""
    making: Any
    way: WayYield
    """What was charged for it, step by step."""
    losses: Sequence[Any]
    values: dict[str, int]
    lines: Sequence[TransferLine]
    history: Sequence[Event]
    people: dict[str, str]
    stands: Sequence[Stand]
    """Its custody over time."""

    @property
    def custody(self) -> tuple[str, str]:
        """Who answers for the piece now, as sign and words."""
        return custody_of(self.row, self.lines)

    @property
    def summary(self) -> list[tuple[str, str]]:
        """Figures of its making in words, each with its unit."""
        return [as_read(name, value) for name, value in self.values.items()]

    @property
    def elements(self) -> list[str]:
        """Elements that any analysis names, else those advised, in the chemists' order."""
        found = {element for analysis in self.analyses for element in analysis.values} or set(self.advised_e6)
        return in_order(found)


def read_sheet(conn: Connection, material_id: str) -> Sheet:
    """Everything of one piece, over all authors known here."""
    row = material.current_holder(conn, material_id)
    near = trace(conn, material_id, "both", depth=1)
    by_id = first_rows(near.rows)
    making = material.find_making(conn, row.author, material_id) if row is not None else None
    rows = material.rows_of(conn, [material_id])
    row = row if row is not None else rows[0]
    back = with_way(conn, trace(conn, material_id, "backward"))
    heats = {r.material_id: r.number for r in back.rows if r.kind == "heat"}
    analyses = [a for piece in (material_id, *sorted(heats)) for a in quality.find_samples(conn, piece)]
    own = quality.list_holds(conn, ids=[material_id], limit=100)
    told = history(conn, material_id)
    named = {h.released_by for h in own} | {h.placed_by for h in own} | {event.actor for event in told if event.actor}
    people = names_of(conn, named)
    lines = with_told(conn, find_lines(conn, LineFilter(material_id=material_id), limit=20))
    return Sheet(
        row=row,
        rows=rows,
        aliases=material.aliases_of(conn, material_id),
        parents=_near(near.edges, "parent_id", "child_id", material_id, by_id),
        children=_near(near.edges, "child_id", "parent_id", material_id, by_id),
        holds=quality.open_holds(conn, material_id),
        released=[hold for hold in own if hold.released_at_ms is not None],
        only_for=find_restriction(conn, material_id),
        decisions=quality.list_decisions(conn, ids=[material_id], limit=DECISIONS_SHOWN),
        analyses=analyses,
        advised_e6=json.loads(row.chemistry) if row.chemistry else {},
        heats=heats | {material_id: row.number},
        steel=read_steel(conn, material_id),
        making=making,
        way=read_yield(conn, material_id),
        losses=material.losses_of(conn, making.author, making.operation_id) if making else (),
        values=material.values_of(conn, making.author, making.operation_id) if making else {},
        lines=lines,
        history=[_in_words(event, people) for event in told],
        people=people,
        stands=_stands(conn, rows, lines, told, own),
    )


def _stands(
    conn: Connection, rows: Sequence[Any], lines: Sequence[TransferLine], told: Sequence[Event], holds: Sequence[Any]
) -> list[Stand]:
    """The piece's custody from its first author on."""
    first = min(rows, key=lambda row: (row.born_at_ms, row.author))
    words = find_words(conn, "amended", material_id=first.material_id)
    amended = [(word.said_at_ms, word.author, json.loads(word.detail)["quality"], word.note) for word in words]
    born = Event(first.born_at_ms, first.author, "born", first.origin)
    arrivals = arrivals_of(conn, [first.material_id])
    return tell_custody(born, lines, history=told, holds=holds, amended=amended, arrivals=arrivals)


def _near(edges: Sequence[Any], there: str, here: str, material_id: str, by_id: dict[str, Any]) -> list[Near]:
    found: dict[str, Near] = {}
    for edge in edges:
        piece = getattr(edge, there)
        if getattr(edge, here) != material_id or edge.kind == "identity" or piece not in by_id:
            continue
        before = found.get(piece, Near(by_id[piece], 0, 0))
        share = min(before.share_ppm + edge.share_ppm, 1_000_000)
        found[piece] = Near(by_id[piece], before.mass_g + edge.mass_g, share)
    return sorted(found.values(), key=lambda near: near.row.number)


def custody_of(row: Any, lines: Sequence[TransferLine]) -> tuple[str, str]:
    """Sign and sentence of custody from the piece's own row and its latest departure."""
    if row.state == "shipped":
        going = next((line for line in lines if line.received_at_ms is None and not line.withdrawn), None)
        if going is not None:
            return "normal", f"with the carrier, {going.sender} to {going.receiver} on {going.shipment_number}"
        if lines and lines[0].own_number and not lines[0].withdrawn:
            return "normal", f"{lines[0].receiver} took it in as {lines[0].own_number}"
        return "normal", f"shipped by {row.author}"
    words = {
        "live": f"{row.author} has it",
        "consumed": f"used up at {row.author}",
        "scrapped": f"scrapped at {row.author}",
        "packed": f"in a pack at {row.author}",
        "opened": f"a pack that was taken apart at {row.author}",
        "withdrawn": f"never made: withdrawn at {row.author}",
    }
    return ("done" if row.state != "live" else "normal"), words.get(row.state, row.state)


def _in_words(event: Event, people: Mapping[str, str]) -> Event:
    if event.actor:
        by = people.get(event.actor, f"a person of {event.author}")
        return replace(event, text=f"{event.text} (by {by})")
    if event.what != "mass":
        return event
    grams, _, rest = event.text.partition(" g ")
    return Event(event.at_ms, event.author, "weighed", f"{kg(int(grams))} kg {rest}") if grams.isdigit() else event
