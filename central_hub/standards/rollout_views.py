"""Pages of a rollout: approving for waves, its page with the evidence, the way back, and the calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from central_hub.conformance.words import SIGNS, text_of
from central_hub.context import hub
from central_hub.plants.queries import list_codes
from central_hub.standards import errors, reading, rollouts, service
from central_hub.standards.addresses import parts_of
from central_hub.standards.rollout_reading import read_calendar, read_rollout
from shared.clock import to_ms
from shared.errors import BadInput
from shared.standards.facts import Wave
from shared.web import forms
from shared.web.accounts import names_of
from shared.web.context import actor, node, requires
from shared.web.context import reading as picture

bp = Blueprint("rollouts", __name__, template_folder="templates")

WAVES_SHOWN = 4
"""Waves that the form offers; a plan with more comes by the API."""


@bp.get("/rollouts/plan/<path:address>")
@requires("approver")
def plan_form(address: str) -> str:
    """Which plant begins in which wave."""
    standard_id, number = parts_of(address)
    with picture() as conn:
        found = reading.find_whole(conn, node().code, standard_id, number)
        plants = list_codes(conn)
    if found is None:
        raise errors.unknown_version(standard_id, number)
    return render_template("standards/plan.html", row=found.row, plants=plants, waves=range(1, WAVES_SHOWN + 1))


@bp.post("/rollouts/plan/<path:address>")
@requires("approver")
@forms.keeps_input(plan_form)
def plan(address: str) -> BaseResponse:
    """Approve the version for these waves."""
    standard_id, number = parts_of(address)
    seen = forms.read_text("sha256", "Document")
    service.approve(hub(), standard_id, number, seen, actor(), forms.command_id(), waves=_read_waves())
    flash("Approved for waves. The key holders are asked to sign; then the first wave can begin.")
    return _to(address)


@bp.get("/rollouts/<path:address>")
def rollout(address: str) -> str:
    """How it stands: waves, plants, evidence."""
    standard_id, number = parts_of(address)
    with picture() as conn:
        found = read_rollout(conn, hub(), standard_id, number)
        if found is None:
            raise errors.no_rollout(standard_id, number)
        names = names_of(conn, {found.rollout.planned_by})
    return render_template(
        "standards/rollout.html", found=found, rollout=found.rollout, names=names, text_of=text_of, signs=SIGNS
    )


@bp.post("/rollouts/<path:address>/advance")
@requires("approver")
@forms.keeps_input(rollout)
def advance(address: str) -> BaseResponse:
    """Begin the next wave."""
    wave = forms.read_number("wave", "Wave", least=1, most=rollouts.WAVES_MAX)
    rollouts.advance(hub(), *parts_of(address), wave, actor(), forms.command_id())
    flash(f"Wave {wave} has begun: its plants are told.")
    return _to(address)


@bp.post("/rollouts/<path:address>/complete")
@requires("approver")
@forms.keeps_input(rollout)
def complete(address: str) -> BaseResponse:
    """Make it everybody's."""
    rollouts.complete(hub(), *parts_of(address), actor(), forms.command_id())
    flash("The key holders are asked to sign the catalogue that gives it to all plants.")
    return _to(address)


@bp.post("/rollouts/<path:address>/back")
@requires("approver")
def back(address: str) -> BaseResponse:
    """Take it back everywhere."""
    standard_id, number = parts_of(address)
    reason = forms.read_text("reason", "Reason")
    back_to = rollouts.roll_back(hub(), standard_id, number, reason, actor(), forms.command_id())
    again = f"Version {back_to} is in force again" if back_to else "Nothing takes its place"
    flash(f"Rolled back. {again} as soon as each plant hears of it.")
    return redirect(url_for("standards.version", address=address))


@bp.get("/calendar")
def calendar() -> str:
    """What comes when."""
    with picture() as conn:
        lines = read_calendar(conn, hub())
    return render_template("standards/calendar.html", lines=lines)


def _read_waves() -> list[Wave]:
    plants: dict[int, list[str]] = {}
    with picture() as conn:
        known = list_codes(conn)
    for plant in known:
        if request.form.get(f"plant-{plant}"):
            number = forms.read_choice(f"plant-{plant}", plant, [str(n) for n in range(1, WAVES_SHOWN + 1)])
            plants.setdefault(int(number), []).append(plant)
    if not plants:
        raise BadInput("standards.bad_plan", "No plant is in a wave.", todo="Choose at least the pilot's plant.")
    return [Wave(tuple(plants[n]), _day(f"starts-{n}"), _days(f"days-{n}")) for n in sorted(plants)]


def _day(name: str) -> int:
    text = forms.read_text(name, "Begins on", needed=False)
    if not text:
        return 0
    try:
        return to_ms(datetime.combine(date.fromisoformat(text), time(), UTC))
    except ValueError as error:
        raise BadInput("standards.day", f"{text!r} is no day.", todo="Write it as 2026-03-31.") from error


def _days(name: str) -> int:
    return forms.find_number(name, "Days to answer", least=0, most=rollouts.ANSWER_DAYS_MAX, unit="days") or 0


def _to(address: str) -> BaseResponse:
    return redirect(url_for("rollouts.rollout", address=address))
