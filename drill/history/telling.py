"""How a story is told: ids that the seed determines, steps and journeys between plants as facts, up to the story's end.

What would happen after the end has not happened: so there is stock, and something is always on the way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from msgspec.structs import replace as replaced

from drill.history.dice import Dice
from drill.history.steel import Item
from shared.ids import derived_id
from shared.journal.fact import Draft, Occurred, Payload
from shared.material.facts import (
    Consumed,
    Edge,
    Loss,
    MarkPlaced,
    Mass,
    MaterialTransformed,
    NewAlias,
    NewMaterial,
)
from shared.transfers.facts import MaterialReceived, MaterialShipped, PieceData, ShipmentLine

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
TRUCK = 2
CUSTOMERS = 400
Phase = tuple[str, list[Draft[Any]]]
"""An author and facts of one type, in order."""


@dataclass(frozen=True, slots=True)
class Story:
    """What decides everything: a seed, the story's end, which sequence this is, when it begins."""

    seed: int
    number: int
    begins_ms: int
    ends_ms: int


class Teller:
    """Tells one sequence: phases are its facts, born how many pieces it made."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.dice = Dice(story.seed, story.number)
        self.phases: list[Phase] = []
        self.born = 0
        self._count = 0

    def tell(self, author: str, drafts: list[Draft[Any]]) -> None:
        """One more phase, unless there is nothing in it."""
        if drafts:
            self.phases.append((author, drafts))

    def new_id(self, at_ms: int, what: str) -> str:
        """The next id of this story, for something of that time."""
        self._count += 1
        return derived_id(at_ms, self.story.seed, self.story.number, self._count, what)

    def chance(self, ppm: int) -> bool:
        """Whether something happens that happens so often."""
        return self.dice.below(1_000_000) < ppm

    def serial(self) -> str:
        """A serial number for a label, unique in the story."""
        return f"{self.story.number:05d}{self._count:05d}"

    def year(self, at_ms: int) -> int:
        """The year's last digit as labels have it."""
        return at_ms // (365 * DAY_MS) % 10

    def over(self, at_ms: int) -> bool:
        """Whether the story has ended by then."""
        return at_ms >= self.story.ends_ms

    def draft(self, payload: Payload, at_ms: int, subjects: Iterable[str]) -> Draft[Any]:
        """A fact with the id that the story gives it."""
        occurred = Occurred(at_ms, "l2:history")
        return Draft(payload, tuple(subjects), "history", occurred, fact_id=self.new_id(at_ms, "fact"))

    def step(
        self, what: str, unit: str, at_ms: int, used: Sequence[Consumed], made: Sequence[NewMaterial],
        edges: Sequence[Edge], losses: Sequence[Loss],
    ) -> Draft[Any]:  # fmt: skip
        """One operation at its end; what it made counts as born."""
        self.born += len(made)
        payload = MaterialTransformed(
            operation_id=self.new_id(at_ms, "operation"),
            operation=what,
            unit=unit,
            started_at_ms=at_ms - HOUR_MS // 4,
            ended_at_ms=at_ms,
            parents=tuple(used),
            children=tuple(made),
            edges=tuple(edges),
            losses=tuple(losses),
        )
        ids = [*(new.material_id for new in made), *(parent.material_id for parent in used)]
        return self.draft(payload, at_ms, ids)

    def transport(self, sender: str, receiver: str, items: Sequence[Item], load: int, mark: str) -> list[Item]:
        """By loads to the next plant, where each piece gets a number of its own; what is still on the way is left out."""
        left: list[Draft[Any]] = []
        came: list[Draft[Any]] = []
        there: list[Item] = []
        for at in range(0, len(items), load):
            part = items[at : at + load]
            goes_ms = max(item.at_ms for item in part) + self.dice.between(6, 48) * HOUR_MS
            if self.over(goes_ms):
                continue
            shipped = self._ship(sender, receiver, part, goes_ms)
            left.append(shipped)
            for item in part:
                at_ms = goes_ms + 9 * HOUR_MS + self.dice.below(HOUR_MS)
                if self.over(at_ms):
                    continue
                own = f"{mark}{self.year(at_ms)}-{self.serial()}"
                came.append(self._receive(receiver, sender, shipped.payload, item, own, at_ms))
                there.append(replace(item, number=own, at_ms=at_ms, custody_no=item.custody_no + 1))
        self.tell(sender, left)
        self.tell(receiver, came)
        return there

    def _ship(self, sender: str, to: str, items: Sequence[Item], at_ms: int) -> Draft[Any]:
        shipment = self.new_id(at_ms, "shipment")
        lines = tuple(
            ShipmentLine(
                piece=PieceData(
                    material_id=item.material_id,
                    kind=item.kind,
                    number=item.number,
                    grade=item.grade,
                    order_item=item.order_item,
                    size=item.size,
                    mass=Mass(item.mass_g, "weighed", "W1", item.at_ms),
                    heats={item.heat: 1_000_000},
                ),
                position=f"P{n + 1}",
                custody_no=item.custody_no + 1,
            )
            for n, item in enumerate(items)
        )
        payload = MaterialShipped(
            shipment_id=shipment,
            number=f"S{sender[0]}-{self.serial()}",
            to=to,
            lane=f"{sender}-{to}",
            mode="rail" if len(items) > TRUCK else "truck",
            vehicle=f"V{self._count % 97:02d}",
            departed_at_ms=at_ms,
            eta_ms=at_ms + 9 * HOUR_MS,
            lines=lines,
        )
        return self.draft(payload, at_ms, [shipment, *(item.material_id for item in items)])

    def _receive(
        self, receiver: str, sender: str, load: MaterialShipped, item: Item, own: str, at_ms: int
    ) -> Draft[Any]:
        aliases = (NewAlias(f"{receiver}.{item.kind}", own), NewAlias(f"{sender}.{item.kind}", item.number))
        new = replace(item, at_ms=at_ms).born("", "YA")
        payload = MaterialReceived(
            receipt_id=self.new_id(at_ms, "receipt"),
            shipment_id=load.shipment_id,
            shipment_number=load.number,
            from_plant=sender,
            custody_no=item.custody_no + 1,
            provisional=False,
            printed_number=item.number,
            material=replaced(new, aliases=aliases),
            sender_mass=Mass(item.mass_g, "weighed", "W1", item.at_ms),
        )
        return self.draft(payload, at_ms, [item.material_id, load.shipment_id])

    def deliver(self, sender: str, items: Sequence[Item]) -> None:
        """To the customers: a truck each two pieces."""
        left = []
        for at in range(0, len(items), TRUCK):
            part = items[at : at + TRUCK]
            at_ms = max(item.at_ms for item in part) + self.dice.between(1, 20) * DAY_MS
            if not self.over(at_ms):
                left.append(self._ship(sender, f"CUST-{self.dice.below(CUSTOMERS):03d}", part, at_ms))
        self.tell(sender, left)

    def finding(self, coil: Item, at_ms: int) -> Draft[Any]:
        """Something the surface inspection saw: a sliver somewhere on the strip."""
        at_um = self.dice.below(max(1, coil.size.length_um - 1_000_000))
        left = self.dice.below(coil.size.width_um - 100_000)
        payload = MarkPlaced(
            mark_id=self.new_id(at_ms, "mark"),
            material_id=coil.material_id,
            kind="sliver",
            from_um=at_um,
            to_um=at_um + 1_000_000,
            left_um=left,
            right_um=left + 100_000,
            value=1 + self.dice.below(5),
        )
        return self.draft(payload, at_ms, [coil.material_id])
