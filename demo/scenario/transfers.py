"""Loads between the plants: what was told to leave, what was on board, what came and what it weighed (scenario
section 9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from demo.scenario.moments import MINUTE, minutes
from demo.scenario.script import Line, Script, grams, say

GATES = {"BRK": ("YB", 7, 12, "WS1"), "CLD": ("YC", 5, 14, "CW2")}
"""Storage, first of two rows for what arrives, stacks in a row, scale."""
SCHEMES = {"BRK": "BRK.slab", "CLD": "CLD.coil"}


@dataclass(frozen=True)
class Item:
    """A piece of a load. sent_kg as the sender told; came_kg as the receiver weighed, None = did not come.

    `piece` is its name in the ledger, `number` what is printed on it, `own` the receiver's number.
    """

    piece: str
    number: str
    position: str
    sent_kg: int
    came_kg: int | None
    own: str
    on_board: bool = True


@dataclass(frozen=True)
class Load:
    """A train or truck. arrives_ms None = still on the way at the end of the scenario; extra = came without being
    told."""

    number: str
    name: str
    sender: str
    receiver: str
    mode: str
    leaves_ms: int
    hours: float
    items: tuple[Item, ...]
    extra: tuple[Item, ...] = ()

    @property
    def lane(self) -> str:
        """The lane as the sender's plant model names it."""
        return "ALD-BRK" if self.sender == "ALD" else f"{self.sender}-{self.receiver} {self.mode}"

    @property
    def basis(self) -> str:
        """Slab masses are theoretical at the caster, coils are weighed."""
        return "theoretical" if self.sender == "ALD" else "weighed"


def depart(script: Script, load: Load) -> None:
    """The sender's shipping clerk lets it go."""
    lines = [{"piece": item.number, "position": item.position} for item in load.items]
    told: list[Line] = []
    for item in load.items:
        told.append(
            {
                "what": "shipped",
                "load": load.number,
                "name": load.name,
                "piece": item.piece,
                "from": load.sender,
                "to": load.receiver,
                "mass_g": grams(item.sent_kg),
                "basis": load.basis,
                "on_board": item.on_board,
            }
        )
        if item.on_board:
            told.append(say("place", item.piece, load.sender, place="on the way") | {"plant": None})
    script.post(
        load.leaves_ms,
        load.sender,
        "gate",
        "/api/v1/shipments",
        {
            "number": load.number,
            "to": load.receiver,
            "mode": load.mode,
            "lane": load.lane,
            "vehicle": f"{load.mode} {load.name}",
            "eta_ms": load.leaves_ms + round(load.hours * 60) * MINUTE,
            "lines": lines,
            "depart": True,
        },
        *told,
    )


def receive(script: Script, load: Load, when_ms: Sequence[int], announced: bool = True) -> None:
    """The receiver's clerk books what comes off, in the order of `items` then `extra` at the times given.

    announced = the receiver can know the load by then: the player waits until it does.
    """
    came = [item for item in load.items if item.came_kg is not None]
    if announced:
        script.act(min(when_ms) - 1, load.receiver, "wait_shipment", load.number, {"number": load.number})
    for item, moment in zip([*came, *load.extra], when_ms, strict=True):
        _receipt(script, load, item, moment, item in load.items)


def _ground(plant: str, number: str) -> tuple[str, str]:
    """Where a piece is put that arrives under a number, and the scale it came over."""
    storage, row, stacks, scale = GATES[plant]
    counter = int(number[-5:])
    return f"{storage}-{row + counter // stacks % 2}-{counter % stacks + 1}", scale


def _receipt(script: Script, load: Load, item: Item, when_ms: int, listed: bool) -> None:
    if item.came_kg is None:
        raise ValueError(f"{item.number} did not come and cannot be received")
    place, scale = _ground(load.receiver, item.own)
    mass = grams(item.came_kg)
    lines: list[Line] = [
        {"what": "arrived", "load": load.number, "piece": item.piece, "plant": load.receiver},
        {
            "what": "received",
            "load": load.number,
            "piece": item.piece,
            "plant": load.receiver,
            "number": item.own,
            "mass_g": mass,
            "basis": "weighed",
            "listed": listed,
        },
        say("number", item.piece, load.receiver, number=item.own, scheme=SCHEMES[load.receiver]),
        say("mass", item.piece, load.receiver, basis="weighed", mass_g=mass, scale=scale),
        say("place", item.piece, load.receiver, place=place),
    ]
    script.post(
        when_ms,
        load.receiver,
        "yard",
        "/api/v1/receipts",
        {
            "shipment": load.number,
            "from_plant": load.sender,
            "piece": item.number,
            "own_number": item.own,
            "mass_g": mass,
            "mass_basis": "weighed",
            "scale": scale,
            "place": place,
            "position": item.position,
            "damage": "",
        },
        *lines,
    )


def close(script: Script, load: Load, when_ms: int) -> None:
    """Everything is unloaded; what did not come is short."""
    short = [item.piece for item in load.items if item.came_kg is None]
    script.post(
        when_ms,
        load.receiver,
        "yard",
        "/api/v1/receipts/close",
        {"shipment": load.number},
        {"what": "closed", "load": load.number, "plant": load.receiver, "short": short},
    )


def every(first_ms: int, step_minutes: float, count: int) -> list[int]:
    """Times of a regular unloading."""
    return [first_ms + minutes(step_minutes * i) for i in range(count)]
