"""The portal: the hub's web app out of its features. A feature joins by its FEATURE in this list."""

from __future__ import annotations

from collections.abc import Sequence

from flask_openapi import OpenAPI
from sqlalchemy import Connection

from central_hub.centre import views as centre
from central_hub.conformance import views as conformance
from central_hub.deliveries import views as deliveries
from central_hub.hub import Hub
from central_hub.launch import views as launch
from central_hub.performance import dashboards
from central_hub.performance import views as comparison
from central_hub.plants import api as plants
from central_hub.plants import views as lines
from central_hub.plants.marks import read_marks
from central_hub.portal import views as portal
from central_hub.portal.status import plants_status
from central_hub.roles import ROLES
from central_hub.rules import views as group_rules
from central_hub.standards import views as standards
from central_hub.standards.queries import find_root
from central_hub.transfers import views as transfers
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
from sync.bundles.export import road_down
from sync.peers import list_peers
from sync.quarantine import views as quarantine

ZONE = "UTC"
"""The group has plants in several zones; its own pages say UTC."""

FEATURES: tuple[Feature, ...] = (
    portal.FEATURE,
    pieces.FEATURE,
    material.FEATURE,
    figures.FEATURE,
    standards.FEATURE,
    conformance.FEATURE,
    group_rules.FEATURE,
    launch.FEATURE,
    centre.FEATURE,
    comparison.FEATURE,
    set_points.FEATURE,
    dashboards.FEATURE,
    Feature(apis=(quality.bp,)),
    transfers.FEATURE,
    deliveries.FEATURE,
    recall.FEATURE,
    lines.FEATURE,
    incidents.FEATURE,
    quarantine.FEATURE,
)


def create_portal(hub: Hub, more: Sequence[Feature] = ()) -> OpenAPI:
    """The hub's app, with the door at which plants enrol. more: features that wiring builds (sync, figures)."""
    face = Face(
        kind="hub",
        code=hub.code,
        name=hub.settings.name,
        zone=ZONE,
        home="portal.home",
        roles=ROLES,
        search="pieces.search",
        demo=hub.settings.clock_file is not None,
        parts=(set_points.piece_section,),
        marks=lambda: read_marks(hub),
        group=lambda conn: [peer.code for peer in list_peers(conn)],
        status=(
            lambda: plants_status(hub),
            incidents.status,
            quarantine.stopped_status,
            lambda: disk_line(hub.settings.folder),
        ),
    )
    doors = Feature(apis=(plants.api,), machine=(plants.make_enrol_door(_standards_root),))
    sticks = bundles.make_pages(lambda code: road_down(hub.node, code))
    app = create_app(hub.node, face, (*FEATURES, sticks, doors, *more))
    app.extensions["strandline.hub"] = hub
    return app


def _standards_root(conn: Connection) -> str:
    """What a plant that enrols is given to trust; empty while the group has no root yet."""
    found = find_root(conn)
    return found[1] if found else ""
