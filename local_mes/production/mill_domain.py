"""The hot mill's arithmetic: what a slab loses on its way to a coil, and which part of it the coil is."""

from __future__ import annotations

from dataclasses import dataclass

from shared.material.domain import part_of
from shared.material.facts import Loss

SCALE_PPM, DESCALE_PPM = 7_500, 2_500
"""Furnace scale 0.75 % and descaling 0.25 % of what was charged (rule of thumb, domain.md 5)."""


@dataclass(frozen=True, slots=True)
class Rolling:
    """What is known of one slab's rolling: grams, um, ppm; crops weighed at the shear or, where it was silent, aimed."""

    charged_g: int
    slab_length_um: int
    head_g: int
    tail_g: int
    crops_weighed: bool
    scale_ppm: int = SCALE_PPM
    descale_ppm: int = DESCALE_PPM

    @property
    def scale_g(self) -> int:
        """Lost in the furnace."""
        return part_of(self.charged_g, self.scale_ppm)

    @property
    def descale_g(self) -> int:
        """Lost at the descalers."""
        return part_of(self.charged_g, self.descale_ppm)

    @property
    def coil_g(self) -> int:
        """What must be left for the coil."""
        return self.charged_g - self.scale_g - self.descale_g - self.head_g - self.tail_g

    @property
    def losses(self) -> tuple[Loss, ...]:
        """As the operation books them."""
        found = (
            Loss("scale", self.scale_g),
            Loss("scale", self.descale_g),
            Loss("crop", self.head_g, self.crops_weighed),
            Loss("crop", self.tail_g, self.crops_weighed),
        )
        return tuple(loss for loss in found if loss.g)

    @property
    def slab_part(self) -> tuple[int, int]:
        """The interval of the slab (um from its head) that became the coil: crops are cut from descaled steel."""
        hot_g = self.charged_g - self.scale_g
        if hot_g <= 0:
            return 0, self.slab_length_um
        head = self.slab_length_um * self.head_g // hot_g
        tail = self.slab_length_um * self.tail_g // hot_g
        return head, self.slab_length_um - tail
