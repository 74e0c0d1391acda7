"""JSON of rollouts: how one stands, its next wave, its completion, the way back, and what comes when."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import msgspec
from flask_openapi import Tag
from pydantic import Field

from central_hub.conformance.words import text_of
from central_hub.context import hub
from central_hub.standards import errors, rollouts
from central_hub.standards.api import Command, VersionPath
from central_hub.standards.rollout_reading import read_calendar, read_rollout
from shared.web.api_blueprint import APIBlueprint
from shared.web.asof import as_of
from shared.web.context import actor, reading, requires

tag = Tag(name="rollouts", description="Versions that go out in waves, and the way back")
api = APIBlueprint("rollouts_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])


class AdvanceBody(Command):
    """The number of the wave that is to begin: the next one."""

    wave: int = Field(ge=1, le=rollouts.WAVES_MAX)


class BackBody(Command):
    """Why it is taken back."""

    reason: str = Field(min_length=3, max_length=1_000)


@api.get("/rollouts/<standard_id>/<int:version>")
def rollout(path: VersionPath) -> dict[str, Any]:
    """Waves with each plant's state, and the evidence since they began."""
    return _shown(path)


@api.post("/rollouts/<standard_id>/<int:version>/advance")
@requires("approver")
def advance(path: VersionPath, body: AdvanceBody) -> dict[str, Any]:
    """Begin the next wave."""
    rollouts.advance(hub(), path.standard_id, path.version, body.wave, actor(), body.command_id)
    return _shown(path)


@api.post("/rollouts/<standard_id>/<int:version>/complete")
@requires("approver")
def complete(path: VersionPath, body: Command) -> dict[str, Any]:
    """Ask the key holders for the catalogue that gives it to all plants."""
    rollouts.complete(hub(), path.standard_id, path.version, actor(), body.command_id)
    return _shown(path)


@api.post("/rollouts/<standard_id>/<int:version>/back")
@requires("approver")
def back(path: VersionPath, body: BackBody) -> dict[str, Any]:
    """Take a published version back at every plant at once."""
    again = rollouts.roll_back(hub(), path.standard_id, path.version, body.reason, actor(), body.command_id)
    return {"standard_id": path.standard_id, "version": path.version, "back_to": again}


@api.get("/calendar")
def calendar() -> dict[str, Any]:
    """What comes when, the nearest first."""
    with reading() as conn:
        lines = read_calendar(conn, hub())
    return {"items": [asdict(line) for line in lines], "next": None, **as_of()}


def _shown(path: VersionPath) -> dict[str, Any]:
    with reading() as conn:
        found = read_rollout(conn, hub(), path.standard_id, path.version)
    if found is None:
        raise errors.no_rollout(path.standard_id, path.version)
    waves = [
        {**asdict(now.wave), "plants": [{**msgspec.to_builtins(cell), "text": text_of(cell)} for cell in now.cells]}
        for now in found.waves
    ]
    evidence = [{**asdict(e), "verdict": e.verdict, "interval_ppm": e.after.interval_ppm} for e in found.evidence]
    return {**asdict(found.rollout), "waves": waves, "evidence": evidence, **as_of()}
