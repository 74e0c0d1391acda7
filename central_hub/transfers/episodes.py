"""Waiting for a sender's data is no case: an episode that opens when a sender is away and closes by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from central_hub.transfers.domain import KnownLine, KnownReceipt, Sight, is_away, may_be
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred
from shared.transfers.facts import AwaitingData
from shared.transfers.tables import awaiting_episode, shipment_line

ACTOR = "job:reconcile"
Group = tuple[str, str, str]
"""Awaited plant, receiver, number of the load as the receiver knows it."""


@dataclass(frozen=True)
class Waiting:
    """A receipt that cannot be judged because its sender is behind."""

    receipt: KnownReceipt
    senders: tuple[str, ...]

    @property
    def group(self) -> Group:
        """What it waits for."""
        plant = self.receipt.from_plant or ",".join(self.senders)
        return plant, self.receipt.receiver, self.receipt.shipment_number


def has_line(receipt: KnownReceipt, lines: Iterable[KnownLine]) -> bool:
    """Whether a line to the receiver is known that can mean this piece: then nothing is waited for."""
    return any(line.receiver == receipt.receiver and may_be(receipt, line) for line in lines)


def episodes(
    conn: Connection,
    hub: str,
    waiting: Sequence[Waiting],
    lines_by_number: Mapping[str, Sequence[KnownLine]],
    sight: Sight,
) -> list[Draft[AwaitingData]]:
    """Episodes to open and to close now."""
    groups: dict[Group, list[Waiting]] = {}
    for item in waiting:
        groups.setdefault(item.group, []).append(item)
    running = {(row.plant, row.receiver, row.shipment_number): row for row in _running(conn, hub)}
    opened = [
        _open(hub, group, items, sight)
        for group, items in sorted(groups.items())
        if group not in running and any(is_away(item.receipt, item.senders, sight) for item in items)
    ]
    closed = [
        _close(conn, row, lines_by_number, sight) for group, row in sorted(running.items()) if group not in groups
    ]
    return opened + closed


def _running(conn: Connection, hub: str) -> Sequence[Row[Any]]:
    c = awaiting_episode.c
    return conn.execute(select(awaiting_episode).where(c.author == hub, c.closed.is_(False))).all()


def _open(hub: str, group: Group, items: Sequence[Waiting], sight: Sight) -> Draft[AwaitingData]:
    plant, receiver, number = group
    first = min((item.receipt for item in items), key=lambda r: (r.recorded_at_ms, r.receipt_id))
    episode_id = derived_id(first.recorded_at_ms, hub, "awaiting", plant, receiver, number, first.receipt_id)
    seen = min((sight.through.get(p, 0) for item in items for p in item.senders), default=0)
    fact = AwaitingData(
        episode_id=episode_id,
        plant=plant,
        shipment_number=number,
        lines=len(items),
        closed=False,
        complete_to_ms=seen,
        receiver=receiver,
    )
    return Draft(
        fact,
        (episode_id,),
        ACTOR,
        Occurred(first.recorded_at_ms, ACTOR),
        fact_id=derived_id(first.recorded_at_ms, episode_id, "opened"),
    )


def _close(
    conn: Connection, row: Row[Any], lines_by_number: Mapping[str, Sequence[KnownLine]], sight: Sight
) -> Draft[AwaitingData]:
    """lines of a closed episode: the pieces of the loads it turned out to be about, else what was waiting."""
    loads = {
        line.shipment_id
        for lines in lines_by_number.values()
        for line in lines
        if line.receiver == row.receiver
        and row.shipment_number in ("", line.shipment_number)
        and line.sender in row.plant.split(",")
    }
    c = shipment_line.c
    count = (
        select(func.count()).select_from(shipment_line).where(c.shipment_id.in_(sorted(loads)), c.withdrawn.is_(False))
    )
    through = min((sight.through.get(plant, 0) for plant in row.plant.split(",")), default=0)
    fact = AwaitingData(
        episode_id=row.episode_id,
        plant=row.plant,
        shipment_number=row.shipment_number,
        lines=max(int(conn.execute(count).scalar_one()), row.lines),
        closed=True,
        complete_to_ms=through,
        receiver=row.receiver,
    )
    return Draft(
        fact,
        (row.episode_id,),
        ACTOR,
        Occurred(through, ACTOR),
        fact_id=derived_id(row.opened_at_ms, row.episode_id, "closed"),
    )
