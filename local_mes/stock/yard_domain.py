"""The yard: what a place says, how pieces lie on each other, and which rule a move would break. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from local_mes.model.domain import Storage

HOUR_MS = 3_600_000
_PLACE = re.compile(r"(?P<code>[A-Z][A-Z0-9]*)-(?P<row>\d{1,2})(?:-(?P<stack>\d{1,2}))?(?:-(?P<layer>\d{1,2}))?")


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a storage; stack 0 = somewhere in the row, layer 0 = not said (the layer follows from the order)."""

    storage: str
    row: int
    stack: int = 0
    layer: int = 0

    @property
    def text(self) -> str:
        """As it is recorded: without the layer, which changes with what lies below."""
        return f"{self.storage}-{self.row}-{self.stack}" if self.stack else f"{self.storage}-{self.row}"


@dataclass(frozen=True, slots=True)
class Lying:
    """A piece as the yard sees it; g, um, UTC ms.

    since_ms   when it was put where it lies
    made_ms    when it was cast or rolled; None where nobody here knows
    """

    material_id: str
    number: str
    kind: str
    mass_g: int
    width_um: int
    length_um: int
    place: str
    since_ms: int = 0
    made_ms: int | None = None
    held: bool = False
    grade: str = ""
    order_item: str = ""


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule of the yard and how it is broken."""

    rule: str
    text: str


def find_spot(place: str, storages: Sequence[Storage]) -> Spot | None:
    """What a place says of a storage's rows and stacks, or None where it names none."""
    found = _PLACE.fullmatch(place.strip())
    if not found or found["code"] not in {storage.code for storage in storages}:
        return None
    return Spot(found["code"], *(int(found[name] or 0) for name in ("row", "stack", "layer")))


def as_recorded(place: str, storages: Sequence[Storage]) -> str:
    """A place as it stands in the books: one way to write a stack, and no layer."""
    spot = find_spot(place, storages)
    return spot.text if spot else place


def in_order(stack: Sequence[Lying]) -> list[Lying]:
    """From the ground up: what came first lies below."""
    return sorted(stack, key=lambda piece: (piece.since_ms, piece.material_id))


def hours(piece: Lying, now_ms: int) -> float | None:
    """Hours since it was cast or rolled, or None."""
    return None if piece.made_ms is None else max(0, now_ms - piece.made_ms) / HOUR_MS


def is_hot(piece: Lying, rules: Storage, now_ms: int) -> bool:
    """Whether it still counts as hot; what nobody knows the age of does not."""
    age = hours(piece, now_ms)
    return age is not None and age < rules.hot_hours


def thermal(piece: Lying, rules: Storage, now_ms: int) -> str:
    """hot | cooling | cold | unknown: against the storage's limits; '' where it has none."""
    if not (rules.hot_hours or rules.cool_hours):
        return ""
    age = hours(piece, now_ms)
    if age is None:
        return "unknown"
    if age < rules.hot_hours:
        return "hot"
    return "cooling" if age < rules.cool_hours else "cold"


def hot_charge_left_h(piece: Lying, rules: Storage, now_ms: int) -> float | None:
    """Hours left to charge it hot (below 0: missed by so much), or None where there is no such limit or no age."""
    age = hours(piece, now_ms)
    return None if age is None or not rules.hot_charge_hours else rules.hot_charge_hours - age


def above(piece_id: str, stack: Sequence[Lying]) -> list[Lying]:
    """What lies on a piece, the top first."""
    order = in_order(stack)
    at = next((n for n, other in enumerate(order) if other.material_id == piece_id), len(order))
    return order[at + 1 :][::-1]


def resting(piece_id: str, stack: Sequence[Lying], before: Sequence[Lying]) -> list[Lying]:
    """What lies on a piece where upper layers lie between two stacks, the top first. before: the stack before its own in the
    row, whose upper layers rest on this one too."""
    own = above(piece_id, stack)
    layer = len(stack) - len(own)
    return [*in_order(before)[layer:][::-1], *own] if layer else own


def broken_rules(
    piece: Lying,
    spot: Spot,
    rules: Storage,
    stack: Sequence[Lying],
    on_top: Sequence[Lying],
    now_ms: int,
    beside: Sequence[Lying] = (),
) -> list[Broken]:
    """Which rules a move breaks. stack: what lies at the new spot (without the piece); on_top: on the piece now; beside: in
    the next stack of the row."""
    found = [_buried(piece, on_top), _no_spot(spot, rules), _kind(piece, rules), _hot_row(piece, spot, rules, now_ms)]
    if spot.stack:
        found += on_stack(piece, rules, in_order(stack), now_ms)
        found += _between(piece, spot, rules, len(stack), in_order(beside))
        if spot.layer and spot.layer != len(stack) + 1:
            text = f"{spot.text} has {len(stack)} layers: the next is {len(stack) + 1}, not {spot.layer}"
            found.append(Broken("layer", text))
    return [one for one in found if one]


