"""Life of standards: what the hub publishes and what plants report back."""

from __future__ import annotations

import msgspec

from shared.journal.fact import Payload, fact


@fact("StandardPublished")
class StandardPublished(Payload, frozen=True, kw_only=True):
    """The body of one version (canonical JSON text) and its hash; it counts only when a signed catalogue lists it."""

    standard_id: str
    version: int
    kind: str
    title: str
    sha256: str
    body: str


@fact("CataloguePublished")
class CataloguePublished(Payload, frozen=True, kw_only=True):
    """The signed catalogue (DSSE envelope as JSON text), signed by a threshold of standards keys."""

    version: int
    sha256: str
    envelope: str


@fact("AssignmentIssued")
class AssignmentIssued(Payload, frozen=True, kw_only=True):
    """What one plant must run, and the timestamp: DSSE envelopes signed by the hub's online key."""

    plant: str
    envelope: str
    timestamp: str


class InstalledStandard(msgspec.Struct, frozen=True):
    """One version in force at a plant."""

    standard_id: str
    version: int
    sha256: str
    effective_from_ms: int


@fact("StandardsInstalled")
class StandardsInstalled(Payload, frozen=True, kw_only=True):
    """The plant verified, bound and adopted: its whole set in force, and the effective set's one hash."""

    catalogue_version: int
    standards: tuple[InstalledStandard, ...]
    effective_hash: str
    missing: tuple[str, ...] = ()


@fact("StandardsRejected")
class StandardsRejected(Payload, frozen=True, kw_only=True):
    """The plant did not adopt, and why; what was in force stays."""

    catalogue_version: int
    reason: str
    code: str


@fact("DeviationDeclared")
class DeviationDeclared(Payload, frozen=True, kw_only=True):
    """A typed change of one parameter with owner, reason and expiry."""

    deviation_id: str
    standard_id: str
    parameter: str
    value: str
    owner: str
    reason: str
    expires_ms: int


@fact("PlantEnrolled")
class PlantEnrolled(Payload, frozen=True, kw_only=True):
    """The hub took a plant in: code, name, public key (hex)."""

    code: str
    name: str
    zone: str
    public_key: str
