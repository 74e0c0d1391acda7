"""The rules of the demo group, asked with the numbers of its day."""

import copy
import pickle
from pathlib import Path

import pytest

from shared.rules.check import placed_faults
from shared.rules.document import Expression, Rule
from shared.rules.evaluate import Outcome, evaluate
from shared.rules.measures import UnitError, measure
from shared.rules.unit_check import unit_of
from shared.standards.documents import QualityRule, parse_body

STANDARDS = Path(__file__).parents[3] / "demo" / "standards"


def ask(name: str, **inputs: object) -> Outcome:
    return evaluate(demo_rule(name), inputs)


def demo_rule(name: str) -> Rule:
    document = parse_body((STANDARDS / f"{name}.json").read_bytes())
    assert isinstance(document, QualityRule)
    return document.rule


GOOD = {"grade": "L06", "C": 470, "Si": 150, "Mn": 2200, "P": 120, "S": 50, "Al": 400, "Cu": 1600, "Sn": 120, "N": 70}
HELD = {"grade": "L06", "C": 430, "Si": 150, "Mn": 2300, "P": 130, "S": 70, "Al": 420, "Cu": 2700, "Sn": 220, "N": 76}


def test_a_rule_that_was_asked_is_copied_and_a_changed_copy_compiles_for_itself() -> None:
    rule = demo_rule("QR-RES-01-v2")
    assert isinstance(rule.check, Expression)
    program = rule.check.program
    for again in (copy.deepcopy(rule), copy.copy(rule), rule.model_copy(deep=True), pickle.loads(pickle.dumps(rule))):
        assert (again, again.model_dump()) == (rule, rule.model_dump())
    changed = rule.check.model_copy(update={"condition": "Cu < 0.1"})
    assert changed.program != program
    assert rule.check.program is program


def test_a_good_heat_is_in_order_and_every_element_is_reported() -> None:
    outcome = ask("QR-CHE-01-v5", **GOOD)
    assert (outcome.outcome, outcome.action, outcome.reason) == ("in_order", None, "")
    assert len(outcome.explanation) == 12  # C, Mn and Al have two sides, six elements one; Nb was not measured
    assert outcome.inputs == GOOD


def test_the_held_heat_says_which_elements_and_by_how_much() -> None:
    outcome = ask("QR-CHE-01-v5", **HELD)
    assert (outcome.outcome, outcome.action) == ("violated", "hold")
    assert outcome.reason == "Cu = 0.27 % > 0.22 %; Sn = 0.022 % > 0.02 %"
    against = [line for line in outcome.explanation if line.truth == "false"]
    assert [(line.what, line.value, line.limit, line.unit) for line in against] == [
        ("Cu", 0.27, 0.22, "%"),
        ("Sn", 0.022, 0.02, "%"),
    ]


def test_a_value_on_its_limit_is_in_order() -> None:
    assert ask("QR-CHE-01-v5", **{**GOOD, "C": 300, "Cu": 2200, "Al": 600}).outcome == "in_order"
    assert ask("QR-CHE-01-v5", **{**GOOD, "C": 299}).reason == "C = 0.0299 % < 0.03 %"
    assert ask("QR-CHE-01-v5", **{**GOOD, "Cu": 2201}).violated


def test_a_missing_element_is_pending_unless_another_decides() -> None:
    without = {name: value for name, value in GOOD.items() if name != "Al"}
    outcome = ask("QR-CHE-01-v5", **without)
    assert (outcome.outcome, outcome.missing, outcome.reason) == ("pending", ("Al",), "Still to be measured: Al.")
    assert ask("QR-CHE-01-v5", **{**without, "Cu": 9000}).outcome == "violated"


def test_an_optional_element_counts_when_it_is_measured() -> None:
    assert ask("QR-CHE-01-v5", **GOOD, Nb=40).outcome == "in_order"
    assert ask("QR-CHE-01-v5", **GOOD, Nb=60).reason == "Nb = 0.006 % > 0.005 %"


