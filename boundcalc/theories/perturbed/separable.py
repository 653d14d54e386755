"""Separable bounds Σ_j D_j z_j² ≥ ζ²: the best for one profile, and for all of them.

docs/theory.md, Theorems 4.5 and 4.15.  Every t > 0 gives a valid D(t); which t is good may
therefore be found in floating point, and D(t) is then computed exactly.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from boundcalc.arithmetic import FLOATS, WIDE, Arithmetic, Number, Scalar
from boundcalc.arithmetic.best import in_best_kind
from boundcalc.errors import SpecError, SymbolError, nearest
from boundcalc.graph import OperatorGraph
from boundcalc.theories.perturbed import graph_sites, sites

if TYPE_CHECKING:
    from boundcalc.theories.perturbed.families import Family

#: A vector over the sites of a graph → G times it.
Apply: TypeAlias = Callable[[Sequence[Scalar]], list[Scalar]]

#: Most steps of the power method, and when it has converged.
STEPS, CLOSE = 500, 1e-9

#: Multiplications that the power method may take, more or less.
WORK = 5_000_000


@dataclass(frozen=True)
class Gram:
    """G = MᵀM over the sites of a graph, as its diagonal and what it does to vectors."""

    diagonal: list[Scalar]
    apply: Apply


def gram(graph: OperatorGraph, kind: Arithmetic) -> Gram:
    """G of a graph without kinks; O(N) for each product on a chain, else O(N · sites)."""
    if graph.is_smooth_chain:
        c = graph.chain_constants(kind)
        found = sites.site_coefficients(c, kind)
        N, zero = c.size, kind.number(0)

        def apply(t: Sequence[Scalar]) -> list[Scalar]:
            e, eps = (zero, *t[: N - 1], zero), (zero, zero, *t[N - 1 :])
            return list(sites.gram_product(c, e, eps, kind))

        return Gram([*found.error_forward[1:N], *found.error_backward[2:]], apply)
    M = graph_sites.response_matrix(graph.graph_constants(kind), graph.sites, kind)
    zero = kind.number(0)
    columns = list(zip(*M, strict=True))

    def apply_matrix(t: Sequence[Scalar]) -> list[Scalar]:
        sizes = [sum((x * y for x, y in zip(row, t, strict=True)), zero) for row in M]
        return [sum((x * y for x, y in zip(col, sizes, strict=True)), zero) for col in columns]

    return Gram([sum((x * x for x in col), zero) for col in columns], apply_matrix)


def domination(
    graph: OperatorGraph, profile: Sequence[Scalar], kind: Arithmetic
) -> list[Scalar | None]:
    """D_j(t) = (G t)_j / t_j for a profile t ≥ 0; None where t_j = 0.

    Sites without a coefficient must stay unperturbed for Σ D_j z_j² to bound ζ².
    """
    products = gram(graph, kind).apply(profile)
    return [None if t == 0 else x / t for x, t in zip(products, profile, strict=True)]


def coefficients(
    graph: OperatorGraph, family: Family, profile: str | Mapping[str, object]
) -> dict[str, Number] | None:
    """D_j by site label, for ``spec``, ``minimax`` or levels by label; None for free symbols."""
    labels = [f"{site.direction}:{site.label}" for site in graph.sites]
    chosen: Sequence[Fraction] | None
    try:
        if isinstance(profile, str):
            chosen = minimax_profile(graph) if profile == "minimax" else None
            if chosen is None and profile != "spec":
                raise _unknown(profile, ["spec", "minimax"])
        else:
            chosen = _stated(profile, labels)

        def compute(kind: Arithmetic) -> list[Scalar | None]:
            return domination(graph, _levels(graph, kind, chosen), kind)

        values, proved = in_best_kind(compute, graph.size)
    except SymbolError:
        return None
    status = family.status(graph, proved, bias=False)
    return {
        label: Number(value, status)
        for label, value in zip(labels, values, strict=True)
        if value is not None
    }


def _levels(
    graph: OperatorGraph, kind: Arithmetic, chosen: Sequence[Fraction] | None
) -> list[Scalar]:
    """The profile by site: the spec's, or the chosen one."""
    if chosen is not None:
        return [kind.number(x) for x in chosen]
    levels = graph.levels(kind)
    return [
        (levels.e if site.direction == "forward" else levels.eps)[site.index]
        for site in graph.sites
    ]


def _stated(profile: Mapping[str, object], labels: list[str]) -> list[Fraction]:
    unknown = next((label for label in profile if label not in labels), None)
    if unknown is not None:
        raise _unknown(unknown, labels)
    found = []
    for label in labels:
        value, level = profile.get(label, 0), Fraction(-1)
        if isinstance(value, int | float | str | Fraction):
            with contextlib.suppress(ValueError, OverflowError, ZeroDivisionError):
                level = Fraction(value)
        if level < 0:
            raise SpecError(
                "a level of a profile is no size",
                where=f"profile[{label!r}]",
                value=value,
                expected="a finite number ≥ 0, or a fraction such as 1/3",
            )
        found.append(level)
    return found


def _unknown(name: str, known: list[str]) -> SpecError:
    close = nearest(name, known)
    return SpecError(
        "a profile with an unknown name",
        value=name,
        expected="one of " + ", ".join(known[:12]),
        fix=f"did you mean {close!r}?" if close else None,
    )


def minimax_profile(graph: OperatorGraph) -> tuple[Fraction, ...]:
    """A profile t whose D(t) is nearly best for the worst of all profiles.

    The smallest largest ratio of Σ D_j z_j² to ζ² over z ≥ 0 is the largest eigenvalue of
    H = diag(G)⁻¹ G, attained for its Perron vector t (docs/theory.md, Theorem 4.15).  By the
    power method; rounded to seven digits.  0 for a site that has no influence.
    """
    try:
        with np.errstate(all="ignore"):
            t = _perron(gram(graph, FLOATS), len(graph.sites))
    except ArithmeticError:
        t = None
    if t is None:
        t = _perron(gram(graph, WIDE), len(graph.sites))
    return tuple(_rounded(x) for x in t or [1] * len(graph.sites))


def _perron(G: Gram, count: int) -> list[Scalar] | None:
    """t with H t ≈ λ t, H = diag(G)⁻¹ G; None where float64 does not reach."""
    if not all(_finite(g) for g in G.diagonal):
        return None
    live = [bool(g > 0) for g in G.diagonal]
    # 1/√G_jj is the profile whose sites have the same effect alone.
    t = [1 / g**0.5 if on else 0 * g for g, on in zip(G.diagonal, live, strict=True)]
    ratios: list[Scalar] = []
    for _ in range(max(10, min(STEPS, WORK // (10 * count * count + 1)))):
        products = G.apply(t)
        # t ← H t; the (H t)_j / t_j enclose λ
        new = [x / g if on else 0 * g for x, g, on in zip(products, G.diagonal, live, strict=True)]
        before, ratios = ratios, [y / x for x, y, on in zip(t, new, live, strict=True) if on]
        largest = max(ratios, default=1)
        t = [x / largest for x in new]
        if not all(_finite(x) and (x > 0) == on for x, on in zip(t, live, strict=True)):
            return None
        if before and all(abs(x - y) <= CLOSE * x for x, y in zip(ratios, before, strict=True)):
            break
    return t


def _finite(x: Scalar) -> bool:
    return bool(abs(x) < math.inf)


def _rounded(x: Scalar) -> Fraction:
    """x to seven digits."""
    if isinstance(x, float | int):
        return Fraction(f"{float(x):.6e}")
    from mpmath import nstr

    return Fraction(nstr(x, 7, min_fixed=1, max_fixed=0))
