"""Many versions in one step: a library or a repository of documents is drafted, submitted and approved whole, or not
at all, and the key holders are asked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from central_hub.hub import Hub
from central_hub.standards import publishing, service
from shared.errors import BadInput
from shared.standards.canonical import body_of, sha256
from shared.standards.documents import AnyStandard


@dataclass(frozen=True)
class Seen:
    """A version and the hash of the body that an approver was shown."""

    standard_id: str
    version: int
    sha256: str


def draft_all(hub: Hub, documents: Sequence[object], actor: str, command_id: str, *, submit: bool) -> list[Seen]:
    """Write every document as a draft, and ask for their review; each fault is told with the document it is in."""
    with hub.journal.work() as tx:
        known = tx.once(command_id)
        if known is not None:
            return [Seen(*each) for each in known]
        written: list[AnyStandard] = []
        for number, document in enumerate(documents, start=1):
            try:
                written.append(service.write_draft(tx, hub, document, actor))
            except BadInput as error:
                raise BadInput(error.code, f"{_name(document, number)}: {error.what}", todo=error.todo) from error
        if submit:
            for parsed in written:
                service.write_submission(tx, hub, parsed.id, parsed.version, actor)
        made = [Seen(parsed.id, parsed.version, sha256(body_of(parsed))) for parsed in written]
        tx.done(command_id, [[each.standard_id, each.version, each.sha256] for each in made])
    return made


def approve_all(hub: Hub, seen: Sequence[Seen], actor: str, command_id: str) -> None:
    """Approve exactly these bodies for all plants at once; one signing request for all of them."""
    with hub.journal.work() as tx:
        if tx.once(command_id) is not None:
            return
        for each in seen:
            service.write_approval(tx, hub, each.standard_id, each.version, each.sha256, actor)
        publishing.ask_for_signatures(tx, hub, actor)
        tx.done(command_id, True)


def _name(document: object, number: int) -> str:
    named = document.get("id") if isinstance(document, dict) else None
    return str(named)[:40] if named else f"document {number}"
