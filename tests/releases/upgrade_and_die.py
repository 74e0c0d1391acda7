"""upgrade_and_die.py SUPPORT KIND CONFIG NTH: an upgrade of a node's database that is killed between two revisions."""

from __future__ import annotations

import sys

sys.path.insert(0, sys.argv[1])

from dying import arm

import central_hub.cli
import local_mes.cli

_, _, kind, config, nth = sys.argv
arm("alembic.runtime.migration:HeadMaintainer.update_to_step", "after", int(nth))
command = {"plant": local_mes.cli.plant, "hub": central_hub.cli.hub}[kind]
command(["upgrade", "--config", config], standalone_mode=False)
