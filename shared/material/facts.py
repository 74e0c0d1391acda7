"""What is said about material: born, changed, moved, weighed, named, marked, ended.

Lengths and widths in micrometres from the head and from the left edge in running direction; masses in grams.
A piece of any kind (heat, slab, coil, slit) is a material; every printed number is an alias.
"""

from __future__ import annotations

import msgspec

from shared.journal.fact import Payload, fact

MADE_AT = "made_at_ms"
"""Attribute of a piece that came from elsewhere: when it was cast or rolled, UTC ms; its age is reckoned from it."""
MASS_BASES = ("theoretical", "weighed", "charged", "ladle")


class Mass(msgspec.Struct, frozen=True):
    """A mass with its pedigree: basis, device and UTC ms (0 when unknown)."""

    g: int
    basis: str
    scale: str = ""
    at_ms: int = 0


class Size(msgspec.Struct, frozen=True):
    """Cold dimensions; 0 where the kind has none (a heat)."""

    thickness_um: int = 0
    width_um: int = 0
    length_um: int = 0


class NewAlias(msgspec.Struct, frozen=True):
    """A printed number: scheme names who numbers how, e.g. 'ALD.slab', 'BRK.coil'."""

    scheme: str
    value: str


class NewMaterial(msgspec.Struct, frozen=True, kw_only=True):
    """A piece as it is born or taken in."""

    material_id: str
    kind: str
    """heat | slab | coil | slit"""
    aliases: tuple[NewAlias, ...]
    mass: Mass
    size: Size = Size()
    grade: str = ""
    order_item: str = ""
    """Order item, or 'stock'."""
    place: str = ""
    attributes: dict[str, str] = {}
    heat_number: str = ""
    """Printed heat number where the author knows it; a child without one inherits its main parent's."""
    chemistry_e6: dict[str, int] = {}


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """This interval of this parent became this interval of this child, carrying this mass.

    A flip of length maps the parent interval's head onto the child interval's tail; width and face likewise.
    For heat to slab the parent interval is the strand position (cast length) and share_ppm the heat's part.
    """

    parent_id: str
    child_id: str
    parent_from_um: int
    parent_to_um: int
    child_from_um: int
    child_to_um: int
    parent_left_um: int = 0
    parent_right_um: int = 0
    child_left_um: int = 0
    child_right_um: int = 0
    mass_g: int
    share_ppm: int = 1_000_000
    flip_length: bool = False
    flip_width: bool = False
    flip_face: bool = False


class Consumed(msgspec.Struct, frozen=True):
    """A parent and what was charged of it; whole = nothing is left of it."""

    material_id: str
    charged_g: int
    whole: bool = True


class Loss(msgspec.Struct, frozen=True):
    """Mass that got no piece id. kind: scale | kerf | crop | trim | ends | off_gauge | cobble | tundish_rest |
    ladle_rest | sample | zinc (an addition, booked with negative grams). weighed: by a scale, else computed."""

    kind: str
    g: int
    weighed: bool = False


class Mixture(msgspec.Struct, frozen=True, kw_only=True):
    """Which heats a child is made of, interval by interval of the strand it was cut from.

    bounds_um: strand positions (as Edge.parent_from_um), rising, one more than there are intervals. shares_ppm: a row an
    interval, in the order of heats, each adding up to 1,000,000. plug_ppm, dead_ppm: the mixing rule's parts of the tundish.
    """

    child_id: str
    heats: tuple[str, ...]
    bounds_um: tuple[int, ...]
    shares_ppm: tuple[tuple[int, ...], ...]
    plug_ppm: int = 0
    dead_ppm: int = 0


@fact("MaterialCreated")
class MaterialCreated(Payload, frozen=True, kw_only=True):
    """A piece enters this plant's books without parents here: a heat, an import, an unknown arrival."""

    material: NewMaterial
    origin: str
    """made | migrated | purchased | unknown"""
    chemistry_e6: dict[str, int] = {}
    heat_number: str = ""


@fact("MaterialTransformed")
class MaterialTransformed(Payload, frozen=True, kw_only=True):
    """One operation: parents, children, edges, losses; charged = children + losses (+- unexplained)."""

    operation_id: str
    operation: str
    """cast | roll | pickle | cold_roll | galvanise | slit | cut"""
    unit: str
    started_at_ms: int
    ended_at_ms: int
    parents: tuple[Consumed, ...]
    children: tuple[NewMaterial, ...]
    edges: tuple[Edge, ...]
    losses: tuple[Loss, ...] = ()
    values: dict[str, int] = {}
    """Summaries a piece in integers with the unit in the name, e.g. ft_avg_mc (milli degC), ct_window_ppm."""
    notes: tuple[str, ...] = ()
    """How numbers were got where it matters, e.g. 'shares estimated by time'."""
    mixtures: tuple[Mixture, ...] = ()
    """Of children that are made of more than one heat: the distribution along them, where it was computed."""


@fact("AliasGiven")
class AliasGiven(Payload, frozen=True, kw_only=True):
    """A further printed number for a piece."""

    material_id: str
    alias: NewAlias


@fact("MaterialMoved")
class MaterialMoved(Payload, frozen=True, kw_only=True):
    """A piece is now somewhere else in this plant."""

    material_id: str
    place: str


@fact("MaterialWeighed")
class MaterialWeighed(Payload, frozen=True, kw_only=True):
    """A (new) mass for a piece; older ones stay in the journal and in its history."""

    material_id: str
    mass: Mass
    reason: str = ""
    operation_id: str = ""
    """The operation whose output this weighing is: its balance and edges then carry the weighed mass."""


@fact("MaterialScrapped")
class MaterialScrapped(Payload, frozen=True, kw_only=True):
    """A piece ends as scrap."""

    material_id: str
    mass_g: int
    reason: str
    unit: str = ""


@fact("MaterialIdentified")
class MaterialIdentified(Payload, frozen=True, kw_only=True):
    """A provisional identity is found to be another one: two identities merge, nothing of either is lost."""

    provisional_id: str
    material_id: str
    evidence: str


@fact("OrderAssigned")
class OrderAssigned(Payload, frozen=True, kw_only=True):
    """A piece now serves this order item ('stock' for none)."""

    material_id: str
    order_item: str
    grade: str = ""
    reason: str = ""


@fact("MarkPlaced")
class MarkPlaced(Payload, frozen=True, kw_only=True):
    """Something to remember about an interval of a piece: a mould-level swing, a sliver, a weld."""

    mark_id: str
    material_id: str
    kind: str
    from_um: int
    to_um: int
    left_um: int = 0
    right_um: int = 0
    value: int = 0
    text: str = ""
    rule: str = ""


@fact("DeviationRaised")
class DeviationRaised(Payload, frozen=True, kw_only=True):
    """Something happened that a command would have been refused (a held slab in the furnace): recorded, to be resolved."""

    deviation_id: str
    rule: str
    text: str
    material_id: str = ""


@fact("PieceLabelled")
class PieceLabelled(Payload, frozen=True, kw_only=True):
    """A device put something readable on a piece, or failed to: a label, painted or stamped characters."""

    label_id: str
    material_id: str
    means: str
    """label | paint | stamp"""
    device: str
    text: str
    """What was to be on it."""
    outcome: str
    """done | failed | mismatch: it reads otherwise"""
    read: str = ""
    """What the device read back; empty where it reads nothing."""
    copies: int = 1
    reason: str = ""
