"""The plant's verification of what it is told to install (sync-protocol.md, 3.3): bytes and trusted values in, values out.

No files, sockets, tables or clocks here, so every attack of the threat list is a unit test. The order is fixed:
root, timestamp, catalogue, assignment, bodies. A signature is verified before a byte of its payload is parsed.
Each step gives a new `Trusted`; a refusal is a TrustError with a stable code and leaves what was trusted as it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec

from shared.errors import BadInput, Refused, Unauthenticated
from shared.keys import Envelope, key_id, open_envelope
from shared.standards import messages as m
from shared.standards.documents import SCHEMA, AnyStandard, parse_body

VERSION_JUMP_MAX = 10_000
"""Largest step of any version: a thief of one online key cannot use the numbers up (fast-forward)."""
ROOT_CHAIN_MAX = 256

M = TypeVar("M", m.Root, m.Catalogue, m.Timestamp, m.Assignment)


class TrustError(Refused):
    """Something offered for installation does not deserve it; what is in force stays in force."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(
            f"standards.{code}",
            what,
            kept="What was in force stays in force.",
            todo="Show this to the group's standards office; the road or a key may be in wrong hands.",
        )


CONFIRMED_MS = 7 * 86_400_000
"""A timestamp is good for a week (sync-protocol.md, 3.2); then plants show `stale` and go on."""


@dataclass(frozen=True)
class Trusted:
    """What this node has verified so far; versions 0 and None: nothing yet.

    catalogue_floor  the highest catalogue ever trusted, which a restored database may not hold any more
    """

    root: m.Root
    catalogue: m.Catalogue | None = None
    timestamp_version: int = 0
    assignment_version: int = 0
    time_floor_ms: int = 0
    fresh_until_ms: int = 0
    catalogue_floor: int = 0

    @property
    def catalogue_version(self) -> int:
        """The version that no catalogue may be older than, 0 before the first."""
        return max(self.catalogue.version if self.catalogue else 0, self.catalogue_floor)


def first_root(raw: bytes) -> m.Root:
    """The root shipped at enrolment: trusted because of the road it came by, but it must be signed by its own keys."""
    envelope = _envelope(raw)
    claimed = _parse(_payload_unverified(envelope), m.Root)
    _check_root(claimed)
    _verify(envelope, m.ROOT, claimed, "root")
    return claimed


def next_root(trusted: Trusted, raw: bytes) -> Trusted:
    """Root N+1, signed by the thresholds of N and of N+1.

    When standards or online keys change, trusted versions start again (recovery from a fast-forward); what is
    installed stays.
    """
    envelope = _envelope(raw)
    root = _parse(_verify(envelope, m.ROOT, trusted.root, "root"), m.Root)
    if root.version != trusted.root.version + 1:
        raise TrustError("root_order", f"Root {root.version} cannot follow root {trusted.root.version}.")
    _check_root(root)
    _verify(envelope, m.ROOT, root, "root")
    if all(_role_keys(root, role) == _role_keys(trusted.root, role) for role in ("standards", "online")):
        return replace(trusted, root=root)
    return Trusted(root=root, time_floor_ms=trusted.time_floor_ms)


def accept_timestamp(trusted: Trusted, raw: bytes) -> tuple[Trusted, m.Timestamp]:
    """The latest-catalogue statement; never an older one, never a leap. Raises the time floor."""
    timestamp = _parse(_verify(_envelope(raw), m.TIMESTAMP, trusted.root, "online"), m.Timestamp)
    _no_way_back("timestamp", timestamp.version, trusted.timestamp_version)
    _no_way_back("catalogue", timestamp.catalogue_version, trusted.catalogue_version)
    after = replace(
        trusted,
        timestamp_version=timestamp.version,
        fresh_until_ms=timestamp.fresh_until_ms,
        time_floor_ms=max(trusted.time_floor_ms, timestamp.issued_at_ms),
    )
    return after, timestamp


