"""The entries of a catalogue being made: one current version an id, and beside them what assignments may name as well.

Beside the current ones stand versions that go out in waves, and versions that were replaced lately: a way back is then
a matter of assignments and needs no key holder at night. Pure.
"""

from __future__ import annotations

import msgspec

from shared.standards.messages import Catalogue, CatalogueEntry

KEPT_MAX = 50
"""Replaced versions kept for a way back: an entry takes about 400 bytes of the catalogue's 200,000."""


class Shelf:
    """What the catalogue before held, to be changed into the next one."""

    def __init__(self, previous: Catalogue | None) -> None:
        self._current = {entry.id: entry for entry in previous.entries} if previous else {}
        self._beside = {(entry.id, entry.version): entry for entry in previous.also} if previous else {}

    def next_release(self, standard_id: str, previous: Catalogue | None) -> int:
        """The next release number of an id: it rises with every publication, beside the current one too."""
        listed = (*previous.entries, *previous.also) if previous else ()
        return max((entry.release for entry in listed if entry.id == standard_id), default=0) + 1

    def put(self, entry: CatalogueEntry, *, beside: bool) -> None:
        """A new version: beside the current one, or in its place; what it replaces is kept for a way back."""
        if beside:
            self._beside[entry.id, entry.version] = entry
            return
        replaced = self._current.get(entry.id)
        self._beside = {key: other for key, other in self._beside.items() if key[0] != entry.id}
        if replaced is not None and replaced.status == "active" and replaced.version != entry.version:
            self._beside[replaced.id, replaced.version] = replaced
        self._current[entry.id] = entry

    def complete(self, standard_id: str, version: int) -> None:
        """A version whose waves are over becomes the current one."""
        entry = self._beside.pop((standard_id, version), None)
        if entry is not None:
            self.put(msgspec.structs.replace(entry, release=self._risen(entry)), beside=False)

    def withdraw(self, standard_id: str, version: int, back_to: int) -> None:
        """A version is used no more: what it replaced comes back in its place, or the entry says withdrawn."""
        self._beside.pop((standard_id, version), None)
        current = self._current.get(standard_id)
        if current is None or current.version != version or current.status != "active":
            return
        before = self._beside.pop((standard_id, back_to), None)
        entry, status = (before, "active") if before else (current, "withdrawn")
        risen = self._risen(entry, current)
        self._current[standard_id] = msgspec.structs.replace(entry, status=status, release=risen)

    def catalogue(self, hub: str, version: int, now_ms: int) -> Catalogue:
        """All of it, by id; of the replaced versions beside, the latest."""
        listed = tuple(self._current[key] for key in sorted(self._current))
        replaced = [entry for entry in self._beside.values() if self._is_older(entry)]
        coming = [entry for entry in self._beside.values() if not self._is_older(entry)]
        also = (*replaced[-KEPT_MAX:], *coming)
        return Catalogue(version=version, hub=hub, issued_at_ms=now_ms, entries=listed, also=also)

    def _is_older(self, entry: CatalogueEntry) -> bool:
        current = self._current.get(entry.id)
        return current is not None and entry.version < current.version

    def _risen(self, *entries: CatalogueEntry) -> int:
        current = self._current.get(entries[0].id)
        return max(entry.release for entry in (*entries, *([current] if current else []))) + 1
