"""Coefficients as formulas: closed forms for uniform chains, recurrences for others.

Closed forms are written by hand with h_M(x, y) = (xᴹ − yᴹ)/(x − y), the sum
Σ_{k<M} xᵏ y^{M−1−k}; nothing here calls ``expand`` or ``simplify``.
"""

from __future__ import annotations

from typing import Any

import sympy

from boundcalc.arithmetic import SYMBOLS
from boundcalc.graph import ChainConstants, OperatorGraph, UniformConstants
from boundcalc.theories.perturbed.families import COLUMNS, Family

#: Longest chain whose coefficients are written out operator by operator.
EXPANDED_OPERATORS = 4

N, i = sympy.symbols("N i", positive=True, integer=True)
C, Lf, Lg, C2, L2 = (
    sympy.Symbol(name, positive=True)
    for name in (
        r"C_{\nabla f}",
        r"L_{f}",
        r"L_{\nabla f}",
        r"C_{\nabla^2 f}",
        r"L_{\nabla^2 f}",
    )
)
a, b, l, A, B = (  # noqa: E741 - the letter of the theory
    sympy.Symbol(name, positive=True) for name in ("a", "b", r"\ell", "A", "B")
)
Cv = sympy.Symbol("C_v", positive=True)


class h(sympy.Function):  # type: ignore[misc]  # noqa: N801 - a letter of the formulas
    """h_M(x, y) = (xᴹ − yᴹ)/(x − y), and M x^{M−1} where x = y.

    >>> h(3, 2, 1).doit()
    7
    >>> h(3, 2, 2).doit()
    12
    """

    nargs = 3

    def doit(self, **hints: Any) -> Any:
        """The quotient, or its limit where both arguments are the same."""
        M, x, y = (argument.doit(**hints) for argument in self.args)
        return M * x ** (M - 1) if x == y else (x**M - y**M) / (x - y)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        M, x, y = (printer.doprint(argument) for argument in self.args)
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"h_{{{M}}}{power}\!\left({x},\, {y}\right)"


def closed_forms(family: str) -> dict[str, sympy.Expr | None]:
    """Closed forms for a uniform chain of N operators, by column.

    ``*_forward*`` is the coefficient of δ_i, ``*_backward*`` that of ε_{i+1}, for
    i = 1..N−1.  None where only the recurrence is given.

    >>> closed_forms("published")["error_backward"].subs({C: 1, i: 2}).doit()
    12
    """
    if family == "sharp":
        return _sharp()
    return _sums(corrected=family == "corrected")


def _sums(*, corrected: bool) -> dict[str, sympy.Expr | None]:
    p, M = 3 * C**2, N - i

    def tail(q: sympy.Expr) -> sympy.Expr:
        # Σ_{j=i}^{N−1} S_j q^{j−i} with S_j = (p^{j+1} − 1)/(p − 1)
        return (p ** (i + 1) * h(M, p * q, 1) - h(M, q, 1)) / (p - 1)

    q, r = 4 * C**2, 8 * Lf**4
    leading = C2 if corrected else L2
    backward = p * h(i, p, 1)
    # Σ_j r^{j−i} T_{j+1} and Σ_j r^{j−i} S_j, term by geometric term
    along = (
        p ** (i + 2) * (h(M, p * r, p * q) - h(M, p * r, 1)) / (p * q - 1)
        - (h(M, r, q) - h(M, r, 1)) / (q - 1)
    ) / (p - 1)
    across = (p ** (i + 1) * h(M, p * r, 1) - h(M, r, 1)) / (p - 1)
    return {
        "error_forward": 4 * Cv**2 * Lg**2 * tail(2 * Lf**2),
        "error_backward": (2 if corrected else 1) * backward,
        "bias_forward_mean": 8 * leading**2 * Cv**2 * tail(q),
        "bias_forward_fourth": 64 * C2**2 * Lg**2 * Cv**2 * along + 16 * L2**2 * Cv**2 * across,
        "bias_backward_mean": 2 * backward,
    }


def _sharp() -> dict[str, sympy.Expr | None]:
    backward = b**2 * h(i, a**2, 1)

    def forward(travel: sympy.Expr) -> sympy.Expr:
        # ρ_i² Q_i + U_i; κ of the operator n places before the end is c₁(aℓ)ⁿ + c₂aⁿ
        M = N - i
        c1 = b * A * travel / (a * (travel - 1))
        c2 = B - c1
        rho = A * a ** (M - 1) * h(M, travel, 1)
        return (
            rho**2 * backward
            + c1**2 * h(M, a**2 * travel**2, travel**2)
            + 2 * c1 * c2 * h(M, a**2 * travel, travel**2)
            + c2**2 * h(M, a**2, travel**2)
        )

    return {
        "error_forward": forward(l),
        "error_backward": backward,
        "bias_forward_mean": forward(a),
        "bias_forward_fourth": None,
        "bias_backward_mean": backward,
    }


