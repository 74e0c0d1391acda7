"""Which links of a plant are in shadow mode, as its pages and its own process know it without the links' drivers."""

from __future__ import annotations

from local_mes.plant import Plant


def shadow_links(plant: Plant) -> tuple[str, ...]:
    """Their codes, in the model's order: all by the settings, or those that the model marks."""
    return tuple(link.code for link in plant.model.link if plant.settings.shadow or link.shadow)
