"""One offer of standards, told twice: as our envelopes, and as a repository of The Update Framework for python-tuf.

catalogue is TUF's targets (signed by the standards keys), the timestamp its timestamp and snapshot (signed by the hub).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from securesystemslib.signer import Signature, SSlibKey
from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadHTTPError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    RepositoryError,
    UnsignedMetadataError,
)
from tuf.api.metadata import Metadata, MetaFile, Role, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization import DeserializationError
from tuf.ngclient import Updater
from tuf.ngclient.fetcher import FetcherInterface

from shared.keys import Envelope, SigningKey
from shared.standards import messages as m

URL = "http://group/"
LATER, PAST = datetime(2100, 1, 1, tzinfo=UTC), datetime(2001, 1, 1, tzinfo=UTC)
NOW_MS = 1_000_000
WHY = {
    UnsignedMetadataError: "signature",
    BadVersionNumberError: "older",
    LengthOrHashMismatchError: "other bytes",
    ExpiredMetadataError: "expired",
    DeserializationError: "unreadable",
}


@dataclass(frozen=True)
class Keys:
    """Who may sign what: two of the root keys, two of the standards keys, the hub."""

    root: tuple[SigningKey, ...]
    standards: tuple[SigningKey, ...]
    online: SigningKey


@dataclass(frozen=True)
class RootOffer:
    """A root document offered as the number behind the last; called: the number it says itself."""

    number: int
    called: int
    keys: Keys
    signers: tuple[SigningKey, ...]


@dataclass(frozen=True)
class Offer:
    """What a road delivers in one go.

    entries    standard -> its release; bodies follow from both
    signers    of the catalogue; twice: the first one's signature stands there two times
    delivered  bytes of a catalogue in place of the one that is named, as (ours, TUF's)
    spoilt     "catalogue", "timestamp": no document at all; "tampered": other content under the signatures; "body"
    expired    "timestamp", "targets", "root": what TUF calls expired
    """

    roots: tuple[RootOffer, ...]
    keys: Keys
    timestamp: int
    catalogue: int
    entries: Mapping[str, int]
    signers: tuple[SigningKey, ...]
    stamper: SigningKey
    twice: bool = False
    spoilt: str = ""
    expired: str = ""
    delivered: tuple[bytes, bytes] | None = None


def body_of(standard: str, release: int) -> bytes:
    return f"{standard} as of release {release}".encode()


def seal(payload_type: str, payload: bytes, keys: Sequence[SigningKey]) -> bytes:
    first = keys[0].seal(payload_type, payload)
    return m.encode(Envelope(payload_type, first.payload, tuple(key.sign(payload_type, payload) for key in keys)))


# --- ours


def our_root(offer: RootOffer) -> bytes:
    keys = offer.keys
    known = {k.id: m.Key(k.public.hex(), "x") for k in (*keys.root, *keys.standards, keys.online)}
    roles = {
        "root": m.Role(tuple(k.id for k in keys.root), 2),
        "standards": m.Role(tuple(k.id for k in keys.standards), 2),
        "online": m.Role((keys.online.id,), 1),
    }
    made = m.Root(version=offer.called, issued_at_ms=0, keys=known, roles=roles)
    return seal(m.ROOT, m.encode(made), offer.signers)


def our_catalogue(offer: Offer) -> tuple[bytes, bytes]:
    """The payload that the timestamp names, and the envelope that arrives."""
    entries = [_entry(name, release) for name, release in sorted(offer.entries.items())]
    payload = m.encode(m.Catalogue(version=offer.catalogue, hub="HUB", issued_at_ms=1, entries=tuple(entries)))
    signers = (offer.signers[0], offer.signers[0]) if offer.twice else offer.signers
    envelope = seal(m.CATALOGUE, payload, signers)
    if offer.spoilt == "tampered":
        other = payload.replace(b'"title":"t"', b'"title":"u"')
        sealed = seal(m.CATALOGUE, payload, signers)
        changed = seal(m.CATALOGUE, other, signers)
        envelope = _with_payload(sealed, changed)
        payload = other
    return payload, offer.delivered[0] if offer.delivered else b"{]" if offer.spoilt == "catalogue" else envelope


def _with_payload(signed: bytes, other: bytes) -> bytes:
    a, b = (msgspec.json.decode(raw, type=Envelope) for raw in (signed, other))
    return m.encode(Envelope(a.payloadType, b.payload, a.signatures))


def _entry(name: str, release: int) -> m.CatalogueEntry:
    body = body_of(name, release)
    return m.CatalogueEntry(
        id=name, version=release, release=release, kind="k", title="t", sha256=hashlib.sha256(body).hexdigest(),
        length=len(body), schema=1, takes_hold="at_once", effective_from_ms=0, status="active",
    )  # fmt: skip


def our_timestamp(offer: Offer, payload: bytes) -> bytes:
    if offer.spoilt == "timestamp":
        return b"{]"
    stamp = m.Timestamp(
        version=offer.timestamp, hub="HUB", catalogue_version=offer.catalogue,
        catalogue_sha256=hashlib.sha256(payload).hexdigest(), catalogue_length=len(payload), issued_at_ms=1,
        fresh_until_ms=NOW_MS - 1 if offer.expired == "timestamp" else NOW_MS + 1,
    )  # fmt: skip
    return seal(m.TIMESTAMP, m.encode(stamp), [offer.stamper])


# --- TUF's


def _key(key: SigningKey) -> SSlibKey:
    return SSlibKey(key.id, "ed25519", "ed25519", {"public": key.public.hex()})


def _signed(made: Root | Timestamp | Snapshot | Targets, keys: Sequence[SigningKey]) -> Metadata:
    document = Metadata(made)
    for key in keys:
        document.signatures[key.id] = Signature(key.id, key.private.sign(document.signed_bytes).hex())
    return document


def tuf_root(offer: RootOffer, expired: bool = False) -> bytes:
    keys = offer.keys
    roles = {"root": (keys.root, 2), "targets": (keys.standards, 2)} | dict.fromkeys(
        ("timestamp", "snapshot"), ((keys.online,), 1)
    )
    made = Root(
        offer.called, None, PAST if expired else LATER,
        {key.id: _key(key) for key in (*keys.root, *keys.standards, keys.online)},
        {role: Role([key.id for key in who], threshold) for role, (who, threshold) in roles.items()},
        False,
    )  # fmt: skip
    return _signed(made, offer.signers).to_bytes()


def tuf_files(offer: Offer) -> dict[str, bytes]:
    """Path -> bytes of the whole repository, but for the roots before this offer."""
    targets = {name: TargetFile.from_data(name, body_of(name, release)) for name, release in offer.entries.items()}
    made = Targets(offer.catalogue, None, PAST if offer.expired == "targets" else LATER, targets)
    document = _signed(made, offer.signers[:1] if offer.twice else offer.signers)
    if offer.spoilt == "tampered":
        document.signed.unrecognized_fields["title"] = "u"
    right = document.to_bytes()
    if offer.twice:
        said = json.loads(right)
        right = json.dumps(said | {"signatures": said["signatures"] * 2}).encode()
    right = b"{]" if offer.spoilt == "catalogue" else right
    snapshot = Snapshot(offer.catalogue, None, LATER, {"targets.json": _meta(offer.catalogue, right)})
    shot = _signed(snapshot, [offer.stamper]).to_bytes()
    stamp = Timestamp(
        offer.timestamp, None, PAST if offer.expired == "timestamp" else LATER, _meta(offer.catalogue, shot)
    )
    files = {
        "timestamp.json": b"{]" if offer.spoilt == "timestamp" else _signed(stamp, [offer.stamper]).to_bytes(),
        "snapshot.json": shot,
        "targets.json": offer.delivered[1] if offer.delivered else right,
    }
    roots = {f"{root.number}.root.json": tuf_root(root, offer.expired == "root") for root in offer.roots}
    bodies = {f"t/{name}": _body(offer, name, release) for name, release in offer.entries.items()}
    return files | roots | bodies


def _body(offer: Offer, name: str, release: int) -> bytes:
    body = body_of(name, release)
    return body[::-1] if offer.spoilt == "body" else body


def _meta(version: int, content: bytes) -> MetaFile:
    return MetaFile(version, len(content), {"sha256": hashlib.sha256(content).hexdigest()})


class Memory(FetcherInterface):
    """A repository that is reached without a network."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def _fetch(self, url: str) -> Iterator[bytes]:
        content = self._files.get(url.removeprefix(URL))
        if content is None:
            raise DownloadHTTPError("there is none", 404)
        yield content


def tuf_takes(folder: Path, first: bytes, files: Mapping[str, bytes], names: Sequence[str]) -> str:
    """Why python-tuf refuses the repository, in a word; "" where it takes it."""
    (folder / "t").mkdir(parents=True, exist_ok=True)
    try:
        updater = Updater(str(folder), URL, str(folder / "t"), URL + "t/", Memory(files), bootstrap=first)
        updater.refresh()
        for name in names:
            updater.download_target(updater.get_targetinfo(name))
    except RepositoryError as error:
        return next((why for kind, why in WHY.items() if isinstance(error, kind)), repr(error))
    return ""
