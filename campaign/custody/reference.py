"""What the hub's desk must hold, worked out once more from the facts themselves: slowly, in plain words, and sharing
nothing with the product but the numbers of transfers.md. The product judges while facts arrive in any order; this
looks once, at the end, when everything is known.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

MINUTE_MS = 60_000
MARGIN_MS = 15 * MINUTE_MS
SLACK_MS = 15 * MINUTE_MS
GRACE_MS = 12 * 60 * MINUTE_MS
NEAR_MS = 2 * MINUTE_MS
"""What lies so near to a limit may be judged either way: clocks are measured to a minute."""
Found = tuple[str, str]
"""Kind of a case and the piece (or provisional piece) it is about."""


@dataclass
class Spell:
    """A time for which a piece stood on a list."""

    sender: str
    receiver: str
    load: str
    piece: str
    numbers: frozenset[str]
    mass_g: int
    departed_ms: int
    eta_ms: int
    told_ms: int
    denied_ms: int | None = None

    def stands(self, at_ms: int) -> bool:
        """Whether it was on the list then."""
        return self.told_ms <= at_ms and (self.denied_ms is None or self.denied_ms > at_ms)


@dataclass
class Receipt:
    """A piece taken in; load, piece and number are known once it is tied to a line."""

    plant: str
    receipt_id: str
    sender: str
    printed: str
    taken_in_as: str
    load: str
    piece: str
    number: int
    mass_g: int
    received_ms: int
    told_ms: int
    unlisted: bool
    damage: str
    tied_ms: int = 0

    @property
    def tied(self) -> bool:
        """Whether its line is known."""
        return not self.unlisted or self.tied_ms > 0

    @property
    def cited_ms(self) -> int:
        """When it came to cite its number."""
        return self.tied_ms or self.told_ms


@dataclass
class Books:
    """All that was said, sorted."""

    skews: Mapping[str, int]
    spells: list[Spell] = field(default_factory=list)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    closes: dict[tuple[str, str], int] = field(default_factory=dict)
    words: list[tuple[str, str, str, str, int]] = field(default_factory=list)
    """(kind, author, load, piece, told) of what was refused, returned, given up."""
    denials: list[tuple[str, str, int]] = field(default_factory=list)
    lates: list[tuple[str, str, int]] = field(default_factory=list)

    def margin(self, *plants: str) -> int:
        """What is waited beyond a time among these plants."""
        skews = [self.skews[plant] for plant in plants if plant]
        apart_ms = max(skews) - min(skews)
        return MARGIN_MS + (-(-apart_ms // MINUTE_MS) * MINUTE_MS if apart_ms > MINUTE_MS else 0)

    def said(self, kind: str, load: str, piece: str, author: str = "") -> list[int]:
        """When somebody said so of a line."""
        return [t for k, a, s, m, t in self.words if (k, s, m) == (kind, load, piece) and author in ("", a)]


def read_books(rows: Iterable[tuple[str, str, int, bytes]], skews: Mapping[str, int]) -> Books:
    """From (author, type, recorded, body) of facts about transfers, in the order they were recorded."""
    books = Books(skews)
    for author, kind, told_ms, body in rows:
        fact = json.loads(body)
        _enter(books, author, kind, told_ms, fact["occurred"]["at_ms"], fact["payload"])
    return books


def _enter(books: Books, author: str, kind: str, told_ms: int, at_ms: int, said: dict[str, Any]) -> None:
    if kind == "MaterialShipped":
        books.spells += [_spell(author, said, line, told_ms) for line in said["lines"]]
    elif kind == "DepartureCorrected":
        _correct(books, author, said, told_ms)
    elif kind == "MaterialReceived":
        books.receipts[said["receipt_id"]] = _receipt(author, said, at_ms, told_ms)
    elif kind == "ReceiptMatched" and said["receipt_id"] in books.receipts:
        one = books.receipts[said["receipt_id"]]
        one.load, one.piece, one.number, one.tied_ms = (
            said["shipment_id"], said["material_id"], said["custody_no"], one.tied_ms or told_ms,
        )  # fmt: skip
    elif kind == "ReceiptClosed":
        books.closes.setdefault((author, said["shipment_id"]), told_ms)
    elif kind in ("MaterialRefused", "MaterialReturned", "MaterialLost"):
        books.words.append((kind, author, said["shipment_id"], said["material_id"], told_ms))


def _spell(author: str, load: dict[str, Any], line: dict[str, Any], told_ms: int) -> Spell:
    piece = line["piece"]
    numbers = frozenset((piece["number"], *piece.get("aliases", ())))
    return Spell(
        author, load["to"], load["shipment_id"], piece["material_id"], numbers, piece["mass"]["g"],
        load["departed_at_ms"], load["eta_ms"], told_ms,
    )  # fmt: skip


def _correct(books: Books, author: str, said: dict[str, Any], told_ms: int) -> None:
    load, piece = said["shipment_id"], said["line"]["piece"]["material_id"]
    of_load = [spell for spell in books.spells if spell.load == load]
    if said["kind"] == "did_not_occur":
        books.denials.append((load, piece, told_ms))
        for spell in of_load:
            if spell.piece == piece and spell.denied_ms is None:
                spell.denied_ms = told_ms
        return
    books.lates.append((load, piece, told_ms))
    if of_load:
        first = of_load[0]
        head = {"to": first.receiver, "shipment_id": load, "departed_at_ms": first.departed_ms, "eta_ms": first.eta_ms}
        books.spells.append(_spell(author, head, said["line"], told_ms))


def _receipt(author: str, said: dict[str, Any], at_ms: int, told_ms: int) -> Receipt:
    material = said["material"]
    return Receipt(
        author, said["receipt_id"], said["from_plant"], said["printed_number"], material["material_id"],
        said["shipment_id"], material["material_id"], said["custody_no"], material["mass"]["g"], at_ms, told_ms,
        said["provisional"], said.get("damage", ""),
    )  # fmt: skip


@dataclass
class Expected:
    """Cases that must be there, and such that may be: too near to a limit to be sure."""

    must: set[Found] = field(default_factory=set)
    may: set[Found] = field(default_factory=set)


def expect(books: Books) -> Expected:
    """What the desk must hold."""
    expected = Expected()
    for spell in books.spells:
        _missing(books, spell, expected)
    for receipt in books.receipts.values():
        if receipt.unlisted:
            _unlisted(books, receipt, expected)
        if receipt.tied:
            expected.must |= set(_tied(books, receipt))
    return expected


def _missing(books: Books, spell: Spell, expected: Expected) -> None:
    margin_ms = books.margin(spell.sender, spell.receiver)
    at_ms = max(spell.eta_ms + GRACE_MS, spell.told_ms) + margin_ms
    closed = books.closes.get((spell.receiver, spell.load))
    if closed is not None:
        at_ms = min(at_ms, max(closed, spell.told_ms) + margin_ms)
    answers = list(_answers(books, spell))
    short = ("short", spell.piece)
    if any(_near(told, at_ms) for told in (*answers, spell.denied_ms)):
        expected.may.add(short)
    elif spell.stands(at_ms) and all(told > at_ms for told in answers):
        expected.must.add(short)


def _near(one: int | None, other: int) -> bool:
    return one is not None and abs(one - other) <= NEAR_MS


def _answers(books: Books, spell: Spell) -> Iterator[int]:
    for one in books.receipts.values():
        if one.plant != spell.receiver:
            continue
        if one.unlisted and one.printed in spell.numbers and _may_be(one, spell):
            yield one.told_ms
        elif one.tied and (one.load, one.piece) == (spell.load, spell.piece):
            yield one.cited_ms
    yield from books.said("MaterialRefused", spell.load, spell.piece, spell.receiver)
    yield from books.said("MaterialReturned", spell.load, spell.piece, spell.sender)


def _may_be(one: Receipt, spell: Spell) -> bool:
    return one.sender in ("", spell.sender) and spell.departed_ms <= one.received_ms + SLACK_MS


def _unlisted(books: Books, one: Receipt, expected: Expected) -> None:
    named = [spell for spell in books.spells if one.printed in spell.numbers and _may_be(one, spell)]
    at_ms = one.told_ms + books.margin(one.plant, one.sender, *(spell.sender for spell in named))
    standing = [spell for spell in named if spell.stands(at_ms)]
    found = ("wrong_plant", standing[-1].piece) if standing else ("unannounced", one.taken_in_as)
    if any(spell.receiver == one.plant for spell in standing):
        found = ("", "")
    if any(_near(t, at_ms) for spell in named for t in (spell.told_ms, spell.denied_ms)):
        expected.may |= {found, ("unannounced", one.taken_in_as), *(("wrong_plant", s.piece) for s in named)}
    elif found[0]:
        expected.must.add(found)


def _tied(books: Books, one: Receipt) -> Iterator[Found]:
    spells = [spell for spell in books.spells if (spell.load, spell.piece) == (one.load, one.piece)]
    if not spells:
        yield "unannounced", one.piece  # its departure is in nobody's books any more
        return
    spell = spells[-1]
    others = [other for other in books.receipts.values() if other is not one and other.tied]
    if any(other.piece == one.piece and _clash(one, other) for other in others):
        yield "double_receipt", one.piece
    if one.damage:
        yield "damage", one.piece
    if abs(one.mass_g - spell.mass_g) > max(spell.mass_g * 3 // 1000, 40_000):
        yield "mass", one.piece
    yield from _said_otherwise(books, one, spell)


def _said_otherwise(books: Books, one: Receipt, spell: Spell) -> Iterator[Found]:
    """A receipt of what is back, was given up, or never left."""
    if books.said("MaterialReturned", one.load, one.piece, spell.sender):
        yield "contested", one.piece
    elif all(books.said("MaterialLost", one.load, one.piece, side) for side in (spell.sender, spell.receiver)):
        yield "found_again", one.piece
    if one.plant == spell.receiver and any(_denied(books, one, denial) for denial in books.denials):
        yield "contested", one.piece


def _denied(books: Books, one: Receipt, denial: tuple[str, str, int]) -> bool:
    load, piece, told_ms = denial
    until_ms = max(told_ms, one.told_ms, one.tied_ms)
    taken_back = any((s, p) == (load, piece) and told_ms < t <= until_ms for s, p, t in books.lates)
    return (load, piece) == (one.load, one.piece) and not taken_back


def _clash(one: Receipt, other: Receipt) -> bool:
    apart_ms = SLACK_MS if one.plant != other.plant else 0
    stale = one.number < other.number and one.cited_ms > other.cited_ms + apart_ms
    return one.number == other.number or stale