def test_an_unknown_grade_is_not_checked_and_the_outcome_says_so() -> None:
    outcome = ask("QR-CHE-01-v5", **{**HELD, "grade": "Q99"})
    assert (outcome.outcome, outcome.action) == ("not_applicable", None)
    assert "Q99" in outcome.reason
    assert ask("QR-CHE-01-v5", Cu=100).outcome == "pending"


@pytest.mark.parametrize(
    ("cu", "sn", "expected", "reason"),
    [
        (2700, 220, "violated", "Cu + 8 * Sn = 0.446 % > 0.38 %"),
        (1800, 135, "in_order", ""),
        (2200, 200, "in_order", ""),  # exactly 0.38
        (2201, 200, "violated", "Cu + 8 * Sn = 0.3801 % > 0.38 %"),
    ],
)
def test_residual_index(cu: int, sn: int, expected: str, reason: str) -> None:
    outcome = ask("QR-RES-01-v2", grade="L06", Cu=cu, Sn=sn, C=430)
    assert (outcome.outcome, outcome.reason) == (expected, reason)
    assert outcome.inputs == {"grade": "L06", "Cu": cu, "Sn": sn}
    assert outcome.action == ("hold" if expected == "violated" else None)


def test_residual_index_speaks_of_one_grade_only() -> None:
    assert ask("QR-RES-01-v2", grade="M15", Cu=9000, Sn=900).outcome == "not_applicable"
    assert demo_rule("QR-RES-01-v2").otherwise.share_threshold_ppm == 100_000


@pytest.mark.parametrize(
    ("level_um", "duration_ms", "outcome"),
    [
        (14_000, 26_000, "violated"),
        (-11_000, 26_000, "violated"),
        (14_000, 5_000, "in_order"),
        (10_000, 90_000, "in_order"),
    ],
)
def test_mould_level(level_um: int, duration_ms: int, outcome: str) -> None:
    said = ask("QR-CAST-01-v3", code="ML", level=level_um, duration=duration_ms)
    assert (said.outcome, said.action) == (outcome, "mark" if outcome == "violated" else None)


def test_mould_level_explains_the_mark() -> None:
    assert ask("QR-CAST-01-v3", code="ML", level=14_000, duration=26_000).reason == (
        "level = 14 mm > 10 mm; duration = 26 s > 5 s"
    )
    assert ask("QR-CAST-01-v3", code="SP", level=14_000, duration=26_000).outcome == "not_applicable"
    assert ask("QR-CAST-01-v3", code="ML", level=14_000).missing == ("duration",)


def test_transition_slab() -> None:
    said = ask("QR-TRN-01-v1", mixed_length=2_500_000)
    assert (said.outcome, said.action, said.reason) == ("violated", "hold", "mixed_length = 2.5 m > 1 m")
    assert demo_rule("QR-TRN-01-v1").otherwise.never_for == ("L06",)
    assert ask("QR-TRN-01-v1", mixed_length=1_000_000).outcome == "in_order"


def test_hot_mill_windows() -> None:
    assert ask("QR-HSM-01-v4", ft_in_window=950_000, ct_in_window=1_000_000).outcome == "in_order"
    said = ask("QR-HSM-01-v4", ft_in_window=949_000, ct_in_window=1_000_000)
    assert said.reason == "ft_in_window = 94.9 % < 95 %"


def test_zinc_mass() -> None:
    said = ask("QR-CGL-01-v2", coating="Z275", triple=279, single=228)
    assert (said.action, said.reason) == ("hold", "single = 228 g/m2 < 235 g/m2")
    assert demo_rule("QR-CGL-01-v2").otherwise.workflow == "W-KNIFE"
    assert ask("QR-CGL-01-v2", coating="Z275", triple=275, single=235).outcome == "in_order"
    assert ask("QR-CGL-01-v2", coating="Z100", triple=120, single=90).outcome == "not_applicable"


