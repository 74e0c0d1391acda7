"""Life of standards: how the hub's people bring a version about, what it publishes, and what plants report back."""

from __future__ import annotations

import msgspec

from shared.journal.fact import Payload, fact


@fact("StandardDrafted")
class StandardDrafted(Payload, frozen=True, kw_only=True):
    """An author wrote or rewrote a version that is still a draft; body is canonical JSON text."""

    standard_id: str
    version: int
    kind: str
    title: str
    sha256: str
    body: str


@fact("StandardSubmitted")
class StandardSubmitted(Payload, frozen=True, kw_only=True):
    """An author asks for review; the body no longer changes."""

    standard_id: str
    version: int
    sha256: str


@fact("StandardReturned")
class StandardReturned(Payload, frozen=True, kw_only=True):
    """A reviewer sent a version back to its author, saying why."""

    standard_id: str
    version: int
    reason: str


@fact("StandardApproved")
class StandardApproved(Payload, frozen=True, kw_only=True):
    """A second person approved exactly this body; the fact's actor is that person. effective_from_ms 0: on arrival."""

    standard_id: str
    version: int
    sha256: str
    effective_from_ms: int = 0


@fact("StandardWithdrawn")
class StandardWithdrawn(Payload, frozen=True, kw_only=True):
    """A published version is to be used no more; the next catalogue says so."""

    standard_id: str
    version: int
    reason: str


class Wave(msgspec.Struct, frozen=True):
    """Plants that begin with a version together.

    starts_ms    when the wave begins by itself; 0: when a person starts it
    answer_days  for how many days each plant is asked for its consent; 0: it is not asked
    """

    plants: tuple[str, ...]
    starts_ms: int = 0
    answer_days: int = 0


@fact("RolloutPlanned")
class RolloutPlanned(Payload, frozen=True, kw_only=True):
    """A version goes out in waves, the first of them its pilot, before it becomes the group's current one."""

    standard_id: str
    version: int
    waves: tuple[Wave, ...]


@fact("RolloutAdvanced")
class RolloutAdvanced(Payload, frozen=True, kw_only=True):
    """A wave began: its plants are assigned the version. wave counts from 1."""

    standard_id: str
    version: int
    wave: int


@fact("RolloutCompleted")
class RolloutCompleted(Payload, frozen=True, kw_only=True):
    """The waves have shown enough: the next signed catalogue makes the version the current one of every plant."""

    standard_id: str
    version: int


@fact("StandardRolledBack")
class StandardRolledBack(Payload, frozen=True, kw_only=True):
    """A version is taken back everywhere at once; plants are assigned back_to again (0: nothing came before)."""

    standard_id: str
    version: int
    back_to: int
    reason: str


@fact("StandardAnswered")
class StandardAnswered(Payload, frozen=True, kw_only=True):
    """A plant that was asked says accepted (from a time on; 0: now) or rejected with its reason; the last word counts."""

    standard_id: str
    version: int
    answer: str
    from_ms: int
    reason: str


class Release(msgspec.Struct, frozen=True):
    """A version that a catalogue brings in for the first time."""

    standard_id: str
    version: int
    release: int


@fact("SigningRequested")
class SigningRequested(Payload, frozen=True, kw_only=True):
    """Holders of standards keys are asked to sign this catalogue (its exact text); number counts the hub's requests."""

    request_id: str
    number: int
    catalogue_version: int
    sha256: str
    catalogue: str
    releases: tuple[Release, ...]


@fact("CatalogueSigned")
class CatalogueSigned(Payload, frozen=True, kw_only=True):
    """One key holder's signature over a requested catalogue arrived and verifies."""

    request_id: str
    keyid: str
    sig: str


@fact("RootTrusted")
class RootTrusted(Payload, frozen=True, kw_only=True):
    """The root document (DSSE envelope as JSON text) that names all role keys; shown to plants at enrolment."""

    version: int
    sha256: str
    envelope: str


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
    version: int = 0
    catalogue_version: int = 0


class InstalledStandard(msgspec.Struct, frozen=True):
    """One version in force at a plant; values: "UNIT.parameter" -> the plant's value, as bound."""

    standard_id: str
    version: int
    sha256: str
    effective_from_ms: int
    values: dict[str, int | str] = {}


@fact("StandardsInstalled")
class StandardsInstalled(Payload, frozen=True, kw_only=True):
    """The plant verified, bound and adopted: its whole set in force, and the effective set's one hash.

    equipment: unit -> class, so that readers know what the plant's figures speak of. deviations: ids in force.
    """

    catalogue_version: int
    standards: tuple[InstalledStandard, ...]
    effective_hash: str
    missing: tuple[str, ...] = ()
    assignment_version: int = 0
    equipment: dict[str, str] = {}
    deviations: tuple[str, ...] = ()


@fact("StandardsRejected")
class StandardsRejected(Payload, frozen=True, kw_only=True):
    """The plant did not adopt, and why; what was in force stays."""

    catalogue_version: int
    reason: str
    code: str
    missing: tuple[str, ...] = ()


@fact("DeviationDeclared")
class DeviationDeclared(Payload, frozen=True, kw_only=True):
    """A typed change of one parameter with owner, reason and expiry. parameter: "UNIT.name"."""

    deviation_id: str
    standard_id: str
    parameter: str
    value: str
    owner: str
    reason: str
    expires_ms: int


@fact("DeviationEnded")
class DeviationEnded(Payload, frozen=True, kw_only=True):
    """A deviation ended before its time, or its time came."""

    deviation_id: str
    reason: str


@fact("PlantEnrolled")
class PlantEnrolled(Payload, frozen=True, kw_only=True):
    """The hub took a plant in: code, name, public key (hex)."""

    code: str
    name: str
    zone: str
    public_key: str
