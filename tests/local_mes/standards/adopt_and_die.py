"""adopt_and_die.py SUPPORT: plants that die while they take in standards, forked from one that has everything imported.

It reads one JSON order a line, [folder, model, now_ms, point, when, nth], and prints how the plant ended.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])

from dying import arm

from local_mes.standards.service import adopt_pending
from local_mes.wiring import build_plant
from shared.clock import FixedClock
from shared.settings import PlantSettings

gc.freeze()  # what is imported here is of no child's concern
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        folder, model, now_ms, point, when, nth = json.loads(line)
        settings = PlantSettings(code="ALD", name="Aldermoor", folder=folder, hub_url="http://hub", model=Path(model))
        plant = build_plant(settings, FixedClock(now_ms))
        arm(point, when, nth)
        adopt_pending(plant)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
