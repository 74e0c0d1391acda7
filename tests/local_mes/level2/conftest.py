"""Makes the small plant of level2_peers for each test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local_mes.level2.spool import create_spool
from local_mes.level2.telegrams.layout_files import load_folder
from shared.clock import FixedClock
from shared.db.engine import open_engine
from shared.ports import free_port
from shared.settings import PlantSettings

sys.path.insert(0, str(Path(__file__).parent))

from level2_peers import MODEL, PLANTS, Site


@pytest.fixture
def make_site(tmp_path: Path, clock: FixedClock) -> Iterator[Callable[..., Site]]:
    made: list[Site] = []

    def make(*, heartbeat_s: float = 30, resend_s: float = 5, more: str = "", plant: str = "ald") -> Site:
        port = free_port()
        layouts = PLANTS / plant / "telegrams"
        (tmp_path / "model.toml").write_text(
            MODEL.format(port=port, layouts=layouts, heartbeat_s=heartbeat_s, resend_s=resend_s, more=more)
        )
        settings = PlantSettings(
            code="ALD", name="Test", folder=tmp_path, model=tmp_path / "model.toml", hub_url="http://127.0.0.1:1"
        )
        spool = open_engine(settings.spool)
        create_spool(spool, clock)
        made.append(Site(tmp_path, settings, port, load_folder(layouts), spool))
        return made[-1]

    yield make
    for site in made:
        site.spool.dispose()
