"""adopt_and_die.py SUPPORT FOLDER MODEL NOW_MS POINT WHEN NTH: a plant that dies while it takes in standards."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])

from dying import arm

from local_mes.standards.service import adopt_pending
from local_mes.wiring import build_plant
from shared.clock import FixedClock
from shared.settings import PlantSettings

folder, model, now_ms, point, when, nth = sys.argv[2:]
settings = PlantSettings(code="ALD", name="Aldermoor", folder=Path(folder), hub_url="http://hub", model=Path(model))
plant = build_plant(settings, FixedClock(int(now_ms)))
arm(point, when, int(nth))
adopt_pending(plant)
