"""Without any one safety rule the campaign fails, in the pure core and with the real classes.

In memory the rule is taken out of random histories until one breaks. With the real classes, which are slower, it is
taken out of one history that was found so and made short; the same history with the rule is well.
"""

from __future__ import annotations

import pytest

from campaign import ablation
from campaign.history import play as play_steps
from campaign.history import steps_of
from campaign.world import Violation
from campaign.worlds import MEMORY, SQLITE

ONCE = "a fact has its effect once"

BREAKS = {
    "the receiver's cursor wins, also when it is lower than it was": (
        "I10",
        17,
        "6 keep_copy, 11 restart, 12 exchange, 14 restore_hub",
    ),
    "bodies are kept for ever": ("I10", 17, "6 keep_copy, 11 restart, 12 exchange, 14 restore_hub"),
    "own history is pulled back": ("I10", 8, "9 roll_back_superseded"),
    "hash chain and fork check": ("I1", 19, "4 roll_back_superseded, 7 write"),
    "the hello shows the whole tree of epochs": ("I10", 16, "3 restart, 4 roll_back_superseded"),
    "the anchor tells of a restore": ("I8", 149, "2 keep_copy, 7 write_newer, 9 restore_plant_twice, 11 write"),
    "only the latest session counts": ("I6", 25, "34 write_newer, 35 exchange, 36 exchange"),
    "what is promised is in the anchor before it leaves": ("I15", 47, "2 write_newer, 7 restore_after_promise"),
    "the numbers of a new life jump": ("I8", 149, "2 keep_copy, 7 write_newer, 9 restore_plant_twice, 11 write"),
    "a hub gets back what it wrote and lost": ("I7", 50, "5 write_down, 7 exchange, 11 empty_hub"),
    "nothing is recorded before what was promised": (
        "I15",
        8348,
        "1 write, 11 set_clock, 12 keep_copy, 16 exchange, 17 restore_plant, 18 write",
    ),
    "an author's order of its epochs counts": (
        "I10",
        1073,
        "5 clone_plant, 6 write, 14 exchange, 23 exchange, 26 exchange, 27 write, 28 empty_hub, 30 exchange,"
        " 35 write_newer, 42 exchange",
    ),
    "an epoch with a child, or a later one, is at its end": ("I5", 112, "35 write, 36 roll_back_superseded, 43 apply"),
}
"""Rule -> the invariant that breaks without it on SQLite, and a seed with the steps that were left."""

RARE = {"an author's order of its epochs counts": 1073}
"""Rules that 400 histories do not miss, and the first seed that does."""


@pytest.mark.parametrize("rule", ablation.rules_of("memory"), ids=lambda rule: rule.name)
def test_the_pure_core_without_a_rule_breaks(rule):
    seeds = [RARE[rule.name]] if rule.name in RARE else range(1, 401)
    assert ablation.ablate(rule, MEMORY, seeds, enough=1).broken, f"no history missed: {rule.name}"


@pytest.mark.parametrize("rule", [r for r in ablation.rules_of("sqlite") if r.name != ONCE], ids=lambda rule: rule.name)
def test_the_real_classes_without_a_rule_break(rule):
    number, seed, said = BREAKS[rule.name]
    steps = steps_of(seed, said)
    assert play_steps(SQLITE.open_group, seed, steps).violation == ""
    with ablation.taken_away(rule, "sqlite"):
        outcome = play_steps(SQLITE.open_group, seed, steps)
    assert outcome.number == number, outcome.violation or "\n".join(outcome.trace)


def test_every_rule_is_shown_with_the_real_classes():
    assert ablation.rules_of("sqlite") == list(ablation.RULES)
    assert {ONCE, *BREAKS} == {rule.name for rule in ablation.RULES}


def test_facts_that_stand_in_two_epochs_have_their_effect_once(play):
    give_two_places(play)
    assert sum(play.epochs(play.hub)) > len(play.hub.facts("ALD"))
    play.settle()
    assert play.level()


def test_without_looking_whether_it_was_applied_they_have_it_twice(play):
    rule = next(rule for rule in ablation.RULES if rule.name == ONCE)
    with ablation.taken_away(rule, play.kind):
        give_two_places(play)
        with pytest.raises(Violation, match="had its effect twice"):
            play.settle()


def give_two_places(play):
    """Restores of both sides: a plant's facts are carried to a new epoch; then both are rolled back, and the same facts
    come in their old places first, and after them the epoch that has them again."""
    play.write(3)
    play.meet()
    hub_early, early = play.hub.save(), play.plant.save()
    play.write(8)
    longer = play.plant.save()
    play.restore(play.plant, early)
    play.write(1)
    play.meet()
    play.restore(play.plant, longer, "machine")
    play.meet()
    carried = play.plant.save()
    play.restore(play.hub, hub_early)
    play.restore(play.plant, longer, "machine")
    play.meet()
    play.hub.apply()
    play.restore(play.plant, carried, "machine")
    play.meet()
    play.hub.apply()
