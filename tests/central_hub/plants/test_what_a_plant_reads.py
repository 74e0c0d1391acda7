"""The page of a plant's line says what of the hub's facts the plant cannot install yet, and which release it takes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from central_hub.app import create_portal
from central_hub.hub import Hub
from central_hub.plants.tables import plant
from shared.clock import FixedClock
from shared.db.engine import write
from shared.db.upsert import upsert
from shared.journal.fact import Draft, Occurred
from shared.node import build_node, create_tables, make_folder
from shared.settings import HubSettings
from shared.subjects import REGISTERS
from shared.transfers.facts import CaseResolved
from sync.understanding import fact_versions, keep

sys.path.insert(0, str(Path(__file__).parents[2] / "support"))

from browse import sign_in


@pytest.fixture
def hub(tmp_path: Path, clock: FixedClock) -> Iterator[Hub]:
    settings = HubSettings(code="HUB", name="Group", folder=tmp_path / "hub")
    make_folder(settings)
    node = build_node(settings, REGISTERS, clock)
    create_tables(node.engine)
    with write(node.engine) as conn:
        upsert(conn, plant, [{"code": "ALD", "name": "Aldermoor", "fingerprint": "ab", "enrolled_at_ms": 1}])
    yield Hub(node, settings)
    node.engine.dispose()


@pytest.mark.fault(68)
def test_what_an_older_plant_cannot_install_stands_on_its_page(hub: Hub) -> None:
    person = sign_in(create_portal(hub), hub.node, "engineer", "engineer")
    assert "cannot install yet" not in person.page("/plants/ALD")
    with hub.journal.work() as tx:
        said = CaseResolved(case_id="c", resolution="other", note="n")
        (fact_id,) = tx.record(Draft(said, ("c",), "p", Occurred(1, "manual")))
        tx.relay(fact_id, "HUB>ALD")
        keep(tx.conn, "ALD", (1, 1), {k: v for k, v in fact_versions().items() if k != "CaseResolved"}, 1)
    page = person.page("/plants/ALD")
    for words in ("What Aldermoor cannot install yet", "CaseResolved", "does not know it", "release 0.1.0"):
        assert words in page, words
    with write(hub.node.engine) as conn:
        keep(conn, "ALD", (1, 1), fact_versions(), 2)
    assert "cannot install yet" not in person.page("/plants/ALD")
