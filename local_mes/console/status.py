"""The honest lines of a plant's header: how it stands to its hub and to its Level 2."""

from __future__ import annotations

from local_mes.level2.down import count_late, find_refused_lately
from local_mes.level2.link_state import COLLECTOR_AWAY_MS, CONNECTED, find_states, real_ms
from local_mes.plant import Plant
from shared.db.engine import read
from shared.web.features import StatusLine
from shared.web.formats import clock_time
from shared.web.status import hub_line, level2_line, protocol_line
from sync.addresses import is_plain
from sync.link import AWAY, DAMAGED, NO_ROOM, OTHER_PROTOCOL, LinkReport, report_link
from sync.peers import list_peers


def hub_status(plant: Plant) -> tuple[StatusLine, ...]:
    """One line for the hub; a plant that was never enrolled says so."""
    with read(plant.node.engine) as conn:
        hubs = [report_link(conn, plant.code, peer.code) for peer in list_peers(conn)]
    if not hubs:
        return (StatusLine("attention", "Not joined to a hub yet. Everything is recorded here."),)
    return tuple(_hub_line(plant, hub) for hub in hubs)


def _hub_line(plant: Plant, hub: LinkReport) -> StatusLine:
    since = _clock(plant, hub.since_ms)
    if hub.state == OTHER_PROTOCOL:
        return protocol_line(since, hub.waiting)
    if hub.state == DAMAGED:
        return StatusLine("alarm", f"Nothing is sent since {since}: an entry of the journal is damaged. See incidents.")
    return hub_line(since if hub.state == AWAY else None, hub.waiting, since if hub.state == NO_ROOM else None)


def plain_status(plant: Plant) -> tuple[StatusLine, ...]:
    """Nothing, unless somebody allowed a line to the hub without TLS: then why."""
    plain = [route.url for route in plant.settings.routes if is_plain(route.url)]
    if not plain:
        return ()
    return (
        StatusLine("attention", f"The line to {plain[0]} is not encrypted: {plant.settings.sync.allow_plain_http}"),
    )


def level2_status(plant: Plant) -> tuple[StatusLine, ...]:
    """Lines for links that give no data; one quiet line when all of them talk."""
    if not plant.model.link:
        return ()
    states = find_states(plant.spool)
    now = real_ms()
    if not states or max(row.seen_real_ms for row in states.values()) < now - COLLECTOR_AWAY_MS:
        return (StatusLine("nodata", "Level 2: the collector does not run. No data."),)
    names = {link.code: link.code for link in plant.model.link}
    silent = [row for row in states.values() if row.state != CONNECTED and row.link in names]
    orders = _orders_status(plant)
    if not silent:
        return (*orders, StatusLine("normal", f"Level 2: {len(names)} of {len(names)} links connected"))
    return (*orders, *(level2_line(names[row.link], _clock(plant, row.since_ms)) for row in silent))


def _orders_status(plant: Plant) -> tuple[StatusLine, ...]:
    """Orders to Level 2 that wait too long, and the one that was refused last."""
    late = count_late(plant.spool)
    lines = [
        StatusLine("attention", f"{link}: {_many(count)} not answered yet.") for link, count in sorted(late.items())
    ]
    refused = find_refused_lately(plant.spool, plant.clock.now_ms())
    if refused is not None:
        at = _clock(plant, refused.answered_ms)
        lines.append(StatusLine("attention", f"{refused.link}: {refused.message} refused at {at} ({refused.answer})."))
    return tuple(lines)


def _many(count: int) -> str:
    return "an order is" if count == 1 else f"{count} orders are"


def _clock(plant: Plant, at_ms: int | None) -> str:
    return clock_time(at_ms, plant.clock.now_ms(), plant.model.plant.zone)
