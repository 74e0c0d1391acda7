"""The console: a plant's web app out of its features. A feature joins by its FEATURE in this list."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from flask_openapi import OpenAPI

from local_mes.cases import views as cases
from local_mes.connection import views as connection
from local_mes.console import views as console
from local_mes.console.status import hub_status, level2_status, plain_status
from local_mes.dispatch import views as dispatch
from local_mes.execution import views as execution
from local_mes.level2 import capture_views as captures
from local_mes.level2 import engineer_views as level2_engineer
from local_mes.level2 import mapping_views as level2_mapping
from local_mes.level2 import setpoint_views as setpoints
from local_mes.level2 import views as level2
from local_mes.level2.devices import views as devices
from local_mes.level2.edge.open_since import open_since_ms
from local_mes.level2.edge.status import edge_status
from local_mes.model.high_marks import NumberMarks
from local_mes.orders import views as orders
from local_mes.outside import views as outside
from local_mes.passports import views as passports
from local_mes.performance import closing_views as balance
from local_mes.performance import dashboards
from local_mes.performance import views as performance
from local_mes.pilot import views as pilot
from local_mes.pilot.status import pilot_status, shadow_band
from local_mes.plant import Plant
from local_mes.plant_model import views as plant_model
from local_mes.production import correction_views as corrections
from local_mes.production import identity_views as identity
from local_mes.production import views as production
from local_mes.production import work_views as work
from local_mes.quality import views as quality_pages
from local_mes.roles import ROLES
from local_mes.staging import views as staging
from local_mes.standards import views as standards
from local_mes.stock import crane_views as crane
from local_mes.stock import take_over_views as take_over
from local_mes.stock import take_views as counts
from local_mes.stock import views as stock
from local_mes.stock import yard_views as yard
from local_mes.tasks import people_views as qualifications
from local_mes.tasks import views as tasks
from local_mes.transfers import gate_views as gate
from local_mes.transfers import line_views as lines
from local_mes.transfers import load_views as loading
from local_mes.transfers import passport_views as by_passport
from local_mes.transfers import views as transfers
from shared.material import api as material
from shared.performance import api as figures
from shared.quality import api as quality
from shared.recall import views as recall
from shared.setpoints import views as set_points
from shared.web.app import create_app
from shared.web.features import Face, Feature
from shared.web.pieces import views as pieces
from shared.web.status import disk_line
from sync import incident_views as incidents
from sync.bundles import views as bundles
from sync.bundles.export import Road, road_up
from sync.quarantine import views as quarantine

FEATURES: tuple[Feature, ...] = (
    console.FEATURE,
    pieces.FEATURE,
    material.FEATURE,
    recall.FEATURE,
    orders.FEATURE,
    level2.FEATURE,
    setpoints.FEATURE,
    set_points.FEATURE,
    captures.FEATURE,
    level2_engineer.FEATURE,
    devices.FEATURE,
    level2_mapping.FEATURE,
    production.FEATURE,
    corrections.FEATURE,
    work.FEATURE,
    identity.FEATURE,
    performance.FEATURE,
    dashboards.FEATURE,
    balance.FEATURE,
    figures.FEATURE,
    gate.FEATURE,
    loading.FEATURE,
    transfers.FEATURE,
    dispatch.FEATURE,
    outside.FEATURE,
    lines.FEATURE,
    passports.FEATURE,
    by_passport.FEATURE,
    cases.FEATURE,
    stock.FEATURE,
    yard.FEATURE,
    crane.FEATURE,
    counts.FEATURE,
    take_over.FEATURE,
    standards.FEATURE,
    staging.FEATURE,
    plant_model.FEATURE,
    execution.FEATURE,
    tasks.FEATURE,
    qualifications.FEATURE,
    quality_pages.FEATURE,
    Feature(apis=(quality.bp,)),
    connection.FEATURE,
    pilot.FEATURE,
    incidents.FEATURE,
    quarantine.FEATURE,
)


def create_console(plant: Plant, more: Sequence[Feature] = ()) -> OpenAPI:
    """The plant's app. more: features that wiring builds (the node's own figures)."""
    face = Face(
        kind="plant",
        code=plant.code,
        name=plant.model.plant.name,
        zone=plant.model.plant.zone,
        home="console.home",
        roles=ROLES,
        search="pieces.search",
        shift=lambda now_ms: _shift(plant, now_ms),
        band=shadow_band(plant),
        demo=plant.settings.clock_file is not None,
        deeds=(*stock.DEEDS, *work.DEEDS, *corrections.DEEDS),
        parts=(execution.route_strip, set_points.piece_section),
        group=lambda _conn: [plant.code, *(lane.to for lane in plant.model.lane)],
        status=(
            lambda: hub_status(plant),
            lambda: plain_status(plant),
            lambda: level2_status(plant),
            lambda: edge_status(plant),
            lambda: pilot_status(plant),
            incidents.status,
            quarantine.stopped_status,
            lambda: disk_line(plant.settings.folder),
        ),
    )
    app = create_app(plant.node, face, (*FEATURES, bundles.make_pages(lambda _code: _road(plant)), *more))
    app.extensions["strandline.plant"] = plant
    return app


def _road(plant: Plant) -> Road:
    """The way of a bundle up: what it promises to be complete ends before the oldest open Level-2 message."""
    return road_up(plant.node, partial(open_since_ms, plant), NumberMarks(plant.model))


def _shift(plant: Plant, now_ms: int) -> str:
    shift = plant.model.calendar.at(now_ms)
    crew = f", crew {shift.crew}" if shift.crew else ""
    return f"{shift.name.capitalize()} shift{crew}"
