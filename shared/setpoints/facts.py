"""A person sent a set-point to a unit; Level 2 took it, refused it, or nobody answered in time."""

from __future__ import annotations

from shared.journal.fact import Payload, fact


@fact("SetPointGiven")
class SetPointGiven(Payload, frozen=True, kw_only=True):
    """Somebody asked for it; the actor is the person. values: as they go down, in the units of the message's layout.

    unit, title   of the link and of the layout in the plant's model then
    material_id   the piece it is for, known by `number`; empty where it is for none
    """

    setpoint_id: str
    link: str
    message: str
    values: dict[str, int | float | str]
    unit: str = ""
    title: str = ""
    material_id: str = ""
    number: str = ""


@fact("SetPointSettled")
class SetPointSettled(Payload, frozen=True, kw_only=True):
    """What became of it: confirmed by Level 2, refused (by it, by a person, or because its time was over), or withheld
    where the plant only listens. A later word counts: what was taken back may have been taken all the same."""

    setpoint_id: str
    outcome: str
    answer: str = ""