def accept_catalogue(trusted: Trusted, timestamp: m.Timestamp, raw: bytes) -> Trusted:
    """The catalogue the timestamp names, signed by a threshold of standards keys; nothing may vanish or go back."""
    envelope = _envelope(raw)
    payload = _verify(envelope, m.CATALOGUE, trusted.root, "standards")
    if len(payload) != timestamp.catalogue_length or hashlib.sha256(payload).hexdigest() != timestamp.catalogue_sha256:
        raise TrustError("mixed", "This catalogue is not the one that the timestamp names.")
    catalogue = _parse(payload, m.Catalogue)
    if catalogue.version != timestamp.catalogue_version:
        raise TrustError("mixed", f"Catalogue {timestamp.catalogue_version} is named, {catalogue.version} was offered.")
    _no_way_back("catalogue", catalogue.version, trusted.catalogue_version)
    _check_listed_once(catalogue)
    if trusted.catalogue and trusted.catalogue != catalogue:
        if trusted.catalogue.version == catalogue.version:
            raise TrustError("rollback", f"There are two different catalogues {catalogue.version}.")
        _follows(trusted.catalogue, catalogue)
    return replace(trusted, catalogue=catalogue)


def accept_assignment(trusted: Trusted, raw: bytes, plant: str) -> tuple[Trusted, m.Assignment]:
    """What this plant is to run; every entry must stand in the trusted catalogue, active, and for this plant."""
    assignment = _parse(_verify(_envelope(raw), m.ASSIGNMENT, trusted.root, "online"), m.Assignment)
    if assignment.plant != plant:
        raise TrustError("wrong_plant", f"The assignment is for {assignment.plant}, this is {plant}.")
    _no_way_back("assignment", assignment.version, trusted.assignment_version)
    if trusted.catalogue is None or assignment.catalogue_version != trusted.catalogue.version:
        raise TrustError(
            "mixed",
            f"The assignment belongs to catalogue {assignment.catalogue_version}, "
            f"trusted is {trusted.catalogue_version}.",
        )
    for assigned in assignment.standards:
        _check_assigned(trusted.catalogue, assigned, plant)
    return replace(trusted, assignment_version=assignment.version), assignment


def accept_body(entry: m.CatalogueEntry, body: bytes) -> AnyStandard:
    """A document, if it is byte for byte what the catalogue lists and this node can read it."""
    if len(body) != entry.length or hashlib.sha256(body).hexdigest() != entry.sha256:
        raise TrustError("body_mismatch", f"The body of {entry.id} v{entry.version} is not the one that was signed.")
    if entry.schema > SCHEMA:
        raise TrustError(
            "cannot_install", f"{entry.id} v{entry.version} needs a newer release (schema {entry.schema})."
        )
    try:
        document = parse_body(body)
    except BadInput as error:
        raise TrustError("cannot_install", f"{entry.id} v{entry.version} cannot be read here. {error.what}") from error
    if (document.id, document.version, document.kind) != (entry.id, entry.version, entry.kind):
        raise TrustError(
            "body_mismatch",
            f"The body calls itself {document.id} v{document.version}, listed is {entry.id} v{entry.version}.",
        )
    return document


def is_stale(trusted: Trusted, clock_ms: int) -> bool:
    """Whether nobody has confirmed for too long that this catalogue is the latest; production never stops for it."""
    return max(clock_ms, trusted.time_floor_ms) > trusted.fresh_until_ms


def trusted_keys(root: m.Root, role: str) -> dict[str, bytes]:
    """Key id -> public key of a role."""
    return {keyid: bytes.fromhex(root.keys[keyid].public) for keyid in root.roles[role].keyids}  # type: ignore[index]


