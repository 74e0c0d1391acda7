"""Who owns a plant's domain; what the hub decided in one that it owns; what the plant did with it."""

from __future__ import annotations

import msgspec

from shared.journal.fact import Payload, fact

ORDER_RELEASE = "order_release"
DISPOSITION = "disposition"
DOMAINS = (ORDER_RELEASE, DISPOSITION)
TITLES = {ORDER_RELEASE: "Order release", DISPOSITION: "Disposition of held pieces"}


class SentOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order item as the plant is to release it; quantities in g and um."""

    item: str
    customer: str
    product: str
    grade: str
    thickness_um: int
    width_um: int
    mass_g: int
    route: str = ""
    due: str = ""


@fact("OwnersTold")
class OwnersTold(Payload, frozen=True, kw_only=True):
    """The plant says who owns each domain from now on, by its settings: domain -> `plant` or `hub`."""

    owners: dict[str, str]


@fact("OrdersSentDown")
class OrdersSentDown(Payload, frozen=True, kw_only=True):
    """The hub, which owns the plant's order release, releases these items; the plant records them as its own."""

    sent_id: str
    plant: str
    items: tuple[SentOrder, ...]


@fact("DispositionSentDown")
class DispositionSentDown(Payload, frozen=True, kw_only=True):
    """The hub, which owns the plant's disposition, decides on a hold; fields as in a release at the plant."""

    sent_id: str
    plant: str
    hold_id: str
    disposition: str
    order_item: str = ""
    note: str = ""
    only_for: str = ""
    piece: str = ""


@fact("SentDownAnswered")
class SentDownAnswered(Payload, frozen=True, kw_only=True):
    """What the plant did with it. outcome: done | refused, with why."""

    sent_id: str
    outcome: str
    reason: str = ""
