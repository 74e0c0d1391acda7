"""Which drivers are installed: entry points of the group `strandline.level2_drivers`, by the `kind` a link names."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from local_mes.level2.drivers.port import Driver, bad_link
from shared.errors import BadSetup

if TYPE_CHECKING:
    from local_mes.level2.links import Link

GROUP = "strandline.level2_drivers"


@cache
def installed() -> dict[str, EntryPoint]:
    """Entry points by kind; read once, a driver installed later counts from the next start."""
    return {point.name: point for point in entry_points(group=GROUP)}


def find_driver(link: Link) -> type[Driver]:
    """The driver of a link's kind. BadSetup names what is installed, or what a driver lacks."""
    point = installed().get(link.kind)
    if point is None:
        raise BadSetup(
            "level2.unknown_driver",
            f"The link {link.code} is of kind {link.kind!r}, and no driver of that name is installed.",
            todo=f"Installed are: {', '.join(sorted(installed()))}. Correct the kind, or install the driver's package.",
        )
    try:
        driver = point.load()
    except ImportError as error:
        raise bad_link(link.code, f"its driver {link.kind} cannot be loaded: {error}") from error
    if not (isinstance(driver, type) and issubclass(driver, Driver)):
        raise bad_link(link.code, f"{point.value} is no driver (a class derived from Driver)")
    if lacking := ", ".join(sorted(driver.__abstractmethods__)):
        raise bad_link(link.code, f"the driver {point.value} lacks {lacking}")
    return driver
