"""Landing pages of yard and gate, quality, shift lead and engineer."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response as BaseResponse

from local_mes.console import queries
from local_mes.console.floor import STATE_SIGNS, STATE_WORDS, machines
from local_mes.context import plant
from local_mes.level2.backlog import get_backlog
from local_mes.level2.link_state import find_states
from local_mes.performance.service import note_handover
from local_mes.plant import Plant
from shared.journal.quarantine import count_by_state
from shared.performance.queries import handovers, states, stops, sums
from shared.quality.queries import FINAL_PLACE, list_decisions, list_holds
from shared.standards.queries import find_rejection, list_deviations, list_in_force
from shared.transfers.lines import LineFilter, find_lines
from shared.transfers.queries import find_receipts, find_shipments
from shared.web.context import actor, reading, requires
from shared.web.forms import command_id, keeps_input, read_text
from sync.link import report_link
from sync.peers import list_peers

LOADS_SHOWN, HOLDS_SHOWN, DECISIONS_SHOWN, NOTES_SHOWN = 12, 100, 15, 3
LINES_READ = 400


def yard() -> str:
    """Expected loads, what lies where, what came without a list."""
    here = plant()
    with reading() as conn:
        coming = find_lines(conn, LineFilter(receiver=here.code, open_only=True), limit=LINES_READ)
        sent = find_shipments(conn, sender=here.code, limit=LOADS_SHOWN)
        unlisted = find_receipts(conn, receiver=here.code, provisional=True, limit=LOADS_SHOWN)
        stock = queries.stock_by_place(conn, here.code)
    return render_template("console/yard.html", loads=by_load(coming), sent=sent, unlisted=unlisted, stock=stock)


def by_load(lines: list[Any]) -> list[dict[str, Any]]:
    """Open lines summed up by load, the earliest expected first."""
    loads: dict[str, dict[str, Any]] = {}
    for line in lines:
        load = loads.setdefault(
            line.shipment_id, {"line": line, "pieces": 0, "mass_g": 0, "arrived": line.arrived_at_ms}
        )
        load["pieces"] += 1
        load["mass_g"] += line.sender_mass_g
    return sorted(loads.values(), key=lambda load: load["line"].eta_ms)


def quality() -> str:
    """What is held and why, what awaits a result, what was decided by which rule."""
    here = plant()
    with reading() as conn:
        holds = list_holds(conn, here.code, "open", limit=HOLDS_SHOWN)[:HOLDS_SHOWN]
        decisions = list_decisions(conn, here.code, limit=DECISIONS_SHOWN)[:DECISIONS_SHOWN]
        pieces = queries.pieces_by_id(conn, here.code, [row.material_id for row in (*holds, *decisions)])
        awaiting = queries.awaiting_results(conn, here.code, FINAL_PLACE)
        held, held_g = queries.held_stock(conn, here.code)
    return render_template(
        "console/quality.html",
        holds=holds,
        decisions=decisions,
        pieces=pieces,
        awaiting=awaiting,
        held=held,
        held_g=held_g,
    )


def shift() -> str:
    """Are we on plan, what stopped us, what is blocked, what do I hand over."""
    here = plant()
    now = here.clock.now_ms()
    on_duty = here.model.calendar.at(now)
    with reading() as conn:
        plan = queries.schedule_counts(conn, here.code, on_duty.from_ms, on_duty.to_ms)
        figures = sums(conn, author=here.code, days=[on_duty.production_day], shift=on_duty.name)
        stopped = [
            row for row in stops(conn, author=here.code, days=[on_duty.production_day]) if row.shift == on_duty.name
        ]
        held, held_g = queries.held_stock(conn, here.code)
        notes = handovers(conn, here.code, NOTES_SHOWN)
        deviations = queries.last_deviations(conn, here.code, on_duty.from_ms)
        now_states = {row.unit: row for row in states(conn, here.code)}
    return render_template(
        "console/shift.html",
        on_duty=on_duty,
        units=shift_units(here, plan, figures),
        stops=stopped,
        held=held,
        held_g=held_g,
        notes=notes,
        deviations=deviations,
        states=now_states,
        signs=STATE_SIGNS,
        state_words=STATE_WORDS,
    )


@requires("lead")
@keeps_input(shift)
def hand_over() -> BaseResponse:
    """Keep a note for the next shift."""
    note_handover(plant(), read_text("text", "Note", most=4000), actor=actor(), command_id=command_id())
    flash("The note is kept for the next shift.")
    return redirect(url_for("console.shift"))


def shift_units(here: Plant, plan: dict[str, dict[str, int]], figures: Any) -> list[dict[str, Any]]:
    """Plan and figures of each unit that has either."""
    rows = []
    for unit in machines(here):
        measures, lines = figures.get((here.code, unit.code), {}), plan.get(unit.code, {})
        if measures or lines:
            rows.append({"unit": unit, "done": lines.get("done", 0), "open": lines.get("open", 0), **measures})
    return rows


def engineer() -> str:
    """Which standards run, what deviates, which connection limps."""
    here = plant()
    now = here.clock.now_ms()
    with reading() as conn:
        context = {
            "in_force": list_in_force(conn, here.code),
            "deviations": list_deviations(conn, here.code, now),
            "rejection": find_rejection(conn, here.code),
            "quarantine": count_by_state(conn),
            "hubs": _hubs(conn, here),
        }
    links = find_states(here.spool)
    return render_template("console/engineer.html", links=links, model=here.model, backlog=get_backlog(here), **context)


def _hubs(conn: Connection, here: Plant) -> list[Any]:
    return [report_link(conn, here.code, peer.code) for peer in list_peers(conn)]
