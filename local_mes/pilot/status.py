"""What a pilot says on every page: the band, and a line when the old MES's file is late."""

from __future__ import annotations

from local_mes.level2.shadow.marked import shadow_links
from local_mes.pilot import queries
from local_mes.pilot.rules import load_rules
from local_mes.pilot.service import last_due_day
from local_mes.plant import Plant
from shared.db.engine import read
from shared.errors import BadSetup
from shared.web.features import StatusLine


def shadow_band(plant: Plant) -> str:
    """The words of the band, empty where nothing is in shadow mode."""
    links = plant.model.link
    shadows = shadow_links(plant)
    if not shadows and not plant.settings.shadow:
        return ""
    if len(shadows) == len(links):
        return "Shadow mode: Strandline only listens. The old MES runs this plant; nothing here reaches Level 2."
    return (
        f"Shadow mode on {', '.join(shadows)}: there Strandline only listens and the old MES is in charge. "
        "The other links are live."
    )


def pilot_status(plant: Plant) -> tuple[StatusLine, ...]:
    """Nothing while all is well."""
    if plant.settings.pilot is None:
        return ()
    try:
        due = last_due_day(plant, load_rules(plant.settings.pilot))
    except BadSetup as error:
        return (StatusLine("attention", error.what),)
    with read(plant.node.engine) as conn:
        days = queries.find_days(conn, 1)
    if days and days[-1].day >= due:
        return ()
    since = f"; the last is of {days[-1].day}" if days else ""
    return (StatusLine("nodata", f"Pilot: the old MES's file of {due} has not come{since}. Nothing is compared."),)
