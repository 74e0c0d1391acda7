"""Devices and their jobs as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Literal

from flask_openapi import Tag
from pydantic import BaseModel, Field

from local_mes.context import plant
from local_mes.level2.devices import jobs
from local_mes.level2.devices.reads import find_device_views, find_jobs
from local_mes.level2.links import load_links
from shared.web.api_blueprint import APIBlueprint
from shared.web.body import Body
from shared.web.context import actor, person, requires

tag = Tag(
    name="devices", description="Scales, printers, marking machines, analysers, scanners, and what is asked of them"
)
bp = APIBlueprint("devices_api", __name__, url_prefix="/api/v1", abp_tags=[tag], abp_security=[{"bearer": []}])
WORKERS = ("operator", "yard", "lead", "quality", "engineer")
TESTERS = ("engineer", "lead")
LISTED_MAX = 200


class DevicePath(BaseModel):
    """A device of the plant model."""

    code: str = Field(max_length=64)


class JobPath(BaseModel):
    """A job."""

    down_id: int = Field(ge=1, le=2**53)


class JobQuery(BaseModel):
    """Jobs of one device, or of all; the newest first."""

    device: str = Field("", max_length=64)
    limit: int = Field(50, ge=1, le=LISTED_MAX)


class JobBody(Body):
    """What a device is to do. test: of no piece; it takes the role of engineer or shift lead."""

    command_id: str = Field(min_length=1, max_length=64)
    what: Literal["Print", "Mark", "Weigh", "Zero", "Tare", "ClearTare"]
    piece: str = Field("", max_length=64)
    copies: int = Field(1, ge=1, le=1000)
    test: bool = False


class WithdrawBody(Body):
    """Why a job is taken back."""

    reason: str = Field(min_length=1, max_length=200)


@bp.get("/devices")
def get_devices() -> dict[str, Any]:
    """Each device: state, last reading with unit and basis, calibration."""
    here = plant()
    items = [asdict(one) for one in find_device_views(here, load_links(here.settings))]
    return {"items": items, "next": None, "as_of": here.clock.now_ms()}


@bp.get("/device-jobs")
def get_jobs(query: JobQuery) -> dict[str, Any]:
    """Labels, markings and weighings that were asked for."""
    here = plant()
    plan = load_links(here.settings)
    if query.device:
        jobs.get_device(plan, query.device)
    items = [asdict(one) for one in find_jobs(here, plan, query.device, query.limit)]
    return {"items": items, "next": None, "as_of": here.clock.now_ms()}


@bp.post("/devices/<code>/jobs")
@requires(*WORKERS)
def post_job(path: DevicePath, body: JobBody) -> dict[str, Any]:
    """Ask a device to do something. Refused for a piece that is not here; a marking, too, for one that is held."""
    return ask(path.code, jobs.Job(actor=actor(), **body.model_dump()))


def ask(code: str, job: jobs.Job) -> dict[str, Any]:
    """The same from page and API: a test takes its own role."""
    if job.test:
        check_tester()
    return jobs.ask(plant(), code, job)


@requires(*TESTERS)
def check_tester() -> None:
    """Denied for anybody else."""


@bp.post("/device-jobs/<int:down_id>/withdraw")
@requires(*WORKERS)
def post_withdraw(path: JobPath, body: WithdrawBody) -> dict[str, Any]:
    """Take a job back that the device has not answered."""
    jobs.withdraw_job(plant(), path.down_id, f"{body.reason} ({person().login})")
    return {"down_id": path.down_id, "state": "refused"}
