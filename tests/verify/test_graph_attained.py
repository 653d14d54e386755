"""Graphs on which the sharp bounds are attained: no term of the recurrences is too large.

And none is too small: where a term is missing, one of these exceeds the bound.  Every example
names the term that it is about.  With small noise a curved operator comes close to its bound,
which holds on the region of the noise as well.
"""

import numpy as np
import pytest
from outcomes import exact_moments, independent_law
from triple import WITH_TRIPLE

import boundcalc as bc
from boundcalc.simulate.program import make_program
from boundcalc.theories.perturbed.families import FAMILIES

W1 = "region: {weight: 1}"
CUT = [f"id: x{k}, type: select, inputs: [], start: {k - 1}, stop: {k}" for k in (1, 2, 3)]


def constant(value, *names, direction="forward"):
    sites = ", ".join(names)
    return f"{{at: [{sites}], pass: {direction}, model: constant, value: {value}}}"


def coin(size, *names, direction="forward"):
    sites = ", ".join(names)
    return f"{{at: [{sites}], pass: {direction}, model: two_point, magnitude: {size}}}"


#: Name: (operators, noise, data, weights, error/bound, bias/bound), the ratios of squares.
EXAMPLES = {
    "shared weights add before squaring": (
        [
            *CUT[:2],
            f"id: a, type: bilinear, inputs: [x1], weights: w, {W1}",
            f"id: b, type: bilinear, inputs: [x2], weights: w, {W1}",
            "id: loss, type: add, inputs: [a, b]",
        ],
        [constant("1/4", "x1", "x2")],
        [1, 1, 0],
        [1],
        1,
        1,
    ),
    "squares of centred ε on the edges of one operator add": (
        [
            f"id: f1, type: bilinear, {W1}",
            "id: a, type: identity, inputs: [f1]",
            "id: b, type: identity, inputs: [f1]",
            "id: loss, type: add, inputs: [a, b]",
        ],
        [coin("1/4", "a", "b", direction="backward")],
        [1, 0, 0],
        [1, 0, 0],
        1,
        1,
    ),
    "constant ε on the edges of one operator add": (
        [
            f"id: f1, type: bilinear, {W1}",
            "id: a, type: identity, inputs: [f1]",
            "id: b, type: identity, inputs: [f1]",
            "id: loss, type: add, inputs: [a, b]",
        ],
        [constant("1/4", "a", "b", direction="backward")],
        [1, 0, 0],
        [1, 0, 0],
        1,
        1,
    ),
    "a centred ε reaches an operator on two paths": (
        [
            f"id: f1, type: bilinear, {W1}",
            "id: a, type: identity, inputs: [f1]",
            "id: b, type: identity, inputs: [f1]",
            "id: sum, type: add, inputs: [a, b]",
            "id: loss, type: identity",
        ],
        [coin("1/4", "loss", direction="backward")],
        [1, 0, 0],
        [1, 0, 0],
        1,
        1,
    ),
    "a centred δ reaches an operator on two paths": (
        [
            *CUT[:1],
            "id: a, type: identity, inputs: [x1]",
            "id: b, type: identity, inputs: [x1]",
            "id: sum, type: add, inputs: [a, b]",
            f"id: loss, type: bilinear, {W1}",
        ],
        [coin("1/4", "x1")],
        [1, 0, 0],
        [1],
        1,
        1,
    ),
    "an operator that reads one twice": (
        [
            *CUT[:1],
            "id: sum, type: add, inputs: [x1, x1]",
            f"id: loss, type: bilinear, {W1}",
        ],
        [coin("1/4", "x1"), constant("1/4", "sum", direction="backward")],
        [1, 0, 0],
        [1],
        1,
        1,
    ),
    "two paths for the adjoint": (
        [
            *CUT[:1],
            f"id: f1, type: bilinear, {W1}",
            "id: a, type: identity, inputs: [f1]",
            "id: b, type: identity, inputs: [f1]",
            "id: loss, type: add, inputs: [a, b]",
        ],
        [constant("1/4", "x1")],
        [1, 0, 0],
        [1],
        1,
        1,
    ),
    "every input bends the Jacobian of every other": (
        [*CUT, f"id: loss, type: triple, inputs: [x1, x2, x3], {W1}"],
        [constant("1/1000", "x1", "x2", "x3")],
        [1, 1, 1],
        [1],
        0.98,
        0.98,
    ),
    "the Jacobians drift with the sum of what moves": (
        [
            *CUT[1:],
            f"id: f1, type: bilinear, {W1}, inputs: []",
            f"id: loss, type: triple, inputs: [f1, x2, x3], {W1}",
        ],
        [constant("1/1000", "x2", "x3")],
        [1, 1, 1],
        [1, 0, 0, 1],
        0.66,
        0.66,
    ),
    "the mean of a curved value, of a drift and of their product": (
        [
            f"id: f1, type: bilinear, {W1}",
            "id: f2, type: square, scale: 1/2",
            "id: loss, type: square, scale: 1/2",
        ],
        [coin("1/1000", "f1")],
        [1, 0, 0],
        [1, 0, 0],
        0.98,
        0.98,
    ),
    "the third derivative": (
        [
            "id: f1, type: bilinear, region: {weight: 1/1000}",
            f"id: loss, type: triple, inputs: [f1, f1, f1], {W1}",
        ],
        [coin("1", "f1")],
        [1, 0, 0],
        [0, 0, 0, 1],
        0.05,
        0.3,
    ),
    "a kink has a mean where the noise has none": (
        [*CUT[:1], "id: f2, type: relu", f"id: loss, type: bilinear, {W1}"],
        [coin("1/4", "x1")],
        [0, 0, 0],
        [1],
        0.5,
        0.25,
    ),
    "a kink's Jacobian jumps whatever the size of the noise": (
        [f"id: f1, type: bilinear, {W1}", "id: loss, type: leaky_relu, slope: 1/2"],
        [coin("1/1000000", "f1")],
        [1, 0, 0],
        [0, 0, 0],
        0.5,
        0.25,
    ),
    "a run of matrices, along its top direction": (
        [
            "id: a, type: select, inputs: [], stop: 2",
            "id: f2, type: dense, units: 2, bias: false, trainable: false, "
            "initial: {values: [3, 3, 1, -1]}",
            "id: f3, type: dense, units: 2, bias: false, trainable: false, "
            "initial: {values: [1/2, 0, 0, 1]}",
            f"id: loss, type: bilinear, {W1}",
        ],
        [constant("1/4", "a")],
        [1, 1, 0],
        [1, 0],
        1,
        1,
    ),
    "an activation inside a run moves its Jacobian": (
        [
            f"id: f1, type: dense, units: 2, bias: false, {W1}",
            "id: f2, type: dense, units: 2, bias: false, trainable: false, "
            "initial: {values: [2, 0, 0, 1]}",
            "id: f3, type: sine",
            "id: f4, type: dense, units: 1, bias: false, trainable: false, "
            "initial: {values: [0, 1]}",
            "id: loss, type: identity",
        ],
        [constant("1/1000", "f1")],
        [1.5707963, 0, 0],
        [0, 0, 0, 1, 0, 0],
        0.03,
        0.03,
    ),
    "the drift of a weight's Jacobian times the error of the adjoint": (
        [
            f"id: f1, type: bilinear, {W1}",
            f"id: f2, type: bilinear, {W1}",
            "id: loss, type: square, scale: 1/2",
        ],
        [coin("1/1000", "f1")],
        [1, 0, 0],
        [1, 0, 0, 1],
        0.7,
        0.98,
    ),
    "perturbations of one site add": (
        [f"id: f1, type: bilinear, {W1}", f"id: loss, type: bilinear, {W1}"],
        [constant("1/4", "f1"), constant("1/2", "f1")],
        [1, 0, 0],
        [1, 0, 0, 1],
        1,
        1,
    ),
    "a run of matrices, one of which has moved": (
        [
            "id: a, type: select, inputs: [], stop: 2",
            "id: f2, type: dense, units: 2, bias: false, initial: {values: [3, 3, 1, -1]}, "
            "region: {weight_change: 1/2}",
            "id: f3, type: dense, units: 2, bias: false, trainable: false, "
            "initial: {values: [1/2, 0, 0, 1]}",
            f"id: loss, type: bilinear, {W1}",
        ],
        [constant("1/4", "a")],
        [1, 1, 0],
        [3 + 0.125**0.5, 3 + 0.125**0.5, 1, -1, 1, 0],
        0.74,
        0.74,
    ),
    "a constant inside a run": (
        [
            f"id: f1, type: dense, units: 2, bias: false, {W1}",
            "id: f2, type: dense, units: 2, bias: false, trainable: false, "
            "initial: {values: [3, 0, 0, 1]}",
            "id: f3, type: dense, units: 1, bias: false, trainable: false, "
            "initial: {values: [0, 1]}",
            "id: loss, type: identity",
        ],
        [constant("1/4", "f3", direction="backward")],
        [1, 0, 0],
        [1, 0, 0, 0, 0, 0],
        0.5,
        0.5,
    ),
    "noise inside a run": (
        [
            f"id: f1, type: dense, units: 2, bias: false, {W1}",
            "id: f2, type: dense, units: 2, bias: false, trainable: false, "
            "initial: {values: [3, 0, 0, 1]}",
            "id: f3, type: dense, units: 1, bias: false, trainable: false, "
            "initial: {values: [0, 1]}",
            "id: loss, type: identity",
        ],
        [coin("1/4", "f3", direction="backward")],
        [1, 0, 0],
        [1, 0, 0, 0, 0, 0],
        0.5,
        1,
    ),
}


