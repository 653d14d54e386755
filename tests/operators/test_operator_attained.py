"""Constants of operators of one number are attained, found on a grid."""

import numpy as np
import pytest
from derivatives import derivatives
from operator_cases import SCALAR_CASES
from visits import number

from boundcalc.operators.base import Region
from boundcalc.spec.grammar import parse

SLACK = 1 + 1e-9
#: A Lipschitz constant is the supremum of one derivative more.
DERIVATIVES = {
    "jac_input": "d1",
    "jac_weight": "d2",
    "lip_input": "d1",
    "hess_input": "d11",
    "hess_mixed": "d21",
    "third_input": "d111",
    "third_mixed": "d211",
}


def weight_grid(radius, weights):
    if weights == 0:
        return np.zeros((1, 0))
    line = np.linspace(-radius, radius, 21)
    if weights == 1:
        return line[:, None]
    angle = np.linspace(0, 2 * np.pi, 61)
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def grid(case, inputs, weight_radius):
    """Values of derivatives on a grid of inputs, weights and labels."""
    weights = weight_grid(weight_radius, case.weights)
    y, i, labels = (
        a.ravel() for a in np.meshgrid(inputs, np.arange(len(weights)), case.labels, indexing="ij")
    )
    return lambda which: derivatives(case).at(which, y[:, None], weights[i], labels)


def largest(values):
    return float(np.linalg.norm(values.reshape(len(values), -1), axis=1).max(initial=0.0))


@pytest.mark.parametrize("case", [c for c in SCALAR_CASES if not c.operator.reads_data], ids=str)
@pytest.mark.parametrize(
    ("input_radius", "weight_radius"),
    [("0.05", "0.02"), ("0.3", "0.2"), ("0.5", "1"), ("1", "0.5"), ("1.5", "2"), ("30", "4")],
)
def test_constants_of_numbers_are_attained_on_the_region(case, input_radius, weight_radius):
    radius = min(float(input_radius), case.input_radius or np.inf)
    region = Region(parse(str(radius)), parse(weight_radius))
    constants = case.operator.constants(region, case.data, reads=False)
    values = grid(case, np.linspace(-radius, radius, 1001), float(weight_radius))
    for name, which in DERIVATIVES.items():
        if getattr(constants, name) is not None:
            bound = number(getattr(constants, name))
            assert 0.99 * bound <= largest(values(which)) <= bound * SLACK, name
    if constants.jac_change is not None:
        assert number(constants.jac_change) == pytest.approx(np.ptp(values("d1")))
        assert constants.mixed_change == (constants.jac_change if case.weights else None)