def on_stack(piece: Lying, rules: Storage, below: Sequence[Lying], now_ms: int) -> list[Broken | None]:
    """What is wrong with a piece on a stack (from the ground up)."""
    return [
        _layers(rules, below),
        _mass(piece, rules, below),
        *_sizes(piece, rules, below),
        _hot(piece, rules, below, now_ms),
    ]


def faults_of_stack(
    stack: Sequence[Lying], spot: Spot, rules: Storage, now_ms: int, beside: Sequence[Lying] = ()
) -> list[Broken]:
    """What is wrong with a stack as it stands, however it came about. beside: in the next stack of the row."""
    order, found = in_order(stack), [_no_spot(spot, rules)]
    for n, piece in enumerate(order):
        found += [_kind(piece, rules), _hot_row(piece, spot, rules, now_ms)]
        # a cold piece below a hot one, or one that went cold where it lies, is nobody's mistake
        found += [_layers(rules, order[:n]), _mass(piece, rules, order[:n]), *_sizes(piece, rules, order[:n])]
        found += _between(piece, spot, rules, n, in_order(beside))
    return list(dict.fromkeys(one for one in found if one))


def _buried(piece: Lying, on_top: Sequence[Lying]) -> Broken | None:
    if not on_top:
        return None
    names = ", ".join(other.number for other in on_top)
    return Broken("buried", f"{len(on_top)} lie on {piece.number}; first move, from the top: {names}")


def _no_spot(spot: Spot, rules: Storage) -> Broken | None:
    if 1 <= spot.row <= rules.rows and spot.stack <= rules.stacks:
        return None
    return Broken("no_spot", f"{rules.code} has rows 1 to {rules.rows} with stacks 1 to {rules.stacks}")


def _kind(piece: Lying, rules: Storage) -> Broken | None:
    if not rules.kinds or piece.kind in rules.kinds:
        return None
    return Broken("kind", f"{rules.code} takes {', '.join(rules.kinds)}, and {piece.number} is a {piece.kind}")


def _layers(rules: Storage, below: Sequence[Lying]) -> Broken | None:
    if len(below) < rules.max_layers:
        return None
    return Broken("max_layers", f"a stack of {rules.code} has at most {rules.max_layers} layers")


def _mass(piece: Lying, rules: Storage, below: Sequence[Lying]) -> Broken | None:
    total_kg = (piece.mass_g + sum(other.mass_g for other in below)) // 1000
    if not rules.max_mass_kg or total_kg <= rules.max_mass_kg:
        return None
    return Broken(
        "max_mass", f"with {piece.number} the stack weighs {total_kg:,} kg; the ground bears {rules.max_mass_kg:,} kg"
    )


def _between(piece: Lying, spot: Spot, rules: Storage, below: int, beside: Sequence[Lying]) -> list[Broken | None]:
    """An upper layer needs its other half: the same layers below it in the next stack, and none too narrow there."""
    if not rules.between or not below:
        return []
    if len(beside) < below:
        text = (
            f"layer {below + 1} of {spot.text} lies between stacks {spot.stack} and {spot.stack + 1}; there are "
            f"{len(beside)} layers in {spot.stack + 1}"
        )
        return [Broken("between", text)]
    return _sizes(piece, rules, beside[:below])


def _sizes(piece: Lying, rules: Storage, below: Sequence[Lying]) -> list[Broken | None]:
    if not below:
        return []
    under, found, over_um = below[-1], [], rules.overhang_mm * 1000
    for rule, is_on, name in (
        ("widest_below", rules.widest_below, "width_um"),
        ("longest_below", rules.longest_below, "length_um"),
    ):
        mine, its = getattr(piece, name), getattr(under, name)
        if is_on and its and mine > its + over_um:
            word = "wider" if name == "width_um" else "longer"
            found.append(
                Broken(rule, f"{piece.number} is {(mine - its) // 1000:,} mm {word} than {under.number} below it")
            )
    return list(found)


def _hot_row(piece: Lying, spot: Spot, rules: Storage, now_ms: int) -> Broken | None:
    if not rules.hot_rows or not is_hot(piece, rules, now_ms) or spot.row in rules.hot_rows:
        return None
    rows = ", ".join(map(str, rules.hot_rows))
    return Broken("hot_apart", f"{piece.number} is still hot; hot pieces lie in row {rows}")


def _hot(piece: Lying, rules: Storage, below: Sequence[Lying], now_ms: int) -> Broken | None:
    if not rules.hot_rows or is_hot(piece, rules, now_ms):
        return None
    hot = next((other for other in below if is_hot(other, rules, now_ms)), None)
    return Broken("hot_apart", f"{piece.number} is cold, and {hot.number} below it still hot") if hot else None
