"""Who owns a domain of this plant: people here, or the centre. The setting decides, and this plant alone has the setting.

A domain of the centre is refused to people here by a sentence that names the owner. Holds are placed here all the same,
and stay until somebody ends them. When nothing was heard of the hub for `ownership.away_hours` people here decide again:
a plant does not stop for a line.
"""

from __future__ import annotations

from sqlalchemy import Connection

from local_mes.plant import Plant
from shared.centre.facts import DOMAINS, TITLES, OwnersTold
from shared.centre.queries import owners_of
from shared.db.engine import read
from shared.errors import Refused
from shared.journal.fact import Draft, Occurred
from sync.link import report_link
from sync.peers import list_peers

HUB = "hub"
ACTOR = "job:owners"
HOUR_MS = 3_600_000


def owner_of(plant: Plant, domain: str) -> str:
    """`plant` or `hub`, by the settings."""
    return str(getattr(plant.settings.ownership, domain))


def check_ours(plant: Plant, conn: Connection, domain: str) -> None:
    """Refused where the centre owns the domain and has been heard of lately."""
    if owner_of(plant, domain) != HUB:
        return
    hub, heard_ms = _heard(plant, conn)
    hours = plant.settings.ownership.away_hours
    if heard_ms is not None and plant.clock.now_ms() - heard_ms <= hours * HOUR_MS:
        raise Refused(
            "centre.owner",
            f"{TITLES[domain]} of {plant.code} belongs to {hub}.",
            kept="Nothing was changed; what is held stays held.",
            todo=f"Ask there. Without a word of {hub} for {hours} h it is decided here again.",
        )


def tell_owners(plant: Plant) -> bool:
    """Tell the hub who owns what, where that is not what was told last; a plant that owns all never says a word."""
    owners = {domain: owner_of(plant, domain) for domain in DOMAINS}
    with read(plant.node.engine) as conn:
        told = owners_of(conn, plant.code)
    if owners == {domain: told.get(domain, "plant") for domain in DOMAINS}:
        return False
    with plant.journal.work() as tx:
        occurred = Occurred(tx.now_ms(), ACTOR)
        tx.record(Draft(OwnersTold(owners=owners), ("owners",), ACTOR, occurred))
    return True


def _heard(plant: Plant, conn: Connection) -> tuple[str, int | None]:
    """The hub, and when it was last heard of in ms; None for a plant that is alone."""
    reports = [report_link(conn, plant.code, peer.code) for peer in list_peers(conn)]
    last = max(reports, key=lambda one: one.last_contact_ms or 0, default=None)
    return (last.peer, last.last_contact_ms) if last is not None else ("", None)