def closed_latex(family: str) -> dict[str, str]:
    """The closed forms as LaTeX, products and sums in the order they were written."""
    return {
        column: sympy.latex(expression, order="none")
        for column, expression in closed_forms(family).items()
        if expression is not None
    }


#: What the closed forms and recurrences leave undefined, one sentence each.
CONVENTIONS = {
    "published": r"$h_M(x,y)=\sum_{k=0}^{M-1}x^k y^{M-1-k}$; $C_v=\max\{1,C_{\nabla f}^N\}$; "
    r"where a denominator vanishes, the limit is meant.",
    "corrected": r"$h_M(x,y)=\sum_{k=0}^{M-1}x^k y^{M-1-k}$; $C_v=\max\{1,C_{\nabla f}^N\}$; "
    r"where a denominator vanishes, the limit is meant.",
    "sharp": r"$h_M(x,y)=\sum_{k=0}^{M-1}x^k y^{M-1-k}$; $a,b,\ell,A,B$ are the same for all "
    r"operators; where a denominator vanishes, the limit is meant.",
}

#: Lines of the recurrences that define a family's coefficients.
RECURRENCES = {
    "published": (
        r"S_j &= S_{j-1} + (3C_{\nabla f}^2)^j, \qquad S_0 = 1",
        r"T_i(q) &= S_i + q\,T_{i+1}(q), \qquad T_N = 0",
        r"C^e_{\delta_i} &= 4C_v^2L_{\nabla f}^2\,T_i(2L_f^2), \qquad "
        r"C^e_{\varepsilon_{i+1}} = S_i - 1",
        r"C^b_{\delta_i} &= 8L_{\nabla^2 f}^2C_v^2\,T_i(4C_{\nabla f}^2), \qquad "
        r"C^b_{\varepsilon_{i+1}} = 2(S_i-1)",
        r"C_{y_i}^2 &= 8C_{\nabla^2 f}^2L_{\nabla f}^2C_v^2\,T_{i+1}(4C_{\nabla f}^2)"
        r" + 2L_{\nabla^2 f}^2C_v^2S_i",
        r"\tilde C^b_{\delta_i} &= 8C_{y_i}^2 + 8L_f^4\,\tilde C^b_{\delta_{i+1}}",
    ),
    "corrected": (
        r"S_j &= S_{j-1} + (3C_{\nabla f}^2)^j, \qquad S_0 = 1",
        r"T_i(q) &= S_i + q\,T_{i+1}(q), \qquad T_N = 0",
        r"C^e_{\delta_i} &= 4C_v^2L_{\nabla f}^2\,T_i(2L_f^2), \qquad "
        r"C^e_{\varepsilon_{i+1}} = 2(S_i - 1)",
        r"C^b_{\delta_i} &= 8C_{\nabla^2 f}^2C_v^2\,T_i(4C_{\nabla f}^2), \qquad "
        r"C^b_{\varepsilon_{i+1}} = 2(S_i-1)",
        r"C_{y_i}^2 &= 8C_{\nabla^2 f}^2L_{\nabla f}^2C_v^2\,T_{i+1}(4C_{\nabla f}^2)"
        r" + 2L_{\nabla^2 f}^2C_v^2S_i",
        r"\tilde C^b_{\delta_i} &= 8C_{y_i}^2 + 8L_f^4\,\tilde C^b_{\delta_{i+1}}",
    ),
    "sharp": (
        r"V_{i-1} &= a_iV_i, \qquad V_N = 1",
        r"\rho_j &= A_{j+1}V_{j+1} + a_{j+1}\ell_{j+1}\rho_{j+1}, \qquad \rho_N = 0",
        r"Q_j &= b_j^2 + a_j^2Q_{j-1}, \qquad Q_0 = 0",
        r"\kappa_i &= b_i\ell_i\rho_i + B_iV_i, \qquad "
        r"U_{i-1} = \kappa_i^2 + \ell_i^2U_i, \qquad U_N = 0",
        r"C^e_{\delta_j} &= \rho_j^2Q_j + U_j, \qquad C^e_{\varepsilon_{j+1}} = Q_j",
        r"C^b_{\delta_j} &= C^e_{\delta_j}\big|_{\ell=a}, \qquad C^b_{\varepsilon_{j+1}} = Q_j",
    ),
}

