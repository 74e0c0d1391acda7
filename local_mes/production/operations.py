"""Importing this module registers every operation that a plant model may map a message to."""

from __future__ import annotations

from local_mes.execution import level2_data as level2_data
from local_mes.production import cast_cut as cast_cut
from local_mes.production import cast_events as cast_events
from local_mes.production import cast_ladle as cast_ladle
from local_mes.production import device_analysis as device_analysis
from local_mes.production import device_marking as device_marking
from local_mes.production import device_weighing as device_weighing
from local_mes.production import finishing_cut as finishing_cut
from local_mes.production import finishing_entry as finishing_entry
from local_mes.production import heat_furnace as heat_furnace
from local_mes.production import heat_ladle as heat_ladle
from local_mes.production import heat_sample as heat_sample
from local_mes.production import mill_furnace as mill_furnace
from local_mes.production import mill_rolling as mill_rolling
from local_mes.production import states as states
from local_mes.stock import crane_operation as crane_operation
