"""Holds that travel: what one plant holds reaches the piece, and what was made of it, at other plants and on the way.

The hub tells each plant of a hold on a piece that was sent to it, as a hold of its own on that very piece, under the hold it
comes from: one fact that needs no other plant's genealogy to be heeded, in the sealed stream, always before its end. A
plant that is away goes on with those it has. A heat's hold is carried by those of its slabs, whose share its maker asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, and_, literal, select

from central_hub.hub import Hub, downlink
from central_hub.transfers import cases
from central_hub.transfers.domain import Contradiction
from central_hub.transfers.tables import judged
from shared.db.bulk import among
from shared.db.engine import read
from shared.db.upsert import upsert
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred
from shared.journal.journal import Work, lock_head
from shared.journal.tables import entry
from shared.material.tables import material
from shared.material.walk import walk
from shared.quality.domain import Held
from shared.quality.facts import HoldPlaced, HoldReleased
from shared.quality.queries import holding_elsewhere
from shared.quality.tables import hold
from shared.transfers.tables import receipt, shipment, shipment_line

ACTOR = "job:holds"
USED = "held_used"
NUMBERS_SHOWN = 10


@dataclass(frozen=True)
class Carried:
    """A hold on a piece that other plants must heed. used_by: those of them that had used the piece."""

    held: Held
    material_id: str
    plants: frozenset[str]
    used_by: frozenset[str] = frozenset()

    def hold_id(self, hub: str) -> str:
        """The hub's hold for it, always the same."""
        return derived_id(self.held.placed_at_ms, hub, "carried", self.held.hold_id, self.material_id)


@dataclass(frozen=True)
class Errand:
    """What is to be written now."""

    placed: list[Draft[HoldPlaced]] = field(default_factory=list)
    released: list[Draft[HoldReleased]] = field(default_factory=list)
    relays: list[tuple[str, str]] = field(default_factory=list)
    """(fact id, plant); a hold before its end."""
    used: list[tuple[str, Contradiction]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.placed or self.released or self.relays or self.used)


def carry_holds(hub: Hub) -> int:
    """Tell plants of holds on what they have of others, and of their ends; returns how many facts went down."""
    with read(hub.node.engine) as conn:
        if find_errand(conn, hub.code).is_empty:
            return 0
    with hub.journal.work() as tx:
        lock_head(tx.conn, hub.code, tx.now_ms())
        return _write(hub, tx, find_errand(tx.conn, hub.code))


def find_errand(conn: Connection, hub: str) -> Errand:
    """What plants do not know yet."""
    wanted = {one.hold_id(hub): one for one in _find_carried(conn, hub)}
    mine = {row.hold_id: row for row in conn.execute(select(hold).where(hold.c.author == hub))}
    ended = list(_ended(conn, mine.values()))
    errand = Errand()
    errand.placed.extend(_placing(hold_id, one) for hold_id, one in wanted.items() if hold_id not in mine)
    errand.released.extend(_releasing(row, end) for row, end in ended)
    sent = _sent(conn, hub, [_fact_of(row.hold_id, "placed") for row in mine.values()])
    ids = {_fact_of(hold_id, "placed"): one for hold_id, one in wanted.items()}
    errand.relays.extend(
        (fact_id, plant)
        for fact_id, one in ids.items()
        for plant in sorted(one.plants)
        if plant not in sent.get(fact_id, ())
    )
    told = {_fact_of(row.hold_id, "placed"): _fact_of(row.hold_id, "released") for row, _ in ended}
    errand.relays.extend((end, plant) for fact_id, end in told.items() for plant in sorted(sent.get(fact_id, ())))
    errand.used.extend(_used(conn, wanted.values()))
    return errand


def _write(hub: Hub, tx: Work, errand: Errand) -> int:
    tx.record(*errand.placed, *errand.released)
    cases.open_cases(tx, hub.code, [contradiction for _, contradiction in errand.used])
    upsert(tx.conn, judged, [{"kind": USED, "ref": ref} for ref, _ in errand.used])
    for fact_id, plant in errand.relays:
        tx.relay(fact_id, downlink(hub.code, plant))
    return len(errand.relays)