def _check_assigned(catalogue: m.Catalogue, assigned: m.Assigned, plant: str) -> None:
    entry = catalogue.find_version(assigned.id, assigned.version)
    named = f"{assigned.id} v{assigned.version}"
    if entry is None or (entry.version, entry.sha256) != (assigned.version, assigned.sha256):
        raise TrustError("not_in_catalogue", f"{named} is assigned but not in the signed catalogue.")
    if entry.status != "active":
        raise TrustError("not_in_catalogue", f"{named} is assigned but withdrawn.")
    if entry.plants and plant not in entry.plants:
        raise TrustError("wrong_plant", f"{named} is for {', '.join(entry.plants)} only.")
    if assigned.effective_from_ms < entry.effective_from_ms:
        raise TrustError("not_in_catalogue", f"{named} is assigned to begin before the time that was signed.")


def _check_listed_once(catalogue: m.Catalogue) -> None:
    listed = [(entry.id, entry.version) for entry in (*catalogue.entries, *catalogue.also)]
    if len({entry.id for entry in catalogue.entries}) < len(catalogue.entries) or len(set(listed)) < len(listed):
        raise TrustError("unreadable", "The catalogue lists a standard twice.")


def _follows(old: m.Catalogue, new: m.Catalogue) -> None:
    for before in old.entries:
        after = new.find(before.id)
        if after is None:
            raise TrustError("disappeared", f"{before.id} has vanished from the catalogue without being withdrawn.")
        changed = (after.version, after.sha256) != (before.version, before.sha256)
        if after.release < before.release or (changed and after.release == before.release):
            raise TrustError(
                "rollback",
                f"{before.id} goes back to release {after.release} "
                f"(v{after.version}); trusted is release {before.release} (v{before.version}).",
            )


def _no_way_back(what: str, offered: int, trusted: int) -> None:
    if offered < trusted:
        raise TrustError("rollback", f"An older {what} was offered: {offered}, trusted is {trusted}.")
    if trusted and offered - trusted > VERSION_JUMP_MAX:  # a plant that knows nothing yet may begin anywhere
        raise TrustError("fast_forward", f"The {what} leaps from {trusted} to {offered}, more than {VERSION_JUMP_MAX}.")


def _check_root(root: m.Root) -> None:
    for role in m.ROLES:
        if role not in root.roles:
            raise TrustError("bad_root", f"The root names no {role} keys.")
        named = set(root.roles[role].keyids)
        if not named <= set(root.keys) or len(named) < root.roles[role].threshold:
            raise TrustError("bad_root", f"The root's {role} role cannot reach its threshold with the keys it names.")
    for keyid, key in root.keys.items():
        if key_id(bytes.fromhex(key.public)) != keyid:
            raise TrustError("bad_root", f"Key {keyid} of the root is not the key it says it is.")
    if set(root.roles["standards"].keyids) & set(root.roles["online"].keyids):
        raise TrustError("bad_root", "A standards key is also the hub's online key; then the hub could publish alone.")


def _role_keys(root: m.Root, role: str) -> tuple[Mapping[str, bytes], int]:
    return trusted_keys(root, role), root.roles[role].threshold  # type: ignore[index]


def _verify(envelope: Envelope, payload_type: str, root: m.Root, role: str) -> bytes:
    keys, threshold = _role_keys(root, role)
    try:
        return open_envelope(envelope, payload_type, keys, threshold)
    except Unauthenticated as error:
        raise TrustError("bad_signature", f"The {role} signature does not hold. {error.what}") from error


def _envelope(raw: bytes) -> Envelope:
    if len(raw) > m.MESSAGE_BYTES_MAX * 2:  # base64 and signatures around the payload
        raise TrustError("unreadable", f"An envelope of {len(raw)} bytes is too large.")
    try:
        return msgspec.json.decode(raw, type=Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TrustError("unreadable", f"This is no signed envelope: {error}.") from error


def _payload_unverified(envelope: Envelope) -> bytes:
    try:
        return open_envelope(envelope, m.ROOT, {}, 0)
    except Unauthenticated as error:
        raise TrustError("unreadable", error.what) from error


def _parse(payload: bytes, kind: type[M]) -> M:
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TrustError("unreadable", f"The signed {kind.__name__.lower()} cannot be read: {error}.") from error
