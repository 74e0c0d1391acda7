"""Is every piece of steel known once, as what it is, with the mass that was told, and nothing that never was?"""

from __future__ import annotations

from collections import Counter

from demo.judge.ledger import Piece, World
from demo.judge.product import Picture, Row, View
from demo.judge.verdict import Verdict

THEORETICAL_TOLERANCE = 0.004
"""A plant computes a theoretical mass from its own shrinkage: within 0.4 % of the simulator's."""
SHARE_TOLERANCE_PPM = 15_000
LENGTH_TOLERANCE_UM = 60_000
"""Six centimetres: cold from hot length, and computed lengths of long strips are compared by ratio beside it."""
LENGTH_TOLERANCE_SHARE = 0.005


def check(world: World, picture: Picture, verdict: Verdict) -> None:
    """Lost, doubled, invented, swapped: at each plant, and again at the hub."""
    for code, view in picture.plants.items():
        _check_plant(world, code, view, verdict)
        _check_hub_has(code, view, picture.hub, verdict)
    _check_families(world, picture, verdict)


def _check_plant(world: World, code: str, view: View, verdict: Verdict) -> None:
    expected = {p.number: p for p in world.pieces.values() if any(plant == code for plant, _ in p.numbers)}
    known: Counter[str] = Counter()
    for row in view.own:
        if row["state"] == "identified":
            continue  # a provisional identity that was tied to the real one
        names = [n for n in row["numbers"] if n in expected] or [
            p.number for p in expected.values() if any(n in row["numbers"] for _, n in p.numbers)
        ]
        verdict.expect("invented", row["material_id"], bool(names), f"{code} knows {row['numbers']}, which never was")
        known.update(set(names[:1]))
        for name in names[:1]:
            _check_row(expected[name], code, row, verdict)
    for number in expected:
        verdict.expect("lost", number, known[number] > 0, f"{code} does not know {number}")
        verdict.expect("doubled", number, known[number] < 2, f"{code} knows {number} {known[number]} times")


def _check_row(piece: Piece, code: str, row: Row, verdict: Verdict) -> None:
    verdict.expect("kind", piece.number, row["kind"] == piece.kind, f"{code} says {row['kind']}, it is a {piece.kind}")
    if piece.kind == "heat":
        return  # a heat flows away into its slabs: what is left of it, and when it is over, is told by shares and balance
    verdict.expect("order", piece.number, bool(row["order_item"]), f"{code}: made for nobody")
    told = piece.told.get(code, [])
    if told:
        verdict.expect(
            "mass", piece.number, _mass_fits(row, told[-1]), f"{code} says {row['mass_g']} g, it was told {told[-1]}"
        )
    state = _state(piece, code)
    verdict.expect("state", piece.number, row["state"] == state, f"{code} says {row['state']}, it is {state}")


def _mass_fits(row: Row, told: tuple[str, int]) -> bool:
    basis, grams = told
    if basis == "theoretical":
        return bool(abs(row["mass_g"] - grams) <= grams * THEORETICAL_TOLERANCE)
    return bool(row["mass_g"] == grams)


def _state(piece: Piece, code: str) -> str:
    """What the plant's books must say: a departure that nobody told, and one that was told and did not happen, are for
    people to correct; until then the books follow what was told."""
    if piece.ended and piece.ended_at == code:
        return piece.ended
    return "shipped" if code in piece.left else "live"


def _check_hub_has(code: str, view: View, hub: View, verdict: Verdict) -> None:
    here = view.content_hash.get(code)
    there = hub.content_hash.get(code)
    verdict.expect("hub_equal", code, bool(here) and here == there, f"rows of {code}: {here} here, {there} at the hub")
    own = {row["material_id"] for row in view.own}
    copied = {row["material_id"] for row in hub.materials if row["author"] == code}
    verdict.expect("hub_materials", code, own == copied, f"{len(own ^ copied)} materials differ between {code} and hub")


def _check_families(world: World, picture: Picture, verdict: Verdict) -> None:
    for piece in world.pieces.values():
        parents = piece.line.get("parents") or []
        if not parents:
            continue
        row = _row(picture.plants[piece.plant], piece)
        if row is None:
            continue  # said already as lost
        trace = picture.apis[piece.plant].get(f"traces/{piece.number}", direction="backward")
        edges = [e for e in trace["edges"] if e["child_id"] == row["material_id"] and e["operation"] != "identify"]
        numbers = {n["material_id"]: n["numbers"] for n in trace["nodes"]}
        for parent in parents:
            mine = [e for e in edges if _names(world, parent["piece"]) & set(numbers.get(e["parent_id"], ()))]
            _check_parent(piece, parent, mine, verdict)


def _check_parent(piece: Piece, parent: Row, edges: list[Row], verdict: Verdict) -> None:
    small = parent.get("share_ppm", 1_000_000) < SHARE_TOLERANCE_PPM
    verdict.expect("parent", piece.number, bool(edges) or small, f"{parent['piece']} is not among its parents")
    if not edges:
        return
    if "share_ppm" in parent:
        share = sum(e["share_ppm"] for e in edges)
        fits = abs(share - parent["share_ppm"]) <= SHARE_TOLERANCE_PPM
        verdict.expect("share", piece.number, fits, f"{share} ppm of {parent['piece']}, it is {parent['share_ppm']}")
        return
    flips = [int(edges[0][name]) for name in ("flip_length", "flip_width", "flip_face")]
    right = [int(f) for f in parent["flips"]]
    verdict.expect("flips", piece.number, flips == right, f"turned {flips} against {parent['piece']}, it was {right}")
    low, high = min(e["parent_from_um"] for e in edges), max(e["parent_to_um"] for e in edges)
    room = max(LENGTH_TOLERANCE_UM, LENGTH_TOLERANCE_SHARE * parent["to_um"])
    fits = abs(low - parent["from_um"]) <= room and abs(high - parent["to_um"]) <= room
    told = f"{parent['from_um']}..{parent['to_um']}"
    verdict.expect("interval", piece.number, fits, f"{low}..{high} um of {parent['piece']}, it was {told}")


def _names(world: World, number: str) -> set[str]:
    piece = world.pieces.get(number)
    return {number} | ({n for _, n in piece.numbers} if piece else set())


def _row(view: View, piece: Piece) -> Row | None:
    rows = [r for r in view.by_number.get(piece.number, ()) if r["author"] == piece.plant and r["kind"] == piece.kind]
    return rows[0] if rows else None
