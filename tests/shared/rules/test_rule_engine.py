"""Contract of the port: every engine of the product passes these."""

import pytest

from shared.rules.cel import CelEngine
from shared.rules.port import SOURCE_CHARS_MAX, Engine, Failed, Missing, SourceError, Value

VARIABLES = {"Cu": "number", "Sn": "number", "grade": "text", "weighed": "flag"}
ENGINES = [CelEngine()]


@pytest.fixture(params=ENGINES, ids=lambda engine: type(engine).__name__)
def engine(request: pytest.FixtureRequest) -> Engine:
    return request.param


@pytest.mark.parametrize(
    ("source", "inputs", "expected"),
    [
        ("Cu + 8 * Sn <= 0.38", {"Cu": 0.27, "Sn": 0.022}, False),  # integer literal 8 becomes a double
        ("Cu + 8 * Sn <= 0.38", {"Cu": 0.15, "Sn": 0.012}, True),
        ("grade == 'L06' || Cu > 1", {"grade": "L06"}, True),  # one true term decides although Cu is missing
        ("weighed && Cu >= 0", {"weighed": False}, False),
        ("grade == '8'", {"grade": "8"}, True),  # a digit inside a text stays a text
        ("Cu <= 1", {"Cu": 1}, True),  # integers are doubles
        ("Cu * 100.0 / Sn", {"Cu": 1.0, "Sn": 4.0}, 25.0),
    ],
)
def test_gives_a_value_of_its_type(engine: Engine, source: str, inputs: dict, expected: object) -> None:
    assert engine.compile(source, VARIABLES).evaluate(inputs) == Value(expected)


def test_names_every_missing_input(engine: Engine) -> None:
    assert engine.compile("Cu + 8 * Sn <= 0.38", VARIABLES).evaluate({}) == Missing(("Cu", "Sn"))


@pytest.mark.parametrize("inputs", [{"Cu": "much"}, {"Cu": True}, {"Cu": [1.0]}])
def test_a_wrong_type_fails_and_is_not_true(engine: Engine, inputs: dict) -> None:
    result = engine.compile("Cu <= 1.0", VARIABLES).evaluate(inputs)
    assert isinstance(result, Failed)
    assert "Cu" in result.why


@pytest.mark.parametrize(
    ("source", "word", "column"),
    [
        ("Cu <= 0.38 && Zn > 1", "Zn", 15),
        ("8 * Cu + 2 * Zn <= 4", "Zn", 14),  # the column is that of the author's text
        ("grade <= 0.38", "<=", 7),
        ("Cu +", "Syntax", None),
        ("[Cu]", "list", None),
    ],
)
def test_says_what_is_wrong_and_where(engine: Engine, source: str, word: str, column: int | None) -> None:
    with pytest.raises(SourceError) as caught:
        engine.compile(source, VARIABLES)
    assert word in caught.value.what
    if column is not None:
        assert caught.value.column == column


def test_refuses_a_source_that_is_too_long(engine: Engine) -> None:
    with pytest.raises(SourceError, match="characters long"):
        engine.compile("Cu + " * SOURCE_CHARS_MAX + "Cu", VARIABLES)


def test_an_expression_that_never_ends_is_stopped(engine: Engine) -> None:
    numbers = "[" + ",".join(["1"] * 200) + "]"
    source = f"{numbers}.all(a, {numbers}.all(b, {numbers}.all(c, a + b + c > Cu)))"
    result = engine.compile(source, VARIABLES).evaluate({"Cu": 0.0})
    assert isinstance(result, Failed)
    assert "budget" in result.why.lower()
