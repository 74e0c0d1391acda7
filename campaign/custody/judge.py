"""Judging a history of transfers at its end, when nothing moves any more: cases, custody, kilograms, agreement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from campaign.custody.desks import Desk, read_desk
from campaign.custody.reference import Books, Found, expect, read_books
from campaign.custody.world import DAY_MS, World
from campaign.site import START_MS
from central_hub.transfers.balance import read_balance
from shared.db.engine import read

DOUBTS = ("contested", "double_receipt", "number_reuse")
"""Cases that say that a piece may stand in two books: then it may."""
REUSED = """
SELECT one.author, one.value, one.material_id, two.material_id
FROM alias one JOIN alias two USING (author, scheme, value)
JOIN material m ON m.author = one.author AND m.material_id = one.material_id
JOIN material n ON n.author = two.author AND n.material_id = two.material_id
WHERE one.material_id < two.material_id AND one.scheme LIKE one.author || '.%'
  AND m.state != 'identified' AND n.state != 'identified'
"""
"""Pairs of pieces under one number of their plant's own."""
NAMES = """
SELECT c.material_id, coalesce(m.identified_as, c.material_id), m.material_id IS NULL OR count(a.value) > 1
FROM transfer_case c
LEFT JOIN material m ON m.author = c.from_plant AND m.material_id = c.material_id
LEFT JOIN alias a ON a.author = c.from_plant AND a.scheme LIKE a.author || '.%'
  AND a.material_id = coalesce(m.identified_as, c.material_id)
WHERE c.kind = 'number_reuse' GROUP BY c.material_id
"""
"""Pieces of such cases: as they were known then, what they are by now, whether that bears another number (or is lost)."""
TWO = """
SELECT r.author, r.printed_number FROM receipt r
JOIN material m ON m.author = r.author AND m.material_id = r.taken_in_as
WHERE r.taken_in_as != r.material_id AND m.state != 'identified'
"""
"""Receipts tied to a line whose piece is still a second one in the same plant's books."""


def judge(world: World) -> list[str]:
    """Everything that is wrong, a line each; nothing, when all is well."""
    desk = read_desk(world.group.hub)
    books, cases = read_books(desk.facts, world.skews), set(desk.cases)
    found = [*_agreement(world), *_cases(world, books, desk), *_custody(world, books, cases)]
    found += _kilograms(world, books)
    found += [f"a label of a departure that was over was taken for {number}" for number in world.stale_taken]
    first = min((at_ms for at_ms, _ in world.restores), default=None)
    found += [
        f"{refusal.plant} refused to {refusal.what}: {refusal.code}"
        for refusal in world.refusals
        if first is None or refusal.at_ms < first
    ]
    return found


def _agreement(world: World) -> Iterator[str]:
    hub = world.group.hub
    for code, site in world.group.plants.items():
        if gone := site.facts(code) - hub.facts(code):
            yield f"{len(gone)} facts of {code} are not at the hub"
        if site.content(code) != hub.content(code):
            yield f"the hub's rows of {code} are others than its own"


def _cases(world: World, books: Books, desk: Desk) -> Iterator[str]:
    expected, cases = expect(books), desk.cases
    pairs = _rows(world, REUSED)
    reused = {piece for *_, one, two in pairs for piece in (one, two)}
    named = {then: now for then, now, _ in _rows(world, NAMES)}
    of_reuse = {("number_reuse", then) for then, now in named.items() if now in reused}
    twice = {("contested", piece) for (piece,) in _rows(world, "SELECT subject FROM contested")}
    may = expected.may | of_reuse | twice | {("contested", "")} | _came_back(world, desk)
    for kind, piece in sorted(expected.must - cases):
        yield f"no case: {kind} of {_name(world, piece)}"
    for kind, piece in sorted(cases - expected.must - may):
        yield f"false case: {kind} of {_name(world, piece)}"
    for author, number, *both in pairs:
        if not set(both) & set(named.values()):
            yield f"two pieces of {author} bear {number} and there is no case"
    for then, _, is_renamed in _rows(world, NAMES):
        if not is_renamed:
            yield f"{_name(world, then)} bears a number of another and was given no other one"


