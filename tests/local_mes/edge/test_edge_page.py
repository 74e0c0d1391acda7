"""The edge's page says how it does and how its links do, as it last told; and before it is let in, how it is."""

from __future__ import annotations

import sys
from pathlib import Path

from edge_bench import EDGE, Two, make_both

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import sign_in

from local_mes.app import create_console
from local_mes.level2.edge.enrolment import DESK
from local_mes.level2.edge.enrolment import EDGE as CODE
from local_mes.level2.edge.views import FEATURE
from local_mes.level2.link_state import load_state, save_states
from shared.clock import FixedClock
from shared.db.engine import write


def test_the_page_shows_line_and_links(tmp_path: Path, clock: FixedClock) -> None:
    make_both(tmp_path, clock)
    two = Two(tmp_path, clock, FixedClock(clock.now_ms()))
    try:
        app = create_console(two.plant, (FEATURE,))
        app.extensions |= {DESK: two.hosting.node, CODE: EDGE}
        person = sign_in(app, two.plant.node, "engineer", "engineer")
        before = person.page("/level2/edge/")
        assert "To let it in" in before
        assert "told of no link yet" in before
        two.enrol()
        two.hears(3)
        state = load_state(two.edge.spool, "CC1", "telegram", "0.0.0.0:7111", two.edge_clock)
        state.become("connected", peer="10.1.4.20")
        state.received, state.last_message, state.last_message_ms = 3, "CC1060", two.edge_clock.now_ms()
        with write(two.edge.spool) as conn:
            save_states(conn, [state.row(1)])
        two.carrier._tell_due = 0
        two.carry(2)
        text = person.page("/level2/edge/")
        assert "CC1060" in text
        assert "10.1.4.20" in text
        assert 'aria-current="page">Edge on site' in text
    finally:
        two.close_plant()
        two.edge.node.engine.dispose()
        two.edge.spool.dispose()
