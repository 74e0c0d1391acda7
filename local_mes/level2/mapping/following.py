"""The plan in force, and changed files taken over while the plant runs: layouts, mappings, what a link hears and sends.

Whoever interprets asks here for the plan, the collector looks now and then. When a file has changed, the plan is read
anew; one that cannot be used is not taken, in no part: what was in force stays so, and it is said why. Taken over is
what messages are and mean; addresses, settings and new links count from the next start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic

import msgspec

from local_mes.level2.links import TELEGRAMS, Link, LinkPlan, load_links, refuse_unreadable
from shared import logs
from shared.errors import BadSetup
from shared.settings import PlantSettings

TAKEN = ("messages", "sends", "setpoints", "map", "mapping", "mapped", "mapping_fault")
"""Keys of a link that are taken over while it runs; its `telegrams` stay the folder, the files in it count."""
ALL_EVERY_S = 1.0
"""Every layout file is looked at so often; mapping files at every message."""

log = logs.get("level2")
Stamps = dict[Path, tuple[int, int]]


class FollowedPlan:
    """One plan, followed. check: whether a plan that was read can be used; BadSetup says why not."""

    def __init__(self, settings: PlantSettings, plan: LinkPlan, check: Callable[[LinkPlan], None]) -> None:
        self._settings, self._plan, self._check = settings, plan, check
        self._files = mapping_files(plan)
        self._mappings, self._all, self._looked = _stamps(self._files), _stamps(all_files(plan)), monotonic()
        self.refused = ""
        """Why the files as they are now are not in force; empty where they are."""

    def current(self) -> LinkPlan:
        """The plan in force: a saved mapping counts from the next message on. Looking costs some microseconds."""
        mappings, now = _stamps(self._files), monotonic()
        if mappings != self._mappings or now - self._looked > ALL_EVERY_S:
            self._mappings, self._looked = mappings, now
            found = _stamps(all_files(self._plan))
            if found != self._all:
                self._all = found
                self._take_over()
        return self._plan

    def _take_over(self) -> None:
        try:
            plan = taken_over(self._plan, load_links(self._settings))
            self._check(plan)
        except (BadSetup, OSError, ValueError, LookupError) as error:
            self.refused = error.what if isinstance(error, BadSetup) else f"{type(error).__name__}: {error}"
            log.warning("changed files not taken over", why=self.refused)
            return
        self._plan, self._files, self.refused = plan, mapping_files(plan), ""
        self._mappings = _stamps(self._files)
        log.info("changed files taken over")


def taken_over(plan: LinkPlan, read: LinkPlan) -> LinkPlan:
    """A running plan with what may be taken over from one that was read anew."""
    same = {code for code, link in plan.links.items() if code in read.links and _is_same(link, read.links[code])}
    links = {code: _taken(link, read.links[code]) if code in same else link for code, link in plan.links.items()}
    layouts = {code: (read if code in same else plan).layouts[code] for code in plan.layouts}
    events = {code: (read if code in same else plan).events[code] for code in plan.events}
    return replace(plan, links=links, layouts=layouts, events=events)


def _is_same(link: Link, read: Link) -> bool:
    return (link.kind, link.telegrams) == (read.kind, read.telegrams)


def _taken(link: Link, read: Link) -> Link:
    return msgspec.structs.replace(link, **{name: getattr(read, name) for name in TAKEN})


def check_readable(plan: LinkPlan) -> None:
    """What the collector needs to know: which messages a link takes."""
    refuse_unreadable(plan)


def check_meanings(plan: LinkPlan) -> None:
    """Whether every message's operation exists and every entry can be used; BadSetup names the one that cannot."""
    from local_mes.level2.operations import get_operation  # the collector, which only hears, does without

    for link in plan.links.values():
        for name in link.map.values():
            get_operation(name)
    _ = plan.mappings


def mapping_files(plan: LinkPlan) -> set[Path]:
    """The mapping files of all links."""
    return {plan.folder / link.mapping for link in plan.links.values() if link.mapping}


def all_files(plan: LinkPlan) -> set[Path]:
    """All files that say what messages are and mean: the model, mappings, layouts, and the layouts' folders."""
    files = mapping_files(plan) | {plan.model_file}
    for link in plan.links.values():
        name = link.telegrams or (TELEGRAMS if link.kind == "telegram" else "")
        if name:
            files |= {plan.folder / name, *(plan.folder / name).glob("*.toml")}
    return files


def _stamps(files: set[Path]) -> Stamps:
    """When each file was changed last, and its size."""
    found = {}
    for path in files:
        try:
            state = path.stat()
        except OSError:
            continue
        found[path] = (state.st_mtime_ns, state.st_size)
    return found
