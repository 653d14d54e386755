"""RMS and layer normalisation: constants at the points that attain them, and torch's passes."""

import numpy as np
import pytest
from adversary import form_norm
from case import Case
from cases_joins import shaped
from derivatives import derivatives
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from visits import number

from boundcalc.errors import SpecError
from boundcalc.operators.base import Data, Region
from boundcalc.operators.layer_norm import LayerNorm
from boundcalc.operators.rms_norm import RMSNorm
from boundcalc.spec.expressions import exact
from boundcalc.spec.grammar import parse

PLAIN = (
    shaped(RMSNorm(eps="1/4", scale=False), (3,)),
    shaped(RMSNorm(eps=3, scale=False), (1,)),
    shaped(LayerNorm(eps="1/4", scale_and_shift=False), (3,)),
    shaped(LayerNorm(eps=3, scale_and_shift=False), (2, 2)),
)
#: Each constant, the derivative that attains it, and whether at s/2 or at 0.
ORDERS = (("jac_input", "d1", 0), ("hess_input", "d11", 1), ("third_input", "d111", 0))
plain = pytest.mark.parametrize("case", PLAIN, ids=str)


def line(case, u, sizes):
    """Points along a unit vector u in the first token."""
    y = np.zeros((len(sizes), case.inputs))
    y[:, : len(u)] = np.outer(sizes, u)
    return y


def directions(case):
    """A unit vector, centred for layer norm, and s = √(n·eps)."""
    n = case.operator.shapes[0][-1]
    u = np.eye(n)[0] - (np.full(n, 1 / n) if case.operator.type == "layer_norm" else 0.0)
    return u / np.linalg.norm(u), np.sqrt(n * number(case.operator.eps))


def along(case, which, y, u):
    """The derivatives at P points with the unit vector u in every argument, |T[u, …, u]|."""
    forms = derivatives(case).at(which, y, np.zeros((len(y), 0)), np.ones(len(y)))
    whole = line(case, u, [1.0])[0]
    for _ in which:  # the outputs and one argument for each derivative
        forms = forms @ whole
    return np.abs(forms)


def norms(case, which, y, w=None):
    w = np.zeros((len(y), 0)) if w is None else np.broadcast_to(w, (len(y), len(w)))
    forms = derivatives(case).at(which, y, w, np.ones(len(y)))
    return form_norm(np.random.default_rng(0), forms)


@plain
def test_global_constants_are_exact_and_attained(case):
    constants = case.operator.constants(Region(), None, reads=False)
    assert all("measured" not in str(c.node) for c in vars(constants).values() if c)
    u, s = directions(case)
    y = line(case, u, [0.0, s / 2])
    for name, which, at in ORDERS:
        bound = number(getattr(constants, name))
        assert along(case, which, y, u)[at] == pytest.approx(bound, rel=1e-9)


@plain
def test_the_second_derivative_is_smaller_on_small_balls(case):
    u, s = directions(case)
    for share in (0.05, 0.3, 0.49):
        region = Region(input=parse(float(share * s)))
        bound = number(case.operator.constants(region, None, reads=False).hess_input)
        y = line(case, u, [share * s])
        assert along(case, "d11", y, u)[0] == pytest.approx(bound, rel=1e-9)
    large = Region(input=parse(float(s)))
    assert case.operator.constants(large, None, reads=False).hess_input == (
        case.operator.constants(Region(), None, reads=False).hess_input
    )


@plain
@settings(deadline=None, max_examples=8)
@given(seed=st.integers(0, 2**32), size=st.sampled_from([0.1, 0.5, 1.0, 10.0]))
def test_derivatives_never_exceed_the_global_constants(case, seed, size):
    rng = np.random.default_rng(seed)
    _, s = directions(case)
    y = size * s * rng.standard_normal((30, case.inputs))
    constants = case.operator.constants(Region(), None, reads=False)
    for name, which, _ in ORDERS:
        assert np.all(norms(case, which, y) <= number(getattr(constants, name)) * (1 + 1e-9))


@pytest.mark.parametrize("kind", [RMSNorm, LayerNorm])
def test_mixed_constants_are_attained(kind):
    case = shaped(kind(eps="1/4"), (2, 3))
    constants = case.operator.constants(Region(weight=exact(2)), None, reads=False)
    u, s = directions(case)  # the row of P that the first component reads
    y = line(case, u, [0.0, s / 2])
    w = np.ones(case.weights)
    assert norms(case, "d21", y, w)[0] == pytest.approx(number(constants.hess_mixed), rel=1e-9)
    assert norms(case, "d211", y, w)[1] == pytest.approx(number(constants.third_mixed), rel=1e-9)


@pytest.mark.parametrize("radius", [0.125, 1.0, 30.0])
@pytest.mark.parametrize("kind", [RMSNorm, LayerNorm])
def test_the_weight_constant_is_attained_by_equal_tokens(kind, radius):
    case = shaped(kind(eps="1/4"), (2, 3))
    region = Region(input=parse(radius), weight=exact(2))
    bound = number(case.operator.constants(region, None, reads=False).jac_weight)
    u, _ = directions(case)
    y = radius * np.tile(u, 2)[None] / np.sqrt(2)
    assert norms(case, "d2", y, np.ones(case.weights))[0] == pytest.approx(bound, rel=1e-9)
    data = Data(np.concatenate([0.5 * y, y, 0.1 * y]), np.zeros(3))
    on_data = case.operator.constants(region, data, reads=True)
    assert number(on_data.jac_weight) == pytest.approx(bound, rel=1e-9)
    free = number(case.operator.weight_constant(Region(), None))
    assert free == pytest.approx(np.sqrt(2 * 3 if kind is RMSNorm else 2 * (2 + 1)))


