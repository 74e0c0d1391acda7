"""A node's watch over its lines, as one thing to start and stop: measuring of routes, figures, alarms."""

from __future__ import annotations

from collections.abc import Callable

from shared.node import Node
from shared.settings import PlantSettings
from shared.threads import Runner, plainly
from sync.accounting import Account, HubLines, PlantLines
from sync.measuring import Measuring
from sync.routed import RoutedTransport
from sync.steady import Steady
from sync.watching import Watching


class Lookout:
    """The threads. Routes are measured in one of their own, because a dead one makes it wait."""

    def __init__(
        self,
        account: Account,
        look_s: float,
        transport: RoutedTransport | None = None,
        measuring: tuple[Measuring, float] | None = None,
        wake: Callable[[], None] | None = None,
        run: Runner = plainly,
    ) -> None:
        self.transport = transport
        self._wake = wake
        self._measuring = measuring[0] if measuring else None
        self._figures = Watching("figures", (("figures", account.step),), look_s, run)
        self._routes = Watching("routes", (("routes", measuring[0].step),), measuring[1], run) if measuring else None

    def start(self) -> None:
        """Start all threads."""
        for watching in filter(None, (self._routes, self._figures)):
            watching.start()

    def stop(self) -> None:
        """Stop all threads."""
        for watching in filter(None, (self._routes, self._figures)):
            watching.stop()

    @property
    def is_alive(self) -> bool:
        """Whether all threads run."""
        return all(watching.is_alive for watching in filter(None, (self._routes, self._figures)))

    def sync_now(self) -> None:
        """Somebody asks: measure all routes and let the exchange try at once."""
        if self._measuring is not None and self._routes is not None:
            self._measuring.look_now()
            self._routes.nudge()
        if self._wake is not None:
            self._wake()


def plant_lookout(node: Node, settings: PlantSettings, transport: RoutedTransport, wake: Callable[[], None]) -> Lookout:
    """A plant's. wake ends any wait of its exchange."""
    sync = settings.sync
    measuring = Measuring(node, transport, sync.route_probe_s, sync.retry_max_s, wake)
    account = Account(node, PlantLines(node, transport).look)
    look_s = min(sync.watch_s, sync.route_probe_s)
    return Lookout(account, sync.watch_s, transport, (measuring, look_s), wake, Steady(node).run)


def hub_lookout(node: Node, leads: Callable[[], bool]) -> Lookout:
    """The hub's. leads: whether this process does what one of several does."""
    return Lookout(Account(node, HubLines(node).look, leads), node.settings.sync.watch_s, run=Steady(node).run)
