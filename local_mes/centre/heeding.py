"""What the centre decided for this plant is done here by the plant's own commands, and answered: done, or why not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection, Row
from sqlalchemy.exc import DBAPIError, StatementError

from local_mes.centre.service import ACTOR, HUB, owner_of, tell_owners
from local_mes.orders.service import release_orders
from local_mes.plant import Plant
from local_mes.quality.release import ReleaseHold, release_hold
from shared.centre.facts import ORDER_RELEASE, TITLES, DispositionSentDown, OrdersSentDown, SentDownAnswered
from shared.centre.queries import done_since, unanswered
from shared.db.engine import read
from shared.errors import Refused, StrandlineError
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred
from shared.journal.replay import ABOUT_THE_ROW
from shared.orders.facts import OrderReleased
from shared.orders.queries import find_order


def heed_centre(plant: Plant) -> int:
    """Tell who owns what, then do what came; returns how much was answered. Done once each, whatever is cut off."""
    tell_owners(plant)
    with read(plant.node.engine) as conn:
        waiting = unanswered(conn, plant.code)
    for row in waiting:
        reason = _do(plant, row)
        answer = SentDownAnswered(sent_id=row.sent_id, outcome="refused" if reason else "done", reason=reason)
        with plant.journal.work() as tx:
            occurred = Occurred(tx.now_ms(), ACTOR)
            answer_id = derived_id(row.sent_ms, plant.code, "answer", row.sent_id)
            tx.record(Draft(answer, (row.sent_id,), ACTOR, occurred, causes=(row.fact_id,), fact_id=answer_id))
    return len(waiting)


def _do(plant: Plant, row: Row[tuple[object, ...]]) -> str:
    """Why it was refused; empty: done."""
    if owner_of(plant, row.domain) != HUB:
        return f"{TITLES[row.domain]} of {plant.code} belongs to its own people."
    try:
        if row.domain == ORDER_RELEASE:
            _release_orders(plant, row)
        else:
            _dispose(plant, row)
    except StrandlineError as error:
        if error.again:
            raise
        return _words(error)
    except (ValueError, OverflowError, StatementError) as error:
        if isinstance(error, DBAPIError) and not isinstance(error, ABOUT_THE_ROW):
            raise  # a database that is busy or away: the next round does it, or finds it done
        return f"It cannot be done here: {type(error).__name__}."  # it must not stand before the others
    return ""


def _release_orders(plant: Plant, row: Row[tuple[object, ...]]) -> None:
    sent = msgspec.json.decode(row.body, type=OrdersSentDown)
    items = [OrderReleased(**msgspec.structs.asdict(item)) for item in sent.items]
    _check_younger(plant, [item.item for item in items], row.sent_ms)
    release_orders(plant, items, actor=_actor(row), command_id=_command(row), by_centre=True)


def _check_younger(plant: Plant, items: Sequence[str], sent_ms: int) -> None:
    """What people here released while the line was away is younger than what was on its way meanwhile, and stays."""
    with read(plant.node.engine) as conn:
        known = [find_order(conn, plant.code, item) for item in items]
        since = {order.item: order.released_at_ms for order in known if order and order.released_at_ms > sent_ms}
        younger = sorted(set(since) - _by_centre(conn, plant.code, since)) if since else []
    if younger:
        raise Refused(
            "centre.released_here",
            f"{', '.join(younger)}: released at {plant.code} after the centre had sent it.",
            kept="The plant's release stays, nothing of what was sent is taken.",
            todo="Look at the plant's order, and send again what is to replace it.",
        )


def _by_centre(conn: Connection, plant: str, since: Mapping[str, int]) -> set[str]:
    """Of items with when they were released here, those that were released for the centre: an answer followed at once."""
    found = set()
    for row in done_since(conn, plant, ORDER_RELEASE, min(since.values())):
        sent = msgspec.json.decode(row.body, type=OrdersSentDown)
        found |= {item.item for item in sent.items if row.answered_ms >= since.get(item.item, row.answered_ms + 1)}
    return found


def _dispose(plant: Plant, row: Row[tuple[object, ...]]) -> None:
    sent = msgspec.json.decode(row.body, type=DispositionSentDown)
    release_hold(
        plant,
        ReleaseHold(
            _command(row),
            _actor(row),
            sent.hold_id,
            sent.disposition,
            sent.order_item,
            sent.note,
            sent.only_for,
            sent.piece,
        ),
        by_centre=True,
    )


def _actor(row: Row[tuple[object, ...]]) -> str:
    return f"centre:{row.sent_by}"[:64]


def _command(row: Row[tuple[object, ...]]) -> str:
    return f"centre:{row.sent_id}"


def _words(error: StrandlineError) -> str:
    return f"{error.what} {error.todo}".strip()
