"""The order in which the story is played."""

from __future__ import annotations

import time

from tools.rollout.hub_story import rotate_root
from tools.rollout.story import Story

STEPS = (
    Story.install,
    Story.install_again,
    Story.look_closely,
    Story.upgrade_with_traffic,
    Story.upgrade_to_a_bad_release,
    Story.roll_back_by_hand,
    Story.widen,
    Story.lose_a_plant,
    Story.change_a_key,
    rotate_root,
    Story.drill,
    Story.take_a_plant_out,
)


def play(story: Story) -> None:
    """All of it; Failed at the first thing that is not as it should be."""
    for step in STEPS:
        began = time.monotonic()
        said = step(story)
        print(f"{time.monotonic() - began:6.0f} s  {step.__name__.replace('_', ' ')}: {said}", flush=True)
