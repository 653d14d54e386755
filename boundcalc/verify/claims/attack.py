"""Instances against a claim: at a point of the box where it is below the sharp bound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from boundcalc.errors import BoundcalcError
from boundcalc.verify.adversary import Attack
from boundcalc.verify.claims.bilinear import bilinear
from boundcalc.verify.claims.loading import ROW_KEYS
from boundcalc.verify.claims.model import Claim
from boundcalc.verify.claims.outcome import Assault
from boundcalc.verify.claims.points import Array, PointClaim, Profile
from boundcalc.verify.claims.proof import Proof, claimed, float_above, proof
from boundcalc.verify.claims.ranges import fraction
from boundcalc.verify.claims.small_noise import NoiseShape, small_noise

#: e, m, ϵ (``eps``) and n by site.
Levels: TypeAlias = Mapping[str, tuple[Fraction, ...]]

#: Starts of the adversary for every set of levels, unless others are asked for.
STARTS = 4

_DIGITS = 10**6  # levels are rounded to multiples of this part of the largest
_FINE = 10**12  # denominators of constants


@dataclass
class Attacks:
    """What was tried at one point of the box; filled as it goes, for interrupts."""

    assaults: list[Assault]
    notes: list[str]


def attacks(
    claim: Claim, made: PointClaim, found: Attacks, *, starts: int = STARTS, seed: int = 0
) -> None:
    """Attack at one point of the box, until an instance refutes or all levels were tried.

    Parameters
    ----------
    claim, made
        The claim, and its part for one length at the point.
    found
        Where the attacks are put, so that none is lost in an interrupt.
    starts, seed
        How the adversary is started.
    """
    profiles = [made.profile(x) for x in _profiles(made)]
    for p in profiles:
        for instance in _structured(claim, made, _rounded(p)):
            shown = proof(made, instance)
            if shown is None:
                continue
            attack = Attack(made.statement, shown.attained, 0.0, {}, {}, (), instance, 0, 0, 1)
            found.assaults.append(_assault(made, attack, shown))
            if found.assaults[-1].refutes:
                return
    for p in profiles:
        try:
            found.assaults.append(_attack(claim, made, _rounded(p), starts, seed))
        except BoundcalcError as error:
            # Constants of very different sizes, for which it finds no instance at all.
            found.notes.append(f"N = {made.chain.size}: no attack by the adversary: {error}")
            continue
        if found.assaults[-1].refutes:
            return


def _structured(claim: Claim, made: PointClaim, levels: Levels) -> Iterator[str]:
    """Instances that are made at once."""
    shifts = bilinear(claim, made, levels["e"])
    if shifts is not None:
        yield shifts
    if made.statement == "bias":
        shape = NoiseShape(levels["e"], levels["m"], levels["n"])
        noise = small_noise(claim, made, shape)
        if noise is not None:
            yield noise


def _assault(made: PointClaim, attack: Attack, shown: Proof) -> Assault:
    moments = shown.moments
    return Assault(
        point=made.point,
        moments=moments,
        claimed=shown.claimed,
        sharp=made.sharp(_profile(moments)),
        attack=replace(attack, attained=shown.attained),
        enclosed=True,
    )


def _profile(moments: Mapping[str, Sequence[Fraction]]) -> Profile:
    """Levels from moments, in floating point."""
    keys = ("forward", "forward_mean", "backward", "backward_mean")
    return Profile(*(np.sqrt(np.array([float(x) for x in moments[key]])) for key in keys))


def _profiles(made: PointClaim) -> list[Array]:
    """Levels to try: the worst ones, and single sites at which the claim is too small."""
    _, worst = made.worst()
    singles = [x for x in np.eye(made.dimension) if made.ratio(x) > 1]
    singles.sort(key=made.ratio, reverse=True)
    return [_scaled(made, x) for x in (worst, *singles[:3])]


def _scaled(made: PointClaim, x: Array) -> Array:
    """The same ratio at levels of size 1; for the bias e ~ λ, m and n ~ λ², with m ≤ e ≤ 1."""
    p = made.profile(x)
    if made.statement == "error" or made.zero_mean:
        return np.asarray(x / x.max())
    top = float(max(p.e.max(), p.m.max()))
    if top == 0.0:
        return np.asarray(x / x.max())  # backward means only
    if p.e.max() == 0.0:
        return np.concatenate([p.m / top, p.m / top, p.n / top])  # constant shifts
    e = np.where(p.m > 0, np.maximum(p.e, 1e-3 * top), p.e)
    factor = min(
        [1.0 / float(e.max()), *(float(v / m) for v, m in zip(e, p.m, strict=True) if m > 0)]
    )
    return np.concatenate([factor * e, factor**2 * p.m, factor**2 * p.n])


def _rounded(p: Profile) -> dict[str, tuple[Fraction, ...]]:
    """Short rational levels, with m ≤ e and n ≤ ϵ."""
    top = max(float(row.max()) for row in (p.e, p.m, p.eps, p.n))

    def short(row: Array) -> tuple[Fraction, ...]:
        return tuple(
            Fraction(round(float(x) / top * _DIGITS), _DIGITS)
            * Fraction(top).limit_denominator(_DIGITS)
            for x in row
        )

    e, m, eps, n = short(p.e), short(p.m), short(p.eps), short(p.n)
    e = tuple(map(max, e, m))
    eps = tuple(map(max, eps, n))
    return {"e": e, "m": m, "eps": eps, "n": n}


def _attack(claim: Claim, made: PointClaim, levels: Levels, starts: int, seed: int) -> Assault:
    from boundcalc.graph import build
    from boundcalc.spec.loading import loads
    from boundcalc.verify.adversary import search

    text = spec_text(claim, made, levels)
    graph = build(loads(text, name="instance.yaml"))
    attack = search(graph, objective=made.statement, starts=starts, seed=seed)
    return _held_against(made, levels, attack)


def _held_against(made: PointClaim, levels: Levels, attack: Attack) -> Assault:
    """An attack with the claim's bound: at its own moments if it is proved, else at the levels."""
    shown = proof(made, attack.instance)
    if shown is not None:
        return _assault(made, attack, shown)
    moments = {
        "forward": tuple(x**2 for x in levels["e"]),
        "backward": tuple(x**2 for x in levels["eps"]),
        "forward_mean": tuple(x**2 for x in levels["m"]),
        "forward_fourth": tuple(x**4 for x in levels["e"]),
        "backward_mean": tuple(x**2 for x in levels["n"]),
    }
    sharp = made.sharp(_profile(moments))
    return Assault(made.point, moments, float_above(claimed(made, moments)), sharp, attack)


