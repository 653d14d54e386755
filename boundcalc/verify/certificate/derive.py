"""The sharp bounds at one level, as steps (docs/theory.md, sections 4.2 to 4.8).

Written for certificates alone: every bound keeps the steps that it is made of, and the
smaller of two valid ones is chosen as :mod:`boundcalc.theories.perturbed.sharp` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from boundcalc.graph.numbers import GraphConstants, Levels
from boundcalc.verify.certificate.numbers import root_up, rounded_up
from boundcalc.verify.certificate.pull import pulled, together
from boundcalc.verify.certificate.steps import Step, given, smallest, step
from boundcalc.verify.certificate.superposition import GradientToGo, Superposition

_ZERO = Fraction(0)


class Derivation:
    """Bounds at one level of a graph.

    Parameters
    ----------
    g
        Its constants, short rationals.
    levels
        What acts, short rationals.
    number
        The level's number in the certificate.
    V
        Bounds on ‖v_u‖, from :func:`adjoint_norms`.
    slopes
        From :func:`slopes`; all None where no pass may be restarted.
    to_go
        For superposition, or None where it is not taken.

    Attributes
    ----------
    error, bias
        Bounds on E‖ũ − u‖² and ‖E[ũ − u]‖².
    """

    def __init__(
        self,
        g: GraphConstants,
        levels: Levels,
        number: int,
        V: list[Step],
        slopes: list[Step | None],
        to_go: GradientToGo | None,
    ) -> None:
        self.g, self.levels, self.number, self.V, self.slopes = g, levels, number, V, slopes
        self.forward_centred = levels.forward_centred
        self.backward_centred = levels.backward_centred
        zero, count = given(0), range(g.size + 1)
        self.s, self.mu, self.R, self.beta, self.nu, self.h, self.W, self.C, self.G = (
            [zero for _ in count] for _ in range(9)
        )
        self.D: list[list[Step]] = [[]]
        self.M: list[list[Step]] = [[]]
        self.P: list[list[Step]] = [[] for _ in count]
        self.T: list[Step | None] = [None for _ in count]
        self.dependence = known_after(levels, g.size)
        self.alone = None if to_go is None else Superposition(g, levels, number, to_go)
        for v in range(1, g.size + 1):
            self._forward(v)
            self.T[v] = self._restart(v) if self.dependence[v] else None
        for v in range(g.size, 0, -1):
            if v < g.size:
                self._backward(v)
                if self.alone is not None:
                    self.alone.back_to(v, self.R[v])
            self.P[v] = [self._product(v, k) for k in range(len(g.A[v]) + 1)]
            self.C[v], self.G[v] = self._caused(v)
        errors, biases = [], []
        for group in g.members:
            errors.append(self._error(group))
            biases.append(self._bias(group))
        self.error = step("error.total", (number,), errors, sum((x.value for x in errors), _ZERO))
        self.bias = step("bias.total", (number,), biases, sum((x.value for x in biases), _ZERO))

    def _at(self, rule: str, place: int, only: Step) -> Step:
        return step(rule, (self.number, place), [only], only.value)

    def _forward(self, v: int) -> None:
        """s_v and μ_v from what v reads, and how far its Jacobians move."""
        g = self.g
        self.D.append([self._drift(v, k) for k in range(len(g.A[v]) + 1)])
        self.M.append([self._mean_drift(v, k) for k in range(len(g.A[v]) + 1)])
        if v == g.size:
            return
        sizes, means = [self._size(v)], [self._mean(v)]
        run = g.run_to.get(v)
        if run is not None:
            sizes.append(self._size_through(v))
            if run.affine:
                means.append(self._mean_through(v))
        self.s[v] = smallest(*sizes)
        self.mu[v] = smallest(*means, self._at("mean.rms", v, self.s[v]))

    def _row(self, v: int, k: int) -> tuple[Sequence[Fraction | None], Fraction | None]:
        """Lipschitz constants of ∇_u f_v, and of ∇_w f_v at the slot after the last."""
        g = self.g
        return (g.A[v][k], g.A3[v][k]) if k < len(g.A[v]) else (g.B[v], g.B3[v])

    def _drift(self, v: int, k: int) -> Step:
        g, (row, _), at = self.g, self._row(v, k), (self.number, v, k)
        sizes = [self.s[u] for u in g.inputs[v]]
        known = [A * s.value for A, s in zip(row, sizes, strict=True) if A is not None]
        value = sum(known, _ZERO)
        if len(known) < len(row):
            change = g.J[v][k] if k < len(g.A[v]) else g.K[v]
            value = Fraction(change or 0) if any(s.value for s in sizes) else _ZERO
        most = g.a[v][k] if k < len(g.A[v]) else g.b[v]
        return smallest(step("drift", at, sizes, value), step("drift.saturated", at, [], 2 * most))

    def _mean_drift(self, v: int, k: int) -> Step:
        (row, third), at, drift = self._row(v, k), (self.number, v, k), self.D[v][k]
        cap = step("mean_drift.rms", at, [drift], drift.value)
        if third is None or None in row:
            return cap
        sizes = [self.s[u] for u in self.g.inputs[v]]
        means = [self.mu[u] for u in self.g.inputs[v]]
        value = third / 2 * sum((s.value**2 for s in sizes), _ZERO)
        value += sum((A * mu.value for A, mu in zip(row, means, strict=True) if A), _ZERO)
        return smallest(step("mean_drift", at, [*sizes, *means], value), cap)

    def _rule(self, name: str) -> str:
        return f"{name}.centred" if self.forward_centred else name

    def _size(self, v: int) -> Step:
        sizes, e = [self.s[u] for u in self.g.inputs[v]], self.levels.e[v]
        moved = sum((ell * s.value for ell, s in zip(self.g.l[v], sizes, strict=True)), _ZERO)
        value = root_up(moved**2 + e**2) if self.forward_centred else moved + e
        return step(self._rule("size"), (self.number, v), sizes, value)

    def _size_through(self, v: int) -> Step:
        """Lemma 4.10 (b): the run's norm at its start, the recurrence from 0 inside."""
        g, e, run, centred = self.g, self.levels.e, self.g.run_to[v], self.forward_centred
        before = self.s[g.inputs[run.first][0]]
        passed, inside = run.norm * before.value, _ZERO
        for u, w in pairwise(run.nodes):
            if centred:
                inside = rounded_up(g.l[w][0] ** 2 * (inside + e[u] ** 2))
            else:
                inside = rounded_up(g.l[w][0] * (inside + e[u]))
        if not centred:
            value = passed + inside + e[v]
        elif run.affine:
            value = root_up(passed**2 + inside + e[v] ** 2)
        else:
            value = root_up((passed + root_up(inside)) ** 2 + e[v] ** 2)
        return step(self._rule("size.run"), (self.number, v), [before], value)

    def _mean(self, v: int) -> Step:
        g, value, at = self.g, self.levels.m[v], (self.number, v)
        sizes = [self.s[u] for u in g.inputs[v]]
        means = [self.mu[u] for u in g.inputs[v]]
        if any(A is None for row in g.A[v] for A in row):
            moved = sum((ell * s.value for ell, s in zip(g.l[v], sizes, strict=True)), _ZERO)
            return step("mean", at, sizes, value + moved)
        for row, a, s, mu in zip(g.A[v], g.a[v], sizes, means, strict=True):
            linear = sum((A * x.value for A, x in zip(row, sizes, strict=True) if A), _ZERO)
            value += a * mu.value + linear * s.value / 2
        return step("mean", at, [*sizes, *means], value)

    def _mean_through(self, v: int) -> Step:
        g, run, inside = self.g, self.g.run_to[v], _ZERO
        before = self.mu[g.inputs[run.first][0]]
        for u, w in pairwise(run.nodes):
            inside = rounded_up(g.a[w][0] * (inside + self.levels.m[u]))
        value = run.norm * before.value + inside + self.levels.m[v]
        return step("mean.run", (self.number, v), [before], value)

    def _backward(self, u: int) -> None:
        """What goes back to u: R, h or W, β and ν."""
        number, levels, V, D, M, P = self.number, self.levels, self.V, self.D, self.M, self.P

        def induced(v: int, k: int) -> tuple[tuple[Step, ...], Fraction]:
            return (V[v], D[v][k]), V[v].value * D[v][k].value

        def mean(v: int, k: int) -> tuple[tuple[Step, ...], Fraction]:
            return (P[v][k], V[v], M[v][k]), P[v][k].value + V[v].value * M[v][k].value

        def noise(table: Sequence[Fraction]) -> Fraction:
            return sum((table[edge] for edge in self.g.outgoing[u]), _ZERO)

        self.R[u] = smallest(
            step("induced", (number, u), *pulled(self.g, self.R, u, induced)),
            step("induced.saturated", (number, u), [V[u]], 2 * V[u].value),
        )
        self.beta[u] = smallest(
            step("induced_mean", (number, u), *pulled(self.g, self.beta, u, mean, means=True)),
            self._at("induced_mean.rms", u, self.R[u]),
        )
        operands, value = pulled(self.g, self.nu, u, noise=levels.n)
        self.nu[u] = step("backward_mean", (number, u), operands, value + noise(levels.n))
        if self.backward_centred:
            self.W[u] = self._squares(u)
        else:
            operands, value = pulled(self.g, self.h, u, noise=levels.eps)
            self.h[u] = step("backward", (number, u), operands, value + noise(levels.eps))

    def _product(self, v: int, k: int) -> Step:
        """The mean of a change of a Jacobian times the error of what it is applied to."""
        at, D, R = (self.number, v, k), self.D[v][k], self.R[v]
        beta, T, known = self.beta[v], self.T[v], self.dependence[v]
        options = [step("product", at, [D, R], D.value * R.value)]
        if T is not None and known >= 1:
            value = D.value * T.value + D.value * beta.value
            options.append(step("product.conditional", at, [D, T, beta], value))
        if T is not None and known >= 2:
            options.append(step("product.independent", at, [D, T], D.value * T.value))
        return smallest(*options)

    def _restart(self, v: int) -> Step | None:
        """What the adjoint of v changes by when the noise before v is left out."""
        slope, s = self.slopes[v], self.s[v - 1]
        if slope is None:
            return None
        value = slope.value * self.g.l[v][0] * s.value
        return step("restart", (self.number, v), [slope, s], value)

    def _squares(self, u: int) -> Step:
        g, eps = self.g, self.levels.eps
        operands, parts = [], []
        for v, k in g.consumers[u]:
            run = g.run_from.get(v)
            if run is None:
                operands.append(self.W[v])
                parts.append((g.a[v][k], self.W[v].value))
                continue
            inside, end = _ZERO, self.W[run.last]
            for w in reversed(run.nodes):
                own = eps[g.edges[w][0]] if w != v else 0
                inside = rounded_up(g.a[w][0] ** 2 * inside + own**2)
            operands.append(end)
            parts.append((Fraction(1), run.norm**2 * end.value + inside))
        value = together(parts) + sum((eps[edge] ** 2 for edge in g.outgoing[u]), _ZERO)
        return step("backward.squares", (self.number, u), operands, value)

    def _caused(self, v: int) -> tuple[Step, Step]:
        """The part of the error of u_v that forward noise causes, and its mean."""
        b, V, D, M, P = self.g.b[v], self.V[v], self.D[v][-1], self.M[v][-1], self.P[v][-1]
        at, R, beta = (self.number, v), self.R[v], self.beta[v]
        size = smallest(
            step("caused", at, [R, V, D], b * R.value + V.value * D.value),
            step("caused.saturated", at, [V], 2 * b * V.value),
        )
        value = b * beta.value + P.value + V.value * M.value
        means = [step("caused_mean", at, [beta, P, V, M], value)]
        if self.alone is not None:
            means += self.alone.means(v, self.s[v - 1], self.mu[v - 1])
        return size, smallest(*means, self._at("caused_mean.rms", v, size))

    def _error(self, group: tuple[int, ...]) -> Step:
        at, b = (self.number, group[0]), self.g.b
        caused = sum((self.C[v].value for v in group), _ZERO)
        own = self.W if self.backward_centred else self.h
        operands = [x for v in group for x in (self.C[v], own[v])]
        if self.backward_centred:
            parts = [(b[v], own[v].value) for v in group]
            return step("error.centred", at, operands, caused**2 + together(parts))
        total = caused + sum((b[v] * own[v].value for v in group), _ZERO)
        return step("error", at, operands, total**2)

    def _bias(self, group: tuple[int, ...]) -> Step:
        operands = [x for v in group for x in (self.G[v], self.nu[v])]
        total = sum((self.G[v].value + self.g.b[v] * self.nu[v].value for v in group), _ZERO)
        return step("bias", (self.number, group[0]), operands, total**2)


def slopes(g: GraphConstants, V: list[Step]) -> list[Step | None]:
    """λ_u where a smooth chain follows operator u − 1, else None.

    λ_N = 0, λ_u = A_{u+1} V_{u+1} + a_{u+1} ℓ_{u+1} λ_{u+1}.
    """
    found: list[Step | None] = [None] * (g.size + 1)
    inside = {v for run in g.runs for v in run.nodes}
    after: Step | None = None
    for u in range(g.size, 1, -1):
        if g.inputs[u] != (u - 1,) or u in inside:
            break
        if after is None:
            after = given(0)
        else:
            A = g.A[u + 1][0][0]
            if A is None:
                break
            value = A * V[u + 1].value + g.a[u + 1][0] * g.l[u + 1][0] * after.value
            after = step("slope", (u,), [V[u + 1], after], value)
        found[u] = after
    return found


def known_after(levels: Levels, size: int) -> list[int]:
    """By operator: what is known of every forward perturbation from it on (0, 1 or 2)."""
    found = [2] * (size + 1)
    stated = levels.dependence or (0,) * (size + 1)
    for v in range(size - 1, -1, -1):
        found[v] = min(found[v + 1], stated[v]) if levels.e[v] else found[v + 1]
    return found
