"""A plant's ways to its hub, built from its settings: one HTTP transport an address, and what chooses among them."""

from __future__ import annotations

from collections.abc import Mapping

from shared.db.engine import read
from shared.node import Node
from shared.settings import PlantSettings
from sync.peers import list_peers
from sync.routed import RoutedTransport
from sync.routes import Route, Rules
from sync.station import http_transport


def routed_transport(node: Node, settings: PlantSettings) -> RoutedTransport:
    """All addresses of the hub as one transport. An answer counts when a peer's key signed it, as trusted at that time."""
    routes = [Route(route.name, route.url, route.priority) for route in settings.routes]
    rules = Rules(settings.sync.route_failures_max, settings.sync.route_hold_s)

    def trusted() -> Mapping[str, bytes]:
        with read(node.engine) as conn:
            return {key: public for peer in list_peers(conn) for key, public in peer.trusted.items()}

    return RoutedTransport(routes, rules, {route.name: http_transport(node, route.url) for route in routes}, trusted)
