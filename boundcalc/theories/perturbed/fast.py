"""The sharp bounds of graphs of a million operators, in compiled floating point.

:func:`fast_bounds` evaluates the recurrences of :mod:`boundcalc.theories.perturbed.sharp` on
flat arrays.  With Numba (``pip install boundcalc[fast]``) an operator of a chain takes 0.3 µs,
after some ten seconds of compilation the first time and one second in each later process; the
same functions run as plain Python where Numba is missing, at 30 µs an operator.
docs/benchmarks.md has measurements.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boundcalc.arithmetic import Scalar
from boundcalc.arithmetic.wide import CONTEXT
from boundcalc.graph.arrays import GraphArrays
from boundcalc.graph.level_arrays import LevelArrays
from boundcalc.theories.perturbed import compiling, kernel, kernel_columns, scaled

#: Slot pairs from which plain Python takes longer than importing Numba and its compiled code.
COMPILE_FROM = 100_000


@dataclass(frozen=True, eq=False)
class ScaledArray:
    """Numbers mantissa · 2^(512 exponent), too large or small for float64 as they may be.

    >>> values = ScaledArray(np.array([1.5, 1.0]), np.array([0, 4]))
    >>> len(values), values[0], values.log10()
    (2, mpf('1.5'), array([1.76091259e-01, 6.16509431e+02]))
    """

    mantissa: NDArray[np.float64]
    exponent: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.mantissa)

    def __getitem__(self, i: int) -> Scalar:
        """Entry i as a number of the wide kind."""
        return _wide(float(self.mantissa[i]), int(self.exponent[i]))

    def log10(self) -> NDArray[np.float64]:
        """Decimal logarithms; −∞ for 0."""
        with np.errstate(divide="ignore"):
            mantissa = np.log10(self.mantissa)
        found: NDArray[np.float64] = mantissa + self.exponent * (scaled.STEP * np.log10(2.0))
        return found


@dataclass(frozen=True)
class FastBounds:
    """What the recurrences bound, as numbers of the wide kind.

    Attributes
    ----------
    error, bias
        ζ² and β²: bounds on E‖ũ − u‖² and ‖E[ũ − u]‖².
    contributions
        E‖ũ_g − u_g‖² for every group g of operators with the same weights, from 0, in the
        order of their first operators.
    relative_error
        How far rounding, that of constants and levels to float64 included, can have moved
        any of these numbers, as a fraction of it.
    compiled
        Whether compiled code was used.
    """

    error: Scalar
    bias: Scalar
    contributions: ScaledArray
    relative_error: float
    compiled: bool


def fast_bounds(
    constants: GraphArrays,
    levels: LevelArrays,
    *,
    forward_centred: bool,
    backward_centred: bool,
    capped: bool,
    saturated: bool = False,
    compiled: bool | None = None,
) -> FastBounds:
    """ζ² and β² of a graph (docs/theory.md, Theorems 4.1 to 4.3, 4.7 to 4.9, Lemmas 4.4 and 4.11).

    O(N + slot pairs) time and memory.  Nothing over- or underflows: the numbers have
    an exponent of their own (:mod:`boundcalc.theories.perturbed.scaled`).

    Every number is made from constants and levels by additions, multiplications, square
    roots and minima of nonnegative numbers, so that relative errors add up along a path of
    operations and never grow by cancellation.  With w_v = 2 p_v + 2 c_v + 6 for an
    operator of p_v slots that c_v slots read, and T = Σ_v w_v = 4 slots + 6 N, induction
    over the recurrences gives at most T roundings for s, V, E and ν, 2T for μ and R, 3T for
    β, hence 4T + 15 for ζ² and 6T + 15 for β²; sums over operators are compensated and
    count twice.  ``relative_error`` is γ_n = n 2⁻⁵³ / (1 − n 2⁻⁵³) for n = 6T + 16
    (N. J. Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., Lemma 3.1).
    Observed errors are smaller by orders of magnitude.

    Parameters
    ----------
    forward_centred, backward_centred
        Whether every forward, every backward perturbation has conditional mean zero.
    capped
        Whether a mean is capped by the root mean square at every stage.
    saturated
        Whether a change of a Jacobian is capped by twice its bound, likewise of an adjoint.
        The refinements for forward perturbations that are independent, or have bounded
        conditional moments, are not taken here: the bias bound is valid without them.
    compiled
        Whether to use Numba; by default where it is installed and the graph has
        :data:`COMPILE_FROM` slot pairs or compiled code is there already.  The numbers
        are the same, bit by bit.

    Raises
    ------
    UnsupportedError
        If compiled code is asked for and Numba is not installed.
    SpecError
        If the levels are not those of the graph.

    Examples
    --------
    All constants and forward levels 1, N = 3 (docs/theory.md, section 4.5):

    >>> graph = GraphArrays.chain(3, a=1, b=1, l=1, A=1, B=1, A3=1, B3=1)
    >>> found = fast_bounds(graph, LevelArrays.on(graph, e=1), forward_centred=False,
    ...                     backward_centred=True, capped=False)
    >>> found.error, found.bias, list(found.contributions)
    (mpf('22.0'), mpf('56.25'), [mpf('9.0'), mpf('9.0'), mpf('4.0')])

    Constants 2 and N = 1000 leave float64 behind:

    >>> graph = GraphArrays.chain(1000, a=2, b=2, l=2, A=2, B=2, A3=2, B3=2)
    >>> found = fast_bounds(graph, LevelArrays.on(graph, e=1, eps=1), forward_centred=True,
    ...                     backward_centred=True, capped=True)
    >>> from boundcalc.arithmetic import Number, Status
    >>> print(Number(found.error, Status.COMPUTED))
    5.85869e+1203
    """
    levels.check_fits(constants)
    if compiled is None:
        worth = len(constants.A) >= COMPILE_FROM or compiling.loaded()
        compiled = worth and compiling.numba_installed()
    loops = compiling.compiled_loops() if compiled else kernel.LOOPS
    column = _unchanged if compiled else _listed
    g, x = _graph(constants, column), _given(levels, column)
    N, groups = constants.size, int(constants.members.max()) + 1
    state = kernel_columns.State(*(_zeros(N + 1, column) for _ in kernel_columns.State._fields))
    gradient = kernel_columns.Gradient(
        *(_sums(groups, column) for _ in kernel_columns.Gradient._fields)
    )
    parts, totals = _zeros(groups, column), _sums(2, column)
    forward, backward_sizes, backward_means, weights, finish = loops
    forward(g, x, state, forward_centred, capped)
    backward_sizes(g, x, state, backward_centred, saturated)
    backward_means(g, x, state, capped, saturated)
    weights(g, state, gradient, capped, saturated)
    finish(gradient, parts, totals, backward_centred, capped)
    error, bias = (
        _wide(totals.mantissa[i], totals.exponent[i]) + _wide(totals.lost[i], totals.exponent[i])
        for i in range(2)
    )
    return FastBounds(
        error,
        bias,
        ScaledArray(np.asarray(parts.mantissa), np.asarray(parts.exponent)),
        relative_error(constants),
        compiled,
    )


def relative_error(constants: GraphArrays) -> float:
    """γ_n as :func:`fast_bounds` has it.

    >>> graph = GraphArrays.chain(10**6, a=1, b=1, l=1, A=1, B=1, A3=1, B3=1)
    >>> print(f"{relative_error(graph):.1e}")
    6.7e-09
    """
    n = 6 * (4 * len(constants.inputs) + 6 * constants.size) + 16
    return n * 2.0**-53 / (1 - n * 2.0**-53)


def _unchanged(column: NDArray[Any]) -> Any:
    return column


def _listed(column: NDArray[Any]) -> Any:
    """Plain Python reads lists three times as fast as arrays."""
    return column.tolist()


def _graph(c: GraphArrays, column: Callable[[NDArray[Any]], Any]) -> kernel_columns.Graph:
    names = {"groups": "members"}
    return kernel_columns.Graph(
        *(column(getattr(c, names.get(name, name))) for name in kernel_columns.Graph._fields)
    )


def _given(x: LevelArrays, column: Callable[[NDArray[Any]], Any]) -> kernel_columns.Given:
    return kernel_columns.Given(
        *(column(getattr(x, name)) for name in kernel_columns.Given._fields)
    )


def _zeros(size: int, column: Callable[[NDArray[Any]], Any]) -> scaled.Column:
    return scaled.Column(column(np.zeros(size)), column(np.zeros(size, np.int64)))


def _sums(size: int, column: Callable[[NDArray[Any]], Any]) -> scaled.Sums:
    zeros = np.zeros(size)
    return scaled.Sums(column(zeros), column(zeros.copy()), column(np.zeros(size, np.int64)))


def _wide(mantissa: float, exponent: int) -> Scalar:
    return CONTEXT.ldexp(CONTEXT.mpf(float(mantissa)), scaled.STEP * int(exponent))
