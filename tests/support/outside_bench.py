"""A plant and a hub with a customer of CLD's and a processor, an order, and coils that serve it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from steel_group import SteelGroup

from local_mes.dispatch.service import DispatchCommand, Loaded, agree_party, agree_terms, dispatch
from local_mes.orders.service import release_orders
from local_mes.plant import Plant
from shared.clock import FixedClock
from shared.db.engine import read
from shared.orders.facts import OrderReleased
from shared.outside.facts import PartyAgreed, TermsAgreed
from shared.transfers.lines import LineFilter, TransferLine, find_lines

ITEM = "710045/10"
CUSTOMER, PROCESSOR = "MERRIN", "SLITCO"


class OutsideBench:
    """CLD answers for MERRIN (tells nothing) and SLITCO (a processor that tells what came)."""

    def __init__(self, folder: Path, clock: FixedClock) -> None:
        self.group = SteelGroup(folder, clock, codes=("CLD",))
        self.clock = clock

    @property
    def plant(self) -> Plant:
        return self.group.plants["CLD"]

    def close(self) -> None:
        self.group.close()

    def agree(self, code: str = CUSTOMER, name: str = "Merrin Ducting", kind: str = "customer", **more: Any) -> None:
        party = PartyAgreed(code=code, name=name, kind=kind, address="Dock 4\nMerrin", **more)
        agree_party(self.plant, party, actor="p1", command_id=self.group.command())

    def agree_processor(self, **more: Any) -> None:
        self.agree(PROCESSOR, "Slitco Ltd", "processor", **({"confirms": True} | more))

    def order(
        self, item: str = ITEM, due: str = "2026-03-12", kg: int = 20_000, customer: str = "Merrin Ducting"
    ) -> None:
        fact = OrderReleased(
            item=item,
            customer=customer,
            product="DX51D coil",
            grade="L06",
            thickness_um=800,
            width_um=1_250_000,
            mass_g=kg * 1000,
            route="R-GI",
            due=due,
        )
        release_orders(self.plant, [fact], actor="p1", command_id=self.group.command())

    def terms(self, **more: Any) -> None:
        fact = TermsAgreed(**({"item": ITEM} | more))
        agree_terms(self.plant, fact, actor="p1", command_id=self.group.command())

    def coil(self, number: str, kg: int = 10_000, **more: Any) -> str:
        return self.group.stock("CLD", number, kg, "coil", **more)

    def send(self, *pieces: str, party: str = CUSTOMER, certificate: str = "", **more: Any) -> dict[str, Any]:
        loaded = tuple(Loaded(piece, f"W{at}", certificate) for at, piece in enumerate(pieces, 1))
        given: dict[str, Any] = {"command_id": self.group.command(), "actor": "p1", "party": party, "pieces": loaded}
        return dispatch(self.plant, DispatchCommand(**(given | more)))

    def lines(self, shipment_id: str) -> dict[str, TransferLine]:
        with read(self.plant.node.engine) as conn:
            found = find_lines(conn, LineFilter(sender="CLD", shipment_id=shipment_id))
        return {line.number: line for line in found}
