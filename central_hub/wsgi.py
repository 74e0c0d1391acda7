"""The hub's process: portal, API and sync endpoint, and beside them applying and what follows from it."""

from __future__ import annotations

from functools import partial

from central_hub.app import create_portal
from central_hub.hub import Hub
from central_hub.passports.service import publish_keys
from central_hub.rules.service import ask_pending
from central_hub.standards.rollouts import keep_up
from central_hub.transfers.service import reconcile
from central_hub.wiring import MIGRATIONS, build_hub, build_station
from shared.db import migrate
from shared.errors import BadSetup
from shared.ids import jitter
from shared.settings import HubSettings
from shared.transfers.facts import TYPES
from shared.web.features import Feature
from shared.web.health import alive
from shared.web.server import Served, run
from shared.web.server import serve as run_alone
from shared.web.workers import hold_beside, settings_of
from sync import status
from sync.admission import Admission, room_in
from sync.backoff import Backoff
from sync.compare_door import door as compare_door
from sync.compare_door import install_comparing
from sync.endpoint import endpoint, install_desk
from sync.following import Following, Step
from sync.keeping import Keeping
from sync.lookout import hub_lookout
from sync.observing import make_observing
from sync.put_right import RowsAgain
from sync.sight_door import door as sight_door
from sync.sight_door import install_sights
from sync.steady import Steady


def serve(settings: HubSettings, worker: int | None = None) -> None:
    """Run until told to end; BadSetup for anything that does not allow a start, before a process is forked.

    worker: the number of this process among several of one hub on PostgreSQL; None: it is the only one.
    """
    hub = build_hub(settings)
    migrate.check(hub.node.engine, MIGRATIONS)
    # a SQLite file that a fork inherits open loses its locks when the child closes it
    hub.node.engine.dispose()
    if worker is None:
        run_alone(settings, lambda: start_hub(settings))
        return
    if hub.node.engine.dialect.name == "sqlite":
        raise BadSetup(
            "hub.one_process",
            "A hub on SQLite is one process.",
            todo="Start it without --worker, or take it to PostgreSQL (docs/scale.md).",
        )
    hold = hold_beside(settings.folder, worker)
    try:
        own = settings_of(settings, worker)
        run(own, lambda: start_hub(own, first=hold.first))
    finally:
        hold.close()


def start_hub(settings: HubSettings, *, first: bool = True) -> Served:
    """A process of the hub: portal, sync desk, and beside them applying and what follows from it, which one process leads.

    first: no other process of this hub runs.
    """
    hub = build_hub(settings)
    station = build_station(hub, first=first)
    lookout = hub_lookout(hub.node, station.ground.applying.leads)
    following = Following(
        _steps(hub),
        station.ground.applying,
        Backoff(settings.sync.retry_first_s, settings.sync.heartbeat_s, jitter),
        look_s=settings.sync.heartbeat_s,
        urgent=TYPES,
        run=Steady(hub.node).run,
    )

    rows_again = RowsAgain(hub.node)
    keeping = Keeping(hub.node, others=(rows_again,))

    def start() -> None:
        keeping.start()
        station.start()
        lookout.start()
        following.start()

    def stop() -> None:
        lookout.stop()
        following.stop()
        station.stop()
        keeping.stop()

    more = Feature(machine=(endpoint, sight_door, compare_door), apis=(status.make_api(),))
    observing = make_observing(hub.node, checks=(alive("watch over the lines", lambda: lookout.is_alive),))
    app = create_portal(hub, (more, observing.feature))
    observing.install(app)
    install_desk(app, station.desk, Admission(room_in(settings.folder)))
    install_sights(app, hub.node)
    install_comparing(app, hub.node, rows_again.want)
    return Served(app, start, stop)


def _steps(hub: Hub) -> tuple[Step, ...]:
    return (
        # before transfers: where a revocation stands on a plant's stream says what came under the next key
        ("list plants' keys", partial(publish_keys, hub)),
        ("reconcile transfers", partial(reconcile, hub)),
        ("issue standards", partial(keep_up, hub)),
        ("ask the group's rules", partial(ask_pending, hub)),
    )
