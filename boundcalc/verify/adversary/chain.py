"""Chains of numbers whose operators are given by constants only, many candidates at once.

At weights 0 an operator f(y, w) = s(y) + w·m(y) has ∂₁f = s′ and ∂₂f = m, and with
s(0) = 0 and the input 0 every unperturbed value is 0.  So ỹ_i is its own displacement:

    ỹ_i = s_i(ỹ_{i−1}) + δ_i,   ṽ_{i−1} = s_i′(ỹ_{i−1}) ṽ_i + ε_i,   ũ_i = m_i(ỹ_{i−1}) ṽ_i.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.verify.adversary.laws import LAW_PARAMETERS, BackwardSite, ForwardSite, two_points
from boundcalc.verify.adversary.turns import PARAMETERS, Limits, Turns, make_turns


@dataclass(frozen=True)
class ScalarChain:
    """What candidates have in common.

    Attributes
    ----------
    slopes, weights
        By operator from 2, the limits of s′ and of m.
    first
        b_1: m_1 is constant.
    forward, backward
        The perturbed places.
    lengths
        By operator from 2: a length in which its input moves, for the scale of starts.
    steady
        Whether forward perturbations are constants, which have one outcome.
    """

    slopes: tuple[Limits, ...]
    weights: tuple[Limits, ...]
    first: float
    forward: tuple[ForwardSite, ...]
    backward: tuple[BackwardSite, ...]
    lengths: tuple[float, ...]
    steady: bool

    @property
    def size(self) -> int:
        """N."""
        return len(self.slopes) + 1

    @property
    def functions(self) -> int:
        """How many functions are searched for: s and m of every operator but the first."""
        return 2 * len(self.slopes)

    @property
    def outcomes(self) -> int:
        """Of the forward noise."""
        return 1 if self.steady else 2 ** len(self.forward)

    @property
    def parameters(self) -> int:
        """Numbers that make a candidate."""
        laws = LAW_PARAMETERS * len(self.forward) + len(self.backward)
        return PARAMETERS * self.functions + laws

    def limits(self, k: int) -> Limits:
        """The limits of function k: s of operators 2 to N, then m of them."""
        return (*self.slopes, *self.weights)[k]

    def boxes(self) -> tuple[Array, Array]:
        """The box of the parameters."""
        low, high = [], []
        for k in range(self.functions):
            flip = self.limits(k).flip if self.limits(k).moves else 1.0
            length = self.lengths[k % len(self.lengths)]
            low += [-2 * flip - length, -1.0, -1.0, -1.0, 0.0]
            high += [length, 1.0, 1.0, 1.0, flip + length]
        rest = self.parameters - len(low)
        return np.array(low + [-1.0] * rest), np.array(high + [1.0] * rest)

    def moments(self, z: Array) -> tuple[Array, Array]:
        """E‖ũ − u‖² and ‖E[ũ − u]‖² of every candidate ``(P, d)``, exact for its law.

        O(2^k) for k perturbations that are not constant: ỹ_i takes as many values as the
        perturbations before it have outcomes, and what comes later is averaged over.
        """
        functions = [
            make_turns(z[:, PARAMETERS * k : PARAMETERS * (k + 1)], self.limits(k))
            for k in range(self.functions)
        ]
        laws = z[:, PARAMETERS * self.functions :]
        forward = self._forward(functions, laws)
        signs = laws[:, LAW_PARAMETERS * len(self.forward) :]
        return self._backward(functions, forward, signs)

    def _forward(self, functions: list[Turns], laws: Array) -> list[_Stage]:
        """ỹ_0 … ỹ_{N−1}: every outcome of δ_i splits each value in two."""
        sites = {site.operator: (k, site) for k, site in enumerate(self.forward)}
        y = np.zeros((len(laws), 1))
        one = np.ones((len(laws), 1))
        stages = [_Stage(y, one, one)]
        for i in range(1, self.size):
            y = functions[i - 2].twice(y) if i > 1 else y
            share = one
            if i in sites:
                k, site = sites[i]
                part = laws[:, LAW_PARAMETERS * k : LAW_PARAMETERS * (k + 1)]
                values, share = two_points(part, site, steady=self.steady)
                y = (y[:, :, None] + values[:, None, :]).reshape(len(laws), -1)
            reached = (stages[-1].probability[:, :, None] * share[:, None, :]).reshape(y.shape)
            stages.append(_Stage(y, reached, share))
        return stages

    def _backward(
        self, functions: list[Turns], stages: list[_Stage], signs: Array
    ) -> tuple[Array, Array]:
        """The first two moments of d_i = ṽ_i − v_i given ỹ_i, and of the gradient.

        ũ_i − u_i = (m̃_i − m_i)v_i + m̃_i d_i and d_{i−1} = (s̃_i′ − s_i′)v_i + s̃_i′ d_i + ε_i.
        """
        n, count = len(self.slopes), len(signs)
        shifts = {site.operator: (k, site) for k, site in enumerate(self.backward)}
        zero = np.zeros((count, 1))
        v = np.ones((count, 1))
        first = np.zeros_like(stages[-1].y)
        second = np.zeros_like(stages[-1].y)
        error, bias = np.zeros(count), np.zeros(count)
        for i in range(self.size, 0, -1):
            stage = stages[i - 1]
            if i < self.size:
                share = stages[i].share[:, None, :]
                folded = (count, -1, share.shape[2])
                first = np.sum(share * first.reshape(folded), axis=2)
                second = np.sum(share * second.reshape(folded), axis=2)
            if i == 1:
                m, moved = np.full_like(stage.y, self.first), zero
            else:
                weight = functions[n + i - 2]
                m = weight.once(stage.y)
                moved = (m - weight.once(zero)) * v
            error += np.sum(
                stage.probability * (moved**2 + m * (2 * moved * first + m * second)), axis=1
            )
            bias += np.sum(stage.probability * (moved + m * first), axis=1) ** 2
            if i == 1:
                break
            slope = functions[i - 2].once(stage.y)
            clean = functions[i - 2].once(zero)
            known, variance = (slope - clean) * v, 0.0
            if i in shifts:
                k, site = shifts[i]
                known = known + site.mean * np.where(signs[:, k, None] < 0, -1.0, 1.0)
                variance = site.variance
            second = known**2 + slope * (2 * known * first + slope * second) + variance
            first = known + slope * first
            v = clean * v
        return error, bias


@dataclass(frozen=True)
class _Stage:
    """Values of ỹ_i ``(P, Q)``, their probabilities, and the law of δ_i, ``(P, 1 or 2)``."""

    y: Array
    probability: Array
    share: Array
