"""All mappings of a plant: each link's file read, its signals in the one namespace, its entries ready; or the first fault."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_mes.level2.links import Link
from local_mes.level2.mapping.entries import Entry, EntryFault, make_entry, matches
from local_mes.level2.mapping.files import MappingFile, bad_mapping, parse, read_text
from local_mes.level2.mapping.signals import Namespace, Signal, make_signal
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
    """The plant's namespace, and what each link's messages mean."""

    by_link: Mapping[str, LinkMapping]
    namespace: Namespace


def load_mappings(plan: LinkPlan, instead: Mapping[str, str] | None = None) -> Mappings:
    """Read and check all of them; BadSetup names file, entry and what to do.

    instead: link -> a file's text that is to be checked in place of the one on disk.
    """
    given = instead or {}
    files = {
        link.code: parse(
            given[link.code] if link.code in given else read_text(plan.folder / link.mapping), link.mapping
        )
        for link in plan.links.values()
        if link.mapping
    }
    signals: dict[str, list[Signal]] = {}
    for link, file in _with_link(plan, files):
        _check_messages(plan, link, file)
        for line in file.signal:
            signal = make_signal(line, link, plan.model, file.lookup, link.mapping)
            _check_same(signal, signals.setdefault(signal.name, []), link.mapping)
            signals[signal.name].append(signal)
    namespace = Namespace({name: tuple(told) for name, told in signals.items()})
    made = {link.code: _link_mapping(link, file, namespace, plan.model) for link, file in _with_link(plan, files)}
    return Mappings(made, namespace)


def _check_same(signal: Signal, told: Iterable[Signal], file: str) -> None:
    """Two links may tell one signal; it is the same thing then, in whatever unit each tells it."""
    for other in told:
        if other.link == signal.link:
            raise bad_mapping(file, f"signal {signal.name!r} is described twice")
        if other.type != signal.type or not other.measure.fits(signal.measure):
            raise bad_mapping(
                file, f"signal {signal.name!r}: {other.link} tells it as another type, or in no such unit"
            )


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


def _link_mapping(link: Link, file: MappingFile, namespace: Namespace, model: PlantModel) -> LinkMapping:
    own = tuple(one for line in file.signal if (one := namespace.find(line.name, link.code)) is not None)
    units = frozenset(unit.code for unit in model.unit)
    entries: list[Entry] = []
    for line in file.operation:
        if line.name in {entry.name for entry in entries}:
            raise bad_mapping(link.mapping, f"operation {line.name!r} is described twice")
        try:
            entries.append(make_entry(line, link.code, own, namespace, units, get_inputs(line.operation)))
        except (EntryFault, BadSetup) as error:
            raise bad_mapping(link.mapping, f"operation {line.name!r}: {str(error).rstrip('.')}") from error
    return LinkMapping(link.code, link.mapping, own, tuple(entries))
