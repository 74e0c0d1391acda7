"""The links of a plant, as the `[[link]]` entries of its model describe them (docs/level2-interfaces.md, 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from local_mes.level2.drivers.port import bad_link
from local_mes.level2.drivers.registry import find_driver
from local_mes.level2.mapping.files import messages_of
from local_mes.level2.telegrams.codec import FormatError
from local_mes.level2.telegrams.frame import Stamp, encode_head
from local_mes.level2.telegrams.layout import Layout, LayoutSet
from local_mes.level2.telegrams.layout_files import load_events, load_folder
from local_mes.model.domain import PlantModel
from local_mes.model.service import load_model, read_document
from shared.errors import BadSetup
from shared.settings import PlantSettings

if TYPE_CHECKING:
    from local_mes.level2.mapping.load import Mappings

TELEGRAMS = "telegrams"
"""Folder of the layouts of a telegram link that names none."""
Seconds = Annotated[float, Meta(gt=0)]


class Link(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One connection. Files are named from the model file; `*.Event` in map stands for that event of any unit.

    kind names the driver; settings are the driver's own, checked by it. shadow: it only listens, beside an old MES.
    """

    code: Annotated[str, Meta(min_length=1, max_length=64)]
    kind: Annotated[str, Meta(min_length=1, max_length=64)]
    address: str
    unit: str = ""
    telegrams: str = ""
    name: Annotated[str, Meta(max_length=32)] = "MES"
    peer: Annotated[str, Meta(max_length=32)] = ""
    messages: tuple[str, ...] = ()
    sends: tuple[str, ...] | None = None
    """What goes down to this peer, of telegrams; left out: any that has a layout."""
    setpoints: tuple[str, ...] = ()
    """What people may send down by hand; each has a layout that says what it carries."""
    reorder_window_s: Annotated[float, Meta(ge=0)] = 900
    heartbeat_s: Seconds = 30
    resend_s: Seconds = 5
    # of opcua links; they may as well stand in settings
    security: str = ""
    certificate: str = ""
    private_key: str = ""
    server_certificate: str = ""
    shadow: bool = False
    settings: dict[str, Any] = {}
    map: dict[str, str] = {}
    mapping: str = ""
    """File with the link's signals and what its messages mean (docs/plant-model.md, Mapping), beside `map` or instead."""
    mapped: tuple[str, ...] = ()
    mapping_fault: str = ""
    """Messages that the mapping file names, and why it cannot be read: found in it, not written in the model."""

    @property
    def accepts(self) -> tuple[str, ...]:
        """The messages taken from this peer: as said, else those that mean something."""
        return self.messages or (*self.map, *self.mapped)

    def find_operation(self, message: str) -> str | None:
        """The operation that reads a message, or None."""
        unit, _, event = message.rpartition(".")
        return self.map.get(message) or (self.map.get(f"*.{event}") if unit else None)


@dataclass(frozen=True)
class LinkPlan:
    """All links of a plant by code, layouts of telegrams and of events by link, the zone Level 2's clocks run in."""

    zone: ZoneInfo
    links: Mapping[str, Link]
    layouts: Mapping[str, LayoutSet]
    events: Mapping[str, Mapping[str, Layout]]
    folder: Path
    home: Path
    """The model file's folder, and the node's own: what a running link keeps lies in the second."""
    model: PlantModel
    model_file: Path

    @cached_property
    def mappings(self) -> Mappings:
        """The plant's signals and what its messages mean, checked; BadSetup names file and entry.

        Made when it is first asked for: the collector, which only hears, never needs it.
        """
        from local_mes.level2.mapping.load import load_mappings

        return load_mappings(self)

    def find_layout(self, link: str, message: str) -> Layout | None:
        """What a message's fields must be: the layout of a telegram, of an event, or of that event of any unit."""
        if link in self.layouts:
            return self.layouts[link].messages.get(message)
        events = self.events.get(link, {})
        return events.get(message) or events.get(f"*.{message.rpartition('.')[2]}")


