"""The honest lines of the portal's header: which plants are away, and up to when their figures are complete."""

from __future__ import annotations

from central_hub.hub import Hub
from central_hub.plants.queries import PlantLine, list_plants
from shared.db.engine import read
from shared.web.features import StatusLine
from shared.web.formats import clock_time
from sync.link import ONLINE

UTC = "UTC"


def plants_status(hub: Hub) -> tuple[StatusLine, ...]:
    """One quiet line while every plant talks; one loud line for each that does not."""
    with read(hub.node.engine) as conn:
        plants = list_plants(conn, hub.code, hub.settings.sync.away_after_s)
    if not plants:
        return (StatusLine("attention", "No plant has joined yet."),)
    loud = [away_line(hub, plant) for plant in plants if plant.state != ONLINE]
    loud += [_set_aside(plant) for plant in plants if plant.quarantined]
    return tuple(loud) or (StatusLine("normal", f"Plants: {len(plants)} of {len(plants)} up to date"),)


def away_line(hub: Hub, plant: PlantLine) -> StatusLine:
    """A plant that is not heard: since when, and what of it can still be believed."""
    name = plant.name or plant.code
    if plant.last_contact_ms is None:
        return StatusLine("nodata", f"{name}: never heard yet.")
    now = hub.clock.now_ms()
    complete = clock_time(plant.complete_through_ms, now, UTC)
    since = clock_time(plant.since_ms, now, UTC)
    return StatusLine(
        "attention", f"{name} away since {since}. Its figures are complete to {complete}. Nothing is lost."
    )


def _set_aside(plant: PlantLine) -> StatusLine:
    facts = "1 fact" if plant.quarantined == 1 else f"{plant.quarantined:,} facts"
    return StatusLine("alarm", f"{plant.name or plant.code}: {facts} could not be read and are set aside.")
