"""Chains f_i(y, w) = w·y on bounded regions, with constant shifts: exact instances.

No operator on a whole space has a Jacobian that is bounded and moves without third
derivatives; on a bounded region w·y does.  From the input 0 all states are shifts, and with
weights w_i the gradient's error in w_i is w_{i+1} ⋯ w_N times the shift of y_{i−1}: every
number is rational, and nothing is random (docs/theory.md, E1).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from boundcalc.spec.expressions import Expression
from boundcalc.verify.claims.model import ChainClaim, Claim
from boundcalc.verify.claims.points import PointClaim
from boundcalc.verify.claims.ranges import fraction


def bilinear(claim: Claim, made: PointClaim, shape: Sequence[Fraction]) -> str | None:
    """The spec of the instance whose shifts have a shape; None if the constants allow none.

    Parameters
    ----------
    claim, made
        The claim, and its part for one length at a point of the box.
    shape
        Shifts δ_1..δ_{N−1} ≥ 0 up to a common factor.
    """
    chain = made.chain
    if claim.zero_mean or not any(shape) or not _allows(made):
        return None
    weights = [_least(made, chain, ("a", "l"), i) for i in range(chain.size)]
    states = _states(weights, shape)
    radii = [fraction(made.range(_the(chain, "b", i)).lo) for i in range(1, chain.size)]
    # A tenth of what the regions hold: where a claim has fourth powers, less is worse for it.
    factor = min((r / s for r, s in zip(radii, states, strict=True) if s), default=Fraction(0)) / 10
    if factor <= 0:
        return None
    return _spec(claim, weights, radii, tuple(factor * x for x in shape))


def _allows(made: PointClaim) -> bool:
    """Whether B_i ≥ 1 for every operator that reads a perturbed state."""
    chain = made.chain
    rows = [made.range(_the(chain, "B", i)) for i in range(1, chain.size)]
    return all(row.lo >= 1 for row in rows)


def _the(chain: ChainClaim, key: str, i: int) -> Expression:
    """A constant that every claim has."""
    value = chain.constants[key][i]
    assert value is not None  # noqa: S101 - only third derivatives may be left out
    return value


def _least(made: PointClaim, chain: ChainClaim, keys: Sequence[str], i: int) -> Fraction:
    return min(fraction(made.range(_the(chain, key, i)).lo) for key in keys)


def _states(weights: Sequence[Fraction], shape: Sequence[Fraction]) -> list[Fraction]:
    """ỹ_1..ỹ_{N−1} from the input 0: ỹ_i = w_i ỹ_{i−1} + δ_i."""
    states, state = [], Fraction(0)
    for w, shift in zip(weights, shape, strict=False):
        state = w * state + shift
        states.append(state)
    return states


def _spec(
    claim: Claim,
    weights: Sequence[Fraction],
    radii: Sequence[Fraction],
    shifts: Sequence[Fraction],
) -> str:
    import yaml

    operators: list[dict[str, object]] = [
        {"id": "f1", "type": "bilinear", "region": {"weight": str(weights[0])}}
    ]
    for i, (w, radius) in enumerate(zip(weights[1:], radii, strict=True), start=2):
        region = {"input": str(radius), "weight": str(w)}
        operators.append({"id": f"f{i}", "type": "bilinear", "region": region})
    return yaml.safe_dump(
        {
            "version": 1,
            "name": f"Instance against: {claim.name}"[:500],
            "graph": {"operators": operators},
            "perturbations": [
                {"at": f"f{i}", "pass": "forward", "model": "constant", "value": str(shift)}
                for i, shift in enumerate(shifts, start=1)
                if shift
            ],
            "training": {"step_size": "1e-30", "horizon": 1},
            "simulation": {
                "data": {"points": [[0]]},
                "replicas": 2,
                "initial_weights": [str(w) for w in weights],
                "check": {"iterates": [0], "samples": 1, "draws": 32},
            },
        },
        sort_keys=False,
        allow_unicode=True,
    )
