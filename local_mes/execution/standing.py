"""One picture of what is in force here, for many pieces: documents by kind, machines, routes of orders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import Connection

from local_mes.plant import Plant
from shared.execution.units import Machine
from shared.execution.versions import Moment, since_of, spell_at
from shared.journal.fact import StandardRef
from shared.orders.queries import OrderItem, find_order
from shared.standards.documents import AnyStandard, QualityRule, Routing
from shared.standards.product_kinds import Practice
from shared.standards.queries import Adopted, find_document, list_history, list_in_force
from shared.standards.work_kinds import DataCollection

NOT_A_ROUTE = "stock"


@dataclass
class Standing:
    """What a request, or a message, needs to know of this plant. Reads each thing once; not kept beyond."""

    conn: Connection
    plant: Plant
    _orders: dict[str, OrderItem | None] = field(default_factory=dict)
    _spells: dict[str, list[Adopted]] = field(default_factory=dict)
    _documents: dict[StandardRef, AnyStandard | None] = field(default_factory=dict)

    @cached_property
    def in_force(self) -> Mapping[str, tuple[Adopted, AnyStandard]]:
        """Id -> what is adopted now, with its document."""
        found = {}
        for adopted in list_in_force(self.conn, self.plant.code):
            document = find_document(self.conn, adopted.standard_id, adopted.version, adopted.sha256)
            if document is not None:
                found[adopted.standard_id] = (adopted, document)
        return found

    @cached_property
    def machines(self) -> tuple[Machine, ...]:
        """The plant's units."""
        units = self.plant.model.unit
        return tuple(Machine(u.code, u.unit_class, frozenset(u.capabilities), u.limits) for u in units)

    @cached_property
    def classes(self) -> dict[str, str]:
        """Unit -> class."""
        return {machine.unit: machine.unit_class for machine in self.machines}

    def class_of(self, author: str, unit: str) -> str:
        """A unit's class; only this plant's units are known here."""
        return self.classes.get(unit, "") if author == self.plant.code else ""

    def order(self, item: str) -> OrderItem | None:
        """The order item that a piece serves, None for stock."""
        if item not in self._orders:
            found = find_order(self.conn, self.plant.code, item) if item not in ("", NOT_A_ROUTE) else None
            self._orders[item] = found
        return self._orders[item]

    def collections_at(self, unit_class: str, moment: Moment) -> list[DataCollection]:
        """What is to be collected at a class of equipment."""
        found = [self.counting(id, moment)[1] for id, (_, d) in self.in_force.items() if isinstance(d, DataCollection)]
        return [document for document in found if isinstance(document, DataCollection) and document.at == unit_class]

    def practices_at(self, unit_class: str, moment: Moment) -> list[Practice]:
        """The tables of aims for a class of equipment."""
        found = [self.counting(id, moment)[1] for id, (_, d) in self.in_force.items() if isinstance(d, Practice)]
        return [document for document in found if isinstance(document, Practice) and document.at == unit_class]

    def rules(self) -> list[QualityRule]:
        """Quality rules; they count at once."""
        return [document for _, document in self.in_force.values() if isinstance(document, QualityRule)]

    def routing(self, route: str, moment: Moment) -> tuple[Adopted, Routing] | None:
        """The version of a route that counts for a piece."""
        if route not in self.in_force:
            return None
        adopted, document = self.counting(route, moment)
        return (adopted, document) if isinstance(document, Routing) else None

    def first_ms(self, standard_id: str) -> int:
        """When the first version there was here began to count."""
        return min(spell.since_ms for spell in self._history(standard_id))

    def _history(self, standard_id: str) -> list[Adopted]:
        if standard_id not in self._spells:
            self._spells[standard_id] = list_history(self.conn, standard_id, self.plant.code)
        return self._spells[standard_id]

    def counting(self, standard_id: str, moment: Moment) -> tuple[Adopted, AnyStandard]:
        """The version that counts for a piece, of a standard that is in force."""
        adopted, document = self.in_force[standard_id]
        since = since_of(document.takes_hold, moment)
        if since is None or adopted.since_ms <= since:
            return adopted, document
        then = spell_at(self._history(standard_id), since)
        before = self._document(then) if then is not None else None
        return (then, before) if then is not None and before is not None else (adopted, document)

    def _document(self, adopted: Adopted) -> AnyStandard | None:
        if adopted.ref not in self._documents:
            found = find_document(self.conn, adopted.standard_id, adopted.version, adopted.sha256)
            self._documents[adopted.ref] = found
        return self._documents[adopted.ref]
