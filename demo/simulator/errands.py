"""What people do that takes more than one request: release a hold, mend a telegram, wait for what the group must
know."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demo.simulator import settling
from demo.simulator.clock_signal import write_whole
from demo.simulator.people import Desk, Refused

LOOK_AGAIN_S = 15.0
WAN_S = 5.0


def release(desk: Desk, command_id: str, at_ms: int, fields: Mapping[str, Any]) -> None:
    """Quality ends every open hold of a piece with one decision each; a hold that is released already is left alone."""
    wanted = {key: value for key, value in fields.items() if key != "piece" and value}
    everything = settling.wait_for(lambda: bool(desk.items("holds", piece=fields["piece"])), LOOK_AGAIN_S)
    if not everything:
        raise Refused(404, f"there is no hold on {fields['piece']}")
    for hold in desk.items("holds", piece=fields["piece"], state="open"):
        # by the hold and not by its place among those still open: a repetition finds fewer
        order = {"command_id": f"{command_id}-{hold['hold_id']}", "occurred_at": at_ms, **wanted}
        desk.post(f"/api/v1/holds/{hold['hold_id']}/release", order)


def mend(desk: Desk, command_id: str, _at_ms: int, fields: Mapping[str, Any]) -> None:
    """The engineer corrects the one implausible field of a telegram in the repair queue and puts it in again."""
    wanted = fields["fields"]
    found: list[dict[str, Any]] = []

    def look() -> bool:
        rows = [*desk.items("repairs", state="open"), *desk.items("repairs", state="mended")]
        found[:] = [row for row in rows if row["message"] == fields["message"] and _is_same(row["fields"], wanted)]
        return bool(found)

    if not settling.wait_for(look, LOOK_AGAIN_S):
        raise Refused(404, f"no {fields['message']} waits for repair")
    corrected = {"command_id": command_id, "fields": wanted, "note": "the width gauge was dirty"}
    desk.post(f"/api/v1/repairs/{found[0]['repair_id']}", corrected)


def _is_same(got: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(got.get(key) == wanted[key] for key in ("heat", "strand", "cut"))


def resolve(hub: Desk, command_id: str, fields: Mapping[str, Any]) -> None:
    """Logistics ends the open case of a kind about a piece; one that is ended already is left alone."""
    for case in hub.items("cases", kind=fields["kind"]):
        if case["piece_number"] == fields["piece"] and case["state"] == "open":
            each = f"{command_id}-{case['case_id']}"
            said = {"command_id": each, "resolution": fields["resolution"], "note": fields["note"]}
            hub.post(f"/api/v1/cases/{case['case_id']}/resolve", said)


def switch_line(state: Path, plant: str, cut: bool) -> None:
    """Cut or restore a plant's line to the hub, and wait until it is so."""
    done = state.with_name(state.name + ".done")
    now = set(json.loads(state.read_text())["cut"]) if state.exists() else set()
    wanted = sorted(now | {plant} if cut else now - {plant})
    write_whole(state, json.dumps({"cut": wanted}))

    def switched() -> bool:
        return done.exists() and json.loads(done.read_text() or "{}").get("cut") == wanted

    if not settling.wait_for(switched, WAN_S):
        raise Refused(0, f"the line of {plant} does not switch; is demo.wan running?")
