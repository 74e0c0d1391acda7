"""A staging copy: a plant as it stood when a day began, made of the journal in a folder of its own.

The copy has the plant's model, its rows and its numbers of then; it has no hub, no line and no person. Nothing that is
done in it leaves its folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event, func, insert, select

from local_mes.level2.spool import create_spool, get_key
from local_mes.level2.spool_tables import identity, message, spool_metadata
from local_mes.plant import Plant
from local_mes.staging import errors
from local_mes.wiring import build_plant
from shared.clock import FixedClock
from shared.db.engine import read, write
from shared.disk import check_extras
from shared.journal.fact import decode
from shared.journal.position import applied_to
from shared.journal.reading import Stored, all_streams, entries_after, lives, own_streams
from shared.journal.replay import apply_entries
from shared.journal.tables import fact
from shared.node import create_tables, make_folder
from shared.settings import PlantSettings
from sync.beginning import begin

FACTS_MAX = 1_000_000
"""Facts before the day that a copy is made of: some minutes of work. A plant with a longer past is refused."""
MESSAGES_MAX = 50_000
"""Messages of one day that are played: several times what a large plant's Level 2 tells."""
ROOM_TIMES = 3
"""Times the plant's own database that must be free before: two copies, their logs, and what is played in them."""
ENTRIES_AT_ONCE = 2_000
SCRATCH = "staging-"
LEVEL_2 = "l2"

Told = Callable[[str, int, int], None]
"""Hears the stage, how much of it is done, and how much there is."""


@dataclass(frozen=True)
class Day:
    """A captured day: the messages as the spool keeps them, and what else was recorded in it, each in its order."""

    from_ms: int
    to_ms: int
    messages: tuple[dict[str, Any], ...]
    others: tuple[Stored, ...]


def read_day(plant: Plant, from_ms: int, to_ms: int) -> Day:
    """What Level 2 told in the time, and what people, the hub and the clock did. Refused where it is too much or gone."""
    with read(plant.spool) as conn:
        where = (message.c.received_ms >= from_ms, message.c.received_ms < to_ms)
        rows = conn.execute(select(message).where(*where).order_by(message.c.spool_id).limit(MESSAGES_MAX + 1)).all()
    if not rows:
        raise errors.nothing_captured()
    if len(rows) > MESSAGES_MAX:
        raise errors.too_long(MESSAGES_MAX, "messages of one day")
    with read(plant.node.engine) as conn:
        inside = select(func.count()).where(fact.c.recorded_at_ms < from_ms)
        if conn.execute(inside).scalar_one() > FACTS_MAX:
            raise errors.too_long(FACTS_MAX, "facts of the time before")
    found = chain.from_iterable(_entries(plant.node.engine, from_ms, to_ms))
    others = [item for item in found if not _of_level2(item, plant.code)]
    others.sort(key=lambda item: item.recorded_at_ms)
    return Day(from_ms, to_ms, tuple(dict(row._mapping) for row in rows), tuple(others))


def make_copy(plant: Plant, folder: Path, day: Day, told: Told) -> Plant:
    """The plant as it stood at the day's begin, in `folder`."""
    make_folder(_settings(plant, folder))
    copy = open_copy(plant, folder, FixedClock(day.from_ms))
    create_tables(copy.node.engine)
    begin(copy.node)
    _begin_spool(plant, copy)
    with read(plant.node.engine) as conn:
        total = conn.execute(select(func.count()).where(fact.c.recorded_at_ms < day.from_ms)).scalar_one()
    done = 0
    for batch in _entries(plant.node.engine, 0, day.from_ms):
        with write(copy.node.engine) as conn:
            apply_entries(conn, copy.journal.appliers, batch, day.from_ms)
        done += len(batch)
        told("copying", done, total)
    return copy


def open_copy(plant: Plant, folder: Path, clock: FixedClock) -> Plant:
    """The copy in `folder`. It never waits for the disk, which the live plant needs: nobody keeps what it writes."""
    copy = build_plant(_settings(plant, folder), clock)
    for engine in (copy.node.engine, copy.spool):
        event.listen(engine, "connect", lambda connection, _record: connection.execute("PRAGMA synchronous=OFF"))
    return copy


def check_room(plant: Plant) -> None:
    """NoRoom where the copies might take what the live plant needs: they lie on its disk."""
    engine = plant.node.engine
    if engine.dialect.name == "sqlite":
        size = Path(str(engine.url.database)).stat().st_size
    else:
        with read(engine) as conn:
            size = conn.execute(select(func.pg_database_size(func.current_database()))).scalar_one()
    check_extras(plant.settings.folder, size * ROOM_TIMES)


def _settings(plant: Plant, folder: Path) -> PlantSettings:
    return plant.settings.model_copy(update={"folder": folder, "database_url": None, "clock_file": None})


def _begin_spool(plant: Plant, copy: Plant) -> None:
    """An empty spool under the plant's own key: facts that derive from its messages get the ids of then."""
    spool_metadata.create_all(copy.spool)
    with write(copy.spool) as conn:
        conn.execute(insert(identity).values(key=get_key(plant.spool), made_ms=0))
    create_spool(copy.spool, copy.clock)


def _entries(engine: Engine, from_ms: int, to_ms: int) -> Iterator[list[Stored]]:
    """What is applied here of every stream and was recorded in a time, stream by stream in its order.

    Each look is a transaction of its own: one that stays open for the whole would let the live plant's log grow.
    """
    with read(engine) as conn:
        ends = list(_ends(conn))
    for stream, epoch, end in ends:
        seq = 0
        while seq < end:
            with read(engine) as conn:
                items = entries_after(conn, stream, epoch, seq, ENTRIES_AT_ONCE)
            if not items:
                break
            yield [i for i in items if from_ms <= i.recorded_at_ms < to_ms and i.seq <= end]
            seq = items[-1].seq
            if items[-1].recorded_at_ms >= to_ms:
                break


def _ends(conn: Connection) -> Iterator[tuple[str, str, int]]:
    """Stream, epoch, and its last entry that is applied here."""
    own = own_streams(conn)
    for stream in all_streams(conn):
        for life in lives(conn, stream):
            yield stream, life.epoch, life.seq if stream in own else applied_to(conn, stream, life.epoch)


def _of_level2(item: Stored, plant: str) -> bool:
    """Whether the copy will record it anew out of a message."""
    return item.author == plant and decode(item.body).actor.startswith(LEVEL_2)
