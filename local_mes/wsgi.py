"""A plant's process: console and API, and beside them sync, the interpreter of Level 2, and what follows from facts."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial

from flask_openapi import OpenAPI

from local_mes.app import create_console
from local_mes.centre.heeding import heed_centre
from local_mes.connection.views import install_lookout
from local_mes.level2.edge import views as edge
from local_mes.level2.edge.enrolment import DESK, EDGE
from local_mes.level2.edge.hosting import Hosting, prepare
from local_mes.level2.interpret import Interpreter
from local_mes.level2.links import load_links
from local_mes.level2.outbox import pass_on
from local_mes.level2.pruning import prune
from local_mes.level2.queries import open_figures
from local_mes.level2.shadow.marked import shadow_links
from local_mes.pilot.service import follow as compare_with_old_mes
from local_mes.plant import Plant
from local_mes.production import operations as _operations  # noqa: F401 - registers what messages mean
from local_mes.staging import copying as staging
from local_mes.standards.adopt import adopt_pending
from local_mes.standards.watching import Watch
from local_mes.transfers.service import heed_amendments, heed_cases, match_pending
from local_mes.wiring import MIGRATIONS, build_plant, build_station
from shared.db import migrate
from shared.ids import jitter
from shared.journal.rederive import clear_scratch
from shared.settings import PlantSettings
from shared.threads import looping
from shared.web.features import Feature
from shared.web.health import Check, alive
from shared.web.server import Served
from shared.web.server import serve as serve_node
from sync import status
from sync.backoff import Backoff
from sync.comparing import Comparing
from sync.endpoint import install_desk
from sync.following import Following
from sync.keeping import Keeping
from sync.lines import routed_transport
from sync.lookout import plant_lookout
from sync.observing import make_observing
from sync.pausing import PausableWay
from sync.routed import RoutedTransport
from sync.station import CallingStation
from sync.steady import Steady, standing_faults

STOP_S = 3.0
"""An interpreter ends after the transaction in hand; longer would outlast the server's own grace."""


def serve(settings: PlantSettings) -> None:
    """Run until told to end; BadSetup for anything that does not allow a start, before a process is forked."""
    plant = build_plant(settings)
    migrate.check(plant.node.engine, MIGRATIONS)
    plan = load_links(settings)
    if settings.edge:
        prepare(plant, plan)
    Interpreter(plant, plan)
    # a SQLite file that a fork inherits open loses its locks when the child closes it
    plant.node.engine.dispose()
    plant.spool.dispose()
    serve_node(settings, lambda: start_plant(settings))


def start_plant(settings: PlantSettings) -> Served:
    """The plant's process: its console, and beside it sync, the interpreter of Level 2, and what follows from facts."""
    plant = build_plant(settings)
    clear_scratch(settings.folder, staging.SCRATCH)
    transport = routed_transport(plant.node, settings)
    way = PausableWay(transport)
    station = build_station(plant, way)
    hosting = Hosting(plant) if settings.edge else None
    lookout = plant_lookout(plant.node, settings, transport, station.sync_now)
    stopping = threading.Event()
    interpreter = Interpreter(plant, load_links(settings))
    thread = looping(Steady(plant.node).run, "interpreter", partial(interpreter.run, stopping), stopping)
    following = _make_following(plant, station)
    nightly = (("compare", Comparing(plant.node, way).nightly), ("spool", partial(prune, plant)))
    hosted = (hosting,) if hosting is not None else ()
    of_edge = tuple(("edge", host.nightly) for host in hosted)
    keeping = Keeping(plant.node, (*nightly, *of_edge), hosted, fetch=station.history)

    def start() -> None:
        keeping.start()
        station.start()
        lookout.start()
        thread.start()
        following.start()

    def stop() -> None:
        stopping.set()
        lookout.stop()
        following.stop()
        station.stop()
        thread.join(STOP_S)
        keeping.stop()

    checks = (alive("interpreter", thread.is_alive), alive("watch over the line", lambda: lookout.is_alive))
    of_desk = tuple(("edge's desk", partial(standing_faults, host.node)) for host in hosted)
    of_edges = tuple(alive("edge", host.is_alive) for host in hosted)
    app = _make_app(plant, interpreter, transport, (*checks, *of_desk, *of_edges), hosting)
    install_lookout(app, lookout)
    return Served(app, start, stop)


def _make_following(plant: Plant, station: CallingStation) -> Following:
    sync = plant.settings.sync
    return Following(
        (
            ("look for edited standards", Watch(plant).look),  # the others trust the rows
            ("adopt standards", partial(adopt_pending, plant)),
            ("match receipts", partial(match_pending, plant)),
            ("heed amendments", partial(heed_amendments, plant)),
            ("heed cases", partial(heed_cases, plant)),
            ("do what the centre decided", partial(heed_centre, plant)),
            ("pass on to Level 2", partial(pass_on, plant)),
            ("compare with the old MES", partial(compare_with_old_mes, plant)),
        ),
        station.ground.applying,
        Backoff(sync.retry_first_s, sync.heartbeat_s, jitter),
        look_s=sync.heartbeat_s,
        run=Steady(plant.node).run,
    )


def _make_app(
    plant: Plant,
    interpreter: Interpreter,
    transport: RoutedTransport,
    checks: Sequence[Check],
    hosting: Hosting | None,
) -> OpenAPI:
    observing = make_observing(plant.node, transport, partial(open_figures, plant), checks)
    own = status.make_api(partial(open_figures, plant, interpreter.is_at_rest), partial(shadow_links, plant))
    more = (Feature(apis=(own,)), observing.feature)
    app = create_console(plant, (*more, edge.FEATURE) if hosting is not None else more)
    observing.install(app)
    if hosting is not None:
        install_desk(app, hosting.station.desk)
        app.extensions |= {DESK: hosting.node, EDGE: hosting.edge}
    return app
