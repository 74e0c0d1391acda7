"""All mappings of a plant: each link's file read, its signals in the one namespace, its entries ready; or the first fault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_mes.level2.links import Link
from local_mes.level2.mapping.entries import Entry, EntryFault, make_entry, matches
from local_mes.level2.mapping.files import MappingFile, bad_mapping, parse, read_text
from local_mes.level2.mapping.signals import Signal, make_signal
from local_mes.level2.operations import get_inputs
from local_mes.model.domain import PlantModel
from shared.errors import BadSetup

if TYPE_CHECKING:
    from local_mes.level2.links import LinkPlan


@dataclass(frozen=True)
class LinkMapping:
    """One link's file, ready."""

    link: str
    file: str
    signals: tuple[Signal, ...]
    entries: tuple[Entry, ...]

    def find_entries(self, message: str) -> tuple[Entry, ...]:
        """The entries about messages of this name, in their order."""
        return tuple(entry for entry in self.entries if matches(entry, message))


@dataclass(frozen=True)
class Mappings:
    """The plant's namespace: every signal once, and what each link's messages mean."""

    by_link: Mapping[str, LinkMapping]
    signals: Mapping[str, Signal]


def load_mappings(plan: LinkPlan, instead: Mapping[str, str] | None = None) -> Mappings:
    """Read and check all of them; BadSetup names file, entry and what to do.

    instead: link -> a file's text that is to be checked in place of the one on disk.
    """
    files = {
        link.code: parse((instead or {}).get(link.code) or read_text(plan.folder / link.mapping), link.mapping)
        for link in plan.links.values()
        if link.mapping
    }
    signals: dict[str, Signal] = {}
    for link, file in _with_link(plan, files):
        for line in file.signal:
            signal = make_signal(line, link, plan.model, file.lookup, link.mapping)
            if signal.name in signals:
                raise bad_mapping(link.mapping, f"signal {signal.name!r} is described twice")
            signals[signal.name] = signal
    for link, file in _with_link(plan, files):
        _check_messages(plan, link, file)
    made = {link.code: _link_mapping(link, file, signals, plan.model) for link, file in _with_link(plan, files)}
    return Mappings(made, signals)


def _check_messages(plan: LinkPlan, link: Link, file: MappingFile) -> None:
    """A telegram without a layout can never come."""
    layouts = plan.layouts.get(link.code)
    told = [("operation", line.name, line.message) for line in file.operation]
    told += [("signal", line.name, name) for line in file.signal for name in (line.message, *line.messages) if name]
    for kind, name, message in told:
        if layouts is not None and message not in layouts.messages:
            raise bad_mapping(link.mapping, f"{kind} {name!r}: the link {link.code} has no telegram {message}")


def _with_link(plan: LinkPlan, files: Mapping[str, MappingFile]) -> Iterator[tuple[Link, MappingFile]]:
    return ((plan.links[code], file) for code, file in files.items())


def _link_mapping(link: Link, file: MappingFile, signals: Mapping[str, Signal], model: PlantModel) -> LinkMapping:
    own = tuple(signals[line.name] for line in file.signal)
    units = frozenset(unit.code for unit in model.unit)
    entries: list[Entry] = []
    for line in file.operation:
        if line.name in {entry.name for entry in entries}:
            raise bad_mapping(link.mapping, f"operation {line.name!r} is described twice")
        try:
            entries.append(make_entry(line, own, signals.get, units, get_inputs(line.operation)))
        except (EntryFault, BadSetup) as error:
            raise bad_mapping(link.mapping, f"operation {line.name!r}: {str(error).rstrip('.')}") from error
    return LinkMapping(link.code, link.mapping, own, tuple(entries))
