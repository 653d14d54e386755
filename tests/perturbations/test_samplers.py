"""Samplers to the last bit, parameters that contradict each other, the registry."""

import importlib
import inspect
import pkgutil
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import boundcalc.perturbations as perturbations
from boundcalc.arithmetic import RATIONALS
from boundcalc.errors import SpecError, SymbolError
from boundcalc.perturbations import (
    DISTRIBUTIONS,
    TRANSFORMS,
    Constant,
    Distribution,
    Gaussian,
    Transform,
    TwoPoint,
    Uniform,
    thinned,
)

EXAMPLES: dict[str, dict[str, Any]] = {
    "constant": {"value": "a"},
    "gaussian": {"std": "a", "center": "b"},
    "two_point": {"low": "-a", "high": "a", "p_high": "b"},
    "uniform": {"half_width": "a"},
}
ZEROS = [
    Gaussian(std=0),
    Gaussian(std="0*a", center="-0"),
    Uniform(half_width=0),
    TwoPoint(magnitude=0),
    Constant(value=0),
    Constant(value="-0"),
]


def draw(distribution: Distribution, seed: int = 0, **values: float) -> np.ndarray:
    out = np.full((3, 500, 2), np.nan)
    distribution.sampler(values)(np.random.Generator(np.random.SFC64(seed)), out)
    return out


# --- to the last bit -----------------------------------------------------------------------


@pytest.mark.parametrize("distribution", ZEROS)
def test_zero_parameters_give_zero_and_nothing_else(distribution: Distribution) -> None:
    out = draw(distribution, a=1.0)
    assert out.tobytes() == np.zeros_like(out).tobytes()
    thinned(distribution.sampler({"a": 1.0}), 0.5)(np.random.default_rng(0), out)
    assert out.tobytes() == np.zeros_like(out).tobytes()


@pytest.mark.parametrize("distribution", [z for z in ZEROS if z != ZEROS[1]])
def test_zero_parameters_have_zero_moments(distribution: Distribution) -> None:
    moments = distribution.moments()
    values = [m.evaluate(RATIONALS) for m in (moments.mean, moments.second, moments.fourth)]
    assert values == [0, 0, 0]


@pytest.mark.parametrize(
    ("distribution", "low", "high"),
    [
        (Uniform(half_width="1/3"), -1 / 3, 1 / 3),
        (Uniform(low="1/10", high="3/10"), 0.1, 0.3),
        (TwoPoint(low="1/10", high="7/10", p_high="1/2"), 0.1, 0.7),
        (TwoPoint(magnitude="1/3"), -1 / 3, 1 / 3),
    ],
)
def test_draws_stay_inside(distribution: Distribution, low: float, high: float) -> None:
    out = draw(distribution)
    assert low <= out.min()
    assert out.max() <= high
    if isinstance(distribution, TwoPoint):
        assert set(np.unique(out)) == {low, high}


class LargestUniform:
    """A generator whose every draw is the largest that NumPy can return."""

    def random(self, out: np.ndarray) -> None:
        out.fill(1 - 2.0**-53)


# The format refuses numbers below 1e-300 other than 0.
sizes = st.just(0.0) | st.floats(1e-290, 1e6)
bounds = sizes | sizes.map(lambda size: -size)


@settings(deadline=None)
@given(bounds, bounds)
def test_no_rounding_leaves_the_interval(low: float, high: float) -> None:
    if low >= high:
        return
    out = np.empty(1)
    Uniform(low=low, high=high).sampler({})(LargestUniform(), out)  # type: ignore[arg-type]
    assert low <= out[0] <= high


def test_extreme_probabilities() -> None:
    assert set(draw(TwoPoint(low=1, high=2, p_high=0)).flat) == {1.0}
    assert set(draw(TwoPoint(low=1, high=2, p_high=1)).flat) == {2.0}
    out = np.full((1, 4, 2), np.nan)
    thinned(Constant(value=3).sampler({}), 0.0)(np.random.default_rng(0), out)
    assert out.tobytes() == np.zeros((1, 4, 2)).tobytes()
    thinned(Constant(value=3).sampler({}), 1.0)(np.random.default_rng(0), out)
    assert (out == 3).all()


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_seed_fixes_the_draws(name: str) -> None:
    distribution = DISTRIBUTIONS[name].model_validate(EXAMPLES[name])
    first, again = (draw(distribution, 5, a=0.5, b=0.25) for _ in range(2))
    other = draw(distribution, 6, a=0.5, b=0.25)
    assert first.tobytes() == again.tobytes()
    assert name == "constant" or first.tobytes() != other.tobytes()


