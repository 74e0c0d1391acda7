"""A plant's ways to its hub, built from its settings: one HTTP transport an address, and what chooses among them."""

from __future__ import annotations

from collections.abc import Mapping

from shared.db.engine import read
from shared.node import Node
from shared.settings import PlantSettings
from sync.errors import Unreachable
from sync.peers import list_peers
from sync.routed import RoutedTransport
from sync.routes import Route, Rules
from sync.station import http_transport
from sync.transport import Door, Transport


class NoHub:
    """The way of a plant that is alone."""

    def send(self, _door: Door, _body: bytes) -> bytes:
        """Unreachable, always."""
        raise Unreachable("sync.no_hub", "The settings of this plant name no hub.", todo="Set hub_url first.")


def routed_transport(node: Node, settings: PlantSettings) -> RoutedTransport:
    """All addresses of the hub as one transport. An answer counts when a peer's key signed it, as trusted at that time."""
    lines: dict[str, Transport] = {route.name: http_transport(node, route.url) for route in settings.routes}
    routes = [Route(route.name, route.url, route.priority) for route in settings.routes]
    if not routes:
        routes, lines = [Route("none", "")], {"none": NoHub()}
    rules = Rules(settings.sync.route_failures_max, settings.sync.route_hold_s)

    def trusted() -> Mapping[str, bytes]:
        with read(node.engine) as conn:
            return {key: public for peer in list_peers(conn) for key, public in peer.trusted.items()}

    return RoutedTransport(routes, rules, lines, trusted)
