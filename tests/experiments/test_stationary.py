"""Where logistic runs settle: the mean field, its noise, and literal runs."""

from dataclasses import replace

import numpy as np
import pytest

from boundcalc.experiments.stationary import Law, expected_norm, settle

RNG = np.random.default_rng(3)
SLOPES = RNG.standard_normal((40, 3))
LAW = Law(SLOPES, "squared", 0.05, 0.2, 0.01, half_width=1.5, back_mean=0.1, back_variance=0.3)
W = np.array([0.3, -0.4, 0.8])


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def penalty(law, w):
    if law.kind == "squared":
        return 2 * law.strength * w
    return 2 * law.strength * w / (1 + w**2) ** 2 if law.kind == "nonconvex" else 0 * w


def drawn_steps(law, w, count, rng):
    """Perturbed gradients at w, drawn one by one."""
    shape = (count, 1) if law.shared else (count, len(law.slopes))
    delta = rng.uniform(-law.half_width, law.half_width, shape)
    half = np.sqrt(3 * law.back_variance)
    epsilon = law.back_mean + rng.uniform(-half, half, shape)
    back = sigmoid(law.slopes @ w + delta) + epsilon
    gradient = back @ law.slopes / len(law.slopes) + penalty(law, w)
    return gradient + law.noise * rng.standard_normal(gradient.shape)


@pytest.mark.parametrize("kind", ["squared", "nonconvex", "none"])
@pytest.mark.parametrize("shared", [False, True])
def test_moments_of_a_step(kind, shared):
    law = replace(LAW, kind=kind, shared=shared)
    found = drawn_steps(law, W, 30_000, np.random.default_rng(1))
    # Five deviations of the sampled mean, and of a sampled covariance.
    spread = np.sqrt(np.diag(law.covariance(W)))
    assert np.all(np.abs(found.mean(axis=0) - law.field(W)) < 5 * spread / np.sqrt(len(found)))
    room = 5 * np.outer(spread, spread) * np.sqrt(2 / len(found))
    assert np.all(np.abs(np.cov(found.T) - law.covariance(W)) < room)


@pytest.mark.parametrize("kind", ["squared", "nonconvex", "none"])
@pytest.mark.parametrize("half_width", [0.0, 1.5])
def test_the_jacobian_is_the_fields_derivative(kind, half_width):
    law = replace(LAW, kind=kind, half_width=half_width)
    h = 1e-6
    columns = [(law.field(W + h * e) - law.field(W - h * e)) / (2 * h) for e in np.eye(3)]
    assert pytest.approx(law.jacobian(W), abs=1e-9) == np.array(columns).T


def test_without_perturbations_the_field_is_the_gradient():
    def loss(w):
        return np.logaddexp(0, SLOPES @ w).mean() + 0.05 * w @ w

    h = 1e-6
    numeric = [(loss(W + h * e) - loss(W - h * e)) / (2 * h) for e in np.eye(3)]
    assert LAW.still.field(W) == pytest.approx(np.array(numeric), abs=1e-9)


def test_small_and_no_noise_agree():
    tiny = replace(LAW, half_width=1e-4)
    none = replace(LAW, half_width=0.0)
    assert tiny.field(W) == pytest.approx(none.field(W), abs=1e-8)
    assert tiny.jacobian(W) == pytest.approx(none.jacobian(W), abs=1e-8)


def literal_norm(law, start, steps, replicas, rng):
    """Mean ‖∇ℓ‖ over the second half of plain runs, and its error."""
    w = np.tile(start, (replicas, 1))
    means = np.zeros(replicas)
    for t in range(steps):
        clean = sigmoid(w @ law.slopes.T) @ law.slopes / len(law.slopes) + penalty(law, w)
        if t >= steps // 2:
            means += np.linalg.norm(clean, axis=1) / (steps - steps // 2)
        acts = t % law.every == 0
        a = law.half_width * acts
        shape = (replicas, 1) if law.shared else (replicas, len(law.slopes))
        half = np.sqrt(3 * law.back_variance) * acts
        epsilon = law.back_mean * acts + rng.uniform(-1, 1, shape) * half
        back = sigmoid(w @ law.slopes.T + rng.uniform(-1, 1, shape) * a) + epsilon
        g = back @ law.slopes / len(law.slopes) + penalty(law, w)
        w = w - law.step * (g + law.noise * rng.standard_normal(w.shape))
    return means.mean(), means.std() / np.sqrt(replicas)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"shared": True, "back_variance": 0.01, "step": 0.05},
        {"back_mean": 0.0, "back_variance": 0.0},
        {"every": 3},
        {"every": 4, "back_variance": 0.0, "half_width": 0.0},
        {"kind": "nonconvex", "step": 0.1},
    ],
)
def test_a_literal_run_settles_where_it_is_predicted(change):
    law = replace(LAW, **change)
    plateau = settle(law, np.zeros(3))
    mean, error = literal_norm(law, plateau.weights, 800, 60, np.random.default_rng(5))
    # Four errors, and two percent for what linearising leaves out.
    assert abs(mean - plateau.norm) < 4 * error + 0.02 * plateau.norm


def test_without_noise_the_norm_is_the_limit():
    law = replace(LAW, noise=0.0, back_variance=0.0, half_width=0.0)
    plateau = settle(law, np.zeros(3))
    assert plateau.norm == pytest.approx(plateau.limit, rel=1e-9)
    # At the root ∇ℓ = −m·mean z′.
    assert plateau.limit == pytest.approx(0.1 * np.linalg.norm(SLOPES.mean(axis=0)), rel=1e-9)


def test_a_field_without_a_root_has_no_plateau():
    # All labels equal one side: a push beyond the misclassified slope goes to infinity.
    pushed = replace(LAW, kind="none", strength=0.0, back_mean=-5.0, half_width=0.0)
    assert settle(pushed, np.zeros(3)) is None


class TestExpectedNorm:
    @pytest.mark.parametrize("n", [1, 2, 5, 10])
    def test_of_a_standard_normal(self, n):
        from scipy.special import gammaln

        exact = np.sqrt(2) * np.exp(gammaln((n + 1) / 2) - gammaln(n / 2))
        assert expected_norm(np.zeros(n), np.eye(n)) == pytest.approx(exact, rel=1e-9)

    def test_by_sampling(self):
        mean, root = np.array([0.5, -1.0]), np.array([[1.0, 0.0], [0.7, 0.2]])
        x = mean + np.random.default_rng(0).standard_normal((100_000, 2)) @ root.T
        norms = np.linalg.norm(x, axis=1)
        error = norms.std() / np.sqrt(len(norms))
        assert abs(expected_norm(mean, root @ root.T) - norms.mean()) < 4 * error

    @pytest.mark.parametrize("scale", [1e-12, 1.0, 1e9])
    def test_it_scales(self, scale):
        one = expected_norm(np.ones(2), np.eye(2))
        scaled = expected_norm(scale * np.ones(2), scale**2 * np.eye(2))
        assert scaled == pytest.approx(scale * one, rel=1e-12)

    def test_nothing_is_zero(self):
        assert expected_norm(np.zeros(2), np.zeros((2, 2))) == 0.0
