"""One point of the box in floating point: where, and at which levels, a claim is too small.

Nothing here is a proof.  It says where to look for an instance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from boundcalc.errors import ExpressionError
from boundcalc.spec.expressions import Expression
from boundcalc.verify.claims.chains import ErrorForms, bias_forms, error_forms
from boundcalc.verify.claims.domination import as_float
from boundcalc.verify.claims.model import MOMENTS, ChainClaim, Statement
from boundcalc.verify.claims.ranges import Range, enclosure

_ROUNDS = 40  # of the search for a profile
_HUGE = 1e250
_SPREAD = 1e4

Array = np.ndarray[Any, Any]
Point = Mapping[str, Fraction]


@dataclass(frozen=True)
class Profile:
    """Levels of all perturbations at the sites i = 1..N−1.

    Attributes
    ----------
    e, m
        √E‖δ_i‖² and the size of the conditional mean of δ_i.
    eps, n
        The same of ε_{i+1}.
    """

    e: Array
    m: Array
    eps: Array
    n: Array


@dataclass(frozen=True)
class PointClaim:
    """A claim for one length at one point of the box, as floats."""

    chain: ChainClaim
    statement: Statement
    zero_mean: bool
    point: Point

    def rows(self) -> dict[str, list[np.float64]]:
        """The constants, 0 for those of which the claim says nothing."""
        return {
            key: [np.float64(0.0 if x is None else self.value(x)) for x in row]
            for key, row in self.chain.constants.items()
        }

    @cached_property
    def sizes(self) -> ErrorForms[Any]:
        """The sharp forms of the error."""
        return error_forms(self.rows(), np.float64(0), np.float64(1))

    @cached_property
    def linear(self) -> Array:
        """M, with the sharp bound ‖M y‖² in y = (e, ϵ) for the error, (e², m, n) for the bias."""
        if self.statement == "error":
            travel, caused = np.array(self.sizes.travel), np.array(self.sizes.caused)
            return np.hstack([caused @ travel, np.array(self.sizes.noise)])
        rows = self.rows()
        rows["l"] = [min(x, y) for x, y in zip(rows["l"], rows["a"], strict=True)]
        forms = bias_forms(rows, np.float64(0), np.float64(1), np.float64(0.5))
        parts = [forms.squares] if self.zero_mean else [forms.squares, forms.means, forms.noise]
        return np.hstack([np.array(part) for part in parts])

    @cached_property
    def coefficients(self) -> dict[str, Array]:
        """The claim's coefficients."""
        return {
            key: np.array([self.value(x) for x in self.chain.coefficients[key]])
            for key in MOMENTS[self.statement]
        }

    def value(self, expression: Expression) -> float:
        """An expression at the point."""
        return as_float(self.range(expression).hi)

    def range(self, expression: Expression) -> Range:
        """An enclosure of an expression at the point."""
        box = {name: Range.of(x, x) for name, x in self.point.items()}
        return enclosure(expression.node, box)

    def sharp(self, p: Profile) -> float:
        """The sharp bound without minima: Theorems 4.1, 4.3 and 4.18 (a) of docs/theory.md."""
        if self.statement == "bias":
            levels = [p.e**2] if self.zero_mean else [p.e**2, p.m, p.n]
            return float(((self.linear @ np.concatenate(levels)) ** 2).sum())
        if not self.zero_mean:
            return float(((self.linear @ np.concatenate([p.e, p.eps])) ** 2).sum())
        s = np.sqrt(np.array(self.sizes.travel) ** 2 @ p.e**2)
        caused, noise = np.array(self.sizes.caused) @ s, np.array(self.sizes.noise)
        return float((caused**2).sum() + (noise**2 @ p.eps**2).sum())

    def claimed(self, p: Profile) -> float:
        """The claim's bound."""
        c = self.coefficients
        if self.statement == "error":
            return float(c["forward"] @ p.e**2 + c["backward"] @ p.eps**2)
        fourth, mean = c["forward_fourth"] @ p.e**4, c["forward_mean"] @ p.m**2
        return float(fourth + mean + c["backward_mean"] @ p.n**2)

    def ratio(self, x: Array) -> float:
        """Sharp bound over claim for a vector of levels; infinite where the claim is 0."""
        p = self.profile(x)
        with np.errstate(all="ignore"):
            bound, claim = self.sharp(p), self.claimed(p)
        if not (np.isfinite(bound) and np.isfinite(claim)):
            return 0.0
        if claim <= 0:
            return np.inf if bound > 0 else 0.0
        return bound / claim

    def profile(self, x: Array) -> Profile:
        """Levels from a vector: e, then ϵ for the error, m and n for the bias."""
        k = self.chain.size - 1
        zero = np.zeros(k)
        if self.statement == "error":
            # Arbitrary perturbations may be constant: their means are as large as they are.
            means = (zero, zero) if self.zero_mean else (x[:k], x[k:])
            return Profile(x[:k], means[0], x[k:], means[1])
        if self.zero_mean:
            return Profile(x, zero, zero, zero)
        return Profile(x[:k], x[k : 2 * k], zero, x[2 * k :])

    @property
    def dimension(self) -> int:
        """The length of a vector of levels."""
        k = self.chain.size - 1
        if self.statement == "error":
            return 2 * k
        return k if self.zero_mean else 3 * k

    @property
    def curved(self) -> bool:
        """Whether the bound is no quadratic form in y: the levels then have to be searched for."""
        return self.statement == "error" and self.zero_mean

    def probe(self) -> tuple[float, Array]:
        """A large ratio and its levels, quickly: the largest eigenvalue where there is one."""
        if not self.curved:
            x = self.eigenvector()
            return self.ratio(x), x
        start = max(self.starts(), key=self.ratio)
        return self.climbed(start, rounds=_ROUNDS // 4)

    def worst(self) -> tuple[float, Array]:
        """The largest ratio found, and its levels: coordinate search where they are curved."""
        best, where = self.probe()
        for start in self.starts() if self.curved else []:
            if np.isinf(best):
                break
            ratio, x = self.climbed(start)
            if ratio > best:
                best, where = ratio, x
        return best, where

    def eigenvector(self) -> Array:
        """The levels y ≥ 0 with the largest ‖M y‖² / yᵀDy (docs/theory.md, Theorem 4.5 (d))."""
        M = self.linear
        D = np.concatenate([self.coefficients[key] for key in self.order()])
        bare = (D <= 0) & (M > 0).any(axis=0)
        if bare.any():
            return bare.astype(float)
        root = np.sqrt(np.maximum(D, 0))
        K = M / np.where(root > 0, root, 1.0)
        with np.errstate(all="ignore"):
            gram = K.T @ K
        if not np.isfinite(gram).all():
            return np.ones(len(D))
        y = np.abs(np.linalg.eigh(gram)[1][:, -1]) / np.where(root > 0, root, 1.0)
        y /= y.max()
        if self.statement == "bias":
            y[: self.chain.size - 1] **= 0.5  # e from e²
        return np.asarray(y)

    def starts(self) -> list[Array]:
        """Every site alone, all together, and levels for which the claim's terms are alike."""
        flat = np.concatenate([self.coefficients[key] for key in self.order()])
        alike = np.where(flat > 0, np.maximum(flat, 1e-200) ** -0.5, 1.0)
        return [alike, np.ones(self.dimension), *np.eye(self.dimension)]

    def order(self) -> tuple[str, ...]:
        """The moments in the order of a vector of levels."""
        if self.statement == "error":
            return ("forward", "backward")
        if self.zero_mean:
            return ("forward_fourth",)
        return ("forward_fourth", "forward_mean", "backward_mean")

    def climbed(self, x: Array, rounds: int = _ROUNDS) -> tuple[float, Array]:
        """Levels with a larger ratio, by steps of one level at a time."""
        x = x.astype(float)
        best, step = self.ratio(x), 2.0
        for _ in range(rounds):
            before = best
            for j in range(len(x)):
                for trial in _steps(x, j, step):
                    ratio = self.ratio(trial)
                    if ratio > best:
                        best, x = ratio, trial
                if np.isinf(best):
                    return best, x
            if best <= before * (1 + 1e-4):
                step **= 0.5
                if step < 1.01:
                    break
        return best, x


def _steps(x: Array, j: int, step: float) -> list[Array]:
    """The vector with one entry larger, smaller, zero, or, where it is zero, not zero.

    Entries that are not zero stay within a factor of each other: where the quotient grows
    for ever, levels that an instance can have are wanted all the same.
    """
    top = x.max()
    options = [x[j] * step, x[j] / step, 0.0] if x[j] > 0 else [1e-3 * top, 1e-1 * top]
    trials = []
    for value in options:
        trial = x.copy()
        trial[j] = value
        if 0 < trial.max() < _SPREAD * trial[trial > 0].min(initial=np.inf):
            trials.append(trial)
    return trials


def point_claim(
    chain: ChainClaim, statement: Statement, zero_mean: bool, point: Point
) -> PointClaim | None:
    """The claim at a point; None where it has no finite value there."""
    made = PointClaim(chain, statement, zero_mean, dict(point))
    try:
        finite = all(np.isfinite(row).all() for row in made.coefficients.values())
        sizes = [np.abs(row).max() for row in made.coefficients.values()]
        constants = [made.value(x) for row in chain.constants.values() for x in row if x]
    except (ZeroDivisionError, OverflowError, ExpressionError):
        return None
    return made if finite and max(*sizes, *constants) < _HUGE else None