@pytest.mark.parametrize("kind", [RMSNorm, LayerNorm])
def test_the_largest_gain_scales_the_constants(kind):
    operator = kind(eps=1).shaped(((3,),))
    shift = () if kind is RMSNorm else (9.0, 9.0, 9.0)
    values = np.array([1.0, -3.0, 2.0, *shift])
    frozen = Region(center=values, change=exact(0))
    assert number(operator.constants(frozen, None, reads=False).jac_input) == 3.0
    share = 1.0 if kind is RMSNorm else np.sqrt(2 / 3)  # of a change of g, seen by centred vectors
    trained = Region(center=values, change=parse("1/2"))
    found = operator.constants(trained, None, reads=False).jac_input
    assert number(found) == pytest.approx(3.0 + share / 2)
    both = Region(weight=parse("3/2"), center=values, change=parse("1/2"))
    found = operator.constants(both, None, reads=False).third_input
    assert number(found) == pytest.approx(1.5 * share)
    with pytest.raises(SpecError, match=r"jac_input of a `\w+` operator .* its weights"):
        operator.constants(Region(), None, reads=False)


def test_gains_in_a_ball_are_attained_by_one():
    case = shaped(LayerNorm(eps="1/4"), (3,))
    constants = case.operator.constants(Region(weight=exact(2)), None, reads=False)
    u, s = directions(case)
    y = line(case, u, [0.0, s / 2])
    w = np.array([2.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    for name, which, at in ORDERS[:2]:
        found = norms(case, which, y, w)[at]
        assert found == pytest.approx(number(getattr(constants, name)), rel=1e-6)


def test_a_box_bounds_the_centred_input_by_half_its_width():
    # All components lie in [100, 101]: ‖Py‖ ≤ √4/2, whatever the mean.
    operator = LayerNorm(eps=1, scale_and_shift=False).shaped(((4,),))
    domain = operator.output_domain(Region(low=100.0, high=101.0), None)
    assert number(domain.radius) == pytest.approx(1 / np.sqrt(1 / 4 + 1))
    corner = np.array([[[100.0, 100.0, 101.0, 101.0]]])
    output = operator.forward(corner, np.zeros((1, 0)), np.zeros((1, 1)))
    assert np.linalg.norm(output) == pytest.approx(number(domain.radius))


@pytest.mark.parametrize("kind", [RMSNorm, LayerNorm])
def test_symbols_stay_symbols(kind):
    operator = kind(eps="e").shaped(((2, 3),))
    region = Region(input=parse("R"), weight=parse("G"))
    constants = operator.constants(region, None, reads=False)
    assert constants.jac_input.symbols == {"G", "e"}
    assert constants.hess_mixed.symbols == {"e"}
    assert operator.output_domain(region, None).radius.symbols == {"G"}


@pytest.mark.parametrize("kind", [RMSNorm, LayerNorm])
def test_eps_is_positive(kind):
    for eps in (0, "0", "1/2 - 1/2", -1):
        with pytest.raises(ValidationError):
            kind(eps=eps)
    assert str(kind().eps) == "1/100000"


@pytest.mark.parametrize("kind", [RMSNorm, LayerNorm])
def test_passes_are_those_of_torch(kind):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(2)
    operator = kind().shaped(((4, 8),))
    y, w = rng.standard_normal((1, 3, 32)), rng.standard_normal((1, operator.weight_size(32)))
    v = rng.standard_normal((1, 3, 32))
    x = torch.tensor(y[0].reshape(3, 4, 8), requires_grad=True)
    parts = [torch.tensor(part, requires_grad=True) for part in np.split(w[0], len(w[0]) // 8)]
    name = "rms_norm" if kind is RMSNorm else "layer_norm"
    output = getattr(torch.nn.functional, name)(x, (8,), *parts, eps=1e-5)
    found = operator.forward(y, w, np.zeros((1, 3)))[0]
    np.testing.assert_allclose(found, output.detach().reshape(3, 32), rtol=1e-11)
    output.backward(torch.tensor(v[0].reshape(3, 4, 8)))
    input_part, weight_part = operator.vjp(y, w, np.zeros((1, 3)), v)
    np.testing.assert_allclose(input_part[0], x.grad.reshape(3, 32), rtol=1e-9, atol=1e-12)
    wanted = np.concatenate([part.grad for part in parts])
    np.testing.assert_allclose(weight_part[0].sum(axis=0), wanted, rtol=1e-11, atol=1e-12)


def test_an_unshaped_layer_reads_one_token():
    case = Case(LayerNorm(), 3)
    assert (case.weights, case.outputs) == (6, 3)
    y = np.array([[[1.0, 2.0, 3.0]]])
    shaped_layer = LayerNorm().shaped(((3,),))
    w, labels = np.ones((1, 6)), np.zeros((1, 1))
    np.testing.assert_array_equal(
        case.operator.forward(y, w, labels), shaped_layer.forward(y, w, labels)
    )
