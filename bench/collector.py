"""A plant's collector for timings: the process it is in production, with one link of the model that a timing needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from local_mes.level2.collector import run_level2
from shared.interpreter import tune
from shared.settings import PlantSettings, check

SPAWN = get_context("spawn")
PLANT = """
[plant]
code = "ALD"
name = "Timing"
zone = "Europe/Warsaw"
production_day_start = "06:00"
shifts = [{ name = "early", start = "06:00" }]
[[area]]
code = "CC"
name = "Caster"
[[unit]]
code = "CC1"
class = "slab_caster"
area = "CC"
"""


@contextmanager
def collecting(folder: Path, link: str) -> Iterator[None]:
    """The collector of a plant whose model has this link (TOML), running; its spool lies in the folder."""
    model = folder / "model.toml"
    model.write_text(PLANT + link, encoding="utf-8")
    values = {"code": "ALD", "name": "Timing", "folder": folder, "model": model, "hub_url": "http://127.0.0.1:1"}
    settings = check(PlantSettings, values | {"log_level": "ERROR"}, where="this timing")
    process = SPAWN.Process(target=_collect, args=(settings,), daemon=True)
    process.start()
    try:
        yield
    finally:
        process.terminate()
        process.join()


def _collect(settings: PlantSettings) -> None:
    tune()  # as every process of the product
    run_level2(settings)
