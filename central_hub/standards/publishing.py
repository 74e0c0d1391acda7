"""From approval to the plants: a signing request, signatures from outside, publication, assignments.

The hub never holds a standards key. It writes the next catalogue and asks; key holders sign it elsewhere
(`strandline standards sign`); each signature is verified against the root when it arrives, and with the one that
completes the threshold the catalogue is published in the same transaction: bodies, catalogue, and for every enrolled
plant an assignment and a timestamp signed by the hub's online key, laid on the plant's own stream.

At most one request is open. A new approval replaces an open request that nobody has signed yet; once somebody has, it
waits for the next. A signature on a replaced request is refused, so two catalogues of one version never both count.

A later root may name other standards keys. Signatures of keys that it no longer names do not count, on the open request
either; a catalogue that is left with too few is signed anew, and until then plants are not sent what they must refuse.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row

from central_hub.hub import Hub, downlink
from central_hub.standards import errors
from central_hub.standards.choosing import choices_for, ended_versions
from central_hub.standards.counting import counting, is_signed
from central_hub.standards.domain import Candidate, assignment_for, next_catalogue
from central_hub.standards.queries import (
    find_assignment,
    find_catalogue,
    find_catalogue_version,
    find_open_request,
    find_request,
    get_root,
    next_number,
)
from central_hub.standards.recording import active_plants, record
from shared.db.engine import read
from shared.errors import NotFound, Refused, Unauthenticated
from shared.ids import new_id
from shared.journal.journal import Work
from shared.keys import Envelope, Signature, open_envelope
from shared.standards import facts
from shared.standards import messages as m
from shared.standards.canonical import sha256
from shared.standards.documents import parse_body
from shared.standards.queries import find_version, list_versions
from shared.standards.rollout_queries import list_rollouts
from shared.standards.signing import SigningAnswer, SigningRequestFile
from shared.standards.trust import CONFIRMED_MS, trusted_keys

RENEW_MS = 86_400_000
"""A timestamp is renewed every day, so that a plant that is in touch never sees an old one."""


def ask_for_signatures(tx: Work, hub: Hub, actor: str) -> str | None:
    """Write the next catalogue and ask the key holders; None when nothing waits or a signed request is still open."""
    opened = find_open_request(tx.conn, hub.code)
    if opened is not None and counting(tx.conn, hub, opened.request_id):
        return None
    found = find_catalogue(tx.conn, hub.code)
    previous = found[0] if found else None
    waiting = list_versions(tx.conn, hub.code, "approved", "awaiting_signatures")
    ended = ended_versions(tx.conn, hub, previous)
    if not waiting and not ended.withdrawn and not ended.completed and is_signed(tx.conn, hub):
        return None
    now = tx.now_ms()
    candidates = _candidates(tx, hub, waiting, now)
    number = previous.version + 1 if previous else 1
    catalogue, releases = next_catalogue(hub.code, number, now, previous, candidates, ended)
    text = m.encode(catalogue).decode()
    request_id = new_id(hub.clock)
    record(
        tx,
        hub,
        facts.SigningRequested(
            request_id=request_id,
            number=next_number(tx.conn, hub.code),
            catalogue_version=number,
            sha256=sha256(text.encode()),
            catalogue=text,
            releases=releases,
        ),
        f"standards:request:{request_id}",
        actor,
    )
    return request_id


def _candidates(tx: Work, hub: Hub, waiting: Sequence[Row[Any]], now: int) -> list[Candidate]:
    in_waves = {(r.standard_id, r.version) for r in list_rollouts(tx.conn, hub.code, "planned", "running")}
    return [
        Candidate(
            parse_body(row.body.encode()),
            row.drafted_by,
            row.approved_by,
            row.effective_from_ms or now,
            (row.standard_id, row.version) in in_waves,
        )
        for row in waiting
    ]


def request_file(conn: Connection, hub: Hub, request_id: str) -> SigningRequestFile:
    """The request as key holders get it: exact text to sign, and the documents that are new in it."""
    row = _get_request(conn, hub, request_id)
    catalogue = msgspec.json.decode(row.catalogue, type=m.Catalogue)
    found = find_catalogue(conn, hub.code)
    before = {entry.id: entry.sha256 for entry in found[0].entries} if found else {}
    known = {entry.sha256 for entry in (*found[0].entries, *found[0].also)} if found else set()
    new = [entry for entry in catalogue.entries if before.get(entry.id) != entry.sha256]
    new += [entry for entry in catalogue.also if entry.sha256 not in known]
    bodies = {entry.sha256: _body(conn, hub, entry) for entry in new}
    return SigningRequestFile(
        request_id=request_id,
        hub=hub.code,
        catalogue=row.catalogue,
        sha256=row.sha256,
        new=tuple(entry.id for entry in new),
        bodies=bodies,
    )


def give_signature(hub: Hub, answer: SigningAnswer, actor: str) -> bool:
    """Take in a key holder's signature; returns whether it completed the threshold and the catalogue is published."""
    with hub.journal.work() as tx:
        row = _get_request(tx.conn, hub, answer.request_id)
        opened = find_open_request(tx.conn, hub.code)
        if opened is None or opened.request_id != row.request_id or answer.sha256 != row.sha256:
            raise Refused(
                "standards.request_closed",
                "This signing request is no longer open.",
                todo="Fetch the open request and sign that.",
            )
        root = get_root(tx.conn)
        keys, threshold = trusted_keys(root, "standards"), root.roles["standards"].threshold
        _verify(row, [Signature(answer.keyid, answer.sig)], keys, 1)
        record(
            tx,
            hub,
            facts.CatalogueSigned(request_id=row.request_id, keyid=answer.keyid, sig=answer.sig),
            f"standards:request:{row.request_id}",
            actor,
        )
        given = counting(tx.conn, hub, row.request_id)
        if len({signature.keyid for signature in given}) < threshold:
            return False
        _publish(tx, hub, row, _verify(row, given, keys, threshold), actor)
        return True


