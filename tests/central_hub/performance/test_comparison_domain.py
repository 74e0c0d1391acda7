from central_hub.performance.domain import PlantFigures, compare
from shared.performance.formulas import KpiFigure

FIGURE = KpiFigure("slab_caster", "t", "%", "f", 97.9, ())


def plant(code: str, version: int | None, sha256: str = "a") -> PlantFigures:
    return PlantFigures(code, version, sha256 if version else "", (FIGURE,), 9)


def test_one_definition_may_be_compared() -> None:
    found = compare([plant("ALD", 3), plant("BRK", 3)])
    assert (found.comparable, found.refusal, len(found.groups)) == (True, "", 1)
    assert [p.plant for p in found.groups[0].plants] == ["ALD", "BRK"]


def test_mixed_definitions_are_shown_apart_and_said_so() -> None:
    found = compare([plant("ALD", 2), plant("BRK", 3), plant("CLD", 3)])
    assert not found.comparable
    groups = [(group.version, [p.plant for p in group.plants]) for group in found.groups]
    assert groups == [(3, ["BRK", "CLD"]), (2, ["ALD"])]
    assert found.refusal == (
        "Not comparable: the plants use different definitions (BRK and CLD: version 3; "
        "ALD: version 2). They are shown apart."
    )


def test_the_same_number_with_another_body_is_another_definition() -> None:
    assert not compare([plant("ALD", 3, "a"), plant("BRK", 3, "b")]).comparable


def test_a_plant_without_a_definition_has_no_figure() -> None:
    found = compare([plant("ALD", None), plant("BRK", 3)])
    assert (found.without, found.comparable) == (("ALD",), True)
    assert compare([]).groups == ()
