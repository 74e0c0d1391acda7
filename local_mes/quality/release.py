"""Releasing a hold: a person decides, the rule's evaluation on the piece's own steel is the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from local_mes.centre.service import check_ours
from local_mes.execution.serving import check_serves
from local_mes.level2.outbox import pass_on_now
from local_mes.plant import Plant
from local_mes.quality import errors
from local_mes.quality.checks import Decision, ask_again, explain, said_of
from local_mes.quality.deed import Deed, by_person
from local_mes.quality.holds import reaches, send_flag
from local_mes.quality.steel import inputs_of
from local_mes.standards.service import find_rule
from shared.centre.facts import DISPOSITION
from shared.errors import NotFound
from shared.material.facts import MaterialScrapped, OrderAssigned
from shared.material.queries import get_piece, rows_of
from shared.orders.queries import OrderItem, find_order
from shared.quality.domain import DISPOSITIONS
from shared.quality.facts import HoldPlaced, HoldReleased
from shared.quality.queries import find_decision, find_hold, open_holds
from shared.rules.document import Consequence
from shared.rules.evaluate import evaluate

STOCK = "stock"


@dataclass(frozen=True)
class ReleaseHold:
    """A person's decision about a held piece.

    piece       where the hold came down from a parent: the piece to free; empty = the piece the hold was placed on
    order_item  the order it serves from now on; needed for `reapply`
    only_for    a product or order the piece is limited to
    """

    command_id: str
    actor: str
    hold_id: str
    disposition: str
    order_item: str = ""
    note: str = ""
    only_for: str = ""
    piece: str = ""
    at_ms: int | None = None


def release_hold(plant: Plant, command: ReleaseHold, *, by_centre: bool = False) -> dict[str, Any]:
    """End a hold (or, with `piece`, its reach on one descendant). Done once for a command id.

    A hold that came down from a heat is asked about again on the piece's own mixed steel; `prime` is refused while that
    still breaks the rule. Where nothing new can be asked, `prime` is the person's word and needs a note.
    by_centre: the hub decided, which owns this plant's disposition; else it is refused where the hub does.
    """
    if command.disposition not in DISPOSITIONS:
        raise errors.bad_disposition(command.disposition, DISPOSITIONS)
    if command.disposition == "reapply" and not command.order_item:
        raise errors.needs_order()
    with plant.journal.work() as tx:
        earlier = tx.once(command.command_id)
        if earlier is not None:
            return dict(earlier)
        if not by_centre:
            check_ours(plant, tx.conn, DISPOSITION)
        result = _release(by_person(plant, tx, command.actor, command.at_ms), command)
        tx.done(command.command_id, result)
    pass_on_now(plant)
    return result


def _release(deed: Deed, command: ReleaseHold) -> dict[str, Any]:
    hold, row = _held_piece(deed, command)
    order = _order(deed.conn, deed.plant.code, command.order_item)
    evidence = _evidence(deed, hold, row)
    _check(deed, hold.rule_id, command, row, order, evidence)
    hold_id = _own_hold(deed, hold, row)
    _end(deed, hold_id, command, row, evidence)
    is_free = not open_holds(deed.conn, row.material_id)
    if is_free and row.kind == "slab":
        send_flag(deed, row.number, held=False, key=hold_id)
    return {
        "hold_id": hold_id,
        "piece": row.number,
        "material_id": row.material_id,
        "disposition": command.disposition,
        "free": is_free,
        "order_item": command.order_item or row.order_item,
        "evidence": evidence.explanation if evidence else "",
        "decision_id": evidence.decision_id if evidence else "",
    }


def _held_piece(deed: Deed, command: ReleaseHold) -> tuple[Row[Any], Row[Any]]:
    hold = find_hold(deed.conn, command.hold_id)
    if hold is None or hold.placed_at_ms is None:
        raise errors.unknown_hold(command.hold_id)
    plant = deed.plant.code
    if hold.author != plant:
        raise errors.carried(hold.reason, plant) if hold.inherited_from else errors.not_ours(hold.author, plant)
    row = get_piece(deed.conn, command.piece or hold.material_id, plant) if command.piece else _row(deed, hold)
    if hold.released_at_ms is not None:
        raise errors.already_released(row.number, hold.disposition)
    if row.state == "scrapped" and command.disposition != "scrap":
        raise errors.scrapped(row.number)
    if row.material_id != hold.material_id and not reaches(deed, row.material_id, hold.hold_id):
        raise errors.not_held(row.number)
    return hold, row


def _evidence(deed: Deed, hold: Row[Any], row: Row[Any]) -> Decision | None:
    """The rule asked about this very piece; None where it was the piece itself that was judged already."""
    if not _judged_elsewhere(deed.conn, hold, row):
        return None
    return ask_again(deed, hold.rule_id, row.material_id, inputs_of(deed.conn, row))


def _judged_elsewhere(conn: Connection, hold: Row[Any], row: Row[Any]) -> bool:
    decided = find_decision(conn, hold.author, hold.decision_id) if hold.decision_id else None
    return decided is not None and decided.material_id != row.material_id


def preview_evidence(conn: Connection, hold: Row[Any], row: Row[Any]) -> tuple[str, str]:
    """What the rule would say of the piece now, (outcome, explanation), nothing recorded; empty where it is not asked."""
    rule = find_rule(conn, hold.rule_id) if hold.rule_id and _judged_elsewhere(conn, hold, row) else None
    if rule is None:
        return "", ""
    outcome = evaluate(rule.rule, inputs_of(conn, row))
    lines = "; ".join(line.text for line in outcome.explanation)
    return said_of(outcome), lines or explain(outcome)


def _row(deed: Deed, hold: Row[Any]) -> Row[Any]:
    rows = rows_of(deed.conn, [hold.material_id])
    row = next((r for r in rows if r.author == deed.plant.code), rows[0] if rows else None)
    if row is None:
        raise NotFound(
            "quality.unknown_piece", "The held piece is not in this plant's books.", todo="Tell the engineer."
        )
    return row


def _order(conn: Connection, author: str, item: str) -> OrderItem | None:
    found = find_order(conn, author, item) if item not in ("", STOCK) else None
    if item not in ("", STOCK) and found is None:
        raise errors.unknown_order(item)
    return found


def _check(
    deed: Deed, rule_id: str, command: ReleaseHold, row: Row[Any], order: OrderItem | None, evidence: Decision | None
) -> None:
    """What the standards say of such a piece, and of whom it may serve, binds the person too."""
    if order is not None and command.disposition not in ("scrap", "return"):
        downgrade = command.disposition == "downgrade"
        check_serves(deed.conn, deed.plant.code, row.number, row.grade, order, downgrade)
    if command.disposition == "prime" and evidence is not None and evidence.outcome != "pass":
        raise errors.still_violates(rule_id, evidence.explanation)
    if command.disposition == "prime" and evidence is None and not command.note.strip():
        raise errors.note_missing()
    rule = find_rule(deed.conn, rule_id) if rule_id else None
    broken = evidence is None or evidence.outcome != "pass"
    if rule is None or not broken or command.disposition in ("scrap", "rework", "return"):
        return
    target = order or _order_of(deed.conn, deed.plant.code, row)
    if target is not None:
        _check_use(rule_id, rule.rule.otherwise, target)


def _order_of(conn: Connection, author: str, row: Row[Any]) -> OrderItem | None:
    return find_order(conn, author, row.order_item) if row.order_item not in ("", STOCK) else None


def _check_use(rule_id: str, otherwise: Consequence, order: OrderItem) -> None:
    if order.grade in otherwise.never_for:
        raise errors.never_for(rule_id, order.item, order.grade)
    if otherwise.serves and not any(product in order.product for product in otherwise.serves):
        raise errors.serves_only(rule_id, order.item, otherwise.serves)


def _own_hold(deed: Deed, hold: Row[Any], row: Row[Any]) -> str:
    """The hold to end: a hold that came down gets a row of the piece's own first, so that the parent stays held."""
    if hold.material_id == row.material_id:
        return str(hold.hold_id)
    own = deed.mint()
    fact = HoldPlaced(
        hold_id=own,
        material_id=row.material_id,
        reason=hold.reason,
        rule_id=hold.rule_id,
        decision_id=hold.decision_id,
        inherited_from=hold.hold_id,
    )
    deed.record(fact, (row.material_id, own))
    return own


def _end(deed: Deed, hold_id: str, command: ReleaseHold, row: Row[Any], evidence: Decision | None) -> None:
    causes = (evidence.fact_id,) if evidence else ()
    released = HoldReleased(
        hold_id=hold_id,
        material_id=row.material_id,
        disposition=command.disposition,
        note=command.note,
        only_for=command.only_for,
    )
    deed.record(released, (row.material_id, hold_id), causes=causes)
    if command.order_item and command.order_item != row.order_item:
        assigned = OrderAssigned(
            material_id=row.material_id,
            order_item=command.order_item,
            reason=f"{command.disposition}: {command.note}".strip(": "),
        )
        deed.record(assigned, (row.material_id,), causes=causes)
    if command.disposition == "scrap" and row.state == "live":
        scrapped = MaterialScrapped(
            material_id=row.material_id, mass_g=row.mass_g, reason=command.note or "quality disposition"
        )
        deed.record(scrapped, (row.material_id,), causes=causes)