def ratio(observed, bound):
    """0/0 = 1: a bound of 0 that holds is attained."""
    return 1.0 if observed <= 1e-25 and bound == 0 else observed / bound


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_bound_is_attained_and_not_exceeded(name):
    operators, noise, data, weights, least_error, least_bias = EXAMPLES[name]
    text = "\n".join(
        [
            "version: 1",
            "name: attained",
            "graph:",
            "  merge: rescaled",
            "  operators:",
            *(f"    - {{{line}}}" for line in operators),
            "perturbations:",
            *(f"  - {line}" for line in noise),
            "training: {step_size: 1, horizon: 1}",
            f"simulation: {{data: {{points: [{data}]}}}}",
        ]
    )
    graph = bc.build(bc.loads(text), operators=WITH_TRIPLE)
    law = independent_law(graph, np.random.default_rng(0))
    bounds = FAMILIES["sharp"].bounds(graph)
    w = np.array([weights], dtype=np.float64)
    error, bias, _ = exact_moments(graph, make_program(graph), w, law)
    found = ratio(error.max(), float(bounds.error)), ratio(bias.max(), float(bounds.bias))
    assert max(found) <= 1 + 1e-9, found
    assert found[0] >= least_error * (1 - 1e-9), found
    assert found[1] >= least_bias * (1 - 1e-9), found
