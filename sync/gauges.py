"""A node's figures for /metrics: everything cheap enough to be asked every few seconds, from one read transaction."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, func, select

from shared.db.engine import read
from shared.disk import look
from shared.journal.position import apply_position
from shared.journal.quarantine import count_by_state
from shared.journal.quarantine import quarantine as aside
from shared.node import Node
from shared.web.metrics import Measure
from sync import incidents
from sync.backups.ledger import read_ledger
from sync.figures import lengths
from sync.link import LinkReport, complete_through, report_caller, report_link
from sync.peers import list_peers
from sync.routed import RoutedTransport
from sync.sight_door import find_sight
from sync.tables import position
from sync.waiting import Waiting, read_waiting


def node_measures(node: Node, transport: RoutedTransport | None = None) -> Iterator[Measure]:
    """All of them. transport: of a plant, which calls; None at the hub, which is called."""
    with read(node.engine) as conn:
        yield from _facts(conn, node.code)
        for peer in list_peers(conn):
            if transport is not None:
                line, waits = report_link(conn, node.code, peer.code), read_waiting(conn, node.code, peer.code)
            else:
                away_s = node.settings.sync.away_after_s
                line = report_caller(conn, f"{node.code}>{peer.code}", peer.code, away_s)
                kept = find_sight(conn, peer.code)
                said = kept.sight if kept else None
                waits = Waiting(said.backlog, said.backlog_bytes, said.oldest_ms) if said else Waiting(0, 0, None)
            yield from _line(node, line, waits, complete_through(conn, peer.code))
        for level, count in incidents.count_open(conn).items():
            yield Measure("strandline_incidents_open", "Incidents nobody has acknowledged.", count, {"level": level})
    disk = look(node.settings.folder)
    yield Measure("strandline_disk_free_bytes", "Free on the disk of the node's folder.", disk.free)
    yield Measure("strandline_disk_size_bytes", "Size of that disk.", disk.total)
    yield from _backups(node)
    if transport is not None:
        yield from _routes(transport)


def _facts(conn: Connection, code: str) -> Iterator[Measure]:
    written = lengths(conn)
    recorded = sum(seq for stream, seq in written.items() if stream == code)
    yield Measure("strandline_facts_recorded_total", "Facts this node recorded in its own stream.", recorded)
    received = select(position.c.stream, func.sum(position.c.durable)).where(position.c.stream.not_in(sorted(written)))
    for stream, count in conn.execute(received.group_by(position.c.stream)):
        yield Measure("strandline_facts_received_total", "Entries durable here.", int(count), {"stream": stream})
    applied = select(apply_position.c.stream, func.sum(apply_position.c.seq)).group_by(apply_position.c.stream)
    for stream, count in conn.execute(applied):
        yield Measure("strandline_facts_applied_total", "Entries applied or set aside.", int(count), {"stream": stream})
    counts = count_by_state(conn)
    yield Measure("strandline_facts_parked", "Facts newer than this release reads.", counts["parked"])
    yield Measure("strandline_facts_held", "Facts behind one that was set aside.", counts["held"])
    unread = select(aside.c.author, func.count()).where(aside.c.state == "quarantined").group_by(aside.c.author)
    for author, count in conn.execute(unread):
        yield Measure("strandline_facts_quarantined", "Facts that cannot be read.", int(count), {"author": author})


def _line(node: Node, line: LinkReport, waits: Waiting, through_ms: int | None) -> Iterator[Measure]:
    now, peer = node.clock.now_ms(), {"peer": line.peer}
    yield Measure("strandline_link_up", "1 while the peer is heard.", int(line.state not in ("away", "never")), peer)
    yield Measure("strandline_backlog_facts", "Facts that the reader does not hold.", waits.facts, peer)
    yield Measure("strandline_backlog_bytes", "About how many bytes they are.", waits.bytes, peer)
    oldest_s = 0 if waits.oldest_ms is None else max(0, now - waits.oldest_ms) / 1000
    yield Measure("strandline_oldest_unsent_seconds", "Age of the first fact that waits; 0 for none.", oldest_s, peer)
    yield Measure("strandline_clock_offset_seconds", "The peer's clock minus ours.", line.offset_ms / 1000, peer)
    if line.last_contact_ms is not None:
        age_s = (now - line.last_contact_ms) / 1000
        yield Measure("strandline_last_contact_age_seconds", "Since the last exchange.", age_s, peer)
    if through_ms:
        lag_s = (now - through_ms) / 1000
        yield Measure("strandline_watermark_lag_seconds", "How far the peer's data is behind now.", lag_s, peer)


def _routes(transport: RoutedTransport) -> Iterator[Measure]:
    for state in transport.states():
        labels = {"route": state.route.name, "way": state.way}
        yield Measure("strandline_route_well", "1 while the route is well.", int(state.state == "well"), labels)
        yield Measure("strandline_route_chosen", "1 for the route in use.", int(state.chosen), labels)
        if state.latency_s is not None:
            yield Measure("strandline_route_latency_seconds", "Smoothed round trip.", state.latency_s, labels)


def _backups(node: Node) -> Iterator[Measure]:
    kept, now = read_ledger(node.settings.folder), node.clock.now_ms()
    if kept.taken_ms:
        age = (now - kept.taken_ms) / 1_000
        yield Measure("strandline_backup_age_seconds", "Since the last backup was begun.", age)
        yield Measure("strandline_backup_bytes", "Size of the last backup.", kept.bytes)
    if kept.checked_ms:
        age = (now - kept.checked_ms) / 1_000
        yield Measure("strandline_backup_checked_age_seconds", "Since a backup was last restored for a check.", age)
