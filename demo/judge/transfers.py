"""Did every load go and come once, are the right cases open and no other, are the holds where they belong?"""

from __future__ import annotations

from collections import Counter

from demo.judge.ledger import Line, World
from demo.judge.product import Picture, Row
from demo.judge.verdict import Verdict


def check(world: World, picture: Picture, verdict: Verdict) -> None:
    """Departures, receipts, cases, awaiting episodes, holds."""
    _check_departures(world, picture, verdict)
    _check_receipts(world, picture, verdict)
    _check_cases(world, picture, verdict)
    _check_episodes(world, picture, verdict)
    _check_holds(world, picture, verdict)


def _check_departures(world: World, picture: Picture, verdict: Verdict) -> None:
    lines: Counter[tuple[str, str]] = Counter()
    for shipment in picture.hub.shipments:
        lines.update((shipment["number"], line["number"]) for line in shipment["lines"])
    for told in world.of("shipped"):
        found = sum(lines[(told["load"], number)] for number in _numbers(world, told["piece"]))
        verdict.expect(
            "shipped", told["piece"], found == 1, f"the hub knows {found} departures of it in {told['load']}"
        )


def _check_receipts(world: World, picture: Picture, verdict: Verdict) -> None:
    for code, view in picture.plants.items():
        told = [line for line in world.of("received") if line["plant"] == code]
        rows = [row for row in view.receipts if row["author"] == code]
        verdict.expect("receipts", code, len(rows) == len(told), f"{len(rows)} receipts, {len(told)} were made")
        by_number = Counter(row["number"] for row in rows)
        for line in told:
            names = _numbers(world, line["piece"])
            found = [r for r in rows if r["number"] in names or r["printed_number"] in names]
            same_load = [r for r in found if r["shipment_number"] == line["load"]]
            verdict.expect("received", line["piece"], len(same_load) == 1, f"{code}: received {len(same_load)} times")
            fits = any(r["mass_g"] == line["mass_g"] for r in same_load)
            verdict.expect("received_mass", line["piece"], fits, f"{code}: {line['mass_g']} g were booked")
        doubled = [number for number, count in by_number.items() if count > 1]
        verdict.expect("own_numbers", code, not doubled, f"numbers given twice: {doubled[:5]}")


def _check_cases(world: World, picture: Picture, verdict: Verdict) -> None:
    expected = {(line["kind"], line["piece"]): line for line in world.of("case")}
    found: set[tuple[str, str]] = set()
    for case in picture.cases:
        if case["state"] != "open":
            continue
        key = _case_key(world, case, expected)
        verdict.expect(
            "cases", case["case_id"], key is not None and key not in found, f"not justified: {case['summary']}"
        )
        found |= {key} if key else set()
    for key in expected:
        verdict.expect("cases", key[1], key in found, f"no {key[0]} case is open for {key[1]}")


def _case_key(world: World, case: Row, expected: dict[tuple[str, str], Line]) -> tuple[str, str] | None:
    for kind, piece in expected:
        if kind == case["kind"] and _numbers(world, piece) & set(case["numbers"]):
            return kind, piece
    return None


def _check_episodes(world: World, picture: Picture, verdict: Verdict) -> None:
    over = {line["load"] for line in world.of("awaiting_over")}
    for line in world.of("awaiting"):
        rows = [e for e in picture.episodes if e["shipment_number"] == line["load"]]
        verdict.expect("awaiting", line["load"], len(rows) == 1, f"{len(rows)} episodes of waiting for data")
        closed = all(e["closed"] for e in rows) == (line["load"] in over)
        verdict.expect("awaiting_over", line["load"], closed, "the episode did not end with the data's arrival")
    loads = {line["load"] for line in world.of("awaiting")}
    strange = [e for e in picture.episodes if e["shipment_number"] not in loads]
    verdict.expect("episodes", "hub", not strange, f"episodes nobody saw: {[e['shipment_number'] for e in strange]}")


def _check_holds(world: World, picture: Picture, verdict: Verdict) -> None:
    state: dict[tuple[str, str], bool] = {}
    for line in sorted(
        world.of("hold") + world.of("released"), key=lambda one: (one["at_ms"], one["what"] == "released")
    ):
        state[(line["plant"], line["piece"])] = line["what"] == "hold"
    for (plant, piece), held in state.items():
        view = picture.plants[plant]
        ids = {
            r["material_id"] for n in _numbers(world, piece) for r in view.by_number.get(n, ()) if r["author"] == plant
        }
        rows = [h for h in view.holds if h["author"] == plant and h["material_id"] in ids]
        verdict.expect("holds", piece, bool(rows), f"{plant} never held it")
        still = any(h["state"] == "open" for h in rows)
        verdict.expect("held_now", piece, still == held, f"{plant} says {'held' if still else 'free'}")


def _numbers(world: World, piece: str) -> set[str]:
    known = world.pieces.get(piece)
    return {piece} | ({n for _, n in known.numbers} if known else set())
