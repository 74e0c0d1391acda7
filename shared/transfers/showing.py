"""How states of lines and kinds of cases are shown: one sign and one word each, the same at plant and hub."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shared.transfers.lines import TransferLine
from shared.web.listing import Column

SIGNS = {
    "in_transit": "normal",
    "arrived": "normal",
    "received": "done",
    "received_with_exceptions": "attention",
    "short": "alarm",
    "did_not_occur": "done",
    "refused": "attention",
    "returned": "done",
    "written_off": "alarm",
    "diverted": "done",
    "delivered": "done",
}
"""Sign of each line state (the legend's six); received and quiet is done."""
STATE_WORDS = {
    "in_transit": "On the way",
    "arrived": "At the gate",
    "received": "Received",
    "received_with_exceptions": "Received, look at it",
    "short": "Short",
    "did_not_occur": "Never left",
    "refused": "Refused, on its way back",
    "returned": "Back at the sender",
    "written_off": "Written off",
    "diverted": "Sent on to another plant",
    "delivered": "Left for the customer",
}
FLAG_WORDS = {
    "time_ahead": "time in the future",
    "backdated": "time long before its entry",
    "one_weighing": "weighed at one end only",
}
CASE_WORDS = {
    "mass": "Masses differ",
    "short": "Missing",
    "unannounced": "Unannounced",
    "double_receipt": "Taken in twice",
    "wrong_plant": "At the wrong plant",
    "quality_mismatch": "Quality differs",
    "quality_changed": "Quality changed on the way",
    "damage": "Damaged on the way",
    "found_again": "Came after it was written off",
    "genealogy_gap": "Origin unknown",
    "correction": "Correction not carried out",
    "identity": "Pieces were mixed up",
    "number_reuse": "One number, two pieces",
    "contested": "Contested",
    "overdue": "Overdue",
}
STATE_CHOICES = tuple(STATE_WORDS.items())
CASE_CHOICES = tuple((kind, words) for kind, words in CASE_WORDS.items() if kind != "overdue")

LINE_COLUMNS = (
    Column("number", "Piece", show="code", link="pieces.piece"),
    Column("own_number", "Receiver's number", show="code", link="pieces.piece", link_key="own_number"),
    Column("position", "Position"),
    Column("grade", "Grade", show="code"),
    Column("order_item", "Order item", show="code"),
    Column("sender_mass_g", "Sender's mass", unit="kg", show="kg"),
    Column("sender_basis", "Basis"),
    Column("receiver_mass_g", "Receiver's mass", unit="kg", show="kg"),
    Column("difference_g", "Difference", unit="kg", show="kg"),
    Column("state_words", "State", show="badge"),
)

SENT_COLUMNS = tuple(replace(one, link="") if one.key == "own_number" else one for one in LINE_COLUMNS)
"""The same at the sender, whose books do not have the piece under the receiver's number."""


def line_row(line: TransferLine) -> dict[str, Any]:
    """A line as a row of a table."""
    row = {name: getattr(line, name) for name in line.__dataclass_fields__}
    return row | {
        "key": line.key,
        "difference_g": line.mass.difference_g if line.mass else None,
        "state_words": ", ".join((STATE_WORDS[line.state], *(FLAG_WORDS[flag] for flag in line.flags))),
        "state_words_state": SIGNS[line.state],
        "lane_pair": f"{line.sender}-{line.receiver}",
    }


def case_row(case: Any) -> dict[str, Any]:
    """A case as a row of a table; open is attention, resolved is done."""
    return dict(case._mapping) | {
        "kind_words": CASE_WORDS.get(case.kind, case.kind),
        "kind_words_state": "attention" if case.state == "open" else "done",
        "lane_pair": f"{case.from_plant or '?'}-{case.to_plant}",
    }
