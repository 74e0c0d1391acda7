"""Who deals with the group from outside, what a customer's order demands, what left, and what outside parties say.

An outside party keeps no journal. What it says is recorded by the plant that answers for it, with `party:<code>` as actor.
"""

from __future__ import annotations

import msgspec

from shared.journal.fact import Payload, fact
from shared.material.facts import Mass

CUSTOMER, PROCESSOR = "customer", "processor"
CODE = r"[A-Z][A-Z0-9]{1,11}"
"""A party's code has the form of a plant's: loads name either."""


@fact("PartyAgreed")
class PartyAgreed(Payload, frozen=True, kw_only=True):
    """A customer or processor that this plant answers for; a later fact of the same code replaces it.

    confirms: it tells what came, so that its silence means something. hours: usual time on the way to it.
    """

    code: str
    name: str
    kind: str
    """customer | processor"""
    address: str = ""
    confirms: bool = False
    hours: int = 24
    ended: bool = False


@fact("TermsAgreed")
class TermsAgreed(Payload, frozen=True, kw_only=True):
    """What an order item demands of each piece before it leaves; a later fact of the same item replaces it."""

    item: str
    mass_basis: str = ""
    """weighed | theoretical; empty: as it is"""
    certificate: str = ""
    """Kind of certificate by EN 10204, such as 3.1; empty: none"""
    rules: tuple[str, ...] = ()
    """Quality rules whose last decision on the piece, or on what it was made from, must be a pass."""
    packed: bool = False
    tolerance_ppm: int = 50_000
    """How far below the ordered mass a delivery still is in full."""


class NotedPiece(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of a delivery note, as it left."""

    material_id: str
    number: str
    order_item: str
    mass: Mass
    certificate: str = ""
    """Number of the certificate that covers it."""


@fact("DeliveryNoted")
class DeliveryNoted(Payload, frozen=True, kw_only=True):
    """The delivery note of a load to a customer or processor; the departure itself is MaterialShipped."""

    shipment_id: str
    shipment_number: str
    note_number: str
    party: str
    party_name: str
    address: str
    pieces: tuple[NotedPiece, ...]


@fact("PartyReceived")
class PartyReceived(Payload, frozen=True, kw_only=True):
    """An outside party has taken a piece in. custody_no: the departure's, which it answers; mass None: not weighed."""

    statement_id: str
    party: str
    shipment_id: str
    material_id: str
    custody_no: int
    printed_number: str
    own_number: str = ""
    mass: Mass | None = None
    damage: str = ""
    way: str = ""
    """epcis | csv | link | x12"""


@fact("PartyMissed")
class PartyMissed(Payload, frozen=True, kw_only=True):
    """An outside party says that a listed piece did not come."""

    statement_id: str
    party: str
    shipment_id: str
    material_id: str
    custody_no: int
    printed_number: str
    note: str = ""
    way: str = ""


class PartyPiece(msgspec.Struct, frozen=True, kw_only=True):
    """A piece on a party's own load."""

    material_id: str
    shipment_id: str
    """The load it came to the party with."""
    printed_number: str
    mass: Mass | None = None


@fact("PartyShipped")
class PartyShipped(Payload, frozen=True, kw_only=True):
    """An outside party sent pieces back; they are the plant's again when it takes them back (MaterialReturned)."""

    statement_id: str
    party: str
    number: str
    vehicle: str = ""
    pieces: tuple[PartyPiece, ...]
    way: str = ""
