"""Whether a pilot may end: what still speaks against taking the old MES out of the line."""

from __future__ import annotations

from local_mes.level2.backlog import get_backlog
from local_mes.level2.spoken import count_gaps
from local_mes.pilot import queries
from local_mes.pilot.course import course
from local_mes.pilot.rules import load_rules
from local_mes.pilot.service import last_due_day
from local_mes.plant import Plant
from shared.db.engine import read
from shared.errors import BadSetup

DAYS = 10
"""Production days in a row without a difference: two working weeks with their week-ends' exceptions between them."""
DAY_MS = 86_400_000


def find_obstacles(plant: Plant) -> list[str]:
    """What is against it, in sentences; none: the pilot may end. BadSetup where no comparison is set up."""
    if plant.settings.pilot is None:
        raise BadSetup("pilot.none", "No comparison is set up.", todo='Name its rules in the settings: pilot = "…".')
    with read(plant.node.engine) as conn:
        days = queries.find_days(conn, DAYS)
    due = last_due_day(plant, load_rules(plant.settings.pilot))
    backlog, gaps = get_backlog(plant), count_gaps(plant, plant.clock.now_ms() - DAYS * DAY_MS)
    clean, problems = course(days).clean, sum(day.problems for day in days)
    found = {
        f"Only {clean} of the last {DAYS} compared days are without a difference.": clean < DAYS,
        f"The old MES's file of {due} has not come.": not days or days[-1].day < due,
        f"{problems} lines of the last files could not be read.": problems > 0,
        f"{backlog.repairs} messages are to be repaired.": backlog.repairs > 0,
        f"{backlog.waiting} messages wait for others.": backlog.waiting > 0,
        f"{gaps} gaps in what was heard in {DAYS} days.": gaps > 0,
    }
    return [words for words, is_so in found.items() if is_so]
