"""How much mass an operation may leave unexplained: as its unit's parameter says, else as is usual for its class."""

from __future__ import annotations

from local_mes.model.domain import PlantModel, Unit

PARAMETER = "balance_ppm"
"""Of a unit in the plant model, and of a route where it binds one: ppm of what is charged."""
USUAL_PPM = {
    "slab_caster": 30_000,
    "finishing_mill": 2_000,
    "pickling": 5_000,
    "cold_mill": 3_000,
    "galvaniser": 5_000,
    "slitter": 2_000,
}
"""A hot mill closes to 0.2 % (domain.md, 2); pickling and zinc vary; steel is cast by theoretical mass, with slag and
tundish rests by weight (house practice)."""
OTHER_PPM = 10_000


def tolerance_ppm(unit: Unit) -> int:
    """Of one unit."""
    value = unit.parameters.get(PARAMETER)
    return (
        value if isinstance(value, int) and not isinstance(value, bool) else USUAL_PPM.get(unit.unit_class, OTHER_PPM)
    )


def tolerances(model: PlantModel) -> dict[str, int]:
    """Unit -> ppm, in the order of the model."""
    return {unit.code: tolerance_ppm(unit) for unit in model.unit}