def _came_back(world: World, desk: Desk) -> set[Found]:
    """Cases that were on the desk when the hub was put back, and true by what it held then and by all that is known now.

    Plants gave it its own word back; what it rested on may be in nobody's books any more.
    """
    found: set[Found] = set()
    for before in world.desks:
        then, ever = (expect(read_books(facts, world.skews)) for facts in (before.facts, before.with_facts_of(desk)))
        found |= before.cases & (then.must | then.may) & (ever.must | ever.may)
    return found


def _custody(world: World, books: Books, cases: set[Found]) -> Iterator[str]:
    """Every piece that is in anybody's books is in one plant's custody or on its way, and not in both."""
    live: dict[str, list[str]] = defaultdict(list)
    known: set[str] = set()
    for author, piece, state in _rows(world, "SELECT author, material_id, state FROM material"):
        known.add(piece)
        if state == "live":
            live[piece].append(author)
    away, torn = _under_way(books), _torn(books)
    for piece in (p.material_id for p in world.pieces if p.material_id in known):
        places = [*live[piece], *(["on its way"] if piece in away else [])]
        doubted = any((kind, piece) in cases for kind in (*DOUBTS, *(["unannounced"] if piece in torn else [])))
        if len(places) != 1 and not (len(places) > 1 and doubted):
            yield f"{_name(world, piece)} is in {len(places)} places: {', '.join(places) or 'nowhere'}"
    for author, printed in _rows(world, TWO):
        yield f"{printed} stands twice in the books of {author}: as it came in, and as what it was found to be"


def _torn(books: Books) -> set[str]:
    """Pieces taken in from a departure that restores took from everybody else: the case is that it is not known."""
    known = {(spell.load, spell.piece) for spell in books.spells}
    return {one.piece for one in books.receipts.values() if one.tied and (one.load, one.piece) not in known}


def _under_way(books: Books) -> set[str]:
    """Pieces that left and are neither taken in nor back."""
    taken = {(one.load, one.piece) for one in books.receipts.values() if one.tied}
    return {
        spell.piece
        for spell in books.spells
        if spell.denied_ms is None
        and (spell.load, spell.piece) not in taken
        and not books.said("MaterialReturned", spell.load, spell.piece)
    }


def _kilograms(world: World, books: Books) -> Iterator[str]:
    """The hub's balance of each lane closes, and is what the facts add up to."""
    with read(world.group.hub.machine.engine) as conn:
        lanes = {lane.lane: lane for lane in read_balance(conn, START_MS - DAY_MS, world.now_ms + DAY_MS)}
    sums = _sums(books)
    for name in sorted(lanes.keys() | sums.keys()):
        lane, counted = lanes.get(name), sums.get(name, {})
        if lane is not None and lane.unexplained_g:
            yield f"{lane.unexplained_g} g of {name} are nowhere"
        told = {} if lane is None else {
            "shipped": lane.shipped.mass_g, "received": lane.received.mass_g, "returned": lane.returned.mass_g,
            "written off": lane.written_off.mass_g, "open": lane.on_the_way.mass_g + lane.disputed.mass_g,
        }  # fmt: skip
        for what in sorted(told.keys() | counted.keys()):
            if told.get(what, 0) != counted.get(what, 0):
                yield f"{name}: {what} {told.get(what, 0)} g by the hub, {counted.get(what, 0)} g by the facts"


def _sums(books: Books) -> dict[str, dict[str, int]]:
    taken = {(one.load, one.piece) for one in books.receipts.values() if one.tied}
    last = {(spell.load, spell.piece): spell for spell in books.spells}
    sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for key, spell in last.items():
        if spell.denied_ms is not None and key not in taken:
            continue
        lost = all(books.said("MaterialLost", *key, side) for side in (spell.sender, spell.receiver))
        back = bool(books.said("MaterialReturned", *key))
        where = "received" if key in taken else "returned" if back else "written off" if lost else "open"
        lane = sums[f"{spell.sender}-{spell.receiver}"]
        lane["shipped"] += spell.mass_g
        lane[where] += spell.mass_g
    return sums


def _name(world: World, piece: str) -> str:
    for one in world.pieces:
        if one.material_id == piece:
            return f"{one.number} ({one.fate})"
    rows = _rows(world, f"SELECT printed_number FROM receipt WHERE taken_in_as = '{piece}'")  # noqa: S608 - our own id
    return str(rows[0][0]) if rows else piece or "nothing"


def _rows(world: World, query: str) -> list[Any]:
    return list(world.group.hub.machine.raw.execute(query).fetchall())