def _find_carried(conn: Connection, hub: str) -> Iterator[Carried]:
    held = _open_on_pieces(conn, hub)
    if not held:
        return
    reached = sorted(set(held) | {step.child_id for step in walk(conn, sorted(held), False).steps})
    elsewhere = _elsewhere(conn, reached)
    rows, holding = _rows(conn, elsewhere), holding_elsewhere(conn, elsewhere, hub)
    for material_id, plants in sorted(elsewhere.items()):
        states = {row.author: row.state for row in rows.get(material_id, ())}
        here = {plant for plant in plants if states.get(plant) not in ("shipped", "scrapped", "identified")}
        for one in holding[material_id]:
            targets = frozenset(here - {one.author})
            if targets:
                used = frozenset(plant for plant in targets if states.get(plant) == "consumed")
                yield Carried(one, material_id, targets, used)


def _open_on_pieces(conn: Connection, hub: str) -> list[str]:
    """Pieces, no heats, that a plant holds."""
    h, m = hold.c, material.c
    is_heat = select(literal(1)).where(m.author == h.author, m.material_id == h.material_id, m.kind == "heat").exists()
    query = select(h.material_id).where(
        h.author != hub, h.released_at_ms.is_(None), h.placed_at_ms.is_not(None), ~is_heat
    )
    return sorted(set(conn.execute(query).scalars()))


def _elsewhere(conn: Connection, ids: Sequence[str]) -> dict[str, set[str]]:
    """Piece -> plants it was sent to, or that took it in."""
    found: dict[str, set[str]] = {}
    s, line, r = shipment.c, shipment_line.c, receipt.c
    sent = (
        select(line.material_id, s.to_plant)
        .join_from(shipment_line, shipment, and_(s.author == line.author, s.shipment_id == line.shipment_id))
        .where(among(conn, line.material_id, ids), line.withdrawn.is_(False))
    )
    came = select(r.material_id, r.author).where(among(conn, r.material_id, ids))
    for query in (sent, came):
        for material_id, plant in conn.execute(query):
            found.setdefault(material_id, set()).add(plant)
    return found


def _rows(conn: Connection, ids: Collection[str]) -> Mapping[str, list[Row[Any]]]:
    """Piece -> what each plant says of it."""
    found: dict[str, list[Row[Any]]] = {}
    for row in conn.execute(select(material).where(among(conn, material.c.material_id, ids))) if ids else ():
        found.setdefault(row.material_id, []).append(row)
    return found


def _placing(hold_id: str, one: Carried) -> Draft[HoldPlaced]:
    fact = HoldPlaced(
        hold_id=hold_id,
        material_id=one.material_id,
        reason=_held_by(one.held.author) + one.held.reason,
        rule_id=one.held.rule_id,
        inherited_from=one.held.hold_id,
    )
    occurred = Occurred(one.held.placed_at_ms, ACTOR)
    return Draft(fact, (one.material_id, hold_id), ACTOR, occurred, fact_id=_fact_of(hold_id, "placed"))


def _held_by(author: str) -> str:
    """How the words of a carried hold begin: they name who placed it, and so whose end counts."""
    return f"held by {author}: "


def _ended(conn: Connection, mine: Collection[Row[Any]]) -> Iterator[tuple[Row[Any], Row[Any]]]:
    """The hub's open holds that their placer ended, with its end. What a restored hub has not heard of stays held.

    A piece's own end comes first: so it is the same end whether it is heard of before that of the whole hold or with it.
    """
    open_now = [row for row in mine if row.released_at_ms is None and row.inherited_from]
    ids = sorted({row.inherited_from for row in open_now})
    placed, alone = (_placed(conn, ids), _freed_alone(conn, ids)) if ids else ({}, {})
    for row in open_now:
        whole = next((p for p in placed[row.inherited_from] if row.reason.startswith(_held_by(p.author))), None)
        if whole is None:
            continue
        end = alone.get((whole.author, whole.hold_id, row.material_id), whole)
        if end.released_at_ms is not None:
            yield row, end