#: Lines of the sharp recurrences on a graph (docs/theory.md, (4f), (4g), Theorems 4.7 to 4.9),
#: by what they are for; sums over u → v are over the slots of v, or over all that read u.
GRAPH_RECURRENCES = {
    "second moments": (
        r"s_v &= \sum_{u\to v}\ell_{v,u}s_u + e_v, \qquad "
        r"V_u = \sum_{u\to v}a_{v,u}V_v, \qquad V_N = 1",
        r"D_{v,u} &= \sum_{u'\to v}A_{v,u,u'}s_{u'}, \qquad D^w_v = \sum_{u\to v}B_{v,u}s_u",
        r"R_u &= \sum_{u\to v}\left(a_{v,u}R_v + V_vD_{v,u}\right), \qquad "
        r"h_u = \sum_{u\to v}a_{v,u}h_v + \sum_v\epsilon_{v,u}",
        r"\zeta_g &= \sum_{v\in g}\left(b_v(R_v + h_v) + D^w_vV_v\right), \qquad "
        r"\zeta^2 = \sum_g\zeta_g^2",
    ),
    "means": (
        r"\mu_v &= \sum_{u\to v}\left(a_{v,u}\mu_u + \tfrac12D_{v,u}s_u\right) + m_v, \qquad "
        r"\nu_u = \sum_{u\to v}a_{v,u}\nu_v + \sum_vn_{v,u}",
        r"M_{v,u} &= \sum_{u'\to v}\left(A_{v,u,u'}\mu_{u'} + \tfrac12A'_{v,u}s_{u'}^2\right), "
        r"\qquad M^w_v = \sum_{u\to v}\left(B_{v,u}\mu_u + \tfrac12B'_vs_u^2\right)",
        r"\beta_u &= \sum_{u\to v}\left(a_{v,u}\beta_v + D_{v,u}R_v + V_vM_{v,u}\right)",
        r"\beta_g &= \sum_{v\in g}\left(b_v(\beta_v + \nu_v) + D^w_vR_v + V_vM^w_v\right), \qquad "
        r"\beta^2 = \sum_g\beta_g^2",
    ),
    "zero means": (
        r"s_v^2 &= \left(\sum_{u\to v}\ell_{v,u}s_u\right)^2 + e_v^2, \qquad "
        r"W_u = \left(\sum_{u\to v}a_{v,u}\sqrt{W_v}\right)^2 + \sum_v\epsilon_{v,u}^2",
        r"\zeta_g^2 &= \left(\sum_{v\in g}(b_vR_v + D^w_vV_v)\right)^2"
        r" + \left(\sum_{v\in g}b_v\sqrt{W_v}\right)^2",
    ),
}


def recurrences(graph: OperatorGraph, family: str) -> tuple[str, ...]:
    """The lines that define a family's coefficients or bounds on a graph.

    Those of a graph where the operators are no chain or have kinks: there coefficients
    come from the bounds, one site at a time.
    """
    if family != "sharp" or (graph.is_chain and graph.smooth):
        return RECURRENCES[family]
    return tuple(line for lines in GRAPH_RECURRENCES.values() for line in lines)


SYMBOL_OF = {
    "error_forward": (r"C^e_{\delta_{%s}}", 0),
    "error_backward": (r"C^e_{\varepsilon_{%s}}", 1),
    "bias_forward_mean": (r"C^b_{\delta_{%s}}", 0),
    "bias_forward_fourth": (r"\tilde C^b_{\delta_{%s}}", 0),
    "bias_backward_mean": (r"C^b_{\varepsilon_{%s}}", 1),
}


def expanded(graph: OperatorGraph, family: Family) -> dict[str, list[Any]]:
    """Every coefficient in the spec's own symbols, nested as the recurrences build it.

    Returns
    -------
    Column → expressions by operator, 0 to N.  O(N²) nodes in all.
    """
    columns = family.coefficients(graph, SYMBOLS)
    return {name: list(getattr(columns, name)) for name in COLUMNS}


def generic(graph_size: int, family: Family) -> dict[str, list[Any]]:
    """Every coefficient in the letters of the theory, for a chain of ``graph_size``.

    >>> from boundcalc.theories.perturbed.families import FAMILIES
    >>> generic(2, FAMILIES["sharp"])["error_backward"][2]
    b_{1}**2
    """
    return expanded(_Letters(graph_size), family)  # type: ignore[arg-type]


class _Letters:
    """Stands in for a graph whose constants are the letters of the theory."""

    def __init__(self, size: int) -> None:
        self._size = size

    def chain_constants(self, kind: Any) -> ChainConstants:
        def row(letter: str) -> tuple[Any, ...]:
            return (
                sympy.Integer(0),
                *(kind.symbol(f"{letter}_{{{k}}}") for k in range(1, self._size + 1)),
            )

        return ChainConstants(
            a=row("a"),
            b=row("b"),
            l=row(r"\ell"),
            A=row("A"),
            B=row("B"),
            A3=row("{A'}"),
            B3=row("{B'}"),
        )

    def uniform_constants(self, kind: Any, *, corrected: bool) -> UniformConstants:
        del kind, corrected
        return UniformConstants(self._size, jac=C, lip=Lf, hess=Lg, hess_op=C2, third=L2)


def coefficient_latex(graph: OperatorGraph, family: Family) -> dict[str, dict[str, str]] | None:
    """LaTeX of every coefficient in the spec's symbols; None for long chains and graphs."""
    if graph.size > 2 * EXPANDED_OPERATORS or not graph.is_smooth_chain:
        return None
    columns = expanded(graph, family)
    result: dict[str, dict[str, str]] = {}
    for name, entries in columns.items():
        sites = range(2, graph.size + 1) if "backward" in name else range(1, graph.size)
        result[name] = {graph.ids[k - 1]: sympy.latex(entries[k], order="none") for k in sites}
    return result
