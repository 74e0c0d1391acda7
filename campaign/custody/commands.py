"""Single commands of people at a plant, as the histories of transfers need them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from campaign.custody.sites import CODES
from campaign.custody.world import Act, Piece, World
from local_mes.plant import Plant
from local_mes.transfers.service import (
    CorrectDeparture,
    LineCommand,
    ListedPiece,
    ReceiveCommand,
    ShipCommand,
    correct_departure,
    receive,
    ship,
)
from shared.db.engine import read
from shared.ids import new_id
from shared.journal.fact import Draft, Occurred
from shared.material.facts import Mass, MaterialCreated, NewAlias, NewMaterial, Size
from shared.transfers.lines import LineFilter, find_lines
from shared.transfers.queries import find_shipment

ACTOR = "p1"


@dataclass
class Load:
    """A vehicle from one plant to another, and who is on it."""

    number: str
    sender: str
    receiver: str
    pieces: list[Piece]
    travel_ms: int = 0
    unloaded_ms: int = 0
    carried: bool = False
    """Its pieces are the sender's already: they came from elsewhere."""
    labels: dict[str, int] = field(default_factory=dict)
    """Piece number -> the custody number on its label."""


def other_plant(world: World, *but: str) -> str:
    """Any plant but these."""
    return world.dice.choice([code for code in CODES if code not in but])


def make(plant: Plant, pieces: list[Piece]) -> bool:
    """New steel in a plant's books."""
    with plant.journal.work() as tx:
        for piece in pieces:
            piece.material_id = new_id(plant.clock)
            at_ms = tx.now_ms()
            made = NewMaterial(
                material_id=piece.material_id,
                kind="slab",
                aliases=(NewAlias("group.slab", piece.number),),
                mass=Mass(piece.mass_g, "weighed", "W1", at_ms),
                size=Size(220_000, 1_280_000, 9_300_000),
                order_item="stock",
                grade="L06",
                place="YA",
            )
            fact = MaterialCreated(material=made, origin="migrated")
            tx.record(Draft(fact, (piece.material_id,), ACTOR, Occurred(at_ms, "manual")))
    return True


def shipping(world: World, load: Load, pieces: list[Piece]) -> Act:
    """A load departs; what is on its labels is remembered."""

    def act(plant: Plant) -> object:
        lines = tuple(ListedPiece(piece.number) for piece in pieces)
        done = ship(plant, ShipCommand(world.command(), ACTOR, load.number, load.receiver, lines))
        load.labels = _labels(plant, load)
        return done

    return act


def _labels(plant: Plant, load: Load) -> dict[str, int]:
    with read(plant.node.engine) as conn:
        left = find_shipment(conn, load.number, sender=load.sender)
        assert left is not None
        return {x.number: x.custody_no for x in find_lines(conn, LineFilter(shipment_id=left.shipment_id))}


def knows(world: World, code: str, number: str) -> bool:
    """Whether a plant has heard of a load to it."""
    with read(world.group.plants[code].machine.engine) as conn:
        return find_shipment(conn, number, receiver=code) is not None


def take_in(
    world: World, load: Load, piece: Piece, mass_g: int = 0, damage: str = "", custody_no: int = 0
) -> dict[str, str] | None:
    """Take a piece in where nothing speaks against it."""
    act = taking(world, load, piece, mass_g, damage, custody_no)
    got: dict[str, str] | None = world.must(load.receiver, act, f"take in {piece.number} ({piece.fate})")
    return got


def taking(world: World, load: Load, piece: Piece, mass_g: int = 0, damage: str = "", custody_no: int = 0) -> Act:
    """The same as an act."""
    weighed = mass_g or piece.mass_g + world.dice.randrange(-15_000, 15_001)
    command = ReceiveCommand(
        world.command(), ACTOR, piece.number, weighed, scale="W2", place="YA", shipment=load.number,
        from_plant=load.sender, kind="slab", damage=damage, custody_no=custody_no,
    )  # fmt: skip
    return lambda plant: receive(plant, command)


def saying(world: World, verb: Callable[[Plant, LineCommand], object], load: Load, piece: Piece) -> Act:
    """Refuse, take back or give up a piece."""
    return lambda plant: verb(plant, LineCommand(world.command(), ACTOR, load.number, piece.number, "so it is", "YA"))


def correcting(world: World, load: Load, piece: Piece, kind: str) -> Act:
    """The sender corrects a departure."""
    return lambda plant: correct_departure(
        plant, CorrectDeparture(world.command(), ACTOR, load.number, piece.number, kind)
    )
