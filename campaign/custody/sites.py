"""The sites of a history of transfers: five plants with a gate and a yard, and the hub that reconciles them."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any, cast

from campaign.disk import Image, Mode
from campaign.history import seeded_ids
from campaign.machine import empty_database, machine
from campaign.network import Line
from campaign.site import HUB, START_MS
from campaign.sqlite import Request, SqliteSite, cut_request
from central_hub.hub import Hub
from central_hub.transfers.service import Reconciled, reconcile
from local_mes.model.domain import PlantModel
from local_mes.model.high_marks import NumberMarks
from local_mes.plant import Plant
from local_mes.transfers.service import heed_amendments, heed_cases, match_pending
from shared.db.engine import write
from shared.journal.highest import NoValues, Outside
from shared.settings import HubSettings, PlantSettings, check
from sync.peers import trust_peer

CODES = ("ALD", "BRK", "CLD", "DRN", "ERL")
LANE_HOURS = 8
GATE = "gate "
"""Machines of these histories have names of their own: their disks trust other nodes than those of the sqlite world."""


class PlantSite(SqliteSite):
    """A plant with its services."""

    plant: Plant
    applied_at_once = 200

    def __init__(self, code: str) -> None:
        super().__init__(code, GATE + code)
        self.model = model_of(code)
        self.outside = Outside(NumberMarks(self.model), NoValues())
        values = {"code": code, "name": code, "folder": self.machine.settings.folder, "model": "model.toml"}
        self._settings = check(PlantSettings, values | {"hub_url": "http://127.0.0.1:1"}, where="a history")

    def boot(self) -> None:
        """The services stand on the node that starts."""
        super().boot()
        self.plant = Plant(self.node, self._settings, self.model, self.machine.engine)

    def follow(self) -> None:
        """What a plant does by itself after facts came down."""
        self.apply()
        for heed in (match_pending, heed_amendments, heed_cases):
            heed(self.plant)

    def head(self) -> int:
        """How many entries its stream has; a new life begins anew."""
        return int(self.machine.raw.execute("SELECT seq FROM head WHERE stream = ?", (self.code,)).fetchone()[0])


class HubSite(SqliteSite):
    """The hub with its desk for cases."""

    applied_at_once = 200

    def __init__(self) -> None:
        super().__init__(HUB, GATE + HUB)
        values = {"code": HUB, "name": HUB, "folder": self.machine.settings.folder}
        self._settings = check(HubSettings, values, where="a history")

    def boot(self) -> None:
        """The same."""
        super().boot()
        self.desk = Hub(self.node, self._settings)

    def follow(self) -> Reconciled:
        """Apply what came, and judge."""
        self.apply()
        return reconcile(self.desk)


class CustodyGroup:
    """Five plants and their hub, enrolled, before the first fact."""

    def __init__(self) -> None:
        self.hub = cast(HubSite, _begin(HUB))
        self.plants = {code: cast(PlantSite, _begin(code)) for code in CODES}
        self.lines = {code: Line(self.hub.answer, _opens, cut_request) for code in CODES}

    @property
    def everyone(self) -> list[SqliteSite]:
        """All sites, the hub first."""
        return [self.hub, *self.plants.values()]

    def line(self, code: str) -> Line[Request, bytes]:
        """The plant's line to the hub."""
        return self.lines[code]

    def restore(self, site: SqliteSite, image: Image, mode: Mode) -> None:
        """Put a backup in place and start from it; a hub trusts its plants as people know them."""
        site.load(image, mode)
        site.boot()


@cache
def model_of(code: str) -> PlantModel:
    """A plant with a yard, lanes to all others and numbers of its own."""
    return PlantModel.model_validate(
        {
            "plant": {
                "code": code,
                "name": code,
                "zone": "UTC",
                "production_day_start": "06:00",
                "shifts": [{"name": "early", "start": "06:00"}],
            },
            "area": [{"code": "YARD", "name": "Yard"}],
            "unit": [{"code": "YA", "class": "slab_yard", "area": "YARD"}],
            "lane": [
                {"code": f"{code}-{to}", "to": to, "mode": "rail", "hours": LANE_HOURS} for to in CODES if to != code
            ],
            "numbering": [{"code": f"{code}.slab", "prefix": f"{code[0]}S", "width": 7}],
        }
    )


def _make(code: str) -> SqliteSite:
    return HubSite() if code == HUB else PlantSite(code)


def _begin(code: str) -> SqliteSite:
    site = _make(code)
    site.machine.write_anchor(None)
    site.machine.write_database(_enrolled(code))
    site.boot()
    return site


@cache
def _enrolled(code: str) -> bytes:
    """The disk of a node that has begun its life and trusts the others; made once a process."""
    site = _make(code)
    site.load(Image(empty_database(), None, []), "machine")
    with seeded_ids(Random(code)):
        site.boot()
    with write(site.machine.engine) as conn:
        for other in CODES if code == HUB else (HUB,):
            trust_peer(conn, other, machine(other, GATE + other).key.public, START_MS)
    return site.machine.read_disk()[0]


def _opens(request: Any) -> bool:
    return bool(request[0] == "hello")
