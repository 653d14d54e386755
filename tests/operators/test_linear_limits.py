"""Linear layers: where their outputs lie, and what is refused."""

import re

import numpy as np
import pytest
from pydantic import ValidationError
from visits import number

from boundcalc.errors import DataError, SpecError
from boundcalc.operators.base import Data, Region
from boundcalc.operators.conv1d import Conv1d
from boundcalc.operators.conv2d import Conv2d
from boundcalc.operators.dense import Dense
from boundcalc.operators.embedding import Embedding
from boundcalc.operators.mean_pool import MeanPool
from boundcalc.spec.expressions import exact
from boundcalc.spec.grammar import parse


def test_the_box_of_fixed_weights_is_attained():
    layer = Dense(units=2).shaped(((2,),))
    center = np.array([1.0, -2.0, 0.5, 0.5, 10.0, 0.0])  # rows (1, −2) and (½, ½), c = (10, 0)
    region = Region(parse("sqrt(18)"), low=-1.0, high=3.0, center=center, change=exact(0))
    domain = layer.output_domain(region, None)
    assert domain.low == pytest.approx(-1.0)  # the second row at (−1, −1)
    assert domain.high == pytest.approx(15.0)  # the first at (3, −1)
    moved = layer.output_domain(
        Region(exact(5), low=-1, high=3, center=center, change=exact(1)), None
    )
    spread = np.sqrt(2 * 9 + 1)  # of [y 1] on the box
    assert moved.low == pytest.approx(-1.0 - spread)
    assert moved.high == pytest.approx(15.0 + spread)


def test_the_output_ball_takes_the_smaller_description():
    layer = Dense(units=2).shaped(((3, 2),))
    center = np.array([3.0, 0.0, 0.0, 4.0, 1.0, 2.0])
    around = Region(exact(2), center=center, change=exact(0))
    # ‖W‖R_y + √3‖c‖
    assert number(layer.output_domain(around, None).radius) == pytest.approx(8 + np.sqrt(15))
    both = Region(exact(2), weight=exact(1), center=center, change=exact(0))
    assert number(layer.output_domain(both, None).radius) == pytest.approx(np.sqrt(4 + 3))
    without = Dense(units=2, bias=False).shaped(((3, 2),))
    assert str(without.output_domain(Region(exact(2), exact(3)), None).radius) == "(2 * 3)"


def test_zeros_of_the_padding_count():
    layer = Conv1d(channels=1, kernel=2, padding=1, bias=False).shaped(((1, 3),))
    region = Region(exact(9), low=2.0, high=4.0, center=np.array([1.0, -1.0]), change=exact(0))
    domain = layer.output_domain(region, None)
    assert (domain.low, domain.high) == pytest.approx((-4.0, 4.0))
    pool = MeanPool(kernel=2, padding=1).shaped(((1, 4),))
    assert pool.output_domain(region, None).low == 0.0
    inner = MeanPool(kernel=2).shaped(((1, 4),)).output_domain(region, None)
    assert (inner.low, inner.high) == (2.0, 4.0)


def test_nothing_is_known_of_an_unbounded_region():
    for layer in (Dense(units=1).shaped(((2,),)), MeanPool().shaped(((2, 2),))):
        domain = layer.output_domain(Region(), None)
        assert (domain.radius, domain.low, domain.high) == (None, -np.inf, np.inf)
    weights_only = (
        Dense(units=1)
        .shaped(((2,),))
        .output_domain(Region(center=np.zeros(3), change=exact(0)), None)
    )
    assert (weights_only.low, weights_only.high) == pytest.approx((0.0, 0.0), abs=1e-12)


def test_where_an_embedding_lies():
    layer = Embedding(vocabulary=2, width=2).shaped(((3,),))
    center = np.array([3.0, 4.0, 0.0, 1.0])
    data = Data(np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]]), np.zeros(2))
    region = Region(center=center, change=parse("1/2"))
    domain = layer.output_domain(region, data)
    assert number(domain.radius) == pytest.approx(5 * np.sqrt(3) + np.sqrt(2) / 2)
    assert (domain.low, domain.high) == pytest.approx((-0.5, 4.5))
    assert number(layer.output_domain(Region(weight=exact(2)), None).radius) == pytest.approx(
        2 * np.sqrt(3)
    )


