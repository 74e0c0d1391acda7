"""The genealogy as a graph by layers for the browser: folded where many pieces share the same parents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.material.trace import Trace
from shared.web.formats import kind as in_words

SIBLINGS_MAX = 8
"""More pieces of one kind with the same parents and no children in view are shown as one node that counts them."""
LAYERS = ("heat", "slab", "coil", "slit")


@dataclass(frozen=True, slots=True)
class Link:
    """From parent to child, with the share of the child that comes from this parent."""

    parent: str
    child: str
    share_ppm: int


def first_rows(rows: Iterable[Any]) -> dict[str, Any]:
    """One row a piece: the rows come with the holder's first."""
    found: dict[str, Any] = {}
    for row in rows:
        found.setdefault(row.material_id, row)
    return found


def links_of(trace: Trace) -> list[Link]:
    """One link for each pair of pieces, however many intervals join them."""
    shares: dict[tuple[str, str], int] = defaultdict(int)
    for edge in trace.edges:
        if edge.kind == "transform":
            shares[(edge.parent_id, edge.child_id)] += edge.share_ppm
    return [Link(parent, child, min(share, 1_000_000)) for (parent, child), share in sorted(shares.items())]


def fold(links: Sequence[Link], kinds: dict[str, str], keep: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """Groups of leaves to show as one node: first member -> all members. Pieces in `keep` stay by themselves."""
    parents: dict[str, set[str]] = defaultdict(set)
    has_children = {link.parent for link in links}
    for link in links:
        parents[link.child].add(link.parent)
    groups: dict[tuple[str, frozenset[str]], list[str]] = defaultdict(list)
    for child, above in parents.items():
        if child not in has_children and child not in keep:
            groups[(kinds.get(child, ""), frozenset(above))].append(child)
    return {min(members): tuple(sorted(members)) for members in groups.values() if len(members) > SIBLINGS_MAX}


def as_graph(trace: Trace, held: frozenset[str], address: Callable[[str], str]) -> dict[str, Any]:
    """Nodes and edges in the form that cytoscape reads."""
    rows = first_rows(trace.rows)
    links = links_of(trace)
    kinds = {piece: row.kind for piece, row in rows.items()}
    groups = fold(links, kinds, frozenset({trace.material_id}))
    stands_for = {member: first for first, members in groups.items() for member in members}
    pieces = {trace.material_id} | {i for link in links for i in (link.parent, link.child)}
    shown = sorted(i for i in pieces if stands_for.get(i, i) == i)
    nodes = [_node(i, rows.get(i), trace, groups.get(i, ()), held, address) for i in shown]
    edges = {(stands_for.get(k.parent, k.parent), stands_for.get(k.child, k.child)): k for k in links}
    return {
        "nodes": nodes,
        "edges": [
            {"data": {"id": f"{a}-{b}", "source": a, "target": b, "label": _share(link.share_ppm)}}
            for (a, b), link in sorted(edges.items())
        ],
    }


def _node(
    piece: str, row: Any, trace: Trace, members: tuple[str, ...], held: frozenset[str], address: Callable[[str], str]
) -> dict[str, Any]:
    kind = row.kind if row is not None else "unknown"
    number = row.number if row is not None else piece[:8]
    names = [n for n in trace.numbers.get(piece, []) if n != number]
    label = f"{len(members)} {in_words(kind)}s" if members else "\n".join([number, *names[-1:]])
    classes = " ".join(
        filter(
            None,
            (
                kind,
                "chosen" if piece == trace.material_id else "",
                "held" if piece in held else "",
            ),
        )
    )
    return {
        "data": {"id": piece, "label": label, "href": "" if members else address(number), "layer": _layer(kind)},
        "classes": classes,
    }


def _layer(kind: str) -> int:
    return LAYERS.index(kind) if kind in LAYERS else len(LAYERS)


def _share(share_ppm: int) -> str:
    return "" if share_ppm >= 999_500 else f"{share_ppm / 10_000:.0f} %"
