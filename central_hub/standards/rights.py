"""Who may write and approve what: beside the role, the setting `office` may narrow it to kinds and areas of people.

Where the setting says nothing of drafting (or approving), the role alone decides. An area is a class of equipment; a
document belongs to the classes that it names, and a right of areas covers it when it covers all of them. That author and
approver are two people is no matter of settings.
"""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Connection

from central_hub.hub import Hub
from central_hub.standards import errors
from shared.settings import OfficeRight
from shared.standards.documents import AnyStandard, Routing
from shared.web.accounts import find_by_login

May = Literal["draft", "approve"]


def check_may(conn: Connection, hub: Hub, document: AnyStandard, may: May, actor: str) -> None:
    """Denied for a person to whom the setting does not give this kind and area, where it gives it to anybody."""
    rights = [right for right in hub.settings.office if right.may == may]
    if rights and not any(covers(right, document) and find_by_login(conn, right.login) == actor for right in rights):
        raise errors.not_theirs(may, document.kind)


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
    return found