@pytest.mark.parametrize(
    ("layer", "shape", "texts"),
    [
        (Dense(units=2), (), ["no last axis", "()"]),
        (Dense(units=2), (3, 0), ["(3, 0)"]),
        (Conv1d(channels=2, kernel=2), (3, 4, 4), ["(3, 4, 4)", "(channels, length)"]),
        (Conv2d(channels=2, kernel=2), (3, 4), ["(3, 4)", "(channels, height, width)"]),
        (Conv2d(channels=2, kernel=2), (3, 4, 0), ["(3, 4, 0)", "none of them 0"]),
        (Conv2d(channels=2, kernel=5, padding=[0, 1]), (3, 4, 4), ["(3, 4, 4)", "window of 5"]),
        (Conv1d(channels=2, kernel=3, dilation=4), (1, 8), ["(1, 8)", "window of 9"]),
        (Conv1d(channels=4, kernel=1, groups=2), (3, 8), ["input channels", "(3, 8)", "2 groups"]),
        (Conv1d(channels=3, kernel=1, groups=2), (4, 8), ["output channels", "3 output"]),
        (MeanPool(), (4,), ["nothing to average", "(4,)"]),
        (MeanPool(kernel=3), (1, 2), ["longer than its input", "(1, 2)"]),
        (MeanPool(kernel=[1, 3]), (1, 9), ["one length", "(1, 9)"]),
        (MeanPool(kernel=3), (9,), ["(9,)", "(channels, height, width)"]),
        (Embedding(vocabulary=3, width=1), (), ["no tokens"]),
    ],
)
def test_shapes_that_do_not_fit_are_refused(layer, shape, texts):
    with pytest.raises(SpecError) as caught:
        layer.shaped((shape,))
    for text in texts:
        assert text in str(caught.value)


def test_a_convolution_needs_a_shape():
    with pytest.raises(SpecError, match="no shape yet"):
        Conv2d(channels=1, kernel=1).output_size(4)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Conv2d(channels=0, kernel=1), "greater than or equal to 1"),
        (lambda: Conv2d(channels=1, kernel=[1, 2, 3]), "at most 2 items"),
        (lambda: Conv2d(channels=1, kernel=0), "greater than or equal to 1"),
        (lambda: Conv2d(channels=1, kernel=True), "not a number"),
        (lambda: Conv2d(channels=1, kernel=1.5), "tuple"),
        (lambda: Conv2d(channels=1, kernel=1, padding=-1), "greater than or equal to 0"),
        (lambda: Conv1d(channels=1, kernel=[3]), "integer"),
        (lambda: MeanPool(stride=2), "there is no window"),
        (lambda: MeanPool(padding=1), "there is no window"),
        (lambda: MeanPool(kernel=2, over="tokens"), "not over tokens"),
        (lambda: MeanPool(over="rows"), "'positions' or 'tokens'"),
        (lambda: Embedding(vocabulary=0, width=2), "greater than or equal to 1"),
    ],
)
def test_parameters_are_checked(make, words):
    with pytest.raises(ValidationError, match=re.escape(words)):
        make()


def test_one_number_stands_for_rows_and_columns():
    assert Conv2d(channels=1, kernel=3) == Conv2d(channels=1, kernel=[3, 3], stride=(1, 1))
    schema = Conv2d.model_json_schema()["properties"]
    assert schema["stride"]["default"] == 1
    assert schema["kernel"]["anyOf"][0] == {"type": "integer", "minimum": 1}


@pytest.mark.parametrize("bad", [-1.0, 3.0, 0.5, np.nan, np.inf])
def test_tokens_outside_the_vocabulary_are_named(bad):
    layer = Embedding(vocabulary=3, width=1).shaped(((2,),))
    tokens = np.array([[0.0, 1.0], [2.0, bad]])
    message = r"^sample 2, token 2: a token is not in the vocabulary"
    with pytest.raises(DataError, match=message):
        layer.constants(Region(), Data(tokens, np.zeros(2)), reads=True)
    with pytest.raises(DataError, match=message):
        layer.forward(tokens[None], np.zeros((1, 3)), np.zeros((1, 2)))


def test_weights_that_are_not_numbers_are_named():
    layer = Dense(units=2).shaped(((2,),))
    center = np.array([1.0, 2.0, 3.0, np.nan, 5.0, 6.0])
    region = Region(exact(1), center=center, change=exact(0))
    for ask in (layer.input_constants, layer.output_domain):
        with pytest.raises(DataError, match=r"^\[3\]: weights"):
            ask(region, None)


def test_without_a_bound_on_weights_the_constant_is_asked_for():
    layer = Conv1d(channels=1, kernel=2).shaped(((1, 3),))
    with pytest.raises(SpecError, match="jac_input of a `conv1d` operator needs a bound"):
        layer.constants(Region(input=exact(1)), None, reads=False)
    with pytest.raises(SpecError, match="jac_weight of a `conv1d` operator needs a bound"):
        layer.constants(Region(weight=exact(1)), None, reads=False)