# --- parameters ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "parameters", "expected"),
    [
        (Uniform, {}, "half_width, or low and high"),
        (Uniform, {"low": 0}, "half_width, or low and high"),
        (Uniform, {"half_width": 1, "low": 0, "high": 1}, "half_width, or low and high"),
        (Uniform, {"half_width": 1, "high": 1}, "half_width, or low and high"),
        (TwoPoint, {}, "magnitude, or low and high and p_high"),
        (TwoPoint, {"low": 0, "high": 1}, "magnitude, or low and high and p_high"),
        (TwoPoint, {"magnitude": 1, "p_high": 1}, "magnitude, or low and high and p_high"),
    ],
)
def test_exactly_one_alternative(
    model: type[Distribution], parameters: dict[str, Any], expected: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(parameters)
    error = caught.value.errors()[0]
    assert error["type"] == "boundcalc"
    assert error["ctx"]["expected"] == "either " + expected
    assert error["ctx"]["fix"]


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        (Gaussian, {"std": -1}),
        (Gaussian, {}),
        (Gaussian, {"std": 1, "sigma": 2}),
        (Uniform, {"half_width": "-1/2"}),
        (TwoPoint, {"magnitude": -1}),
        (TwoPoint, {"low": 0, "high": 1, "p_high": -0.5}),
        (Constant, {"value": "nan"}),
        (Constant, {"value": float("inf")}),
        (Constant, {"value": "__import__('os')"}),
    ],
)
def test_parameters_that_are_refused(model: type[Distribution], parameters: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(parameters)


@pytest.mark.parametrize(
    ("distribution", "problem"),
    [
        (Gaussian(std="a"), "standard deviation is negative"),
        (Uniform(half_width="a"), "half width is negative"),
        (TwoPoint(magnitude="a"), "magnitude is negative"),
        (Uniform(low=1, high="a"), "interval is empty"),
        (Uniform(low="a", high="a"), "interval is empty"),
        (TwoPoint(low=1, high="a", p_high="1/2"), "not below"),
        (TwoPoint(low=1, high="1", p_high="1/2"), "not below"),
        (TwoPoint(low=1, high=2, p_high="a"), "not a probability"),
        (TwoPoint(low=1, high=2, p_high="1-a"), "not a probability"),
    ],
)
def test_contradictions_are_found_once_numbers_are_known(
    distribution: Distribution, problem: str
) -> None:
    if "a" in "".join(map(str, vars(distribution).values())):
        distribution.check({})  # nothing to say yet
    for call in (distribution.check, distribution.sampler):
        with pytest.raises(SpecError, match=problem) as caught:
            call({"a": -1.0})
        assert caught.value.fix


def test_a_symbol_without_a_value_cannot_be_drawn() -> None:
    with pytest.raises(SymbolError, match="'s'"):
        Gaussian(std="s").sampler({})


def test_a_parameter_too_large_for_a_float() -> None:
    with pytest.raises(SpecError, match="too large"):
        Constant(value="a*a").sampler({"a": 1e200})
    with pytest.raises(SpecError, match="not a finite number"):
        Constant(value="a").sampler({"a": float("inf")})


# --- the registry ----------------------------------------------------------------------------


def test_every_model_has_a_module_of_its_name_and_is_registered() -> None:
    library = {**DISTRIBUTIONS, **TRANSFORMS}
    assert len(library) == len(DISTRIBUTIONS) + len(TRANSFORMS)
    assert set(DISTRIBUTIONS) == set(EXAMPLES)
    found = {}
    for info in pkgutil.iter_modules(perturbations.__path__):
        module = importlib.import_module(f"boundcalc.perturbations.{info.name}")
        for _, item in inspect.getmembers(module, inspect.isclass):
            own = item.__module__ == module.__name__ and not inspect.isabstract(item)
            if own and issubclass(item, Distribution | Transform):
                assert (item.model, item.__final__) == (info.name, True)
                found[info.name] = item
    assert found == library


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_contract(name: str) -> None:
    model = DISTRIBUTIONS[name]
    assert model.model == name
    assert not inspect.isabstract(model)
    assert model.__final__
    assert "E x" in (model.__doc__ or "")
    assert model.model_json_schema()["additionalProperties"] is False
    distribution = model.model_validate(EXAMPLES[name])
    with pytest.raises(ValidationError):
        distribution.anything = 1  # type: ignore[attr-defined]
    values = {"a": 0.5, "b": 0.25}
    assert distribution.check(values) is None
    out = np.full((2, 3, 4), np.nan)
    assert distribution.sampler(values)(np.random.default_rng(1), out) is None
    assert np.isfinite(out).all()


def test_public_names() -> None:
    assert sorted(perturbations.__all__, key=str.lower) == sorted(
        [
            *("DISTRIBUTIONS", "SCHEDULES", "Always", "Array", "ComponentMoments", "Constant"),
            *("Dependence", "Largest", "Reach", "TRANSFORMS", "Transform"),
            *("Distribution", "Every", "First", "Gaussian", "Last", "Sampler", "Schedule"),
            *("Steps", "TwoPoint", "Uniform", "VectorMoments", "from_keys", "thinned"),
            "vector_moments",
        ],
        key=str.lower,
    )


def test_import_is_light() -> None:
    code = (
        "import sys, boundcalc.perturbations, boundcalc.data;"
        "print(sorted({'scipy', 'sympy', 'mpmath', 'matplotlib'} & set(sys.modules)))"
    )
    run = subprocess.run(  # noqa: S603 - our own interpreter and text
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"
