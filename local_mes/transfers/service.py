"""Use cases of shipping and receiving at a plant; other features of the plant come in through here."""

from __future__ import annotations

from sqlalchemy import Connection

from local_mes.transfers.amending import AmendCommand, amend, heed_amendments
from local_mes.transfers.arriving import arrive
from local_mes.transfers.closing import close_receipt
from local_mes.transfers.departing import depart
from local_mes.transfers.diverting import DivertCommand, divert
from local_mes.transfers.following import inherited_routes, route_followed, was_given
from local_mes.transfers.heeding import heed_cases
from local_mes.transfers.loading import (
    LoadTouch,
    PlanCommand,
    announce,
    cancel_load,
    load_piece,
    plan_load,
    unload_piece,
)
from local_mes.transfers.matching import match_by_hand, match_pending
from local_mes.transfers.parts import Part, receive_parts
from local_mes.transfers.photos import add_photo
from local_mes.transfers.receiving import ReceiveCommand, receive
from local_mes.transfers.returning import LineCommand, refuse, take_back, write_off
from local_mes.transfers.routing import reroute
from local_mes.transfers.shipping import CorrectDeparture, ListedPiece, ShipCommand, correct_departure, ship
from shared.transfers.queries import is_provisional

__all__ = [
    "AmendCommand",
    "CorrectDeparture",
    "DivertCommand",
    "LineCommand",
    "ListedPiece",
    "LoadTouch",
    "Part",
    "PlanCommand",
    "ReceiveCommand",
    "ShipCommand",
    "add_photo",
    "amend",
    "announce",
    "arrive",
    "cancel_load",
    "close_receipt",
    "correct_departure",
    "depart",
    "divert",
    "heed_amendments",
    "heed_cases",
    "inherited_routes",
    "load_piece",
    "match_by_hand",
    "match_pending",
    "may_consume",
    "plan_load",
    "receive",
    "receive_parts",
    "refuse",
    "reroute",
    "route_followed",
    "ship",
    "take_back",
    "unload_piece",
    "was_given",
    "write_off",
]


def may_consume(conn: Connection, material_id: str) -> bool:
    """Whether a piece may be charged as far as transfers go: not while it lives under a provisional identity.

    Its chemistry and its quality status are then unknown. Other holds are asked of quality.
    """
    return not is_provisional(conn, material_id)
