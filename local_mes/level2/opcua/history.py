"""What a server has stored since the last change we have: read after each connect, in its order in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.node import Node
from asyncua.ua.uaerrors import UaError

from local_mes.level2.drivers.signal_state import SignalState
from local_mes.level2.opcua.settings import EventSource, Signal
from local_mes.level2.opcua.values import find_node, is_after, plain, reading_of

CURRENT_TIME = "i=2258"
CHUNK = 1_000
"""Values in one answer of the server."""
Found = tuple[Signal | EventSource, Any]


async def find_history(
    client: Client, sources: Sequence[Signal | EventSource], states: Mapping[str, SignalState]
) -> tuple[list[Found], list[str]]:
    """Stored values and events of those that ask for it, oldest first, and in words what could not be read."""
    wanted = [one for one in sources if one.history and states[one.message].claimed]
    if not wanted:
        return [], []
    # the server's own clock bounds the read: ours may be off; of a server without one all is read
    now = await server_time(client)
    until = datetime.fromisoformat(now) + timedelta(seconds=1) if now else None
    found: list[tuple[str, int, Found]] = []
    faults = []
    for source in wanted:
        claimed = states[source.message].claimed
        try:
            rows = await _read(client, source, datetime.fromisoformat(claimed), until)
        except (UaError, ValueError) as error:
            faults.append(
                f"{source.message}: its history since {claimed} cannot be read ({type(error).__name__}): "
                "changes of that time are missing"
            )
            continue
        found.extend((moment, len(found), (source, one)) for moment, one in rows)
    return [one for _, _, one in sorted(found, key=lambda row: row[:2])], faults


async def find_unknown(
    client: Client, sources: Sequence[Signal | EventSource], states: Mapping[str, SignalState]
) -> list[str]:
    """Sources without `history` of which nobody can say that nothing happened while nobody listened."""
    return [
        one.message
        for one in sources
        if not one.history
        and states[one.message].claimed
        and (isinstance(one, EventSource) or not await _is_unchanged(client, one, states[one.message].claimed))
    ]


async def server_time(client: Client) -> str:
    """The server's clock as it tells times of changes, ISO in UTC; empty for a server that shows none."""
    reading = await client.get_node(CURRENT_TIME).read_data_value(raise_on_bad_status=False)
    moment = reading.Value.Value if reading.Value is not None else None
    return str(plain(moment)) if isinstance(moment, datetime) else ""


async def _is_unchanged(client: Client, signal: Signal, claimed: str) -> bool:
    """Whether the value there is no younger than the one last heard, by the time that the server says it is of."""
    node = await find_node(client, signal.node)
    now = reading_of(await node.read_data_value(raise_on_bad_status=False)).claimed
    return bool(now) and not is_after(now, claimed)


async def _read(
    client: Client, source: Signal | EventSource, since: datetime, until: datetime | None
) -> list[tuple[str, Any]]:
    node = await find_node(client, source.node)
    if isinstance(source, EventSource):
        return await _read_events(node, (await find_node(client, source.type)).nodeid, since, until)
    rows: list[tuple[str, Any]] = []
    while True:
        values = await node.read_raw_history(since, until, CHUNK, return_bounds=False)
        fresh = [(reading_of(value).claimed, value) for value in values]
        rows.extend(fresh)
        last = datetime.fromisoformat(fresh[-1][0]) if fresh and fresh[-1][0] else since
        if len(fresh) < CHUNK or last <= since:
            return rows
        since = last  # the last one comes again and is recognised


async def _read_events(node: Node, kind: ua.NodeId, since: datetime, until: datetime | None) -> list[tuple[str, Any]]:
    """Asked again from the last one on until nothing new comes: a server may answer with fewer than there are."""
    rows: list[tuple[str, Any]] = []
    seen: set[Any] = set()
    while True:
        found = await node.read_event_history(since, until, CHUNK, kind)
        fresh = [event for event in found if plain(getattr(event, "EventId", b"")) not in seen]
        seen |= {plain(getattr(event, "EventId", b"")) for event in fresh}
        rows.extend((str(plain(getattr(event, "Time", ""))), event) for event in fresh)
        if not fresh:
            return rows
        since = max(datetime.fromisoformat(rows[-1][0]), since) if rows[-1][0] else since
