"""Lists and ranges of exact values."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boundcalc.arithmetic import RATIONALS
from boundcalc.errors import BoundcalcError, SpecError
from boundcalc.spec.grammar import DecimalLiteral, parse
from boundcalc.sweeps.values import MAX_POINTS, listed, read_value, text_of

rational = st.fractions(min_value=-50, max_value=50, max_denominator=60)
positive = st.fractions(min_value=Fraction(1, 60), max_value=100, max_denominator=60)


def exact(text):
    return parse(text).evaluate(RATIONALS)


@given(rational, rational, st.integers(2, 30))
def test_a_linear_range_is_exact(first, last, count):
    values = [exact(text) for text in listed(f"{first}:{last}:{count}")]
    assert values == [first + Fraction(i, count - 1) * (last - first) for i in range(count)]


@given(positive, st.fractions(min_value=Fraction(1, 5), max_value=5, max_denominator=9))
def test_a_log_range_with_a_rational_ratio_is_exact(first, ratio):
    values = [exact(text) for text in listed(f"{first}:{first * ratio**3}:4:log")]
    assert values == [first * ratio**i for i in range(4)]


@given(positive, positive, st.integers(2, 30))
def test_a_log_range_agrees_with_numpy_and_keeps_its_ends(first, last, count):
    texts = listed(f"{first}:{last}:{count}:log")
    expected = np.geomspace(float(first), float(last), count)
    assert (texts[0], texts[-1]) == (str(first), str(last))
    assert np.allclose([float(exact(text)) for text in texts], expected, rtol=5.1e-6, atol=0)


def test_a_narrow_log_range_keeps_its_values_apart():
    texts = listed("1:1.0000001:9:log")
    values = [exact(text) for text in texts]
    assert values == sorted(set(values))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1/2, 1/4", ("1/2", "1/4")),
        ("max(1, C), min(C, 2)", ("max(1, C)", "min(C, 2)")),
        ("[1, 2], [3]", ("[1, 2]", "[3]")),
        ("{type: adam, beta1: 0.9}, sgd", ("{type: adam, beta1: 0.9}", "sgd")),
        ("'a,b', \"c:1:3\"", ("'a,b'", '"c:1:3"')),
        ("0:1:3, 5", ("0", "0.5", "1", "5")),
        ("1/3:1:3", ("1/3", "2/3", "1")),
    ],
)
def test_text_is_split_outside_brackets_and_quotes(text, expected):
    assert listed(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no values"),
        ("1,,2", "empty value"),
        ([], "no values"),
        ("0:1:1", "a range of 1 values"),
        ("0:1:1000000000", "a range of 1000000000 values"),
        (f"0:1:{MAX_POINTS + 1}", f"a range of {MAX_POINTS + 1} values"),
        ("0:1:5:lin", "not a range"),
        ("0:1:5:log", "not positive"),
        ("-1:1:5:log", "not positive"),
        ("C:1:5", "not an exact number"),
        ("sqrt(2):2:5", "not an exact number"),
        ([float("nan")], "not a value that a spec can hold"),
        ([{1, 2}], "not a value that a spec can hold"),
    ],
)
def test_what_is_no_list_of_values_is_refused(text, words):
    with pytest.raises(SpecError, match=words):
        listed(text)


def test_a_huge_number_in_a_range_is_refused():
    with pytest.raises(BoundcalcError):
        listed("1:1e999:5")


@given(
    st.one_of(
        st.integers(-(10**20), 10**20),
        st.floats(min_value=1e-200, max_value=1e200),
        st.booleans(),
        st.none(),
        st.lists(st.integers(0, 9) | st.text(st.characters(codec="utf-8"), max_size=5)),
    )
)
def test_python_values_read_back_as_they_were(value):
    found = read_value(text_of(value))
    assert found == value
    if isinstance(value, float):
        assert isinstance(found, DecimalLiteral) or found == value


def test_numpy_numbers_and_fractions_are_values():
    assert listed([np.float64(0.1), np.int64(3), Fraction(1, 3)]) == ("0.1", "3", "1/3")
    assert listed(np.array([0.1, 0.2])) == ("0.1", "0.2")
