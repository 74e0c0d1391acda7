"""Is everything recorded also received and applied, the standards adopted, the golden place found again?"""

from __future__ import annotations

from demo.judge.ledger import Line, World
from demo.judge.product import Picture, Row
from demo.judge.verdict import Verdict

ALONG_UM = 50_000
ACROSS_UM = 2_000
RUNNING = {"runs_it", "deviates"}
"""States of conformance in which a plant has the version in force."""


def check(world: World, picture: Picture, verdict: Verdict) -> None:
    """Journals, standards, marks and positions."""
    verdict.expect("finished", "ledger", world.finished, "the run did not come to its end")
    for code, view in picture.plants.items():
        _check_journal(code, view.status, picture.hub.status, verdict)
    for line in world.of("standard"):
        _check_standard(line, picture, verdict)
    for line in world.of("mark") + world.of("finding"):
        _check_mark(world, line, picture, verdict)
    for line in world.of("position"):
        _check_position(world, line, picture, verdict)


def _check_journal(code: str, status: Row, hub: Row, verdict: Verdict) -> None:
    for name in ("quarantined", "parked", "spool_open", "repairs_open", "backlog"):
        verdict.expect(name, code, status[name] == 0, f"{status[name]} {name} at {code}")
    at_hub = hub["received_from"].get(code, 0)
    verdict.expect(
        "received_all", code, at_hub == status["recorded"], f"recorded {status['recorded']}, hub has {at_hub}"
    )
    applied = hub["applied_from"].get(code, 0)
    verdict.expect(
        "applied_all", code, applied == status["recorded"], f"of {status['recorded']} the hub applied {applied}"
    )


def _check_standard(line: Line, picture: Picture, verdict: Verdict) -> None:
    for plant in line["plants"]:
        rows = [r for r in picture.conformance if r["plant"] == plant and r["standard_id"] == line["code"]]
        runs = any(r["version"] == line["version"] and r["state"] in RUNNING for r in rows)
        what = f"{plant} does not run {line['code']} v{line['version']}: {[(r['version'], r['state']) for r in rows]}"
        verdict.expect("standards", f"{plant} {line['code']}", runs, what)


def _check_mark(world: World, line: Line, picture: Picture, verdict: Verdict) -> None:
    piece = world.pieces[line["piece"]]
    marks = picture.apis[piece.plant].get(f"materials/{piece.number}")["marks"]
    near = [
        m
        for m in marks
        if abs(m["from_um"] - line["from_um"]) <= ALONG_UM and abs(m["to_um"] - line["to_um"]) <= ALONG_UM
    ]
    verdict.expect(
        "marks", piece.number, bool(near), f"no mark at {line['from_um']}..{line['to_um']} um ({line['code']})"
    )


def _check_position(world: World, line: Line, picture: Picture, verdict: Verdict) -> None:
    hub = next(api for code, api in picture.apis.items() if code == picture.hub.code)
    places = hub.get(f"places/{line['piece']}", at_um=line["at_um"], left_um=line["left_um"])["items"]
    for there in line["maps"]:
        names = {there["piece"]} | {n for _, n in world.pieces[there["piece"]].numbers}
        fits = any(_near(place, there) for place in places if names & set(place["numbers"]))
        verdict.expect(
            "positions", there["piece"], fits, f"{line['piece']} at {line['at_um']} um does not lead to {there}"
        )


def _near(place: Row, there: Row) -> bool:
    along = abs(place["at_um"] - there["at_um"]) <= ALONG_UM
    return bool(along and abs(place["left_um"] - there["left_um"]) <= ACROSS_UM)