def load_links(settings: PlantSettings, text: str | None = None) -> LinkPlan:
    """Read and check the links of the settings' plant model; BadSetup says which one is wrong and how.

    text: to be checked in place of what the model's file says.
    """
    model = load_model(settings.model, text)
    rows = read_document(settings.model, text).get("link", [])
    links = {link.code: link for link in (_convert(row, settings) for row in rows)}
    strangers = sorted(set(settings.link_addresses) - set(links))
    if strangers:
        raise BadSetup(
            "level2.unknown_link",
            f"The settings give an address for {strangers[0]!r}, which is no link.",
            todo=f"Links of the plant model: {', '.join(links)}.",
        )
    folder = settings.model.parent
    folders = {link.telegrams or TELEGRAMS for link in links.values() if link.kind == "telegram"}
    sets = {name: load_folder(folder / name) for name in sorted(folders)}
    layouts = {code: sets[link.telegrams or TELEGRAMS] for code, link in links.items() if link.kind == "telegram"}
    events = {
        code: load_events(folder / link.telegrams)
        for code, link in links.items()
        if link.kind != "telegram" and link.telegrams
    }
    for link in links.values():
        _check(link, layouts.get(link.code), folder)
        _check_setpoints(link, layouts[link.code].messages if link.code in layouts else events.get(link.code, {}))
    return LinkPlan(ZoneInfo(model.plant.zone), links, layouts, events, folder, settings.folder, model, settings.model)


def refuse_unreadable(plan: LinkPlan) -> None:
    """BadSetup where a mapping file cannot be read: what a link accepts would not be known."""
    for link in plan.links.values():
        if link.mapping_fault:
            messages_of(plan.folder / link.mapping)


def split_address(link: Link) -> tuple[str, int]:
    """Host and port a telegram link listens on."""
    host, _, port = link.address.rpartition(":")
    if not host or not port.isdigit():
        raise bad_link(link.code, f"its address {link.address!r} is not host:port")
    return host, int(port)


def _convert(row: dict[str, Any], settings: PlantSettings) -> Link:
    try:
        link = msgspec.convert(row, Link)
    except msgspec.ValidationError as error:
        raise bad_link(str(row.get("code", "without code")), str(error)) from error
    mapped, fault = _mapped(link, settings.model.parent)
    address = settings.link_addresses.get(link.code, link.address)
    return msgspec.structs.replace(
        link, address=address, shadow=link.shadow or settings.shadow, mapped=mapped, mapping_fault=fault
    )


def _mapped(link: Link, folder: Path) -> tuple[tuple[str, ...], str]:
    """A file that cannot be read is no reason to show nothing of the link: whoever needs it asks and is told."""
    try:
        return (messages_of(folder / link.mapping) if link.mapping else ()), ""
    except BadSetup as error:
        return (), error.what


def _check(link: Link, layouts: LayoutSet | None, folder: Path) -> None:
    find_driver(link).check(link, folder)
    if layouts is None:
        return
    split_address(link)
    for message in (*link.messages, *link.map, *(link.sends or ())):
        if message not in layouts.messages:
            raise bad_link(
                link.code, f"it names message {message}, which has no layout in {link.telegrams or TELEGRAMS}"
            )
    _check_names(link, layouts)


def _check_setpoints(link: Link, layouts: Mapping[str, Layout]) -> None:
    for message in link.setpoints:
        layout = layouts.get(message)
        if layout is None:
            raise bad_link(link.code, f"its set-point {message} has no layout in {link.telegrams or TELEGRAMS}")
        if layout.direction == "up" or any(f.type == "group" for f in layout.fields):
            raise bad_link(link.code, f"its set-point {message} must go down and have no groups ({layout.file})")
        if link.sends is not None and message not in link.sends:
            raise bad_link(link.code, f"its set-point {message} is none of what it sends")


def _check_names(link: Link, layouts: LayoutSet) -> None:
    """Whether the header has room for how plant and peer are called."""
    any_message = next(iter(layouts.messages))
    for sender, receiver in ((link.name, link.peer), (link.peer, link.name)):
        try:
            encode_head(layouts, Stamp(any_message, 0, "20260101000000000", sender, receiver), 0)
        except FormatError as error:
            raise bad_link(link.code, f"its header cannot carry `name` and `peer`: {error}") from error
