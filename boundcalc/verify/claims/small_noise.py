"""Chains of squares under small noise: instances that come near the bound of superposition.

docs/theory.md, Proposition 4.19 with J = 0: f_i(y, w) = ½ q (y + w)² with q (y + w) close to
its bound c, so that all derivatives are positive and close to their bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from boundcalc.verify.claims.model import Claim
from boundcalc.verify.claims.points import PointClaim
from boundcalc.verify.claims.ranges import fraction

_SMALL = Fraction(1, 4096)  # how far noise moves a state, by the size of the region

_ROUNDED = 1 - Fraction(1, 2**30)


@dataclass(frozen=True)
class NoiseShape:
    """σ and means of δ_1..δ_{N−1}, and the constants ε_2..ε_N."""

    sigma: Sequence[Fraction]
    mean: Sequence[Fraction]
    back: Sequence[Fraction]

    def scaled(self, x: Fraction) -> NoiseShape:
        """The same shape: what is quadratic in σ scales like the means."""
        return NoiseShape(
            [x * s for s in self.sigma],
            [x**2 * m for m in self.mean],
            [x**2 * n for n in self.back],
        )


def small_noise(claim: Claim, made: PointClaim, shape: NoiseShape) -> str | None:
    """The spec of an instance with noise of a shape; None if the constants allow none."""
    N = made.chain.size
    slopes = [_least(made, i, ("a", "b", "l")) for i in range(N)]
    bends = [_least(made, i, ("A", "B")) for i in range(N)]
    if any(c <= 0 or q <= 0 for c, q in zip(slopes[1:], bends[1:], strict=True)):
        return None
    # Of |y + w|; a little less, as regions are rounded up.
    radii = [c / q * _ROUNDED for c, q in zip(slopes[1:], bends[1:], strict=True)]
    moved = _moved(slopes, shape)
    sizes = [s / r for s, r in zip(moved, radii, strict=True) if s]
    if not sizes:
        return None
    factor = _binary(min(_SMALL / max(sizes), Fraction(1)))
    levels = shape.scaled(factor)
    moved = _moved(slopes, levels)
    y, weights, regions = Fraction(0), [Fraction(0)], []
    for q, radius, s in zip(bends[1:], radii, moved, strict=True):
        w = radius - 2 * s - y
        if w < 0:
            return None
        weights.append(w)
        # More room than states and weights need: the image of the region then has room too.
        regions.append({"input": str(y + s + s / 4), "weight": str(w + s - s / 4)})
        y = q * (radius - 2 * s) ** 2 / 2
    return _spec(claim, slopes[0], bends[1:], weights, regions, levels)


def _moved(slopes: Sequence[Fraction], levels: NoiseShape) -> list[Fraction]:
    """How far ỹ_1..ỹ_{N−1} can be from y_1..y_{N−1}."""
    found: list[Fraction] = []
    s = Fraction(0)
    for c, sigma, mean in zip(slopes, levels.sigma, levels.mean, strict=False):
        s = (c * s if found else Fraction(0)) + sigma + mean
        found.append(s)
    return found


def _least(made: PointClaim, i: int, keys: Sequence[str]) -> Fraction:
    """The least of some constants of an operator, to few digits, rounded down."""
    rows = [made.chain.constants[key][i] for key in keys if i or key == "b"]
    least = min((fraction(made.range(x).lo) for x in rows if x is not None), default=Fraction(0))
    return least if least.denominator < 2**20 else Fraction(int(least * 2**40), 2**40)


def _binary(x: Fraction) -> Fraction:
    """A power of 2 at most x."""
    found = Fraction(1)
    while found > x:
        found /= 2
    return found


def _spec(
    claim: Claim,
    first: Fraction,
    bends: Sequence[Fraction],
    weights: Sequence[Fraction],
    regions: Sequence[dict[str, str]],
    levels: NoiseShape,
) -> str:
    import yaml

    operators: list[dict[str, object]] = [
        {"id": "f1", "type": "spline", "weight_value": str(first), "region": {"weight": 0}}
    ]
    for i, (q, region) in enumerate(zip(bends, regions, strict=True), start=2):
        scale = str(q / 2)
        operators.append(
            {"id": f"f{i}", "type": "square", "scale": scale, "bias": True, "region": region}
        )
    perturbations: list[dict[str, str]] = []
    for i, (sigma, mean) in enumerate(zip(levels.sigma, levels.mean, strict=True), start=1):
        place = {"at": f"f{i}", "pass": "forward"}
        if sigma:
            law = {"low": str(mean - sigma), "high": str(mean + sigma), "p_high": "1/2"}
            perturbations.append({**place, "model": "two_point", **law})
        elif mean:
            perturbations.append({**place, "model": "constant", "value": str(mean)})
    for i, shift in enumerate(levels.back, start=2):
        if shift:
            row = {"at": f"f{i}", "pass": "backward", "model": "constant", "value": str(shift)}
            perturbations.append(row)
    return yaml.safe_dump(
        {
            "version": 1,
            "name": f"Instance against: {claim.name}"[:500],
            "graph": {"operators": operators},
            "perturbations": perturbations,
            "training": {"step_size": "1e-30", "horizon": 1},
            "simulation": {
                "data": {"points": [[0]]},
                "replicas": 2,
                "initial_weights": [str(w) for w in weights],
                "check": {"iterates": [0], "samples": 1, "draws": 4096},
            },
        },
        sort_keys=False,
        allow_unicode=True,
    )
