"""The contract's own test: a constant that is too small is noticed, whichever it is."""

from dataclasses import replace

import numpy as np
import pytest
from case import Case
from claims import claims, leaves
from visits import any_points, any_region

from boundcalc.operators.multiply import Multiply
from boundcalc.operators.regions import Domain
from boundcalc.operators.relu import ReLU
from boundcalc.operators.tanh import Tanh
from boundcalc.spec.expressions import exact

TANH = Case(Tanh(bias=True), 2)
RELU = Case(ReLU(bias=True), 2)
MULTIPLY = Case(Multiply().shaped(((2,), (2,))), 4)


def exceeded(case, change):
    """The claims that points of some regions show to be false, after a change of constants."""
    names = set()
    for seed in range(4):
        rng = np.random.default_rng(seed)
        region = any_region(rng, case)
        points = any_points(rng, case, region, 300)
        constants = change(case.operator.constants(region, case.data, reads=False))
        for claim in claims(case, constants, points, rng):
            if np.any(claim.found > claim.bound * (1 + 1e-9) + 1e-9):
                names.add(claim.name)
    return names


def halved(constant):
    return None if constant is None else constant / 2


@pytest.mark.parametrize("case", [TANH, RELU, MULTIPLY], ids=str)
def test_true_constants_pass(case):
    assert exceeded(case, lambda constants: constants) == set()


@pytest.mark.parametrize(
    ("case", "name"),
    [
        *(
            (TANH, f"{kind}_{of}")
            for kind, of in (
                ("jac", "input"),
                ("jac", "weight"),
                ("lip", "input"),
                ("hess", "input"),
                ("hess", "mixed"),
                ("third", "input"),
                ("third", "mixed"),
            )
        ),
        (RELU, "jac_change"),
        (RELU, "mixed_change"),
    ],
    ids=str,
)
def test_a_halved_constant_is_noticed(case, name):
    found = exceeded(case, lambda c: replace(c, **{name: halved(getattr(c, name))}))
    assert found == {name}


def test_a_halved_constant_of_one_input_is_noticed():
    def change(constants):
        first, second = constants.slots
        second = replace(
            second,
            jac_input=halved(second.jac_input),
            lip_input=halved(second.lip_input),
            hess_input=(halved(second.hess_input[0]), second.hess_input[1]),
        )
        return replace(constants, slots=(first, second))

    assert exceeded(MULTIPLY, change) == {"1.jac_input", "1.lip_input", "1.hess_input[0]"}


def test_neither_constant_nor_change_is_noticed():
    with pytest.raises(AssertionError, match="neither hess_input nor jac_change"):
        exceeded(TANH, lambda c: replace(c, hess_input=None))


def test_values_outside_a_domain_are_noticed():
    values = np.array([[3.0, -4.0], [1.0, 0.0]])
    assert not leaves(Domain(exact(5), -4.0, 3.0), values)
    for domain in (Domain(exact(4)), Domain(low=-3.9), Domain(high=2.9)):
        assert leaves(domain, values)
