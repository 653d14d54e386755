"""The letters of the formulas of coefficients and bounds on the error of one gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from boundcalc.arithmetic import Number, Scalar, Status
from boundcalc.arithmetic.best import in_best_kind
from boundcalc.explain.entry import Captures, Compute, Input, letter

if TYPE_CHECKING:
    from boundcalc.graph import OperatorGraph, UniformConstants

_PAGE = "docs/theory.md"
_OF = "of operator i: compile.graph.operators[i-1].constants."
_CHAIN = f"by the recurrences along the operators, {_PAGE}, Theorem 4.1, (4c)"
_MEANS = f"by the recurrences along the operators, {_PAGE}, Theorem 4.2, (4d)"

B_I = letter("b_i", f"largest norm of the Jacobian in the weights, {_OF}jac_weight")
B_BIG = letter(
    "B_i", f"Lipschitz constant, in the input, of the Jacobian in the weights, {_OF}hess_mixed"
)
B_THIRD = letter("B'_i", f"Lipschitz constant of the mixed second derivative, {_OF}third_mixed")
BACKWARD = letter("V_i", f"bound on the gradient in the output of operator i, {_CHAIN}")
FORWARD = letter("s_{i-1}", f"root mean square of the error of what operator i reads, {_CHAIN}")
GRADIENT = letter("r_i", f"root mean square of the error of what is passed back to i, {_CHAIN}")
BY_FORWARD = letter("R_i", f"the part of r_i that the forward perturbations cause, {_CHAIN}")
BETA = letter(r"\beta_i", f"mean of that part, {_MEANS}")
NU = letter(r"\nu_i", f"mean of the part that the backward perturbations cause, {_MEANS}")
MEAN = letter(r"\mu_{i-1}", f"mean of the error of what operator i reads, {_MEANS}")

#: Group → the letters of the sharp formula.
SHARP: dict[str, tuple[Input, ...]] = {
    "error": (B_I, GRADIENT, B_BIG, BACKWARD, FORWARD),
    "bias": (B_I, BETA, NU, B_BIG, FORWARD, BY_FORWARD, BACKWARD, MEAN, B_THIRD),
}


def _uniform(part: Callable[[UniformConstants], Scalar]) -> Compute:
    def compute(graph: OperatorGraph, at: Captures) -> Number:
        corrected = at.get("family") == "corrected"
        found, proved = in_best_kind(
            lambda kind: part(graph.uniform_constants(kind, corrected=corrected)), graph.size
        )
        if graph.sampled:
            return Number(found, Status.SAMPLED)
        return Number(found, Status.PROVED if proved else Status.COMPUTED)

    return compute


def _size(graph: OperatorGraph, at: Captures) -> Number:
    del at
    return Number(graph.size, Status.PROVED)


_JAC = Input(r"C_{\nabla f}", "largest of all a_i and b_i", compute=_uniform(lambda c: c.jac))
_LIP = Input("L_f", "largest of all ℓ_i", compute=_uniform(lambda c: c.lip))
_HESS = Input(r"L_{\nabla f}", "largest of all A_i and B_i", compute=_uniform(lambda c: c.hess))
_HESS_OP = Input(
    r"C_{\nabla^2f}",
    "largest norm of a second derivative of an operator (erratum E2)",
    compute=_uniform(lambda c: c.hess_op),
)
_THIRD = Input(
    r"L_{\nabla^2f}", "largest of all A′_i and B′_i", compute=_uniform(lambda c: c.third)
)
_CV = letter("C_v", f"max{{1, C_∇f^N}}, {_PAGE}, section 2")
_SUM = letter("S_j", f"Σ (3C_∇f²)^k over k from 0 to j, {_PAGE}, section 2")
_CY = letter("C_{y_j}", f"sum over the operators, {_PAGE}, section 2")
_N = Input("N", "number of operators", compute=_size)
_I = letter("i", "number of the operator at which the perturbation stands")

#: Column → letters of the printed sums.
SUMS: dict[str, tuple[Input, ...]] = {
    "error_forward": (_CV, _HESS, _SUM, _LIP, _N, _I),
    "error_backward": (_JAC, _I),
    "bias_forward_mean": (_CV, _SUM, _JAC, _N, _I),
    "bias_forward_fourth": (_CY, _LIP, _N, _I),
    "bias_backward_mean": (_JAC, _I),
}


def sums(column: str, family: str) -> tuple[Input, ...]:
    """The letters of a printed sum; (33a) has another constant once it is corrected (E1)."""
    if column != "bias_forward_mean":
        return SUMS[column]
    return (_HESS_OP if family == "corrected" else _THIRD, *SUMS[column])


_DELTA = letter(
    r"\delta_i", "the perturbation of the output of operator i; `perturbations` has its moments"
)
_EPSILON = letter(r"\varepsilon_{i+1}", "the perturbation of what operator i+1 passes back")


def printed(group: str, family: str) -> tuple[Input, ...]:
    """The letters of a printed bound."""
    base = f"a coefficient: compile.{family}.coefficients.{group}."
    if group == "error":
        return (
            letter(r"C^e_{\delta_i}", f"{base}forward"),
            letter(r"C^e_{\varepsilon_{i+1}}", f"{base}backward"),
            _DELTA,
            _EPSILON,
        )
    return (
        letter(r"C^b_{\delta_i}", f"{base}forward_mean"),
        letter(r"\tilde C^b_{\delta_i}", f"{base}forward_fourth"),
        letter(r"C^b_{\varepsilon_{i+1}}", f"{base}backward_mean"),
        _DELTA,
        _EPSILON,
    )


def symbols(graph: OperatorGraph) -> tuple[Input, ...]:
    """The spec's symbols, in which a coefficient may be written."""
    import sympy

    return tuple(
        Input(
            sympy.latex(sympy.Symbol(name)),
            f"the spec's symbol {name}",
            spec=f"symbols.{name}",
            in_words=value is None,
        )
        for name, value in graph.spec.symbols.items()
    )
