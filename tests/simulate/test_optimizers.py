"""Optimizers against loops over the papers' formulas, closed forms and each other."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import boundcalc as bc
from boundcalc.errors import SpecError
from boundcalc.simulate.optimizers import OPTIMIZERS, Sgd, clip, make_clip, make_optimizer
from boundcalc.simulate.optimizers.adam import Adam
from boundcalc.simulate.optimizers.heavy_ball import HeavyBall
from boundcalc.simulate.optimizers.momentum import Momentum
from boundcalc.simulate.optimizers.nesterov import Nesterov
from boundcalc.simulate.optimizers.unified_momentum import UnifiedMomentum

STEP = 0.05

METHODS = {
    "sgd": Sgd(),
    "momentum": Momentum(0.7),
    "heavy_ball": HeavyBall(0.7),
    "nesterov": Nesterov(0.7),
    "adam": Adam(0.8, 0.9, 1e-3),
    "unified_momentum": UnifiedMomentum(0.7, 1.6),
}


def literal_sgd(w, gradients):
    return [w := w - STEP * g for g in gradients]


def literal_momentum(w, gradients):
    m, path = 0.0, []
    for g in gradients:
        m = 0.7 * m + (1 - 0.7) * g
        w = w - STEP * m
        path.append(w)
    return path


def literal_heavy_ball(w, gradients):
    """Polyak's two-point form: w⁺ = w − γg + β(w − w⁻)."""
    points = [w, w]
    for g in gradients:
        points.append(points[-1] - STEP * g + 0.7 * (points[-1] - points[-2]))
    return points[2:]


def literal_nesterov(w, gradients):
    """The two sequences: y⁺ = w − γg, w⁺ = y⁺ + β(y⁺ − y)."""
    y, path = w, []
    for g in gradients:
        ahead = w - STEP * g
        w = ahead + 0.7 * (ahead - y)
        y = ahead
        path.append(w)
    return path


def literal_unified_momentum(w, gradients):
    """The three sequences y, yˢ and w, with s = 1.6."""
    behind, path = w, []
    for g in gradients:
        plain, ahead = w - STEP * g, w - 1.6 * STEP * g
        w = plain + 0.7 * (ahead - behind)
        behind = ahead
        path.append(w)
    return path


def literal_adam(w, gradients):
    """Algorithm 1 of Kingma and Ba, line by line."""
    m = v = 0.0
    path = []
    for t, g in enumerate(gradients, 1):
        m = 0.8 * m + (1 - 0.8) * g
        v = 0.9 * v + (1 - 0.9) * g**2
        m_hat, v_hat = m / (1 - 0.8**t), v / (1 - 0.9**t)
        w = w - STEP * m_hat / (math.sqrt(v_hat) + 1e-3)
        path.append(w)
    return path


LITERAL = {
    "sgd": literal_sgd,
    "momentum": literal_momentum,
    "heavy_ball": literal_heavy_ball,
    "nesterov": literal_nesterov,
    "adam": literal_adam,
    "unified_momentum": literal_unified_momentum,
}


def run(method, start, gradients, step=STEP):
    """The weights after every step, ``(T, R, k)``, for gradients ``(T, R, k)``."""
    w, path = start.copy(), []
    states = np.zeros((method.states, *w.shape), dtype=w.dtype)
    for t, gradient in enumerate(gradients):
        method.update(w, gradient.copy(), states, t, step)
        path.append(w.copy())
    return np.array(path)


def descend(method, start, gradient_of, steps, step):
    """The weights after every step where gradients are taken at the weights."""
    w, path = start.copy(), []
    states = np.zeros((method.states, *w.shape))
    for t in range(steps):
        method.update(w, gradient_of(w), states, t, step)
        path.append(w.copy())
    return np.array(path)


