"""Bounds of the norm of a convolution: never below the norm, and how close."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boundcalc.operators import convolution_norm as convolutions
from boundcalc.operators.norms import convolution_norm
from boundcalc.operators.windows import Windows

seeds = st.integers(0, 2**32)


def svd(matrix):
    return float(np.linalg.norm(matrix, 2))


def convolution_matrix(kernel, axes, groups):
    """Entry by entry from the definition."""
    rows, columns = axes
    out, share, kh, kw = kernel.shape
    full = np.zeros((out, rows.count, columns.count, share * groups, rows.size, columns.size))
    for o, i, j, c, a, b in np.ndindex(out, rows.count, columns.count, share, kh, kw):
        y = i * rows.stride + a * rows.dilation - rows.padding
        x = j * columns.stride + b * columns.dilation - columns.padding
        if 0 <= y < rows.size and 0 <= x < columns.size:
            full[o, i, j, o // (out // groups) * share + c, y, x] += kernel[o, c, a, b]
    return full.reshape(out * rows.count * columns.count, -1)


@st.composite
def convolved(draw):
    """(kernel, axes, groups)."""
    rng = np.random.default_rng(draw(seeds))

    def axis():
        while True:
            size, taps, stride, padding, dilation = rng.integers((1, 1, 1, 0, 1), (8, 5, 5, 5, 4))
            made = Windows(*(int(x) for x in (size, taps, stride, padding, dilation)))
            if made.count >= 1:
                return made

    axes, groups = (axis(), axis()), int(rng.integers(1, 3))
    sizes = groups * rng.integers(1, 3), rng.integers(1, 3), axes[0].taps, axes[1].taps
    kernel = rng.standard_normal(sizes)
    return (np.abs(kernel) if rng.random() < 0.3 else kernel), axes, groups


@settings(deadline=None, max_examples=80)
@given(case=convolved())
def test_convolutions_never_exceed_any_of_their_bounds(case):
    kernel, axes, groups = case
    exact = svd(convolution_matrix(kernel, axes, groups))
    best = convolutions.grid_norm(kernel, axes, groups)
    assert exact <= best * (1 + 1e-13)
    assert best <= exact * (1 + 1e-11)  # small, so written out
    assert exact <= convolutions._torus_norm(kernel, axes, groups) * (1 + 1e-13)
    overlap = axes[0].overlap * axes[1].overlap
    parts = np.split(kernel, groups)
    widest = max(svd(part.reshape(len(part), -1)) for part in parts)
    assert exact <= np.sqrt(overlap) * widest * (1 + 1e-13)


def circular_matrix(kernel, points, strides):
    """The convolution on a torus of points·strides, entry by entry."""
    (P, Q), (s, t) = points, strides
    out, share, kh, kw = kernel.shape
    full = np.zeros((out, P, Q, share, P * s, Q * t))
    for o, i, j, c, a, b in np.ndindex(out, P, Q, share, kh, kw):
        full[o, i, j, c, (i * s + a) % (P * s), (j * t + b) % (Q * t)] += kernel[o, c, a, b]
    return full.reshape(out * P * Q, -1)


@pytest.mark.parametrize("strides", [(1, 1), (2, 1), (1, 3), (2, 2), (3, 2)])
@pytest.mark.parametrize("points", [(1, 1), (2, 3), (4, 3), (1, 5)])
def test_the_torus_norm_is_the_norm_on_the_torus(strides, points):
    kernel = np.random.default_rng(11).standard_normal((2, 2, 3, 2))
    axes = tuple(
        Windows(P * s, taps, s) for P, s, taps in zip(points, strides, (3, 2), strict=True)
    )
    # Without padding a torus as large as the input is taken, whatever positions there are.
    exact = svd(circular_matrix(kernel, points, strides))
    assert convolutions._torus_norm(kernel, axes, 1) == pytest.approx(exact, rel=1e-11)


def test_the_torus_that_the_proof_asks_for():
    assert convolutions._points(Windows(8, 3, 1, 1)) == 9
    assert convolutions._points(Windows(8, 3, 2, 1)) == 5
    # More positions than H + p points, as padding is wider than the kernel.
    wide = Windows(2, 1, 1, 4)
    assert convolutions._points(wide) == wide.count == 10


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_large_images_reach_the_torus_bound(monkeypatch, stride):
    kernel = np.random.default_rng(12).standard_normal((2, 1, 3, 3))
    monkeypatch.setattr(convolutions, "WRITTEN_OUT", 0)
    bound = convolution_norm(kernel, 18, 18, stride, 1)
    axes = (Windows(18, 3, stride, 1),) * 2
    exact = svd(convolution_matrix(kernel, axes, 1))
    assert exact <= bound <= 1.04 * exact


def test_windows_that_do_not_overlap_are_exact(monkeypatch):
    kernel = np.random.default_rng(13).standard_normal((5, 3, 4, 4))
    monkeypatch.setattr(convolutions, "_torus_norm", lambda *_: 1 / 0)
    found = convolution_norm(kernel, 64, 64, stride=4)
    assert found == pytest.approx(svd(kernel.reshape(5, -1)), rel=1e-11)


def test_a_costly_convolution_keeps_the_cheap_bound(monkeypatch):
    kernel = np.random.default_rng(14).standard_normal((2, 2, 3, 3))
    monkeypatch.setattr(convolutions, "WRITTEN_OUT", 0)
    torus = convolution_norm(kernel, 11, 10, padding=1)
    monkeypatch.setattr(convolutions, "BUDGET", 0.0)
    cheap = convolution_norm(kernel, 10, 11, padding=1)
    assert torus < cheap == pytest.approx(3 * svd(kernel.reshape(2, -1)), rel=1e-11)


def test_frequencies_are_taken_in_pieces(monkeypatch):
    kernel = np.random.default_rng(15).standard_normal((2, 3, 3, 3))
    axes = (Windows(9, 3, 2, 1), Windows(7, 3, 1, 1))
    whole = convolutions._torus_norm(kernel, axes, 1)
    monkeypatch.setattr(convolutions, "CHUNK", 30)
    assert len([*convolutions.transfer_matrices(kernel, axes)]) > 5
    assert convolutions._torus_norm(kernel, axes, 1) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e150, 1e300])
def test_kernels_of_any_size(monkeypatch, scale):
    kernel = np.random.default_rng(16).standard_normal((1, 1, 2, 2))
    monkeypatch.setattr(convolutions, "WRITTEN_OUT", 0)
    one = convolution_norm(kernel, 6, 6)
    assert convolution_norm(kernel * scale, 6, 6) == pytest.approx(one * scale, rel=1e-11)
    assert convolution_norm(0.0 * kernel, 6, 6) == 0.0


def test_windows_that_see_padding_alone():
    # One position on each side of the only entry, and none on it.
    assert Windows(1, 1, 2, 1).overlap == 0
    assert convolution_norm(np.ones((1, 1, 1, 1)), 1, 1, stride=2, padding=1) == 0.0


def test_norms_of_kernels_that_are_known():
    # A moving sum of three: 1 + 2cos(π/(n + 1)) is the largest eigenvalue of its matrix.
    ones = np.ones((1, 1, 1, 3))
    exact = 1 + 2 * np.cos(np.pi / 11)
    assert convolution_norm(ones, 1, 10, padding=(0, 1)) == pytest.approx(exact, rel=1e-11)
    identity = np.zeros((1, 1, 3, 3))
    identity[0, 0, 1, 1] = 1.0
    assert convolution_norm(identity, 300, 300, padding=1) == pytest.approx(1.0, rel=1e-11)