def spec_text(claim: Claim, made: PointClaim, levels: Levels) -> str:
    """A spec with the constants of the point and perturbations of the levels."""
    import yaml

    chain = made.chain
    operators = [
        {
            "id": f"f{i + 1}",
            "constants": {name: str(_constant(made, key, i)) for key, name in ROW_KEYS.items()},
        }
        for i in range(chain.size)
    ]
    return yaml.safe_dump(
        {
            "version": 1,
            "name": f"{claim.name}, N = {chain.size}"[:500],
            "graph": {"operators": operators},
            "perturbations": _perturbations(levels, fourth=made.statement == "bias"),
        },
        sort_keys=False,
        allow_unicode=True,
    )


def _constant(made: PointClaim, key: str, i: int) -> Fraction:
    """A short rational at or just below a constant: the chain then has the constant as well."""
    expression = made.chain.constants[key][i]
    if expression is None:
        # Third derivatives are not bounded by the claim: what sines of size 1 have will do.
        return 10 * (1 + _constant(made, key[0], i))
    exact = fraction(made.range(expression).lo)
    return exact if exact.denominator < _FINE else Fraction(int(exact * _FINE), _FINE)


def _perturbations(levels: Levels, *, fourth: bool) -> Sequence[dict[str, str]]:
    found = []
    for i, (e, m) in enumerate(zip(levels["e"], levels["m"], strict=True)):
        if e:
            row = {"at": f"f{i + 1}", "pass": "forward", "rms": str(e), "mean": str(m)}
            found.append(row | ({"fourth": str(e)} if fourth else {}))
    for i, (eps, n) in enumerate(zip(levels["eps"], levels["n"], strict=True)):
        if eps:
            found.append({"at": f"f{i + 2}", "pass": "backward", "rms": str(eps), "mean": str(n)})
    return found