def _placed(conn: Connection, ids: Sequence[str]) -> Mapping[str, list[Row[Any]]]:
    """Hold -> rows of those who placed it. A plant that only speaks of its end is none of them."""
    c = hold.c
    found: dict[str, list[Row[Any]]] = {hold_id: [] for hold_id in ids}
    for row in conn.execute(select(hold).where(among(conn, c.hold_id, ids), c.placed_at_ms.is_not(None))):
        found[row.hold_id].append(row)
    return found


def _freed_alone(conn: Connection, ids: Sequence[str]) -> Mapping[tuple[str, str, str], Row[Any]]:
    """(author, hold, piece) -> the ended hold that frees this piece of those the hold reaches; the first where several."""
    c = hold.c
    query = select(hold).where(
        among(conn, c.inherited_from, ids), c.placed_at_ms.is_not(None), c.released_at_ms.is_not(None)
    )
    found: dict[tuple[str, str, str], Row[Any]] = {}
    for row in conn.execute(query.order_by(c.released_at_ms, c.hold_id)):
        found.setdefault((row.author, row.inherited_from, row.material_id), row)
    return found


def _releasing(row: Row[Any], end: Row[Any]) -> Draft[HoldReleased]:
    fact = HoldReleased(
        hold_id=row.hold_id,
        material_id=row.material_id,
        disposition=end.disposition,
        note=f"released by {end.author}: {end.note}".rstrip(": "),
        only_for=end.only_for,
    )
    occurred = Occurred(end.released_at_ms, ACTOR)
    return Draft(fact, (row.material_id, row.hold_id), ACTOR, occurred, fact_id=_fact_of(row.hold_id, "released"))


def _fact_of(hold_id: str, what: str) -> str:
    return derived_id(int(hold_id[:12], 16), hold_id, what)


def _sent(conn: Connection, hub: str, facts: Sequence[str]) -> Mapping[str, set[str]]:
    """Fact -> plants on whose stream it stands."""
    found: dict[str, set[str]] = {}
    prefix = downlink(hub, "")
    c = entry.c
    query = select(c.fact_id, c.stream).where(among(conn, c.fact_id, facts), c.stream.startswith(prefix))
    for fact_id, stream in conn.execute(query) if facts else ():
        found.setdefault(fact_id, set()).add(stream.removeprefix(prefix))
    return found


def _used(conn: Connection, wanted: Iterable[Carried]) -> Iterator[tuple[str, Contradiction]]:
    """Pieces that were used before their hold came: what was made of them is looked at by people of both plants."""
    used = {one.held.hold_id + one.material_id: one for one in wanted if one.used_by}
    c = judged.c
    done = (
        set(conn.execute(select(c.ref).where(c.kind == USED, among(conn, c.ref, sorted(used)))).scalars())
        if used
        else ()
    )
    for ref, one in used.items():
        if ref not in done:
            yield ref, _forward(conn, one)


def _forward(conn: Connection, one: Carried) -> Contradiction:
    below = sorted({step.child_id for step in walk(conn, [one.material_id], False).steps})
    plants = sorted(one.used_by)
    rows = _rows(conn, [*below, one.material_id])
    made = [row for child in below for row in rows.get(child, ()) if row.state == "live"]
    numbers = ", ".join(row.number for row in made[:NUMBERS_SHOWN]) or "nothing that is left"
    number = next((row.number for row in rows.get(one.material_id, ()) if row.author == plants[0]), "")
    return Contradiction(
        "quality_changed",
        one.held.placed_at_ms,
        (one.held.hold_id, one.material_id),
        (one.held.author, plants[0]),
        f"{one.held.author} holds {number} ({one.held.reason}); {', '.join(plants)} had used it already. "
        f"What was made of it is held: {numbers}.",
        material_id=one.material_id,
        piece_number=number,
    )
