"""The menu: what a person sees of it, and which entry the page that is shown belongs to."""

from __future__ import annotations

from collections.abc import Sequence

from flask import request, url_for

from shared.web.context import find_signed_in
from shared.web.features import SECTIONS, MenuItem


def menu_of(menu: Sequence[MenuItem]) -> list[tuple[str, list[MenuItem]]]:
    """The menu as the signed-in person sees it, by section."""
    who = find_signed_in()
    mine = [item for item in menu if who is not None and who.may(item.roles)]
    sections = [(section, [item for item in mine if item.section == section]) for section in SECTIONS]
    return [(section, items) for section, items in sections if items]


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