def issue_missing(hub: Hub, actor: str = "standards") -> list[str]:
    """Bring every enrolled plant's assignment and timestamp up to date; returns the plants that got one. A job."""
    with read(hub.node.engine) as conn:  # looks first: it is asked often and seldom has anything to write
        if not any(_is_due(conn, hub, plant) for plant in active_plants(conn)) or not is_signed(conn, hub):
            return []
    with hub.journal.work() as tx:
        return [plant for plant in active_plants(tx.conn) if issue_to(tx, hub, plant, actor)]


def issue_to(tx: Work, hub: Hub, plant: str, actor: str = "standards", *, chosen_anew: bool = False) -> bool:
    """Lay on a plant's stream what it lacks: root, catalogue, bodies, assignment, timestamp. False: nothing was due.

    chosen_anew: other versions are chosen for the plant, so an assignment is due in any case.
    """
    found = find_catalogue(tx.conn, hub.code)
    if found is None or not (chosen_anew or _is_due(tx.conn, hub, plant)):
        return False
    (catalogue, row), now = found, tx.now_ms()
    last = find_assignment(tx.conn, hub.code, plant)
    choices = choices_for(tx.conn, hub, plant, catalogue)
    assignment = assignment_for(catalogue, plant, last.version + 1 if last else 1, now, choices)
    for assigned in assignment.standards:
        version = find_version(tx.conn, hub.code, assigned.id, assigned.version)
        tx.relay(version.published_fact if version else "", downlink(hub.code, plant))
    tx.relay(row.fact_id, downlink(hub.code, plant))
    timestamp = _timestamp(catalogue, row.sha256, assignment.version, now)
    fact_id = record(
        tx,
        hub,
        facts.AssignmentIssued(
            plant=plant,
            version=assignment.version,
            catalogue_version=catalogue.version,
            envelope=_sealed(hub, m.ASSIGNMENT, assignment),
            timestamp=_sealed(hub, m.TIMESTAMP, timestamp),
        ),
        f"standards:assignment:{plant}",
        actor,
    )
    tx.relay(fact_id, downlink(hub.code, plant))
    return True


def _timestamp(catalogue: m.Catalogue, sha256: str, version: int, now_ms: int) -> m.Timestamp:
    return m.Timestamp(
        version=version,
        hub=catalogue.hub,
        catalogue_version=catalogue.version,
        catalogue_sha256=sha256,
        catalogue_length=len(m.encode(catalogue)),
        issued_at_ms=now_ms,
        fresh_until_ms=now_ms + CONFIRMED_MS,
    )


def _is_due(conn: Connection, hub: Hub, plant: str) -> bool:
    """Whether a plant lacks the latest catalogue, or its timestamp is a day old."""
    version = find_catalogue_version(conn, hub.code)
    last = find_assignment(conn, hub.code, plant)
    if not version or last is None:
        return bool(version)
    return bool(last.catalogue_version != version or hub.clock.now_ms() - last.issued_ms >= RENEW_MS)


def _publish(tx: Work, hub: Hub, request: Row[Any], envelope: Envelope, actor: str) -> None:
    catalogue = msgspec.json.decode(request.catalogue, type=m.Catalogue)
    for row in list_versions(tx.conn, hub.code, "awaiting_signatures"):
        if row.catalogue_version == catalogue.version:
            record(
                tx,
                hub,
                facts.StandardPublished(
                    standard_id=row.standard_id,
                    version=row.version,
                    kind=row.kind,
                    title=row.title,
                    sha256=row.sha256,
                    body=row.body,
                ),
                f"standard:{row.standard_id}:{row.version}",
                actor,
            )
    record(
        tx,
        hub,
        facts.CataloguePublished(
            version=catalogue.version,
            sha256=request.sha256,
            envelope=m.encode(envelope).decode(),
        ),
        f"standards:catalogue:{catalogue.version}",
        actor,
    )
    for plant in active_plants(tx.conn):
        issue_to(tx, hub, plant, actor)
    ask_for_signatures(tx, hub, actor)


def _verify(request: Row[Any], signatures: list[Signature], keys: dict[str, bytes], threshold: int) -> Envelope:
    """The catalogue's envelope, if these signatures hold. What is signed is the text of the request, not what was sent."""
    payload = base64.b64encode(request.catalogue.encode()).decode()
    envelope = Envelope(m.CATALOGUE, payload, tuple(signatures))
    try:
        open_envelope(envelope, m.CATALOGUE, keys, threshold)
    except Unauthenticated as error:
        raise Refused(
            "standards.bad_signature",
            f"The signature does not count. {error.what}",
            todo="Sign this very request, with a key that the root names as a standards key.",
        ) from error
    return envelope


def _sealed(hub: Hub, payload_type: str, message: m.Assignment | m.Timestamp) -> str:
    return m.encode(hub.node.key.seal(payload_type, m.encode(message))).decode()


def _get_request(conn: Connection, hub: Hub, request_id: str) -> Row[Any]:
    row = find_request(conn, hub.code, request_id)
    if row is None:
        raise NotFound("standards.no_request", f"There is no signing request {request_id}.", todo="Fetch the open one.")
    return row


def _body(conn: Connection, hub: Hub, entry: m.CatalogueEntry) -> str:
    row = find_version(conn, hub.code, entry.id, entry.version)
    if row is None:
        raise errors.unknown_version(entry.id, entry.version)
    return str(row.body)