@pytest.mark.parametrize("name", METHODS)
def test_each_equals_a_loop_over_the_formula_weight_by_weight(name):
    rng = np.random.default_rng(1)
    start, gradients = rng.normal(size=(3, 4)), rng.normal(size=(25, 3, 4))
    path = run(METHODS[name], start, gradients)
    for r in range(3):
        for j in range(4):
            expected = LITERAL[name](start[r, j], gradients[:, r, j])
            np.testing.assert_allclose(path[:, r, j], expected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("name", METHODS)
def test_weights_and_states_are_changed_in_place(name):
    method = METHODS[name]
    w, gradient = np.ones((2, 3)), np.ones((2, 3))
    states = np.zeros((method.states, 2, 3))
    assert method.update(w, gradient, states, 0, STEP) is None
    assert (w != 1).all()
    assert all((state != 0).all() for state in states)


@pytest.mark.parametrize("name", METHODS)
def test_single_precision_stays_single(name):
    start, gradients = np.ones((2, 3), np.float32), np.full((5, 2, 3), 0.5, np.float32)
    path = run(METHODS[name], start, gradients)
    assert path.dtype == np.float32
    twice = run(METHODS[name], np.ones((2, 3)), np.full((5, 2, 3), 0.5))
    np.testing.assert_allclose(path, twice, rtol=1e-6)


@pytest.mark.parametrize("name", METHODS)
def test_replicas_do_not_touch_each_other(name):
    rng = np.random.default_rng(2)
    start, gradients = rng.normal(size=(3, 4)), rng.normal(size=(6, 3, 4))
    together = run(METHODS[name], start, gradients)
    for r in range(3):
        alone = run(METHODS[name], start[r : r + 1], gradients[:, r : r + 1])
        assert np.array_equal(together[:, r : r + 1], alone)


@pytest.mark.parametrize("method", [Momentum, HeavyBall, Nesterov])
def test_without_momentum_each_is_sgd(method):
    rng = np.random.default_rng(3)
    start, gradients = rng.normal(size=(2, 3)), rng.normal(size=(10, 2, 3))
    plain = run(Sgd(), start, gradients)
    np.testing.assert_allclose(run(method(0.0), start, gradients), plain, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("s", [0.0, 0.5, 1.0, 7.0])
def test_unified_momentum_without_momentum_is_sgd_to_the_last_bit(s):
    rng = np.random.default_rng(3)
    start, gradients = rng.normal(size=(2, 3)), rng.normal(size=(40, 2, 3))
    plain = run(Sgd(), start, gradients)
    assert np.array_equal(run(UnifiedMomentum(0.0, s), start, gradients), plain)


def test_unified_momentum_holds_the_heavy_ball_and_nesterovs_method():
    """s = 0 and s = 1; and s = 1/(1 − β) is SGD with the step size γ/(1 − β)."""
    rng = np.random.default_rng(6)
    start, gradients = rng.normal(size=(2, 3)), rng.normal(size=(60, 2, 3))
    unified = {s: run(UnifiedMomentum(0.75, s), start, gradients) for s in (0.0, 1.0, 4.0)}
    assert np.array_equal(unified[0.0], run(HeavyBall(0.75), start, gradients))
    nesterov = run(Nesterov(0.75), start, gradients)
    np.testing.assert_allclose(unified[1.0], nesterov, rtol=1e-12, atol=1e-13)
    longer = run(Sgd(), start, gradients, STEP / (1 - 0.75))
    np.testing.assert_allclose(unified[4.0], longer, rtol=1e-12, atol=1e-13)
    assert np.abs(unified[0.0] - unified[1.0]).max() > 1e-2


def test_adam_without_averages_steps_along_signs():
    start, gradient = np.zeros((1, 3)), np.array([[[5.0, -0.2, 0.0]]])
    path = run(Adam(0.0, 0.0, 1e-12), start, np.repeat(gradient, 4, axis=0))
    np.testing.assert_allclose(path[-1], [[-4 * STEP, 4 * STEP, 0.0]], rtol=1e-11)


@given(
    st.floats(1e-3, 1e6),
    st.sampled_from([-1, 1]),
    st.floats(0, 0.999),
    st.floats(0, 0.999),
)
def test_adams_first_step_is_gamma_along_the_sign(size, sign, beta1, beta2):
    path = run(Adam(beta1, beta2, 1e-15), np.zeros((1, 1)), np.full((1, 1, 1), sign * size))
    assert path[0, 0, 0] == pytest.approx(-sign * STEP, rel=1e-9)


def test_heavy_ball_is_averaged_momentum_at_another_step_size():
    rng = np.random.default_rng(4)
    start, gradients = rng.normal(size=(2, 3)), rng.normal(size=(30, 2, 3))
    heavy = run(HeavyBall(0.9), start, gradients, STEP)
    averaged = run(Momentum(0.9), start, gradients, STEP / (1 - 0.9))
    np.testing.assert_allclose(heavy, averaged, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("eigenvalue", [0.3, 2.0, 60.0])
def test_heavy_ball_on_a_quadratic_has_the_companion_matrix_as_its_power(eigenvalue):
    """(w⁺, w) = [[1 + β − γλ, −β], [1, 0]] (w, w⁻); under-damped, its radius is √β."""
    beta, gamma, steps = 0.8, 0.05, 40
    matrix = np.array([[1 + beta - gamma * eigenvalue, -beta], [1.0, 0.0]])
    path = descend(HeavyBall(beta), np.ones((1, 1)), lambda w: eigenvalue * w, steps, gamma)
    expected = np.linalg.matrix_power(matrix, steps) @ [1.0, 1.0]
    assert path[-1, 0, 0] == pytest.approx(expected[0], rel=1e-10)
    radius = np.abs(np.linalg.eigvals(matrix)).max()
    if (1 - beta**0.5) ** 2 < gamma * eigenvalue < (1 + beta**0.5) ** 2:
        assert radius == pytest.approx(beta**0.5, rel=1e-12)


def test_heavy_ball_is_stable_below_two_one_plus_beta_and_not_above():
    """γλ < 2(1 + β), also the premise of E10's momentum case."""
    beta, gamma = 0.9, 0.05
    for factor, grows in ((0.999, False), (1.001, True)):
        eigenvalue = factor * 2 * (1 + beta) / gamma
        start = np.ones((1, 1))
        path = descend(HeavyBall(beta), start, lambda w, at=eigenvalue: at * w, 400, gamma)
        size = abs(path[-1, 0, 0])
        assert size > 1e3 if grows else size < 1e-3


def test_nesterov_on_a_quadratic_has_its_own_companion_matrix():
    """y_{t+1} = (1 − γλ) w_t and w_t = (1 + β) y_t − β y_{t−1}."""
    beta, gamma, eigenvalue, steps = 0.8, 0.05, 7.0, 30
    path = descend(Nesterov(beta), np.ones((1, 1)), lambda w: eigenvalue * w, steps, gamma)
    shrink = 1 - gamma * eigenvalue
    matrix = np.array([[(1 + beta) * shrink, -beta * shrink], [1.0, 0.0]])
    y = np.linalg.matrix_power(matrix, steps) @ [1.0, 1.0]
    assert path[-1, 0, 0] == pytest.approx((1 + beta) * y[0] - beta * y[1], rel=1e-10)


@pytest.mark.parametrize(
    ("name", "key", "settings"),
    [
        ("heavy_ball", "SGD", {"momentum": 0.7}),
        ("nesterov", "SGD", {"momentum": 0.7, "nesterov": True}),
        ("adam", "Adam", {"betas": (0.8, 0.9), "eps": 1e-3}),
    ],
)
def test_torch_takes_the_same_steps(name, key, settings):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(5)
    start, gradients = rng.normal(size=(1, 4)), rng.normal(size=(20, 1, 4))
    weights = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = getattr(torch.optim, key)([weights], lr=STEP, **settings)
    for gradient in gradients:
        weights.grad = torch.tensor(gradient)
        optimizer.step()
    found = run(METHODS[name], start, gradients)[-1]
    np.testing.assert_allclose(found, weights.detach().numpy(), rtol=1e-12)


def test_adam_says_so_when_its_second_moment_overflows():
    path = run(Adam(), np.zeros((2, 1)), np.array([[[1e200], [1.0]]] * 3))
    assert np.isnan(path[-1, 0, 0])
    assert np.isfinite(path[-1, 1, 0])


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_visible(name, bad):
    """Also after clipping: a run that blew up must not look as if it had stopped."""
    gradient = np.array([[bad, 1.0]])
    clip(gradient, 1.0)
    method = METHODS[name]
    w, states = np.zeros((1, 2)), np.zeros((method.states, 1, 2))
    with np.errstate(invalid="ignore"):
        method.update(w, gradient, states, 0, STEP)
    assert not np.isfinite(w[0, 0])


@given(
    st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=6),
    st.floats(1e-6, 1e6),
)
def test_clipping_bounds_the_norm_and_keeps_the_direction(values, limit):
    gradient = np.array([values])
    before = gradient.copy()
    clip(gradient, limit)
    exact = math.hypot(*values)
    if exact <= limit * (1 - 1e-12):
        assert np.array_equal(gradient, before)
    elif exact > limit * (1 + 1e-12):
        assert math.hypot(*gradient[0]) == pytest.approx(limit, rel=1e-12)
    longest = np.abs(before[0]).argmax()
    if before[0, longest]:
        share = gradient[0, longest] / before[0, longest]
        assert 0 <= share <= 1
        np.testing.assert_allclose(gradient[0], share * before[0], rtol=1e-12, atol=1e-300)


def test_clipping_looks_at_each_replica_by_itself():
    gradient = np.array([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0], [1e200, 1e200], [5e-324, 0.0]])
    clip(gradient, 2.0)
    expected = [[1.2, 1.6], [0.3, 0.4], [0, 0], [2**0.5, 2**0.5], [5e-324, 0]]
    np.testing.assert_allclose(gradient, expected, rtol=1e-15)


SPEC = """
version: 1
name: optimizers
symbols: {s: 1/2, large: 3}
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f1}, {id: f2}]
training: {step_size: 1/4, horizon: 100, KEYS}
"""


def graph_with(keys):
    return bc.build(bc.loads(SPEC.replace(", KEYS", keys and f", {keys}")))


@pytest.mark.parametrize(
    ("keys", "kind", "parameters"),
    [
        ("", Sgd, ()),
        ("optimizer: sgd", Sgd, ()),
        ("optimizer: momentum", Momentum, (0.9,)),
        ("optimizer: heavy_ball", HeavyBall, (0.9,)),
        ("optimizer: nesterov", Nesterov, (0.9,)),
        ("optimizer: adam", Adam, (0.9, 0.999, 1e-8)),
        ("optimizer: {type: nesterov, momentum: s}", Nesterov, (0.5,)),
        ("optimizer: {type: heavy_ball, momentum: 0}", HeavyBall, (0.0,)),
        ("optimizer: {type: adam, beta2: 1/4, epsilon: s}", Adam, (0.9, 0.25, 0.5)),
        ("optimizer: unified_momentum", UnifiedMomentum, (0.9, 1.0)),
        ("optimizer: {type: unified_momentum, momentum: 0, s: s}", UnifiedMomentum, (0.0, 0.5)),
        ("optimizer: {type: unified_momentum, s: 0}", UnifiedMomentum, (0.9, 0.0)),
        ("optimizer: {type: adam, beta1: 1/4}", Adam, (0.25, 0.999, 1e-8)),
    ],
)
def test_the_spec_names_a_method_and_its_parameters(keys, kind, parameters):
    made = make_optimizer(graph_with(keys))
    assert type(made) is kind
    assert made.parameters == parameters


def test_codes_differ_and_defaults_match_the_constructors():
    assert len({method.code for method in OPTIMIZERS.values()}) == len(OPTIMIZERS)
    for name, method in OPTIMIZERS.items():
        assert method.name == name
        assert method().parameters == tuple(method.defaults.values())


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("optimizer: {type: sgd, momentum: 1/2}", ["`momentum`", "sgd", "no parameters"]),
        ("optimizer: {type: adam, momentum: 1/2}", ["`momentum`", "adam", "`beta1`"]),
        ("optimizer: {type: nesterov, s: 1}", ["`s`", "nesterov", "type: unified_momentum"]),
        ("optimizer: {type: unified_momentum, s: -1}", ["training.optimizer.s", "negative"]),
        ("optimizer: {type: heavy_ball, epsilon: 1}", ["`epsilon`", "heavy_ball", "type: adam"]),
        ("optimizer: {type: heavy_ball, momentum: 1}", ["training.optimizer.momentum", "[0, 1)"]),
        ("optimizer: {type: heavy_ball, momentum: -1/2}", ["negative"]),
        ("optimizer: {type: adam, beta1: 3/2}", ["training.optimizer.beta1", "[0, 1)"]),
        ("optimizer: {type: adam, epsilon: 0}", ["training.optimizer.epsilon", "> 0"]),
        ("optimizer: {type: adam, beta2: 1/0}", ["training.optimizer.beta2", "zero"]),
        ("optimizer: adamw", ["training.optimizer", "heavy_ball"]),
        ("optimizer: {momentum: 1/2}", ["training.optimizer", "type"]),
    ],
)
def test_what_does_not_belong_is_refused_when_the_spec_is_read(keys, words):
    with pytest.raises(SpecError) as caught:
        graph_with(keys)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        ("optimizer: {type: heavy_ball, momentum: large}", "training.optimizer.momentum"),
        ("optimizer: {type: adam, beta2: sqrt(large)}", "training.optimizer.beta2"),
        ("optimizer: {type: adam, epsilon: large - 3}", "training.optimizer.epsilon"),
        ("optimizer: {type: unified_momentum, s: s - large}", "training.optimizer.s"),
        ("optimizer: {type: nesterov, momentum: 0.99999999999999999999}", "momentum"),
    ],
)
def test_values_of_symbols_are_checked_when_they_are_known(keys, where):
    graph = graph_with(keys)
    with pytest.raises(SpecError) as caught:
        make_optimizer(graph)
    assert where in str(caught.value)


def test_the_limit_of_the_norm_is_read_and_checked():
    assert make_clip(graph_with("")) is None
    assert make_clip(graph_with("clip: s")) == 0.5
    for value in ("0", "large - 3", "large * 1e400"):
        with pytest.raises(SpecError, match=r"training\.clip"):
            make_clip(graph_with(f"clip: {value}"))
