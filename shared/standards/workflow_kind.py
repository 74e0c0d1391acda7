"""The standard of what people do when a check fails."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from shared.standards.frame import Document, Grown
from shared.standards.work_kinds import Qualification

WITHIN_MIN_MAX = 60 * 24 * 60
"""Minutes that people may be given for a step, 60 days: as long as a case at most. Of an older version no more counts."""

Role = Annotated[str, Field(max_length=40)]


class WorkflowAction(Grown):
    """One thing to do, by whom, within how many minutes.

    acknowledge_min: by when somebody must have said that they are on it; 0: with `within_min`. escalate_to: the role
    that it goes to as well when nobody did. qualification: what the person must hold.
    """

    LATER: ClassVar[Mapping[str, int]] = MappingProxyType({"acknowledge_min": 3, "escalate_to": 3, "qualification": 3})

    role: str
    text: str
    within_min: int = Field(gt=0)
    acknowledge_min: int = Field(0, ge=0, le=10_080)
    escalate_to: Role = ""
    qualification: Qualification = ""

    @property
    def due_within_min(self) -> int:
        """How long people have for it."""
        return min(self.within_min, WITHIN_MIN_MAX)

    @property
    def acknowledged_within_min(self) -> int:
        """How long nobody needs to have said anything."""
        return self.acknowledge_min or self.due_within_min


class Workflow(Document):
    """What people do when a check fails: steps with a role and a time to answer in."""

    kind: Literal["workflow"] = "workflow"
    trigger: str
    actions: tuple[WorkflowAction, ...] = Field(min_length=1)
