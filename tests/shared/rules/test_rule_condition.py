import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rules.cel import CelEngine
from shared.rules.condition import compile_condition
from shared.rules.port import SourceError, Value
from shared.rules.tokens import names, split_top, tokens, with_doubles, without_outer_brackets

NUMBERS = {"a": "number", "b": "number", "c": "number"}


def test_literals_become_doubles_outside_texts_and_names() -> None:
    assert with_doubles("8*Sn + x1 >= 1e3 + 2.5 && g == '12'") == "8.0*Sn + x1 >= 1e3 + 2.5 && g == '12'"


def test_top_level_means_outside_brackets() -> None:
    assert split_top("(a || b) && f(c && d)", ("&&",)) == (["(a || b)", "f(c && d)"], ["&&"])
    assert without_outer_brackets("((a) && (b))") == "(a) && (b)"
    assert without_outer_brackets("(a) && (b)") == "(a) && (b)"


@given(st.text(max_size=60))
def test_tokens_join_to_the_source(source: str) -> None:
    assert "".join(token.text for token in tokens(source)) == source


def test_and_binds_stronger_than_or() -> None:
    condition = compile_condition(CelEngine(), "a >= -10 && a <= 10 || b <= 5", NUMBERS)
    verdict = condition.judge({"a": 14.0, "b": 3.0})
    assert verdict.truth == "true"
    assert [(f.what, f.truth) for f in verdict.findings] == [("a", "true"), ("a", "false"), ("b", "true")]


def test_a_choice_is_not_taken_apart() -> None:
    condition = compile_condition(CelEngine(), "a > 1 ? b > 1 && c > 1 : b > 1 || c > 1", NUMBERS)
    assert condition.judge({"a": 0.0, "b": 0.0, "c": 2.0}).truth == "true"
    assert condition.judge({"a": 2.0, "b": 0.0, "c": 2.0}).truth == "false"


def test_a_condition_must_be_true_or_false() -> None:
    with pytest.raises(SourceError, match="true or false"):
        compile_condition(CelEngine(), "a + b", NUMBERS)


def test_a_value_at_its_limit_is_in_order_however_it_was_summed_up() -> None:
    condition = compile_condition(CelEngine(), "a + b <= 0.3", NUMBERS)
    assert condition.judge({"a": 0.1, "b": 0.2}).truth == "true"  # 0.1 + 0.2 is 0.30000000000000004 in doubles


small = st.integers(0, 3).map(float)


@given(a=st.none() | small, b=st.none() | small, c=st.none() | small)
def test_taken_apart_it_says_what_the_engine_says_of_the_whole(
    a: float | None, b: float | None, c: float | None
) -> None:
    source = "(a > 1 || b > 1) && (c <= 2 || a < b) && !(a == 3.0)"
    engine = CelEngine()
    inputs = {name: value for name, value in {"a": a, "b": b, "c": c}.items() if value is not None}
    whole = engine.compile(source, NUMBERS).evaluate(inputs)
    truth = compile_condition(engine, source, NUMBERS).judge(inputs).truth
    assert truth == ({True: "true", False: "false"}[whole.value] if isinstance(whole, Value) else "missing")


def test_names_are_listed_once_in_order() -> None:
    assert names("Cu + 8 * Sn + Cu <= limit") == ("Cu", "Sn", "limit")
