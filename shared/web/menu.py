"""The menu: what a person sees of it, and which entry the page that is shown belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import request, url_for

from shared.web.context import find_signed_in
from shared.web.features import SECTIONS, MenuItem

GLANCE_MAX = 24
"""Entries that a person takes in at a glance, as many as stand on a low screen: a longer menu shows its sections closed."""


@dataclass(frozen=True)
class MenuSection:
    """A section of the menu with a person's entries; `open` where they are shown without asking."""

    title: str
    items: tuple[MenuItem, ...]
    open: bool


def menu_of(menu: Sequence[MenuItem], at_entry: str = "") -> list[MenuSection]:
    """The menu as the signed-in person sees it, by section. A long one has open what is wanted at any moment (its first
    section) and where the person is (`at_entry`, an endpoint)."""
    who = find_signed_in()
    mine = [item for item in menu if who is not None and who.may(item.roles)]
    sections = [(title, tuple(item for item in mine if item.section == title)) for title in SECTIONS]
    short = len(mine) <= GLANCE_MAX
    return [
        MenuSection(title, items, short or title == SECTIONS[0] or any(item.endpoint == at_entry for item in items))
        for title, items in sections
        if items
    ]


def entry_of(menu: Sequence[MenuItem]) -> str:
    """Endpoint of the entry that a page belongs to: its own; else the one below whose address it lies; else the only one of
    its part of the console; empty where there is none."""
    entries = [item.endpoint for item in menu]
    if request.endpoint is None or request.endpoint in entries:
        return request.endpoint or ""
    above = [entry for entry in entries if request.path.startswith(f"{url_for(entry).rstrip('/')}/")]
    if above:
        return max(above, key=lambda entry: len(url_for(entry)))
    same = [entry for entry in entries if entry.partition(".")[0] == request.blueprint]
    return same[0] if len(same) == 1 else ""
