"""States of units, told over either kind of link."""

from __future__ import annotations

from local_mes.level2.operations import Message, Work, operation
from local_mes.production.counting import change_state
from local_mes.production.mill_rolling import state_counts_at


@operation("unit_state", takes="state:text reason?:text")
def unit_state(work: Work, message: Message) -> None:
    """An OPC UA State event: the unit is in the message's name."""
    change_state(
        work,
        message.unit,
        str(message.fields["state"]),
        str(message.fields.get("reason") or ""),
        state_counts_at(work, message.unit),
    )


@operation("line_state", takes="line?:text state:text reason?:text")
def line_state(work: Work, message: Message) -> None:
    """A line-state telegram: the unit is in the telegram."""
    unit = message.at_unit or str(message.fields["line"])
    change_state(work, unit, str(message.fields["state"]), str(message.fields.get("reason") or ""))
