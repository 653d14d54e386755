"""A claim and the sharp bound on a box of constants, as one quadratic form.

The claim is implied by the sharp bound on the box if the form F − G takes no negative value
at vectors ≥ 0 (docs/claims.md).  F holds lower bounds of the claim's coefficients, G = MᵀM
upper bounds of the sharp ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import flint

from boundcalc.spec.nodes import Node
from boundcalc.verify.claims.chains import bias_forms, error_forms
from boundcalc.verify.claims.graded import Cell, Graded, Powers
from boundcalc.verify.claims.model import ChainClaim

Matrix = list[list[flint.fmpq]]


@dataclass(frozen=True)
class Form:
    """Σ_jk F_jk y_j y_k − ‖M y‖² over variables y ≥ 0.

    Attributes
    ----------
    columns
        By variable: the entries of M.
    blocks
        By variable: variables of different blocks do not meet in the sharp bound.
    claimed
        Pairs j ≤ k of variables → the claim's coefficient of y_j y_k, as an expression.
    """

    columns: list[list[Graded]]
    blocks: list[int]
    claimed: Mapping[tuple[int, int], Node]

    def sharp(self) -> tuple[list[Powers], Matrix]:
        """Powers that every column has as factors, and G of what is left of them."""
        powers = [_common(column) for column in self.columns]
        rest = [
            [entry.over(power) if entry.size else entry.size for entry in column]
            for column, power in zip(self.columns, powers, strict=True)
        ]
        count, zero = len(rest), flint.fmpq(0)
        G = [[zero] * count for _ in range(count)]
        for j in range(count):
            for k in range(j, count):
                if self.blocks[j] == self.blocks[k]:
                    G[j][k] = G[k][j] = sum(
                        (x * y for x, y in zip(rest[j], rest[k], strict=True)), zero
                    )
        return powers, G

    def difference(self, cell: Cell) -> tuple[Matrix, list[flint.fmpq]] | None:
        """F − G with lower bounds in F, in variables that contain the common powers.

        Also the diagonal of F.  None where a coefficient's sign is not settled on the box.
        """
        powers, G = self.sharp()
        P = [[-x for x in row] for row in G]
        diagonal = [flint.fmpq(0)] * len(P)
        for (j, k), node in self.claimed.items():
            shared = tuple(p + q for p, q in zip(powers[j], powers[k], strict=True))
            low = cell.below(node, shared)
            if low is None:
                return None
            if j == k:
                P[j][j] = P[j][j] + low
                diagonal[j] = low
            else:
                P[j][k] = P[k][j] = P[j][k] + low / 2
        return P, diagonal


def _common(column: Sequence[Graded]) -> Powers:
    """The powers that all entries of a column have as factors."""
    powers = [entry.powers for entry in column if entry.size]
    if not powers:
        return (0,) * len(column[0].powers)
    return tuple(map(min, *powers)) if len(powers) > 1 else powers[0]


def _constants(chain: ChainClaim, cell: Cell, keys: Sequence[str]) -> dict[str, list[Graded]]:
    """The largest constants on a box."""
    nodes = {key: [None if x is None else x.node for x in chain.constants[key]] for key in keys}
    # A claim about the bias bounds all constants; one about the error reads no others.
    return {key: [cell.above(x) for x in row if x is not None] for key, row in nodes.items()}


def error_form(chain: ChainClaim, cell: Cell, *, zero_mean: bool) -> Form:
    """The form of a claim about the error.

    General perturbations: y = (e_1, …, e_{N−1}, ϵ_2, …, ϵ_N), F = diag(D).
    Zero means: the first variables are w_i = s_i − ℓ_i s_{i−1} ≥ 0 with s_i = √S_i, for which
    e_i² = w_i² + 2 ℓ_i w_i s_{i−1}; the ϵ stand alone.
    """
    forms = error_forms(
        _constants(chain, cell, ("a", "b", "l", "A", "B")), cell.number(0), cell.number(1)
    )
    sites, claims = range(chain.size - 1), chain.coefficients
    forward = [
        [
            _total([row[i] * forms.travel[i][j] for i in range(j, chain.size - 1)])
            for row in forms.caused
        ]
        for j in sites
    ]
    backward = [[row[k] for row in forms.noise] for k in sites]
    claimed = {(j, j): claims["forward"][j].node for j in sites}
    claimed |= {(chain.size - 1 + k,) * 2: claims["backward"][k].node for k in sites}
    blocks = [0] * 2 * (chain.size - 1)
    if zero_mean:
        blocks = [0] * (chain.size - 1) + [1 + k for k in sites]
        lip = [x.node for x in chain.constants["l"] if x is not None]
        for i in sites:
            factor: Node = claims["forward"][i].node
            for j in range(i - 1, -1, -1):
                # 2 d_i ℓ_i ⋯ ℓ_{j+1} w_i w_j; operator j + 1 of the formula is position j + 1
                factor = ("*", factor, lip[j + 1])
                claimed[j, i] = ("+", factor, factor)
    return Form(forward + backward, blocks, claimed)


def bias_form(chain: ChainClaim, cell: Cell, *, zero_mean: bool) -> Form:
    """The form of a claim about the bias, with variables e², m and n; e² alone for zero means.

    E‖δ‖⁴ ≥ (E‖δ‖²)², so the claim's coefficient of the fourth moment multiplies (e²)² at least.
    """
    rows = _constants(chain, cell, ("a", "b", "A", "B", "A3", "B3"))
    # The mean value inequality makes a_i a Lipschitz constant as well.
    pairs = zip(chain.constants["l"], chain.constants["a"], strict=True)
    rows["l"] = [
        cell.above(x.node if x.node == y.node else ("min", x.node, y.node))
        for x, y in pairs
        if x is not None and y is not None
    ]
    one = cell.number(1)
    forms = bias_forms(rows, cell.number(0), one, one.times(flint.fmpq(1, 2)))
    claims = chain.coefficients
    parts = [(forms.squares, claims["forward_fourth"])]
    if not zero_mean:
        parts += [(forms.means, claims["forward_mean"]), (forms.noise, claims["backward_mean"])]
    columns = [[row[k] for row in rows] for rows, _ in parts for k in range(chain.size - 1)]
    nodes = [x.node for _, row in parts for x in row]
    claimed = {(j, j): node for j, node in enumerate(nodes)}
    return Form(columns, [0] * len(columns), claimed)


def _total(terms: Sequence[Graded]) -> Graded:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