RECEIPTS = [
    ("theoretical", 20_558_000, 20_670_000, "in_order"),  # +0.54 % of a theoretical slab mass
    ("theoretical", 20_000_000, 20_300_000, "in_order"),  # exactly 1.5 %
    ("theoretical", 20_000_000, 20_300_001, "violated"),
    ("weighed", 20_180_000, 19_660_000, "violated"),  # truck K3
    ("weighed", 20_320_000, 20_310_000, "in_order"),
    ("weighed", 10_000_000, 10_040_000, "in_order"),  # 0.4 %, but not more than 40 kg
    ("weighed", 10_000_000, 10_040_001, "violated"),
]


@pytest.mark.parametrize(("basis", "sent", "found", "outcome"), RECEIPTS)
def test_mass_of_a_receipt(basis: str, sent: int, found: int, outcome: str) -> None:
    said = ask("QR-RCV-01-v2", sender_basis=basis, receiver_basis="weighed", sender_mass=sent, receiver_mass=found)
    assert (said.outcome, said.action) == (outcome, "case" if outcome == "violated" else None)


def test_mass_of_a_receipt_is_explained_in_kilograms() -> None:
    said = ask(
        "QR-RCV-01-v2",
        sender_basis="weighed",
        receiver_basis="weighed",
        sender_mass=20_180_000,
        receiver_mass=19_660_000,
    )
    assert said.reason == "19,660 kg found, 20,180 kg advised: -2.58 %, difference 520 kg > 60.54 kg"


def test_a_receipt_without_advice_waits_and_unknown_bases_are_not_compared() -> None:
    assert ask("QR-RCV-01-v2", sender_basis="weighed", receiver_basis="weighed", receiver_mass=5).missing == (
        "sender_mass",
    )
    said = ask("QR-RCV-01-v2", sender_basis="charged", receiver_basis="weighed", sender_mass=5, receiver_mass=9)
    assert said.outcome == "not_applicable"


def test_asked_again_with_its_recorded_inputs_it_says_the_same() -> None:
    first = ask("QR-RES-01-v2", **HELD)
    assert evaluate(demo_rule("QR-RES-01-v2"), first.inputs) == first


def test_a_text_where_a_number_belongs_fails_and_holds_nothing() -> None:
    assert ask("QR-CHE-01-v5", **{**GOOD, "Cu": "low"}).outcome == "failed"
    assert ask("QR-RES-01-v2", grade="L06", Cu=True, Sn=10).outcome == "failed"


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("sender_mass + thickness <= 5", "adds kg and mm"),
        ("sender_mass <= thickness", "compares kg and mm"),
        ("sender_mass * 2 - receiver_mass <= 5 || thickness / 2 > 3", ""),
    ],
)
def test_a_rule_that_adds_kilograms_to_millimetres_is_at_fault(condition: str, said: str) -> None:
    variables = {"sender_mass": "kg", "receiver_mass": "kg", "thickness": "mm"}
    measures = {name: measure(unit) for name, unit in variables.items()}
    if said:
        with pytest.raises(UnitError, match=said):
            unit_of(condition, measures)
    else:
        unit_of(condition, measures)


def test_each_fault_of_a_rule_names_its_field() -> None:
    used = ({"name": "length", "unit": "m"}, {"name": "level", "unit": "mm"}, {"name": "colour"})
    rule = {"when": ["mark"], "otherwise": {"action": "mark"}}
    check = {"kind": "expression", "variables": used[:2], "condition": "length + level <= 3"}
    found = placed_faults(Rule.model_validate({**rule, "check": check}))
    assert [(fault.path, fault.text) for fault in found] == [
        ("rule.check.condition", "condition: it adds m and mm; figures in one expression have one unit")
    ]
    named = placed_faults(Rule.model_validate({**rule, "check": {**check, "variables": used}}))
    assert [fault.path for fault in named] == ["rule.check.variables.2.name"]
