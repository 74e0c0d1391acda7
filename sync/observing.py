"""What a node shows to programs that watch it: /metrics and /health, put together for both kinds of node."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from flask import Flask

from shared.node import Node
from shared.web.features import Feature
from shared.web.health import Check, make_health, node_checks
from shared.web.metrics import Measure, make_metrics
from sync.gauges import node_measures
from sync.routed import RoutedTransport
from sync.status import Extra, nothing_more
from sync.steady import standing_faults


@dataclass(frozen=True)
class Observing:
    """The pages, and what to do with the app once it is made."""

    feature: Feature
    install: Callable[[Flask], None]


def make_observing(
    node: Node, transport: RoutedTransport | None = None, extra: Extra = nothing_more, checks: Sequence[Check] = ()
) -> Observing:
    """extra: figures of Level 2, which only a plant has; checks: what this kind of node needs beyond its database."""

    def measures() -> Iterator[Measure]:
        yield from node_measures(node, transport)
        words = {
            "spool_open": "Level-2 messages not interpreted yet.",
            "repairs_open": "Messages that wait for repair.",
        }
        for name, value in extra().items():
            yield Measure(f"strandline_{name}", words.get(name, name), value)

    page, install = make_metrics(measures)
    return Observing(
        Feature(pages=(page, make_health((*node_checks(node), ("program", partial(standing_faults, node)), *checks)))),
        install,
    )
