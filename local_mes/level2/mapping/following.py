"""The plan in force, and a mended mapping taken over while the plant runs.

Whoever interprets asks here for the plan. When a mapping file has changed, the plan is read anew; one that cannot be used
is not taken: what was in force stays so, and the page of mappings says why.
"""

from __future__ import annotations

from pathlib import Path

from local_mes.level2.links import LinkPlan, load_links
from local_mes.level2.operations import get_operation
from local_mes.plant import Plant
from shared import logs
from shared.errors import BadSetup

log = logs.get("level2")


class FollowedPlan:
    """One plan, followed."""

    def __init__(self, plant: Plant, plan: LinkPlan) -> None:
        self._plant = plant
        self._plan = plan
        self._stamps = _stamps(plan)

    def current(self) -> LinkPlan:
        """The plan in force: a saved mapping counts from the next message on. Looking costs some microseconds."""
        stamps = _stamps(self._plan)
        if stamps != self._stamps:
            self._stamps = stamps
            self._take_over()
        return self._plan

    def _take_over(self) -> None:
        try:
            plan = load_links(self._plant.settings)
            check_meanings(plan)
        except BadSetup as error:
            log.warning("mapping not taken over", why=error.what)
            return
        self._plan = plan
        log.info("mapping taken over")


def check_meanings(plan: LinkPlan) -> None:
    """Whether every message's operation exists and every entry can be used; BadSetup names the one that cannot."""
    for link in plan.links.values():
        for name in link.map.values():
            get_operation(name)
    _ = plan.mappings


def _stamps(plan: LinkPlan) -> dict[Path, tuple[int, int]]:
    """When each mapping file was changed last, and its size."""
    found = {}
    for link in plan.links.values():
        path = plan.folder / link.mapping
        if link.mapping and path.exists():
            state = path.stat()
            found[path] = (state.st_mtime_ns, state.st_size)
    return found
