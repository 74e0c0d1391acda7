"""A signing request as a file, what its reader must check before signing, and the answer. Pure but for the key.

The request carries the exact catalogue text and the bodies of what is new, so that a key holder on a machine without
any network can see what would be signed and that the hashes in the catalogue are those of the documents shown.
"""

from __future__ import annotations

import hashlib
import json

import msgspec

from shared.errors import BadInput
from shared.keys import Signature, SigningKey
from shared.standards.documents import parse_body
from shared.standards.messages import CATALOGUE, Catalogue, CatalogueEntry

REQUEST_BYTES_MAX = 8_000_000


class SigningRequestFile(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub asks: sign `catalogue` (exact text). bodies: SHA-256 -> canonical document text of what is new."""

    request_id: str
    hub: str
    catalogue: str
    sha256: str
    new: tuple[str, ...]
    bodies: dict[str, str]


class SigningAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One signature over the requested catalogue."""

    request_id: str
    sha256: str
    keyid: str
    sig: str


def read_request(raw: bytes) -> SigningRequestFile:
    """The request in a file; BadInput when it is none."""
    if len(raw) > REQUEST_BYTES_MAX:
        raise BadInput("standards.request_too_large", f"The request has {len(raw)} bytes.", todo="Fetch it again.")
    try:
        return msgspec.json.decode(raw, type=SigningRequestFile)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(
            "standards.no_request", f"This is no signing request: {error}.", todo="Fetch it again."
        ) from error


def check_request(request: SigningRequestFile) -> tuple[Catalogue, list[str]]:
    """The catalogue and one line for each entry, new ones first. BadInput when hashes and texts do not belong together."""
    payload = request.catalogue.encode()
    if hashlib.sha256(payload).hexdigest() != request.sha256:
        raise _mismatch("the catalogue is not the one whose hash the request names")
    try:
        catalogue = msgspec.json.decode(payload, type=Catalogue)
    except (msgspec.DecodeError, RecursionError) as error:
        raise _mismatch(f"the catalogue cannot be read: {error}") from error
    listed = (*catalogue.entries, *catalogue.also)
    new = [entry for entry in listed if entry.sha256 in request.bodies]
    if not set(request.new) <= {entry.id for entry in new}:
        raise _mismatch("it names something as new that the catalogue does not list")
    for entry in new:
        _check_body(entry, request.bodies.get(entry.sha256))
    old = [entry for entry in listed if entry.sha256 not in request.bodies]
    aside = {(entry.id, entry.version) for entry in catalogue.also}
    return catalogue, [_line("NEW", entry, aside) for entry in new] + [_line("as before", e, aside) for e in old]


def sign_request(request: SigningRequestFile, key: SigningKey) -> SigningAnswer:
    """The key holder's answer; checks the request first."""
    check_request(request)
    signature: Signature = key.sign(CATALOGUE, request.catalogue.encode())
    return SigningAnswer(request_id=request.request_id, sha256=request.sha256, keyid=signature.keyid, sig=signature.sig)


def read_answer(raw: bytes) -> SigningAnswer:
    """The answer in a file."""
    try:
        return msgspec.json.decode(raw, type=SigningAnswer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(
            "standards.no_answer", f"This is no signature: {error}.", todo="Sign the request again."
        ) from error


def _check_body(entry: CatalogueEntry, body: str | None) -> None:
    if body is None or hashlib.sha256(body.encode()).hexdigest() != entry.sha256:
        raise _mismatch(f"the document shown for {entry.id} is not the one in the catalogue")
    document = parse_body(body.encode())
    if (document.id, document.version) != (entry.id, entry.version):
        raise _mismatch(f"the document of {entry.id} v{entry.version} calls itself {document.id} v{document.version}")


def _mismatch(what: str) -> BadInput:
    return BadInput(
        "standards.request_mismatch",
        f"Do not sign this request: {what}.",
        kept="Nothing was signed.",
        todo="Ask the hub's standards office; somebody may have changed the request.",
    )


def _line(mark: str, entry: CatalogueEntry, aside: set[tuple[str, int]]) -> str:
    where = ", ".join(entry.plants) or "all plants"
    beside = ", beside the current one" if (entry.id, entry.version) in aside else ""
    return (
        f"{mark:9} {entry.id} v{entry.version} (release {entry.release}, {entry.status}, {where}{beside}) "
        f"{entry.sha256[:16]}  {entry.title}"
    )


def public_file(key: SigningKey, holder: str) -> bytes:
    """The public half as a file that may be shown to anyone."""
    return json.dumps({"keyid": key.id, "public": key.public.hex(), "holder": holder}, indent=2).encode() + b"\n"
