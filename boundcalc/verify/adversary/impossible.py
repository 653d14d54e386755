"""Constants that no operator can have, and the largest that one can.

All statements are about suprema over the whole space of inputs.  Where the spec restricts
an operator to a region none is made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from boundcalc.graph import OperatorGraph
from boundcalc.graph.parts import Node
from boundcalc.verify.adversary.turns import Limits
from boundcalc.verify.premise import number

_ROUNDING = 1e-12


@dataclass(frozen=True)
class Reduced:
    """The limits of an operator's two functions after constants were made consistent.

    Attributes
    ----------
    slope
        Of s′ = ∂₁f.
    weight
        Of m = ∂₂f.
    reasons
        Why constants were lowered.
    """

    slope: Limits
    weight: Limits
    reasons: tuple[str, ...]


def reduced(graph: OperatorGraph, node: Node, *, reads_data: bool) -> Reduced:
    """What an operator given by constants can attain of them.

    Notes
    -----
    Proofs.  *ℓ and a*: on a convex set the Lipschitz constant of f is sup ‖∇₁f‖, by the
    mean value theorem and since a derivative is a limit of quotients.

    *A, a and A′*: for unit vectors p, q, d and any y let g(t) = ⟨p, ∇₁f(y + td) q⟩, so that
    |g| ≤ a and g′ is A′-Lipschitz.  If g′(0) = r > 0, then g′(t) ≥ r − A′|t|, and g grows
    by r²/A′ over |t| ≤ r/A′ (without bound if A′ = 0), at most 2a: r² ≤ 2aA′, the
    inequality of Landau and Hadamard.  Over all p, q, d, y: A² ≤ 2aA′; in the same way
    B² ≤ 2bB′.

    *A′ and A*: where A = 0, ∇₁f is constant in y and A′ = 0; likewise B′ where B = 0.
    """
    c = node.constants
    get = {
        name: number(graph, value)
        for name, value in vars(c).items()
        if name in _NAMES and value is not None
    }
    whole = not reads_data and node.region.input is None and not math.isfinite(node.region.high)
    reasons: list[str] = []
    a = get["jac_input"]
    if whole and abs(a - get["lip_input"]) > _ROUNDING * a:
        low = "lip_input" if get["lip_input"] < a else "jac_input"
        a = min(a, get["lip_input"])
        reasons.append(
            f"no operator {node.id} has jac_input = {get['jac_input']:g} and lip_input = "
            f"{get['lip_input']:g}: the Lipschitz constant of f is the supremum of ‖∇₁f‖; "
            f"both are read as {low} = {a:g}"
        )
    a = min(a, get["lip_input"])
    slope = _landau(
        node.id,
        ("jac_input", "hess_input", "third_input"),
        (a, get["hess_input"], get["third_input"]),
        reasons if whole else [],
    )
    weight = _landau(
        node.id,
        ("jac_weight", "hess_mixed", "third_mixed"),
        (get["jac_weight"], get["hess_mixed"], get["third_mixed"]),
        reasons if whole else [],
    )
    return Reduced(slope, weight, tuple(reasons))


_NAMES = (
    "jac_input",
    "jac_weight",
    "lip_input",
    "hess_input",
    "hess_mixed",
    "third_input",
    "third_mixed",
)


def _landau(
    operator: str,
    names: tuple[str, str, str],
    values: tuple[float, float, float],
    reasons: list[str],
) -> Limits:
    size, rate, bend = values
    most = math.sqrt(2 * size * bend)
    if rate > most * (1 + _ROUNDING):
        reasons.append(
            f"no operator {operator} on the whole space has {names[1]} = {rate:g} with {names[0]} "
            f"= {size:g} and {names[2]} = {bend:g}: {names[1]}² ≤ 2·{names[0]}·{names[2]} "
            f"(Landau and Hadamard); at most {names[1]} = {most:.6g} is attained"
        )
    if rate == 0 < bend:
        reasons.append(
            f"no operator {operator} has {names[2]} = {bend:g} with {names[1]} = 0: a derivative "
            "that does not move has derivative 0"
        )
    return Limits(size, min(rate, most), bend)
