"""Who may write and approve what: beside the role, the setting `office` may narrow it to kinds and areas of people.

Where the setting says nothing of drafting (or approving), the role alone decides. An area is a class of equipment; a
document belongs to the classes that it names, and a right of areas covers it when it covers all of them. A version that
follows another takes that one's place: a right must cover both, or a rule of an area would be anybody's who names another
area in its next version. That author and approver are two people is no matter of settings.
"""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Connection

from central_hub.hub import Hub
from central_hub.standards import errors
from shared.settings import OfficeRight
from shared.standards.documents import AnyStandard, Routing
from shared.standards.kpi_kind import Kpi
from shared.standards.product_kinds import Practice
from shared.standards.queries import document_of, find_version, list_versions
from shared.web.accounts import find_by_login

May = Literal["draft", "approve"]


def check_may(conn: Connection, hub: Hub, document: AnyStandard, may: May, actor: str) -> None:
    """Denied for a person to whom the setting does not give this kind and area, where it gives it to anybody."""
    rights = [right for right in hub.settings.office if right.may == may]
    mine = [right for right in rights if find_by_login(conn, right.login) == actor]
    if rights and not all(any(covers(right, one) for right in mine) for one in _with_its_place(conn, hub, document)):
        raise errors.not_theirs(may, document.kind)


def check_may_version(conn: Connection, hub: Hub, standard_id: str, version: int, actor: str) -> None:
    """The same of what is done with a version on its way to more plants. The way back is open to every approver."""
    row = find_version(conn, hub.code, standard_id, version)
    if row is not None:
        check_may(conn, hub, document_of(str(row.body)), "approve", actor)


def find_before(conn: Connection, hub: Hub, document: AnyStandard) -> AnyStandard | None:
    """The version whose place a document takes: the last of its id before it that is more than a draft."""
    rows = [row for row in list_versions(conn, hub.code) if row.standard_id == document.id and row.status != "draft"]
    before = [row for row in rows if row.version < document.version]
    return document_of(str(before[-1].body)) if before else None


def _with_its_place(conn: Connection, hub: Hub, document: AnyStandard) -> list[AnyStandard]:
    before = find_before(conn, hub, document)
    return [document] if before is None else [document, before]


def covers(right: OfficeRight, document: AnyStandard) -> bool:
    """Whether a right is for a document's kind and area."""
    classes = classes_of(document)
    in_area = not right.areas or (bool(classes) and classes <= set(right.areas))
    return in_area and (not right.kinds or document.kind in right.kinds)


def classes_of(document: AnyStandard) -> set[str]:
    """The classes of equipment that a document names."""
    found = {*document.needs, *(parameter.of for parameter in document.parameters)}
    if isinstance(document, Routing):
        found |= {name for step in document.steps for name in step.all_classes}
    if isinstance(document, Kpi):
        found |= {formula.at for formula in document.formulas}
    if isinstance(document, Practice):
        found.add(document.at)
    return found
